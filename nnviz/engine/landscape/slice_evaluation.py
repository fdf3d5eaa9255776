"""Loss and accuracy over a line or a plane through weight space, coarse points first.

The network is evaluated in evaluation mode: dropout is off, and batch norm uses the running statistics of the module at
every point of the slice, although they belong to its own weights. Buffers do not move along a direction. All work is on
a copy, so the module does not change and may be trained in the meantime.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.func import functional_call

from nnviz.engine.landscape import stacked_networks
from nnviz.engine.landscape.directions import check
from nnviz.engine.losses import LossFunction

Data = Mapping[str, tuple[Tensor, Tensor]]
"""Inputs (n, …) and targets (n, …) by name, on the module's device."""

POINTS_PER_BLOCK = 8
"""Points in a block of a network that is evaluated point by point."""


class Block(NamedTuple):
    """Some points of the slice, on the CPU."""

    indices: Tensor
    """(points, axes): grid indices along each axis."""
    losses: dict[str, Tensor]
    """By data set, (points,) each."""
    accuracies: dict[str, Tensor]
    """The same; empty without an accuracy function."""


def coarse_to_fine(shape: Sequence[int], first: int = 8) -> Iterator[Tensor]:
    """The indices (points, axes) of a grid, each once: every `first`-th along all axes, then the new ones among
    every (first/2)-th, and so on to all. Raises ValueError where `first` is below 1."""
    if first < 1:
        raise ValueError(f"first must be at least 1, got {first}")
    done = torch.zeros(tuple(shape), dtype=torch.bool)
    while first:
        level = torch.zeros_like(done)
        level[(slice(None, None, first),) * len(shape)] = True
        new = torch.nonzero(level & ~done)
        done |= level
        if len(new):
            yield new
        first //= 2


def evaluate_slice(
    module: nn.Module,
    loss: LossFunction,
    data: Data,
    directions: Sequence[Sequence[Tensor]],
    axes: Sequence[Tensor],
    *,
    center: Sequence[Tensor] | None = None,
    accuracy: LossFunction | None = None,
    first: int = 8,
) -> Iterator[Block]:
    """Loss at center + Σ axes[i][j] · directions[i] for all points of the grid, in blocks, coarse to fine.

    One axis (points along it,) per direction; the center is the module's own weights unless given, a tensor per
    parameter. `accuracy(outputs, targets)` is any second measure; `landscape.accuracy` is the fast one. Feed-forward
    networks are evaluated at many points at a time, others point by point; memory is bounded by
    `stacked_networks.MAX_ENTRIES` or by what one evaluation takes. In float32 the numbers agree with those of a plain
    loop to about 1e-6 of their size. Close the iterator to stop. Raises ValueError where shapes do not fit.
    """
    weights = list(module.parameters()) if center is None else center
    if len(axes) != len(directions) or not axes:
        raise ValueError(f"axes must be as many as directions and at least 1, got {len(axes)} and {len(directions)}")
    if not data:
        raise ValueError("data must hold at least 1 data set, got none")
    if not weights:
        raise ValueError("module must have at least 1 parameter, got none")
    check(list(module.parameters()), [weights, *directions])
    frozen = copy.deepcopy(module).eval().requires_grad_(False)
    like = list(frozen.parameters())
    points = [[t.detach().to(p, copy=True) for t, p in zip(w, like, strict=True)] for w in (weights, *directions)]
    return _blocks(_evaluation(frozen, loss, data, points, accuracy), axes, first, like[0])


