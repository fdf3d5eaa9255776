"""Training in this process, by the same scheduler that the app's workers use: a run file is written in one way."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from nnviz.cli.progress import INTERVAL, Progress
from nnviz.runs import RunError, RunFile, Store, check
from nnviz.runs.errors import first_line
from nnviz.runs.member import Engine
from nnviz.runs.scheduler import Scheduler
from nnviz.runs.status import LIVE
from nnviz.spec.jobs import Job, SpecError


class _Torch(NamedTuple):
    run: Engine
    diverged: type[BaseException]


def start(store: Store, job: Job) -> int:
    """Train `job` as a new run, kept though nobody watches. Returns the exit status. Raises SpecError and RunError."""
    source = _parent(store, job)
    check(job, store.home)
    torch = _engine(job)
    return _drive(torch, lambda: store.create(job, pinned=True, source=source and source.path))


def resume(store: Store, run_id: str) -> int:
    """Go on with a run that is over, from its last checkpoint. Returns the exit status. Raises SpecError, RunError."""
    file = store.open(run_id)
    state = file.status().state
    if state in LIVE or state == "finished":
        raise RunError(f"a run to resume must be stopped, diverged, failed or lost; run {run_id} is {state}")
    check(file.job, store.home)
    torch = _engine(file.job)

    def take() -> RunFile:
        file.queue()
        file.pin()
        return file

    return _drive(torch, take)


def _parent(store: Store, job: Job) -> RunFile | None:
    """The run that `job` goes on from; its newest checkpoint must be the one of the step that the job names."""
    if job.parent is None:
        return None
    file, step = store.open(job.parent.run), job.parent.step
    saved = file.checkpoint()
    if saved is None or saved[0] != step:
        has = "it has none" if saved is None else f"its newest is of step {saved[0]}"
        raise RunError(f"Experiment.parent must have a checkpoint of step {step}; run {file.id}: {has}")
    if job.steps <= step:
        raise SpecError(f"Experiment.steps must be above {step}, where its parent is left, got {job.steps}")
    return file


def _engine(job: Job) -> _Torch:
    """Imports torch, which takes seconds: after all that can be refused without it, before a run file is made."""
    try:
        from nnviz.engine import Diverged, EngineError, device, run
    except Exception as error:
        raise RunError(f"the engine cannot be imported: {first_line(error)}") from error
    try:
        device.choose(job.device)
    except EngineError as error:
        raise SpecError(str(error)) from None
    return _Torch(run, Diverged)


def _drive(torch: _Torch, take: Callable[[], RunFile]) -> int:
    """Train the run that `take` gives until it is over or this process is told to stop; prints its id last."""
    scheduler = Scheduler(
        torch.run,
        torch.diverged,
        tell=lambda _, state: None if state in LIVE else scheduler.close("stopped"),
        owner=f"{os.getpid()} {time.time_ns()}",
    )
    with _told_to_stop(scheduler) as signals:
        file = take()
        scheduler.add([file.path], grace=None)
        with Progress(file) as bar, _beside(scheduler.heartbeat, bar.show):
            scheduler.loop()
        file.give_up("stopped", "stopped before it began")  # nothing if it is over
    return _report(file, signals)


@contextmanager
def _told_to_stop(scheduler: Scheduler) -> Iterator[list[int]]:
    """Ctrl-C and its like end the run with a checkpoint, the second time at once. Yields the signals that came."""
    came: list[int] = []

    def stop(number: int, _: Any) -> None:
        came.append(number)
        signal.signal(number, signal.default_int_handler)
        scheduler.close(f"stopped by {signal.Signals(number).name}")

    named = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    # a hang-up is ignored under nohup, where a run outlives its terminal
    numbers = [signal.SIGINT, *(n for n in named if signal.getsignal(n) != signal.SIG_IGN)]
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _beside(*actions: Callable[[], None]) -> Iterator[None]:
    """Does all `actions` again and again in another thread."""
    over = threading.Event()

    def act() -> None:
        while not over.wait(INTERVAL):
            for action in actions:
                action()

    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(5.0)


def _report(file: RunFile, signals: list[int]) -> int:
    status = file.status()
    if status.state == "finished":
        code = 0
    elif status.state == "stopped" and signals:
        code = 128 + signals[0]
        done = f"{status.step} of {status.steps} steps"
        print(f"nnviz: stopped after {done}; to go on: python -m nnviz resume {file.id}", file=sys.stderr)
    else:
        code = 1
        said = status.error or f"{status.state} after {status.step} of {status.steps} steps"
        print(f"nnviz: run {file.id} {said}", file=sys.stderr)
    print(file.id)
    return code
