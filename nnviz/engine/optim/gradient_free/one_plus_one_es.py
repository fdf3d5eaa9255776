"""The (1+1) evolution strategy with the 1/5 success rule."""

import torch
from torch import Tensor

from nnviz.engine.optim.gradient_free.gradient_free_method import MAX_MAGNITUDE, Function, Method
from nnviz.spec import gradient_free as spec


class OnePlusOneES(Method):
    """One parent, one child, the better one survives (Rechenberg, 1973).

    A success is a child that is strictly lower: on a plateau the point stays and σ falls.
    """

    def __init__(self, settings: spec.OnePlusOneES, points: Tensor, generator: torch.Generator) -> None:
        super().__init__(points, generator)
        self.settings = settings
        self.sigma = self._per_start(settings.sigma)
        self.value = self._per_start(torch.inf)  # f(points), once it has been evaluated

    def move(self, f: Function) -> dict[str, Tensor]:
        """Returns `population` (starts, 1, dimensions), the child; `sigma` (starts,); `success` (starts,), 0 or 1."""
        if self.evaluations == 0:
            self.value = self._values(f, self.points[:, None])[:, 0]
        sigma = self.sigma
        child = self.points + sigma[:, None] * self._normal(*self.points.shape)
        value = self._values(f, child[:, None])[:, 0]
        success = value < self.value
        self.points = torch.where(success[:, None], child, self.points)
        self.value = torch.where(success, value, self.value)
        # ln σ is stationary where p ln a = (1 − p) ¼ ln a, that is at p = 1/5.
        a = self.settings.factor
        self.sigma = torch.where(success, sigma * a, sigma * a**-0.25).clamp(max=MAX_MAGNITUDE)
        return {"sigma": sigma, "population": child[:, None], "success": success.to(torch.float64)}
