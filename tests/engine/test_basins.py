"""Basins: a symmetric double well is split at its ridge; minimum and step of arrival are those of a single run."""

import numpy as np
import pytest
import torch

from nnviz.engine.trajectories.basins import ARRIVAL_RADIUS, Basins
from nnviz.engine.trajectories.trajectory_run import TrajectoryRun
from nnviz.spec.optimizers import SGD, Adam
from nnviz.spec.point_optimizers import CMAES, LBFGS, Newton
from nnviz.spec.schedules import Cosine
from nnviz.spec.surfaces import Formula, Himmelblau, Quadratic, Saddle
from tests.engine.trajectory_jobs import all_records, job, last, trajectories

WELLS = Formula(text="(x**2 - 1)**2 + y**2", low_x=-2, high_x=2, low_y=-2, high_y=2)


def basins(chosen):
    return last(all_records(TrajectoryRun(chosen)), "basins")


@pytest.mark.parametrize(
    ("method", "grid"),
    [(SGD(lr=0.02), 8), (Adam(lr=0.05), 8), (LBFGS(lr=0.1), 4)],
    ids=lambda part: getattr(part, "kind", None),
)
def test_a_symmetric_double_well_is_split_at_its_ridge(method, grid):
    found = basins(job(WELLS, [method], steps=250 if grid == 8 else 90, grid=grid))
    assert found["x"] == pytest.approx(np.linspace(-2, 2, grid))
    assert found["minima"].shape == (2, 2)
    assert found["minimum"].shape == found["steps"].shape == (1, grid, grid)
    where = found["minima"][found["minimum"][0], 0]  # x of the minimum, by row of y and x
    assert (found["minimum"] >= 0).all()
    assert (np.sign(where) == np.sign(found["x"])[None]).all()
    assert (found["minimum"] == 0).sum() == (found["minimum"] == 1).sum() == grid**2 / 2
    assert np.array_equal(found["steps"], found["steps"][:, :, ::-1])
    assert np.array_equal(found["steps"], found["steps"][:, ::-1])


def test_a_point_on_the_ridge_stays_there():
    found = basins(job(WELLS, [SGD(lr=0.02)], steps=200, grid=5))
    assert (found["minimum"][0, :, 2] == -1).all()
    assert (found["steps"][0, :, 2] == -1).all()


def test_himmelblaus_plane_falls_into_four_basins():
    found = basins(job(Himmelblau(), [SGD(lr=0.005), SGD(lr=0.005, momentum=0.9)], steps=300, grid=20))
    fractions = [np.bincount(row.ravel() + 1, minlength=5) for row in found["minimum"]]
    for counts in fractions:
        assert counts.sum() == 400
        assert counts[0] == 0
        assert (counts[1:] > 50).all()
    # A start in each quadrant's far corner rolls into the minimum of that quadrant without momentum.
    corners = found["minima"][found["minimum"][0][[0, 0, -1, -1], [0, -1, 0, -1]]]
    assert np.sign(corners).tolist() == [[-1, -1], [1, -1], [-1, 1], [1, 1]]


def test_the_place_and_step_of_arrival_are_those_of_a_single_run():
    methods = [SGD(lr=0.01), Adam(lr=0.2), Newton(), LBFGS(lr=0.2)]
    steps, grid = 60, 3
    chosen = job(Himmelblau(), methods, steps=steps, grid=grid, noise=0.5, seed=2, schedule=Cosine())
    found = basins(chosen)
    minima = found["minima"]
    for row, y in enumerate(found["y"]):
        for column, x in enumerate(found["x"]):
            alone = trajectories(chosen.model_copy(update={"x": float(x), "y": float(y), "grid": 0}))["points"]
            near = (
                np.linalg.norm(alone[:, :, None] - minima, axis=-1) <= ARRIVAL_RADIUS * 10
            )  # (optimizers, steps + 1, minima)
            for i in range(len(methods)):
                at = found["minimum"][i, row, column]
                there = near[i].any(1)
                assert (at >= 0) == there[-1]
                if at >= 0:
                    assert near[i, -1, at]
                    away = np.flatnonzero(~near[i, :, at])
                    assert found["steps"][i, row, column] == (away[-1] + 1 if len(away) else 0)
                else:
                    assert found["steps"][i, row, column] == -1


def test_a_start_at_a_minimum_has_arrived_at_step_0():
    found = basins(job(Quadratic(), [SGD(lr=0.1)], steps=3, grid=3))
    assert found["minimum"][0, 1, 1] == 0
    assert found["steps"][0, 1, 1] == 0
    assert found["minimum"][0, 0, 0] == -1


def test_an_optimizer_that_diverges_has_no_basin():
    found = basins(job(Quadratic(curvature=10, condition=1), [SGD(lr=0.5), SGD(lr=0.1)], steps=1000, grid=2))
    assert (found["minimum"][0] == -1).all()
    assert (found["minimum"][1] == 0).all()


def test_curves_and_flat_regions_of_minima_have_basins_too():
    circle = basins(job(Formula(text="(x**2 + y**2 - 1)**2"), [SGD(lr=0.02)], steps=300, grid=8))
    assert circle["minima"].shape == (0, 2)
    assert np.hypot(*circle["minimum_curves"].T) == pytest.approx(1, abs=1e-9)
    assert (circle["minimum"] == 0).all()
    branches = basins(job(Formula(text="(x*y - 1)**2"), [SGD(lr=0.005)], steps=600, grid=4))
    assert np.isnan(branches["minimum_curves"]).any(1).sum() == 1
    assert set(branches["minimum"][0, [0, -1], [0, -1]]) == {0, 1}
    half = basins(job(Formula(text="(x + abs(x))**2"), [SGD(lr=0.01)], steps=20, grid=4))
    assert (half["minimum"][0] == np.where(half["x"] <= 0, 0, -1)).all()
    assert (half["steps"][0][:, half["x"] <= 0] == 0).all()


def test_many_minima_are_distinguished():
    found = basins(job(Formula(text="sin(15*x)*sin(15*y)"), [SGD(lr=0.001)], steps=60, grid=10))
    assert len(found["minima"]) == 392
    assert (found["minimum"][0, 1:-1, 1:-1] >= 0).mean() > 0.8  # from the edge some ways lead out of view
    assert len(np.unique(found["minimum"])) > 50


def test_without_minima_there_are_no_basins():
    found = basins(job(Saddle(bounded=False), [SGD(), CMAES()], steps=5, grid=3))
    assert found["minima"].shape == (0, 2)
    assert (found["minimum"] == -1).all()
    assert (found["steps"] == -1).all()


def test_a_grid_of_starts_does_not_change_the_trajectories():
    methods = [SGD(lr=0.01), CMAES(), Newton()]
    with_grid, without = (trajectories(job(Himmelblau(), methods, steps=20, noise=1, grid=grid)) for grid in (3, 0))
    assert np.array_equal(with_grid["points"], without["points"])


def test_arrays_are_a_copy():
    running_job = Basins(job(WELLS, [SGD(lr=0.1)], grid=4))
    before = running_job.arrays()
    kept = {name: array.copy() for name, array in before.items()}
    for _ in range(60):
        running_job.advance(1.0, None)
    for name, array in before.items():
        assert np.array_equal(array, kept[name])
    assert torch.isfinite(running_job.point_optimizers.points).all()
