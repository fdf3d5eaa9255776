"""Training in this process, with the scheduler of the app's workers, so that run files are written the same way."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from nnviz.cli.progress_bar import INTERVAL, Progress
from nnviz.runs import RunError, RunFile, Store, check
from nnviz.runs.errors import first_line
from nnviz.runs.storage.status import DONE, LIVE
from nnviz.runs.workers.member import Engine
from nnviz.runs.workers.scheduler import Scheduler
from nnviz.spec.jobs import Job, SpecError


class _EngineImports(NamedTuple):
    run: Engine
    diverged: type[BaseException]


def start(store: Store, jobs: Sequence[Job]) -> int:
    """Train `jobs` as new runs, in lock-step if there are several; they run whether or not the app shows them.

    Returns the exit status. Raises SpecError and RunError.
    """
    if len(jobs) > 1 and any(job.parent for job in jobs):
        raise SpecError(
            "the jobs of a set must not have a parent, got one with a parent: run it alone, or remove its parent"
        )
    parent = _parent(store, jobs[0])
    check(jobs, store.home)
    engine = _engine(jobs)
    return _train(engine, lambda: store.create_group(jobs, pinned=True, sources=[parent.path] if parent else None))


def resume(store: Store, run_ids: Sequence[str]) -> int:
    """Resume runs that have ended, each from its last checkpoint, in lock-step if there are several.

    Returns the exit status. Raises SpecError, RunError.
    """
    files = [store.open(run_id) for run_id in dict.fromkeys(run_ids)]
    for file in files:
        state = file.status().state
        if state in (*LIVE, *DONE):
            raise RunError(
                f"a run to resume must be stopped, diverged, failed or lost; run {file.id} "
                f"{'has' if state == 'stopped early' else 'is'} {state}"
            )
    check([file.job for file in files], store.home)
    engine = _engine([file.job for file in files])

    def prepare() -> list[RunFile]:
        for file in files:
            file.queue()
            file.pin()
        return files

    return _train(engine, prepare)


def _parent(store: Store, job: Job) -> RunFile | None:
    """The parent of `job`; its latest checkpoint must be of the step that the job names."""
    if job.parent is None:
        return None
    file, step = store.open(job.parent.run), job.parent.step
    saved = file.checkpoint()
    if saved is None or saved[0] != step:
        has = "it has none" if saved is None else f"its latest is of step {saved[0]}"
        raise RunError(f"Training.parent must have a checkpoint of step {step}; run {file.id}: {has}")
    if job.steps <= step:
        raise SpecError(f"Training.steps must be above {step}, the step of its parent, got {job.steps}")
    return file


def _engine(jobs: Sequence[Job]) -> _EngineImports:
    """Imports torch, which takes seconds: after all checks that need no torch, before a run file is created."""
    try:
        from nnviz.engine import Diverged, EngineError, device, run
    except Exception as error:
        raise RunError(f"the engine cannot be imported: {first_line(error)}") from error
    try:
        for job in jobs:
            device.choose(job.device)
    except EngineError as error:
        raise SpecError(str(error)) from None
    return _EngineImports(run, Diverged)


def _train(engine: _EngineImports, prepare: Callable[[], Sequence[RunFile]]) -> int:
    """Train the runs that `prepare` returns until all have ended or a signal stops them; prints their ids last."""
    ended: set[str] = set()

    def on_state(run_id: str, state: str) -> None:
        if state not in LIVE:
            ended.add(run_id)
            if len(ended) == len(files):
                scheduler.close("stopped")

    scheduler = Scheduler(engine.run, engine.diverged, on_state=on_state, owner=f"{os.getpid()} {time.time_ns()}")
    with _stop_on_signal(scheduler) as signals:
        files = prepare()
        scheduler.add([file.path for file in files], grace=None)
        with ExitStack() as stack:
            bars = [stack.enter_context(Progress(file, line)) for line, file in enumerate(files)]
            with _repeat_in_background(scheduler.heartbeat, *(bar.show for bar in bars)):
                scheduler.loop()
        for file in files:
            file.give_up("stopped", "stopped before it started")  # no effect on a run that has ended
    return _report(files, signals)


@contextmanager
def _stop_on_signal(scheduler: Scheduler) -> Iterator[list[int]]:
    """The first SIGINT, SIGTERM or SIGHUP stops the runs with a checkpoint, the second at once. Yields received
    signals."""
    received: list[int] = []

    def stop(number: int, _: Any) -> None:
        received.append(number)
        signal.signal(number, signal.default_int_handler)
        scheduler.close(f"stopped by {signal.Signals(number).name}")

    named = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    # a hang-up is ignored under nohup, where a run outlives its terminal
    numbers = [signal.SIGINT, *(n for n in named if signal.getsignal(n) != signal.SIG_IGN)]
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _repeat_in_background(*actions: Callable[[], None]) -> Iterator[None]:
    """Repeats all `actions` in another thread."""
    ended = threading.Event()

    def act() -> None:
        while not ended.wait(INTERVAL):
            for action in actions:
                action()

    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(5.0)


def _report(files: Sequence[RunFile], signals: Sequence[int]) -> int:
    code, stopped = 0, []
    for file in files:
        status = file.status()
        if status.state == "stopped" and signals:
            stopped.append(file.id)
            done = f"{status.step} of {status.steps} steps"
        elif status.early_stop is not None:
            print(f"nnviz: run {file.id} {status.early_stop}", file=sys.stderr)
        elif status.state not in DONE:
            code = 1
            message = status.error or f"{status.state} after {status.step} of {status.steps} steps"
            print(f"nnviz: run {file.id} {message}", file=sys.stderr)
    if stopped:
        code = 128 + signals[0]
        again = f"python -m nnviz resume {' '.join(stopped)}"
        print(f"nnviz: stopped after {done}; to resume: {again}", file=sys.stderr)
    for file in files:
        print(file.id)
    return code
