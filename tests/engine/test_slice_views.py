"""Planes, paths and lines of a landscape, against simple loops over networks."""

import numpy as np
import pytest
import torch
from torch import Tensor

from nnviz.engine import landscape as weights_space
from nnviz.engine.landscape.landscape_evaluation import LandscapeEvaluation
from nnviz.engine.landscape.retraining import Trained
from nnviz.engine.randomness import generator
from nnviz.spec.landscapes import PathPlane, RandomLines, RandomPlane
from tests.each import each
from tests.engine.landscape_jobs import (
    SITUATIONS,
    agree,
    around,
    float64_measures,
    landscape,
    last_arrays,
    moved,
    network,
    trained,
)
from tests.engine.short_runs import job

every_situation = each("changes", SITUATIONS.values())
SPAN = 0.7


def direction(of: Trained, seed: int, index: int, vectors: bool) -> list[Tensor]:
    """By hand: normal numbers, each filter as long as the filter's weights."""
    drawn = generator(seed, "direction", index)
    found = []
    for p in of.module.parameters():
        d = torch.randn(p.shape, generator=drawn, dtype=torch.float64)
        w = p.detach().double()
        if p.dim() > 1:
            d = torch.stack([row / row.norm() * filter_.norm() for row, filter_ in zip(d, w, strict=True)])
        else:
            d = d / d.norm() * w.norm() if vectors else torch.zeros_like(d)
        found.append(d)
    return found


# -- random directions ------------------------------------------------------------------------------------------------


@every_situation
@each("vectors", [False, True])
def test_a_random_plane_is_that_of_a_simple_loop(changes, vectors):
    view = RandomPlane(resolution=9, span=SPAN, seed=3, vectors=vectors)
    chosen = landscape(view, **changes)
    arrays = last_arrays(chosen)["plane"]
    of = trained(chosen.network)
    one, other = (direction(of, 3, index, vectors) for index in range(2))
    assert arrays["x"] == pytest.approx(np.linspace(-SPAN, SPAN, 9))
    assert arrays["y"] == pytest.approx(np.linspace(-SPAN, SPAN, 9))
    for row, column in ((0, 0), (8, 0), (2, 7), (4, 4), (5, 1)):
        state = moved(of, (arrays["x"][column], one), (arrays["y"][row], other))
        agree(arrays, (row, column), float64_measures(of, state))


@every_situation
def test_random_lines_are_those_of_a_simple_loop(changes):
    chosen = landscape(RandomLines(count=3, resolution=9, span=SPAN, seed=3), **changes)
    arrays = last_arrays(chosen)["lines"]
    of = trained(chosen.network)
    assert {values.shape for name, values in arrays.items() if name != "x"} == {(3, 9)}
    for index, place in ((0, 0), (1, 4), (2, 7)):
        state = moved(of, (arrays["x"][place], direction(of, 3, index, False)))
        agree(arrays, (index, place), float64_measures(of, state))


@every_situation
@each("step", [None, 0, 7])
def test_the_middle_has_the_loss_that_training_ended_at(changes, step):
    views = RandomPlane(resolution=9), RandomLines(resolution=9, count=1)
    snapshots = last_arrays(around(network(job(**changes), step=step), *views))
    for name, values in snapshots["training"].items():
        if name not in ("steps", "learning_rate"):
            for value in (snapshots["plane"][name][4, 4], snapshots["lines"][name][0, 4]):
                assert value == pytest.approx(values[-1], rel=1e-5, abs=1e-7), name


def test_a_line_is_the_axis_of_a_plane_with_the_same_seed():
    snapshots = last_arrays(landscape(RandomPlane(resolution=9, seed=5), RandomLines(resolution=9, count=2, seed=5)))
    plane, lines = (snapshots[name]["train_loss"] for name in ("plane", "lines"))
    np.testing.assert_allclose(lines[0], plane[4], rtol=1e-5)
    np.testing.assert_allclose(lines[1], plane[:, 4], rtol=1e-5)


def test_coarse_levels_are_parts_of_the_last():
    chosen = landscape(RandomPlane(resolution=21))
    snapshots = [r.arrays for records in LandscapeEvaluation(chosen) for r in records if r.quantity == "plane"]
    assert [p["train_loss"].shape for p in snapshots] == [(3, 3), (6, 6), (11, 11), (21, 21)]
    for stride, snapshot in zip((8, 4, 2), snapshots, strict=False):
        for name, values in snapshot.items():
            cut = (slice(None, None, stride),) * values.ndim
            assert np.array_equal(values, snapshots[-1][name][cut]), (stride, name)


