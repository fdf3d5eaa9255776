"""Dropout with its own random generator."""

import torch
from torch import Tensor, nn

from nnviz.spec import dropouts as spec


class Dropout(nn.Module):
    """Inverted dropout with masks from its own generator: the other units are divided by 1 − p, which preserves the
    mean.

    torch's Dropout draws from the global generator, which would make a run's masks depend on whatever else the process
    does.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        """x with each entry 0 with probability p in training; x itself in evaluation."""
        if not self.training or self.p == 0:
            return x
        mask = torch.rand(x.shape, generator=self.generator, device=x.device) >= self.p
        return x * mask / (1 - self.p)

    def extra_repr(self) -> str:
        return f"p={self.p}"


def build(dropout: spec.Dropout) -> Dropout | None:
    """The module, or None where nothing is dropped."""
    return Dropout(dropout.rate) if dropout.rate else None
