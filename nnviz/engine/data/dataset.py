"""A data set ready for training: tensors, the split, and names for showing it."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nnviz.engine.randomness import generator


@dataclass(frozen=True)
class Dataset:
    """Inputs (n, features) float32; targets (n,), int64 for classes, float32 for numbers; test (n,) bool."""

    inputs: Tensor
    targets: Tensor
    test: Tensor
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...] = ()
    image_shape: tuple[int, ...] = ()

    def part(self, test: bool) -> tuple[Tensor, Tensor]:
        """Inputs and targets of the test or the training part."""
        index = torch.nonzero(self.test if test else ~self.test).flatten()
        return self.inputs[index], self.targets[index]

    def to(self, device: torch.device) -> "Dataset":
        """The same on another device."""
        return Dataset(
            self.inputs.to(device),
            self.targets.to(device),
            self.test.to(device),
            self.feature_names,
            self.class_names,
            self.image_shape,
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """What the "data" snapshot holds."""
        return {
            "inputs": self.inputs.cpu().numpy(),
            "targets": self.targets.cpu().numpy(),
            "test": self.test.cpu().numpy(),
            "feature_names": np.array(self.feature_names, dtype=str),
            "class_names": np.array(self.class_names, dtype=str),
            "image_shape": np.array(self.image_shape, dtype=np.int64),
        }


def split(points: int, train_share: float, seed: int) -> tuple[Tensor, Tensor]:
    """A random order (n,) of the points and who along it is in the test part (n,): the first round(share · n) train."""
    order = torch.randperm(points, generator=generator(seed, "split"))
    return order, torch.arange(points) >= round(train_share * points)
