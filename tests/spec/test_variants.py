"""Variants: differences from a first job, and the job that they make of it."""

import random
from itertools import product

import pytest

from nnviz.presets import PAGES, playground
from nnviz.spec.base import SpecError, get_at, options, replace_many
from nnviz.spec.jobs import Job, Training
from nnviz.spec.optimizers import SGD
from nnviz.spec.variants import LETTERS, MOST, Applied, Variant, apply, at, differing
from tests.each import each
from tests.spec.options import some

FIRST = playground.DEFAULT
SHOWN = [job for page in PAGES.values() for job in (page.default, *(j for e in page.examples for j in e.jobs))]


def test_there_is_a_letter_for_each():
    assert len(LETTERS) == MOST == 8


def test_what_differs_is_whole_values_by_path():
    job = replace_many(FIRST, {"learner.optimizer": {"kind": "adam", "lr": 0.3}, "learner.model.norm": "batch"})
    assert differing(job, FIRST) == {
        "learner.optimizer": job.learner.optimizer.model_dump(mode="json"),
        "learner.model.norm": job.learner.model.norm.model_dump(mode="json"),
    }
    assert differing(replace_many(job, {"learner.optimizer.lr": 0.1}), job) == {"learner.optimizer.lr": 0.1}


def test_of_equal_jobs_nothing_differs():
    assert differing(FIRST, FIRST) == {}
    assert apply(FIRST, {}) == Applied(FIRST)


def test_any_two_jobs_of_the_pages_come_back_from_their_differences():
    for first, job in product(SHOWN, SHOWN):
        if type(first) is type(job):
            assert apply(first, differing(job, first)) == Applied(job)
        else:
            with pytest.raises(SpecError, match="of the first one's kind"):
                differing(job, first)


@each("kind", options(Job).values())
@each("seed", range(12))
def test_any_two_random_jobs_come_back_from_their_differences(kind, seed):
    first, job = some(kind, seed), some(kind, 100 + seed)
    assert apply(first, differing(job, first)) == Applied(job)
    assert apply(job, differing(first, job)) == Applied(first)


@each("seed", range(25))
def test_no_difference_is_lost_on_another_first_job(seed):
    """Each is in the job or is told; what had to follow is told too."""
    first, other, job = (some(Training, n + seed) for n in (0, 200, 400))
    rng = random.Random(seed)
    said = {path: v for path, v in differing(job, other).items() if rng.random() < 0.6}
    applied = apply(first, said)
    plain = applied.job.model_dump(mode="json")
    for path, value in said.items():
        assert path in applied.left or at(plain, path) == value
    touched = {*said, *applied.completed}
    assert all(any(f"{path}.".startswith(f"{t}.") for t in touched) for path in differing(applied.job, first))
    assert all(reason.isprintable() and len(reason) < 420 for reason in applied.left.values())


def test_what_depends_on_a_difference_follows_it():
    curve = apply(FIRST, {"learner.data": {"kind": "curve"}})
    assert (curve.job.learner.data.kind, curve.job.learner.loss.kind, curve.left) == ("curve", "mse", {})
    assert curve.completed == {"learner.loss": {"kind": "mse"}}
    scheduled = replace_many(FIRST, {"learner.schedule": "cosine"})
    assert apply(scheduled, {"learner.optimizer": "rprop"}).completed == {"learner.schedule": {"kind": "constant"}}
    nesterov = replace_many(FIRST, {"learner.optimizer": {"kind": "sgd", "momentum": 0.9, "nesterov": True}})
    assert apply(nesterov, {"learner.optimizer.momentum": 0.0}).job.learner.optimizer == SGD(lr=SGD().lr)
    descent = replace_many(PAGES["optimizers"].default, {"schedule": "cosine"})
    optimizers = [{"method": {"kind": "rprop"}}]
    assert apply(descent, {"optimizers": optimizers}).completed == {"schedule": {"kind": "constant"}}
    landscape = PAGES["loss_landscape"].default
    assert apply(landscape, {"network.learner.data": "curve"}).job.network.learner.loss.kind == "mse"


def test_a_difference_that_was_named_does_not_follow_another():
    applied = apply(FIRST, {"learner.data": "curve", "learner.loss": "binary_cross_entropy", "seed": 7})
    assert (applied.job.learner.loss.kind, applied.job.seed) == ("binary_cross_entropy", 7)
    assert list(applied.left) == ["learner.data"]
    assert "learner.loss must fit the data" in applied.left["learner.data"]


def test_values_that_fit_only_together_apply_beside_one_that_is_wrong():
    applied = apply(FIRST, {"learner.data": "curve", "learner.loss": "huber", "steps": 0})
    assert (applied.job.learner.data.kind, applied.job.learner.loss.kind) == ("curve", "huber")
    assert applied.left == {"steps": "Training.steps must be in [1, 1000000], got 0"}


def test_data_alone_applies_beside_one_that_is_wrong():
    applied = apply(FIRST, {"learner.data": "curve", "steps": 0})
    assert (applied.job.learner.loss.kind, list(applied.left)) == ("mse", ["steps"])


def test_a_setting_of_what_another_replaces_is_told():
    applied = apply(FIRST, {"learner.optimizer": "adam", "learner.optimizer.momentum": 0.5, "seed": 7})
    assert applied.job.learner.optimizer.kind == "adam"
    assert "momentum is not a field of Adam" in applied.left["learner.optimizer.momentum"]
    both = {"learner.data.kind": "curve", "learner.loss.kind": "mse", "learner.data.turns": 2.0, "steps": 0}
    applied = apply(replace_many(FIRST, {"learner.data": "spirals"}), both)
    for path, value in both.items():
        assert path in applied.left or get_at(applied.job, path) == value


def test_differences_wait_for_a_first_job_that_they_apply_to():
    momentum = Variant("x1", {"learner.optimizer.momentum": 0.9, "learner.model.norm": {"kind": "batch"}})
    adam = replace_many(FIRST, {"learner.optimizer": "adam"})
    applied = apply(adam, momentum.differences)
    assert applied.job == replace_many(adam, {"learner.model.norm": "batch"})
    assert list(applied.left) == ["learner.optimizer.momentum"]
    assert apply(FIRST, momentum.differences).job.learner.optimizer.momentum == 0.9
