"""Early stopping: when a run ends, what it keeps, and what it leaves as it was."""

import io
import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

import pytest
import torch

from nnviz.engine import TrainingRun, run
from nnviz.engine.landscape.retraining import retrain
from nnviz.engine.learners.learning import NO_CONTEXT
from nnviz.engine.learners.supervised import SupervisedLearning
from nnviz.records import EarlyStop, Record, Scalar
from nnviz.spec.base import SpecError
from nnviz.spec.jobs import Training
from nnviz.spec.landscapes import TrainedModel
from nnviz.spec.variant_fields import offered
from tests.each import each
from tests.engine.short_runs import all_records, as_bytes, job, scalars, state

NAN, INF = math.nan, math.inf


class Planted(SupervisedLearning):
    """A learner whose test losses, one an evaluation, are given."""

    losses: Sequence[float]

    def evaluate(self, step: int, context: AbstractContextManager[None] = NO_CONTEXT) -> Iterator[Record]:
        for record in super().evaluate(step, context):
            is_test = isinstance(record, Scalar) and (record.quantity, record.site) == ("loss", "test")
            yield record._replace(value=self.losses[step // 5]) if is_test else record


def planted(losses: Sequence[float], checkpoint: bytes | None = None, **patience: float) -> TrainingRun:
    """A run of 100 steps, evaluated at every 5th, that stops after two evaluations without improvement."""
    chosen = job(steps=100, early_stopping={"kind": "patience", "patience": 2} | patience)
    learning = Planted(chosen.learner, chosen.seed, chosen.steps, torch.device("cpu"))
    learning.losses = [*losses, *[9.0] * 21]
    return run(chosen, checkpoint, learning)


@each(
    ("losses", "changes", "stop"),
    [
        # losses at steps 0, 5, 10, …; (step of the stop, best step, best loss)
        ((5, 4, 3, 4, 5), {}, (20, 10, 3)),
        ((5, 4, 3, 4, 2, 4, 5), {}, (30, 20, 2)),
        ((5, 4, 3, 4, 4, 4, 2, 5, 6, 7), {"patience": 3}, (25, 10, 3)),
        ((1,), {"patience": 4}, (20, 0, 1)),
        # a tie is no improvement, nor is one of least_improvement or less
        ((5, 3, 3, 3), {}, (15, 5, 3)),
        ((5, 3, 2.75, 2.5), {"least_improvement": 0.5}, (15, 5, 3)),
        ((5, 3, 2.25, 2.0), {"least_improvement": 0.5}, (20, 10, 2.25)),
        # the first evaluation is the best until one is finite; NaN and infinity never are better
        ((NAN, NAN, NAN), {}, (10, 0, NAN)),
        ((NAN, 4, NAN, INF), {}, (15, 5, 4)),
        ((INF, 7, INF, 8), {}, (15, 5, 7)),
    ],
)
def test_a_planted_curve_stops_where_its_patience_is_over(losses, changes, stop):
    running = planted(losses, **changes)
    records = all_records(running)
    step, best, loss = stop
    assert running.early_stop == EarlyStop(step, best, pytest.approx(loss, nan_ok=True), changes.get("patience", 2))
    assert running.step == step
    assert scalars(records, "best_step", "test")[step] == best
    assert scalars(records, "best_loss", "test")[step] == pytest.approx(loss, nan_ok=True)
    assert max(record.step for record in records) == step


def test_a_run_that_improves_to_the_end_is_not_stopped():
    running = planted([30 - i for i in range(21)])
    all_records(running)
    assert running.step == 100
    assert running.early_stop is None


STOPPING = {"steps": 300, "learner__data__noise": 0.5, "learner__optimizer": {"kind": "adam", "lr": 0.05}}
PATIENCE = {"early_stopping": {"kind": "patience", "patience": 4}}


def test_a_run_has_the_same_bits_as_without_early_stopping_up_to_its_stop():
    stopped, plain = run(job(**STOPPING, **PATIENCE)), all_records(job(**STOPPING))
    found = [r for r in all_records(stopped) if r.quantity not in ("best_step", "best_loss")]
    assert 0 < stopped.early_stop.best_step < stopped.step < 300
    assert as_bytes(found) == as_bytes(r for r in plain if r.step <= stopped.step)


def test_the_final_weights_are_those_of_the_step_with_the_lowest_test_loss():
    stopped = run(job(**STOPPING, **PATIENCE))
    losses = scalars(all_records(stopped), "loss", "test")
    best = min(losses, key=losses.get)
    step, weights = stopped.weights()
    assert step == stopped.early_stop.best_step == best
    short = run(job(**STOPPING | {"steps": best}))
    # the schedule is constant, so a run of fewer steps is the beginning of a longer one
    all_records(short)
    expected = short.learning.network.state_dict()
    found = torch.load(io.BytesIO(weights), weights_only=True)
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in found)


def test_a_paused_run_keeps_its_current_weights_and_one_at_its_last_step_the_best():
    with run(job(**STOPPING, **PATIENCE)) as running:
        for _ in range(7):
            next(running)
        assert running.weights()[0] == 7
    last = planted([30 - i for i in range(20)] + [50])
    all_records(last)
    assert last.step == 100
    assert last.weights()[0] == 95


@each("at", (0, 8, 20, 31))
def test_a_resumed_run_stops_at_the_same_step_with_the_same_bits(at):
    chosen = job(**STOPPING, **PATIENCE)
    whole = run(chosen)
    records = as_bytes(all_records(whole))
    with run(chosen) as first:
        for _ in range(at):
            next(first)
        first.evaluate_now()  # by hand: an evaluation at step 8 or 31 does not count
        checkpoint = first.checkpoint()
    resumed = run(chosen, checkpoint)
    assert as_bytes(all_records(resumed)) == [r for r in records if r[0] > at]
    assert resumed.early_stop == whole.early_stop
    assert resumed.weights() == whole.weights()
    assert state(resumed) == state(whole)


def test_a_checkpoint_of_the_stop_itself_is_at_its_end():
    chosen = job(**STOPPING, **PATIENCE)
    whole = run(chosen)
    all_records(whole)
    again = run(chosen, whole.checkpoint())
    assert all_records(again) == []
    assert again.early_stop == whole.early_stop


def test_a_stopped_run_goes_on_with_more_patience_as_if_it_had_had_it_from_the_start():
    first = run(job(**STOPPING, **PATIENCE))
    all_records(first)
    patient = {"early_stopping": {"kind": "patience", "patience": 7}}
    parent = {"run": "one", "step": first.step}
    child = run(job(**STOPPING, **patient, parent=parent), first.checkpoint())
    records = as_bytes(all_records(child))
    whole = run(job(**STOPPING, **patient))
    assert records == [r for r in as_bytes(all_records(whole)) if r[0] > first.step]
    assert child.early_stop == whole.early_stop
    # Under the same patience, or without any, it goes on too, counting anew.
    same = run(job(**STOPPING, **PATIENCE, parent=parent), first.checkpoint())
    all_records(same)
    assert same.step > first.step
    none = run(job(**STOPPING, parent=parent), first.checkpoint())
    all_records(none)
    assert none.step == 300


def test_early_stopping_needs_a_test_loss():
    patience = {"kind": "patience"}
    with pytest.raises(SpecError, match="must be none with the learner adversarial, which has no test loss"):
        Training.parse({"learner": {"kind": "adversarial"}, "early_stopping": patience})
    few = {"kind": "moons", "points": 10, "train_fraction": 0.95}
    with pytest.raises(SpecError, match="must be none without test samples"):
        Training.parse({"learner": {"data": few}, "early_stopping": patience})
    assert Training().fitting("early_stopping", {}) is None
    assert Training.parse({"learner": {"kind": "adversarial"}}).fitting("early_stopping", {}) == ["none"]


def test_variants_are_offered_early_stopping_where_there_is_a_test_loss():
    assert offered(Training())["early_stopping"] == "Early stopping"
    assert "early_stopping" not in offered(Training.parse({"learner": {"kind": "adversarial"}}))


def test_the_loss_landscape_is_of_the_weights_that_the_run_keeps():
    noisy = {"learner__data__label_noise": 0.1, "learner__augmentation": {"kind": "noise", "std": 0.1}}
    chosen = job(**STOPPING, **PATIENCE, **noisy)
    stopped = run(chosen)
    all_records(stopped)
    step, weights = stopped.weights()
    model = TrainedModel(learner=chosen.learner, steps=chosen.steps, step=step, seed=chosen.seed)
    *_, trained = retrain(model, 100, torch.device("cpu"))
    found = torch.load(io.BytesIO(weights), weights_only=True)
    assert 0 < step < stopped.step
    assert all(torch.equal(found[name], value) for name, value in trained.states[-1].items())
