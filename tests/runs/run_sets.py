"""Run sets on a store whose pool starts nothing, and runs as workers would have left them."""

from collections.abc import Sequence

import pytest

from nnviz.presets import loss_landscape
from nnviz.records import Snapshot
from nnviz.runs import RunError, Store
from nnviz.runs.runset import RunSet, RunSetState
from nnviz.spec.jobs import Job, Parent, Training
from nnviz.spec.trajectories import Trajectories

JOB = Training(steps=100)
RACE = Trajectories(steps=20)
LANDSCAPE = loss_landscape.DEFAULT


def seeded(*seeds: int) -> dict[str, Job]:
    """Trainings by entry, each with a seed of its own."""
    return {chr(ord("a") + seed): JOB.model_copy(update={"seed": seed}) for seed in seeds}


class Queue:
    """In place of a Pool: what is started waits."""

    def __init__(self, store: Store) -> None:
        self.store, self.groups, self.problem = store, [], ""

    def submit(self, jobs: Sequence[Job], *, until: int | None = None) -> list[str]:
        if self.problem:
            raise RunError(self.problem)
        files = self.store.create_group(jobs, until=until)
        self.groups.append([file.id for file in files])
        return self.groups[-1]

    def branch(self, runs: Sequence[str], jobs: Sequence[Job]) -> list[str]:
        resumed = [
            job.model_copy(update={"parent": Parent(run=run, step=50)}) for run, job in zip(runs, jobs, strict=True)
        ]
        return self.submit(resumed)

    def resume(self, *runs: str) -> None:
        self.groups.append(list(runs))


class Session:
    """A session with a set of runs, of which each look has one of its own."""

    def __init__(self, store: Store) -> None:
        self.store, self.queue, self.state = store, Queue(store), RunSetState()

    def __call__(self) -> RunSet:
        return RunSet(self.store, lambda: self.queue, self.state)

    def ensure(self, jobs: dict[str, Job], until: int | None = None) -> dict[str, str]:
        """The runs shown, by entry, after these jobs were asked for."""
        self().ensure(jobs, until=until)
        return self.runs

    @property
    def runs(self) -> dict[str, str]:
        return {id: own.get("", "") for id, own in self.state.entries.items()}

    def job(self, run: str) -> Job:
        return self.store.open(run).job


@pytest.fixture
def session(store: Store) -> Session:
    return Session(store)


def left(store: Store, run: str, state: str = "finished", step: int = 100, **snapshots: dict) -> str:
    """The run as a worker would have left it."""
    file = store.open(run)
    file.write(state="running", step=step)
    file.write([Snapshot(step, name, arrays) for name, arrays in snapshots.items()])
    if state != "running":
        file.write(state=state)
    file.close()
    return run


def finished(store: Store, *jobs: Job) -> list[str]:
    """Finished runs of these jobs, of whoever."""
    return [left(store, store.create(job).id) for job in jobs]


def is_gone(store: Store, run: str) -> bool:
    return not store.path(run).exists()
