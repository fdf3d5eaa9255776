"""Landscapes in a real worker process: cancelled in the middle, and resumed when the worker has died."""

import os
import signal
from collections.abc import Iterator

import numpy as np
import pytest

from nnviz.runs import Pool, Store
from nnviz.spec.landscapes import Curvature, Landscape, Line, PathPlane, RandomLines, RandomPlane, TrainedModel
from nnviz.spec.learners import Supervised
from nnviz.spec.models import MLP, Hidden
from tests.runs.fake_engine import wait_for

pytestmark = pytest.mark.slow

LEARNER = Supervised(model=MLP(hidden=(Hidden(),), norm={"kind": "batch"}, dropout={"kind": "standard", "rate": 0.2}))
LANDSCAPE = Landscape(
    network=TrainedModel(learner=LEARNER, steps=200),
    views=(RandomPlane(resolution=15), RandomLines(count=2), PathPlane(resolution=15), Line(), Curvature(points=5)),
    samples=100,
    device="cpu",
)


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    """A real pool with a single worker."""
    made = Pool(Store(tmp_path_factory.mktemp("landscapes")), workers=1, grace=None)
    yield made
    made.shutdown()


def state(pool: Pool, run: str) -> str:
    return pool.store.open(run).status().state


def finished(pool: Pool, run: str) -> None:
    wait_for(lambda: state(pool, run) in ("finished", "failed"), 60)
    status = pool.store.open(run).status()
    assert status.state == "finished", status.error


def pictures(pool: Pool, run: str) -> dict[tuple[str, int], dict]:
    """Every picture of the run by quantity and step."""
    file = pool.store.open(run)
    names = ("training", "plane", "lines", "path", "path_plane", "line", "curvature")
    return {(name, step): file.snapshot(name, step)[1] for name in names for step in file.snapshot_steps(name)}


def test_a_landscape_that_is_cancelled_keeps_what_was_told(pool: Pool):
    long = LANDSCAPE.model_copy(update={"views": (RandomPlane(resolution=9), Curvature(points=61, probes=1000))})
    [run] = pool.submit([long])
    wait_for(lambda: pool.store.open(run).snapshot_steps("curvature"), 60)
    pool.store.open(run).cancel()
    wait_for(lambda: state(pool, run) == "stopped")
    kept = pictures(pool, run)
    assert {"training", "plane", "curvature"} == {name for name, _ in kept}
    assert 281 < pool.store.open(run).status().step < long.steps


def test_a_landscape_that_is_paused_and_whose_worker_dies_goes_on_to_the_same_pictures(pool: Pool):
    [whole] = pool.submit([LANDSCAPE])
    [run] = pool.submit([LANDSCAPE])
    file = pool.store.open(run)
    wait_for(lambda: file.status().step > 0)
    file.pause()
    wait_for(lambda: state(pool, run) == "paused")
    finished(pool, whole)
    step = file.status().step
    assert 0 < step < LANDSCAPE.steps
    os.kill(pool.processes[-1], signal.SIGKILL)
    wait_for(lambda: state(pool, run) != "paused")
    pool.resume(run)
    finished(pool, run)
    expected, found = (pictures(pool, each) for each in (whole, run))
    assert list(found) == list(expected)
    assert len(found) == 1 + 4 + 2 + 1 + 4 + 4 + 5
    for key, arrays in expected.items():
        for name, values in arrays.items():
            np.testing.assert_array_equal(found[key][name], values, err_msg=f"{key} {name}")