def test_the_loss_is_without_penalties_and_without_a_test_part_there_is_none_of_it():
    chosen = landscape(RandomPlane(resolution=9), learner__l2=1.0, learner__l1=1.0)
    of = trained(chosen.network)
    agree(last_arrays(chosen)["plane"], (4, 4), float64_measures(of, of.states[-1]))
    alone = last_arrays(
        landscape(RandomPlane(resolution=9), learner__data={"kind": "moons", "points": 10, "train_fraction": 0.95})
    )
    assert set(alone["plane"]) == {"x", "y", "train_loss", "train_accuracy"}


# -- the path ---------------------------------------------------------------------------------------------------------


@every_situation
def test_the_path_and_its_plane_are_those_of_linear_algebra(changes):
    chosen = landscape(PathPlane(resolution=9, margin=0.5), **changes)
    snapshots = last_arrays(chosen)
    of = trained(chosen.network)
    points = torch.stack([weights_space.as_vector(of.weights(i)) for i in range(len(of.steps))]).double()
    away = (points - points[-1]).numpy()
    path, plane = snapshots["path"], snapshots["path_plane"]
    _, lengths, axes = np.linalg.svd(away, full_matrices=False)
    axes = axes[:2] * np.sign((path["coordinates"] * (away @ axes[:2].T)).sum(0))[:, None]
    scale = np.abs(away).max()
    assert path["coordinates"] == pytest.approx(away @ axes.T, abs=1e-5 * scale)
    assert path["explained"] == pytest.approx(lengths[:2] ** 2 / (lengths**2).sum(), rel=1e-5)
    assert path["distances"] == pytest.approx(np.linalg.norm(away, axis=1), abs=1e-6 * scale)
    assert path["residuals"] ** 2 + (path["coordinates"] ** 2).sum(1) == pytest.approx(path["distances"] ** 2, abs=1e-6)
    assert path["steps"].tolist() == of.steps
    assert path["coordinates"][-1].tolist() == [0, 0]
    along = [weights_space.as_weights(torch.tensor(axis), of.weights()) for axis in axes]
    for row, column in ((0, 0), (8, 3), (4, 4)):
        state = moved(of, (plane["x"][column], along[0]), (plane["y"][row], along[1]))
        agree(plane, (row, column), float64_measures(of, state))
    for place in (0, 3, 20):
        expected = float64_measures(of, moved(of, *zip(path["coordinates"][place], along, strict=True)))
        agree(path, (place,), {f"plane_{name}": value for name, value in expected.items()})


@every_situation
def test_the_end_of_the_path_has_the_loss_that_training_ended_at_and_all_of_it_lies_in_the_plane(changes):
    snapshots = last_arrays(landscape(PathPlane(resolution=9), **changes))
    path, plane = snapshots["path"], snapshots["path_plane"]
    for name, values in snapshots["training"].items():
        if name not in ("steps", "learning_rate"):
            assert path[f"plane_{name}"][-1] == pytest.approx(values[-1], rel=1e-5, abs=1e-7)
    for axis, along in zip("xy", path["coordinates"].T, strict=True):
        assert plane[axis][0] < along.min()
        assert along.max() < plane[axis][-1]


def test_a_straight_path_has_a_plane_of_some_width():
    """From zeros only the biases of the output move, against each other: along one line."""
    still = {"learner__model__initializer": "zeros", "learner__optimizer__lr": 0.01}
    snapshots = last_arrays(landscape(PathPlane(resolution=9, margin=0.0), **still))
    reach = [np.ptp(snapshots["path_plane"][axis]) for axis in "xy"]
    assert snapshots["path"]["explained"][0] == pytest.approx(1, abs=1e-3)
    assert reach[1] >= 0.099 * reach[0] > 0


def test_at_batch_norms_own_weights_the_plane_differs_from_training_before_the_end():
    """The statistics are those of the end all over the plane: only there both are the same."""
    snapshots = last_arrays(landscape(PathPlane(resolution=9), learner__model__norm="batch"))
    off = np.abs(snapshots["path"]["plane_train_loss"] - snapshots["training"]["train_loss"])
    assert off[-1] < 1e-6 < off[0]
