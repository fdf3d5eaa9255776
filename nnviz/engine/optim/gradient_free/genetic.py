"""A real-coded genetic algorithm."""

import torch
from torch import Tensor

from nnviz.engine.optim.gradient_free.gradient_free_method import Function, Method
from nnviz.spec import gradient_free as spec


class Genetic(Method):
    """Tournament selection, blend crossover, Gaussian mutation, elitism (Goldberg & Deb, 1991; Eshelman & Schaffer,
    1993).

    The first generation is the start and points drawn around it. `points` is the best of the current generation.
    """

    def __init__(self, settings: spec.Genetic, points: Tensor, generator: torch.Generator) -> None:
        super().__init__(points, generator)
        self.settings = settings
        starts, dimensions = self.points.shape
        around = settings.spread * self._normal(starts, settings.population, dimensions)
        around[:, 0] = 0
        self.population = self.points[:, None] + around  # (starts, population, dimensions)
        self.values = torch.full((starts, settings.population), torch.inf, dtype=torch.float64)
        self.sigma = self._per_start(settings.sigma)

    def move(self, f: Function) -> dict[str, Tensor]:
        """Returns `population` (starts, population, dimensions), the current generation, the elite first; `sigma`
        (starts,) of mutation."""
        sigma = self.sigma
        if self.evaluations == 0:
            self.values = self._values(f, self.population)
        else:
            elite = self.values.argsort(dim=1, stable=True)[:, : self.settings.elite]
            children = self._mutated(self._children())
            values = self._values(f, children)
            self.population = torch.cat([_pick(self.population, elite), children], dim=1)
            self.values = torch.cat([self.values.gather(1, elite), values], dim=1)
            self.sigma = sigma * self.settings.decay
        value, best = self.values.min(dim=1, keepdim=True)
        self.points = torch.where(value.isfinite(), _pick(self.population, best)[:, 0], self.points)
        return {"sigma": sigma, "population": self.population}

    def _children(self) -> Tensor:
        """Children (starts, population − elite, dimensions) of the winners of tournaments."""
        s = self.settings
        starts, population, dimensions = self.population.shape
        count = population - s.elite
        contestants = torch.randint(population, (starts, 2 * count * s.tournament), generator=self.generator)
        tournaments = self.values.gather(1, contestants).view(starts, 2 * count, s.tournament)
        winners = contestants.view_as(tournaments).gather(2, tournaments.argmin(dim=2, keepdim=True))[:, :, 0]
        one, other = _pick(self.population, winners).chunk(2, dim=1)
        fraction = self._uniform(starts, count, dimensions) * (1 + 2 * s.blend) - s.blend  # uniform on (−α, 1 + α)
        crossed = self._uniform(starts, count, 1) < s.crossover
        return torch.where(crossed, one + fraction * (other - one), one)

    def _mutated(self, children: Tensor) -> Tensor:
        mutates = self._uniform(*children.shape) < self.settings.mutation
        return children + mutates * self.sigma[:, None, None] * self._normal(*children.shape)


def _pick(population: Tensor, index: Tensor) -> Tensor:
    """Points (starts, m, dimensions) of the population at index (starts, m)."""
    return population.gather(1, index[:, :, None].expand(-1, -1, population.shape[2]))
