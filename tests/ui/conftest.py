import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st

from nnviz.runs import Pool, RunFile, Store
from nnviz.spec.jobs import Training
from nnviz.ui import runtime


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The store of the app's pages, empty."""
    monkeypatch.setenv("NNVIZ_HOME", str(tmp_path / "runs"))
    st.cache_resource.clear()
    pools: list[Pool] = []

    def pool() -> Pool:
        """A pool whose worker never becomes ready: what is submitted waits."""
        if not pools:
            pools.append(Pool(runtime.store(), command=[sys.executable, "-c", "import sys; sys.stdin.read()"]))
        return pools[0]

    monkeypatch.setattr(runtime, "pool", pool)
    yield runtime.store()
    for one in pools:
        one.shutdown()
    st.cache_resource.clear()


@pytest.fixture
def trained(store: Store) -> Iterator[Callable[..., RunFile]]:
    """`trained(job, step=20, state="paused") -> RunFile`: a run as a worker would have left it."""
    files = []

    def make(job: Training, step: int = 20, state: str = "paused") -> RunFile:
        file = store.create(job, until=step)
        files.append(file)
        if state != "queued":
            file.write(state="running", step=step)
        if state not in ("queued", "running"):
            file.write(state=state)
            file.save_checkpoint(step, b"as left")
        return file

    yield make
    for file in files:
        file.close()
