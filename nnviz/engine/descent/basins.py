"""Basins of attraction: at which minimum each point of a grid arrives, and how soon."""

import numpy as np
import torch
from torch import Tensor

from nnviz.engine import surfaces
from nnviz.engine.analysis.critical import critical
from nnviz.engine.descent.movers import Movers
from nnviz.spec.descent import Descent

NEAR = 0.01
"""A point has arrived if it stays within this share of the picture's smaller side of a minimum."""


class Basins:
    """Every racer started from every point of a grid over the picture."""

    def __init__(self, job: Descent) -> None:
        self.job = job
        self.x, self.y = surfaces.grid(job.surface.window, job.grid)
        starts = torch.stack(torch.meshgrid(self.x, self.y, indexing="xy"), -1).reshape(-1, 2)
        self.movers = Movers(job, starts)
        self.minima = critical(job.surface).minima
        left, right, bottom, top = job.surface.window
        self.near = NEAR * min(right - left, top - bottom)
        self.step = 0
        self.nearest = torch.full((len(job.racers), len(starts)), -1)
        self.since = torch.zeros_like(self.nearest)
        self._look()

    def advance(self, rate: float, noise: Tensor | None) -> None:
        """One step of all."""
        self.step += 1
        self.movers.advance(rate, noise)
        self._look()

    def _look(self) -> None:
        """Notes at which minimum each point is, −1 for none, and since when."""
        if not len(self.minima):
            return
        distance, which = torch.cdist(self.movers.points, self.minima).min(-1)
        which = torch.where(distance <= self.near, which, -1)  # nan is near to nothing
        self.since[which != self.nearest] = self.step
        self.nearest = which

    def arrays(self) -> dict[str, np.ndarray]:
        """x and y (k,), minima (m, 2), and by racer, row of y and x, (racers, k, k): the number of the minimum, −1 for
        none, and the step of arrival, −1 for none."""
        shape = (len(self.job.racers), self.job.grid, self.job.grid)
        return {
            "x": self.x.numpy(),
            "y": self.y.numpy(),
            "minima": self.minima.numpy(),
            "minimum": self.nearest.reshape(shape).numpy().astype(np.int32),
            "steps": torch.where(self.nearest >= 0, self.since, -1).reshape(shape).numpy().astype(np.int32),
        }
