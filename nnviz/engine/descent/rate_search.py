"""A search for learning rates: every racer with each of the same rates, for the same number of steps."""

import numpy as np
import torch

from nnviz.engine import randomness, surfaces
from nnviz.engine.analysis.critical import lowest
from nnviz.engine.descent.movers import Movers
from nnviz.engine.descent.race import FAR
from nnviz.engine.running import ReplayedJob
from nnviz.engine.schedules import factor
from nnviz.records import Record, Snapshot
from nnviz.spec.descent import RateSearch


class Search(ReplayedJob):
    """A search that runs: each `next` does all rates of one racer and returns what is known by then."""

    def __init__(self, job: RateSearch, checkpoint: bytes | None = None) -> None:
        super().__init__(job, checkpoint)
        self.rates = np.geomspace(job.low, job.high, job.rates)
        self.final = np.full((job.steps, job.rates), np.nan)

    def _work(self) -> list[Record]:
        self.final[self.done] = self._heights(self.done)
        self.done += 1
        return self._look()

    def _heights(self, racer: int) -> np.ndarray:
        """Height after the last step for each rate, (rates,); nan where a racer has left or has no rate."""
        race = self.job.race
        one = race.racers[racer]
        if not hasattr(one.method, "lr"):
            return np.full(len(self.rates), np.nan)
        # More racers than a race may have, but the same machinery.
        copies = race.model_copy(update={"racers": (one,) * len(self.rates), "grid": 0}).rated(self.rates.tolist())
        movers = Movers(copies, torch.tensor([race.start], dtype=torch.float64))
        noise = randomness.generator(race.seed, "noise")
        away = torch.zeros(len(self.rates), dtype=torch.bool)
        for step in range(race.steps):
            push = torch.randn(1, 2, dtype=torch.float64, generator=noise) if race.noise else None
            movers.advance(factor(race.schedule, step, race.steps), push)
            away |= ~(movers.points[:, 0].abs() <= FAR).all(-1)  # for good, as in a race; nan is away too
        found = surfaces.values(race.surface, movers.points[:, 0]).numpy()
        return np.where(np.isfinite(found) & ~away.numpy(), found, np.nan)

    def _look(self) -> list[Record]:
        """Snapshot "rate_search": rates (k,), final heights (racers, k), the best rate's index of each racer (racers,),
        −1 for none, and the lowest height of a minimum (0 or 1,)."""
        if not self.done:
            return []
        best = [int(np.nanargmin(row)) if np.isfinite(row).any() else -1 for row in self.final]
        arrays = {
            "rates": self.rates,
            "final": self.final.copy(),
            "best": np.array(best, np.int32),
            "lowest": lowest(self.job.race.surface).numpy(),
        }
        return [Snapshot(self.done, "rate_search", arrays)]
