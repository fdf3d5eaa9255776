"""A stand-in for the engine: the same calls, a thousandth of the cost, and trouble where a test wants it."""

import json
import time
from collections.abc import Callable, Iterator

import numpy as np

from nnviz.records import Cause, Divergence, NonFinite, Record, Scalar, Snapshot
from nnviz.spec.jobs import Training


class Diverged(ArithmeticError):
    def __init__(self, step: int, value: str, last_good: int, checkpoint: bytes) -> None:
        self.divergence = Divergence(step, "loss", value, NonFinite(Cause.OBJECTIVE, "loss"), step, last_good)
        super().__init__(str(self.divergence))
        self.checkpoint = checkpoint
        self.records: list[Record] = []


class Fake(Iterator[list[Record]]):
    """x ← 3.9 x (1 − x): deterministic, and every step depends on all before it."""

    early_stop = None

    def __init__(
        self,
        job: Training,
        checkpoint: bytes | None = None,
        read_file: object = None,  # noqa: ARG002  # a stand-in reads none
        announce: object = None,  # noqa: ARG002  # and has nothing to say
        *,
        delay: float = 0.0,
        at: int = -1,
        trouble: Callable[["Fake"], None] | None = None,
    ) -> None:
        self.job, self.delay, self.at, self.trouble = job, delay, at, trouble
        self.step, self.until, self.closed, self.evaluations = 0, -1, False, 0
        self.x = 0.1 + job.seed / 1000
        self.is_new = checkpoint is None
        if checkpoint is not None:
            self.step, self.x = json.loads(checkpoint)
        self.info = {"device": "none", "steps_per_epoch": 10}

    def evaluation(self) -> list[Record]:
        arrays = {"x": np.full((4, 4), self.x, np.float32)}
        return [Scalar(self.step, "loss", self.x, "train"), Snapshot(self.step, "picture", arrays)]

    def begin(self) -> list[Record]:
        first, self.is_new = self.is_new, False
        return [Snapshot(0, "data", {"inputs": np.zeros((3, 2))}), *self.evaluation()] if first else []

    def __next__(self) -> list[Record]:
        if self.step >= self.job.steps:
            raise StopIteration
        said = self.begin()
        if self.step + 1 == self.at and self.trouble:
            self.trouble(self)
        time.sleep(self.delay)
        self.step += 1
        self.x = 3.9 * self.x * (1 - self.x)
        said.append(Scalar(self.step, "loss", self.x, "batch"))
        return said + self.evaluation() if self.step % getattr(self.job, "evaluate_every", 1) == 0 else said

    def evaluate_now(self) -> list[Record]:
        self.evaluations += 1
        return self.begin() or self.evaluation()

    @property
    def is_flushed(self) -> bool:
        return self.step % getattr(self.job, "evaluate_every", 1) == 0

    def unreturned_records(self) -> list[Record]:
        return []

    def weights(self) -> None:
        return None

    def checkpoint(self) -> bytes:
        return json.dumps([self.step, self.x]).encode()

    def close(self) -> None:
        self.closed = True


def losses(job: Training) -> list[float]:
    """What an uninterrupted run records as loss @ batch."""
    return [r.value for records in Fake(job) for r in records if isinstance(r, Scalar) and r.site == "batch"]


def wait_for(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Until `condition` holds; an assertion after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        time.sleep(0.01)
