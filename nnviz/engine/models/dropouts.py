"""Dropout with its own random generator."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nnviz.engine.randomness import stream
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

    def mask_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """The shape of the mask of a batch of this shape, (batch, …)."""
        return tuple(shape)

    def draw(self, shape: Sequence[int], device: torch.device) -> Tensor:
        """Which entries of a batch of this shape are kept, bool; of the next numbers of the generator."""
        return torch.rand(self.mask_shape(shape), generator=self.generator, device=device) >= self.p

    def forward(self, x: Tensor) -> Tensor:
        """x with each entry 0 with probability p in training; x itself in evaluation."""
        if not self.training or self.p == 0:
            return x
        return x * self.draw(x.shape, x.device) / (1 - self.p)

    def extra_repr(self) -> str:
        return f"p={self.p}"


class SpatialDropout(Dropout):
    """Inverted dropout of whole channels of inputs (batch, channels, …), as torch's Dropout2d."""

    def mask_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        return (*shape[:2], *[1] * (len(shape) - 2))


def find(network: nn.Module) -> list[Dropout]:
    """All of a network in forward order."""
    return [module for module in network.modules() if isinstance(module, Dropout)]


def reset(dropouts: Sequence[Dropout], seed: int, step: int) -> None:
    """Lets the next forward pass draw the masks of a step: a function of seed, place in the network and step."""
    for index, dropout in enumerate(dropouts):
        dropout.generator.manual_seed(stream(seed, f"dropout{index}", step))


def build(dropout: spec.ChannelDropout) -> Dropout | None:
    """The module, or None where nothing is dropped."""
    if not dropout.rate:
        return None
    return SpatialDropout(dropout.rate) if isinstance(dropout, spec.SpatialDropout) else Dropout(dropout.rate)


def of_inputs(dropout: spec.ChannelDropout) -> Dropout | None:
    """The module before the first layer, or None where no input is dropped."""
    return Dropout(dropout.input_rate) if dropout.input_rate else None
