"""OpenAI's evolution strategy: a gradient estimated from antithetic pairs."""

import torch
from torch import Tensor

from nnviz.engine.optim.gradient_free.gradient_free_method import Function, Method
from nnviz.spec import gradient_free as spec


class OpenES(Method):
    """Descent along an estimate of the gradient (Salimans et al., 2017, arXiv:1703.03864)."""

    def __init__(self, settings: spec.OpenES, points: Tensor, generator: torch.Generator) -> None:
        super().__init__(points, generator)
        self.settings = settings

    def move(self, f: Function) -> dict[str, Tensor]:
        """Returns `population` (starts, 2 · pairs, dimensions), all x + σz and then all x − σz; `sigma` (starts,);
        `estimate` (starts, dimensions), ĝ."""
        s = self.settings
        starts, dimensions = self.points.shape
        z = self._normal(starts, s.pairs, dimensions)
        candidates = self.points[:, None] + s.sigma * torch.cat([z, -z], dim=1)
        values = self._values(f, candidates)
        estimate = gradient(ranks(values) if s.ranks else values, z, s.sigma)
        updated = self.points - s.lr * self.factor * estimate
        self.points = torch.where(updated.isfinite().all(dim=1, keepdim=True), updated, self.points)
        return {"sigma": self._per_start(s.sigma), "population": candidates, "estimate": estimate}


def gradient(values: Tensor, z: Tensor, sigma: float) -> Tensor:
    """ĝ (starts, dimensions): the mean of z · (f(x + σz) − f(x − σz)) / 2σ over the pairs whose difference is finite.

    `values` (starts, 2 · pairs) are f at x + σz and then at x − σz; z is (starts, pairs, dimensions). Zero where no
    pair has a finite difference, or where their mean leaves the range of float64.
    """
    above, below = values.chunk(2, dim=1)
    slopes = (above - below) / (2 * sigma)
    is_finite = slopes.isfinite()
    slopes = slopes.where(is_finite, 0.0)
    estimate = (slopes[:, :, None] * z).sum(dim=1) / is_finite.sum(dim=1, keepdim=True).clamp(min=1)
    return estimate.where(estimate.isfinite().all(dim=1, keepdim=True), 0.0)


def ranks(values: Tensor) -> Tensor:
    """Ranks of (starts, k) within each start, spread evenly from −½ for the lowest to ½; ties share their mean rank."""
    ordered = values.sort(dim=1).values
    values = values.contiguous()
    first, behind = (torch.searchsorted(ordered, values, right=right) for right in (False, True))
    return ((first + behind - 1) / 2).to(torch.float64) / (values.shape[1] - 1) - 0.5
