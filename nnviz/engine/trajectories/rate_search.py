"""A search for learning rates: every optimizer with each of the same rates, for the same number of steps."""

import numpy as np
import torch

from nnviz.engine import randomness
from nnviz.engine.optim.schedules import factor
from nnviz.engine.running_job import ReplayedJob
from nnviz.engine.trajectories import surfaces
from nnviz.engine.trajectories.critical_points import minimum_value
from nnviz.engine.trajectories.point_optimizers import PointOptimizers
from nnviz.engine.trajectories.trajectory_run import DIVERGENCE_LIMIT
from nnviz.records import Record, Snapshot
from nnviz.spec.trajectories import RateSearch


class RateSearchRun(ReplayedJob):
    """A learning-rate search: each `next` runs one optimizer with all rates and returns the results so far."""

    def __init__(self, job: RateSearch, checkpoint: bytes | None = None) -> None:
        super().__init__(job, checkpoint)
        self.rates = np.geomspace(job.low, job.high, job.rates)
        self.final = np.full((job.steps, job.rates), np.nan)

    def _work(self) -> list[Record]:
        self.final[self.done] = self._final_values(self.done)
        self.done += 1
        return self._current_records()

    def _final_values(self, index: int) -> np.ndarray:
        """f after the last step for each rate, (rates,); nan where the optimizer diverged or has no learning rate."""
        trajectories = self.job.trajectories
        optimizer = trajectories.optimizers[index]
        if not hasattr(optimizer.method, "lr"):
            return np.full(len(self.rates), np.nan)
        # `model_copy` does not validate: a job may have fewer optimizers than there are rates.
        copies = trajectories.model_copy(update={"optimizers": (optimizer,) * len(self.rates), "grid": 0}).rated(
            self.rates.tolist()
        )
        point_optimizers = PointOptimizers(copies, torch.tensor([trajectories.start], dtype=torch.float64))
        noise_generator = randomness.generator(trajectories.seed, "noise")
        has_exited = torch.zeros(len(self.rates), dtype=torch.bool)
        for step in range(trajectories.steps):
            noise = torch.randn(1, 2, dtype=torch.float64, generator=noise_generator) if trajectories.noise else None
            point_optimizers.advance(factor(trajectories.schedule, step, trajectories.steps), noise)
            has_exited |= ~(point_optimizers.points[:, 0].abs() <= DIVERGENCE_LIMIT).all(
                -1
            )  # as in TrajectoryRun; nan too
        found = surfaces.values(trajectories.surface, point_optimizers.points[:, 0]).numpy()
        return np.where(np.isfinite(found) & ~has_exited.numpy(), found, np.nan)

    def _current_records(self) -> list[Record]:
        """Snapshot "rate_search": rates (k,), final values of f (optimizers, k), the index of each optimizer's best
        rate (optimizers,), −1 for none, and the value at the global minimum (0 or 1,)."""
        if not self.done:
            return []
        best = [int(np.nanargmin(row)) if np.isfinite(row).any() else -1 for row in self.final]
        arrays = {
            "rates": self.rates,
            "final": self.final.copy(),
            "best": np.array(best, np.int32),
            "minimum_value": minimum_value(self.job.trajectories.surface).numpy(),
        }
        return [Snapshot(self.done, "rate_search", arrays)]
