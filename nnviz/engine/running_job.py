"""Base classes of running jobs of all kinds: stepping, evaluation, metadata, checkpoints and closing."""

import platform
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Self

import torch

from nnviz.engine import checkpoints, device
from nnviz.records import EarlyStop, Metric, Record
from nnviz.spec.jobs import Job


class RunningJob(Iterator[list[Record]], ABC):
    """A running job: each `next` does a small piece of work and returns its records. To pause it, do not call `next`.

    `step` counts up to `job.steps`. `until` is the step after which the caller will call `evaluate_now`: everything is
    measured at that step.
    """

    step: int

    def __init__(self, job: Job, work: int = 0) -> None:
        """`work` is the number of multiply-adds per step, roughly. With the machine it decides the number of threads,
        which each call sets again: other jobs run in between, and sums depend on the number of threads."""
        self.job, self._work_per_step = job, work
        device.set_threads(work)
        self.device = device.choose(job.device)
        self.until = -1
        self.is_closed = False

    @property
    def info(self) -> dict[str, Any]:
        """Metadata for the run file: the machine and the job; subclasses add their own."""
        name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else platform.machine()
        return {
            "device": f"{self.device} ({name})",
            "torch": torch.__version__,
            "python": platform.python_version(),
            "nnviz": _own_version(),
            "seed": self.job.seed,
            "metric": self.metric and self.metric._asdict(),
        }

    @property
    def metric(self) -> Metric | None:
        """The scalar that stands for the run in a list; None where there is none."""
        return None

    @property
    def early_stop(self) -> EarlyStop | None:
        """How the run has ended before its last step; None where it has not."""
        return None

    @property
    def is_flushed(self) -> bool:
        """Whether all that was measured has been returned, so that a checkpoint made now loses no records."""
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __next__(self) -> list[Record]:
        if self.is_closed or self.step >= self.job.steps or self.early_stop is not None:
            self.close()
            raise StopIteration
        device.set_threads(self._work_per_step)
        return self._advance()

    def evaluate_now(self) -> list[Record]:
        """The records of the current step, unless they have been returned already."""
        device.set_threads(self._work_per_step)
        return self._evaluate_now()

    def unreturned_records(self) -> list[Record]:
        """Records that were measured and not returned, after a step or an evaluation has failed."""
        return []

    def checkpoint(self) -> bytes:
        """The state after the current step, from which `run` resumes the job."""
        return checkpoints.pack(self.job.kind, self.step, self._state())

    def weights(self) -> tuple[int, bytes] | None:
        """The trained weights and the step that they are of: a state dict on the CPU as `torch.save` writes it; None
        where the job trains nothing."""
        return None

    def close(self) -> None:
        """Releases resources; there are no more steps."""
        self.is_closed = True

    @abstractmethod
    def _advance(self) -> list[Record]:
        """Does a small piece of work; not called when the job is closed or has done all steps."""

    @abstractmethod
    def _evaluate_now(self) -> list[Record]:
        """The records that `evaluate_now` returns."""

    @abstractmethod
    def _state(self) -> Mapping[str, Any]:
        """Everything that the next step depends on, besides the job and the step number."""


class ReplayedJob(RunningJob):
    """A job whose checkpoints hold no state: to resume, its work is repeated up to the checkpoint's step, to the same
    bits.

    Until then `step` is that of the checkpoint and nothing is returned. Subclasses count their steps in `done`.
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
        """Steps done, while work is repeated those of the checkpoint."""
        return max(self.done, self._resumed_at)

    @property
    def is_new(self) -> bool:
        """Whether nothing has been returned yet."""
        return self._returned_until < 0

    def _evaluate_now(self) -> list[Record]:
        if self.done < self._resumed_at or self._returned_until == self.done:
            return []
        return self._unreturned(self._current_records())

    def _advance(self) -> list[Record]:
        return self._unreturned(self._work())

    def _state(self) -> Mapping[str, Any]:
        return {"returned_until": self._returned_until}

    def _unreturned(self, records: list[Record]) -> list[Record]:
        """The records of steps of which none has been returned."""
        new = [record for record in records if record.step > self._returned_until]
        self._returned_until = max((record.step for record in new), default=self._returned_until)
        return new

    @abstractmethod
    def _work(self) -> list[Record]:
        """Does a small piece of work, increases `done` accordingly and returns records by ascending step."""

    @abstractmethod
    def _current_records(self) -> list[Record]:
        """The records of step `done`."""


def _own_version() -> str:
    """Of this package, which also runs from a folder where it is not installed."""
    try:
        return version("nnviz-dynamics")
    except PackageNotFoundError:
        return "not installed"
