"""The CMA evolution strategy, for all starts at once.

Written out here, and held against the library `cmaes` in its tests, because the library draws from a generator of its
own, keeps its state by pickling, and knows one start only.
"""

import math

import torch
from torch import Tensor

from nnviz.engine.optim.gradient_free.gradient_free_method import LARGEST, Function, Method
from nnviz.spec import gradient_free as spec

WORST_CONDITION = 1e14
SMALLEST = 1e-200  # variance in C


class CMAES(Method):
    """Hansen, 2016, "The CMA Evolution Strategy: A Tutorial", arXiv:1604.00772, figure 6 and table 1.

    A point that is not finite has no part in the mean: the mean itself stands in for it. A generation of one finite
    value says nothing and changes nothing.
    """

    def __init__(self, settings: spec.CMAES, points: Tensor, generator: torch.Generator) -> None:
        super().__init__(points, generator)
        n, k = self.points.shape[1], settings.population
        self.weights = weights(n, k)  # (k,), of the lowest first
        chosen = self.weights[: k // 2]
        self.mu_eff = float(1 / (chosen**2).sum())
        self.c_sigma = (self.mu_eff + 2) / (n + self.mu_eff + 5)
        self.d_sigma = 1 + 2 * max(0.0, math.sqrt((self.mu_eff - 1) / (n + 1)) - 1) + self.c_sigma
        self.c_c = (4 + self.mu_eff / n) / (n + 4 + 2 * self.mu_eff / n)
        self.c_1, self.c_mu = rates(n, self.mu_eff)
        self.chi = math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n**2))  # E‖N(0, I)‖
        self.generation = 0
        self.sigma = self._per_start(settings.sigma)
        self.covariance = torch.eye(n, dtype=torch.float64).repeat(len(points), 1, 1)
        self.path_sigma = torch.zeros_like(self.points)
        self.path_c = torch.zeros_like(self.points)

    def move(self, f: Function) -> dict[str, Tensor]:
        """Returns `population` (starts, population, dimensions), drawn from N(m, `sigma`² · `covariance`), with
        `sigma` (starts,) and `covariance` (starts, dimensions, dimensions), which is C."""
        starts, n = self.points.shape
        sigma, covariance = self.sigma, self.covariance
        squares, axes = torch.linalg.eigh(covariance)
        lengths = squares.clamp(min=squares.amax(dim=1, keepdim=True) / WORST_CONDITION).sqrt()
        z = self._normal(starts, len(self.weights), n)
        y = (z * lengths[:, None]) @ axes.mT  # ~ N(0, C)
        tried = self.points[:, None] + sigma[:, None, None] * y
        values = self._values(f, tried)

        # Ordered, the lowest first; w = C^-½ y has the length of z.
        order = values.argsort(dim=1, stable=True)
        y, w = (v.gather(1, order[:, :, None].expand_as(v)) for v in (y, z @ axes.mT))
        barred = values.gather(1, order).isinf() & (self.weights > 0)
        y, w = (v.masked_fill(barred[:, :, None], 0.0) for v in (y, w))
        chosen = self.weights.clamp(min=0)[:, None]  # (k, 1)
        step = (chosen * y).sum(dim=1)

        path_sigma = (1 - self.c_sigma) * self.path_sigma + self._share(self.c_sigma) * (chosen * w).sum(dim=1)
        length = path_sigma.norm(dim=1)
        unbiased = length / math.sqrt(1 - (1 - self.c_sigma) ** (2 * (self.generation + 1)))
        calm = (unbiased < (1.4 + 2 / (n + 1)) * self.chi).to(torch.float64)[:, None]  # h_σ
        path_c = (1 - self.c_c) * self.path_c + calm * self._share(self.c_c) * step

        scaled = torch.where(self.weights < 0, self.weights * n / w.square().sum(dim=2), self.weights)  # (starts, k)
        lost = (1 - calm[:, None]) * self.c_c * (2 - self.c_c)  # δ(h_σ)
        rank_one = path_c[:, :, None] * path_c[:, None] + lost * covariance
        rank_mu = (scaled[:, :, None] * y).mT @ y
        kept = 1 - self.c_1 - self.c_mu * float(self.weights.sum())
        learned = kept * covariance + self.c_1 * rank_one + self.c_mu * rank_mu

        flat = values.amin(dim=1) == values.amax(dim=1)
        self._take(
            ~flat | values[:, 0].isinf(),
            points=self.points + sigma[:, None] * step,
            sigma=sigma * (self.c_sigma / self.d_sigma * (length / self.chi - 1)).exp(),
            covariance=(learned + learned.mT) / 2,
            path_sigma=path_sigma,
            path_c=path_c,
        )
        self.generation += 1
        return {"sigma": sigma, "population": tried, "covariance": covariance}

    def _share(self, c: float) -> float:
        """How much of a step enters a path of memory 1 − c so that its variance stays 1."""
        return math.sqrt(c * (2 - c) * self.mu_eff)

    def _take(self, told: Tensor, **state: Tensor) -> None:
        """The new state for starts that were told something and whose numbers stay in the range of float64; the others
        keep the old one."""
        sizes = torch.cat([value.abs().view(len(value), -1) for value in state.values()], dim=1)
        width = state["covariance"].diagonal(dim1=1, dim2=2).amax(dim=1)
        sound = told & (sizes < LARGEST).all(dim=1) & (width > SMALLEST)
        for name, value in state.items():
            old = getattr(self, name)
            setattr(self, name, torch.where(sound.view(-1, *[1] * (value.dim() - 1)), value, old))


def weights(n: int, population: int) -> Tensor:
    """Weights (population,) of the points in order, the lowest first (equations 49 to 53).

    The first half sums to 1; the others are negative, as much as leaves C positive definite.
    """
    raw = math.log((population + 1) / 2) - torch.arange(1, population + 1, dtype=torch.float64).log()
    best, rest = raw[: population // 2], raw[population // 2 :]
    mu_eff, mu_eff_rest = (float(w.sum() ** 2 / (w**2).sum()) for w in (best, rest))
    c_1, c_mu = rates(n, mu_eff)
    total = min(1 + c_1 / c_mu, 1 + 2 * mu_eff_rest / (mu_eff + 2), (1 - c_1 - c_mu) / (n * c_mu))
    return torch.where(raw >= 0, raw / raw[raw > 0].sum(), total * raw / raw[raw < 0].abs().sum())


def rates(n: int, mu_eff: float) -> tuple[float, float]:
    """Rates c₁ and c_μ of the rank-one and the rank-μ update of C (equations 57 and 58)."""
    c_1 = 2 / ((n + 1.3) ** 2 + mu_eff)
    return c_1, min(1 - c_1, 2 * (mu_eff - 2 + 1 / mu_eff) / ((n + 2) ** 2 + mu_eff))
