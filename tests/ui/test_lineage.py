"""Where a run comes from: forks of a run and its ancestors in words."""

from nnviz.presets import playground
from nnviz.spec.base import differences, get_at, replace_many
from nnviz.spec.jobs import Experiment, Parent
from nnviz.ui.lineage import changes, forks, in_words, without_parent
from tests.each import each
from tests.spec.options import some

JOB = playground.DEFAULT


def child(run, step, **changes):
    """A job that goes on from the run at the step with other values."""
    values = {name.replace("__", "."): value for name, value in changes.items()}
    job = replace_many(without_parent(run.job), values)
    return job.model_copy(update={"parent": Parent(run=run.id, step=step)})


def test_a_run_that_started_anew_has_no_forks(store, trained):
    assert forks(store.view(trained(JOB).id)) == []


def test_a_fork_says_the_step_and_what_changed(store, trained):
    first = trained(JOB)
    second = trained(child(first, 20, learner__optimizer__lr=0.3, learner__batch_size=64), 30)
    assert forks(store.view(second.id)) == [(20, "learning rate 0.3, batch size 64")]


def test_forks_of_all_ancestors_come_oldest_first(store, trained):
    first = trained(JOB)
    second = trained(child(first, 20, learner__optimizer__lr=0.3), 30)
    third = trained(child(second, 30, learner__l2=0.01), 40)
    assert forks(store.view(third.id)) == [(20, "learning rate 0.3"), (30, "L2 0.01")]


def test_going_on_without_a_change_is_said_too(store, trained):
    second = trained(child(trained(JOB), 20), 30)
    assert forks(store.view(second.id)) == [(20, "continued")]


def test_an_ancestor_that_is_gone_ends_the_line(store, trained):
    first = trained(JOB, 20, "finished")
    second = trained(child(first, 20, learner__optimizer__lr=0.3), 30)
    first.close()
    store.delete(first.id)
    assert forks(store.view(second.id)) == [(20, "continued")]


def test_a_run_that_claims_to_be_its_own_ancestor_does_not_loop(store, trained):
    first = trained(JOB)
    loop = JOB.model_copy(update={"parent": Parent(run=first.id, step=3), "seed": 9})
    second = trained(loop)
    third = trained(JOB.model_copy(update={"parent": Parent(run=second.id, step=5)}))
    assert len(forks(store.view(third.id))) == 2


@each(
    ("path", "value", "words"),
    [
        ("learner.optimizer.lr", 0.3, "learning rate 0.3"),
        ("learner.batch_size", 64, "batch size 64"),
        ("learner.loss", "binary_cross_entropy", "loss Binary cross-entropy"),
        ("learner.optimizer.kind", "adam", "optimizer Adam"),
        ("learner.schedule", "warmup_cosine", "schedule Warm-up + cosine"),
        ("learner.clipping", "none", "No clipping"),
        ("learner.model.norm", "batch", "Batch norm"),
        ("learner.model.bias", False, "bias off"),
        ("learner.l2", 0.01, "L2 0.01"),
        ("learner.model.hidden", ({"activation": {"kind": "relu"}, "width": 4},), "hidden layers 4 ReLU"),
        ("learner.model.hidden", (), "hidden layers none"),
        ("seed", 7, "seed 7"),
    ],
)
def test_a_change_is_said_in_the_words_of_the_form(path, value, words):
    assert in_words(replace_many(JOB, {path: value}), path) == words


def test_a_change_of_many_layers_is_said_in_few_words():
    hidden = get_at(JOB, "learner.model.hidden") * 25
    assert len(in_words(replace_many(JOB, {"learner.model.hidden": hidden}), "learner.model.hidden")) <= 60


@each("seed", range(20))
def test_every_change_of_every_option_has_words(seed):
    job = some(Experiment, seed)
    found = changes(job, JOB)
    assert len(found) == len(differences(without_parent(job), JOB))
    assert not any("_" in words for words in found)
