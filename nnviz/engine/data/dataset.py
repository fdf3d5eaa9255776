"""A data set ready for training: tensors, the split, and names for display."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from nnviz.engine.randomness import generator


class Scale(NamedTuple):
    """Mean and standard deviation of standardization, (original − mean) / std, float32: of the shape of one input, or
    ()."""

    mean: Tensor
    std: Tensor


@dataclass(frozen=True)
class Dataset:
    """Inputs (n, *shape) float32; targets (n,), int64 for classes, float32 for numbers; test (n,) bool. Without a
    scale they are not standardized."""

    inputs: Tensor
    targets: Tensor
    test: Tensor
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...] = ()
    input_scale: Scale | None = None
    target_scale: Scale | None = None
    true_classes: Tensor | None = None
    """Targets (n,) before label noise; None where there is none."""

    def part(self, test: bool) -> tuple[Tensor, Tensor]:
        """Inputs and targets of the test or the training part."""
        index = torch.nonzero(self.test if test else ~self.test).flatten()
        return self.inputs[index], self.targets[index]

    def to(self, device: torch.device) -> "Dataset":
        """The same on another device."""
        moved = {"inputs": self.inputs, "targets": self.targets, "test": self.test, "true_classes": self.true_classes}
        return replace(self, **{name: tensor.to(device) for name, tensor in moved.items() if tensor is not None})

    def arrays(self) -> dict[str, np.ndarray]:
        """The "data" snapshot; original values are inputs · input_std + input_mean, targets likewise. Under label noise
        `true_classes` are the targets before it."""
        ones = torch.ones(self.inputs.shape[1:])
        inputs = self.input_scale or Scale(0 * ones, ones)
        targets = self.target_scale or Scale(torch.zeros(()), torch.ones(()))
        true_classes = {} if self.true_classes is None else {"true_classes": self.true_classes.cpu().numpy()}
        return true_classes | {
            "inputs": self.inputs.cpu().numpy(),
            "targets": self.targets.cpu().numpy(),
            "test": self.test.cpu().numpy(),
            "feature_names": np.array(self.feature_names, dtype=str),
            "class_names": np.array(self.class_names, dtype=str),
            "input_mean": inputs.mean.numpy(),
            "input_std": inputs.std.numpy(),
            "target_mean": targets.mean.numpy(),
            "target_std": targets.std.numpy(),
        }


def split(points: int, train_fraction: float, seed: int) -> tuple[Tensor, Tensor]:
    """A random order (n,) of the points, and which of them in this order are test samples (n,): the first
    round(fraction · n) are for training."""
    order = torch.randperm(points, generator=generator(seed, "split"))
    return order, torch.arange(points) >= round(train_fraction * points)
