"""A worker process: `python -m nnviz.runs.workers.worker` takes runs on stdin and trains them.

In: one JSON object a line, {"runs": [path, …], "grace": seconds or null, "is_preview": bool}: a group to train in
lock-step. Out: {"ready": pid} once torch is imported, then {"run": id, "state": state} when a run is taken on and at
every change, {"released": [id, …]} for previews that another worker is to go on with; {"broken": reason} if the engine
cannot be imported. What happens in a run is said in its run file and nowhere else.

The process ends when stdin does, and when its parent dies: its runs are stopped with a checkpoint.
"""

import gc
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nnviz.runs.errors import first_line
from nnviz.runs.workers.member import Engine
from nnviz.runs.workers.scheduler import CLOSED, Scheduler
from nnviz.spec.jobs import Training, Trajectories

BEAT = 0.5  # seconds between two looks at heartbeats and at the parent
PATIENCE = 20.0  # seconds that a step may still take when the process is to end


def main() -> None:
    """Import the engine and serve until stdin ends."""
    send = message_sender()
    try:
        from nnviz.engine import Diverged, run

        # the first optimizer, the first data set and the first update import another two seconds' worth of torch
        for job in (Training(steps=2, device="cpu"), Trajectories(steps=2)):
            for _ in run(job):
                pass
    except Exception as error:
        send({"broken": first_line(error)})
        sys.exit(1)
    serve(run, Diverged, send)


def serve(engine: Engine, diverged: type[BaseException], send: Callable[[dict[str, Any]], None]) -> None:
    """Train what comes on stdin with `engine`; does not return."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole terminal: the parent decides
    scheduler = Scheduler(
        engine,
        diverged,
        on_state=lambda run_id, state: send({"run": run_id, "state": state}),
        on_release=lambda run_ids: send({"released": run_ids}),
        owner=f"{os.getpid()} {time.time_ns()}",
    )
    signal.signal(signal.SIGTERM, lambda *_: scheduler.close(CLOSED))
    threading.Thread(target=_listen, args=(scheduler,), daemon=True).start()
    threading.Thread(target=_beat, args=(scheduler, os.getppid()), daemon=True).start()
    gc.collect()
    gc.freeze()  # torch's million objects need no further looking through
    send({"ready": os.getpid()})
    scheduler.loop()
    os._exit(0)  # a thread is waiting for stdin, which the interpreter's own end would wait for too


def message_sender() -> Callable[[dict[str, Any]], None]:
    """How to say something on stdout. What libraries print goes to stderr from here on."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def send(message: dict[str, Any]) -> None:
        try:
            out.write(json.dumps(message) + "\n")
            out.flush()
        except (OSError, ValueError):
            pass  # nobody listens any more; the end of stdin says so too

    return send


def _listen(scheduler: Scheduler) -> None:
    try:
        for line in sys.stdin:
            group = json.loads(line)
            paths = [Path(path) for path in group["runs"]]
            scheduler.add(paths, group["grace"], is_preview=group["is_preview"])
    finally:
        scheduler.close(CLOSED)


def _beat(scheduler: Scheduler, parent: int) -> None:
    closing_since = None
    while True:
        time.sleep(BEAT)
        scheduler.heartbeat()
        if os.getppid() != parent:
            scheduler.close(CLOSED)
        if scheduler.closing:
            closing_since = closing_since or time.monotonic()
            if time.monotonic() - closing_since > PATIENCE:
                os._exit(1)


if __name__ == "__main__":
    main()
