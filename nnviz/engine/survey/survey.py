"""A landscape job under way: its networks are trained, then looked at from each side."""

import platform
import time
from collections.abc import Iterator
from importlib.metadata import version
from itertools import chain
from typing import Any

import torch

from nnviz.engine import device
from nnviz.engine.device import EngineError
from nnviz.engine.survey import slices
from nnviz.engine.survey.curvatures import curvature
from nnviz.engine.survey.retraining import Trained, retraining
from nnviz.engine.survey.slices import Told
from nnviz.engine.survey.threads import threads
from nnviz.records import Record, Snapshot
from nnviz.spec import landscapes as spec
from nnviz.spec.jobs import Landscape, estimate

TURN = 0.03
"""Seconds of work in one go, so that others in the same process have their turn and a pause comes soon."""


class Survey(Iterator[list[Record]]):
    """A survey under way: each `next` works for a moment. `step` counts steps of training and points evaluated.

    The same job on the CPU gives the same pictures, in turns of any length. To go on from a checkpoint the work is done
    again, which takes less than to keep it; until it is back there, it stays at the checkpoint's step and says nothing.
    """

    def __init__(self, job: Landscape, checkpoint: bytes | None = None) -> None:
        self.job = job
        self.device = device.choose(job.device)
        self.until = -1
        self._parameters = estimate(job).parameters
        self._done = 0
        # A checkpoint of step 0 may have been made before anything was said.
        self._said_until = (0 if checkpoint is None else _step(checkpoint, job.steps)) or -1
        for view in job.views:
            if isinstance(view, spec.PathPlane):
                slices.check_path(job.network)
            elif isinstance(view, spec.Line):
                slices.check_line(*job.networks)
        self._work = self._works()
        self._put_off: list[Told] = []
        self._trouble: EngineError | None = None
        self._is_over = False

    @property
    def step(self) -> int:
        """How far it is."""
        return max(self._done, self._said_until)

    @property
    def info(self) -> dict[str, Any]:
        """What the run file remembers of the machine and the job."""
        name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else platform.machine()
        return {
            "device": f"{self.device} ({name})",
            "torch": torch.__version__,
            "python": platform.python_version(),
            "nnviz": version("nnviz"),
            "parameters": self._parameters,
            "seed": self.job.network.seed,
        }

    def __next__(self) -> list[Record]:
        if self._trouble:
            raise self._trouble
        if self._is_over:
            raise StopIteration
        said: list[Record] = []
        try:
            with threads(self._parameters * self.job.samples):
                for advanced, pictures in self._turn():
                    self._done += advanced
                    if self._done > self._said_until:
                        said += [Snapshot(self._done, name, arrays) for name, arrays in pictures.items()]
        except EngineError as error:  # told after what was seen before it
            self.close()
            self._trouble = error
        if not said and self._is_over:
            return next(self)
        return said

    def _turn(self) -> Iterator[Told]:
        """Work for a moment. All that comes at a step comes in one turn: a checkpoint in between would lose it or have
        it said twice."""
        deadline, is_first = time.monotonic() + TURN, True
        for piece in chain(self._put_off, self._work):
            advanced, pictures = piece
            if time.monotonic() > deadline and not is_first and (advanced or not pictures):
                self._put_off = [piece]
                return
            is_first = False
            yield piece
        self.close()

    def look(self) -> list[Record]:
        """Nothing: pictures come when a level of them is complete."""
        return []

    def checkpoint(self) -> bytes:
        """How far it is."""
        return str(self.step).encode()

    def close(self) -> None:
        """There is no more work."""
        self._is_over = True
        self._work.close()

    def _works(self) -> Iterator[Told]:
        """All of the work, piece by piece."""
        trained = []
        for number, network in enumerate(self.job.networks):
            training, step = retraining(network, self.job.samples, self.device), 0
            while training.trained is None:
                training.advance()
                moved, step = training.step - step, training.step  # others may have moved it on too
                if moved:
                    yield moved, {}
            if step < network.at:
                yield network.at - step, {}
            trained.append(training.trained)
            if number == 0:
                yield 0, {"training": training.trained.arrays()}
        for view in self.job.views:
            yield from _seen(view, trained)


def _step(checkpoint: bytes, steps: int) -> int:
    if not checkpoint.isdigit() or len(checkpoint) > len(str(steps)) or int(checkpoint) > steps:
        raise EngineError(f"the checkpoint is damaged or of another job: {checkpoint[:20]!r}")
    return int(checkpoint)


def _seen(view: spec.View, trained: list[Trained]) -> Iterator[Told]:
    match view:
        case spec.RandomPlane():
            return slices.random_plane(view, trained[0])
        case spec.RandomLines():
            return slices.random_lines(view, trained[0])
        case spec.PathPlane():
            return slices.path_plane(view, trained[0])
        case spec.Line():
            return slices.line(view, *trained)
        case spec.Curvature():
            return curvature(view, trained[0])
    raise TypeError(f"nothing shows {view!r}")
