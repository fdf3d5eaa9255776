"""Descent with momentum on a quadratic: closed forms against matrices, grids of settings, and torch's own steps."""

import math

import numpy as np
import pytest
import torch

from nnviz.engine.theory import quadratic
from tests.each import each

LAMBDAS = (0.01, 0.1, 1.0)
METHODS = [(0.0, False), (0.5, False), (0.9, False), (0.3, True), (0.9, True)]


def run(alpha: float, beta: float = 0.0, nesterov: bool = False, steps: int = 3000, lambdas=LAMBDAS) -> np.ndarray:
    """‖w‖ after 0 … `steps` steps of torch's SGD from w = (1, …, 1)."""
    curvature = torch.tensor(lambdas, dtype=torch.float64)
    w = torch.nn.Parameter(torch.ones(len(lambdas), dtype=torch.float64))
    optimizer = torch.optim.SGD([w], lr=alpha, momentum=beta, nesterov=nesterov)
    found = [float(w.detach().norm())]
    for _ in range(steps):
        w.grad = curvature * w.detach()
        optimizer.step()
        found.append(float(w.detach().norm()))
    return np.array(found)


def roots(eigenvalue: float, alpha: float, beta: float, nesterov: bool) -> np.ndarray:
    return np.linalg.eigvals(quadratic.iteration_matrix(eigenvalue, alpha, beta, nesterov))


def settings(count: int = 300) -> np.ndarray:
    """Random λ, α and β (count, 3), stable and not."""
    draw = np.random.default_rng(0).random((count, 3))
    return np.stack([10 ** (3 * draw[:, 0] - 3), 4 * draw[:, 1], 0.999 * draw[:, 2]], axis=1)


def test_the_best_rate_of_gradient_descent_is_two_over_the_sum_of_the_extremes():
    assert quadratic.best_gradient_descent(LAMBDAS) == pytest.approx((2 / 1.01, 0, 99 / 101))
    assert quadratic.best_gradient_descent(LAMBDAS).rate == pytest.approx(0.980198, abs=5e-7)


def test_the_best_heavy_ball_has_the_rate_of_the_square_root_of_kappa():
    assert quadratic.best_heavy_ball(LAMBDAS) == pytest.approx((3.3058, 0.66942, 0.8182), abs=5e-5)


@each("kappa", [1.0, 3.0, 100.0, 1e4])
@each("scale", [0.01, 1.0, 30.0])
def test_the_best_settings_have_the_rates_that_they_state(kappa, scale):
    extremes = [scale, scale * kappa]
    for best, nesterov in (
        (quadratic.best_gradient_descent(extremes), False),
        (quadratic.best_heavy_ball(extremes), False),
        (quadratic.best_nesterov(extremes), True),
    ):
        # Roots are double there, and a rounding error e in a setting is √e in the rate.
        assert quadratic.rate(extremes, best.alpha, best.beta, nesterov) == pytest.approx(best.rate, abs=3e-7)


@pytest.mark.parametrize("nesterov", [False, True])
def test_no_setting_of_a_fine_grid_beats_the_best(nesterov):
    best = (quadratic.best_nesterov if nesterov else quadratic.best_heavy_ball)(LAMBDAS)
    found = quadratic.phase_diagram(LAMBDAS, np.linspace(0.01, 4, 800), np.linspace(0, 0.999, 800), nesterov)
    assert best.rate < found["rate"].min() < best.rate + 0.01
    row, column = np.unravel_index(found["rate"].argmin(), found["rate"].shape)
    assert (found["alphas"][column], found["betas"][row]) == pytest.approx(best[:2], abs=0.03)


def test_one_eigenvalue_is_solved_in_a_step():
    for best in (quadratic.best_gradient_descent(4.0), quadratic.best_heavy_ball(4.0), quadratic.best_nesterov(4.0)):
        assert best == pytest.approx((0.25, 0, 0))


