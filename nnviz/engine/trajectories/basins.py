"""Basins of attraction: at which minimum each point of a grid arrives, and how soon."""

import numpy as np
import torch
from torch import Tensor

from nnviz.engine.trajectories import surfaces
from nnviz.engine.trajectories.critical_points import critical, lines
from nnviz.engine.trajectories.nearest_minimum import Nearby
from nnviz.engine.trajectories.point_optimizers import PointOptimizers
from nnviz.spec.trajectories import Trajectories

NEAR = 0.01
"""A point has arrived if it stays within this share of the picture's smaller side of a minimum."""


class Basins:
    """Every optimizer started from every point of a grid over the picture."""

    def __init__(self, job: Trajectories) -> None:
        self.job = job
        self.x, self.y = surfaces.grid(job.surface.window, job.grid)
        starts = torch.stack(torch.meshgrid(self.x, self.y, indexing="xy"), -1).reshape(-1, 2)
        self.point_optimizers = PointOptimizers(job, starts)
        found = critical(job.surface)
        self.minima, self.valleys = found.minima, found.valleys
        curves = lines(found.valleys)
        owners = [torch.arange(len(self.minima))]
        owners += [torch.full((len(curve),), len(self.minima) + number) for number, curve in enumerate(curves)]
        left, right, bottom, top = job.surface.window
        near = NEAR * min(right - left, top - bottom)
        self.nearby = Nearby(torch.cat([self.minima, *curves]), torch.cat(owners), near)
        # A plain comes last: who is as low as it is on it.
        self.level = surfaces.values(job.surface, found.plain[:1])
        self.plain = len(self.minima) + len(curves)
        self.step = 0
        self.nearest = torch.full((len(job.optimizers), len(starts)), -1)
        self.since = torch.zeros_like(self.nearest)
        self._look()

    def advance(self, rate: float, noise: Tensor | None) -> None:
        """One step of all."""
        self.step += 1
        self.point_optimizers.advance(rate, noise)
        self._look()

    def _look(self) -> None:
        """Notes at which minimum each point is, −1 for none, and since when."""
        points = self.point_optimizers.points
        which = self.nearby.find(points)
        if len(self.level):
            heights = surfaces.values(self.job.surface, points.reshape(-1, 2)).reshape(which.shape)
            which = torch.where((which < 0) & (heights <= self.level), self.plain, which)
        self.since[which != self.nearest] = self.step
        self.nearest = which

    def arrays(self) -> dict[str, np.ndarray]:
        """x and y (k,), minima (m, 2), curves of minima (n, 2) with a row of nan between two, and by optimizer, row of
        y and x, (optimizers, k, k): the number of the minimum, −1 for none, and the step of arrival, −1 for none.
        Curves are numbered after the isolated minima, a plain after those."""
        shape = (len(self.job.optimizers), self.job.grid, self.job.grid)
        return {
            "x": self.x.numpy(),
            "y": self.y.numpy(),
            "minima": self.minima.numpy(),
            "valleys": self.valleys.numpy(),
            "minimum": self.nearest.reshape(shape).numpy().astype(np.int32),
            "steps": torch.where(self.nearest >= 0, self.since, -1).reshape(shape).numpy().astype(np.int32),
        }
