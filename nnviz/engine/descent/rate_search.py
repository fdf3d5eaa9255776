"""A search for learning rates: every racer with each of the same rates, for the same number of steps."""

import platform
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from nnviz.engine import randomness, surfaces
from nnviz.engine.analysis.critical import lowest
from nnviz.engine.descent.movers import Movers
from nnviz.engine.descent.race import FAR
from nnviz.engine.device import EngineError
from nnviz.engine.schedules import factor
from nnviz.records import Record, Snapshot
from nnviz.spec.descent import RateSearch


class Search(Iterator[list[Record]]):
    """A search under way: each `next` does all rates of one racer and says what is known by then."""

    def __init__(self, job: RateSearch, checkpoint: bytes | None = None) -> None:
        self.job = job
        self.step, self.until = 0, -1
        self._shown = 0
        self.rates = np.geomspace(job.low, job.high, job.rates)
        self.final = np.full((job.steps, job.rates), np.nan)
        if checkpoint is not None:
            if not checkpoint.isdigit() or int(checkpoint) > job.steps:
                raise EngineError(f"the checkpoint is damaged or of another job: {checkpoint[:20]!r}")
            while self.step < int(checkpoint):
                next(self)

    @property
    def info(self) -> dict[str, Any]:
        """What the run file remembers of the machine and the job."""
        return {"device": f"cpu ({platform.machine()})", "torch": torch.__version__, "seed": self.job.race.seed}

    def __next__(self) -> list[Record]:
        if self.step >= self.job.steps:
            raise StopIteration
        self.final[self.step] = self._heights(self.step)
        self.step += 1
        return self.look()

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

    def look(self) -> list[Record]:
        """What is known by now, unless it has been said."""
        if self._shown == self.step:
            return []
        self._shown = self.step
        best = [int(np.nanargmin(row)) if np.isfinite(row).any() else -1 for row in self.final]
        arrays = {
            "rates": self.rates,
            "final": self.final.copy(),
            "best": np.array(best, np.int32),
            "lowest": lowest(self.job.race.surface).numpy(),
        }
        return [Snapshot(self.step, "rate_search", arrays)]

    def checkpoint(self) -> bytes:
        """The number of racers done: they are done again in no time."""
        return str(self.step).encode()

    def close(self) -> None:
        """Nothing is held."""
