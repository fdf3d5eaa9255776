"""Activation specs -> torch modules."""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nnviz.spec import activations as spec
from nnviz.spec.base import options


class Identity(nn.Identity):
    """x itself, as an activation: a torch Identity may stand for anything."""


class Step(nn.Module):
    """1 if x > 0 else 0, with the derivative 0 that it has."""

    def forward(self, x: Tensor) -> Tensor:
        # Times 0 keeps the graph whole, so that backpropagation finds zeros and not a missing gradient.
        return (x > 0).to(x.dtype) + 0 * x.clamp(0, 0)


def build(activation: spec.Activation) -> nn.Module:
    """The module of an activation; elementwise, never in place."""
    match activation:
        case spec.Identity():
            return Identity()
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


_KINDS = {type(build(option())): kind for kind, option in options(spec.Activation).items()}


def name(module: nn.Module) -> str:
    """What an activation is called: the kind that it has among the specs, "leaky_relu", else the name of its class."""
    return _KINDS.get(type(module), type(module).__name__)


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

Intervals = tuple[tuple[float, float], ...]
"""Closed intervals (low, high), ascending; their ends may be infinite."""


@dataclass(frozen=True)
class Flat:
    """Where an elementwise function is flat: |φ′| < DEAD, or < SATURATED of its largest. Besides tails, that may be a
    stretch around an extremum, as GELU and SiLU have one. ReLU's interval ends at 0 exactly: in a network whose signal
    vanishes, units are active at 1e-6."""

    dead: Intervals
    saturated: Intervals


def flat(module: nn.Module) -> Flat:
    """Where an elementwise module is flat with the parameters that it has now, to eight digits, within ±10⁶."""
    frozen = copy.deepcopy(module).cpu().double()

    def slope(x: Tensor) -> Tensor:
        return derivative(frozen, x)

    x, s = _GRID, slope(_GRID)
    top = int(s.abs().argmax())
    around = torch.linspace(float(x[max(top - 1, 0)]), float(x[min(top + 1, len(x) - 1)]), 513, dtype=x.dtype)
    steepest = max(float(s[top].abs()), float(slope(around).abs().max()))
    turns = _turns(slope, x, s)
    x, order = torch.cat([x, turns]).sort()
    s = torch.cat([s, slope(turns)])[order]
    return Flat(_below(slope, x, s, DEAD), _below(slope, x, s, SATURATED * steepest))


_FAR = torch.logspace(math.log10(8), 6, 120, dtype=torch.float64)
_GRID = torch.cat([-_FAR.flip(0), torch.arange(-399, 400, dtype=torch.float64) / 50, _FAR])
"""±10⁶, every 0.02 between −8 and 8: fine enough for every turn that an activation makes."""


def _turns(slope: Callable[[Tensor], Tensor], x: Tensor, s: Tensor) -> Tensor:
    """Where the slope changes its sign between two points of the grid: (k,)."""
    at = torch.nonzero(s[:-1] * s[1:] < 0).flatten()
    signs = s[at].sign()[:, None]
    return _narrow(lambda points: slope(points).sign() == signs, x[at], x[at + 1])


def _below(slope: Callable[[Tensor], Tensor], x: Tensor, s: Tensor, threshold: float) -> Intervals:
    def is_flat(slopes: Tensor) -> Tensor:
        return (slopes.abs() < threshold) | (slopes == 0)

    inside = is_flat(s)
    change = torch.diff(inside.int(), prepend=torch.zeros(1).int(), append=torch.zeros(1).int())
    first, last = torch.nonzero(change == 1).flatten(), torch.nonzero(change == -1).flatten() - 1
    outside = torch.cat([(first - 1).clamp_min(0), (last + 1).clamp_max(len(x) - 1)])
    ends = _narrow(lambda points: is_flat(slope(points)), x[torch.cat([first, last])], x[outside])
    low, high = ends.tensor_split(2)
    low, high = low.masked_fill(first == 0, -math.inf), high.masked_fill(last == len(x) - 1, math.inf)
    return tuple(zip(low.tolist(), high.tolist(), strict=True))


def _narrow(holds: Callable[[Tensor], Tensor], inside: Tensor, outside: Tensor) -> Tensor:
    """The last points (k,) on the way from `inside`, where something holds, to `outside`, where it does not."""
    if not len(inside):
        return inside
    share = torch.linspace(0, 1, 129, dtype=inside.dtype)
    for _ in range(4):
        points = inside[:, None] + (outside - inside)[:, None] * share
        points[:, -1] = outside
        failing = ~holds(points)
        place = torch.where(failing.any(1), failing.int().argmax(1), len(share) - 1).clamp_min(1)[:, None]
        inside, outside = points.gather(1, place - 1)[:, 0], points.gather(1, place)[:, 0]
    return inside
