"""Slices of a loss landscape: planes and lines through weight space, level by level from coarse to fine."""

import copy
from collections.abc import Iterator, Sequence
from math import prod

import numpy as np
import torch
from torch import Tensor, nn

from nnviz.engine import landscape
from nnviz.engine.device import EngineError
from nnviz.engine.landscape.barrier import barrier
from nnviz.engine.landscape.retraining import Trained
from nnviz.engine.landscape.slice_evaluation import SequentialEvaluation
from nnviz.engine.randomness import generator
from nnviz.spec import landscapes as spec

Arrays = dict[str, np.ndarray]
Progress = tuple[int, dict[str, Arrays]]
"""Points done since the last time, and snapshots by quantity."""

STRIDES = (8, 4, 2, 1)
"""Grid strides of the levels, from coarse to fine."""

RANDOM_PLANES = 10
"""Random planes that the PCA plane of a path is compared with."""

MIN_EXTENT = 0.1
"""Smallest extent of a path's plane, as a fraction of its largest: a straight path would give a plane of no width."""


def random_plane(view: spec.RandomPlane, trained: Trained) -> Iterator[Progress]:
    """Snapshot "plane": x and y (k,) in filter-normalized units, and each measure (k, k) by row of y."""
    directions = [_direction(view, trained, index) for index in range(2)]
    axis = torch.linspace(-view.span, view.span, view.resolution, dtype=torch.float64)
    yield from _plane("plane", trained, directions, [axis, axis])


def random_lines(view: spec.RandomLines, trained: Trained) -> Iterator[Progress]:
    """Snapshot "lines": x (k,), and each measure (lines, k), of the lines that are complete."""
    axis = torch.linspace(-view.span, view.span, view.resolution, dtype=torch.float64)
    lines: dict[str, list[np.ndarray]] = {}
    for index in range(view.count):
        for points, found in _levels(trained, [_direction(view, trained, index)], [axis]):
            is_complete = len(found.pop("x", ())) == len(axis)
            for name, values in found.items() if is_complete else ():
                lines.setdefault(name, []).append(values)
            arrays = {"x": axis.numpy(), **{name: np.stack(rows) for name, rows in lines.items()}}
            yield points, {"lines": arrays} if is_complete else {}


def check_path(network: spec.TrainedModel) -> None:
    """Raises EngineError where its training is too short, or the model too small, for a plane along its path."""
    if network.at < 2:
        raise EngineError(f"a training trajectory needs at least 2 steps, got {network.at}: choose a later step")
    parameters = network.learner.size.parameters
    if parameters < 2:
        raise EngineError(f"a plane of the training trajectory needs at least 2 parameters, the model has {parameters}")


def path_plane(view: spec.PathPlane, trained: Trained) -> Iterator[Progress]:
    """Snapshot "path": the training in its plane; "path_plane": each measure over that plane, as in `random_plane`, in
    units of weights."""
    points = torch.stack([landscape.as_vector(trained.weights(place)) for place in range(len(trained.steps))])
    if torch.equal(points[1:], points[:-1]):
        raise EngineError(
            "a training trajectory needs weights that change, and these are the same at all steps: raise the learning "
            "rate or change the initializer"
        )
    found = landscape.plane(points)
    directions = [landscape.as_weights(d, trained.weights()) for d in found.directions]
    yield 0, {"path": _path(trained, points, found, directions)}
    axes = _axes_around(found.path, view.margin, view.resolution)
    yield from _plane("path_plane", trained, directions, axes)


def check_line(start: spec.TrainedModel, end: spec.TrainedModel) -> None:
    """Raises EngineError unless both have the same architecture, so that interpolated weights are a network too."""
    shapes = [of.learner.model.function() | {"outputs": of.learner.outputs} for of in (start, end)]
    first, second = ({"inputs": of.learner.data.shape} | shape for of, shape in zip((start, end), shapes, strict=True))
    for name in dict.fromkeys([*first, *second]):
        if first.get(name) != second.get(name):
            raise EngineError(
                f"a line needs two networks of the same architecture; these differ in their {name}: make them equal"
            )


def line(view: spec.Line, start: Trained, end: Trained) -> Iterator[Progress]:
    """Snapshot "line": x (k,), 0 at the first network and 1 at the second, each measure (k,) of the first's samples,
    and the train loss's barrier (2,): its height and place, once both ends are evaluated.

    Running statistics of batch norm are interpolated with the weights, so that both ends are the two networks; beyond
    the ends they stay constant, since a variance must not be negative.
    """
    axis = torch.linspace(-view.margin, 1 + view.margin, view.resolution, dtype=torch.float64)
    for place in (0.0, 1.0):  # the points nearest to the ends are moved there
        axis[(axis - place).abs().argmin()] = place
    module = copy.deepcopy(start.module)
    parameters = {name for name, _ in module.named_parameters()}
    values: dict[str, np.ndarray] = {}
    for level, stride in zip(landscape.coarse_to_fine([len(axis)]), STRIDES, strict=False):
        for index in level.flatten().tolist():
            at = float(axis[index])
            inside = min(1.0, max(0.0, at))
            module.load_state_dict(
                {
                    name: torch.lerp(t, end.states[-1][name], at if name in parameters else inside)
                    if t.is_floating_point()
                    else t
                    for name, t in start.states[-1].items()
                }
            )
            for name, value in start.evaluated.of(module).items():
                values.setdefault(name, np.full(len(axis), np.nan))[index] = value
            yield 1, {}
        arrays = {"x": axis[::stride].numpy(), **{n: h[::stride].copy() for n, h in values.items()}}
        rise = barrier(arrays["x"], arrays["train_loss"])
        yield 0, {"line": arrays if rise is None else arrays | {"barrier": rise}}


