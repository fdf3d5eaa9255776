"""What a page of trainings shows when it is drawn: runs of its jobs, untrained ones, or what is under way."""

import pytest
from streamlit.testing.v1 import AppTest

from nnviz.presets import playground
from nnviz.runs.runset import EntryView
from nnviz.spec.base import replace_many
from nnviz.spec.jobs import Parent
from nnviz.ui.transport import can_continue, is_preview, is_shown
from tests.ui.form_results import entries

JOB = playground.DEFAULT


def changed(values: dict) -> object:
    return replace_many(JOB, values)


def views(store, files) -> list[EntryView]:
    """Entries a, b, … of these runs."""
    found = [store.view(file.id) for file in files]
    return [EntryView(id, view.job, {"": view}) for id, view in entries(found).items()]


def test_runs_are_shown_when_they_are_of_the_jobs_whoever_their_parent(store, trained):
    child = JOB.model_copy(update={"parent": Parent(run="20260101-0000-aaaaaa", step=3)})
    both = views(store, [trained(job) for job in (JOB, child)])
    assert is_shown(both[:1], {"a": JOB})
    assert is_shown(both[1:], {"b": JOB})
    assert is_shown(both, {"a": JOB, "b": JOB})
    assert not is_shown(both, {"a": JOB})
    assert not is_shown(both[:1], {"a": changed({"seed": 1})})
    assert not is_shown(both[:1], {"b": JOB})
    assert is_shown([], {})


@pytest.mark.parametrize(
    ("state", "step", "expected"),
    [("paused", 0, True), ("queued", 0, True), ("stopped", 0, True), ("paused", 1, False), ("failed", 0, False)],
)
def test_a_preview_is_a_run_that_waits_at_step_0(store, trained, state, step, expected):
    assert is_preview(views(store, [trained(JOB, step, state)])) is expected


def test_variants_go_on_together_from_one_step_if_the_weights_of_each_can_bear_its_change(store, trained):
    rate, other = changed({"learner.optimizer.lr": 0.3}), changed({"learner.l2": 0.01})
    both = views(store, [trained(JOB), trained(other)])
    more = changed({"learner.l2": 0.01, "learner.optimizer.lr": 0.3})
    assert can_continue(both, {"a": rate, "b": more})
    assert can_continue(both, {"a": JOB, "b": more})
    assert not can_continue(both, {"a": rate, "b": changed({"seed": 1})})
    assert not can_continue(both, {"a": rate})
    assert not can_continue(
        views(store, [trained(JOB, 20, "stopped"), trained(other, 30, "stopped")]), {"a": rate, "b": more}
    )


def _prepare(runs, jobs):
    import streamlit as st

    from nnviz.ui import transport
    from tests.ui import form_results

    request = form_results.form_result(jobs)
    runset = form_results.shown(request.state, runs)
    transport.prepare(request, runset)
    st.text(",".join(runset.ids))


def prepared(runs, jobs) -> list[str]:
    """Ids of the runs that the page shows where it has shown these and is asked for these jobs."""
    options = {"runs": [run.id for run in runs], "jobs": list(jobs)}
    app = AppTest.from_function(_prepare, default_timeout=30, kwargs=options).run()
    assert not app.exception
    return app.text[0].value.split(",")


@pytest.mark.parametrize(("step", "is_kept"), [(0, False), (20, True)])
def test_only_an_untrained_run_that_was_stopped_gives_way_to_a_new_one(trained, step, is_kept):
    left = trained(JOB, step, "stopped")
    left.close()
    assert (prepared([left], [JOB]) == [left.id]) is is_kept


def test_after_a_finished_run_other_settings_are_seen_untrained_at_once(trained, store):
    for state in ("finished", "diverged", "failed", "stopped"):
        run = trained(JOB, 20, state)
        (new,) = prepared([run], [changed({"learner.data.kind": "circles"})])
        assert new != run.id, state
        assert store.open(new).job.learner.data.kind == "circles", state
        assert store.open(new).control().until == 0, state
        assert store.path(run.id).exists(), state


def test_what_trains_stays_in_sight_when_the_settings_change(trained):
    for state in ("running", "paused"):
        run = trained(JOB, 20, state)
        assert prepared([run], [changed({"learner.data.kind": "circles"})]) == [run.id], state
    run = trained(JOB, 20, "stopped")
    assert prepared([run], [changed({"learner.optimizer.lr": 0.3})]) == [run.id]  # it can go on with that


def test_a_variant_beside_finished_ones_is_the_only_one_that_waits(trained, store):
    jobs = [JOB, changed({"seed": 1})]
    runs = [trained(job, 20, "finished") for job in jobs]
    found = prepared(runs, [*jobs, changed({"seed": 2})])
    assert found[:2] == [run.id for run in runs]
    assert store.open(found[2]).control().until == 0
    assert prepared(runs, jobs[:1]) == [runs[0].id]


def test_of_two_that_train_the_one_that_is_removed_is_stopped(trained, store):
    jobs = [JOB, changed({"seed": 1})]
    runs = [trained(job, 20, "running") for job in jobs]
    assert prepared(runs, jobs[:1]) == [runs[0].id]
    assert [store.open(run.id).control().cancel for run in runs] == [False, True]
