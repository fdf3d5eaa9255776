"""Pools whose workers have the stand-in for the engine."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from nnviz.runs import Pool, Store
from nnviz.runs.storage.status import LIVE
from nnviz.spec.jobs import Training
from tests.runs.fake_engine import wait_for

COMMAND = (sys.executable, "-m", "tests.runs.fake_worker")
IDLE = (sys.executable, "-c", "import sys; sys.stdin.read()")
"""A worker that never becomes ready."""
LONG = Training(steps=1_000_000)


def seeded(seed: int, **changes: int) -> Training:
    return LONG.model_copy(update={"seed": seed, **changes})


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def state(pool: Pool, run_id: str) -> str:
    return pool.store.open(run_id).status().state


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    pool = Pool(Store(tmp_path_factory.mktemp("pool")), workers=1, grace=None, command=COMMAND)
    yield pool
    pool.shutdown()


@pytest.fixture
def pool(shared: Pool) -> Iterator[Pool]:
    """A pool of one worker that has nothing to do."""
    yield shared
    for run in shared.store.list():
        if run.state in LIVE:
            shared.store.open(run.id).cancel()
    wait_for(lambda: not any(run.state in LIVE for run in shared.store.list()))


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Pool]]:
    """A pool of its own."""
    pools: list[Pool] = []

    def pool(*arguments: str, **options: object) -> Pool:
        settings = {"workers": 1, "grace": None, "command": (*COMMAND, *arguments), **options}
        pools.append(Pool(Store(tmp_path), **settings))
        return pools[-1]

    yield pool
    for each in pools:
        each.shutdown()
