"""RunView: what there is to see of a run, from a step."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nnviz.runs.reading.cache import Cache, cache
from nnviz.runs.storage.result import Result, metric
from nnviz.runs.storage.status import Status
from nnviz.spec.jobs import Job

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class RunView:
    """A run as seen from `step` (None: the newest). Cheap to make: what was read before is remembered by the process.

    `steps` are the steps that have pictures, 0 among them, ascending.
    """

    id: str
    job: Job
    status: Status
    step: int | None
    steps: list[int]
    _cache: Cache

    def at(self, step: int | None) -> "RunView":
        """The same run seen from another step."""
        return replace(self, step=step)

    def scalars(self, *quantities: str, sites: Iterable[str] | None = None) -> "pd.DataFrame":
        """The scalars of `quantities` (all if none is named) at `sites` (None: all): the whole run, beyond `step` too.

        Columns step, quantity and site (categorical), value, member, in the order recorded. For reading: frames
        share memory.
        """
        return self._cache.scalars(quantities, sites)

    @property
    def result(self) -> Result | None:
        """What the run has come to, by its main metric, of one that stopped early at its best step; None where nothing
        is known yet."""
        if (of := metric(self.status.info)) is None:
            return None
        frame = self.scalars(of.quantity, sites=None if of.site is None else [of.site])
        if self.status.early_stop is not None:
            frame = frame[(frame["step"] <= self.status.early_stop.best_step).to_numpy()]
        best = of.best(frame.drop_duplicates(["site", "member"], keep="last")["value"])
        return None if best is None else Result(of.label, float(best), of.is_fraction)

    @property
    def best(self) -> tuple[int, float] | None:
        """The step with the lowest test loss so far, and that loss; None without early stopping."""
        frame = self.scalars("best_step", "best_loss")
        if not (self.job.keeps_best and len(frame)):
            return None
        last = frame.drop_duplicates("quantity", keep="last").set_index("quantity")["value"]
        return int(last["best_step"]), float(last["best_loss"])

    def snapshot(self, quantity: str, site: str | None = None) -> dict[str, np.ndarray]:
        """The newest snapshot of `quantity` at or before `step`: read-only arrays by name, {} when there is none yet.

        `site` may be left out where only one site has snapshots of `quantity`; otherwise RunError names them.
        """
        return dict(self._cache.snapshot(self._cache.place(quantity, site), self.step))

    def snapshot_step(self, quantity: str, site: str | None = None) -> int | None:
        """The step of what `snapshot` gives."""
        return self._cache.step_at(self._cache.place(quantity, site), self.step)

    def sites(self, quantity: str) -> list[str]:
        """The sites that have snapshots of `quantity`, in alphabetical order."""
        return self._cache.sites(quantity)


def view(path: Path) -> RunView:
    """What there is to see now of the run file at `path`. Raises RunError."""
    known = cache(path)
    with known.lock:
        status = known.refresh()
        return RunView(path.stem, known.job, status, None, known.all_steps, known)
