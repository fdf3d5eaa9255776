"""Runs of a landscape on its page: found again, started, stopped, continued, given up, deleted and damaged."""

import json
import sqlite3
import sys
from collections.abc import Callable, Iterator

import pytest
from streamlit.testing.v1 import AppTest

from nnviz.records import Snapshot
from nnviz.runs import Pool, RunError, RunFile, Store
from nnviz.spec import surveys
from nnviz.spec.base import replace_many
from nnviz.spec.jobs import Landscape
from nnviz.spec.landscapes import Line
from nnviz.ui import links, runtime
from nnviz.ui.sights import SHOWN, Sight, parts
from tests.figures import surveys as arrays
from tests.ui.paging import at, ended, fine, housed, kept, opened, press, shown, wait_for

DEFAULT = surveys.LOSS_LANDSCAPE
ALL = DEFAULT.model_copy(update={"views": surveys.ALL})
MODULE = sys.modules["nnviz.ui.watch_landscape"]
FOUND = {
    "plane": {"plane": arrays.plane(9)},
    "lines": {"lines": arrays.lines()},
    "path": {"path": arrays.path(), "path_plane": arrays.path_plane()},
    "line": {"line": arrays.line()},
    "curvature": {"curvature": arrays.curvature()},
}
STOPPED = "stopped: nobody watched for 60 s"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The store of the page; its worker never becomes ready: what runs do is up to the tests."""
    pools: list[Pool] = []

    def pool() -> Pool:
        if not pools:
            pools.append(Pool(runtime.store(), command=[sys.executable, "-c", "import sys; sys.stdin.read()"]))
        return pools[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime, "pool", pool)
        patch.setattr(MODULE, "PATIENCE", 0.0)
        with housed(tmp_path_factory.mktemp("home")) as store:
            yield store


@pytest.fixture
def seed(store: Store) -> Iterator[int]:
    """Each test has networks of its own."""
    yield 1 + len(store.list())
    ended(store)


@pytest.fixture
def start(store: Store, seed: int) -> Callable[..., AppTest]:
    """`start(*jobs)` opens the page under a link to the jobs, by default the page's own with the test's seed."""
    assert store

    def begin(*jobs: Landscape) -> AppTest:
        said = links.query(jobs or (own(seed),), DEFAULT)
        return opened("pages/loss_landscape.py", **{name.replace(".", "__"): v for name, v in said.items()})

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
    return [work(store, store.create(part).id) for part in parts((job,))[0].values()]


def by_kind(store: Store, app: AppTest) -> dict[str, str]:
    """The runs shown by the kind of view."""
    return {store.open(run).job.views[0].kind: run for run in shown(app)}


def states(store: Store, app: AppTest) -> list[str]:
    return [store.open(run).status().state for run in shown(app)]


def labels(app: AppTest) -> set[str]:
    return {button.label for button in app.button}


def sights(app: AppTest) -> list[Sight]:
    return MODULE._sights(kept(app, "landscape:loss_landscape"))


def set_to(app: AppTest, key: str, value: object) -> AppTest:
    at([*app.number_input, *app.slider, *app.toggle], key).set_value(value)
    return fine(app.run())


def is_gone(store: Store, run: str) -> bool:
    return not store.path(run).exists()


def test_a_finished_landscape_is_found_again_and_nothing_is_started(start, store, seed):
    runs = left_by_others(store, own(seed))
    before = len(store.list())
    app = start()
    assert shown(app) == runs
    assert shown(fine(app.run())) == runs
    assert len(store.list()) == before
    assert not labels(app) & {"Stop", "Continue", "Try again"}
    assert any("trained" in m.value and "step 120" in m.value for m in app.markdown)


def test_only_what_is_missing_is_started(start, store, seed):
    runs = left_by_others(store, own(seed))
    store.delete(runs[1])
    app = start()
    assert [shown(app)[0], shown(app)[2]] == [runs[0], runs[2]]
    assert states(store, app) == ["finished", "queued", "finished"]
    assert "Stop" in labels(app)


def test_what_a_session_remembers_is_plain(start, store):
    app = start()
    for run in shown(app):
        work(store, run)
    set_to(app, ":plane.span", 2.0)
    remembered = kept(app, "landscape:loss_landscape")
    assert json.loads(json.dumps(remembered)) == remembered


def test_another_setting_of_one_view_starts_that_view_alone_and_gives_up_the_other(start, store):
    app = start()
    before = by_kind(store, app)
    set_to(app, ":plane.span", 2.0)
    after = by_kind(store, app)
    assert {kind for kind in after if after[kind] != before[kind]} == {"plane"}
    assert store.open(before["plane"]).status().cancelled
    wait_for(lambda: not store.open(before["plane"]).status().live)
    # The page looks again by itself until it has stopped.
    fine(app.run())
    assert is_gone(store, before["plane"])
    assert not is_gone(store, before["path"])


def test_what_is_finished_stays_when_the_form_goes_on_and_is_shown_again(start, store):
    app = start()
    run = work(store, by_kind(store, app)["plane"])
    set_to(app, ":plane.span", 2.0)
    assert by_kind(store, app)["plane"] != run
    set_to(app, ":plane.span", 1.0)
    assert by_kind(store, app)["plane"] == run


def test_a_view_that_was_given_up_starts_anew_when_the_form_comes_back_to_it(start, store):
    app = start()
    first = by_kind(store, app)["plane"]
    set_to(app, ":plane.span", 2.0)
    second = by_kind(store, app)["plane"]
    set_to(app, ":plane.span", 1.0)
    third = by_kind(store, app)["plane"]
    assert len({first, second, third}) == 3
    assert not store.open(third).status().cancelled
    wait_for(lambda: all(is_gone(store, run) or not store.open(run).status().live for run in (first, second)))
    fine(app.run())
    assert is_gone(store, first)
    assert is_gone(store, second)
    assert states(store, app) == ["queued"] * 3
    assert "Continue" not in labels(app)


def test_a_view_that_cannot_be_given_up_now_is_given_up_later(start, store, monkeypatch):
    app = start()
    first = by_kind(store, app)["plane"]

    def locked(_: RunFile) -> None:
        raise RunError("the file is locked")

    with monkeypatch.context() as patch:
        patch.setattr(RunFile, "cancel", locked)
        set_to(app, ":plane.span", 2.0)
    assert not app.error
    assert not store.open(first).status().cancelled
    fine(app.run())
    assert store.open(first).status().cancelled


def test_runs_of_others_are_neither_stopped_nor_deleted(start, store, seed):
    job = own(seed)
    runs = left_by_others(store, job)
    unfinished = store.create(parts((replace_many(job, {"views.0.span": 2.0}),))[0]["plane"])
    app = start()
    for span in (2.0, 3.0, 1.0):
        set_to(app, ":plane.span", span)
    assert not store.open(unfinished.id).status().cancelled
    assert not any(is_gone(store, run) for run in [*runs, unfinished.id])
    assert shown(app) == runs


def test_one_of_two_sessions_stops_its_landscape_and_the_other_goes_on(start, store):
    one, other = start(), start()
    assert not set(shown(one)) & set(shown(other))
    press(one, "Stop")
    wait_for(lambda: set(states(store, one)) == {"stopped"})
    assert not any(store.open(run).status().cancelled for run in shown(other))
    assert "Stop" in labels(fine(other.run()))
    for run in shown(other):
        work(store, run)
    # What one has stopped stays with it; it goes on where it was.
    assert "Continue" in labels(fine(one.run()))
    assert "Stop" not in labels(fine(other.run()))


def test_stopped_and_continued(start, store):
    app = start()
    runs = shown(app)
    work(store, runs[0], "running")
    work(store, runs[1], "finished")
    press(app, "Stop")
    wait_for(lambda: states(store, app) == ["stopped", "finished", "stopped"])
    assert "Continue" in labels(fine(app.run()))
    (sight,) = sights(app)
    # What is there is kept, and of what is not there nothing is awaited.
    assert sight.run("plane") is not None
    assert sight.run("curvature") is None
    assert shown(press(app, "Continue")) == runs
    assert states(store, app) == ["queued", "finished", "queued"]
    assert "Stop" in labels(app)
    assert not app.error


def test_what_was_stopped_is_shown_dimmed_until_there_is_something_new_and_then_deleted(start, store):
    app = start()
    old = by_kind(store, app)["plane"]
    work(store, old, "running")
    press(app, "Stop")
    wait_for(lambda: set(states(store, app)) == {"stopped"})
    fine(app.run())
    set_to(app, ":plane.span", 2.0)
    (sight,) = sights(app)
    assert sight.awaited
    assert sight.run("plane").id == old
    for run in by_kind(store, app).values():
        work(store, run)
    fine(app.run())
    assert not sights(app)[0].awaited
    assert is_gone(store, old)


def test_what_a_view_fails_with_is_said_with_its_name_and_the_others_are_shown(start, store):
    app = start()
    runs = by_kind(store, app)
    work(store, runs["plane"])
    for kind in ("path", "curvature"):
        work(store, runs[kind], "failed", f"failed after {len(kind)} steps: look at a later step", nothing=True)
    fine(app.run())
    assert [e.value for e in app.error] == ["Training path, Curvature: look at a later step"]
    (sight,) = sights(app)
    assert [kind for kind in SHOWN if sight.run(kind)] == ["plane"]
    assert len(app.get("bidi_component")) == 1
    press(app, "Try again")
    assert states(store, app) == ["finished", "queued", "queued"]
    assert not app.error


def test_a_landscape_that_nobody_watched_says_so_and_goes_on(start, store):
    app = start()
    for run in shown(app):
        work(store, run, "stopped", STOPPED, nothing=True)
    fine(app.run())
    assert [i.value for i in app.info] == [f"Random plane, Training path, Curvature: {STOPPED}"]
    assert "Continue" in labels(app)


def test_where_nothing_is_to_be_shown_there_is_no_board(start, store):
    app = start()
    assert len(app.get("bidi_component")) == 1
    press(app, "Stop")
    wait_for(lambda: set(states(store, app)) == {"stopped"})
    fine(app.run())
    assert not app.get("bidi_component")
    assert any("stopped" in m.value for m in app.markdown)
    press(app, "Continue")
    assert len(app.get("bidi_component")) == 1


def test_of_two_networks_it_is_said_whose_view_failed(start, store, seed):
    app = start(own(seed), replace_many(own(seed), {"network.weights_seed": 5}))
    for run in shown(app):
        is_second = store.open(run).job.network.weights_seed == 5
        work(store, run, "failed" if is_second else "finished", "too wide" if is_second else "", nothing=is_second)
    fine(app.run())
    assert [e.value for e in app.error] == ["B · Random plane, B · Training path, B · Curvature: too wide"]
    assert any("A trained" in m.value and "B trained" in m.value for m in app.markdown)


def test_equal_networks_share_their_runs_and_each_can_be_had_once(start, store, seed):
    app = start(own(seed), own(seed))
    assert len(shown(app)) == 3
    for run in shown(app):
        work(store, run)
    assert len(sights(fine(app.run()))) == 2


def test_with_nothing_but_a_line_both_networks_are_there(start, store, seed):
    only = own(seed, DEFAULT.model_copy(update={"views": (Line(),)}))
    app = start(only, replace_many(only, {"network.weights_seed": 5}))
    (run,) = shown(app)
    work(store, run)
    first, second = sights(fine(app.run()))
    assert (first.job.network.weights_seed, second.job.network.weights_seed) == (None, 5)
    assert second.runs == {}


def test_what_is_deleted_from_outside_is_computed_again(start, store):
    app = start()
    for run in shown(app):
        work(store, run)
    fine(app.run())
    before = by_kind(store, app)
    store.delete(before["path"])
    fine(app.run())
    after = by_kind(store, app)
    assert {kind for kind in after if after[kind] != before[kind]} == {"path"}
    assert store.open(after["path"]).status().live
    assert not app.error


@pytest.mark.parametrize("how", ["file", "picture"])
def test_what_is_damaged_is_computed_again(start, store, how):
    app = start()
    for run in shown(app):
        work(store, run)
    fine(app.run())
    before = by_kind(store, app)
    path = store.path(before["plane"])
    if how == "file":
        path.write_bytes(b"not a database" * 100)
    else:
        with sqlite3.connect(path) as c:
            c.execute("UPDATE snapshots SET arrays = x'00'")
            c.execute("UPDATE status SET generation = generation + 1")
        c.close()
    for page in (app, start()):
        fine(page.run())
        assert by_kind(store, page)["path"] == before["path"]
        assert by_kind(store, page)["plane"] != before["plane"]
        assert not page.error
    path.unlink()


def test_runs_that_vanish_while_they_are_computed_harm_nothing(start, store):
    app = start()
    for run in shown(app):
        store.path(run).unlink()
    fine(app.run())
    assert states(store, app) == ["queued"] * 3
    press(app, "Stop")
    for run in shown(app):
        store.path(run).unlink(missing_ok=True)
    set_to(app, ":plane.span", 2.0)
    assert states(store, app) == ["queued"] * 3
    assert not app.error


def test_a_landscape_that_cannot_be_started_is_answered_with_one_line(start, store, seed, monkeypatch):
    def refuse(*_: object) -> None:
        raise RunError("the disk is full")

    plane = work(store, store.create(parts((own(seed),))[0]["plane"]).id)
    monkeypatch.setattr(runtime.pool(), "submit", refuse)
    app = start()
    assert [e.value for e in app.error] == ["the disk is full"]
    assert shown(app) == [plane]
    assert "the disk is full" in fine(app.run()).error[0].value


def test_leaving_the_page_and_coming_back_shows_the_same_runs(start, store):
    app = start()
    runs = shown(app)
    for page in ("pages/playground.py", "pages/loss_landscape.py"):
        fine(app.switch_page(page).run())
    assert shown(app) == runs
    assert not any(store.open(run).status().cancelled for run in runs)


# -- words and places ------------------------------------------------------------------------------------------------


@pytest.fixture
def view(store, seed):
    """`view(kind, state, step)` is a view of a run of one kind; its network has 1,000 steps."""

    def make(kind: str, state: str, step: int = 0):
        file = store.create(parts((own(seed, ALL),))[0][kind])
        if state != "queued":
            file.write(state="running", step=step)
        return store.view(file.id)

    return make


def test_progress_says_what_is_done_now(view):
    assert MODULE._words(view("plane", "queued"), "Random plane: ") == "waiting"
    assert MODULE._words(view("plane", "running", 250), "") == "training the network, step 250 of 1,000"
    assert MODULE._words(view("line", "running", 250), "") == "training the network, step 250 of 2,000"
    half = 1000 + 41 * 41 // 2
    assert MODULE._words(view("plane", "running", half), "A · Random plane: ") == "A · Random plane: 50%"


def test_progress_says_how_many_wait_before_it(store, view):
    run = view("plane", "queued").id
    store.open(run).wait(3)
    assert MODULE._words(store.view(run), "") == "waiting, 3 before it"


def test_the_time_slider_has_the_steps_that_were_kept_of_all_networks(store):
    def sight(count: int) -> Sight:
        file = store.create(parts((DEFAULT,))[0]["plane"])
        file.write(state="running", step=1)
        file.write([Snapshot(1, "training", arrays.training(count))] if count else [])
        file.close()
        return Sight("id", DEFAULT, {"plane": store.view(file.id)}, {})

    assert MODULE._positions([sight(0)]) == [0]
    assert MODULE._positions([sight(3)]) == [0, 10, 20]
    assert MODULE._positions([sight(3), sight(5)]) == [0, 10, 20, 30, 40]
    assert MODULE._positions([]) == []
