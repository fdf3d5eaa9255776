"""Jobs in words: fields, changes, and the name of a variant."""

from nnviz.presets import gans, gans_images, playground
from nnviz.spec.base import differences, get_at, replace_many
from nnviz.spec.jobs import Parent, Training
from nnviz.spec.wording import changes, in_words, name, without_parent
from tests.each import each
from tests.spec.options import some

JOB = playground.DEFAULT


@each(
    ("path", "value", "words"),
    [
        ("learner.optimizer.lr", 0.3, "learning rate 0.3"),
        ("learner.batch_size", 64, "batch size 64"),
        ("learner.loss", "binary_cross_entropy", "loss Binary cross-entropy"),
        ("learner.optimizer.kind", "adam", "optimizer Adam"),
        ("learner.schedule", "warmup_cosine", "schedule Warm-up + cosine"),
        ("learner.clipping", "none", "no clipping"),
        ("learner.model.norm", "batch", "batch norm"),
        ("learner.model.bias", False, "bias off"),
        ("learner.l2", 0.01, "L2 0.01"),
        ("learner.model.hidden", ({"activation": {"kind": "relu"}, "width": 4},), "hidden layers 4 ReLU"),
        ("learner.model.hidden", (), "hidden layers none"),
        ("parent", None, "parent none"),
        ("seed", 4242, "seed 4242"),
        ("steps", 5000, "steps 5,000"),
    ],
)
def test_a_change_is_said_in_the_words_of_the_form(path, value, words):
    assert in_words(replace_many(JOB, {path: value}), path) == words


def test_a_change_names_the_network_that_it_is_of_where_two_have_the_field():
    job = gans.DEFAULT
    for path, words in {
        "learner.discriminator_optimizer.lr": "discriminator learning rate 0.001",
        "learner.generator_optimizer.lr": "generator learning rate 0.001",
        "learner.generator.hidden.0.width": "generator width 128",
        "learner.batch_size": "batch size 128",
    }.items():
        assert in_words(job, path) == words
    for path, words in {
        "learner.generator.norm": "generator norm all but output",
        "learner.discriminator.width": "discriminator width 32",
        "learner.data.size": "image size 8",
    }.items():
        assert in_words(gans_images.DEFAULT, path) == words


def test_a_change_of_many_layers_is_said_in_few_words():
    hidden = get_at(JOB, "learner.model.hidden") * 25
    assert len(in_words(replace_many(JOB, {"learner.model.hidden": hidden}), "learner.model.hidden")) <= 60


@each("seed", range(20))
def test_every_change_of_every_option_has_words(seed):
    job = some(Training, seed)
    found = changes(job, JOB)
    assert len(found) == len(differences(without_parent(job), JOB))
    assert not any("_" in words for words in found)


@each(
    ("values", "words"),
    [
        ({}, ""),
        ({"learner.model.norm": "batch"}, "batch norm"),
        ({"learner.optimizer": {"kind": "adam", "lr": 0.3}}, "optimizer Adam, learning rate 0.3"),
        (
            {"learner.l1": 0.01, "learner.l2": 0.01, "learner.batch_size": 64, "learner.optimizer.lr": 0.3, "seed": 7},
            "learning rate 0.3, L1 0.01, L2 0.01 and 2 more",
        ),
    ],
)
def test_a_variant_is_called_by_its_differences(values, words):
    assert name(replace_many(JOB, values), JOB) == words


def test_a_name_does_not_say_what_a_job_went_on_from():
    assert name(JOB.model_copy(update={"parent": Parent(run="a", step=3)}), JOB) == ""


@each("seed", range(20))
def test_a_name_is_never_longer_than_its_first_difference_or_the_limit(seed):
    job = some(Training, seed)
    assert len(name(job, JOB)) <= max(48, len(changes(job, JOB)[0])) + len(" and 99 more")