def _direction(view: spec.RandomPlane | spec.RandomLines, trained: Trained, index: int) -> landscape.Direction:
    weights = trained.weights()
    random = landscape.random_direction(trained.module, generator(view.seed, "direction", index))
    return landscape.filter_normalized(weights, random, keep_vectors=view.vectors)


def _plane(
    name: str, trained: Trained, directions: Sequence[Sequence[Tensor]], axes: Sequence[Tensor]
) -> Iterator[Progress]:
    for points, found in _levels(trained, directions, axes):
        yield points, {name: found} if found else {}


def _levels(
    trained: Trained, directions: Sequence[Sequence[Tensor]], axes: Sequence[Tensor]
) -> Iterator[tuple[int, Arrays]]:
    """Points done since the last time, and the arrays of a level once it is complete: x, y for planes, and measures."""
    evaluated = trained.evaluated
    shape = [len(axis) for axis in axes]
    measures: dict[str, np.ndarray] = {}
    done, strides = 0, list(STRIDES)
    for block in landscape.evaluate_slice(
        trained.module, evaluated.loss, evaluated.data, directions, axes, accuracy=evaluated.accuracy, first=STRIDES[0]
    ):
        place = tuple(block.indices.numpy().T)
        for what, found in (("loss", block.losses), ("accuracy", block.accuracies)):
            for part, values in found.items():
                measures.setdefault(f"{part}_{what}", np.full(shape, np.nan))[place] = values.double().numpy()
        done += len(block.indices)
        arrays: Arrays = {}
        while strides and done == prod(-(-n // strides[0]) for n in shape):
            stride = strides.pop(0)
            cut = (slice(None, None, stride),) * len(shape)
            arrays = {name: axis[::stride].numpy().copy() for name, axis in zip("xy", axes, strict=False)}
            arrays |= {name: values[cut].T.copy() for name, values in measures.items()}
        yield len(block.indices), arrays


def _axes_around(path: Tensor, margin: float, resolution: int) -> list[Tensor]:
    """Axes of a plane around the path."""
    low, high = path.amin(0), path.amax(0)
    extent = high - low
    extent = extent.maximum(MIN_EXTENT * extent.max())
    middle = (low + high) / 2
    reach = extent * (0.5 + margin)
    return [
        torch.linspace(float(m - r), float(m + r), resolution, dtype=torch.float64)
        for m, r in zip(middle, reach, strict=True)
    ]


def _random_plane_fraction(offsets: Tensor, module: nn.Module, weights: Sequence[Tensor], number: int) -> float:
    """The fraction of the squared norms of offsets (T, parameters) in a plane of two filter-normalized random
    directions."""
    directions = [landscape.random_direction(module, generator(number, "direction", index)) for index in range(2)]
    plane = torch.stack([landscape.as_vector(landscape.filter_normalized(weights, d)) for d in directions])
    basis = torch.linalg.qr(landscape.in_double(plane).T)[0]
    total = offsets.square().sum()
    return float((offsets @ basis).square().sum() / total) if total > 0 else 0.0


def _path(trained: Trained, points: Tensor, found: landscape.Plane, directions: Sequence[Sequence[Tensor]]) -> Arrays:
    """steps, distances to the final weights, residuals to the plane (T,), coordinates (T, 2), the fractions of the
    squared distances that the plane's axes explain (2,) and that random planes explain on average (), and each measure
    at the projections of the points onto the plane, (T,) as "plane_train_loss", …"""
    offsets = landscape.in_double(points)
    offsets = offsets - offsets[-1]
    weights = trained.weights()
    module = trained.module
    fraction = float(
        np.mean([_random_plane_fraction(offsets, module, weights, number) for number in range(RANDOM_PLANES)])
    )
    evaluated = trained.evaluated
    frozen = copy.deepcopy(module)
    at = SequentialEvaluation(frozen, evaluated.loss, evaluated.data, [weights, *directions], evaluated.accuracy).at(
        found.path
    )
    plane_measures = {
        f"plane_{part}_{what}": landscape.in_double(values).cpu().numpy()
        for what, parts in zip(("loss", "accuracy"), at, strict=True)
        for part, values in parts.items()
    }
    return {
        "steps": np.array(trained.steps, np.int64),
        "coordinates": found.path.cpu().numpy(),
        "explained": found.explained.cpu().numpy(),
        "random_explained": np.array(fraction),
        "residuals": found.residuals.cpu().numpy(),
        "distances": offsets.norm(dim=1).cpu().numpy(),
        **plane_measures,
    }
