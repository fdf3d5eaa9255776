"""Runs of a landscape on its page: found again, started, given up, stopped and continued; and how far they are."""

import json
from dataclasses import asdict

import pytest

from nnviz.records import Snapshot
from nnviz.runs import RunError, RunFile
from nnviz.runs.runset import EntryView
from nnviz.spec.base import replace_many
from nnviz.spec.landscapes import Line
from nnviz.ui.computed_runs import activity
from nnviz.ui.form.landscape_widgets import positions
from tests.figures import landscape_arrays as arrays
from tests.ui import landscape_page, watched_runs
from tests.ui.landscape_page import ALL, DEFAULT
from tests.ui.pages import entries, fine, head, press, shown, stored_page, wait_for
from tests.ui.watched_runs import by_kind, is_gone, labels, left_by_others, own, set_to, states, work

store, seed, start = landscape_page.store, watched_runs.seed, watched_runs.start


def test_a_finished_landscape_is_found_again_and_nothing_is_started(start, store, seed):
    runs = left_by_others(store, own(seed))
    before = len(store.list())
    app = start()
    assert shown(app) == runs
    assert shown(fine(app.run())) == runs
    assert len(store.list()) == before
    assert not labels(app) & {"Pause", "Continue", "Try again"}
    assert any("trained" in m.value and "step 120" in m.value for m in app.markdown)


def test_only_what_is_missing_is_started(start, store, seed):
    runs = left_by_others(store, own(seed))
    store.delete(runs[1])
    app = start()
    assert [shown(app)[0], shown(app)[2]] == [runs[0], runs[2]]
    assert states(store, app) == ["finished", "queued", "finished"]
    assert "Pause" in labels(app)


def test_what_a_session_remembers_is_plain(start, store):
    app = start()
    for run in shown(app):
        work(store, run)
    set_to(app, ":plane.span", 2.0)
    remembered = asdict(stored_page(app))
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
    unfinished = store.create(replace_many(job, {"views.0.span": 2.0}).parts()["plane"])
    app = start()
    for span in (2.0, 3.0, 1.0):
        set_to(app, ":plane.span", span)
    assert not store.open(unfinished.id).status().cancelled
    assert not any(is_gone(store, run) for run in [*runs, unfinished.id])
    assert shown(app) == runs


def test_one_of_two_sessions_stops_its_landscape_and_the_other_goes_on(start, store):
    one, other = start(), start()
    assert not set(shown(one)) & set(shown(other))
    press(one, "Pause")
    wait_for(lambda: set(states(store, one)) == {"stopped"})
    assert not any(store.open(run).status().cancelled for run in shown(other))
    assert "Pause" in labels(fine(other.run()))
    for run in shown(other):
        work(store, run)
    # What one has stopped stays with it; it goes on where it was.
    assert "Continue" in labels(fine(one.run()))
    assert "Pause" not in labels(fine(other.run()))


def test_stopped_and_continued(start, store):
    app = start()
    runs = shown(app)
    work(store, runs[0], "running")
    work(store, runs[1], "finished")
    press(app, "Pause")
    wait_for(lambda: states(store, app) == ["stopped", "finished", "stopped"])
    assert "Continue" in labels(fine(app.run()))
    (entry,) = entries(app)
    # What is there is kept, and of what is not there nothing is outdated.
    assert entry.run("plane") is not None
    assert entry.run("curvature") is None
    assert shown(press(app, "Continue")) == runs
    assert states(store, app) == ["queued", "finished", "queued"]
    assert "Pause" in labels(app)
    assert not app.error


def test_what_was_stopped_is_shown_dimmed_until_there_is_something_new_and_then_deleted(start, store):
    app = start()
    old = by_kind(store, app)["plane"]
    work(store, old, "running")
    press(app, "Pause")
    wait_for(lambda: set(states(store, app)) == {"stopped"})
    fine(app.run())
    set_to(app, ":plane.span", 2.0)
    (entry,) = entries(app)
    assert entry.outdated_parts
    assert entry.run("plane").id == old
    for run in by_kind(store, app).values():
        work(store, run)
    fine(app.run())
    assert not entries(app)[0].outdated_parts
    assert is_gone(store, old)


