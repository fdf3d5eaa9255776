"""What all evolution has in common: points, a generator, counted evaluations, and a state that can be kept."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

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

    memory: ClassVar[tuple[str, ...]]
    """Names of the attributes, tensors or whole numbers, that one move leaves to the next, beside `points`."""

    def __init__(self, points: Tensor, generator: torch.Generator) -> None:
        self.points = points.detach().to(torch.float64).clone()
        self.generator = generator
        self.evaluations = 0

    @abstractmethod
    def move(self, f: Function) -> dict[str, Tensor]:
        """One generation: moves `points` and returns what was seen on the way, by name, with starts in front.

        `population` (starts, k, dimensions) holds the points that were tried; what it was drawn with (`sigma`,
        `covariance`) is as it was then.
        """

    def state_dict(self) -> dict[str, Any]:
        """All that decides the next moves, as tensors and whole numbers."""
        kept = {name: getattr(self, name) for name in ("points", "evaluations", *self.memory)}
        return {**kept, "generator": self.generator.get_state()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes back to what `state_dict` returned: the next moves are the same to the bit."""
        for name in ("points", "evaluations", *self.memory):
            setattr(self, name, state[name])
        self.generator.set_state(state["generator"])

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
