"""Ends of trajectories: convergence at the rates of theory on a quadratic, and divergence with its reason."""

import numpy as np
import pytest
import torch

from nnviz.engine.theory import quadratic
from nnviz.engine.trajectories import exit_reasons
from nnviz.engine.trajectories.trajectory_run import DIVERGENCE_LIMIT, EXIT_CHECK_EVERY, TrajectoryRun
from nnviz.spec.clipping import ClipNorm, ClipValue
from nnviz.spec.optimizers import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    NAdam,
    RMSprop,
)
from nnviz.spec.point_optimizers import LBFGS, Newton, UncorrectedAdam
from nnviz.spec.schedules import OneCycle, StepDecay
from nnviz.spec.surfaces import Cliff, Formula, Himmelblau, Quadratic, Ravine
from tests.each import each
from tests.engine.trajectory_jobs import ALL, WITH_RPROP, job, last, trajectories

# -- theory of the quadratic ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_descent_on_a_quadratic_is_stable_just_below_the_limit_of_theory_and_not_just_above(momentum):
    bowl = Quadratic(curvature=3, condition=20, angle=30)
    limit = (2 + 2 * momentum) / 3
    arrays = trajectories(job(bowl, [SGD(lr=part * limit, momentum=momentum) for part in (0.99, 1.01)], steps=4000))
    assert arrays["distance"][0, -1] < 1e-6
    assert arrays["left_at"][0] == -1 < arrays["left_at"][1]
    expected = [float(quadratic.rate(bowl.eigenvalues, part * limit, momentum)) for part in (0.99, 1.01)]
    measured = [quadratic.measured_rate(row) for row in arrays["distance"]]
    assert measured == pytest.approx(expected, abs=1e-3)


def test_nothing_is_predicted_under_noise_clipping_or_a_schedule():
    methods = [SGD(lr=0.1), SGD(lr=0.1, momentum=0.5)]
    assert np.isfinite(trajectories(job(Quadratic(), methods, steps=20))["predicted_rate"]).all()
    for unlike in ({"noise": 0.1}, {"clipping": ClipNorm()}, {"clipping": ClipValue()}, {"schedule": OneCycle()}):
        arrays = trajectories(job(Quadratic(), methods, steps=20, **unlike))
        assert np.isnan(arrays["predicted_rate"]).all(), unlike
        assert np.isfinite(arrays["measured_rate"]).all(), unlike


def test_late_in_a_run_the_best_settings_have_the_rates_of_theory():
    kappa = 50
    bowl = Quadratic(curvature=2, condition=kappa, angle=20)
    plain, heavy = quadratic.best_gradient_descent(bowl.eigenvalues), quadratic.best_heavy_ball(bowl.eigenvalues)
    methods = [SGD(lr=plain.alpha), SGD(lr=heavy.alpha, momentum=heavy.beta)]
    rows = trajectories(job(bowl, methods, steps=1200))["distance"]
    assert quadratic.measured_rate(rows[0], 0.3) == pytest.approx((kappa - 1) / (kappa + 1), abs=1e-6)
    root = kappa**0.5
    # Both roots are double there: k σᵏ, which over steps around 1,000 is slower than σ by a thousandth.
    assert quadratic.measured_rate(rows[1], 0.3) == pytest.approx((root - 1) / (root + 1), rel=2.5e-3)


# -- leaving ----------------------------------------------------------------------------------------------------------


def test_an_optimizer_that_diverges_stops_and_the_others_continue():
    steps = 100
    methods = [SGD(lr=0.01), SGD(lr=0.2), Adam(lr=0.1), Newton(lr=0.5), LBFGS(lr=0.1), SGD(lr=0.05, momentum=0.9)]
    chosen = job(Himmelblau(), methods, steps=steps)
    arrays = trajectories(chosen)
    assert (arrays["left_at"] >= 0).tolist() == [False, True, False, False, False, True]
    for i in (1, 5):
        left_at = arrays["left_at"][i]
        assert 0 < left_at < 30
        kept = arrays["points"][i, :left_at]
        assert (np.abs(kept) <= DIVERGENCE_LIMIT).all()
        assert np.isnan(arrays["points"][i, left_at:]).all()
        assert np.isnan(arrays["values"][i, left_at:]).all()
        assert np.isfinite(arrays["gradient"][i, :left_at]).all()
        assert np.isnan(arrays["gradient"][i, left_at:]).all()
    for i in (0, 2, 3, 4):
        assert np.isfinite(arrays["points"][i]).all()
        alone = trajectories(job(Himmelblau(), [methods[i]], steps=steps))
        assert np.array_equal(alone["points"][0], arrays["points"][i])


