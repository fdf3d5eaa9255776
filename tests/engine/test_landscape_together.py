"""Several landscapes of one network in one process: it is trained once, and each says what it says alone."""

import gc

import pytest
import torch

from nnviz.engine import EngineError, run
from nnviz.engine.landscape import landscape_evaluation, retraining
from nnviz.engine.learners.supervised import SupervisedLearning
from nnviz.spec.base import replace_many
from nnviz.spec.landscapes import PathPlane, RandomLines, RandomPlane
from tests.engine.landscape_jobs import all_records, landscape
from tests.engine.short_runs import as_bytes

JOBS = [landscape(view) for view in (RandomPlane(resolution=9), RandomLines(resolution=9), PathPlane(resolution=9))]


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """Turns of one piece of work, and nothing remembered from another test."""
    monkeypatch.setattr(landscape_evaluation, "TURN_SECONDS", 0.0)
    monkeypatch.setattr(retraining, "_cache", type(retraining._cache)())


@pytest.fixture
def steps(monkeypatch):
    """The numbers of the steps that were trained."""
    counted, step = [], SupervisedLearning.step
    monkeypatch.setattr(SupervisedLearning, "step", lambda self, n: counted.append(n) or step(self, n))
    return counted


def in_turns(*jobs):
    """What each all_records, turn by turn with the others."""
    evaluations, recorded = [run(j) for j in jobs], [[] for _ in jobs]
    left = list(range(len(jobs)))
    while left:
        for i in list(left):
            new = next(evaluations[i], None)
            if new is None:
                left.remove(i)
            else:
                recorded[i] += new
    return recorded


def test_landscapes_share_a_training_and_return_what_they_return_alone(steps):
    together = in_turns(*JOBS)
    assert steps == list(range(1, JOBS[0].network.at + 1))
    for job, recorded in zip(JOBS, together, strict=True):
        retraining._cache.clear()
        gc.collect()
        assert as_bytes(recorded) == as_bytes(all_records(job))


def test_a_closed_landscape_leaves_the_training_to_the_others(steps):
    first, second = run(JOBS[0]), run(JOBS[1])
    next(first), next(second)
    first.close()
    del first
    while next(second, None) is not None:
        pass
    assert steps == list(range(1, JOBS[0].network.at + 1))


def test_a_training_that_fails_fails_for_all_with_the_same_words(steps):
    wild = [replace_many(j, {"network.learner.optimizer.lr": 10.0, "network.learner.loss": "mse"}) for j in JOBS[:2]]
    wild = [replace_many(j, {"network.learner.model.hidden.0.activation": "relu", "network.steps": 2000}) for j in wild]
    words = []
    evaluations = [run(j) for j in wild]
    for _ in range(5000):
        for one in list(evaluations):
            try:
                next(one)
            except EngineError as error:
                words.append(str(error))
                evaluations.remove(one)
        if not evaluations:
            break
    assert len(words) == 2
    assert words[0] == words[1]
    assert "has diverged by step" in words[0]
    assert len(steps) == len(set(steps))


def test_another_number_of_samples_is_another_training():
    cpu = torch.device("cpu")
    held = retraining.retraining(JOBS[0].network, 1000, cpu)
    assert retraining.retraining(JOBS[0].network, 1000, cpu) is held
    assert retraining.retraining(JOBS[0].network, 10, cpu) is not held
