"""A search for learning rates: every optimizer with each of the same rates, for the same number of steps."""

import numpy as np
import torch

from nnviz.engine import randomness
from nnviz.engine.optim.schedules import factor
from nnviz.engine.running_job import ReplayedJob
from nnviz.engine.trajectories import surfaces
from nnviz.engine.trajectories.critical_points import lowest
from nnviz.engine.trajectories.point_optimizers import PointOptimizers
from nnviz.engine.trajectories.trajectory_run import FAR
from nnviz.records import Record, Snapshot
from nnviz.spec.trajectories import RateSearch


class Search(ReplayedJob):
    """A search that runs: each `next` does all rates of one optimizer and returns what is known by then."""

    def __init__(self, job: RateSearch, checkpoint: bytes | None = None) -> None:
        super().__init__(job, checkpoint)
        self.rates = np.geomspace(job.low, job.high, job.rates)
        self.final = np.full((job.steps, job.rates), np.nan)

    def _work(self) -> list[Record]:
        self.final[self.done] = self._heights(self.done)
        self.done += 1
        return self._look()

    def _heights(self, optimizer: int) -> np.ndarray:
        """Height after the last step for each rate, (rates,); nan where an optimizer has left or has no rate."""
        trajectories = self.job.trajectories
        one = trajectories.optimizers[optimizer]
        if not hasattr(one.method, "lr"):
            return np.full(len(self.rates), np.nan)
        # More optimizers than a race may have, but the same machinery.
        copies = trajectories.model_copy(update={"optimizers": (one,) * len(self.rates), "grid": 0}).rated(
            self.rates.tolist()
        )
        point_optimizers = PointOptimizers(copies, torch.tensor([trajectories.start], dtype=torch.float64))
        noise = randomness.generator(trajectories.seed, "noise")
        away = torch.zeros(len(self.rates), dtype=torch.bool)
        for step in range(trajectories.steps):
            push = torch.randn(1, 2, dtype=torch.float64, generator=noise) if trajectories.noise else None
            point_optimizers.advance(factor(trajectories.schedule, step, trajectories.steps), push)
            away |= ~(point_optimizers.points[:, 0].abs() <= FAR).all(-1)  # for good, as in a race; nan is away too
        found = surfaces.values(trajectories.surface, point_optimizers.points[:, 0]).numpy()
        return np.where(np.isfinite(found) & ~away.numpy(), found, np.nan)

    def _look(self) -> list[Record]:
        """Snapshot "rate_search": rates (k,), final heights (optimizers, k), the best rate's index of each optimizer
        (optimizers,), −1 for none, and the lowest height of a minimum (0 or 1,)."""
        if not self.done:
            return []
        best = [int(np.nanargmin(row)) if np.isfinite(row).any() else -1 for row in self.final]
        arrays = {
            "rates": self.rates,
            "final": self.final.copy(),
            "best": np.array(best, np.int32),
            "lowest": lowest(self.job.trajectories.surface).numpy(),
        }
        return [Snapshot(self.done, "rate_search", arrays)]
