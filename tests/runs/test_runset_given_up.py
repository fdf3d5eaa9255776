"""A set of runs: what nobody waits for any more is given up, and what may be wanted again stays."""

import os

from nnviz.runs import RunError, RunFile
from tests.each import each
from tests.runs import run_sets
from tests.runs.run_sets import JOB, LANDSCAPE, RACE, Session, finished, is_gone, left, seeded

session = run_sets.session


def test_a_training_that_has_taken_a_step_stays_when_it_is_no_longer_shown(session):
    run = left(session.store, session.ensure(seeded(0))["a"], "running", 7)
    session.ensure(seeded(1))
    assert not session.store.open(run).status().cancelled
    assert run not in session.state.started


def test_a_training_that_only_waited_is_deleted_once_it_has_stopped(session):
    run = session.ensure(seeded(0))["a"]
    session.ensure(seeded(1))
    assert session.store.open(run).status().cancelled
    assert not is_gone(session.store, run)
    left(session.store, run, "stopped", 0)
    session.ensure(seeded(1))
    assert is_gone(session.store, run)


@each("job, stays", [(LANDSCAPE.parts()["plane"], True), (RACE, False)])
def test_what_is_finished_stays_if_it_may_be_found_again_and_not_if_it_was_for_a_moment(store, job, stays):
    session = Session(store)
    session().ensure({"a": job})
    (run,) = session().ids
    left(store, run)
    session.ensure(seeded(0))
    assert is_gone(store, run) is not stays
    session().ensure({"a": job})
    assert (session().ids == [run]) is stays


@each("job", [LANDSCAPE.parts()["plane"], RACE])
def test_what_is_unfinished_is_stopped_then_deleted_and_not_taken_up_again(store, job):
    session = Session(store)
    session().ensure({"a": job})
    (run,) = session().ids
    session.ensure(seeded(0))
    assert store.open(run).status().cancelled
    session().ensure({"a": job})
    assert session().ids != [run]
    left(store, run, "stopped", 3)
    session().retire()
    assert is_gone(store, run)


def test_what_is_still_in_sight_is_deleted_when_its_successor_has_come(session):
    old = left(session.store, session.ensure({"a": RACE})["a"])
    session().keep_as_previous()
    new = session.ensure({"a": RACE.model_copy(update={"x": 1.5})})["a"]
    assert not is_gone(session.store, old)
    (view,) = session().views()
    assert view.previous[""].id == old
    left(session.store, new)
    session().keep_as_previous()
    assert is_gone(session.store, old)


def test_a_run_that_is_out_of_reach_is_given_up_later(session, monkeypatch):
    run = session.ensure({"a": RACE})["a"]

    def locked(_: RunFile) -> None:
        raise RunError("the file is locked")

    with monkeypatch.context() as patch:
        patch.setattr(RunFile, "cancel", locked)
        session.ensure(seeded(0))
    assert not session.store.open(run).status().cancelled
    session().retire()
    assert session.store.open(run).status().cancelled


def test_a_run_that_has_vanished_is_forgotten(session):
    run = session.ensure({"a": RACE})["a"]
    os.unlink(session.store.path(run))
    session.ensure(seeded(0))
    assert run not in session.state.started


def test_runs_of_others_are_neither_stopped_nor_deleted(session):
    (done,) = finished(session.store, RACE)
    other = session.store.create(JOB).id
    session.ensure({"a": RACE})
    session().show({"a": other})
    session.ensure(seeded(1))
    assert not is_gone(session.store, done)
    assert not session.store.open(other).status().cancelled
