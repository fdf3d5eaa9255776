"""What every running job has, whatever its kind: how it is stepped, looked at, described, checkpointed and closed."""

import platform
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any, Self

import torch

from nnviz.engine import checkpoints, device
from nnviz.records import Metric, Record
from nnviz.spec.jobs import Job


class RunningJob(Iterator[list[Record]], ABC):
    """A job that runs: each `next` works for a moment and returns its records. Pause by not calling it.

    `step` is how far it is, of `job.steps`. `until` names a step after which the caller will look closely.
    """

    step: int

    def __init__(self, job: Job, work: int = 0) -> None:
        """`work` is about how many multiply-adds a step takes: with the machine it decides the number of threads, which
        each call sets anew, since sums over more of them come out in another order and other jobs take turns."""
        self.job, self._operations = job, work
        device.set_threads(work)
        self.device = device.choose(job.device)
        self.until = -1
        self.is_closed = False

    @property
    def info(self) -> dict[str, Any]:
        """What the run file remembers of the machine and the job; a kind adds what only it has."""
        name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else platform.machine()
        return {
            "device": f"{self.device} ({name})",
            "torch": torch.__version__,
            "python": platform.python_version(),
            "nnviz": version("nnviz"),
            "seed": self.job.seed,
            "metric": self.metric and self.metric._asdict(),
        }

    @property
    def metric(self) -> Metric | None:
        """The scalar that stands for the run in a list; None where there is none."""
        return None

    @property
    def is_flushed(self) -> bool:
        """Whether all that was measured has been returned, so that a checkpoint made now loses no record."""
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __next__(self) -> list[Record]:
        if self.is_closed or self.step >= self.job.steps:
            self.close()
            raise StopIteration
        device.set_threads(self._operations)
        return self._advance()

    def look(self) -> list[Record]:
        """What there is to see of the present step, unless it has been returned already."""
        device.set_threads(self._operations)
        return self._see()

    def rest(self) -> list[Record]:
        """What was measured and not returned, once a step or a look has failed."""
        return []

    def checkpoint(self) -> bytes:
        """The state after the present step, which `run` resumes the job from."""
        return checkpoints.pack(self.job.kind, self.step, self._state())

    def weights(self) -> bytes | None:
        """What the job trains, as `torch.save` writes a state dict on the CPU; None where it trains nothing."""
        return None

    def close(self) -> None:
        """Lets go of what is held; there are no more steps."""
        self.is_closed = True

    @abstractmethod
    def _advance(self) -> list[Record]:
        """Works for a moment; never called when the job is closed or has done its steps."""

    @abstractmethod
    def _see(self) -> list[Record]:
        """What `look` returns."""

    @abstractmethod
    def _state(self) -> Mapping[str, Any]:
        """What the next step depends on, besides the job and the step's number."""


class ReplayedJob(RunningJob):
    """A job that keeps no state: to resume, its work is done again up to the checkpoint's step, to the same bits.

    Until it is back there it stays at that step and returns nothing. Its kinds count the steps they do in `done`.
    """

    def __init__(self, job: Job, checkpoint: bytes | None = None) -> None:
        super().__init__(job)
        self.done = 0
        self._resumed_at, self._returned_until = 0, -1
        if checkpoint is not None:
            self._resumed_at, state = checkpoints.unpack(checkpoint, job.kind, job.steps, self.device)
            self._returned_until = state.get("returned_until", -1)

    @property
    def step(self) -> int:
        """How far it is."""
        return max(self.done, self._resumed_at)

    @property
    def is_new(self) -> bool:
        """Whether nothing has been returned yet."""
        return self._returned_until < 0

    def _see(self) -> list[Record]:
        if self.done < self._resumed_at or self._returned_until == self.done:
            return []
        return self._new(self._look())

    def _advance(self) -> list[Record]:
        return self._new(self._work())

    def _state(self) -> Mapping[str, Any]:
        return {"returned_until": self._returned_until}

    def _new(self, records: list[Record]) -> list[Record]:
        """Those of steps that nothing has been returned of."""
        new = [record for record in records if record.step > self._returned_until]
        self._returned_until = max((record.step for record in new), default=self._returned_until)
        return new

    @abstractmethod
    def _work(self) -> list[Record]:
        """Works for a moment, raises `done` accordingly and returns records by ascending step."""

    @abstractmethod
    def _look(self) -> list[Record]:
        """What there is to see of step `done`."""