def test_only_pictures_of_what_was_asked_before_are_behind(start, store, seed):
    job = own(seed, DEFAULT.model_copy(update={"views": (*DEFAULT.views, Line())}))
    app = start(job, replace_many(job, {"network.weights_seed": 5}))
    assert not head(app)["stale"]
    for run in shown(app):
        work(store, run)
    assert not head(fine(app.run()))["stale"]
    maps = {f"{name} {letter}" for name in ("plane", "plane 3-D") for letter in "AB"}
    for key, value, behind in ((":plane.span", 2.0, maps), (":line.margin", 0.5, maps | {"line B"})):
        assert head(set_to(app, key, value))["stale"].keys() == behind, key
    work(store, by_kind(store, app)["line"])
    assert head(fine(app.run()))["stale"].keys() == maps


def test_where_nothing_is_to_be_shown_there_is_no_board(start, store):
    app = start()
    assert len(app.get("bidi_component")) == 1
    press(app, "Pause")
    wait_for(lambda: set(states(store, app)) == {"stopped"})
    fine(app.run())
    assert not app.get("bidi_component")
    assert any("paused" in m.value for m in app.markdown)
    press(app, "Continue")
    assert len(app.get("bidi_component")) == 1


def test_equal_networks_share_their_runs_and_each_can_be_had_once(start, store, seed):
    app = start(own(seed), own(seed))
    assert len(shown(app)) == 3
    for run in shown(app):
        work(store, run)
    assert len(entries(fine(app.run()))) == 2


def test_with_nothing_but_a_line_both_networks_are_there(start, store, seed):
    only = own(seed, DEFAULT.model_copy(update={"views": (Line(),)}))
    app = start(only, replace_many(only, {"network.weights_seed": 5}))
    (run,) = shown(app)
    work(store, run)
    first, second = entries(fine(app.run()))
    assert (first.job.network.weights_seed, second.job.network.weights_seed) == (None, 5)
    assert first.runs == {}
    assert second.run("line").job.other == second.job.network


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
        file = store.create(own(seed, ALL).parts()[kind])
        if state != "queued":
            file.write(state="running", step=step)
        return store.view(file.id)

    return make


def test_progress_says_what_is_done_now(view):
    assert activity(view("plane", "queued")) == "waiting"
    assert activity(view("plane", "running", 250)) == "training the network, step 250 of 1,000"
    assert activity(view("line", "running", 250)) == "training the network, step 250 of 2,000"
    half = 1000 + 41 * 41 // 2
    assert activity(view("plane", "running", half)) == "Random plane: 50%"
    assert activity(view("plane", "running", half), "B") == "B · Random plane: 50%"


def test_progress_says_what_is_waited_for(store, view):
    run = view("plane", "queued").id
    store.open(run).wait("it needs a lot of memory")
    assert activity(store.view(run)) == "waiting: it needs a lot of memory"


def test_the_time_slider_has_the_steps_that_were_kept_of_all_networks(store):
    def entry(count: int) -> EntryView:
        file = store.create(DEFAULT.parts()["plane"])
        file.write(state="running", step=1)
        file.write([Snapshot(1, "training", arrays.training(count))] if count else [])
        file.close()
        return EntryView("a", DEFAULT, {"plane": store.view(file.id)})

    assert positions([entry(0)], [DEFAULT]) == [0]
    assert positions([entry(3)], [DEFAULT]) == [0, 10, 20]
    assert positions([entry(3), entry(5)], [DEFAULT] * 2) == [0, 10, 20, 30, 40]
    assert positions([], [DEFAULT]) == []
