"""Loss and accuracy over a line or a plane through weight space, coarse points first.

The network is evaluated in evaluation mode: dropout is off, and batch norm uses the running statistics of the module at
every point of the slice, though they were gathered at its own weights. Buffers do not move along a direction. All work
is on a copy, so the module is left as it is, whenever the caller stops, and may go on training meanwhile.
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

ONE_BY_ONE = 8
"""Points in a block of a network that is evaluated one point after the other."""


class Block(NamedTuple):
    """Some points of the slice, on the CPU."""

    indices: Tensor
    """(points, axes): where on the grid, as positions along each axis."""
    losses: dict[str, Tensor]
    """By data set, (points,) each."""
    accuracies: dict[str, Tensor]
    """The same; empty where no accuracy was asked for."""


def coarse_to_fine(shape: Sequence[int], first: int = 8) -> Iterator[Tensor]:
    """The indices (points, axes) of a grid, each once: every `first`-th along all axes, then what every (first/2)-th
    adds, and so on to all. Raises ValueError where `first` is below 1."""
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


def walk(
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

    One axis (points along it,) a direction; the center is the module's own weights unless given, a tensor a parameter.
    `accuracy(outputs, targets)` is any second measure; `landscape.accuracy` is the fast one. Feed-forward networks go
    many points at a time, others one by one; memory is bounded by `stacked.ENTRIES` or by what one evaluation takes. In
    float32 the numbers agree with those of a plain loop to about 1e-6 of their size. Stop by closing the iterator.
    Raises ValueError where shapes do not fit.
    """
    weights = list(module.parameters()) if center is None else center
    if len(axes) != len(directions) or not axes:
        raise ValueError(f"axes must be as many as directions and at least 1, got {len(axes)} and {len(directions)}")
    if not data:
        raise ValueError("data must hold at least 1 data set, got none")
    if not weights:
        raise ValueError("module must have at least 1 parameter, got none")
    check(list(module.parameters()), [weights, *directions])
    held = copy.deepcopy(module).eval().requires_grad_(False)
    like = list(held.parameters())
    points = [[t.detach().to(p, copy=True) for t, p in zip(w, like, strict=True)] for w in (weights, *directions)]
    return _blocks(_evaluation(held, loss, data, points, accuracy), axes, first, like[0])


class Evaluation(Protocol):
    """Loss and accuracy at coordinates (points, axes)."""

    most: int

    def at(self, coordinates: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """By data set, (points,) each."""


def _blocks(evaluation: Evaluation, axes: Sequence[Tensor], first: int, like: Tensor) -> Iterator[Block]:
    for level in coarse_to_fine([len(axis) for axis in axes], first):
        for indices in level.split(evaluation.most):
            at = torch.stack([axis.cpu()[i] for axis, i in zip(axes, indices.T, strict=True)], 1)
            losses, accurate = evaluation.at(at.to(like))
            yield Block(indices, *({name: t.cpu() for name, t in found.items()} for found in (losses, accurate)))


def _evaluation(
    module: nn.Module, loss: LossFunction, data: Data, points: list[list[Tensor]], accuracy: LossFunction | None
) -> Evaluation:
    with torch.no_grad():
        x = [inputs for inputs, _ in data.values()]
        found = stacked_networks.layers(module, x[0])
        if found:
            return Together(stacked_networks.Stack(module, found, points, torch.cat(x)), loss, data, accuracy)
    return OneByOne(module, loss, data, points, accuracy)


class Together:
    """Many points at once, all data sets side by side."""

    def __init__(
        self, stack: stacked_networks.Stack, loss: LossFunction, data: Data, accuracy: LossFunction | None
    ) -> None:
        self.stack, self.most = stack, stack.most
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


class OneByOne:
    """One point after the other, any module; the whole data set in one batch."""

    most = ONE_BY_ONE

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
        accurate: dict[str, list[Tensor]] = {name: [] for name in self.data if self.accuracy}
        for point in coordinates.tolist():
            weights = self.center
            for scale, direction in zip(point, self.directions, strict=True):
                weights = torch._foreach_add(weights, direction, alpha=scale)
            at = dict(zip(self.names, weights, strict=True))
            for name, (x, y) in self.data.items():
                outputs = functional_call(self.module, at, (x,))
                losses[name].append(self.loss(outputs, y))
                if self.accuracy:
                    accurate[name].append(self.accuracy(outputs, y))
        return tuple({name: torch.stack(found) for name, found in d.items()} for d in (losses, accurate))


def grid(blocks: Iterator[Block], shape: Sequence[int], after: Callable[[float], None] | None = None) -> Block:
    """All blocks of a walk as arrays of the grid's shape, by data set; `indices` are those of all points in the order
    they came. `after` hears the share that is done."""
    seen: list[Tensor] = []
    losses: dict[str, Tensor] = {}
    accurate: dict[str, Tensor] = {}
    total, count = torch.Size(shape).numel(), 0
    for block in blocks:
        for whole, part in ((losses, block.losses), (accurate, block.accuracies)):
            for name, values in part.items():
                whole.setdefault(name, values.new_full(tuple(shape), torch.nan))[block.indices.unbind(1)] = values
        seen.append(block.indices)
        count += len(block.indices)
        if after:
            after(count / total)
    return Block(torch.cat(seen), losses, accurate)
