"""Convergence of gradient descent with momentum on a quadratic ½ Σ λᵢ wᵢ², in closed form.

The eigen-directions are independent, and a step is a 2×2 matrix on (w, v). With the rate α and the momentum β, as
`torch.optim.SGD` has them (v starts at 0, no dampening):

    heavy ball (Polyak, 1964)    v ← βv + λw    w ← w − αv                 σ² − (1 + β − αλ) σ + β = 0
    Nesterov (1983)              v ← βv + λw    w ← w − α(λw + βv)         σ² − (1 + β)(1 − αλ) σ + β(1 − αλ) = 0

The larger |σ|, the spectral radius, is the asymptotic error factor per step: below 1 it converges, and the slowest
direction decides (Goh, 2017, "Why Momentum Really Works", distill.pub/2017/momentum; for Nesterov
Lessard, Recht & Packard, 2016, arXiv:1408.3595). Eigenvalues λ are positive, and 0 ≤ β < 1; α is in units of 1 / λ.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

Numbers = float | Sequence[float] | np.ndarray

REGIMES = ("monotone", "oscillating", "diverging")
# Distances outside of this range are not used: they underflow or overflow.
MIN_DISTANCE, MAX_DISTANCE = 1e-280, 1e280
# Distances that a fit of the rate needs at least.
MIN_POINTS = 5
# A distance this many e-foldings below the fit is a zero crossing, and is not used.
MAX_DIP = 3.0


class Best(NamedTuple):
    """The optimal parameters of a method: learning rate, momentum, and the error factor per step."""

    alpha: float
    beta: float
    rate: float


def stability_limit(eigenvalues: Numbers, beta: Numbers = 0.0, nesterov: bool = False) -> np.ndarray:
    """The learning rate from which the steepest direction no longer converges, in the shape of `beta`.

    Without momentum 2 / λₙ, heavy ball (2 + 2β) / λₙ, Nesterov (2 + 2β) / ((1 + 2β) λₙ): there σ reaches −1.
    """
    beta = _momentum(beta)
    limit = (2 + 2 * beta) / _ends(eigenvalues)[1]
    return limit / (1 + 2 * beta) if nesterov else limit


def monotone_limit(eigenvalues: Numbers, beta: Numbers = 0.0, nesterov: bool = False) -> np.ndarray:
    """The learning rate up to which no direction oscillates, in the shape of `beta`.

    Heavy ball (1 − √β)² / λₙ, Nesterov ((1 − β) / (1 + β))² / λₙ: there both roots of the steepest direction meet
    (critical damping), and above it they are complex.
    """
    beta = _momentum(beta)
    root = (1 - beta) / (1 + beta) if nesterov else 1 - np.sqrt(beta)
    return root**2 / _ends(eigenvalues)[1]


def best_gradient_descent(eigenvalues: Numbers) -> Best:
    """Without momentum: α = 2 / (λ₁ + λₙ), rate (κ − 1) / (κ + 1) with κ = λₙ / λ₁."""
    low, high = _ends(eigenvalues)
    return Best(2 / (low + high), 0.0, (high - low) / (high + low))


def best_heavy_ball(eigenvalues: Numbers) -> Best:
    """α = (2 / (√λ₁ + √λₙ))², β = rate², rate (√κ − 1) / (√κ + 1) (Polyak, 1964).

    Both roots are double there, so the error after k steps is k · rateᵏ: slower than this rate for many steps.
    """
    low, high = map(math.sqrt, _ends(eigenvalues))
    rate = (high - low) / (high + low)
    return Best((2 / (low + high)) ** 2, rate**2, rate)


def best_nesterov(eigenvalues: Numbers) -> Best:
    """α = 4 / (3λₙ + λ₁), β = (r − 2) / (r + 2), rate 1 − 2 / r with r = √(3κ + 1) (Lessard et al., 2016)."""
    low, high = _ends(eigenvalues)
    root = math.sqrt(3 * high / low + 1)
    return Best(4 / (3 * high + low), (root - 2) / (root + 2), 1 - 2 / root)


def iteration_matrix(eigenvalue: float, alpha: float, beta: float = 0.0, nesterov: bool = False) -> np.ndarray:
    """The matrix of one step on (w, v) of a direction, (2, 2): its coordinate (0 at the minimum) and its momentum."""
    _momentum(beta)
    if nesterov:
        return np.array([[1 - alpha * eigenvalue * (1 + beta), -alpha * beta**2], [eigenvalue, beta]])
    return np.array([[1 - alpha * eigenvalue, -alpha * beta], [eigenvalue, beta]])


def spectral_radius(eigenvalue: Numbers, alpha: Numbers, beta: Numbers = 0.0, nesterov: bool = False) -> np.ndarray:
    """The largest |σ| of the iteration matrix, float64 in the shape that the three broadcast to."""
    trace, determinant, discriminant = _characteristic(eigenvalue, alpha, beta, nesterov)
    real = (np.abs(trace) + np.sqrt(np.maximum(discriminant, 0))) / 2
    return np.where(discriminant < 0, np.sqrt(np.abs(determinant)), real)


def rate(eigenvalues: Numbers, alpha: Numbers, beta: Numbers = 0.0, nesterov: bool = False) -> np.ndarray:
    """The error factor per step: the largest spectral radius of all directions (E,).

    float64 in the shape that `alpha` and `beta` broadcast to; at 1 or more it diverges.
    """
    # As λ grows the radius falls, then rises (heavy ball: level between), so no direction exceeds the outermost two.
    low, high = (spectral_radius(end, alpha, beta, nesterov) for end in _ends(eigenvalues))
    return np.maximum(low, high)


def regime(eigenvalues: Numbers, alpha: Numbers, beta: Numbers = 0.0, nesterov: bool = False) -> np.ndarray:
    """How the error evolves: an index into `REGIMES`, uint8 in the shape that `alpha` and `beta` broadcast to.

    Diverging where the rate is 1 or more; else oscillating where a root of any direction is complex or negative; else
    monotone. With momentum it may still cross the minimum once there.
    """
    found = np.zeros(np.broadcast_shapes(np.shape(alpha), np.shape(beta)), np.uint8)
    for eigenvalue in np.unique(_positive(eigenvalues)):
        # Real roots have equal signs, or the negative one is larger if their sum is negative.
        trace, _, discriminant = _characteristic(eigenvalue, alpha, beta, nesterov)
        found = np.maximum(found, ((discriminant < 0) | (trace < 0)).astype(np.uint8))
    # At the limit itself the radius is 1 or, by rounding, slightly less.
    beyond = np.asarray(alpha, float) >= stability_limit(eigenvalues, beta, nesterov)
    return np.where(beyond | (rate(eigenvalues, alpha, beta, nesterov) >= 1), np.uint8(2), found)


def phase_diagram(
    eigenvalues: Numbers, alphas: Numbers, betas: Numbers, nesterov: bool = False
) -> dict[str, np.ndarray]:
    """The convergence rate for a grid of learning rates and momentums, with stability limits and optimum.

    alphas (A,), betas (B,); rate (B, A) float64; regime (B, A) uint8, an index into `REGIMES`; stability_limit (B,)
    and monotone_limit (B,), learning rates; best (3,): learning rate, momentum and rate of the optimum;
    nesterov (), whether this is for Nesterov momentum.
    """
    alphas, betas = np.asarray(alphas, float), np.asarray(betas, float)
    across, along = alphas[None, :], betas[:, None]
    return {
        "alphas": alphas,
        "betas": betas,
        "rate": rate(eigenvalues, across, along, nesterov),
        "regime": regime(eigenvalues, across, along, nesterov),
        "stability_limit": stability_limit(eigenvalues, betas, nesterov),
        "monotone_limit": monotone_limit(eigenvalues, betas, nesterov),
        "best": np.array((best_nesterov if nesterov else best_heavy_ball)(eigenvalues)),
        "nesterov": np.array(nesterov),
    }


def measured_rate(distances: Numbers, late: float = 0.5, floor: float = MIN_DISTANCE) -> float:
    """The error factor per step of recorded distances from the minimum (n,), one per step; NaN where there are too few.

    A straight line is fitted to the logarithms of the last fraction `late` of the usable distances: those before the
    first that is not finite or above 1e280, up to the last above `floor`. Set `floor` where rounding ends the decay
    earlier, as when the minimum is not at 0 (about 1e-14 of the distance to the origin) and in single precision
    (1e-36). Zeros, and dips where the trajectory crosses the minimum, are not used.
    """
    if not 0 < late <= 1:
        raise ValueError(f"measured_rate: late must be in (0, 1], got {late:g}")
    distances = np.asarray(distances, float)
    invalid = np.flatnonzero(~(distances <= MAX_DISTANCE))
    usable = np.flatnonzero(distances[: invalid[0] if len(invalid) else None] > floor)
    if len(usable) == 0:
        return math.nan
    steps = usable[usable >= (usable[-1] + 1) * (1 - late)]
    logs = np.log(distances[steps])
    if len(steps) >= MIN_POINTS:
        is_regular = logs - np.polyval(np.polyfit(steps, logs, 1), steps) > -MAX_DIP
        steps, logs = steps[is_regular], logs[is_regular]
    return math.exp(np.polyfit(steps, logs, 1)[0]) if len(steps) >= MIN_POINTS else math.nan


def _characteristic(
    eigenvalue: Numbers, alpha: Numbers, beta: Numbers, nesterov: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sum and product of the two roots σ, and the discriminant as a product, which is accurate where both roots are
    equal."""
    beta = _momentum(beta)
    step = _positive(eigenvalue) * np.asarray(alpha, float)
    if nesterov:
        contraction = 1 - step
        return (1 + beta) * contraction, beta * contraction, contraction * ((1 + beta) ** 2 * contraction - 4 * beta)
    root = np.sqrt(beta)
    return 1 + beta - step, beta + 0 * step, ((1 - root) ** 2 - step) * ((1 + root) ** 2 - step)


def _ends(eigenvalues: Numbers) -> tuple[float, float]:
    """The smallest and the largest eigenvalue."""
    eigenvalues = _positive(eigenvalues)
    return float(eigenvalues.min()), float(eigenvalues.max())


def _positive(eigenvalues: Numbers) -> np.ndarray:
    eigenvalues = np.asarray(eigenvalues, float)
    if eigenvalues.size == 0 or not (np.isfinite(eigenvalues) & (eigenvalues > 0)).all():
        raise ValueError(f"eigenvalues must be positive and finite, at least one, got {eigenvalues.tolist()}")
    return eigenvalues


def _momentum(beta: Numbers) -> np.ndarray:
    beta = np.asarray(beta, float)
    if not ((beta >= 0) & (beta < 1)).all():
        wrong = beta[~((beta >= 0) & (beta < 1))]
        raise ValueError(f"momentum must be in [0, 1), got {wrong.flat[0]:g}")
    return beta
