"""Snapshots of dropout, made up: small, seeded, with the shapes that the figures are promised."""

import numpy as np

COUNTS = {"masks": np.array(30), "all_masks": np.array(False)}


def masks(*widths: int, samples: int = 4, rate: float = 0.5) -> dict[str, np.ndarray]:
    """The snapshot dropout_masks of step 7 for layers of these widths, by index from 0, the input's (0: no dropout)."""
    rng, arrays = np.random.default_rng(0), {"step": np.array(7)}
    for layer, width in enumerate(widths):
        if width:
            kept = rng.random((samples, width)) >= rate
            arrays |= {f"mask_{layer}": kept[:, :16], f"kept_{layer}": kept.sum(1).astype(np.int32)}
            arrays |= {f"units_{layer}": np.array(width), f"rate_{layer}": np.array(rate)}
    return arrays


def activations() -> dict[str, np.ndarray]:
    """The snapshot dropout_activations of two layers."""
    rng, arrays = np.random.default_rng(0), dict(COUNTS)
    for layer in (1, 2):
        h = rng.normal(size=40).astype(np.float32)
        arrays |= {f"eval_{layer}": h, f"mean_{layer}": h + 0.01, f"std_{layer}": np.abs(h)}
        arrays[f"rate_{layer}"] = np.array(0.2)
    return arrays


def averages() -> dict[str, np.ndarray]:
    """The snapshot mask_averages of 20 test samples."""
    p = np.linspace(0.02, 0.99, 20).astype(np.float32)
    means = {"geometric_mean": p + 0.005, "arithmetic_mean": p**0.9}
    return COUNTS | {"weight_scaling": p, **means, "true": np.arange(20) % 2}


def uncertainty(classes: int = 2, side: int = 12) -> dict[str, np.ndarray]:
    """The snapshot uncertainty over the plane; `classes` 0 is a regression."""
    axis = np.linspace(-2, 2, side)
    x, y = np.meshgrid(axis, axis)
    angles = 2 * np.pi * np.arange(max(classes, 1)) / max(classes, 1)
    logits = x[..., None] * np.cos(angles) + y[..., None] * np.sin(angles)
    mean = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True) if classes else logits
    found = COUNTS | {"x": axis, "y": axis, "mean": mean, "std": np.abs(mean) / 4, "scaled": mean[::-1]}
    return found | ({"information": np.abs(x) / 8} if classes else {})


def band() -> dict[str, np.ndarray]:
    """The snapshot uncertainty over a single input."""
    x = np.linspace(-1, 1, 30)
    return COUNTS | {"x": x, "mean": np.sin(x)[:, None], "std": 0.1 + x[:, None] ** 2, "scaled": x[:, None]}


def samples(shape: tuple[int, ...] = (1, 8, 8), classes: int = 10) -> dict[str, np.ndarray]:
    """The snapshot uncertain_samples of eight test samples."""
    rng = np.random.default_rng(0)
    mean = rng.dirichlet(np.ones(classes), 8)
    found = {"mean": mean, "std": mean * (1 - mean) / 2, "information": np.linspace(1, 0.2, 8), "scaled": mean}
    return COUNTS | found | {"inputs": rng.random((8, *shape)), "true": np.arange(8) % classes}
