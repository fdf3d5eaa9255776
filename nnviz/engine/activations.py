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
    """φ(x) = x. A class of its own, as an `nn.Identity` need not be an activation."""


class Step(nn.Module):
    """1 if x > 0 else 0; its derivative is 0."""

    def forward(self, x: Tensor) -> Tensor:
        # The term times 0 keeps x in the graph: the gradient is 0 and not None.
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
    """The kind of an activation among the specs, such as "leaky_relu", else the name of its class."""
    return _KINDS.get(type(module), type(module).__name__)


def derivative(module: nn.Module, x: Tensor) -> Tensor:
    """dφ/dx at each entry of x, by autograd, for any elementwise module. Same shape as x."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        # forward, not the call: hooks of the module must not run. A copy, for modules that work in place.
        y = module.forward(x.clone())
        if not y.requires_grad:
            return torch.zeros_like(x)
        (slope,) = torch.autograd.grad(y.sum(), x)
    return slope


DEAD_SLOPE = 1e-3
"""Below this derivative a unit counts as dead: its gradient is negligible."""

SATURATED_FRACTION = 0.05
"""Below this fraction of the function's largest derivative a unit counts as saturated."""

Intervals = tuple[tuple[float, float], ...]
"""Closed intervals (low, high), ascending; their ends may be infinite."""


@dataclass(frozen=True)
class FlatIntervals:
    """Where an elementwise function is flat: |φ′| < DEAD_SLOPE, or < SATURATED_FRACTION of its largest. Besides tails,
    that may be an interval around an extremum, as for GELU and SiLU. ReLU's interval ends at 0 exactly: in a network
    whose signal vanishes, units are active at 1e-6."""

    dead: Intervals
    saturated: Intervals


def flat_intervals(module: nn.Module) -> FlatIntervals:
    """Where an elementwise module is flat with its current parameters, to eight digits, within ±10⁶."""
    frozen = copy.deepcopy(module).cpu().double()

    def slope(x: Tensor) -> Tensor:
        return derivative(frozen, x)

    x, s = _GRID, slope(_GRID)
    top = int(s.abs().argmax())
    neighborhood = torch.linspace(float(x[max(top - 1, 0)]), float(x[min(top + 1, len(x) - 1)]), 513, dtype=x.dtype)
    max_slope = max(float(s[top].abs()), float(slope(neighborhood).abs().max()))
    sign_changes = _sign_changes(slope, x, s)
    x, order = torch.cat([x, sign_changes]).sort()
    s = torch.cat([s, slope(sign_changes)])[order]
    return FlatIntervals(_below(slope, x, s, DEAD_SLOPE), _below(slope, x, s, SATURATED_FRACTION * max_slope))


_COARSE = torch.logspace(math.log10(8), 6, 120, dtype=torch.float64)
_GRID = torch.cat([-_COARSE.flip(0), torch.arange(-399, 400, dtype=torch.float64) / 50, _COARSE])
"""±10⁶, every 0.02 between −8 and 8: fine enough to find all extrema of the activations."""


def _sign_changes(slope: Callable[[Tensor], Tensor], x: Tensor, s: Tensor) -> Tensor:
    """Where the slope changes its sign between two points of the grid: (k,)."""
    at = torch.nonzero(s[:-1] * s[1:] < 0).flatten()
    signs = s[at].sign()[:, None]
    return _last_where(lambda points: slope(points).sign() == signs, x[at], x[at + 1])


def _below(slope: Callable[[Tensor], Tensor], x: Tensor, s: Tensor, threshold: float) -> Intervals:
    def is_flat(slopes: Tensor) -> Tensor:
        return (slopes.abs() < threshold) | (slopes == 0)

    inside = is_flat(s)
    change = torch.diff(inside.int(), prepend=torch.zeros(1).int(), append=torch.zeros(1).int())
    first, last = torch.nonzero(change == 1).flatten(), torch.nonzero(change == -1).flatten() - 1
    outside = torch.cat([(first - 1).clamp_min(0), (last + 1).clamp_max(len(x) - 1)])
    ends = _last_where(lambda points: is_flat(slope(points)), x[torch.cat([first, last])], x[outside])
    low, high = ends.tensor_split(2)
    low, high = low.masked_fill(first == 0, -math.inf), high.masked_fill(last == len(x) - 1, math.inf)
    return tuple(zip(low.tolist(), high.tolist(), strict=True))


def _last_where(condition: Callable[[Tensor], Tensor], inside: Tensor, outside: Tensor) -> Tensor:
    """The last points (k,) from `inside`, where a condition holds, to `outside`, where it does not."""
    if not len(inside):
        return inside
    fraction = torch.linspace(0, 1, 129, dtype=inside.dtype)
    for _ in range(4):
        points = inside[:, None] + (outside - inside)[:, None] * fraction
        points[:, -1] = outside
        failing = ~condition(points)
        first_failing = torch.where(failing.any(1), failing.int().argmax(1), len(fraction) - 1).clamp_min(1)[:, None]
        inside, outside = points.gather(1, first_failing - 1)[:, 0], points.gather(1, first_failing)[:, 0]
    return inside
