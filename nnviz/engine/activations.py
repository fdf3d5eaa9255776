"""Activation specs -> torch modules."""

import copy
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nnviz.spec import activations as spec


class Step(nn.Module):
    """1 if x > 0 else 0, with the derivative 0 that it has."""

    def forward(self, x: Tensor) -> Tensor:
        # Times 0 keeps the graph whole, so that backpropagation finds zeros and not a missing gradient.
        return (x > 0).to(x.dtype) + 0 * x.clamp(0, 0)


def build(activation: spec.Activation) -> nn.Module:
    """The module of an activation; elementwise, never in place."""
    match activation:
        case spec.Identity():
            return nn.Identity()
        case spec.Step():
            return Step()
        case spec.Sigmoid():
            return nn.Sigmoid()
        case spec.Tanh():
            return nn.Tanh()
        case spec.Softsign():
            return nn.Softsign()
        case spec.ReLU():
            return nn.ReLU()
        case spec.LeakyReLU(slope=slope):
            return nn.LeakyReLU(slope)
        case spec.PReLU(initial_slope=slope):
            return nn.PReLU(init=slope)
        case spec.ELU(alpha=alpha):
            return nn.ELU(alpha)
        case spec.SELU():
            return nn.SELU()
        case spec.GELU():
            return nn.GELU()
        case spec.SiLU():
            return nn.SiLU()
        case spec.Softplus(beta=beta):
            return nn.Softplus(beta)
    raise TypeError(f"no activation for {activation!r}")


def derivative(module: nn.Module, x: Tensor) -> Tensor:
    """dφ/dx at each entry of x, by autograd: right for every elementwise module. Same shape as x."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        # forward, not the call: hooks that watch the module must not see this. A copy, for modules that work in place.
        y = module.forward(x.clone())
        if not y.requires_grad:
            return torch.zeros_like(x)
        (slope,) = torch.autograd.grad(y.sum(), x)
    return slope


DEAD = 1e-3
"""A derivative below this carries nothing worth naming."""

SATURATED = 0.05
"""A derivative below this share of the function's largest is saturated."""


@dataclass(frozen=True)
class Tails:
    """Pre-activations at or below `[0]`, or at or above `[1]`, lie where the function is flat: |φ′| < DEAD, or
    < SATURATED of the largest. ±inf where there is no such tail. ReLU's begins at 0 exactly: in a network whose signal
    vanishes, units are active at 1e-6."""

    dead: tuple[float, float]
    saturated: tuple[float, float]

    @property
    def has_low(self) -> bool:
        """Whether a unit can be dead below."""
        return self.dead[0] > -math.inf

    @property
    def has_high(self) -> bool:
        """Whether a unit can be dead above."""
        return self.dead[1] < math.inf


def flat_tails(module: nn.Module) -> Tails:
    """Where an elementwise module is flat, found on a grid of 0.01 over [−100, 100]."""
    x = torch.arange(-10_000, 10_001, dtype=torch.float64) / 100
    slope = derivative(copy.deepcopy(module).cpu().double(), x).abs()
    return Tails(_beyond(x, slope, DEAD), _beyond(x, slope, SATURATED * float(slope.max())))


def _beyond(x: Tensor, slope: Tensor, threshold: float) -> tuple[float, float]:
    steep = torch.nonzero((slope >= threshold) & (slope > 0)).flatten()
    if not len(steep):  # flat everywhere
        return float("inf"), float("inf")
    low, high = int(steep[0]), int(steep[-1])
    return float(x[low - 1]) if low > 0 else float("-inf"), float(x[high + 1]) if high < len(x) - 1 else float("inf")
