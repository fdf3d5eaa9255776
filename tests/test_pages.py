"""Every page without a browser: it renders, its examples start, and what is wrong in a link or a job is said."""

import ast
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from nnviz import presets
from nnviz.presets import optimizers, playground
from nnviz.runs import Store
from nnviz.spec.base import replace_many
from nnviz.spec.jobs import Job, Landscape, Parent, Training, dump
from tests.each import each
from tests.ui.pages import (
    MAIN,
    ROOT,
    button,
    fine,
    jobs,
    open_job,
    opened,
    shown,
    stop_all_runs,
    stored_page,
    temporary_store,
    wait_for,
)

PAGES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("pages/*.py"))
OFFERED = {f"pages/{name}.py": page for name, page in presets.PAGES.items()}
DEFAULTS = {file: page.default for file, page in OFFERED.items()}
TRAINING = {file: job for file, job in DEFAULTS.items() if job.shown_as == Training().shown_as}
BAD = {
    "training": ("learner__optimizer__lr", "-3", "link: learner.optimizer.lr must be in (0, 10], got -3"),
    "trajectories": ("steps", "0", "link: Trajectories.steps must be in [1, 20000], got 0"),
    "adversarial_images training": (
        "learner__batch_size",
        "0",
        "link: learner.batch_size must be in [2, 2048], got 0",
    ),
    "adversarial training": (
        "learner__batch_size",
        "0",
        "link: learner.batch_size must be in [1, 20000], got 0",
    ),
    "landscape": ("samples", "3", "link: Landscape.samples must be in [10, 1000], got 3"),
}
EXAMPLES = [(file, preset) for file in TRAINING for preset in OFFERED[file].examples]
by_page = pytest.mark.parametrize("page", PAGES)
by_training_page = pytest.mark.parametrize("page", TRAINING)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The store that the pages use; worker processes end after the module's tests."""
    with temporary_store(tmp_path_factory.mktemp("home")) as store:
        yield store


@pytest.fixture
def start(store: Store) -> Iterator[Callable[..., AppTest]]:
    """`start(page, **parameters)` opens a page of the app under a link; runs are ended after the test."""
    yield opened
    stop_all_runs(store)


def seeded(page: str, seed: int) -> dict[str, str]:
    """What a link to the page says of the seed."""
    return {"network__seed" if isinstance(DEFAULTS[page], Landscape) else "seed": str(seed)}


def seed_of(job: Job) -> int:
    return job.network.seed if isinstance(job, Landscape) else job.seed


def runs_of(job: Job) -> tuple[Job, ...]:
    """The jobs of the runs that a page makes of one: each view of a landscape is a run of its own."""
    return tuple(job.parts().values())


def test_every_page_is_known_here_and_in_the_table_of_contents():
    assert sorted(DEFAULTS) == PAGES
    contents = (ROOT / "app.py").read_text()
    assert all(f'"{page}"' in contents for page in PAGES)


@by_training_page
def test_a_page_shows_its_default_experiment_at_step_0(start, store, page):
    app = start(page)
    assert jobs(store, app) == (DEFAULTS[page],)
    assert not app.error
    assert {"Run", "Step", "Epoch", "Reset"} <= {b.label for b in app.button}
    assert [fine(app.run()).query_params["run"]] == shown(app)


def test_the_default_trajectory_run_is_shown_from_start_to_end_and_has_no_run_in_its_address(start, store):
    app = start("pages/optimizers.py")
    assert jobs(store, app) == (optimizers.DEFAULT,)
    wait_for(lambda: store.open(shown(app)[0]).status().state == "finished")
    fine(app.run())
    assert not app.error
    assert app.query_params == {}
    assert any("lowest f after 200 steps" in m.value for m in app.markdown)
    assert {"Tune learning rates", *(p.title for p in optimizers.EXAMPLES)} <= {b.label for b in app.button}
    assert "Run" not in {b.label for b in app.button}


@by_training_page
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


@by_page
def test_a_bad_link_is_answered_with_one_clear_line(start, store, page):
    name, value, words = BAD[DEFAULTS[page].shown_as]
    app = start(page, **{name: value}, **seeded(page, 5))
    assert [e.value for e in app.error] == [f"{words}; it is ignored"]
    assert seed_of(store.open(shown(app)[0]).job) == 5


@by_page
def test_a_link_to_an_unknown_run_is_answered_with_one_clear_line(start, store, page):
    app = start(page, run="20260101-0000-000000", **seeded(page, 5))
    assert len(app.error) == 1
    assert "20260101-0000-000000" in app.error[0].value
    assert "\n" not in app.error[0].value
    assert seed_of(store.open(shown(app)[0]).job) == 5


@by_page
def test_a_link_to_a_damaged_run_is_answered_with_one_clear_line(start, store, page):
    store.path("20260101-0000-bad000").write_bytes(b"not a database" * 100)
    app = start(page, run="20260101-0000-bad000")
    assert len(app.error) == 1
    assert "20260101-0000-bad000" in app.error[0].value
    assert "\n" not in app.error[0].value
    assert jobs(store, app) == runs_of(DEFAULTS[page])


BAD_JOBS = {
    "{": "the job is not JSON",
    "[]": "a job must be a JSON object, got list",
    '{"steps": 0}': "Training.steps must be in [1, 1000000], got 0",
    '{"learner": {"data": {"kind": "moon"}}}': "did you mean moons?",
    '{"learner": {"data": {"kind": "curve"}}}': "learner.loss must fit the data",
    '{"kind": "trajectories", "surface": {"kind": "formula", "text": "x +"}}': 'nothing follows "+" at character 3',
    '{"kind": "trajectories", "optimizers": []}': "optimizers",
    '{"kind": "landscape", "views": []}': "views",
}


