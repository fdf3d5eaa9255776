"""What the examples of the page on optimizers say happens."""

import math
from functools import cache

import numpy as np
import pytest

from nnviz.engine.trajectories.trajectory_run import TrajectoryRun
from nnviz.presets import optimizers
from nnviz.spec.clipping import NoClipping
from nnviz.spec.optimizers import SGD
from nnviz.spec.schedules import ConstantRate
from nnviz.spec.trajectories import Trajectories, TrajectorySpec
from tests.engine.trajectory_jobs import all_records, last, trajectories

EXAMPLES = {preset.title: preset.jobs[0] for preset in optimizers.EXAMPLES}


@cache
def trajectory_arrays(title: str) -> dict[str, np.ndarray]:
    return trajectories(EXAMPLES[title])


def place(job: Trajectories, **wanted: object) -> int:
    """The optimizer whose method is so."""
    return next(
        i for i, r in enumerate(job.optimizers) if all(getattr(r.method, k, None) == v for k, v in wanted.items())
    )


def test_of_four_rates_the_first_creeps_one_is_right_and_the_last_diverges():
    small, right, large, diverging = trajectory_arrays("Four learning rates")["values"]
    assert right[-1] < 1e-6 * right[0]
    assert right[-1] < 1e-2 * min(small[-1], large[-1])
    assert small[-1] < 0.5 * small[0]
    assert (np.diff(diverging[60:]) > 0).all()
    surface = EXAMPLES["Four learning rates"].surface
    assert (surface.curvature, surface.angle) == (1, 0)
    x, y = trajectory_arrays("Four learning rates")["points"][3].T
    assert x[1:] / x[:-1] == pytest.approx(1 - 2.02) or y[1:] / y[:-1] == pytest.approx(1 - 2.02)


def test_gradient_descent_has_an_error_factor_of_0_980():
    found = trajectory_arrays("Why momentum")
    assert found["measured_rate"][0] == pytest.approx(99 / 101, abs=0.001)
    assert found["predicted_rate"][0] == pytest.approx(99 / 101, abs=0.001)


def test_momentum_has_an_error_factor_of_0_818():
    found = trajectory_arrays("Why momentum")
    assert found["measured_rate"][1] == pytest.approx(9 / 11, abs=0.01)
    assert found["predicted_rate"][1] == pytest.approx(9 / 11, abs=0.002)


def test_momentum_near_its_best_setting_has_an_error_factor_of_0_818():
    job = EXAMPLES["Why momentum"]
    found = trajectories(
        job.model_copy(update={"optimizers": (TrajectorySpec(method=SGD(lr=3.305, momentum=0.6695)),)})
    )
    assert found["measured_rate"] == pytest.approx([9 / 11], abs=0.005)
    assert found["predicted_rate"] == pytest.approx([9 / 11], abs=0.001)


def test_at_the_best_rate_of_momentum_gradient_descent_would_diverge():
    job = EXAMPLES["Why momentum"]
    fast = job.optimizers[1].method
    plain = fast.model_copy(update={"momentum": 0.0})
    values = trajectories(
        job.model_copy(update={"optimizers": (job.optimizers[0].model_copy(update={"method": plain}),)})
    )["values"]
    assert not values[0, -1] < values[0, 0]


def test_the_first_step_of_adam_is_the_rate_and_3_16_times_that_without_correction():
    points = trajectory_arrays("Why Adam corrects its bias")["points"]
    first = np.abs(points[:, 1] - points[:, 0])
    assert first[0] == pytest.approx([0.1, 0.1], rel=1e-6)
    assert first[1] / first[0] == pytest.approx([0.1 / math.sqrt(0.001)] * 2, rel=1e-5)


def test_without_correction_adam_is_thrown_past_the_minimum_beside_it():
    points, values = (trajectory_arrays("Why Adam corrects its bias")[name] for name in ("points", "values"))
    assert points[0, -1] == pytest.approx([3, 2], abs=0.05)
    assert points[1, -1] == pytest.approx([3.584, -1.848], abs=0.1)
    assert values[0, -1] < 0.5 * values[1, -1]
    lengths = np.linalg.norm(np.diff(points, axis=1), axis=2)
    assert (lengths[1, :8] > 2 * lengths[0, :8]).all()
    assert lengths[0, 1:].max() < lengths[0, 0]


def test_newton_stays_at_the_saddle_and_with_absolute_curvature_leaves_it():
    job = EXAMPLES["Saddle point"]
    points, values = (trajectory_arrays("Saddle point")[name] for name in ("points", "values"))
    newton, absolute = (place(job, kind="newton", absolute=a) for a in (False, True))
    assert points[newton, -1] == pytest.approx([0, 0], abs=1e-9)
    assert points[absolute, -1] == pytest.approx([0, 1], abs=1e-6)
    # Gradient descent is slow to escape: it is halfway down later than every other method that leaves the saddle.
    down = [int(np.argmax(row < -0.125)) if (row < -0.125).any() else len(row) for row in values]
    plain = place(job, kind="sgd", momentum=0.0)
    assert down[newton] == values.shape[1]
    assert all(down[plain] > down[i] for i in range(len(down)) if i not in (plain, newton))


def test_on_rosenbrock_no_optimizer_diverges_and_all_reach_the_valley():
    found = trajectory_arrays("Twelve on Rosenbrock")
    assert (found["left_at"] == -1).all()
    assert (found["values"][:, -1] < 0.5 * found["values"][:, 0]).all()


def test_among_ripples_the_gradient_ends_in_a_dent_and_evolution_steps_over_them():
    job = EXAMPLES["Gradient-free on Rastrigin"]
    final = trajectory_arrays("Gradient-free on Rastrigin")["values"][:, -1]
    evolving = [place(job, kind=kind) for kind in ("open_es", "cma_es", "genetic")]
    gradient_based = [i for i in range(len(job.optimizers)) if i not in evolving]
    assert final[gradient_based].min() > 1
    assert final[evolving].max() < final[gradient_based].min()


@pytest.mark.parametrize("optimizer", [0, 1], ids=["plain", "momentum"])
def test_clipping_keeps_descent_at_the_cliff_that_throws_it_far_without(optimizer):
    job = EXAMPLES["Clipping at a cliff"]
    clipped, thrown = (
        trajectories(job.model_copy(update=changes))["points"][optimizer]
        for changes in ({}, {"clipping": NoClipping()})
    )
    assert np.abs(clipped).max() < 5
    assert np.abs(thrown).max() > 8


def test_with_clipping_all_arrive_behind_the_cliff():
    assert (trajectory_arrays("Clipping at a cliff")["distance"][:, -1] < 0.3).all()


def test_under_noise_they_settle_with_the_cosine_and_never_without():
    job = EXAMPLES["Mini-batch noise"]
    jitter = [
        np.abs(np.diff(trajectories(job.model_copy(update=changes))["points"][:, -20:], axis=1)).mean((1, 2))
        for changes in ({}, {"schedule": ConstantRate()})
    ]
    assert (jitter[0] < 0.1 * jitter[1]).all()


def test_every_basin_is_a_minimum_and_momentums_borders_are_longer_than_gradient_descents():
    job = EXAMPLES["Basins of attraction"]
    found = last(all_records(TrajectoryRun(job)), "basins")
    assert found
    index = next(a for name, a in found.items() if np.asarray(a).shape == (3, job.grid, job.grid))
    borders = [(np.diff(one, axis=0) != 0).sum() + (np.diff(one, axis=1) != 0).sum() for one in index]
    assert borders[1] > 1.5 * borders[0]
    assert len(set(index[0].ravel().tolist()) - {-1}) == 4
