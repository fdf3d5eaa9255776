"""Every page without a browser: it renders, its examples start, and what is wrong in a link or a job is said."""

import ast
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from nnviz.runs import Store
from nnviz.spec import presets
from nnviz.spec.jobs import Experiment, Parent, dump
from nnviz.ui import runtime
from nnviz.ui.lineage import without_parent

ROOT = Path(__file__).parents[1]
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("pages/*.py"))
DEFAULTS = {"pages/playground.py": presets.PLAYGROUND, "pages/gradient_flow.py": presets.GRADIENT_FLOW}
MAIN = "pages/playground.py"
EXAMPLES = [(MAIN, p) for p in presets.PLAYGROUND_EXAMPLES] + [
    ("pages/gradient_flow.py", p) for p in presets.GRADIENT_FLOW_EXAMPLES
]
by_page = pytest.mark.parametrize("page", PAGES)
LIVE = ("queued", "running", "paused")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The store that the pages use; worker processes end after the module's tests."""
    made = PagesManager.__init__

    def navigated(self: PagesManager, *arguments: object, **options: object) -> None:
        made(self, *arguments, **options)
        PagesManager.uses_pages_directory = False

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NNVIZ_HOME", str(tmp_path_factory.mktemp("home")))
        # A server forgets the older kind of pages after its first script with st.navigation; AppTest never does.
        patch.setattr(PagesManager, "__init__", navigated)
        st.cache_resource.clear()
        yield runtime.store()
        runtime.pool().shutdown()
        st.cache_resource.clear()


