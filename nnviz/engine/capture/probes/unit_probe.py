"""Dead and saturated units, and the spread of pre-activations between samples: on fixed samples, in evaluation mode."""

import math
from collections.abc import Mapping
from types import TracebackType

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.utils.hooks import RemovableHandle

from nnviz.engine.activations import FlatIntervals, flat_intervals
from nnviz.engine.tensor_norms import norms
from nnviz.records import Record, scalars


class UnitStatistics:
    """Of every activation, over the samples of one forward pass and its units:

    - dead_fraction: units whose pre-activation stays in one flat interval of the function, |φ′| < 0.001, for every
    sample; - saturated_fraction: entries at which |φ′| is below a twentieth of its largest;
    - preactivation_spread: root mean square over the units of the standard deviation of the pre-activation between
      samples (after batch norm, where there is one).

    `with units: <forward pass>`, without gradients, then `units.records(step)`.
    """

    def __init__(self, activations: Mapping[nn.Module, str]) -> None:
        """`activations` are elementwise modules and their sites."""
        self._sites = dict(activations)
        # Without parameters the intervals never change.
        self._flat_intervals = {
            module: flat_intervals(module) for module in self._sites if not any(True for _ in module.parameters())
        }
        self._found: dict[str, tuple[Tensor, Tensor]] = {}
        self._hook: RemovableHandle | None = None

    def __enter__(self) -> None:
        # Before each module's own forward: some modules work in place.
        self._hook = register_module_forward_pre_hook(self._measure)

    def __exit__(self, kind: type | None, error: BaseException | None, where: TracebackType | None) -> None:
        if self._hook is not None:
            self._hook.remove()

    def _measure(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if site := self._sites.get(module):
            x = inputs[0].flatten(1)
            self._found[site] = _fractions(x, self._flat_intervals.get(module) or flat_intervals(module)), _spread(x)

    def records(self, step: int) -> list[Record]:
        """The records of the last forward pass; the only method that waits for the device."""
        if not self._found:
            return []
        sites = list(self._found)
        fractions, spreads = (torch.stack(parts).tolist() for parts in zip(*self._found.values(), strict=True))
        self._found.clear()
        dead, saturated = zip(*fractions, strict=True)
        records: list[Record] = []
        measured = {"dead_fraction": dead, "saturated_fraction": saturated, "preactivation_spread": spreads}
        for quantity, values in measured.items():
            records += scalars([step] * len(sites), quantity, values, sites)
        return records


def _fractions(x: Tensor, intervals: FlatIntervals) -> Tensor:
    """Fractions of dead units and of saturated entries of pre-activations x (samples, units): (2,)."""
    dead = x.new_zeros(x.shape[1])
    for begin, end in intervals.dead:
        stays = x.new_ones(x.shape[1])
        if begin > -math.inf:
            stays *= x.amin(0) >= begin
        if end < math.inf:
            stays *= x.amax(0) <= end
        dead += stays
    saturated = x.new_zeros(())
    for begin, end in intervals.saturated:
        saturated += _inside(x, begin, end).sum()
    return torch.stack([dead.mean(), saturated / x.numel()])


def _inside(x: Tensor, begin: float, end: float) -> Tensor:
    """1 where begin ≤ x ≤ end, else 0, of the type of x: a comparison with a bool result takes ten times as long."""
    is_below = torch.le(x, end, out=torch.empty_like(x))
    if begin == -math.inf:
        return is_below
    is_above = torch.ge(x, begin, out=torch.empty_like(x))
    return is_above if end == math.inf else is_above.mul_(is_below)


def _spread(x: Tensor) -> Tensor:
    """See `UnitStatistics`; of x (samples, units), 0-d. In deep sigmoid networks samples differ by 1e-8: a difference
    of nearly equal numbers resolves that, a mean of squares does not."""
    differences = x - x[0]
    return norms([differences.sub_(differences.mean(0))])[0] / x.numel() ** 0.5
