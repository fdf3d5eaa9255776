"""The examples of the page on optimizers."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from benchmarks.claimed.claim import Claim
from benchmarks.claimed.trajectory_claims import JOBS, basins, job, only_optimizer, optimizer_index, trajectory_arrays
from nnviz.engine.trajectories import surfaces
from nnviz.spec.clipping import NoClipping
from nnviz.spec.schedules import ConstantRate

RATES, MOMENTUM, ADAM = "Four learning rates", "Why momentum", "Why Adam corrects its bias"
SADDLE, ROSENBROCK, RIPPLES = "Saddle point", "Twelve on Rosenbrock", "Gradient-free on Rastrigin"
CLIFF, NOISE, BASINS = "Clipping at a cliff", "Mini-batch noise", "Basins of attraction"


def _final(title: str, seed: int, **changes: object) -> np.ndarray:
    """The final value of each optimizer."""
    return trajectory_arrays(job(title, seed, **changes))["values"][:, -1]


def best_rate_ratio(seed: int) -> float:
    final = _final(RATES, seed)
    return float(final[1] / final[[0, 2, 3]].min())


def factor_across(seed: int) -> float:
    """Largest distance from 1 − ηλ, over optimizers and steps, in the steep direction (y, λ = 1)."""
    chosen = job(RATES, seed)
    y = trajectory_arrays(chosen)["points"][:, :, 1]
    expected = 1 - np.array([r.method.lr for r in chosen.optimizers])[:, None]
    # The optimizer that is right ends within rounding errors of the minimum.
    return float(np.abs(y[:, 1:20] / y[:, :19] - expected).max())


def error_growth(seed: int) -> float:
    y = np.abs(trajectory_arrays(job(RATES, seed))["points"][3, :, 1])
    return float(y[-1] / y[0])


def growth_without_momentum(seed: int) -> float:
    chosen = job(MOMENTUM, seed)
    values = trajectory_arrays(
        only_optimizer(chosen, chosen.optimizers[1].method.model_copy(update={"momentum": 0.0}))
    )["values"][0]
    return float(np.nan_to_num(values[-1] / values[0], nan=np.inf))


def _lengths(seed: int) -> np.ndarray:
    return np.linalg.norm(np.diff(trajectory_arrays(job(ADAM, seed))["points"], axis=1), axis=2)


def final_distance(seed: int) -> float:
    """Distance between where the two end."""
    return float(np.linalg.norm(np.subtract(*trajectory_arrays(job(ADAM, seed))["points"][:, -1])))


def fraction_in_other_minimum(seed: int) -> float:
    """Of ten starts."""
    return float(np.mean([final_distance(s) > 1 for s in range(1 + 10 * seed, 11 + 10 * seed)]))


def first_step_of_adam(seed: int) -> float:
    """Largest distance from η = 0.1 in either direction."""
    points = trajectory_arrays(job(ADAM, seed))["points"][0]
    return float(np.abs(np.abs(points[1] - points[0]) - 0.1).max())


def newton_at_the_saddle(seed: int) -> float:
    chosen = job(SADDLE, seed)
    return float(
        np.linalg.norm(trajectory_arrays(chosen)["points"][optimizer_index(chosen, kind="newton", absolute=False), -1])
    )


def absolute_newton_off_the_saddle(seed: int) -> float:
    chosen = job(SADDLE, seed)
    return float(abs(trajectory_arrays(chosen)["points"][optimizer_index(chosen, kind="newton", absolute=True), -1, 1]))


def saddle_escape_ratio(seed: int) -> float:
    """Steps that gradient descent needs halfway down, over the most that another method needs that leaves."""
    values = trajectory_arrays(job(SADDLE, seed))["values"]
    down = [int(np.argmax(row < -0.125)) for row in values if (row < -0.125).any()]
    return down[0] / max(down[1:])


def optimizers_in_valley(seed: int) -> float:
    """Optimizers that have come within 0.05 of the valley's floor y = x² in 15 steps."""
    points = trajectory_arrays(job(ROSENBROCK, seed))["points"][:, :16]
    return float((np.abs(points[:, :, 1] - points[:, :, 0] ** 2).min(1) < 0.05).sum())


def optimizers_far_from_minimum(seed: int) -> float:
    """Optimizers that are farther than 0.1 from the minimum at the end."""
    return float((trajectory_arrays(job(ROSENBROCK, seed))["distance"][:, -1] > 0.1).sum())


