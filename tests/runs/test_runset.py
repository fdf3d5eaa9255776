"""A set of runs: what is there is taken, what is missing is started, and what is no longer wanted is given up."""

import json
import sqlite3
from dataclasses import asdict

import numpy as np
import pytest

from nnviz.runs import RunError, RunFile
from nnviz.spec.base import replace_many
from nnviz.spec.ensembles import ensemble_of
from nnviz.spec.trajectories import RateSearch
from tests.runs import run_sets
from tests.runs.run_sets import JOB, LANDSCAPE, RACE, Session, finished, is_gone, left, seeded

session = run_sets.session

# -- what is asked for -----------------------------------------------------------------------------------------------


def test_what_is_missing_is_started_in_lock_step_and_waits_where_it_is_to(session):
    runs = session.ensure(seeded(0, 1, 2), until=0)
    assert session.queue.groups == [list(runs.values())]
    assert {session.store.open(run).status().until for run in runs.values()} == {0}
    assert [session.job(run).seed for run in runs.values()] == [0, 1, 2]


def test_of_a_fifth_variant_beside_four_finished_ones_only_that_is_started(session):
    four = finished(session.store, *seeded(0, 1, 2, 3).values())
    assert list(session.ensure(seeded(0, 1, 2, 3)).values()) == four
    assert session.queue.groups == []
    runs = session.ensure(seeded(0, 1, 2, 3, 4))
    assert list(runs.values())[:4] == four
    assert session.queue.groups == [[runs["e"]]]


def test_asked_for_again_nothing_is_started(session):
    runs = session.ensure(seeded(0, 1))
    assert session.ensure(seeded(0, 1)) == runs
    assert len(session.queue.groups) == 1


def test_of_a_variant_that_is_removed_the_others_keep_their_runs(session):
    before = session.ensure(seeded(0, 1, 2))
    after = session.ensure(seeded(0, 2))
    assert after == {"a": before["a"], "c": before["c"]}
    assert len(session.queue.groups) == 1
    assert [view.id for view in session().views()] == ["a", "c"]


def test_a_run_shown_goes_with_its_job_to_another_entry(session):
    runs = session.ensure(seeded(0, 1))
    assert session.ensure({"x": session.job(runs["b"])}) == {"x": runs["b"]}


def test_equal_trainings_have_a_run_each_and_are_found_again_as_one(session):
    runs = session.ensure({"a": JOB, "b": JOB})
    assert len(set(runs.values())) == 2
    assert session.ensure({"a": JOB, "b": JOB}) == runs
    for run in runs.values():
        left(session.store, run)
    other = Session(session.store)
    assert len(set(other.ensure({"a": JOB, "b": JOB}).values())) == 1
    assert len(other().views()) == 2
    assert len(other().ids) == 1
    assert other.queue.groups == []


def test_a_training_that_was_given_up_before_its_first_step_is_not_taken_again(session):
    for state, step, is_taken in (("stopped", 0, False), ("stopped", 7, True), ("failed", 0, True)):
        job = JOB.model_copy(update={"seed": 100 + step + len(state)})
        run = left(session.store, session.ensure({"a": job})["a"], state, step)
        assert (session.ensure({"a": job})["a"] == run) is is_taken, (state, step)


def test_a_run_that_went_on_from_another_is_one_of_its_job(session):
    parent = session.ensure(seeded(0))
    left(session.store, parent["a"], "stopped", 50)
    faster = {"a": replace_many(JOB, {"learner.optimizer.lr": 0.3})}
    session().branch(faster)
    (child,) = session.runs.values()
    assert session.job(child).parent.run == parent["a"]
    assert session.ensure(faster) == {"a": child}


def test_a_finished_run_that_cannot_be_read_is_not_taken(session):
    (run,) = finished(session.store, JOB)
    session.store.path(run).write_bytes(b"no database" * 100)
    assert session.ensure({"a": JOB})["a"] != run
    assert session().problems == []


def test_a_job_made_again_when_needed_is_found_started_or_known_part_by_part(session):
    parts = LANDSCAPE.parts()
    (plane,) = finished(session.store, parts["plane"])
    session().ensure({"a": LANDSCAPE})
    runs = session.state.entries["a"]
    assert list(runs) == list(parts)
    assert runs["plane"] == plane
    # Each is started by itself: none waits for another.
    assert session.queue.groups == [[runs["path"]], [runs["curvature"]]]
    session().ensure({"a": LANDSCAPE, "b": LANDSCAPE})
    assert session.state.entries == {"a": runs, "b": runs}
    assert len(session.queue.groups) == 2


