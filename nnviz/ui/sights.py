"""Landscape runs behind one picture: each view of a network is a run of its own, so that what has been seen once is
there again when the form comes back to it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from nnviz.runs import RunView
from nnviz.spec.jobs import Landscape
from nnviz.spec.landscapes import Line

SHOWN = {"plane": "plane", "lines": "lines", "path": "path_plane", "line": "line", "curvature": "curvature"}
"""What each kind of view shows, as its run records it."""


@dataclass(frozen=True)
class Sight:
    """A network as all of its views show it; read like a RunView. `runs` are RunViews by the kind of view, `before`
    those that were shown last, for what the new ones do not have yet."""

    id: str
    job: Landscape
    runs: Mapping[str, RunView]
    before: Mapping[str, RunView]
    step: int | None = None

    def at(self, step: int | None) -> "Sight":
        """The same seen from another step of training."""
        return replace(self, step=step)

    def snapshot(self, quantity: str) -> dict[str, np.ndarray]:
        """The newest picture of `quantity`, of whichever view has it; {} when there is none."""
        for run in (*self.runs.values(), *self._awaited.values()):
            if found := run.snapshot(quantity):
                return found
        return {}

    @property
    def _awaited(self) -> dict[str, RunView]:
        """What there was before of views that are computed now and have nothing to show yet."""
        return {
            kind: self.before[kind]
            for kind, run in self.runs.items()
            if kind in self.before and run.status.live and not run.snapshot(SHOWN[kind])
        }

    @property
    def is_behind(self) -> bool:
        """Whether something shown is of what was asked before."""
        return bool(self._awaited)


def parts(jobs: tuple[Landscape, ...]) -> list[dict[str, Landscape]]:
    """For each network asked for, a job for each of its views by kind. A line between two that are compared is the
    first one's alone."""
    found: list[dict[str, Landscape]] = []
    for number, job in enumerate(jobs):
        own = {}
        for view in job.views:
            if not isinstance(view, Line):
                own[view.kind] = job.model_copy(update={"views": (view,), "other": None})
            elif number == 0:
                other = jobs[1].network if len(jobs) > 1 else job.other
                own[view.kind] = job.model_copy(update={"views": (view,), "other": other})
        found.append(own)
    return found
