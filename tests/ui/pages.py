"""Pages of the app without a browser, as tests open and use them."""

import json
import runpy
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
import streamlit as st
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from nnviz import ui
from nnviz.runs import Pool, Store
from nnviz.runs.runset import EntryView
from nnviz.spec.jobs import Job, load
from nnviz.spec.variants import apply
from nnviz.spec.wording import without_parent
from nnviz.ui import runtime
from nnviz.ui.page import Page
from nnviz.ui.session import StoredPage

ROOT = Path(__file__).parents[2]
MAIN = "pages/playground.py"
LIVE = ("queued", "running", "paused")


@cache
def warm_pool() -> Pool:
    """The pool of this process, whose workers have torch in memory; it goes from store to store."""
    return Pool(runtime.store())


def pool() -> Pool:
    """The pool, for the store that the pages use."""
    warm_pool().store = runtime.store()
    return warm_pool()


@contextmanager
def temporary_store(home: Path, pool: Callable[[], Pool] = pool) -> Iterator[Store]:
    """The store that the pages use meanwhile, and its pool; no run goes on afterwards."""
    made = PagesManager.__init__

    def navigated(self: PagesManager, *arguments: object, **options: object) -> None:
        made(self, *arguments, **options)
        PagesManager.uses_pages_directory = False

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NNVIZ_HOME", str(home))
        # A server forgets the older kind of pages after its first script with st.navigation; AppTest never does.
        patch.setattr(PagesManager, "__init__", navigated)
        patch.setattr(runtime, "pool", pool)
        st.cache_resource.clear()
        store = runtime.store()
        yield store
        stop_all_runs(store)
        wait_for(lambda: not any(summary.state in LIVE for summary in store.list()))
        st.cache_resource.clear()


def page_of(file: str) -> Page:
    """The page that a file draws."""
    drawn: list[Page] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ui, "render", drawn.append)
        runpy.run_path(str(ROOT / file))
    return drawn[0]


def opened(page: str, **parameters: str) -> AppTest:
    """A page of the app under a link: `learner__optimizer__lr="1"` says learner.optimizer.lr."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    if page != MAIN:
        app.switch_page(page)
    for name, value in parameters.items():
        app.query_params[name.replace("__", ".")] = value
    return fine(app.run())


def fine(app: AppTest) -> AppTest:
    """The app, in which no script has thrown."""
    assert not app.exception, [e.stack_trace for e in app.exception]
    return app


def stored_page(app: AppTest, page: str = "") -> StoredPage:
    """What the session keeps of a page, by default of the one that it is on."""
    return app.session_state[f"_nnviz:StoredPage:{page or app.session_state['_nnviz:AppState:'].page}"]


def requested_jobs(app: AppTest) -> list[Job]:
    """The jobs as the form had them last."""
    found = stored_page(app)
    first = load(found.current_first or found.first)
    return [first, *(apply(first, variant["differences"]).job for variant in found.variants)]


def entries(app: AppTest) -> list[EntryView]:
    """The entries that the page shows, as they are now."""
    return runtime.runset(stored_page(app).run_set_state).views()


def shown(app: AppTest) -> list[str]:
    """Ids of the runs that the page shows, each once, whether the address names them or not."""
    return list(dict.fromkeys(run for own in stored_page(app).run_set_state.entries.values() for run in own.values()))


def jobs(store: Store, app: AppTest) -> tuple[Job, ...]:
    """The jobs of the runs that the page shows."""
    return tuple(without_parent(store.open(run).job) for run in shown(app))


def button(app: AppTest, label: str):
    """A button by its text."""
    return next(b for b in app.button if b.label == label)


def press(app: AppTest, label: str) -> AppTest:
    """The app after a press on the button with this text."""
    button(app, label).click()
    return fine(app.run())


def click_twice(app: AppTest, pressed: str | Button) -> Callable[[], AppTest]:
    """Presses a button, named by its text or given; what comes back sends the same click once more, however much later,
    as a browser may."""
    (button(app, pressed) if isinstance(pressed, str) else pressed).click()
    sent = WidgetStates(widgets=[w for w in app._tree.get_widget_states().widgets if w.trigger_value])
    fine(app.run())
    return lambda: fine(app._run(sent))


def head(app: AppTest) -> dict:
    """What the page has last told its board besides figures."""
    (board,) = app.get("bidi_component")
    return json.loads(board.proto.bytes)["head"]


def at(widgets: Sequence, key: str):
    """The widget whose key ends so."""
    found = [w for w in widgets if w.key.endswith(key)]
    assert len(found) == 1, [w.key for w in widgets]
    return found[0]


def open_job(app: AppTest, text: str) -> AppTest:
    """The app after a job was opened from JSON."""
    next(t for t in app.text_area if t.label == "Job as JSON").set_value(text)
    fine(app.run())
    return press(app, "Open")


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    """Waits for what a run file says."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s in vain"
        time.sleep(0.05)


def stop_all_runs(store: Store) -> None:
    """Ends all runs that are live."""
    for summary in store.list():
        if summary.state in LIVE:
            store.open(summary.id).cancel()