def test_what_was_deleted_is_made_again(session):
    for jobs in ({"a": RACE}, {"b": JOB}):
        (before,) = session.ensure(jobs).values()
        left(session.store, before)
        session().keep_as_previous()
        session.store.delete(before)
        assert session().is_missing
        assert before not in session.ensure(jobs).values()
        runset = session()
        assert not runset.is_missing
        # What was shown last is gone as well, which is nobody's concern.
        assert [view.previous for view in runset.views()] == [{}]
        assert runset.problems == []
        assert [session.job(run) for run in session.runs.values()] == list(jobs.values())


def test_what_a_set_remembers_is_plain(session):
    session().ensure({"a": LANDSCAPE})
    session().keep_as_previous()
    session().ensure({"a": RACE})
    session().add("a", "rates", RateSearch(trajectories=RACE))
    assert json.loads(json.dumps(asdict(session.state))) == asdict(session.state)


# -- what cannot be --------------------------------------------------------------------------------------------------


def test_of_a_fifth_variant_that_is_refused_the_four_are_shown_and_the_reason_is_said(session):
    four = session.ensure(seeded(0, 1, 2, 3))
    session.queue.problem = "the disk is full"
    runset = session()
    runset.ensure(seeded(0, 1, 2, 3, 4))
    assert {view.id: view.run().id for view in runset.views()} == four
    assert runset.problems == ["the disk is full"]
    session.queue.problem = ""
    assert session.ensure(seeded(0, 1, 2, 3, 4)).items() > four.items()


def test_a_problem_is_said_once_for_all_parts_and_looks(session):
    session.queue.problem = "the disk is full"
    runset = session()
    for _ in range(2):
        runset.ensure({"a": LANDSCAPE, "b": RACE})
        runset.views()
    assert runset.problems == ["the disk is full"]


def test_a_training_that_cannot_be_read_is_left_out_and_said(session):
    runs = session.ensure(seeded(0, 1))
    left(session.store, runs["a"])
    session.store.delete(runs["a"])
    runset = session()
    assert runset.is_missing
    assert [view.id for view in runset.views()] == ["b"]
    assert [view.id for view in runset.views()] == ["b"]
    (said,) = runset.problems
    assert runs["a"] in said


def test_of_several_parts_those_that_cannot_be_read_are_left_out_without_a_word(session):
    session().ensure({"a": LANDSCAPE})
    runs = session.state.entries["a"]
    for run in runs.values():
        left(session.store, run, plane={"x": np.zeros(3)})
    session.store.delete(runs["path"])
    with sqlite3.connect(session.store.path(runs["plane"])) as c:
        c.execute("UPDATE snapshots SET arrays = x'00'")
        c.execute("UPDATE status SET generation = generation + 1")
    c.close()
    runset = session()
    (view,) = runset.views()
    assert list(view.runs) == ["curvature"]
    assert runset.problems == []
    assert runset.is_missing


# -- runs for their own sake -----------------------------------------------------------------------------------------


def test_runs_are_shown_whatever_their_jobs(session):
    one, other = finished(session.store, JOB, RACE)
    session.ensure(seeded(3))
    session().show({"a": one, "b": other})
    assert {view.id: view.runs[""].id for view in session().views()} == {"a": one, "b": other}
    assert session.state.jobs == {}


def test_started_anew_there_are_new_runs_though_finished_ones_are_there(session):
    old = finished(session.store, *seeded(0, 1).values())
    session.ensure(seeded(0, 1))
    session().start(seeded(0, 1), until=0)
    new = list(session.runs.values())
    assert not set(new) & set(old)
    assert session.queue.groups == [new]
    assert {session.store.open(run).status().until for run in new} == {0}


def test_forgotten_runs_are_found_only_if_they_have_finished(session):
    runs = session.ensure(seeded(0, 1))
    left(session.store, runs["a"])
    left(session.store, runs["b"], "stopped", 50)
    assert session.ensure(seeded(0, 1)) == runs
    session().clear()
    assert session().views() == []
    again = session.ensure(seeded(0, 1))
    assert again["a"] == runs["a"]
    assert again["b"] != runs["b"]


