"""A landscape job under way: its networks are trained, then looked at from each side."""

import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import torch

from nnviz.engine import device
from nnviz.engine.device import EngineError
from nnviz.engine.survey import slices
from nnviz.engine.survey.curvatures import curvature
from nnviz.engine.survey.retraining import Trained, remembered, retrain
from nnviz.engine.survey.slices import Told
from nnviz.records import Record, Snapshot
from nnviz.spec import landscapes as spec
from nnviz.spec.jobs import Landscape, estimate

TURN = 0.03
"""Seconds of work in one go, so that others in the same process have their turn and a pause comes soon."""


class Survey(Iterator[list[Record]]):
    """A survey under way: each `next` works for a moment. `step` counts steps of training and points evaluated.

    The same job on the CPU gives the same pictures, in turns of any length.
    """

    def __init__(self, job: Landscape, checkpoint: bytes | None = None) -> None:
        self.job = job
        self.device = device.choose(job.device)
        self.step, self.until = 0, -1
        self._parameters = estimate(job).parameters
        self._work = self._works()
        self._left: list[Record] = []
        if checkpoint is not None:
            self._take_up(checkpoint)

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
        said, self._left = self._left, []
        if self.step >= self.job.steps and not said:
            self.close()
            raise StopIteration
        deadline = time.monotonic() + TURN
        with _threads(self._parameters * self.job.samples):
            for advanced, pictures in self._work:
                self.step += advanced
                said += [Snapshot(self.step, name, arrays) for name, arrays in pictures.items()]
                if time.monotonic() > deadline:
                    break
            else:
                self.step = self.job.steps
        return said

    def look(self) -> list[Record]:
        """Nothing: pictures come when a level of them is complete."""
        return []

    def checkpoint(self) -> bytes:
        """How far it is: what was done is done again, which takes less than to keep it."""
        return str(self.step).encode()

    def close(self) -> None:
        """There is no more work."""
        self._work.close()

    def _take_up(self, checkpoint: bytes) -> None:
        if not checkpoint.isdigit() or int(checkpoint) > self.job.steps:
            raise EngineError(f"the checkpoint is damaged or of another job: {checkpoint[:20]!r}")
        while self.step < int(checkpoint):
            self._left += [record for record in next(self) if record.step > int(checkpoint)]

    def _works(self) -> Iterator[Told]:
        """All of the work, piece by piece."""
        trained = []
        for number, network in enumerate(self.job.networks):
            found = remembered(network, self.job.samples, self.device)
            if found is None:
                for found in retrain(network, self.job.samples, self.device):
                    if not isinstance(found, Trained):
                        yield 1, {}
            else:
                yield network.at, {}
            trained.append(found)
            if number == 0:
                yield 0, {"training": found.arrays()}
        for view in self.job.views:
            yield from _seen(view, trained)


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


@contextmanager
def _threads(work: int) -> Iterator[None]:
    """As many threads as this work wants; then those again that others in the process count on, whose sums would come
    out in another order."""
    before = torch.get_num_threads()
    device.set_threads(work)
    try:
        yield
    finally:
        torch.set_num_threads(before)
