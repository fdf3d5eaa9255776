"""The examples of the page on optimizers."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from benchmarks.claimed.claim import Claim
from benchmarks.claimed.trajectory_claims import JOBS, alone, basins, job, place, raced
from nnviz.engine.trajectories import surfaces
from nnviz.spec.clipping import NoClipping
from nnviz.spec.schedules import ConstantRate

RATES, MOMENTUM, ADAM = "Four learning rates", "Why momentum", "Why Adam corrects its bias"
SADDLE, ROSENBROCK, RIPPLES = "Saddle point", "Twelve on Rosenbrock", "Gradient-free on Rastrigin"
CLIFF, NOISE, BASINS = "Clipping at a cliff", "Mini-batch noise", "Basins of attraction"


def _final(title: str, seed: int, **changes: object) -> np.ndarray:
    """Each optimizer's last height."""
    return raced(job(title, seed, **changes))["values"][:, -1]


def right_rate(seed: int) -> float:
    final = _final(RATES, seed)
    return float(final[1] / final[[0, 2, 3]].min())


def factor_across(seed: int) -> float:
    """Largest distance from 1 − ηλ, over optimizers and steps, in the steep direction (y, λ = 1)."""
    chosen = job(RATES, seed)
    y = raced(chosen)["points"][:, :, 1]
    expected = 1 - np.array([r.method.lr for r in chosen.optimizers])[:, None]
    # The optimizer that is right ends within rounding errors of the minimum.
    return float(np.abs(y[:, 1:20] / y[:, :19] - expected).max())


def growth_beyond(seed: int) -> float:
    y = np.abs(raced(job(RATES, seed))["points"][3, :, 1])
    return float(y[-1] / y[0])


def plain_at_the_rate_of_momentum(seed: int) -> float:
    chosen = job(MOMENTUM, seed)
    heights = raced(alone(chosen, chosen.optimizers[1].method.model_copy(update={"momentum": 0.0})))["values"][0]
    return float(np.nan_to_num(heights[-1] / heights[0], nan=np.inf))


def _lengths(seed: int) -> np.ndarray:
    return np.linalg.norm(np.diff(raced(job(ADAM, seed))["points"], axis=1), axis=2)


def thrown_past(seed: int) -> float:
    """Distance between where the two end."""
    return float(np.linalg.norm(np.subtract(*raced(job(ADAM, seed))["points"][:, -1])))


def share_thrown_past(seed: int) -> float:
    """Of ten starts."""
    return float(np.mean([thrown_past(s) > 1 for s in range(1 + 10 * seed, 11 + 10 * seed)]))


def first_step_of_adam(seed: int) -> float:
    """Largest distance from η = 0.1 in either direction."""
    points = raced(job(ADAM, seed))["points"][0]
    return float(np.abs(np.abs(points[1] - points[0]) - 0.1).max())


def newton_at_the_saddle(seed: int) -> float:
    chosen = job(SADDLE, seed)
    return float(np.linalg.norm(raced(chosen)["points"][place(chosen, kind="newton", absolute=False), -1]))


def absolute_newton_off_the_saddle(seed: int) -> float:
    chosen = job(SADDLE, seed)
    return float(abs(raced(chosen)["points"][place(chosen, kind="newton", absolute=True), -1, 1]))


def lingering(seed: int) -> float:
    """Steps that plain descent needs halfway down, over the most that another method needs that leaves."""
    heights = raced(job(SADDLE, seed))["values"]
    down = [int(np.argmax(row < -0.125)) for row in heights if (row < -0.125).any()]
    return down[0] / max(down[1:])


def on_the_floor(seed: int) -> float:
    """Optimizers that have come within 0.05 of the valley's floor y = x² in 15 steps."""
    points = raced(job(ROSENBROCK, seed))["points"][:, :16]
    return float((np.abs(points[:, :, 1] - points[:, :, 0] ** 2).min(1) < 0.05).sum())


def far_from_the_end(seed: int) -> float:
    """Optimizers that are farther than 0.1 from the minimum at the end."""
    return float((raced(job(ROSENBROCK, seed))["distance"][:, -1] > 0.1).sum())


