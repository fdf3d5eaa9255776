"""Sets of images as tensors."""

import torch
from torch import Tensor

from nnviz.engine.attachments import ReadFile, no_files
from nnviz.engine.data import drawn_images, image_folders, openml_images
from nnviz.engine.data.image_set import ImageSet, resized
from nnviz.engine.randomness import generator
from nnviz.spec.data import images as spec


def build(data: spec.Images, seed: int, read_file: ReadFile = no_files) -> ImageSet:
    """The images of a spec, in random order: same spec and seed, same bits. `read_file` returns the content of the
    user's own files. Raises EngineError for what cannot be downloaded or read."""
    g = generator(seed, "data")
    notes: tuple[str, ...] = ()
    match data:
        case spec.DigitImages():
            images, labels = _digits(data.size)
        case spec.Shapes():
            images, labels = drawn_images.shapes(data, g)
        case spec.Glyphs():
            images, labels = drawn_images.glyphs(data, g)
        case spec.MNIST() | spec.FashionMNIST():
            images, labels = openml_images.subset(data, g)
        case spec.ImageFolder():
            images, notes = image_folders.read(data, read_file(data.file), g)
            labels = torch.zeros(len(images), dtype=torch.int64)
        case _:
            raise TypeError(f"no images for {data!r}")
    order = torch.randperm(len(images), generator=g)
    return ImageSet(images[order], labels[order], tuple(data.class_names), notes)


def _digits(size: int) -> tuple[Tensor, Tensor]:
    from sklearn.datasets import load_digits  # its import takes half as long as torch's

    bunch = load_digits()
    levels = torch.tensor(bunch.images, dtype=torch.float32)[:, None]  # 0 … 16
    return resized(levels / 8 - 1, size), torch.tensor(bunch.target, dtype=torch.int64)
