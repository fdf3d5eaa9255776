"""How close generated samples in the plane are to real ones: modes covered, divergences, estimated density."""

import math
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from nnviz.engine.data import distributions
from nnviz.spec.data.distributions import WINDOW, PlaneDistribution

COVERED_FROM = 0.008
"""A mode is covered if this fraction of the samples lies within three σ of its center: 20 of 2,500."""

AREAS = 16
"""Cells along each side of [−WINDOW, WINDOW]² in which data without separate modes are covered or not."""

SPARSE = 0.25
"""A cell is covered if it has at least this many times the samples that the data have there on average."""

BINS = 12
"""Bins along each side of [−WINDOW, WINDOW]² for the Jensen–Shannon divergence, and one more for what is outside."""

KERNELS = (0.25, 0.5, 1.0, 2.0)
"""Standard deviations of the Gaussian kernels of the maximum mean discrepancy; each twice the one before."""

ROWS = 250
"""Samples whose distances from all others are computed at once."""

FINE, FINEST = 256, 512
"""Bins of a density estimate along each side of the window: FINE unless its kernel is narrower than one of them."""


class Judged(NamedTuple):
    """Samples (n, 2) by their distance from the data."""

    samples: Tensor
    is_good: Tensor
    """Whether each lies within three σ of a center or of the curve, (n,)."""
    nearest: Tensor | None
    """The nearest mode of each, (n,); None where the data have no separate ones."""
    counts: Tensor
    """How many good ones each mode has, (modes,)."""


def judged(distribution: PlaneDistribution, samples: Tensor) -> Judged:
    """Samples (n, 2) with their nearest modes, from one pass over all distances."""
    if not distribution.modes:
        return Judged(samples, distributions.is_good(distribution, samples), None, torch.empty(0))
    nearest, distance = distributions.nearest_mode(distribution, samples)
    is_good = distance <= distributions.GOOD_WITHIN * distribution.sigma
    return Judged(samples, is_good, nearest, torch.bincount(nearest[is_good], minlength=distribution.modes))


def covered(counts: Tensor, samples: int) -> int:
    """How many modes are covered, by `modes`' counts among so many samples."""
    return int((counts >= COVERED_FROM * samples).sum())


def masses(real: Tensor) -> Tensor:
    """The fraction of real samples (n, 2) in each cell of the window, (AREAS²,)."""
    index, inside = _bins(real, AREAS)
    return torch.bincount(index[inside], minlength=AREAS**2).double() / len(real)


def mass_covered(masses: Tensor, samples: Tensor) -> float:
    """The fraction of the data's mass, by `masses` of each cell, in cells that have at least SPARSE times as many of
    samples (n, 2) as the data have on average."""
    index, inside = _bins(samples, AREAS)
    counts = torch.bincount(index[inside], minlength=AREAS**2)
    return float(masses[counts >= SPARSE * len(samples) * masses].sum() / masses.sum())


def jensen_shannon(first: Tensor, second: Tensor) -> float:
    """Divergence in bits of two sets of samples (n, 2), each as a histogram: 0 for equal ones, 1 for disjoint ones."""
    p, q = _histogram(first), _histogram(second)
    middle = (p + q) / 2
    return float((_relative(p, middle) + _relative(q, middle)) / 2)


class Discrepancy:
    """Squared maximum mean discrepancy of samples from real ones by the mean of Gaussian kernels, the unbiased
    estimate, which may be below 0 (Gretton et al., 2012)."""

    def __init__(self, real: Tensor) -> None:
        """`real` is (n, 2)."""
        self._real, self._own = real, _within(real)

    def of(self, samples: Tensor) -> float:
        """Of samples (m, 2)."""
        # Part by part, so that the distances stay in a core's cache.
        between = sum(_kernels(torch.cdist(part, self._real)) for part in samples.split(ROWS))
        return float(self._own + _within(samples) - 2 * between / (len(samples) * len(self._real)))