def _ripples(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Final values of the gradient-based optimizers, and of the others; always from the example's start."""
    final = trajectory_arrays(JOBS[RIPPLES].model_copy(update={"seed": seed}))["values"][:, -1]
    return final[:3], final[3:]


def ripples_gradient(seed: int) -> float:
    points = trajectory_arrays(JOBS[RIPPLES].model_copy(update={"seed": seed}))["points"][:3]
    return float(np.linalg.norm(points[:, -1] - points[:, 0], axis=1).max())


def cma_es_spread(seed: int) -> float:
    """Range of the final values of CMA-ES over four seeds."""
    return float(np.ptp([_ripples(4 * seed + k)[1][1] for k in range(4)]))


def wall_slope_ratio(seed: int) -> float:
    """Slope along x halfway down the wall over that at the start."""
    x = torch.tensor([0.0, job(CLIFF, seed).start[0]], dtype=torch.float64, requires_grad=True)
    (slopes,) = torch.autograd.grad(surfaces.function(JOBS[CLIFF].surface)(x, torch.zeros_like(x)).sum(), x)
    return float(slopes[0].abs() / slopes[1].abs())


def largest_final_distance(seed: int) -> float:
    return float(trajectory_arrays(job(CLIFF, seed))["distance"][:, -1].max())


def largest_coordinates(seed: int) -> np.ndarray:
    """The largest coordinate that each optimizer reaches without clipping."""
    return np.abs(trajectory_arrays(job(CLIFF, seed, clipping=NoClipping()))["points"]).max((1, 2))


def adam_final_distance(seed: int) -> float:
    return float(trajectory_arrays(job(CLIFF, seed, clipping=NoClipping()))["distance"][2, -1])


def _mean_step_lengths(seed: int, last: slice, **changes: object) -> np.ndarray:
    return np.abs(np.diff(trajectory_arrays(job(NOISE, seed, **changes))["points"][:, last], axis=1)).mean((1, 2))


def last_step_ratio(seed: int) -> float:
    """Largest, over the optimizers, of the last twenty steps' length over that of steps 20 to 100."""
    return float((_mean_step_lengths(seed, slice(-21, None)) / _mean_step_lengths(seed, slice(20, 101))).max())


def last_step_ratio_without_schedule(seed: int) -> float:
    """The same without the schedule, and the smallest."""
    schedule = ConstantRate()
    return float(
        (
            _mean_step_lengths(seed, slice(-21, None), schedule=schedule)
            / _mean_step_lengths(seed, slice(20, 101), schedule=schedule)
        ).min()
    )


def basin_border_ratio(seed: int) -> float:
    """Momentum's borders between basins over those of gradient descent, by neighboring starts that end in other minima;
    for other seeds on another grid."""
    index = basins(JOBS[BASINS].model_copy(update={"grid": 41 - 4 * seed}))
    plain, momentum = ((np.diff(one, axis=0) != 0).sum() + (np.diff(one, axis=1) != 0).sum() for one in index[:2])
    return float(momentum / plain)


def _rate(optimizer: int, seed: int) -> float:
    return float(trajectory_arrays(job(MOMENTUM, seed))["measured_rate"][optimizer])


def _claim(title: str, quote: str, what: str, measure: Callable[[int], float], **limits: float) -> Claim:
    return Claim("Optimizers", title, quote, what, measure, **limits)


CLAIMS = (
    _claim(
        RATES,
        "Too small, right, too large, diverging.",
        "final value of the second over the lowest of the others",
        best_rate_ratio,
        high=1e-6,
    ),
    _claim(RATES, "the error is multiplied by 1 − ηλ at every step", "largest deviation", factor_across, high=1e-6),
    _claim(RATES, "beyond η = 2/λ = 2 its magnitude grows", "last error over first", error_growth, low=1.001),
    _claim(
        MOMENTUM,
        "Without momentum the best learning rate multiplies the error by (κ−1)/(κ+1) = 0.980 per step",
        "error factor per step",
        partial(_rate, 0),
        low=0.979,
        high=0.981,
    ),
    _claim(
        MOMENTUM,
        "the best momentum multiplies it by (√κ−1)/(√κ+1) = 0.818",
        "error factor per step",
        partial(_rate, 1),
        low=0.813,
        high=0.823,
    ),
    _claim(
        MOMENTUM,
        "at a learning rate at which plain gradient descent would diverge",
        "last value over first, without momentum",
        growth_without_momentum,
        low=1.001,
    ),
    _claim(
        ADAM,
        "Without the correction the first step is (1 − β₁)/√(1 − β₂) = 3.2 times too long",
        "first step over Adam's",
        lambda seed: float(_lengths(seed)[1, 0] / _lengths(seed)[0, 0]),
        low=3.15,
        high=3.17,
    ),
    _claim(
        ADAM,
        "the next ones are hardly shorter",
        "least ratio of the first eight steps",
        lambda seed: float((_lengths(seed)[1, :8] / _lengths(seed)[0, :8]).min()),
        low=2,
    ),
    Claim(
        "Optimizers",
        ADAM,
        "from here the point overshoots the nearest minimum into another valley",
        "distance between where the two end",
        final_distance,
        low=1,
        seeds=1,
    ),
    _claim(
        ADAM,
        "as it does from two thirds of the starts nearby",
        "fraction of ten starts",
        fraction_in_other_minimum,
        low=0.5,
        high=0.85,
    ),
    _claim(
        ADAM,
        "With the correction the first step is η in each coordinate.",
        "largest deviation from 0.1",
        first_step_of_adam,
        high=1e-6,
    ),
    _claim(
        SADDLE, "Newton's method converges to the saddle", "distance from the saddle", newton_at_the_saddle, high=1e-6
    ),
    _claim(
        SADDLE,
        "plain gradient descent takes long to leave it",
        "steps halfway down, over the most of the others that leave",
        saddle_escape_ratio,
        low=1.5,
    ),
    _claim(
        SADDLE,
        "with absolute eigenvalues Newton's step leads away",
        "|y| at the end (minima at 1)",
        absolute_newton_off_the_saddle,
        low=0.99,
        high=1.01,
    ),
    _claim(
        ROSENBROCK,
        "nine or more of the twelve reach its floor within 15 steps",
        "optimizers",
        optimizers_in_valley,
        low=9,
        seeds=10,
    ),
    _claim(
        ROSENBROCK,
        "after 500 steps at most two are within 0.1 of the minimum",
        "optimizers farther away",
        optimizers_far_from_minimum,
        low=10,
        seeds=10,
    ),
    _claim(
        RIPPLES,
        "Gradient-based optimizers end in the local minimum next to the start",
        "distance from the start (local minima are 1 apart)",
        ripples_gradient,
        high=0.71,
    ),
    Claim(
        "Optimizers",
        RIPPLES,
        "step across many local minima, nearly always to a lower one",
        "highest final value of the three over that of the gradient-based",
        lambda seed: float(_ripples(seed)[1].max() / _ripples(seed)[0].min()),
        high=0.99,
        seeds=20,
        min_fraction=0.9,
    ),
    Claim(
        "Optimizers",
        RIPPLES,
        "Try other seeds: the result depends on chance.",
        "highest minus lowest final value of CMA-ES over four seeds",
        cma_es_spread,
        low=1,
    ),
    _claim(
        CLIFF,
        "At the cliff the gradient is a hundred times that on the plateau",
        "ratio",
        wall_slope_ratio,
        low=80,
        high=125,
    ),
    _claim(
        CLIFF,
        "Clipped to norm 1 it keeps its direction, and all three optimizers reach the minimum.",
        "largest distance at the end",
        largest_final_distance,
        high=0.15,
    ),
    Claim(
        "Optimizers",
        CLIFF,
        "from this start gradient descent with and without momentum leaves the map",
        "largest coordinate of the two (the map ends at 8)",
        lambda seed: float(largest_coordinates(seed)[:2].min()),
        low=8,
        seeds=1,
    ),
    _claim(
        CLIFF,
        "Adam does not, but the cliff stays in its second moment and it ends 0.5 short of the minimum",
        "distance at the end",
        adam_final_distance,
        low=0.2,
        high=0.6,
        seeds=10,
    ),
    _claim(
        NOISE,
        "as the cosine schedule reduces it to 0 they converge",
        "last steps over steps 20 to 100",
        last_step_ratio,
        high=0.05,
    ),
    _claim(
        NOISE,
        "Without the schedule they never do.",
        "last steps over steps 20 to 100",
        last_step_ratio_without_schedule,
        low=0.5,
    ),
    _claim(
        BASINS,
        "momentum overshoots them, so that nearby starts end far apart: its boundaries are six to eight times as long",
        "length, momentum over plain",
        basin_border_ratio,
        low=6,
        high=8.5,
    ),
)

WITHOUT_CLAIM = {
    RATES: ("Find the four learning rates in the phase diagram at β = 0.",),
    MOMENTUM: ("κ = 100.", "Compare the slopes of the distances to the minimum."),
    ADAM: ("m and v start at 0, and v adapts more slowly.",),
    SADDLE: ("All start almost on the ridge.", "At the saddle the gradient is 0, but f decreases in one direction."),
    ROSENBROCK: (
        "Drag the start to the other side.",
        "Which optimizers overshoot the bend, and which follow it slowly?",
    ),
    NOISE: ("The same noise is added to every optimizer's gradient.",),
    BASINS: ("Which of the four minima does each start lead to, and how fast?",),
}
"""Sentences about settings, or what to do or to look at, which no measurement could contradict."""