@pytest.fixture
def start(store: Store) -> Iterator[Callable[..., AppTest]]:
    """`start(page, **parameters)` opens a page of the app under a link; runs are ended after the test."""

    def start(page: str, **parameters: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        if page != MAIN:
            app.switch_page(page)
        for name, value in parameters.items():
            app.query_params[name.replace("__", ".")] = value
        return fine(app.run())

    yield start
    for summary in store.list():
        if summary.state in LIVE:
            store.open(summary.id).cancel()


def fine(app: AppTest) -> AppTest:
    """The app, in which no script has thrown."""
    assert not app.exception, [e.stack_trace for e in app.exception]
    return app


def shown(app: AppTest) -> list[str]:
    """Ids of the runs that the page shows."""
    return [run for run in app.query_params.get("run", "").split(",") if run]


def jobs(store: Store, app: AppTest) -> tuple[Experiment, ...]:
    return tuple(without_parent(store.open(run).job) for run in shown(app))


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s in vain"
        time.sleep(0.05)


def test_every_page_is_known_here_and_in_the_table_of_contents():
    assert list(DEFAULTS) == sorted(PAGES, reverse=True)
    contents = (ROOT / "app.py").read_text()
    assert all(f'"{page}"' in contents for page in PAGES)


@by_page
def test_a_page_shows_its_default_experiment_at_step_0(start, store, page):
    app = start(page)
    assert jobs(store, app) == (DEFAULTS[page],)
    assert not app.error
    assert {"Run", "Step", "Epoch", "Reset"} <= {b.label for b in app.button}
    assert fine(app.run()).query_params["run"] == shown(app)[0]


@by_page
def test_opening_a_page_starts_no_training(start, store, page):
    (run,) = shown(start(page))
    wait_for(lambda: store.open(run).status().state == "paused")
    assert store.open(run).status().step == 0


@pytest.mark.parametrize(("page", "preset"), EXAMPLES, ids=[p.title for _, p in EXAMPLES])
def test_an_example_is_loaded_and_started_with_one_click(start, store, page, preset):
    app = start(page)
    next(b for b in app.button if b.label == preset.title).click()
    fine(app.run())
    assert jobs(store, app) == preset.jobs
    assert all(store.open(run).status().until is None for run in shown(app))
    assert any(preset.look_at in m.value and preset.reference in m.value for m in app.markdown)


@pytest.mark.slow
def test_an_example_trains_to_its_end_and_is_found_again(start, store):
    app = start("pages/playground.py", steps="30")
    button(app, "Run").click()
    fine(app.run())
    (run,) = shown(app)
    wait_for(lambda: store.open(run).status().state == "finished")
    assert "Run again" in {b.label for b in fine(app.run()).button}
    assert any("finished" in m.value for m in app.markdown)
    again = start("pages/playground.py", steps="30")
    assert shown(again) == [run]


def button(app: AppTest, label: str):
    return next(b for b in app.button if b.label == label)


@by_page
def test_a_bad_link_is_answered_with_one_clear_line(start, store, page):
    app = start(page, learner__optimizer__lr="-3", seed="5")
    assert [e.value for e in app.error] == ["link: learner.optimizer.lr must be in (0, 10], got -3"]
    assert store.open(shown(app)[0]).job.seed == 5


@by_page
def test_a_link_to_an_unknown_run_is_answered_with_one_clear_line(start, store, page):
    app = start(page, run="20260101-0000-000000", seed="5")
    assert len(app.error) == 1
    assert "20260101-0000-000000" in app.error[0].value
    assert "\n" not in app.error[0].value
    assert store.open(shown(app)[0]).job.seed == 5


@by_page
def test_a_link_to_a_damaged_run_is_answered_with_one_clear_line(start, store, page):
    store.path("20260101-0000-bad000").write_bytes(b"not a database" * 100)
    app = start(page, run="20260101-0000-bad000")
    assert len(app.error) == 1
    assert "20260101-0000-bad000" in app.error[0].value
    assert "\n" not in app.error[0].value


@pytest.mark.parametrize(
    ("text", "words"),
    {
        "{": "the job is not JSON",
        "[]": "a job must be a JSON object, got list",
        '{"steps": 0}': "Experiment.steps must be in [1, 1000000], got 0",
        '{"learner": {"data": {"kind": "moon"}}}': "did you mean moons?",
        '{"learner": {"data": {"kind": "curve"}}}': "learner.loss must fit the data",
    }.items(),
)
@by_page
def test_a_bad_job_is_answered_with_one_clear_line_and_nothing_is_lost(start, page, text, words):
    app = start(page, seed="5")
    before = shown(app)
    open_job(app, text)
    assert len(app.error) == 1
    assert words in app.error[0].value
    assert "\n" not in app.error[0].value
    assert shown(app) == before


def open_job(app: AppTest, text: str) -> None:
    next(t for t in app.text_area if t.label == "Job as JSON").set_value(text)
    fine(app.run())
    button(app, "Open").click()
    fine(app.run())


@by_page
def test_a_job_from_json_is_shown(start, store, page):
    job = DEFAULTS[page].model_copy(update={"seed": 77, "steps": 123})
    app = start(page)
    open_job(app, dump(job))
    assert not app.error
    assert jobs(store, app) == (job,)


def test_a_job_that_went_on_from_another_run_is_shown_as_one_of_its_own(start, store):
    job = presets.PLAYGROUND.model_copy(update={"seed": 78})
    app = start(MAIN)
    open_job(app, dump(job.model_copy(update={"parent": Parent(run="20260101-0000-aaaaaa", step=5)})))
    assert not app.error
    runs = shown(app)
    assert [store.open(run).job for run in runs] == [job]
    assert shown(fine(app.run())) == runs


def test_a_link_to_a_job_that_went_on_from_another_run_shows_one_of_its_own(start, store):
    app = start(MAIN, parent='{"run":"20260101-0000-aaaaaa","step":5}', seed="79")
    runs = shown(app)
    assert [store.open(run).job.parent for run in runs] == [None]
    assert shown(fine(app.run())) == runs


def test_changed_settings_before_the_first_step_are_seen_at_once(start, store):
    app = start("pages/playground.py")
    next(s for s in app.selectbox if s.label == "Data").set_value("circles")
    fine(app.run())
    assert jobs(store, app)[0].learner.data.kind == "circles"
    assert app.query_params["learner.data.kind"] == "circles"


@pytest.fixture
def finished(start, store) -> str:
    """A finished run of 30 steps with seed 11."""
    app = start(MAIN, steps="30", seed="11")
    (run,) = shown(app)
    store.open(run).play()
    wait_for(lambda: store.open(run).status().state == "finished")
    return run


@pytest.mark.slow
def test_a_link_that_names_only_a_run_shows_it_with_its_settings(start, finished):
    app = start(MAIN, run=finished)
    assert shown(app) == [finished]
    assert app.query_params["seed"] == "11"
    assert not any("changed" in m.value for m in app.markdown)


@pytest.mark.slow
@pytest.mark.usefixtures("finished")
def test_an_earlier_run_is_in_the_table_of_both_pages(start):
    for page in PAGES:
        app = start(page)
        button(app, "Earlier runs").click()
        fine(app.run())
        lines = app.dataframe[0].value["run"].to_list()
        assert ("steps 30, seed 11" in lines) == (page == MAIN)


@pytest.mark.slow
@pytest.mark.parametrize("runs", ["{0},{0}", "{0},{0},{0}", "{0},20260101-0000-000000", ",,{0},"])
@by_page
def test_a_link_with_more_runs_than_fit_still_opens(start, finished, page, runs):
    app = start(page, run=runs.format(finished), seed="11", steps="30")
    assert len(app.error) == ("000000" in runs)
    fine(app.run())


def test_two_networks_are_compared_at_the_flip_of_a_switch(start, store):
    app = start("pages/gradient_flow.py")
    next(t for t in app.toggle if t.label == "Compare two networks").set_value(True)
    fine(app.run())
    assert jobs(store, app) == (presets.GRADIENT_FLOW,) * 2
    assert len(set(shown(app))) == 2
    next(t for t in app.toggle if t.label == "Compare two networks").set_value(False)
    fine(app.run())
    assert jobs(store, app) == (presets.GRADIENT_FLOW,)


def test_a_link_for_two_networks_opens_on_a_page_for_one(start, store):
    app = start(MAIN, compare="true", b__seed="3", seed="5")
    assert [job.seed for job in jobs(store, app)] == [5]


def test_no_page_brings_torch_into_the_process_of_the_user_interface(tmp_path):
    code = (
        "import sys; from streamlit.testing.v1 import AppTest; from nnviz.ui import runtime\n"
        "app = AppTest.from_file('app.py', default_timeout=60).run()\n"
        f"for page in {PAGES!r}:\n"
        "    app.context['url'] = 'http://localhost/' + page[6:-3]; app.switch_page(page).run()\n"
        "    assert not app.exception and len(app.get('bidi_component')) == 1, app\n"
        "print('torch' in sys.modules, 'nnviz.engine' in sys.modules)\n"
        "runtime.pool().shutdown()\n"
    )
    options = {"capture_output": True, "text": True, "timeout": 120, "cwd": ROOT}
    asked = subprocess.run([sys.executable, "-c", code], env={**os.environ, "NNVIZ_HOME": str(tmp_path)}, **options)
    assert asked.stdout.split() == ["False", "False"], asked.stderr


# -- the files --------------------------------------------------------------------------------------------------------


@by_page
def test_a_page_has_30_to_100_lines(page):
    assert 30 <= len((ROOT / page).read_text().splitlines()) <= 100


@by_page
def test_a_page_begins_with_its_title_and_a_sentence(page):
    title, _, sentence = (ast.get_docstring(ast.parse((ROOT / page).read_text())) or "").partition(" · ")
    assert title.lower().replace(" ", "_") == Path(page).stem
    assert sentence[-1] in ".?"


@by_page
def test_a_page_has_no_if_no_loop_and_no_session(page):
    nodes = list(ast.walk(ast.parse((ROOT / page).read_text())))
    assert not [n for n in nodes if isinstance(n, ast.If | ast.For | ast.While | ast.ClassDef)]
    assert not {"session_state", "query_params"} & {n.attr for n in nodes if isinstance(n, ast.Attribute)}


def test_the_second_of_two_networks_starts_as_a_copy_of_the_first_as_it_is_now(start, store):
    app = start("pages/gradient_flow.py")
    next(s for s in app.slider if s.label == "Depth").set_value(3)
    fine(app.run())
    for on, count in ((True, 2), (False, 1)):
        next(t for t in app.toggle if t.label == "Compare two networks").set_value(on)
        fine(app.run())
        assert [job.learner.model.depth for job in jobs(store, app)] == [3] * count
