"""Member: one run that a worker drives, from its run file's job to its last record."""

import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from nnviz.records import EarlyStop, Record
from nnviz.runs.errors import RunError, first_line
from nnviz.runs.storage import user_files
from nnviz.runs.storage.run_file import RunFile

COMMIT_EVERY = 0.12  # seconds
CHECKPOINT_EVERY = 3.0  # seconds
CHECKPOINT_COST_FACTOR = 50  # a checkpoint is due at the earliest after this many times what the last one took: 2 %
CHECKPOINT_LATE = 30.0  # seconds without an evaluation, after which one is made for the checkpoint's sake


class Running(Protocol):
    """A job that runs, as `nnviz.engine.run` returns it: each `next` works for a moment and returns records."""

    step: int
    until: int
    """The step that the run will be stopped at and looked at closely, −1 for none."""
    info: dict[str, Any]
    is_flushed: bool
    """Whether all that was measured has been returned, so that a checkpoint made now loses no record."""
    early_stop: EarlyStop | None
    """How it has ended before its last step."""

    def __iter__(self) -> Iterator[list[Record]]: ...
    def __next__(self) -> list[Record]: ...
    def evaluate_now(self) -> list[Record]: ...
    def unreturned_records(self) -> list[Record]: ...
    def checkpoint(self) -> bytes: ...
    def weights(self) -> tuple[int, bytes] | None: ...
    def close(self) -> None: ...


Engine = Callable[..., Running]


