"""Ensembles as jobs: members, and what cannot be stacked."""

import pytest

from nnviz.spec.base import SpecError, fingerprint, replace_many
from nnviz.spec.ensembles import Ensemble, ensemble_of
from nnviz.spec.jobs import Training, dump, load
from nnviz.spec.learners import Adversarial


def test_an_ensemble_comes_back_from_json():
    job = Ensemble(members=3, rates=(0.1, 0.2, 0.3), seed=5)
    assert load(dump(job)) == job


def test_a_member_is_the_training_with_its_seed_and_rate():
    job = Ensemble(members=3, rates=(0.1, 0.2, 0.3), seed=5, steps=70)
    member = Training.parse(job.member(2))
    assert (member.seed, member.learner.optimizer.lr, member.steps) == (7, 0.3, 70)
    assert replace_many(member, {"learner.optimizer.lr": 0.1}).learner == job.member(0)["learner"]


def test_an_ensemble_of_a_training_has_its_seed_first_and_is_the_same_whatever_is_measured():
    training = Training(seed=3, steps=40)
    job = ensemble_of(training, 4)
    assert list(job.seeds) == [3, 4, 5, 6]
    assert job.learner == training.learner
    assert fingerprint(ensemble_of(training.model_copy(update={"probes": ()}), 4)) == fingerprint(job)


def test_what_cannot_be_stacked_is_refused_in_one_line():
    with pytest.raises(SpecError, match=r"^Ensemble\.learner must be Supervised, got .+; train it seed by seed$"):
        ensemble_of(Training(learner=Adversarial()), 4)
    with pytest.raises(
        SpecError, match=r"^Ensemble\.rates must be empty or have a learning rate for each of the 3 mem"
    ):
        Ensemble.parse({"members": 3, "rates": [0.1, 0.2]})
    with pytest.raises(SpecError, match=r"rates\.1 must be in \(0, 10\], got 11"):
        Ensemble.parse({"members": 2, "rates": [0.1, 11]})


def test_what_it_needs_grows_with_its_members():
    one, many = (Ensemble(members=n).estimate() for n in (1, 64))
    assert many.parameters == one.parameters
    assert many.training_bytes == 64 * one.training_bytes
    assert many.snapshot_bytes == 64 * one.snapshot_bytes


def test_an_ensemble_belongs_to_the_training_whose_seeds_it_has():
    training = Training(seed=3, steps=40)
    job = ensemble_of(training, 4)
    assert job.belongs_to(training)
    assert job.belongs_to(training.model_copy(update={"probes": ()}))
    assert not job.belongs_to(training.model_copy(update={"steps": 41}))
    assert not job.belongs_to(Training(learner=Adversarial()))
    assert not job.belongs_to(job)
