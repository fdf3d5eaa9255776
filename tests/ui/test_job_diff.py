"""Where a run comes from: forks of a run and its ancestors in words."""

from nnviz.presets import playground
from nnviz.spec.base import replace_many
from nnviz.spec.jobs import Parent
from nnviz.spec.wording import without_parent
from nnviz.ui.job_diff import resume_marks

JOB = playground.DEFAULT


def child(run, step, **changes):
    """A job that goes on from the run at the step with other values."""
    values = {name.replace("__", "."): value for name, value in changes.items()}
    job = replace_many(without_parent(run.job), values)
    return job.model_copy(update={"parent": Parent(run=run.id, step=step)})


def test_a_run_that_started_anew_has_no_forks(store, trained):
    assert resume_marks(store.view(trained(JOB).id)) == []


def test_a_fork_says_the_step_and_what_changed(store, trained):
    first = trained(JOB)
    second = trained(child(first, 20, learner__optimizer__lr=0.3, learner__batch_size=64), 30)
    assert resume_marks(store.view(second.id)) == [(20, "learning rate 0.3, batch size 64")]


def test_forks_of_all_ancestors_come_oldest_first(store, trained):
    first = trained(JOB)
    second = trained(child(first, 20, learner__optimizer__lr=0.3), 30)
    third = trained(child(second, 30, learner__l2=0.01), 40)
    assert resume_marks(store.view(third.id)) == [(20, "learning rate 0.3"), (30, "L2 0.01")]


def test_going_on_without_a_change_is_said_too(store, trained):
    second = trained(child(trained(JOB), 20), 30)
    assert resume_marks(store.view(second.id)) == [(20, "continued")]


def test_an_ancestor_that_is_gone_ends_the_line(store, trained):
    first = trained(JOB, 20, "finished")
    second = trained(child(first, 20, learner__optimizer__lr=0.3), 30)
    first.close()
    store.delete(first.id)
    assert resume_marks(store.view(second.id)) == [(20, "continued")]


def test_a_run_that_claims_to_be_its_own_ancestor_does_not_loop(store, trained):
    first = trained(JOB)
    loop = JOB.model_copy(update={"parent": Parent(run=first.id, step=3), "seed": 9})
    second = trained(loop)
    third = trained(JOB.model_copy(update={"parent": Parent(run=second.id, step=5)}))
    assert len(resume_marks(store.view(third.id))) == 2