class Member:
    """A run under way. `step` is what it has done, `until` what it may do; it is over when `state` says so.

    Every method may end the run; none raises for what the engine or the file does.
    """

    def __init__(self, path: Path, engine: Engine, diverged: type[BaseException], owner: str) -> None:
        """Take the run at `path`. Raises RunError if it cannot be taken."""
        self.file = RunFile(path)
        self.id = self.file.id
        self.writer = self.file.writer(owner)
        self._engine, self._diverged = engine, diverged
        self._inode = path.stat().st_ino
        self._buffer: list[Record] = []
        self._run: Running | None = None
        self.state, self.step, self.steps = "queued", 0, self.file.job.steps
        now = time.monotonic()
        self._committed = self._cost = 0.0
        self._checkpointed, self._checkpoint_cost, self._checkpoint_step = now, 0.0, -1
        self._needs_checkpoint = False
        self._speed, self._speed_from = 0.0, (now, 0)
        self._viewed, self.viewed_at = -1.0, now
        self.until: int | None = None
        self.pinned = self.cancelled = False
        self.sharing = 0

    @property
    def is_over(self) -> bool:
        """True once nothing more will come."""
        return self.state not in ("queued", "running", "paused")

    def start(self) -> None:
        """Build the run, from its checkpoint where there is one; what the file has beyond that is taken back."""
        try:
            saved = self.file.checkpoint()
            self.writer.truncate(-1 if saved is None else saved[0])
            read_file = partial(user_files.read, self.file.path.parent)
            self._run = self._engine(
                self.file.job, checkpoint=saved and saved[1], read_file=read_file, announce=self.file.wait
            )
            self.step, self._checkpoint_step = (saved[0], saved[0]) if saved else (0, -1)
            self._speed_from = (time.monotonic(), self.step)
            self.state = "running"
            self.writer.write(state="running", step=self.step, error="", info=self._run.info)
        except Exception as error:
            self._fail(error)

    def poll(self) -> None:
        """Read the control values, if they have been written since."""
        try:
            if not self._file_exists():
                raise RunError(f"run file {self.file.path.name} has been removed")
            if not self.writer.changed():
                return None
            control = self.writer.control()
        except (RunError, OSError) as error:
            return self._fail(error)
        if control.viewed != self._viewed:
            self._viewed, self.viewed_at = control.viewed, time.monotonic()
        self.until, self.cancelled, self.pinned = control.until, control.cancel, control.pinned
        return None

    def allow(self, until: int | None) -> bool:
        """May this run do its next step when its group runs until `until`? Pauses or goes on accordingly."""
        if self.is_over:
            return False
        may = until is None or until > self.step
        if may and self.state == "paused":
            self._speed_from = (time.monotonic(), self.step)
            self._set_state("running")
        elif not may and self.state == "running":
            self._pause()
        if self._run is not None:
            self._run.until = -1 if until is None else until  # the engine measures everything at that step
        return may and not self.is_over

    def advance(self) -> None:
        """One training step."""
        try:
            self._buffer += next(self._run)
            self.step = self._run.step
            if self._needs_checkpoint and self._run.is_flushed:
                self._save()
        except StopIteration:
            self.end("stopped early" if self._run.early_stop else "finished")
        except self._diverged as error:
            self._diverge(error)
        except Exception as error:
            self._fail(error)

    def is_due(self, now: float) -> bool:
        """Whether it is long enough ago that anything was written."""
        return self.state == "running" and now - self._committed >= max(COMMIT_EVERY, 10 * self._cost)

    def commit(self, now: float) -> None:
        """Write what has come since the last time."""
        if self.state != "running":
            return
        try:
            self._measure_speed(now)
            self._flush(steps_per_second=self._speed)
            self._committed = time.monotonic()
            self._cost = self._committed - now
            late = now - self._checkpointed - max(CHECKPOINT_EVERY, CHECKPOINT_COST_FACTOR * self._checkpoint_cost)
            self._needs_checkpoint = late > 0
            if late > CHECKPOINT_LATE:
                self._buffer += self._run.evaluate_now()
                self._save()
        except Exception as error:
            self._fail(error)

    def heartbeat(self) -> None:
        """Say that the run is alive, if it has not for a second. Called from another thread."""
        if not self.is_over and time.monotonic() - self.writer.written > 1.0:
            with suppress(RunError, OSError):  # the next commit meets the same and ends the run
                self.writer.heartbeat()

    def end(self, state: str, message: str = "", *, save: bool = True, log: str | None = None) -> None:
        """Write the last records, the last checkpoint and the last state, and let go of the file."""
        if self.is_over:
            return
        try:
            if save and self._run is not None:
                self._buffer += self._run.evaluate_now()
                saved = {"checkpoint": self._checkpoint(), "weights": self._run.weights()}
                early_stop = self._run.early_stop if state == "stopped early" else None
                self._flush(by_hand=self.step, **saved, state=state, error=message, early_stop=early_stop, log=log)
            else:
                self._flush(state=state, error=message, log=log)
            self.state = state
        except Exception as error:
            self._fail(error)
        self._release()

    def hand_over(self) -> None:
        """Let go of a run that waits, so that another worker goes on with it from its checkpoint, if it has one."""
        if self.state == "running":
            self._pause()
        if self.is_over:
            return None
        try:
            self._flush(state="queued")
            self.state = "handed over"
        except Exception as error:
            return self._fail(error)
        return self._release(rest=False)

    def _pause(self) -> None:
        try:
            self._buffer += self._run.evaluate_now()
            saved = {"checkpoint": self._checkpoint()} if self._checkpoint_step != self.step else {}
            saved["weights"] = self._run.weights()
            self._flush(by_hand=self.step, **saved, state="paused", steps_per_second=0.0)
            self.state = "paused"
        except Exception as error:
            self._fail(error)

    def _set_state(self, state: str) -> None:
        try:
            self._flush(state=state)
            self.state = state
        except Exception as error:
            self._fail(error)

    def _flush(self, **changes: Any) -> None:
        self.writer.write(self._buffer, step=self.step, sharing=self.sharing, **changes)
        self._buffer = []

    def _save(self) -> None:
        """Write a checkpoint. Made when the engine has returned all that it has measured."""
        before = time.monotonic()
        self._flush(checkpoint=self._checkpoint())
        self._needs_checkpoint = False
        self._checkpointed = time.monotonic()
        self._checkpoint_cost = self._checkpointed - before

    def _checkpoint(self) -> tuple[int, bytes]:
        self._checkpoint_step = self.step
        return self.step, self._run.checkpoint()

    def _measure_speed(self, now: float) -> None:
        at, step = self._speed_from
        if now - at >= 0.5:
            self._speed = (self.step - step) / (now - at)
            self._speed_from = (now, self.step)

    def _diverge(self, error: BaseException) -> None:
        self._buffer += error.records
        try:
            saved = {"checkpoint": (error.divergence.last_good, error.checkpoint), "weights": self._run.weights()}
            self._flush(**saved, state="diverged", divergence=error.divergence, steps_per_second=0.0)
            self.state = "diverged"
        except Exception as worse:
            self._fail(worse)
        self._release()

    def _fail(self, error: BaseException) -> None:
        """End as failed, with one line; the traceback goes into the history. A look may show that it has diverged."""
        if isinstance(error, self._diverged):
            return self._diverge(error)
        log = "".join(traceback.format_exception(error))
        message = f"failed after {self.step} steps: {_message(error)}"
        with suppress(Exception):  # what was measured before the trouble; if that is in trouble too, without it
            if self._run is not None:
                self._buffer += self._run.unreturned_records()
        for records in (self._buffer, []):  # if the records are what is wrong, the state is still told
            try:
                if self._file_exists():
                    self.writer.write(records, step=self.step, state="failed", error=message, log=log)
                break
            except Exception:
                continue
        self.state = "failed"
        return self._release()

    def _file_exists(self) -> bool:
        try:
            return self.file.path.stat().st_ino == self._inode
        except OSError:
            return False

    def _release(self, *, rest: bool = True) -> None:
        self._buffer = []
        run, self._run = self._run, None
        if run is not None:
            run.close()
        self.file.close(rest=rest)


def _message(error: BaseException) -> str:
    text = first_line(error)
    if isinstance(error, MemoryError) or "OutOfMemory" in type(error).__name__ or "can't allocate memory" in text:
        return f"out of memory: make layers narrower or the batch smaller ({text[:200]})"
    return text
