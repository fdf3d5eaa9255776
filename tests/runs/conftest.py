from pathlib import Path

import pytest

from nnviz.runs import RunFile, Store
from nnviz.spec.jobs import Training


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "runs")


@pytest.fixture
def file(store: Store):
    made = store.create(Training(steps=100))
    yield made
    made.close()


@pytest.fixture
def running(file: RunFile) -> RunFile:
    file.write(state="running", step=0)
    return file
