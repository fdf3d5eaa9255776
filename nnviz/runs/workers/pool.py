"""Pool: warm worker processes, and the groups of runs that they share."""

import atexit
import os
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from nnviz.runs.errors import RunError
from nnviz.runs.storage.run_file import RunFile
from nnviz.runs.storage.status import DONE, LIVE, Status
from nnviz.runs.storage.store import Store
from nnviz.runs.workers.machine_limits import check, free_memory, waiting_reason
from nnviz.runs.workers.scheduler import CLOSED, GRACE
from nnviz.runs.workers.waiting import WaitingGroup, quietly
from nnviz.runs.workers.worker_process import COMMAND, Process
from nnviz.spec.jobs import Job, Parent

WATCH_EVERY = 1.0  # seconds between two looks at what waits: whether it is cancelled, and its heartbeat
SWEEP_FIRST, SWEEP_EVERY = 20.0, 600.0  # seconds to the first sweep of untrained runs, and between two
MAX_FAILED_STARTS = 3  # workers that may end before they are ready, one after another, before no more are started


class Pool:
    """Trains the runs of `store` in at most `workers` processes (by default cores − 1, at least 1), which share them in
    fair turns; what memory has no room for waits.

    One more worker serves what must come at once: previews, and jobs that are made again when they are needed. When a
    preview is to go on, a worker that trains takes it over. Both kinds are warm before they are needed, so that nobody
    waits for torch. `grace` is how many seconds a run goes on though nobody watches (None: on and on). Untrained runs
    that were given up are deleted after a while. Every method may be called from any thread.
    """

    def __init__(
        self,
        store: Store,
        workers: int | None = None,
        grace: float | None = GRACE,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self.store = store
        self._max_workers = workers or max(1, (os.cpu_count() or 2) - 1)
        self._grace, self._command = grace, command
        self._lock = threading.RLock()
        self._workers: list[Process] = []
        self._queue: list[WaitingGroup] = []
        self._dispatched: list[WaitingGroup] = []  # handed to a worker, not all of them taken on yet
        self._failed_starts = 0
        self._closing = threading.Event()
        self._dispatch()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()
        atexit.register(self.shutdown)

    # requests

    def submit(
        self,
        jobs: Sequence[Job],
        *,
        pinned: bool = False,
        titles: Sequence[str] | None = None,
        until: int | None = None,
    ) -> list[str]:
        """Start `jobs`, in lock-step if there are several, or queue them. Returns their runs' ids. Raises RunError.

        They pause after the step `until`: 0 shows the initial state, None goes on to the end.
        """
        self._check_open()
        check(jobs, self.store.home, self._used_memory)
        files = self.store.create_group(jobs, pinned=pinned, titles=titles, until=until)
        self._enqueue(files, until)
        return [file.id for file in files]

    def resume(self, *run_ids: str, until: int | None = None) -> None:
        """Go on with runs that are over, each from its last checkpoint, in its own file, in lock-step.

        What was recorded after the checkpoint is taken back. Runs that are live just go on. They pause after the step
        `until` (None: go on to the end). Raises RunError.
        """
        self._check_open()
        files = [self.store.open(run_id) for run_id in run_ids]
        ended = []
        for file in files:
            status = file.status()
            if status.live:
                file.set_until(until)
            elif status.state in DONE:
                raise RunError(_already_done(file.id, status))
            else:
                ended.append(file)
        check([file.job for file in ended], self.store.home, self._used_memory)
        for file in ended:
            file.queue(until)
        if ended:
            self._enqueue(ended)

    def branch(
        self,
        run_ids: Sequence[str],
        jobs: Sequence[Job],
        *,
        pinned: bool = False,
        titles: Sequence[str] | None = None,
        until: int | None = None,
        patience: float = 10.0,
    ) -> list[str]:
        """Start each job from where its run is, in lock-step if there are several; those runs are stopped. Returns the
        new runs' ids. Raises RunError.

        A new run holds what its parent recorded up to there, so it stands by itself. Running parents are paused first,
        which takes as long as their present step: `patience` seconds at most. All must be at the same step.
        """
        self._check_open()
        check(jobs, self.store.home, self._used_memory)
        parents = [self.store.open(run_id) for run_id in run_ids]
        live = [parent for parent in parents if parent.status().live]
        self._pause(live, patience)
        steps = []
        for parent in parents:
            saved = parent.checkpoint()
            if saved is None:
                raise RunError(f"run {parent.id} has no checkpoint to resume from: start a new run instead")
            steps.append(saved[0])
        if len(set(steps)) > 1:
            raise RunError(
                f"runs can be resumed together only from the same step, got steps {', '.join(map(str, steps))}: start "
                "new runs instead"
            )
        for run_id, job in zip(run_ids, jobs, strict=True):
            if job.steps <= steps[0]:
                raise RunError(f"Training.steps must be above {steps[0]}, the step of run {run_id}, got {job.steps}")
        resumed = [
            job.model_copy(update={"parent": Parent(run=run_id, step=steps[0])})
            for run_id, job in zip(run_ids, jobs, strict=True)
        ]
        sources = [parent.path for parent in parents]
        files = self.store.create_group(resumed, pinned=pinned, titles=titles, until=until, sources=sources)
        for parent in live:
            parent.cancel()
        self._enqueue(files)
        return [file.id for file in files]

    def shutdown(self, patience: float = 8.0) -> None:
        """Stop all runs with a checkpoint and end all processes, those that take longer than `patience` by force."""
        if self._closing.is_set():
            return
        self._closing.set()
        atexit.unregister(self.shutdown)
        with self._lock:
            workers, waiting = list(self._workers), [*self._queue, *self._dispatched]
            self._queue, self._dispatched = [], []
        for worker in workers:
            worker.close_stdin()
        deadline = time.monotonic() + patience
        for worker in workers:
            if not worker.wait(max(0.1, deadline - time.monotonic())):
                worker.kill()
                worker.wait(5.0)
        for group in waiting:
            group.give_up("stopped", CLOSED)
        self._watcher.join(2.0)

    @property
    def processes(self) -> list[int]:
        """Process ids of the workers, of those that train first."""
        with self._lock:
            return [worker.pid for worker in sorted(self._workers, key=lambda worker: not worker.trains)]

    def wait_ready(self, seconds: float) -> bool:
        """Whether some worker is ready to train within `seconds`."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self._closing.is_set():
            with self._lock:
                workers = list(self._workers)
            if any(worker.ready.wait(0.02) for worker in workers):
                return True
            time.sleep(0.02)
        return False

    # internals

    def _check_open(self) -> None:
        if self._closing.is_set():
            raise RunError("the app is shutting down: no run can be started")

    def _pause(self, files: Sequence[RunFile], patience: float) -> None:
        for file in files:
            file.pause()
        deadline = time.monotonic() + patience
        for file in files:
            while file.status().state in ("queued", "running"):
                if time.monotonic() > deadline:
                    raise RunError(
                        f"run {file.id} has not paused within {patience:g} s: try again when its step is done"
                    )
                time.sleep(0.01)

    @property
    def _used_memory(self) -> int:
        """Bytes of memory that live runs have taken."""
        with self._lock:
            return sum(worker.used_bytes for worker in self._workers)

    def _enqueue(self, files: Sequence[RunFile], until: int | None = None) -> None:
        with self._lock:
            for worker in self._workers:
                for file in files:
                    worker.runs.pop(file.id, None)  # one that was given up for lost and may still be heard of
            self._failed_starts = 0
            group = WaitingGroup(files, self._grace, until=until)
            self._queue.append(group)
            self._dispatch()
            if group in self._queue:
                group.refresh()

    def _dispatch(self) -> None:
        """Hand waiting groups that there is memory for to workers; start those that are missing."""
        with self._lock:
            for group in list(self._queue):
                needs = {file.path: group.needs[file.path] for file in group.files}
                reserved = sum(worker.reserved for worker in self._workers)
                group.reason = waiting_reason(sum(needs.values()), reserved, free_memory() + self._used_memory)
                worker = None if group.reason else self._worker(group.trains)
                if worker is None:
                    continue
                self._queue.remove(group)
                self._dispatched.append(group)
                worker.send(needs, self._grace, is_preview=group.is_preview)
            self._warm()

    def _worker(self, trains: bool) -> Process | None:
        """Who takes on the next group: an idle worker, a new one, or the one that does the least."""
        alive = [worker for worker in self._workers if worker.trains == trains and worker.code is None]
        best = min(alive, key=lambda w: (w.active, not w.ready.is_set(), len(w.runs)), default=None)
        return best if best and not best.active else self._start(trains) or best

    def _warm(self) -> None:
        """Start the worker for previews, and a spare one for the next training, once the first picture is there: both
        take a core for seconds."""
        quick = next((worker for worker in self._workers if not worker.trains), None)
        if quick is None:
            self._start(trains=False)
        elif quick.ready.is_set() and not quick.active and all(w.runs for w in self._workers if w.trains):
            self._start(trains=True)

    def _start(self, trains: bool) -> Process | None:
        count = sum(worker.trains == trains for worker in self._workers)
        if (
            count >= (self._max_workers if trains else 1)
            or self._closing.is_set()
            or self._failed_starts >= MAX_FAILED_STARTS
        ):
            return None
        worker = Process(self._on_message, self._on_exit, self._command, trains=trains)
        self._workers.append(worker)
        return worker

    def _on_message(self, worker: Process, message: Mapping[str, Any]) -> None:
        with self._lock:
            if "run" in message:
                self._on_state(worker, message["run"], message["state"])
            elif "released" in message:
                self._take_over(worker, message["released"])
            self._dispatch()

    def _on_state(self, worker: Process, run_id: str, state: str) -> None:
        before = worker.runs.pop(run_id, None)
        if before is None:
            return
        if state in LIVE:
            worker.runs[run_id] = state
        removed = self._remove_dispatched(run_id) if before == "queued" else None
        if removed is not None and state == "failed":
            # nothing if the worker could say so in the file itself
            quietly(removed.give_up, state, "failed: the worker could not open the run file")

    def _take_over(self, worker: Process, run_ids: Sequence[str]) -> None:
        """Previews are to train: another worker goes on with them from their checkpoint."""
        files = []
        for run_id in run_ids:
            if worker.runs.pop(run_id, None) is not None:
                with suppress(RunError):  # gone, or damaged, in the meantime
                    files.append(self.store.open(run_id))
        if self._closing.is_set():
            WaitingGroup(files, None).give_up("stopped", CLOSED)
        elif files:
            self._enqueue(files)

    def _remove_dispatched(self, run_id: str) -> RunFile | None:
        """A run that was sent need not be looked after any more."""
        for group in self._dispatched:
            for file in group.files:
                if file.id == run_id:
                    group.files.remove(file)
                    self._dispatched = [g for g in self._dispatched if g.files]
                    return file
        return None

    def _on_exit(self, worker: Process) -> None:
        """A worker has ended: its runs are lost, and another takes its place."""
        closing = self._closing.is_set()
        why = _exit_reason(worker)
        state = "stopped" if closing else "failed" if worker.import_error else "lost"
        with self._lock:
            self._workers.remove(worker)
            self._failed_starts = 0 if worker.ready.is_set() else self._failed_starts + 1
            for run_id in list(worker.runs):
                self._remove_dispatched(run_id)
                quietly(
                    _give_up, self.store, run_id, state, CLOSED if closing else f"{state}: {why}", worker.stderr_tail
                )
            if self._failed_starts >= MAX_FAILED_STARTS:
                for group in self._queue:
                    group.give_up("failed", f"failed: no worker can be started: {why}", worker.stderr_tail)
                self._queue = []
            if not closing:
                self._dispatch()

    def _watch(self) -> None:
        sweep_at = time.monotonic() + SWEEP_FIRST
        while not self._closing.wait(WATCH_EVERY):
            if time.monotonic() > sweep_at:
                quietly(self.store.sweep)
                sweep_at = time.monotonic() + SWEEP_EVERY
            with self._lock:
                for group in [*self._dispatched, *self._queue]:
                    group.refresh()
                self._queue = [group for group in self._queue if group.files]
                self._dispatched = [group for group in self._dispatched if group.files]
                if self._queue:
                    self._dispatch()


def _give_up(store: Store, run_id: str, state: str, message: str, log: str) -> None:
    store.open(run_id).give_up(state, message, log)


def _already_done(run_id: str, status: Status) -> str:
    """Why a run that has done what its job asked for is not resumed, and what to do."""
    if status.early_stop is None:
        return f"run {run_id} is finished: start a run with more steps from it instead"
    return f"run {run_id} has {status.early_stop}: start a run with other early stopping, or none, from it instead"


def _exit_reason(worker: Process) -> str:
    if worker.import_error:
        return f"the engine cannot be imported: {worker.import_error}"
    code = worker.code
    if code is not None and code < 0:
        hint = ", which is what happens when memory runs out" if code == -9 else ""
        return f"the worker process was ended by signal {-code}{hint}"
    return f"the worker process ended with status {code}"
