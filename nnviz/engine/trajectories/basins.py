"""Basins of attraction: the minimum that each point of a grid of starts converges to, and after how many steps."""

import numpy as np
import torch
from torch import Tensor

from nnviz.engine.trajectories import surfaces
from nnviz.engine.trajectories.critical_points import find_critical_points, split_curves
from nnviz.engine.trajectories.nearest_minimum import RadiusSearch
from nnviz.engine.trajectories.point_optimizers import PointOptimizers
from nnviz.spec.trajectories import Trajectories

ARRIVAL_RADIUS = 0.01
"""A point has arrived if it stays within this distance of a minimum, in units of the view's smaller side."""


class Basins:
    """Every optimizer, started from every point of a grid over the view."""

    def __init__(self, job: Trajectories) -> None:
        self.job = job
        self.x, self.y = surfaces.grid(job.surface.window, job.grid)
        starts = torch.stack(torch.meshgrid(self.x, self.y, indexing="xy"), -1).reshape(-1, 2)
        self.point_optimizers = PointOptimizers(job, starts)
        critical_points = find_critical_points(job.surface)
        self.minima, self.minimum_curves = critical_points.minima, critical_points.minimum_curves
        curves = split_curves(critical_points.minimum_curves)
        owners = [torch.arange(len(self.minima))]
        owners += [torch.full((len(curve),), len(self.minima) + number) for number, curve in enumerate(curves)]
        left, right, bottom, top = job.surface.window
        radius = ARRIVAL_RADIUS * min(right - left, top - bottom)
        self.search = RadiusSearch(torch.cat([self.minima, *curves]), torch.cat(owners), radius)
        # A flat region has the last number; a point is on it if its value is no higher.
        self.flat_value = surfaces.values(job.surface, critical_points.flat_region[:1])
        self.flat_region = len(self.minima) + len(curves)
        self.step = 0
        self.assigned = torch.full((len(job.optimizers), len(starts)), -1)
        self.since = torch.zeros_like(self.assigned)
        self._assign()

    def advance(self, rate: float, noise: Tensor | None) -> None:
        """One step of all."""
        self.step += 1
        self.point_optimizers.advance(rate, noise)
        self._assign()

    def _assign(self) -> None:
        """Updates the minimum that each point is at, −1 for none, and the step since which it is there."""
        points = self.point_optimizers.points
        which = self.search.find(points)
        if len(self.flat_value):
            values = surfaces.values(self.job.surface, points.reshape(-1, 2)).reshape(which.shape)
            which = torch.where((which < 0) & (values <= self.flat_value), self.flat_region, which)
        self.since[which != self.assigned] = self.step
        self.assigned = which

    def arrays(self) -> dict[str, np.ndarray]:
        """x and y (k,), minima (m, 2), curves of minima (n, 2) with a row of nan between two, and by optimizer, row of
        y and x, (optimizers, k, k): the number of the minimum, −1 for none, and the step of arrival, −1 for none.
        Curves are numbered after the isolated minima, a flat region after those."""
        shape = (len(self.job.optimizers), self.job.grid, self.job.grid)
        return {
            "x": self.x.numpy(),
            "y": self.y.numpy(),
            "minima": self.minima.numpy(),
            "minimum_curves": self.minimum_curves.numpy(),
            "minimum": self.assigned.reshape(shape).numpy().astype(np.int32),
            "steps": torch.where(self.assigned >= 0, self.since, -1).reshape(shape).numpy().astype(np.int32),
        }
