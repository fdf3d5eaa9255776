"""The CMA evolution strategy, for all starts at once.

Implemented here, and compared with the library `cmaes` in its tests, because the library uses its own random generator,
saves its state by pickling, and has one start only.
"""

import math

import torch
from torch import Tensor

from nnviz.engine.optim.gradient_free.gradient_free_method import MAX_MAGNITUDE, Function, Method
from nnviz.spec import gradient_free as spec

MAX_CONDITION = 1e14
MIN_VARIANCE = 1e-200  # variance in C


class CMAES(Method):
    """Hansen, 2016, "The CMA Evolution Strategy: A Tutorial", arXiv:1604.00772, figure 6 and table 1.

    A candidate whose value is not finite does not contribute to the mean: the old mean replaces it. A generation whose
    values are all equal changes nothing.
    """

    def __init__(self, settings: spec.CMAES, points: Tensor, generator: torch.Generator) -> None:
        super().__init__(points, generator)
        n, k = self.points.shape[1], settings.population
        self.weights = weights(n, k)  # (k,), of the lowest first
        positive_weights = self.weights[: k // 2]
        self.mu_eff = float(1 / (positive_weights**2).sum())
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
        lengths = squares.clamp(min=squares.amax(dim=1, keepdim=True) / MAX_CONDITION).sqrt()
        z = self._normal(starts, len(self.weights), n)
        y = (z * lengths[:, None]) @ axes.mT  # ~ N(0, C)
        candidates = self.points[:, None] + sigma[:, None, None] * y
        values = self._values(f, candidates)

        # Sorted, the lowest first; w = C^-½ y has the length of z.
        order = values.argsort(dim=1, stable=True)
        y, w = (v.gather(1, order[:, :, None].expand_as(v)) for v in (y, z @ axes.mT))
        is_excluded = values.gather(1, order).isinf() & (self.weights > 0)
        y, w = (v.masked_fill(is_excluded[:, :, None], 0.0) for v in (y, w))
        positive_weights = self.weights.clamp(min=0)[:, None]  # (k, 1)
        step = (positive_weights * y).sum(dim=1)

        path_sigma = (1 - self.c_sigma) * self.path_sigma + self._path_rate(self.c_sigma) * (positive_weights * w).sum(
            dim=1
        )
        length = path_sigma.norm(dim=1)
        corrected_length = length / math.sqrt(1 - (1 - self.c_sigma) ** (2 * (self.generation + 1)))
        h_sigma = (corrected_length < (1.4 + 2 / (n + 1)) * self.chi).to(torch.float64)[:, None]  # h_σ
        path_c = (1 - self.c_c) * self.path_c + h_sigma * self._path_rate(self.c_c) * step

        scaled = torch.where(self.weights < 0, self.weights * n / w.square().sum(dim=2), self.weights)  # (starts, k)
        delta = (1 - h_sigma[:, None]) * self.c_c * (2 - self.c_c)  # δ(h_σ)
        rank_one = path_c[:, :, None] * path_c[:, None] + delta * covariance
        rank_mu = (scaled[:, :, None] * y).mT @ y
        decay = 1 - self.c_1 - self.c_mu * float(self.weights.sum())
        learned = decay * covariance + self.c_1 * rank_one + self.c_mu * rank_mu

        is_flat = values.amin(dim=1) == values.amax(dim=1)
        self._update_state(
            ~is_flat | values[:, 0].isinf(),
            points=self.points + sigma[:, None] * step,
            sigma=sigma * (self.c_sigma / self.d_sigma * (length / self.chi - 1)).exp(),
            covariance=(learned + learned.mT) / 2,
            path_sigma=path_sigma,
            path_c=path_c,
        )
        self.generation += 1
        return {"sigma": sigma, "population": candidates, "covariance": covariance}

    def _path_rate(self, c: float) -> float:
        """The weight of a step in an evolution path with decay 1 − c, so that its variance stays 1."""
        return math.sqrt(c * (2 - c) * self.mu_eff)

    def _update_state(self, is_informative: Tensor, **state: Tensor) -> None:
        """Sets the new state for starts with informative values and numbers in the range of float64; the others keep
        the previous one."""
        magnitudes = torch.cat([value.abs().view(len(value), -1) for value in state.values()], dim=1)
        variance = state["covariance"].diagonal(dim1=1, dim2=2).amax(dim=1)
        is_valid = is_informative & (magnitudes < MAX_MAGNITUDE).all(dim=1) & (variance > MIN_VARIANCE)
        for name, value in state.items():
            previous = getattr(self, name)
            setattr(self, name, torch.where(is_valid.view(-1, *[1] * (value.dim() - 1)), value, previous))


def weights(n: int, population: int) -> Tensor:
    """Weights (population,) of the points in order, the lowest first (equations 49 to 53).

    The first half sums to 1; the others are negative, scaled so that C stays positive definite.
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
