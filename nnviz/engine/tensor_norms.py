"""L2 norms that neither underflow nor overflow, for vanishing and exploding gradients."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

SAFE = (1e-18, 1e18)
"""Outside of these, squares of float32 entries fall below 2^−126 or rise above 2^128."""


def norms(tensors: Sequence[Tensor]) -> Tensor:
    """The norm of each tensor over all its entries, (tensors,); float64 but on MPS, which has none."""
    if not tensors:
        return torch.empty(0)
    device = tensors[0].device.type
    if device == "mps":
        return torch.stack(torch._foreach_norm(tensors))
    if device != "cpu":
        return torch.stack(torch._foreach_norm(tensors, 2, dtype=torch.float64))
    # On the CPU float64 takes five times as long, and reading the result costs nothing.
    found = torch.stack(torch._foreach_norm(tensors)).double()
    values = found.tolist()
    if not (SAFE[0] <= min(values) and max(values) < SAFE[1]) or math.isnan(sum(values)):
        for i, value in enumerate(values):
            if not SAFE[0] <= value < SAFE[1]:
                found[i] = tensors[i].double().norm()
    return found
