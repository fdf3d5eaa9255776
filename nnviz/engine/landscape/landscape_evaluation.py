"""A running Landscape job: its networks are trained again, then its views are evaluated."""

import time
from collections.abc import Iterator
from itertools import chain
from typing import Any

from nnviz.engine.attachments import ReadFile, no_files
from nnviz.engine.device import EngineError
from nnviz.engine.landscape import slice_views
from nnviz.engine.landscape.curvature_view import curvature
from nnviz.engine.landscape.retraining import Trained, retraining
from nnviz.engine.landscape.slice_views import Progress
from nnviz.engine.landscape.thread_counts import threads
from nnviz.engine.running_job import ReplayedJob
from nnviz.records import Record, Snapshot
from nnviz.spec import landscapes as spec
from nnviz.spec.jobs import Landscape

TURN_SECONDS = 0.03
"""Seconds of work per call of `next`, so that other jobs of the process can run in between and a pause comes soon."""


class LandscapeEvaluation(ReplayedJob):
    """A running Landscape job. `step` counts steps of training and evaluated points.

    The same job on the CPU gives the same snapshots, however long the turns are.
    """

    def __init__(self, job: Landscape, checkpoint: bytes | None = None, read_file: ReadFile = no_files) -> None:
        super().__init__(job, checkpoint)
        self._read_file = read_file
        self._parameters = job.estimate().parameters
        for view in job.views:
            if isinstance(view, spec.PathPlane):
                slice_views.check_path(job.network)
            elif isinstance(view, spec.Line):
                slice_views.check_line(*job.networks)
        self._progress = self._views()
        self._postponed: list[Progress] = []
        self._error: EngineError | None = None

    @property
    def info(self) -> dict[str, Any]:
        """The machine, the job, and the number of parameters of a network."""
        return super().info | {"parameters": self._parameters}

    def _advance(self) -> list[Record]:
        records = [] if self._error else super()._advance()
        if self._error and not records:  # raised after earlier records have been returned
            self.close()
            raise self._error
        return records

    def _work(self) -> list[Record]:
        records: list[Record] = []
        try:
            with threads(self.job.network.learner.size.work * self.job.samples):
                for advanced, snapshots in self._turn():
                    self.done += advanced
                    records += [Snapshot(self.done, name, arrays) for name, arrays in snapshots.items()]
        except EngineError as error:
            self._error = error
        return records

    def _current_records(self) -> list[Record]:
        """None: snapshots come when a resolution level is complete."""
        return []

    def _turn(self) -> Iterator[Progress]:
        """The progress of one turn. All records of a step come in one turn: with a checkpoint in between they would be
        lost or returned twice."""
        deadline, is_first = time.monotonic() + TURN_SECONDS, True
        for piece in chain(self._postponed, self._progress):
            advanced, snapshots = piece
            if time.monotonic() > deadline and not is_first and (advanced or not snapshots):
                self._postponed = [piece]
                return
            is_first = False
            yield piece
        self.close()

    def close(self) -> None:
        """Stops the work."""
        super().close()
        self._progress.close()

    def _views(self) -> Iterator[Progress]:
        """All work, in small pieces."""
        trained = []
        for number, network in enumerate(self.job.networks):
            training, step = retraining(network, self.job.samples, self.device, self._read_file), 0
            while training.trained is None:
                training.advance()
                # Other jobs that share the training may have advanced it too.
                advanced, step = training.step - step, training.step
                if advanced:
                    yield advanced, {}
            if step < network.at:
                yield network.at - step, {}
            trained.append(training.trained)
            if number == 0:
                yield 0, {"training": training.trained.arrays()}
        for view in self.job.views:
            yield from _evaluate_view(view, trained)


def _evaluate_view(view: spec.View, trained: list[Trained]) -> Iterator[Progress]:
    match view:
        case spec.RandomPlane():
            return slice_views.random_plane(view, trained[0])
        case spec.RandomLines():
            return slice_views.random_lines(view, trained[0])
        case spec.PathPlane():
            return slice_views.path_plane(view, trained[0])
        case spec.Line():
            return slice_views.line(view, *trained)
        case spec.Curvature():
            return curvature(view, trained[0])
    raise TypeError(f"no evaluation of {view!r}")
