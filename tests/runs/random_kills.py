"""Kills writers and workers at random moments and looks at what they left. Run as a program, since it forks.

`python -m tests.runs.random_kills writer|worker|adversarial|ensemble ROUNDS FOLDER` prints what it did as JSON; an
assertion ends it.
"""

import json
import os
import random
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from nnviz.records import Scalar, Snapshot
from nnviz.runs import RunFile, Store
from nnviz.runs.storage.writer import Writer
from nnviz.runs.workers.scheduler import Scheduler
from nnviz.spec.jobs import Ensemble, Job, Training
from tests.engine import gan_jobs
from tests.scalar_frames import frame


def kill(work: Callable[[int], None], longest: float, chance: random.Random, words: int = 1) -> list[int]:
    """Fork, let `work(pipe)` go on for at most `longest` seconds after so many words, kill it. Returns the numbers that
    it wrote."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        work(writing)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        first = pipe.read(8 * words)
        time.sleep(chance.uniform(0, longest))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        words = first + pipe.read()
    return [int.from_bytes(words[i : i + 8], "little") for i in range(0, len(words) // 8 * 8, 8)]


def is_whole(path: Path) -> None:
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


def value(step: int) -> float:
    return (step * 2654435761 % 2**32) / 7


def write_forever(file: RunFile) -> Callable[[int], None]:
    def work(pipe: int) -> None:
        chance, step = random.Random(os.getpid()), 0
        writer = file.writer()
        while True:
            records = []
            for _ in range(chance.choice((1, 10, 1000))):
                step += 1
                records.append(Scalar(step, "loss", value(step), "batch"))
            picture = Snapshot(step, "network", {"w": np.full(chance.choice((10, 30_000)), step)})
            checkpoint = (step, step.to_bytes(8, "little") * 20_000) if chance.random() < 0.3 else None
            writer.write([*records, picture], step=step, state="running", checkpoint=checkpoint)
            os.write(pipe, step.to_bytes(8, "little"))

    return work


def kill_writers(store: Store, rounds: int, chance: random.Random) -> dict:
    most = 0
    for _ in range(rounds):
        file = store.create(Training())
        told = kill(write_forever(file), 0.05, chance)
        is_whole(file.path)
        found, _ = file.scalars()
        step = file.status().step
        assert step >= told[-1], "a committed record is lost"
        assert found["step"].tolist() == list(range(1, step + 1)), "half a commit is there"
        assert found["value"].tolist() == [value(s) for s in found["step"]]
        assert file.snapshot("network")[0] == step
        assert (file.snapshot("network")[1]["w"] == step).all()
        saved = file.checkpoint()
        assert saved is None or (saved[0] <= step and saved[1] == saved[0].to_bytes(8, "little") * 20_000)
        assert len(store.view(file.id).scalars("loss")) == step
        file.write([Scalar(step + 1, "loss", 0.0, "batch")], state="finished")
        file.close()
        most = max(most, step)
        file.path.unlink()
    return {"rounds": rounds, "most steps": most}


def drive(path: Path) -> Callable[[int], None]:
    """The scheduler of a worker, with the engine, which says every step that it has committed."""
    from nnviz.engine import Diverged, run

    def work(pipe: int) -> None:
        write = Writer.write

        def tell(self: Writer, *args: object, **changes: object) -> None:
            write(self, *args, **changes)
            if changes.get("step"):
                os.write(pipe, int(changes["step"]).to_bytes(8, "little"))

        Writer.write = tell
        scheduler = Scheduler(run, Diverged, on_state=lambda _, state: state == "finished" and scheduler.close(""))
        scheduler.add([path], None)
        scheduler.loop()

    return work


def kill_workers(store: Store, rounds: int, chance: random.Random) -> dict:
    import torch

    from nnviz.engine import run
    from nnviz.runs.workers import member

    torch.set_num_threads(1)  # a forked process has no threads but its own
    member.CHECKPOINT_EVERY = 0.05
    job = Training(steps=300)
    reference = [record for records in run(job) for record in records]
    scalars = frame(reference)
    states: dict[str, int] = {}
    for round_ in range(rounds):
        file = store.create(job)
        told = kill(drive(file.path), 0.4, chance)
        is_whole(file.path)
        status = file.status()
        found, _ = file.scalars()
        states[status.state] = states.get(status.state, 0) + 1
        assert status.step >= told[-1], "a committed record is lost"
        assert (found["site"] == "batch").sum() == status.step, "half a commit is there"
        pd.testing.assert_frame_equal(found, scalars[: len(found)], check_exact=True)
        if round_ % 10 == 0:
            while file.status().state != "finished":  # killed once more, or twice, on the way
                kill(drive(file.path), 0.4, chance)
            pd.testing.assert_frame_equal(file.scalars()[0], scalars, check_exact=True)
            for picture in reference:
                if isinstance(picture, Snapshot):
                    step, arrays = file.snapshot(picture.quantity, picture.step, picture.site)
                    assert step == picture.step
                    assert all(np.array_equal(arrays[k], v) for k, v in picture.arrays.items())
        file.path.unlink()
    return {"rounds": rounds, "states": states}


def kill_adversarial(store: Store, rounds: int, chance: random.Random) -> dict:
    """A generator and a discriminator with all that has a state of its own, killed again and again."""
    learner = gan_jobs.learner(average=0.9, spectral_norm=True, discriminator_updates=2, instance_noise=0.2)
    return kill_again(store, Training(learner=learner, steps=16 * rounds, evaluate_every=4), chance)


def kill_ensemble(store: Store, rounds: int, chance: random.Random) -> dict:
    """Stacked networks with running statistics and moments, killed again and again."""
    learner = Training().learner.model_dump(mode="json")
    learner["model"] |= {"norm": {"kind": "batch"}, "dropout": {"kind": "standard"}}
    learner["optimizer"] = {"kind": "nadam"}
    steps = 80 * rounds  # its steps are quick
    job = Ensemble.parse({"learner": learner, "members": 3, "steps": steps, "evaluate_every": 4, "device": "cpu"})
    return kill_again(store, job, chance)


def kill_again(store: Store, job: Job, chance: random.Random) -> dict:
    """A run that is killed after a random number of commits, again and again until it has finished."""
    import torch

    from nnviz.engine import run
    from nnviz.runs.workers import member

    torch.set_num_threads(1)
    member.CHECKPOINT_EVERY = member.COMMIT_EVERY = 0.0  # else a fast machine is done before it has committed so often
    reference = [record for records in run(job) for record in records]
    scalars = frame(reference)
    file = store.create(job)
    resumed_at = []
    while file.status().state != "finished":
        # At least one evaluation, with which there is a checkpoint.
        kill(drive(file.path), 0.0, chance, words=chance.randint(5, 10))
        is_whole(file.path)
        saved = file.checkpoint()
        resumed_at.append(saved[0] if saved else 0)
        found, _ = file.scalars()
        pd.testing.assert_frame_equal(found, scalars[: len(found)], check_exact=True)
    pd.testing.assert_frame_equal(file.scalars()[0], scalars, check_exact=True)
    for picture in reference:
        if isinstance(picture, Snapshot):
            step, arrays = file.snapshot(picture.quantity, picture.step, picture.site)
            assert step == picture.step
            for name, array in picture.arrays.items():
                np.testing.assert_array_equal(arrays[name], array, f"{picture.quantity} {name}")
    return {"rounds": len(resumed_at), "resumed at": resumed_at}


if __name__ == "__main__":
    what = {
        "writer": kill_writers,
        "worker": kill_workers,
        "adversarial": kill_adversarial,
        "ensemble": kill_ensemble,
    }[sys.argv[1]]
    print(json.dumps(what(Store(sys.argv[3]), int(sys.argv[2]), random.Random(0))))