def _within(samples: Tensor) -> Tensor:
    """Mean kernel of two different samples of a set."""
    n, total = len(samples), 0.0
    for begin in range(0, n, ROWS):
        part, later = samples[begin : begin + ROWS], samples[begin + ROWS :]
        # Each pair twice, and each sample with itself, whose kernel is 1.
        total += _kernels(torch.cdist(part, part)) - len(part) + 2 * _kernels(torch.cdist(part, later))
    return total / (n * (n - 1))


def _kernels(distances: Tensor) -> Tensor:
    """Sum of the mean of the kernels at distances of any shape, which are changed in place."""
    # e^(−d²/2s²) of half the s is the fourth power.
    value = distances.square_().mul_(-1 / (2 * KERNELS[-1] ** 2)).exp_()
    total = value.sum()
    for _ in KERNELS[1:]:
        # Else the powers would be denormal numbers, which take a hundred times as long.
        total += value.clamp_min_(1e-9).square_().square_().sum()
    return total / len(KERNELS)


class KernelDensity:
    """Density of samples (n, 2) over [−WINDOW, WINDOW]² by Gaussian kernels of standard deviation `bandwidth`, computed
    from counts in bins. Samples outside count for the total."""

    def __init__(self, samples: Tensor, bandwidth: float) -> None:
        self._bins = FINE if bandwidth * FINE >= 2 * WINDOW else FINEST
        width = 2 * WINDOW / self._bins
        index, inside = self._index(samples)
        counts = torch.bincount(index[inside], minlength=self._bins**2).reshape(self._bins, self._bins).float()
        # Counting in bins has blurred it by the deviation of a uniform distribution.
        kernel = _kernel_matrix(self._bins, max(bandwidth**2 - width**2 / 12, 0.0) ** 0.5 / width)
        self._density = kernel @ (counts / (len(samples) * width**2)) @ kernel

    def at(self, points: Tensor) -> Tensor:
        """In the bins of points (n, 2), (n,); nan outside."""
        index, inside = self._index(points)
        return torch.where(inside, self._density.flatten()[index], torch.nan)

    def picture(self, cells: int) -> Tensor:
        """At the centers of cells × cells cells, (cells, cells) by row of y from below: the mean of the four bins
        around each."""
        ratio = self._bins // cells
        low, high = ratio // 2 - 1, ratio // 2 + 1
        return self._density.reshape(cells, ratio, cells, ratio)[:, low:high, :, low:high].mean((1, 3))

    def _index(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """The bin of each point by row of y, 0 for one outside; and whether it is inside."""
        return _bins(points, self._bins)


@lru_cache(maxsize=4)
def _kernel_matrix(bins: int, sigma: float) -> Tensor:
    """Row by row a Gaussian of standard deviation `sigma` bins around that bin, (bins, bins)."""
    apart = torch.arange(bins, dtype=torch.float32)
    # Tails end at six σ: denormal numbers take a hundred times as long.
    kernel = torch.exp(-apart.square() / (2 * max(sigma, 1e-3) ** 2)) * (apart <= 6 * sigma)
    kernel /= 2 * kernel.sum() - 1  # both sides of bin 0
    return kernel[(apart[:, None] - apart).abs().long()]


def _bins(points: Tensor, bins: int) -> tuple[Tensor, Tensor]:
    """Which of bins × bins over the window each point (n, 2) is in, by row of y, 0 for one outside; whether inside."""
    at = ((points + WINDOW) * (bins / (2 * WINDOW))).floor()
    inside = ((at >= 0) & (at < bins)).all(1)
    column, row = torch.where(inside[:, None], at, 0.0).long().T
    return row * bins + column, inside


def _histogram(samples: Tensor) -> Tensor:
    """Fractions of the samples in each bin, and outside of all, (BINS² + 1,)."""
    index, inside = _bins(samples, BINS)
    flat = torch.where(inside, index, BINS**2)
    return torch.bincount(flat, minlength=BINS**2 + 1).double() / len(samples)


def _relative(p: Tensor, q: Tensor) -> Tensor:
    """Relative entropy of p to q in bits; q is above 0 where p is."""
    return torch.xlogy(p, p / q.clamp_min(1e-300)).sum() / math.log(2)
