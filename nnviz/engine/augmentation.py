"""Augmentation specs -> functions of a training batch and its step."""

from collections.abc import Callable

import torch
from torch import Tensor

from nnviz.engine.data import Dataset
from nnviz.engine.randomness import generator
from nnviz.spec import augmentation as spec

Augment = Callable[[Tensor, int], Tensor]
"""Inputs (n, …) of a batch, and the step that decides the random numbers -> inputs of the same shape."""


def build(augmentation: spec.Augmentation, data: Dataset, seed: int) -> Augment | None:
    """The function of a spec; None where nothing is changed. Random numbers are drawn on the CPU, so that they are the
    same on every device."""
    match augmentation:
        case spec.NoAugmentation():
            return None
        case spec.InputNoise(std=std):
            scale = std * _deviation(data)
            return lambda x, step: x + _noise(x, generator(seed, "augmentation", step)) * scale.to(x.device)
        case spec.RandomShift(pixels=pixels):
            fill = _zero(data)
            return lambda x, step: _shifted(x, pixels, fill, generator(seed, "augmentation", step))
    raise TypeError(f"no augmentation for {augmentation!r}")


def _deviation(data: Dataset) -> Tensor:
    """Standard deviation of each input over the training part: 1 where inputs are standardized or constant."""
    if data.input_scale is not None:
        return torch.ones(())
    found = data.part(test=False)[0].std(0)
    return torch.where(found > 0, found, torch.ones_like(found))


def _zero(data: Dataset) -> float:
    """What 0 in the original unit is for the network."""
    if data.input_scale is None:
        return 0.0
    mean, std = (part.flatten()[0] for part in data.input_scale)
    return float(-mean / std)


def _noise(x: Tensor, g: torch.Generator) -> Tensor:
    return torch.randn(x.shape, generator=g).to(x.device)


def _shifted(x: Tensor, most: int, fill: float, g: torch.Generator) -> Tensor:
    """Images (n, channels, height, width), each shifted by a whole number of pixels in [−most, most] along each axis;
    pixels from outside are `fill`."""
    n, _, height, width = x.shape
    shifts = torch.randint(-most, most + 1, (2, n, 1), generator=g).to(x.device)
    rows = torch.arange(height, device=x.device) + most - shifts[0]  # (n, height)
    columns = torch.arange(width, device=x.device) + most - shifts[1]
    padded = torch.nn.functional.pad(x, (most, most, most, most), value=fill)
    samples = torch.arange(n, device=x.device)[:, None, None]
    # Indices on both sides of the slice put the channels last.
    return padded[samples, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
