"""Runs of a landscape on its page: as workers would have left them, and what the page shows of them."""

from collections.abc import Callable, Iterator

import pytest
from streamlit.testing.v1 import AppTest

from nnviz.records import Snapshot
from nnviz.runs import Store
from nnviz.spec.base import replace_many
from nnviz.spec.jobs import Landscape
from nnviz.ui import links
from tests.figures import landscape_arrays as arrays
from tests.ui.landscape_page import DEFAULT, PAGE
from tests.ui.pages import at, fine, opened, shown, stop_all_runs

FOUND = {
    "plane": {"plane": arrays.plane(9)},
    "lines": {"lines": arrays.lines()},
    "path": {"path": arrays.path(), "path_plane": arrays.path_plane()},
    "line": {"line": arrays.line()},
    "curvature": {"curvature": arrays.curvature()},
}


@pytest.fixture
def seed(store: Store) -> Iterator[int]:
    """Each test has networks of its own."""
    yield 1 + len(store.list())
    stop_all_runs(store)


@pytest.fixture
def start(store: Store, seed: int) -> Callable[..., AppTest]:
    """`start(*jobs)` opens the page under a link to the jobs, by default the page's own with the test's seed."""
    assert store

    def begin(*jobs: Landscape) -> AppTest:
        said = links.query(jobs or (own(seed),), DEFAULT)
        return opened(PAGE, **{name.replace(".", "__"): v for name, v in said.items()})

    return begin


def own(seed: int, job: Landscape = DEFAULT) -> Landscape:
    """The job with a network of the test's own."""
    return replace_many(job, {"network.seed": seed})


def work(store: Store, run: str, state: str = "finished", error: str = "", *, nothing: bool = False) -> str:
    """Does what a worker would have done of a run, as far as this state; its id."""
    file = store.open(run)
    (view,) = file.job.views
    file.write(state="running", step=10)
    found = {} if nothing else FOUND[view.kind]
    file.write([Snapshot(10, name, one) for name, one in ({"training": arrays.training()} | found).items()])
    if state != "running":
        file.write(state=state, error=error)
    file.close()
    return run


def left_by_others(store: Store, job: Landscape) -> list[str]:
    """Finished runs of all views, of another session."""
    return [work(store, store.create(part).id) for part in job.parts().values()]


def by_kind(store: Store, app: AppTest) -> dict[str, str]:
    """The runs shown by the kind of view."""
    return {store.open(run).job.views[0].kind: run for run in shown(app)}


def states(store: Store, app: AppTest) -> list[str]:
    """The states of the runs shown."""
    return [store.open(run).status().state for run in shown(app)]


def labels(app: AppTest) -> set[str]:
    """The texts of all buttons."""
    return {button.label for button in app.button}


def set_to(app: AppTest, key: str, value: object) -> AppTest:
    """The app after the widget whose key ends so was set."""
    at([*app.number_input, *app.slider, *app.toggle], key).set_value(value)
    return fine(app.run())


def is_gone(store: Store, run: str) -> bool:
    """Whether the run is no longer in the store."""
    return not store.path(run).exists()