def test_a_zero_gradient_without_epsilon_is_0_by_0_and_no_leaving():
    """On the ravine at (−7, 0) the gradient is 0 along y."""
    bare = [Adam(lr=0.3, eps=0), RMSprop(lr=0.1, eps=0), Adagrad(eps=0), Adadelta(eps=0), Adamax(eps=0), AdamW(eps=0)]
    bare += [NAdam(eps=0), UncorrectedAdam(eps=0)]
    arrays = trajectories(job(Ravine(), bare, steps=20, x=-7.0, y=0.0))
    assert arrays["left_at"].tolist() == [1] * len(bare)
    assert set(arrays["exit_reason"].tolist()) == {"zero_by_zero"}
    kept = trajectories(job(Ravine(), [Adam(lr=0.3), RMSprop(lr=0.1), Adam(lr=0.3, eps=0)], steps=20, x=-7.0, y=1.0))
    assert kept["exit_reason"].tolist() == ["", "", ""]


def test_the_exit_reason_is_that_of_the_surface_or_of_the_step():
    cases = [
        (Quadratic(curvature=40, condition=1), SGD(lr=1.0), (-4, 2), "diverged"),
        (Formula(text="log(x)"), SGD(lr=1.0), (0.1, 0), "no_value"),  # over the edge in one step
        (Formula(text="sqrt(x)"), SGD(lr=0.1), (0, 0), "no_gradient"),
        (Formula(text="x**1.5"), Newton(), (0, 0), "no_curvature"),
    ]
    for surface, method, (x, y), reason in cases:
        arrays = trajectories(job(surface, [method], steps=60, x=x, y=y))
        assert arrays["exit_reason"].tolist() == [reason], surface
        assert arrays["left_at"][0] > 0
    at, nowhere = torch.zeros(2, dtype=torch.float64), torch.tensor([torch.nan, 0.0], dtype=torch.float64)
    # ∞ − ∞, say: ε is not 0, and all of the surface is finite.
    assert exit_reasons.exit_reason(Adam(), Quadratic(), at, nowhere, at) == "not_a_number"


@pytest.mark.parametrize("lr", [0.1, 0.055, 1.0])
def test_the_step_of_divergence_is_that_of_a_loop_that_checks_each_step(lr):
    bowl = Quadratic(curvature=40, condition=1)
    left_at = int(trajectories(job(bowl, [SGD(lr=lr)], steps=400))["left_at"][0])
    x, step = np.array([-4.0, 2.0]), 0
    while np.abs(x).max() <= DIVERGENCE_LIMIT:
        x, step = x - lr * 40 * x, step + 1
    assert left_at == step


def test_evaluate_now_checks_which_optimizers_have_diverged():
    trajectory_run = TrajectoryRun(job(Quadratic(curvature=40, condition=1), [SGD(lr=1.0), SGD(lr=0.001)], steps=40))
    for _ in range(EXIT_CHECK_EVERY - 2):
        next(trajectory_run)
    arrays = last(trajectory_run.evaluate_now(), "trajectories")
    assert 0 < arrays["left_at"][0] < EXIT_CHECK_EVERY - 2
    assert arrays["left_at"][1] == -1
    assert np.isnan(arrays["points"][0, -1]).all()


@each("text", ["log(x)", "-exp(x**2)", "1/(x*y)", "sqrt(x) + y", "-x**4 - y**4", "3"])
def test_no_method_stumbles_over_a_surface_with_holes_or_without_a_bottom(text):
    surface = Formula(text=text)
    for some in (ALL[:12], [*WITH_RPROP[12:], LBFGS(line_search=True), Newton()]):
        arrays = trajectories(job(surface, some, steps=25, x=0.7, y=0.4, grid=2))
        for points, left_at in zip(arrays["points"], arrays["left_at"], strict=True):
            assert np.isfinite(points[: left_at if left_at >= 0 else None]).all()
            assert left_at < 0 or np.isnan(points[left_at:]).all()


def test_a_step_at_a_wall_throws_far_and_clipping_holds():
    cliff = job(Cliff(height=10, steepness=100), [SGD(lr=0.1)], steps=60, x=-0.02, y=0.0)
    held = cliff.model_copy(update={"clipping": ClipNorm(max_norm=1)})
    assert trajectories(cliff)["points"][0, :, 0].max() > 10
    assert trajectories(held)["points"][0, :, 0].max() < 3.5


def test_the_rate_of_each_step_is_the_scheduled_one():
    chosen = job(Ravine(), [SGD(lr=0.1)], steps=20, schedule=StepDecay(every=7, factor=0.5))
    arrays = trajectories(chosen)
    moved = -np.diff(arrays["points"][0], axis=0) / arrays["gradient"][0]
    assert moved[:, 1] == pytest.approx([0.1 * 0.5 ** (n // 7) for n in range(20)], rel=1e-5)
