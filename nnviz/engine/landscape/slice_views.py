"""Views of a landscape that are slices: planes and lines through weight space, told level by level."""

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
from nnviz.engine.landscape.slice_evaluation import OneByOne
from nnviz.engine.randomness import generator
from nnviz.spec import landscapes as spec

Arrays = dict[str, np.ndarray]
Progress = tuple[int, dict[str, Arrays]]
"""Points done since the last time, and pictures by quantity."""

STRIDES = (8, 4, 2, 1)
"""Of the levels from coarse to fine."""

RANDOM_PLANES = 10
"""Random planes that a path is held against."""

NARROWEST = 0.1
"""A path's plane is at least so wide, as a share of its length: a straight path would leave no plane to see."""


def random_plane(view: spec.RandomPlane, trained: Trained) -> Iterator[Progress]:
    """Snapshot "plane": x and y (k,) in lengths of the filters, and each measure (k, k) by row of y."""
    directions = [_direction(view, trained, index) for index in range(2)]
    axis = torch.linspace(-view.span, view.span, view.resolution, dtype=torch.float64)
    yield from _plane("plane", trained, directions, [axis, axis])


def random_lines(view: spec.RandomLines, trained: Trained) -> Iterator[Progress]:
    """Snapshot "lines": x (k,), and each measure (lines, k), of as many lines as are done."""
    axis = torch.linspace(-view.span, view.span, view.resolution, dtype=torch.float64)
    lines: dict[str, list[np.ndarray]] = {}
    for index in range(view.count):
        for points, found in _levels(trained, [_direction(view, trained, index)], [axis]):
            whole = len(found.pop("x", ())) == len(axis)
            for name, values in found.items() if whole else ():
                lines.setdefault(name, []).append(values)
            told = {"x": axis.numpy(), **{name: np.stack(rows) for name, rows in lines.items()}}
            yield points, {"lines": told} if whole else {}


def check_path(network: spec.TrainedModel) -> None:
    """Raises EngineError where its training is no path that a plane could lie along."""
    if network.at < 2:
        raise EngineError(f"a training path has at least 2 steps, got {network.at}: look at a later step")
    parameters = network.learner.size.parameters
    if parameters < 2:
        raise EngineError(f"a plane along the training path takes at least 2 parameters, the model has {parameters}")


def path_plane(view: spec.PathPlane, trained: Trained) -> Iterator[Progress]:
    """Snapshot "path": the training in its plane; "path_plane": each measure over that plane, as in `random_plane`, in
    units of weights."""
    points = torch.stack([landscape.as_vector(trained.weights(place)) for place in range(len(trained.steps))])
    if torch.equal(points[1:], points[:-1]):
        raise EngineError(
            "a training path takes weights that move, and these stay as they are at all steps: raise the learning rate "
            "or change the initializer"
        )
    found = landscape.plane(points)
    directions = [landscape.as_weights(d, trained.weights()) for d in found.directions]
    yield 0, {"path": _path(trained, points, found, directions)}
    axes = _around(found.path, view.margin, view.resolution)
    yield from _plane("path_plane", trained, directions, axes)


def check_line(start: spec.TrainedModel, end: spec.TrainedModel) -> None:
    """Raises EngineError unless both are the same function of their weights, so that weights between are a network."""
    shapes = [of.learner.model.function() | {"outputs": of.learner.outputs} for of in (start, end)]
    first, second = ({"inputs": of.learner.data.shape} | shape for of, shape in zip((start, end), shapes, strict=True))
    for name in dict.fromkeys([*first, *second]):
        if first.get(name) != second.get(name):
            raise EngineError(
                f"a line leads between networks of one shape; these two differ in their {name}: make them equal"
            )


def line(view: spec.Line, start: Trained, end: Trained) -> Iterator[Progress]:
    """Snapshot "line": x (k,), 0 at the first network and 1 at the second, each measure (k,) of the first's samples,
    and the train loss's barrier (2,): its height and place, once both ends are there.

    Batch norm's running statistics go along with the weights, so that both ends are the networks that they are; beyond
    the ends they stay as they are there, since a variance must not fall below 0.
    """
    axis = torch.linspace(-view.margin, 1 + view.margin, view.resolution, dtype=torch.float64)
    for place in (0.0, 1.0):  # the points nearest to the ends are moved there
        axis[(axis - place).abs().argmin()] = place
    module = copy.deepcopy(start.module)
    parameters = {name for name, _ in module.named_parameters()}
    heights: dict[str, np.ndarray] = {}
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
            for name, value in start.heights.of(module).items():
                heights.setdefault(name, np.full(len(axis), np.nan))[index] = value
            yield 1, {}
        told = {"x": axis[::stride].numpy(), **{n: h[::stride].copy() for n, h in heights.items()}}
        rise = barrier(told["x"], told["train_loss"])
        yield 0, {"line": told if rise is None else told | {"barrier": rise}}


