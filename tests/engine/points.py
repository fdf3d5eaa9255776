"""Points of the plane at which formulas are computed."""

import numpy as np
import torch
from torch import Tensor

Array = np.ndarray


def tensor(values) -> Tensor:
    """In double precision."""
    return torch.tensor(values, dtype=torch.float64)


def points() -> tuple[Array, Array]:
    """Where the formulas are compared: 0 and whole numbers of both signs among 60 points of [−3, 3]²."""
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-3, 3, (2, 60))
    x[:12] = [0, 0, 1, -1, 2, -2, 3, -3, 1, 0, 0.5, -0.5]
    y[:12] = [0, 1, 0, -1, 3, 2, -2, -3, 1, -2, 2, 3]
    return x, y