@pytest.mark.parametrize(("beta", "nesterov"), METHODS)
def test_torch_converges_just_below_the_limit_and_not_just_above(beta, nesterov):
    limit = float(quadratic.stability_limit(LAMBDAS, beta, nesterov))
    below, above = (run(part * limit, beta, nesterov) for part in (0.99, 1.01))
    assert below[-1] < 1e-3
    assert below[-1] < 1e-2 * below[1500]
    assert above[-1] > 1e3
    assert above[-1] > 1e2 * above[1500]


def test_the_limits_are_two_and_two_plus_two_beta_over_the_largest_eigenvalue():
    assert quadratic.stability_limit([0.5, 4.0]) == 0.5
    np.testing.assert_allclose(quadratic.stability_limit([0.5, 4.0], [0, 0.5, 0.9]), [0.5, 0.75, 0.95])
    np.testing.assert_allclose(quadratic.stability_limit(4.0, [0, 0.5], nesterov=True), [0.5, 0.375])


@pytest.mark.parametrize("nesterov", [False, True])
def test_the_iteration_matrix_is_a_step_of_torch(nesterov):
    eigenvalue, alpha, beta = 0.7, 0.9, 0.6
    state = np.array([1.0, 0.0])
    found = [state]
    for _ in range(20):
        state = quadratic.iteration_matrix(eigenvalue, alpha, beta, nesterov) @ state
        found.append(state)
    measured = run(alpha, beta, nesterov, steps=20, lambdas=[eigenvalue])
    np.testing.assert_allclose(np.abs(np.array(found)[:, 0]), measured, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("nesterov", [False, True])
def test_the_spectral_radius_is_that_of_the_matrix(nesterov):
    for eigenvalue, alpha, beta in settings():
        expected = np.abs(roots(eigenvalue, alpha, beta, nesterov)).max()
        assert quadratic.spectral_radius(eigenvalue, alpha, beta, nesterov) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("nesterov", [False, True])
def test_the_regime_is_that_of_the_roots_of_the_matrices(nesterov):
    for _, alpha, beta in settings():
        every = np.concatenate([roots(eigenvalue, alpha, beta, nesterov) for eigenvalue in LAMBDAS])
        swings = (np.abs(every.imag) > 1e-9) | (every.real < -1e-9)
        expected = "diverging" if np.abs(every).max() >= 1 else "oscillating" if swings.any() else "monotone"
        assert quadratic.REGIMES[int(quadratic.regime(LAMBDAS, alpha, beta, nesterov))] == expected, (alpha, beta)


@pytest.mark.parametrize(("beta", "nesterov"), METHODS)
def test_regimes_change_at_their_limits(beta, nesterov):
    calm, edge = (f(LAMBDAS, beta, nesterov) for f in (quadratic.monotone_limit, quadratic.stability_limit))
    alphas = np.array([0.99 * calm, 1.01 * calm, 0.99 * edge, edge, 1.01 * edge])
    assert quadratic.regime(LAMBDAS, alphas, beta, nesterov).tolist() == [0, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("alpha", "beta", "nesterov"), [(1.0, 0, False), (1.9, 0.7, False), (2.5, 0.8, False), (0.8, 0.7, True)]
)
def test_a_run_of_torch_has_the_predicted_rate(alpha, beta, nesterov):
    measured = quadratic.measured_rate(run(alpha, beta, nesterov, steps=1500))
    assert measured == pytest.approx(float(quadratic.rate(LAMBDAS, alpha, beta, nesterov)), abs=2e-4)


def test_a_diverging_run_has_a_rate_above_1():
    found = run(1.01 * float(quadratic.stability_limit(LAMBDAS, 0.5)), 0.5, steps=3000)
    assert quadratic.measured_rate(found) == pytest.approx(float(quadratic.rate(LAMBDAS, 1.01 * 3.0, 0.5)), abs=1e-6)


def test_at_the_optimum_the_double_root_shows_in_early_steps_and_less_in_late_ones():
    best = quadratic.best_heavy_ball(LAMBDAS)
    found = run(best.alpha, best.beta, steps=300)
    assert quadratic.measured_rate(found[40:101], late=1) == pytest.approx(0.8305, abs=0.002)
    late = quadratic.measured_rate(found, late=1 / 3)
    assert best.rate < late < 1.006 * best.rate


@pytest.mark.parametrize("nesterov", [False, True])
def test_the_map_is_the_rate_at_every_point(nesterov):
    alphas, betas = np.geomspace(0.01, 5, 7), np.linspace(0, 0.95, 5)
    found = quadratic.phase_diagram(LAMBDAS, alphas, betas, nesterov)
    assert found["rate"].shape == found["regime"].shape == (5, 7)
    assert found["rate"].dtype == np.float64
    for i, beta in enumerate(betas):
        for j, alpha in enumerate(alphas):
            radii = [float(quadratic.spectral_radius(each, alpha, beta, nesterov)) for each in LAMBDAS]
            assert found["rate"][i, j] == max(radii)
            assert found["regime"][i, j] == quadratic.regime(LAMBDAS, alpha, beta, nesterov)
        assert found["stability_limit"][i] == quadratic.stability_limit(LAMBDAS, beta, nesterov)
        assert found["monotone_limit"][i] == quadratic.monotone_limit(LAMBDAS, beta, nesterov)
    np.testing.assert_array_equal((found["rate"] >= 1), found["regime"] == 2)


@pytest.mark.parametrize("nesterov", [False, True])
def test_no_direction_between_the_extremes_is_slower(nesterov):
    every = np.geomspace(0.01, 1, 60)
    for _, alpha, beta in settings():
        radii = quadratic.spectral_radius(every, alpha, beta, nesterov)
        assert quadratic.rate(every, alpha, beta, nesterov) == pytest.approx(radii.max(), abs=1e-12)


def test_a_geometric_series_has_its_factor():
    assert quadratic.measured_rate(3 * 0.9 ** np.arange(50)) == pytest.approx(0.9)
    assert quadratic.measured_rate(1.02 ** np.arange(50)) == pytest.approx(1.02)
    assert quadratic.measured_rate(np.ones(50)) == pytest.approx(1)


def test_what_underflows_overflows_or_breaks_is_left_out():
    falling = 0.5 ** np.arange(3000.0)
    assert falling[-1] == 0
    assert quadratic.measured_rate(falling) == pytest.approx(0.5)
    growing = np.concatenate([2.0 ** np.arange(1000), [np.inf, np.nan, np.nan, 1.0, 0.1]])
    assert quadratic.measured_rate(growing) == pytest.approx(2)
    stuck = np.maximum(0.5 ** np.arange(100), 1e-16)
    assert quadratic.measured_rate(stuck, floor=1e-14) == pytest.approx(0.5)


def test_passing_the_minimum_changes_no_rate():
    k = np.arange(400)
    swinging = 0.95**k * np.abs(np.cos(0.7 * k))
    assert quadratic.measured_rate(swinging) == pytest.approx(0.95, abs=1e-3)
    for hit in (0.0, 1e-17):
        dipped = 0.9 ** np.arange(100.0)
        dipped[[70, 90]] *= hit
        assert quadratic.measured_rate(dipped) == pytest.approx(0.9, abs=1e-6)


@each("distances", [[], [0.0] * 9, [np.nan] * 9, [1.0, 0.5], [1.0, 0, 0, 0, 0, 0, 0, 0], [np.inf] * 9])
def test_too_few_distances_give_no_rate(distances):
    assert math.isnan(quadratic.measured_rate(distances))


def test_wrong_values_are_named():
    with pytest.raises(ValueError, match=r"eigenvalues must be positive and finite, at least one, got \[1.0, 0.0\]"):
        quadratic.best_gradient_descent([1, 0])
    with pytest.raises(ValueError, match=r"momentum must be in \[0, 1\), got 1"):
        quadratic.phase_diagram([1.0], [0.1], [0.5, 1.0])
    with pytest.raises(ValueError, match=r"late must be in \(0, 1\], got 0"):
        quadratic.measured_rate([1.0], late=0)
