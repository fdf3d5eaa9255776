"""Points over the inputs of a data set."""

import torch
from torch import Tensor


def axis(inputs: Tensor, column: int, points: int) -> Tensor:
    """Evenly spaced over the range of a column of inputs (n, columns), a tenth of the range added at both ends."""
    low, high = float(inputs[:, column].min()), float(inputs[:, column].max())
    margin = (high - low) * 0.1 or 1.0
    return torch.linspace(low - margin, high + margin, points)


def plane(inputs: Tensor, side: int) -> tuple[Tensor, Tensor, Tensor]:
    """Axes x and y (side,) and all points (side · side, 2), x running fastest."""
    x, y = axis(inputs, 0, side), axis(inputs, 1, side)
    down, across = torch.meshgrid(y, x, indexing="ij")
    return x, y, torch.stack([across.flatten(), down.flatten()], 1)