def _ripples(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Heights of those that follow the gradient, and of the others; the start is always the example's."""
    final = raced(JOBS[RIPPLES].model_copy(update={"seed": seed}))["values"][:, -1]
    return final[:3], final[3:]


def ripples_gradient(seed: int) -> float:
    points = raced(JOBS[RIPPLES].model_copy(update={"seed": seed}))["points"][:3]
    return float(np.linalg.norm(points[:, -1] - points[:, 0], axis=1).max())


def luck(seed: int) -> float:
    """Spread of the height that CMA-ES ends at, over four seeds."""
    return float(np.ptp([_ripples(4 * seed + k)[1][1] for k in range(4)]))


def wall(seed: int) -> float:
    """Slope along x halfway down the wall over that at the start."""
    x = torch.tensor([0.0, job(CLIFF, seed).start[0]], dtype=torch.float64, requires_grad=True)
    (slopes,) = torch.autograd.grad(surfaces.function(JOBS[CLIFF].surface)(x, torch.zeros_like(x)).sum(), x)
    return float(slopes[0].abs() / slopes[1].abs())


def clipped_arrive(seed: int) -> float:
    return float(raced(job(CLIFF, seed))["distance"][:, -1].max())


def thrown(seed: int) -> np.ndarray:
    """Without clipping, the largest coordinate that each optimizer comes to."""
    return np.abs(raced(job(CLIFF, seed, clipping=NoClipping()))["points"]).max((1, 2))


def adam_short(seed: int) -> float:
    return float(raced(job(CLIFF, seed, clipping=NoClipping()))["distance"][2, -1])


def _jitter(seed: int, last: slice, **changes: object) -> np.ndarray:
    return np.abs(np.diff(raced(job(NOISE, seed, **changes))["points"][:, last], axis=1)).mean((1, 2))


def settled(seed: int) -> float:
    """Largest, over the optimizers, of the last twenty steps' length over that of steps 20 to 100."""
    return float((_jitter(seed, slice(-21, None)) / _jitter(seed, slice(20, 101))).max())


def never_settled(seed: int) -> float:
    """The same without the schedule, and the smallest."""
    schedule = ConstantRate()
    return float(
        (_jitter(seed, slice(-21, None), schedule=schedule) / _jitter(seed, slice(20, 101), schedule=schedule)).min()
    )


def borders(seed: int) -> float:
    """Momentum's borders between basins over plain descent's, by neighboring starts that end in other minima; for
    other seeds on another grid."""
    index = basins(JOBS[BASINS].model_copy(update={"grid": 41 - 4 * seed}))
    plain, momentum = ((np.diff(one, axis=0) != 0).sum() + (np.diff(one, axis=1) != 0).sum() for one in index[:2])
    return float(momentum / plain)


def _rate(optimizer: int, seed: int) -> float:
    return float(raced(job(MOMENTUM, seed))["measured_rate"][optimizer])


def _claim(title: str, quote: str, what: str, measure: Callable[[int], float], **limits: float) -> Claim:
    return Claim("Optimizers", title, quote, what, measure, **limits)


CLAIMS = (
    _claim(
        RATES,
        "Too small, right, too large, diverging.",
        "final value of the second over the lowest of the others",
        right_rate,
        high=1e-6,
    ),
    _claim(RATES, "the error is multiplied by 1 − ηλ at every step", "largest deviation", factor_across, high=1e-6),
    _claim(RATES, "beyond η = 2/λ = 2 its magnitude grows", "last error over first", growth_beyond, low=1.001),
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
        plain_at_the_rate_of_momentum,
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
        thrown_past,
        low=1,
        seeds=1,
    ),
    _claim(
        ADAM,
        "as it does from two thirds of the starts nearby",
        "fraction of ten starts",
        share_thrown_past,
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
        lingering,
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
        on_the_floor,
        low=9,
        seeds=10,
    ),
    _claim(
        ROSENBROCK,
        "after 500 steps at most two are within 0.1 of the minimum",
        "optimizers farther away",
        far_from_the_end,
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
        enough=0.9,
    ),
    Claim(
        "Optimizers",
        RIPPLES,
        "Try other seeds: the result depends on chance.",
        "highest minus lowest final value of CMA-ES over four seeds",
        luck,
        low=1,
    ),
    _claim(
        CLIFF,
        "At the cliff the gradient is a hundred times that on the plateau",
        "ratio",
        wall,
        low=80,
        high=125,
    ),
    _claim(
        CLIFF,
        "Clipped to norm 1 it keeps its direction, and all three optimizers reach the minimum.",
        "largest distance at the end",
        clipped_arrive,
        high=0.15,
    ),
    Claim(
        "Optimizers",
        CLIFF,
        "from this start gradient descent with and without momentum leaves the map",
        "largest coordinate of the two (the map ends at 8)",
        lambda seed: float(thrown(seed)[:2].min()),
        low=8,
        seeds=1,
    ),
    _claim(
        CLIFF,
        "Adam does not, but the cliff stays in its second moment and it ends 0.5 short of the minimum",
        "distance at the end",
        adam_short,
        low=0.2,
        high=0.6,
        seeds=10,
    ),
    _claim(
        NOISE,
        "as the cosine schedule reduces it to 0 they converge",
        "last steps over steps 20 to 100",
        settled,
        high=0.05,
    ),
    _claim(NOISE, "Without the schedule they never do.", "last steps over steps 20 to 100", never_settled, low=0.5),
    _claim(
        BASINS,
        "momentum overshoots them, so that nearby starts end far apart: its boundaries are six to eight times as long",
        "length, momentum over plain",
        borders,
        low=6,
        high=8.5,
    ),
)

NO_CLAIM = {
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
"""Sentences that say what is set, or what to do or to look at, and nothing that a race could contradict."""
