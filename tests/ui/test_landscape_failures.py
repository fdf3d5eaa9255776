"""Runs of a landscape that fail, end unwatched, vanish, are damaged or cannot be started, on its page."""

import sqlite3

import pytest

from nnviz.runs import RunError
from nnviz.spec.base import replace_many
from nnviz.ui import runtime
from tests.ui import landscape_page, watched_runs
from tests.ui.pages import entries, fine, press, shown
from tests.ui.watched_runs import by_kind, labels, own, set_to, states, work

store, seed, start = landscape_page.store, watched_runs.seed, watched_runs.start

STOPPED = "stopped: no viewer for 60 s"


def test_what_a_view_fails_with_is_said_with_its_name_and_the_others_are_shown(start, store):
    app = start()
    runs = by_kind(store, app)
    work(store, runs["plane"])
    for kind in ("path", "curvature"):
        work(store, runs[kind], "failed", f"failed after {len(kind)} steps: look at a later step", nothing=True)
    fine(app.run())
    assert [e.value for e in app.error] == ["Training trajectory (PCA plane), Curvature: look at a later step"]
    (entry,) = entries(app)
    assert [kind for kind in entry.runs if entry.run(kind)] == ["plane"]
    assert len(app.get("bidi_component")) == 1
    press(app, "Try again")
    assert states(store, app) == ["finished", "queued", "queued"]
    assert not app.error


def test_a_landscape_that_nobody_watched_says_so_and_goes_on(start, store):
    app = start()
    for run in shown(app):
        work(store, run, "stopped", STOPPED, nothing=True)
    fine(app.run())
    assert [i.value for i in app.info] == [f"Random plane, Training trajectory (PCA plane), Curvature: {STOPPED}"]
    assert "Continue" in labels(app)


def test_of_two_networks_it_is_said_whose_view_failed(start, store, seed):
    app = start(own(seed), replace_many(own(seed), {"network.weights_seed": 5}))
    for run in shown(app):
        is_second = store.open(run).job.network.weights_seed == 5
        work(store, run, "failed" if is_second else "finished", "too wide" if is_second else "", nothing=is_second)
    fine(app.run())
    assert [e.value for e in app.error] == [
        "B · Random plane, B · Training trajectory (PCA plane), B · Curvature: too wide"
    ]
    assert any("A trained" in m.value and "B trained" in m.value for m in app.markdown)


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
    press(app, "Pause")
    for run in shown(app):
        store.path(run).unlink(missing_ok=True)
    set_to(app, ":plane.span", 2.0)
    assert states(store, app) == ["queued"] * 3
    assert not app.error


def test_a_landscape_that_cannot_be_started_is_answered_with_one_line(start, store, seed, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise RunError("the disk is full")

    plane = work(store, store.create(own(seed).parts()["plane"]).id)
    monkeypatch.setattr(runtime.pool(), "submit", refuse)
    app = start()
    assert [e.value for e in app.error] == ["the disk is full"]
    assert shown(app) == [plane]
    assert "the disk is full" in fine(app.run()).error[0].value
