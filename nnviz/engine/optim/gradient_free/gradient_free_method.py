"""The base class of gradient-free methods: points, a random generator, and counted evaluations."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

Function = Callable[[Tensor], Tensor]
"""f: points (m, dimensions) -> values (m,), lower is better. A value that is not finite counts as the worst."""

MAX_MAGNITUDE = 1e32
"""Upper limit of σ: on a function without a minimum it would leave the range of float64."""


class Method(ABC):
    """Minimizes a function of which only values are known, one point per start.

    `points` is (starts, dimensions) in float64: the best so far or the mean, which is drawn as the trajectory.
    `evaluations` counts evaluations of f per start. No tensor is changed in place.
    """

    def __init__(self, points: Tensor, generator: torch.Generator) -> None:
        self.points = points.detach().to(torch.float64).clone()
        self.generator = generator
        self.evaluations = 0
        self.factor = 1.0
        """Factor of the schedule on the learning rate; unused by methods without one."""

    @abstractmethod
    def move(self, f: Function) -> dict[str, Tensor]:
        """One generation: moves `points` and returns arrays about it by name, with starts as the first axis.

        `population` (starts, k, dimensions) holds the evaluated points; `sigma` and `covariance` are those with which
        it was drawn.
        """

    def _normal(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self.generator, dtype=torch.float64)

    def _uniform(self, *shape: int) -> Tensor:
        return torch.rand(shape, generator=self.generator, dtype=torch.float64)

    def _per_start(self, value: float) -> Tensor:
        return torch.full((len(self.points),), value, dtype=torch.float64)

    def _values(self, f: Function, candidates: Tensor) -> Tensor:
        """f of points (starts, k, dimensions) as (starts, k), with inf for all that is not finite."""
        found = f(candidates.flatten(0, 1)).reshape(candidates.shape[:2])
        self.evaluations += candidates.shape[1]
        return found.where(found.isfinite(), torch.inf)