def _direction(view: spec.RandomPlane | spec.RandomLines, trained: Trained, index: int) -> landscape.Direction:
    weights = trained.weights()
    drawn = landscape.random_direction(trained.module, generator(view.seed, "direction", index))
    return landscape.filter_normalized(weights, drawn, keep_vectors=view.vectors)


def _plane(
    name: str, trained: Trained, directions: Sequence[Sequence[Tensor]], axes: Sequence[Tensor]
) -> Iterator[Progress]:
    for points, found in _levels(trained, directions, axes):
        yield points, {name: found} if found else {}


def _levels(
    trained: Trained, directions: Sequence[Sequence[Tensor]], axes: Sequence[Tensor]
) -> Iterator[tuple[int, Arrays]]:
    """Points done since the last time, and the whole of a level once it is there: x, y for planes, and measures."""
    heights = trained.heights
    shape = [len(axis) for axis in axes]
    whole: dict[str, np.ndarray] = {}
    done, strides = 0, list(STRIDES)
    for block in landscape.walk(
        trained.module, heights.loss, heights.data, directions, axes, accuracy=heights.accuracy, first=STRIDES[0]
    ):
        place = tuple(block.indices.numpy().T)
        for what, found in (("loss", block.losses), ("accuracy", block.accuracies)):
            for part, values in found.items():
                whole.setdefault(f"{part}_{what}", np.full(shape, np.nan))[place] = values.double().numpy()
        done += len(block.indices)
        arrays: Arrays = {}
        while strides and done == prod(-(-n // strides[0]) for n in shape):
            stride = strides.pop(0)
            cut = (slice(None, None, stride),) * len(shape)
            arrays = {name: axis[::stride].numpy().copy() for name, axis in zip("xy", axes, strict=False)}
            arrays |= {name: values[cut].T.copy() for name, values in whole.items()}
        yield len(block.indices), arrays


def _around(path: Tensor, margin: float, resolution: int) -> list[Tensor]:
    """Axes around the path."""
    low, high = path.amin(0), path.amax(0)
    extent = high - low
    extent = extent.maximum(NARROWEST * extent.max())
    middle = (low + high) / 2
    reach = extent * (0.5 + margin)
    return [
        torch.linspace(float(m - r), float(m + r), resolution, dtype=torch.float64)
        for m, r in zip(middle, reach, strict=True)
    ]


def _share(away: Tensor, module: nn.Module, weights: Sequence[Tensor], number: int) -> float:
    """The share of squared lengths (T, parameters) that lies in a plane of two filter-normalized random directions."""
    drawn = [landscape.random_direction(module, generator(number, "direction", index)) for index in range(2)]
    random = torch.stack([landscape.as_vector(landscape.filter_normalized(weights, d)) for d in drawn])
    basis = torch.linalg.qr(landscape.in_double(random).T)[0]
    total = away.square().sum()
    return float((away @ basis).square().sum() / total) if total > 0 else 0.0


def _path(trained: Trained, points: Tensor, found: landscape.Plane, directions: Sequence[Sequence[Tensor]]) -> Arrays:
    """steps, distances from the end and off the plane (T,), coordinates (T, 2), the shares of the squared distances
    that the plane's axes explain (2,) and that random planes do on average (), and each measure at the places in the
    plane that stand for the points, (T,) as "plane_train_loss", …"""
    away = landscape.in_double(points)
    away = away - away[-1]
    weights = trained.weights()
    module = trained.module
    share = float(np.mean([_share(away, module, weights, number) for number in range(RANDOM_PLANES)]))
    heights = trained.heights
    held = copy.deepcopy(module)
    at = OneByOne(held, heights.loss, heights.data, [weights, *directions], heights.accuracy).at(found.path)
    seen = {
        f"plane_{part}_{what}": landscape.in_double(values).cpu().numpy()
        for what, parts in zip(("loss", "accuracy"), at, strict=True)
        for part, values in parts.items()
    }
    return {
        "steps": np.array(trained.steps, np.int64),
        "coordinates": found.path.cpu().numpy(),
        "explained": found.explained.cpu().numpy(),
        "random_explained": np.array(share),
        "residuals": found.residuals.cpu().numpy(),
        "distances": away.norm(dim=1).cpu().numpy(),
        **seen,
    }