@by_page
def test_a_bad_job_is_answered_with_one_clear_line_and_nothing_is_lost(start, page):
    app = start(page, **seeded(page, 5))
    before = shown(app)
    for text, words in BAD_JOBS.items():
        open_job(app, text)
        assert len(app.error) == 1, text
        assert words in app.error[0].value
        assert "\n" not in app.error[0].value, text
        assert shown(app) == before, text
    assert len(fine(app.run()).error) == 1, "the page was drawn again, and the text is still the same"


@by_page
def test_a_job_from_json_is_shown(start, store, page):
    where = "network." if isinstance(DEFAULTS[page], Landscape) else ""
    job = replace_many(DEFAULTS[page], {f"{where}seed": 77, f"{where}steps": 123})
    app = start(page)
    open_job(app, dump(job))
    assert not app.error
    assert jobs(store, app) == runs_of(job)


@by_page
def test_a_job_for_another_page_is_answered_with_one_clear_line_and_nothing_is_lost(start, page):
    other = next(job for job in DEFAULTS.values() if job.shown_as != DEFAULTS[page].shown_as)
    app = start(page, **seeded(page, 5))
    before = shown(app)
    open_job(app, dump(other))
    kinds = f"the page shows jobs of kind {DEFAULTS[page].shown_as}, got {other.shown_as}"
    assert [e.value for e in app.error] == [f"{kinds}: open it on another page"]
    assert shown(app) == before


@pytest.mark.parametrize("more", [{}, {"seed": "5"}])
def test_a_link_to_a_run_for_another_page_loses_nothing(start, store, more):
    run = store.create(playground.DEFAULT.model_copy(update={"seed": 91}))
    run.write(state="running", step=3)
    run.write(state="finished")
    app = start("pages/optimizers.py", run=run.id, **more)
    assert [e.value for e in app.error] == [
        "the page shows jobs of kind trajectories, got training: open it on another page"
    ]
    assert jobs(store, app) == (optimizers.DEFAULT.model_copy(update={"seed": int(more.get("seed", 0))}),)
    fine(app.run())
    assert store.open(run.id).status().step == 3


def test_a_job_that_went_on_from_another_run_is_shown_as_one_of_its_own(start, store):
    job = playground.DEFAULT.model_copy(update={"seed": 78})
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


@pytest.fixture(scope="module")
def finished(store) -> str:
    """A finished run of 30 steps with seed 11."""
    (run,) = shown(opened(MAIN, steps="30", seed="11"))
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
    for page in TRAINING:
        app = start(page)
        button(app, "Earlier runs").click()
        fine(app.run())
        lines = app.dataframe[0].value["run"].to_list()
        assert ("steps 30, seed 11" in lines) == (page == MAIN)


@pytest.mark.slow
@each("runs", ["{0},{0}", "{0},{0},{0}", "{0},20260101-0000-000000", ",,{0},"])
@by_training_page
def test_a_link_with_more_runs_than_fit_still_opens(start, finished, page, runs):
    app = start(page, run=runs.format(finished), seed="11", steps="30")
    assert len(app.error) == ("000000" in runs)
    fine(app.run())


@by_page
def test_four_variants_are_shown_side_by_side_and_come_back_from_their_link(start, store, page):
    where = "network." if isinstance(DEFAULTS[page], Landscape) else ""
    said = {f"{letter}.{where}steps": str(n) for n, letter in enumerate("bcd", 41)}
    app = start(page, **said, **{f"{where}steps": "40"})
    said = dict(app.query_params)
    assert [error.value for error in app.error] == []
    assert len(stored_page(app).run_set_state.entries) == 4
    again = start(page, **{name: value for name, value in said.items() if name != "run"})
    assert {name: value for name, value in again.query_params.items() if name != "run"} == {
        name: value for name, value in said.items() if name != "run"
    }
    assert {job.steps for job in jobs(store, again)} == {job.steps for job in jobs(store, app)}


def test_no_page_brings_torch_into_the_process_of_the_user_interface(tmp_path):
    code = (
        "import sys; from streamlit.testing.v1 import AppTest\n"
        "from nnviz.runs import Pool; from nnviz.ui import runtime\n"
        "idle = [sys.executable, '-c', 'import sys; sys.stdin.read()']\n"
        "pool = Pool(runtime.store(), command=idle); runtime.pool = lambda: pool\n"
        "app = AppTest.from_file('app.py', default_timeout=60).run()\n"
        f"for page in {PAGES!r}:\n"
        "    app.context['url'] = 'http://localhost/' + page[6:-3]; app.switch_page(page).run()\n"
        "    assert not app.exception and len(app.get('bidi_component')) == 1, app\n"
        "print('torch' in sys.modules, 'nnviz.engine' in sys.modules)\n"
        "pool.shutdown()\n"
    )
    options = {"capture_output": True, "text": True, "timeout": 120, "cwd": ROOT}
    asked = subprocess.run([sys.executable, "-c", code], env={**os.environ, "NNVIZ_HOME": str(tmp_path)}, **options)
    assert asked.stdout.split() == ["False", "False"], asked.stderr


# -- the files --------------------------------------------------------------------------------------------------------


@by_page
def test_a_page_has_40_to_140_lines(page):
    assert 40 <= len((ROOT / page).read_text().splitlines()) <= 140


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