def test_each_entry_goes_on_as_the_job_that_it_is_asked_for(session):
    runs = session.ensure(seeded(0, 1))
    changed = {id: replace_many(job, {"learner.batch_size": 9}) for id, job in seeded(0, 1).items()}
    session().branch(changed)
    jobs = {id: session.job(run) for id, run in session.runs.items()}
    assert {id: job.parent.run for id, job in jobs.items()} == runs
    assert {id: job.model_copy(update={"parent": None}) for id, job in jobs.items()} == changed


def test_runs_that_are_over_go_on_together_or_each_alone(session):
    runs = list(session.ensure(seeded(0, 1)).values())
    session().resume(runs)
    session().resume(runs, alone=True)
    assert session.queue.groups[1:] == [runs, runs[:1], runs[1:]]


def test_only_runs_that_are_live_are_controlled_and_each_once(session, monkeypatch):
    runs = session.ensure({**seeded(0, 1), "c": RACE, "d": RACE})
    left(session.store, runs["a"])
    heard = []
    monkeypatch.setattr(RunFile, "pin", lambda file, pinned: heard.append((file.id, pinned)))
    session().control("pin", True)
    assert heard == [(runs["b"], True), (runs["c"], True)]


# -- parts asked for besides -----------------------------------------------------------------------------------------


def test_a_part_asked_for_besides_is_shown_whenever_it_belongs_to_the_job(session):
    run = left(session.store, session.ensure({"a": RACE})["a"])
    session().add("a", "rates", RateSearch(trajectories=RACE))
    search = session.state.entries["a"]["rates"]
    elsewhere = RACE.model_copy(update={"x": 1.5})
    for job, is_shown in ((RACE, True), (elsewhere, False), (RACE.rated([0.5] * len(RACE.optimizers)), True)):
        session().ensure({"a": job})
        assert (session.state.entries["a"].get("rates") == search) is is_shown, job
    # While it is out of sight it is not given up.
    session().ensure({"a": elsewhere})
    assert not session.store.open(search).status().cancelled
    assert is_gone(session.store, run)
    left(session.store, search)
    session.store.delete(search)
    session().ensure({"a": RACE})
    assert list(session.state.entries["a"]) == [""]


def test_of_two_searches_for_an_entry_the_older_is_given_up(session):
    session.ensure({"a": RACE})
    session().add("a", "rates", RateSearch(trajectories=RACE))
    first = session.state.entries["a"]["rates"]
    session().add("a", "rates", RateSearch(trajectories=RACE, rates=5))
    session().ensure({"a": RACE})
    assert session.store.open(first).status().cancelled
    assert session.state.entries["a"]["rates"] != first


def test_a_part_that_is_refused_is_an_error_and_the_rest_stays(session):
    runs = session.ensure({"a": RACE})
    session.queue.problem = "the disk is full"
    with pytest.raises(RunError, match="the disk is full"):
        session().add("a", "rates", RateSearch(trajectories=RACE))
    assert session.ensure({"a": RACE}) == runs


# -- what is trained besides -----------------------------------------------------------------------------------------


def test_what_is_trained_besides_is_started_once_shown_with_its_entry_and_given_up_when_no_longer_wanted(session):
    jobs = seeded(0, 1)
    runs = session.ensure(jobs)
    besides = {id: {"seeds": ensemble_of(job, 4)} for id, job in jobs.items()}
    session().accompany(besides)
    session().accompany(besides)
    own = {id: shown["seeds"] for id, shown in session.state.entries.items()}
    assert session.queue.groups == [[*runs.values()], [own["a"]], [own["b"]]]
    assert session.ensure(jobs) == runs
    assert {id: shown["seeds"] for id, shown in session.state.entries.items()} == own
    left(session.store, own["a"])
    session().accompany({"a": {}, "b": besides["b"]})
    assert session.state.entries == {"a": {"": runs["a"]}, "b": {"": runs["b"], "seeds": own["b"]}}
    session().accompany(besides)
    assert session.state.entries["a"]["seeds"] == own["a"], "a finished one is found again"
    session().accompany({})
    assert session.store.open(own["b"]).status().cancelled


def test_what_is_trained_besides_goes_on_with_its_entry(session):
    runs = session.ensure(seeded(0))
    besides = {"a": {"seeds": ensemble_of(seeded(0)["a"], 4)}}
    session().accompany(besides)
    run = session.state.entries["a"]["seeds"]
    left(session.store, run, "stopped", step=50)
    session().accompany(besides)
    assert len(session.queue.groups) == 2
    left(session.store, runs["a"], "running", step=60)
    session().accompany(besides)
    assert session.queue.groups[-1] == [run]