class Evaluation(Protocol):
    """Loss and accuracy at coordinates (points, axes)."""

    max_points: int

    def at(self, coordinates: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """By data set, (points,) each."""


def _blocks(evaluation: Evaluation, axes: Sequence[Tensor], first: int, like: Tensor) -> Iterator[Block]:
    for level in coarse_to_fine([len(axis) for axis in axes], first):
        for indices in level.split(evaluation.max_points):
            at = torch.stack([axis.cpu()[i] for axis, i in zip(axes, indices.T, strict=True)], 1)
            losses, accuracies = evaluation.at(at.to(like))
            yield Block(indices, *({name: t.cpu() for name, t in found.items()} for found in (losses, accuracies)))


def _evaluation(
    module: nn.Module, loss: LossFunction, data: Data, points: list[list[Tensor]], accuracy: LossFunction | None
) -> Evaluation:
    with torch.no_grad():
        x = [inputs for inputs, _ in data.values()]
        found = stacked_networks.stackable_layers(module, x[0])
        if found:
            return StackedEvaluation(stacked_networks.Stack(module, found, points, torch.cat(x)), loss, data, accuracy)
    return SequentialEvaluation(module, loss, data, points, accuracy)


class StackedEvaluation:
    """Many points at once, all data sets side by side."""

    def __init__(
        self, stack: stacked_networks.Stack, loss: LossFunction, data: Data, accuracy: LossFunction | None
    ) -> None:
        self.stack, self.max_points = stack, stack.max_points
        self.sizes = [len(inputs) for inputs, _ in data.values()]
        trial = stack.outputs(stack.first.new_zeros(1, len(stack.first) - 1)).split(self.sizes, 2)
        targets = {name: (z, y) for (name, (_, y)), z in zip(data.items(), trial, strict=True)}
        self.losses = {name: stacked_networks.Measure(loss, z, y) for name, (z, y) in targets.items()}
        self.accuracies = {
            name: stacked_networks.Measure(accuracy, z, y) for name, (z, y) in targets.items() if accuracy
        }

    @torch.no_grad()
    def at(self, coordinates: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """See `Evaluation`."""
        outputs = dict(zip(self.losses, self.stack.outputs(coordinates).split(self.sizes, 2), strict=True))
        losses = {name: measure(outputs[name]) for name, measure in self.losses.items()}
        return losses, {name: measure(outputs[name]) for name, measure in self.accuracies.items()}


class SequentialEvaluation:
    """Point by point, for any module; the whole data set in one batch."""

    max_points = POINTS_PER_BLOCK

    def __init__(
        self,
        module: nn.Module,
        loss: LossFunction,
        data: Data,
        points: list[list[Tensor]],
        accuracy: LossFunction | None,
    ) -> None:
        self.module, self.loss, self.data, self.accuracy = module, loss, data, accuracy
        self.names = [name for name, _ in module.named_parameters()]
        self.center, *self.directions = points

    @torch.no_grad()
    def at(self, coordinates: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """See `Evaluation`."""
        losses: dict[str, list[Tensor]] = {name: [] for name in self.data}
        accuracies: dict[str, list[Tensor]] = {name: [] for name in self.data if self.accuracy}
        for point in coordinates.tolist():
            weights = self.center
            for scale, direction in zip(point, self.directions, strict=True):
                weights = torch._foreach_add(weights, direction, alpha=scale)
            at = dict(zip(self.names, weights, strict=True))
            for name, (x, y) in self.data.items():
                outputs = functional_call(self.module, at, (x,))
                losses[name].append(self.loss(outputs, y))
                if self.accuracy:
                    accuracies[name].append(self.accuracy(outputs, y))
        return tuple({name: torch.stack(found) for name, found in d.items()} for d in (losses, accuracies))


def grid(blocks: Iterator[Block], shape: Sequence[int], on_progress: Callable[[float], None] | None = None) -> Block:
    """All blocks of `evaluate_slice` as arrays of the grid's shape, by data set; `indices` are those of all points in
    order of evaluation. `on_progress` is called with the fraction that is done."""
    indices: list[Tensor] = []
    losses: dict[str, Tensor] = {}
    accuracies: dict[str, Tensor] = {}
    total, count = torch.Size(shape).numel(), 0
    for block in blocks:
        for whole, part in ((losses, block.losses), (accuracies, block.accuracies)):
            for name, values in part.items():
                whole.setdefault(name, values.new_full(tuple(shape), torch.nan))[block.indices.unbind(1)] = values
        indices.append(block.indices)
        count += len(block.indices)
        if on_progress:
            on_progress(count / total)
    return Block(torch.cat(indices), losses, accuracies)
