"""The page of a landscape without a browser, its runs waiting: its form, and the jobs that are asked for on it."""

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from nnviz.presets import loss_landscape
from nnviz.runs import Pool, Store
from nnviz.spec.jobs import Landscape
from nnviz.ui import links, runtime
from tests.ui.pages import at, fine, opened, stored_page, temporary_store

PAGE = "pages/loss_landscape.py"
MODULE = sys.modules["nnviz.ui.show"]
DEFAULT = loss_landscape.DEFAULT
ALL = DEFAULT.model_copy(update={"views": loss_landscape.ALL})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The store of the page; its worker never becomes ready, so that all runs wait."""
    pools: list[Pool] = []

    def pool() -> Pool:
        if not pools:
            pools.append(Pool(runtime.store(), command=[sys.executable, "-c", "import sys; sys.stdin.read()"]))
        return pools[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MODULE, "PATIENCE", 0.0)
        with temporary_store(tmp_path_factory.mktemp("home"), pool) as store:
            yield store
        for one in pools:
            one.shutdown()


@pytest.fixture
def start(store: Store) -> Callable[..., AppTest]:
    """`start(*jobs, **parameters)` opens the page under a link to the jobs."""
    assert store

    def begin(*jobs: Landscape, **parameters: str) -> AppTest:
        said = links.query(jobs, DEFAULT) if jobs else {}
        return opened(PAGE, **{name.replace(".", "__"): value for name, value in said.items()}, **parameters)

    return begin


def set_to(app: AppTest, **values: Any) -> AppTest:
    """Sets the first network's widgets at these paths (`__` for a dot) and draws the page."""
    for name, value in values.items():
        own, name = f"loss_landscape:{stored_page(app).generation}:", name.replace("__", ".")
        widgets = [*app.selectbox, *app.slider, *app.select_slider, *app.number_input, *app.toggle]
        next(w for w in widgets if w.key in (f"{own}{name}", f"{own}views:{name}")).set_value(value)
    return fine(app.run())


def switch(app: AppTest, **shows: bool) -> AppTest:
    """Switches views on or off."""
    for kind, on in shows.items():
        at(app.toggle, f":show:{kind}").set_value(on)
    return fine(app.run())


def errors(app: AppTest) -> list[str]:
    """What the page says is wrong."""
    return [error.value for error in app.error]
