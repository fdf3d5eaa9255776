"""A worker with the stand-in for the engine; the job's seed chooses the trouble."""

import os
import sys
import time

from nnviz.runs.workers.worker import message_sender, serve
from nnviz.spec.jobs import Training
from tests.runs.fake_engine import Diverged, Fake

DIES, HANGS, SLOW_TO_BUILD = 666, 777, 888


def engine(job: Training, checkpoint: bytes | None = None, **_: object) -> Fake:
    def trouble(_: Fake) -> None:
        print("these are my last words", file=sys.stderr, flush=True)
        if job.seed == DIES:
            os.kill(os.getpid(), 9)
        time.sleep(60)

    if job.seed == SLOW_TO_BUILD:
        time.sleep(0.5)
    at = 30 if job.seed in (DIES, HANGS) else -1
    return Fake(job, checkpoint, delay=0.001, at=at, trouble=trouble)


if __name__ == "__main__":
    if "broken" in sys.argv:
        message_sender()({"broken": "ImportError: no torch here"})
        sys.exit(1)
    if "late" in sys.argv:
        time.sleep(1.0)
    serve(engine, Diverged, message_sender())
