"""What all evolution has in common: points, a generator, and counted evaluations."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

Function = Callable[[Tensor], Tensor]
"""f: points (m, dimensions) -> values (m,), lower is better. What is not finite counts as worst."""

LARGEST = 1e32
"""Where σ stops to grow: on a slope without end it would leave the range of float64."""


class Method(ABC):
    """Points, one a start, that go down a function of which only values are known.

    `points` is (starts, dimensions) in float64: the best so far or the mean, which is the path to draw.
    `evaluations` counts how often f was asked, a start. No tensor is ever changed in place.
    """

    def __init__(self, points: Tensor, generator: torch.Generator) -> None:
        self.points = points.detach().to(torch.float64).clone()
        self.generator = generator
        self.evaluations = 0
        self.factor = 1.0
        """What a schedule multiplies the learning rate by; methods without one have no use of it."""

    @abstractmethod
    def move(self, f: Function) -> dict[str, Tensor]:
        """One generation: moves `points` and returns what was seen on the way, by name, with starts in front.

        `population` (starts, k, dimensions) holds the points that were tried; what it was drawn with (`sigma`,
        `covariance`) is as it was then.
        """

    def _normal(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self.generator, dtype=torch.float64)

    def _uniform(self, *shape: int) -> Tensor:
        return torch.rand(shape, generator=self.generator, dtype=torch.float64)

    def _per_start(self, value: float) -> Tensor:
        return torch.full((len(self.points),), value, dtype=torch.float64)

    def _values(self, f: Function, tried: Tensor) -> Tensor:
        """f of points (starts, k, dimensions) as (starts, k), with inf for all that is not finite."""
        found = f(tried.flatten(0, 1)).reshape(tried.shape[:2])
        self.evaluations += tried.shape[1]
        return found.where(found.isfinite(), torch.inf)
