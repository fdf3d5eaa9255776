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

    def run(self, kind: str) -> RunView | None:
        """The run that shows this kind of view: what there was before, as long as the new one is computed and has
        nothing to show. None where there is nothing of the kind and none is to come."""
        new, old = self.runs.get(kind), self.before.get(kind)
        if new is None or new.snapshot(SHOWN[kind]):
            return new
        if not new.status.live:
            return None
        return old if old is not None and old.snapshot(SHOWN[kind]) else new

    def snapshot(self, quantity: str) -> dict[str, np.ndarray]:
        """The newest picture of `quantity`, of whichever view shows it; {} when there is none."""
        for run in (*map(self.run, self.runs), *self.runs.values()):
            if run is not None and (found := run.snapshot(quantity)):
                return found
        return {}

    @property
    def awaited(self) -> set[str]:
        """Kinds of views that are shown as they were before."""
        return {kind for kind, new in self.runs.items() if (shown := self.run(kind)) and shown is not new}


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
