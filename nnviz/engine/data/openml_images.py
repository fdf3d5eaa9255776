"""MNIST and Fashion-MNIST, downloaded once from OpenML and kept in scikit-learn's data folder."""

import secrets
import warnings
from http.client import HTTPException
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor

from nnviz.engine.announcements import announced
from nnviz.engine.data.image_set import resized
from nnviz.engine.device import EngineError
from nnviz.spec.base import label
from nnviz.spec.data import images as spec

NAMES = {"mnist": "mnist_784", "fashion_mnist": "Fashion-MNIST"}
"""What OpenML calls them."""

COUNT, SIDE = 70_000, 28


def subset(data: spec.MNIST | spec.FashionMNIST, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """As many of the images and labels as the spec says. Raises EngineError where they cannot be had."""
    pixels, labels = _whole(data)
    chosen = torch.randperm(COUNT, generator=g)[: data.count].numpy()
    images = torch.from_numpy(pixels[chosen]).float()[:, None] / 127.5 - 1
    # 32 = 28 and an edge of 2, a multiple of all sizes
    images = resized(torch.nn.functional.pad(images, (2, 2, 2, 2), value=-1.0), data.size)
    return images, torch.from_numpy(labels[chosen]).long()


def _whole(data: spec.MNIST | spec.FashionMNIST) -> tuple[np.ndarray, np.ndarray]:
    """All pixels (70000, 28, 28) and labels (70000,), uint8. scikit-learn keeps the text that was downloaded, which
    takes long to parse: the arrays are kept beside it."""
    from sklearn.datasets import get_data_home

    name = label(type(data))
    try:
        path = Path(get_data_home()) / "nnviz" / f"{data.kind}.npz"
        found = _cached(path)
        if not found:
            # scikit-learn's loader tells nobody how far it is.
            with announced(f"downloading {name} from OpenML ({data.download}, once; no progress is available)"):
                found = _downloaded(data.kind)
            _keep(path, *found)
    except (OSError, HTTPException) as error:  # what urllib raises without a network, and a folder that is full
        cause = getattr(error, "reason", error)  # of urllib's own
        reason = " ".join(str(getattr(cause, "strerror", None) or cause).split())
        raise EngineError(
            f"{name} must be downloaded from openml.org once, got {reason[:120] or type(error).__name__}: connect this "
            "machine, or choose digits, shapes or glyphs, which need no download"
        ) from None
    except ValueError as error:  # scikit-learn's word for a file whose checksum is wrong
        reason = " ".join(str(error).split())[:120]
        raise EngineError(
            f"{name} from openml.org must have 70,000 images of 28 × 28, got {reason}: try again"
        ) from None
    return found


def _cached(path: Path) -> tuple[np.ndarray, np.ndarray] | None:
    """None where it has not been kept, or not whole."""
    try:
        with path.open("rb") as file, np.load(file) as arrays:
            pixels, labels = arrays["pixels"], arrays["labels"]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None
    whole = pixels.shape == (COUNT, SIDE, SIDE) and labels.shape == (COUNT,) and pixels.dtype == labels.dtype == "u1"
    return (pixels, labels) if whole else None


def _downloaded(kind: str) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import fetch_openml

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it tries again
        bunch = fetch_openml(NAMES[kind], version=1, as_frame=False, n_retries=2)
    if bunch.data.shape != (COUNT, SIDE**2):
        raise ValueError(f"a table of {bunch.data.shape}")
    return bunch.data.reshape(-1, SIDE, SIDE).astype(np.uint8), bunch.target.astype(np.uint8)


def _keep(path: Path, pixels: np.ndarray, labels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{secrets.token_hex(8)}.npz")
    np.savez(new, pixels=pixels, labels=labels)
    new.replace(path)
