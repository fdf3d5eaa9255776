"""Runs that diverge: when, what went wrong first, and what is kept."""

import io
import json
import math
import re
from importlib import import_module
from itertools import chain

import pytest
import torch

from nnviz.engine import Diverged, learners, run
from nnviz.engine.divergence import first_nonfinite
from nnviz.records import Cause, Divergence
from nnviz.spec.jobs import Training
from tests.each import each
from tests.engine.short_runs import after, as_bytes, job, scalars, state

PROBES = [{"kind": kind, "every": 1} for kind in ("gradient_norms", "updates", "activations", "signal", "histograms")]
CURVE = {"learner__data": "curve", "learner__loss": "mse", "learner__data__points": 100, "probes": PROBES}
RELU = {"learner__model__hidden__0__activation": "relu", "learner__model__hidden__1__activation": "relu"}
LINE = {**CURVE, "learner__model__hidden": [], "steps": 500}
DIVERGING = {
    "line": {**LINE, "learner__optimizer__lr": 5},
    "momentum": {**LINE, "learner__optimizer": {"kind": "sgd", "lr": 2, "momentum": 0.99, "weight_decay": 1.0}},
    "relu": {**CURVE, **RELU, "learner__optimizer__lr": 3, "steps": 300},
    "deep": {**CURVE, "learner__model": {"kind": "deep_mlp", "depth": 3, "activation": {"kind": "identity"}}},
    "adamw": {**CURVE, **RELU, "learner__optimizer": {"kind": "adamw", "lr": 10, "weight_decay": 1.0}, "steps": 300},
    "huge": {**LINE, "learner__model__initializer": {"kind": "constant", "value": 10}, "learner__optimizer__lr": 10},
}


def diverge(chosen: Training, checkpoint: bytes | None = None):
    """The run, its records before the end, and how it ended."""
    running, records = run(chosen, checkpoint), []
    with pytest.raises(Diverged) as ended:
        records.extend(chain.from_iterable(running))
    return running, records, ended.value


def finite(learning) -> bool:
    parts = [*learning.network.parameters(), *learning.network.buffers()]
    return all(bool(p.isfinite().all()) for p in parts if p.is_floating_point())


@each("changes", DIVERGING.values())
def test_divergence_is_reported_at_the_first_loss_that_is_not_finite(changes):
    chosen = job(**changes)
    learning = learners.build(chosen.learner, chosen.seed, chosen.steps, torch.device("cpu"))
    for number in range(1, chosen.steps + 1):
        last_finite = finite(learning)
        loss = float(learning.step(number)["loss", "batch"])
        if not math.isfinite(loss):
            break
    running, _, error = diverge(chosen)
    divergence = error.divergence
    value = "nan" if math.isnan(loss) else "inf"
    assert (divergence.step, divergence.objective, divergence.value) == (number, "loss", value)
    expected = rf"diverged at step {number}: loss is {value}; first non-finite: "
    names = r"the loss|(output|gradient) of model\.[\w.]+|model\.[\w.]+ after its update"
    assert re.fullmatch(rf"{expected}({names})( at step \d+)?", str(error))
    assert Divergence.parse(json.loads(json.dumps(divergence.as_json()))) == divergence
    assert divergence.last_good < number
    assert running.step == divergence.last_good
    assert last_finite or divergence.since < divergence.step or divergence.nonfinite.cause is Cause.OUTPUT


@each("changes", DIVERGING.values())
def test_the_last_good_checkpoint_is_finite_and_diverges_again_at_the_same_step(changes):
    chosen = job(**changes)
    _, _, error = diverge(chosen)
    saved = torch.load(io.BytesIO(error.checkpoint), weights_only=True)
    assert saved["step"] == error.divergence.last_good
    with run(chosen, error.checkpoint) as resumed:
        assert finite(resumed.learning)
    _, _, again = diverge(chosen, error.checkpoint)
    assert (again.divergence.step, again.divergence.value) == (error.divergence.step, error.divergence.value)


@each("changes", DIVERGING.values())
def test_the_last_good_state_is_that_of_a_run_that_stopped_there(changes):
    chosen = job(**changes)
    running, _, error = diverge(chosen)
    if error.divergence.last_good:
        assert state(running) == state(after(chosen.model_copy(update={"steps": error.divergence.last_good})))


@each("changes", DIVERGING.values())
def test_from_the_last_good_state_one_more_step_has_a_finite_loss(changes):
    running, _, error = diverge(job(**changes))
    assert error.divergence.last_good > 0
    assert math.isfinite(running.learning.step(error.divergence.last_good + 1)["loss", "batch"])


@each("changes", DIVERGING.values())
def test_records_up_to_the_divergence_are_there_once(changes):
    chosen = job(**changes, evaluate_every=1000)
    _, records, error = diverge(chosen)
    everything = records + error.records
    batch = scalars(everything, "loss", "batch")
    assert sorted(batch) == list(range(1, error.divergence.step + 1))
    assert [math.isfinite(batch[step]) for step in sorted(batch)] == [True] * (error.divergence.step - 1) + [False]
    if chosen.probes:
        measured = {step for step, _ in scalars(everything, "gradient_norm")}
        assert measured >= set(range(1, error.divergence.step))
    keys = [(r.step, r.quantity, r.site) for r in everything]
    assert len(keys) == len(set(keys))
    assert error.divergence.last_good in scalars(everything, "loss", "train")


@pytest.mark.parametrize("every", [1, 2, 5, 7, 1000])
def test_how_often_states_are_saved_does_not_change_the_report(monkeypatch, every):
    chosen = job(**DIVERGING["line"])
    _, _, expected = diverge(chosen)
    monkeypatch.setattr(import_module("nnviz.engine.training"), "SAVE_STATE_EVERY", every)
    _, _, error = diverge(chosen)
    assert error.divergence == expected.divergence
    assert as_bytes([r for r in error.records if r.step <= error.divergence.last_good]) == as_bytes(
        [r for r in expected.records if r.step <= error.divergence.last_good]
    )


def test_a_diverged_run_stays_ended():
    running, _, _ = diverge(job(**DIVERGING["line"]))
    assert next(running, None) is None


def test_a_closed_run_has_no_more_steps():
    running = run(job())
    next(running)
    running.close()
    assert next(running, None) is None
    assert running.step == 1


def running_job(**changes):
    chosen = job(**CURVE, learner__model__hidden=[{"width": 1, "activation": {"kind": "identity"}}], **changes)
    return learners.build(chosen.learner, 0, 10, torch.device("cpu"))


def with_weights(learning, hidden: float, output: float):
    """All weights of the two layers set, biases 0."""
    with torch.no_grad():
        for name, parameter in learning.network.named_parameters():
            parameter.fill_({"linear1.weight": hidden, "output.weight": output}.get(name, 0.0))
    return learning


@each(
    ("hidden", "output", "culprit"),
    [
        (math.nan, 1.0, "output of model.linear1"),
        (1e30, 1e30, "output of model.output"),
        (1e10, 1e10, "the loss"),
        (1e25, 1e-7, "gradient of model.output.weight"),
        (1e-7, 1e25, "gradient of model.linear1.bias"),
        (3e19, 0.1, "model.output.weight after its update"),
        (1e-3, 1e-3, None),
    ],
)
def test_the_first_thing_that_is_not_finite_is_named(hidden, output, culprit):
    # A line through a width of one: z = output · hidden · x, so what overflows first can be chosen.
    found = first_nonfinite(with_weights(running_job(learner__optimizer__lr=10), hidden, output), 1)
    assert (found and str(found)) == culprit


def test_the_search_for_the_first_non_finite_value_leaves_no_hooks():
    learning = running_job()
    first_nonfinite(learning, 1)
    assert not any(m._forward_hooks for m in learning.network.modules())
    assert not learning.optimizer._optimizer_step_pre_hooks


def test_a_last_update_that_breaks_the_weights_is_a_divergence():
    running_job = run(job(steps=5))
    learning = running_job.learning
    update = learning.step

    def breaks_at_the_end(number):
        losses = update(number)
        if number == 5:
            learning.parameters[0].data[0, 0] = math.nan
        return losses

    learning.step = breaks_at_the_end
    with pytest.raises(Diverged, match=r"first non-finite: model\.linear1\.weight after its update") as found:
        list(running_job)
    assert (found.value.divergence.step, found.value.divergence.last_good) == (5, 4)


EXPLODING = {
    "learner__data": "digits",
    "learner__model": {"kind": "deep_mlp", "depth": 50, "width": 16, "initializer": {"kind": "he_normal", "gain": 10}},
    "learner__optimizer__lr": 0.05,
}


def test_a_run_that_diverges_at_its_first_step_returns_all_of_step_0():
    whole = job(**EXPLODING)
    with run(whole) as running:
        first = running.evaluate_now()
    _, records, error = diverge(whole)
    assert (records, error.divergence.step, error.divergence.last_good) == ([], 1, 0)
    recorded = as_bytes(error.records)
    assert recorded[: len(first)] == as_bytes(first)
    quantities = {(r.step, r.quantity) for r in error.records}
    assert {(0, q) for q in ("data", "layers", "theory", "network", "confusion", "loss", "dead_fraction")} <= quantities
    # And what the probes found before there was any update.
    assert {(0, "gradient_norm"), (0, "signal_rms"), (0, "activation_histogram"), (1, "loss")} <= quantities
    assert len({(r.step, r.quantity, r.site) for r in error.records}) == len(error.records)


def test_divergence_found_by_evaluate_now_keeps_what_the_probes_had_measured():
    chosen = job(**DIVERGING["line"], evaluate_every=1000)
    expected = diverge(chosen)[2]
    running = run(chosen)
    running._flush_every = 1000  # as on a device where reading a loss waits
    for _ in range(expected.divergence.step):
        next(running)
    with pytest.raises(Diverged) as ended:
        running.evaluate_now()
    records = ended.value.records
    assert sorted(scalars(records, "loss", "batch")) == list(range(1, expected.divergence.step + 1))
    assert {step for step, _ in scalars(records, "gradient_norm")} >= set(range(1, expected.divergence.step))


def test_what_was_measured_before_an_evaluation_fails_is_not_lost(monkeypatch):
    running = run(job(evaluate_every=5, probes=PROBES))
    returned = [next(running) for _ in range(4)]

    def fails(*_: object) -> None:
        raise MemoryError("no more")

    monkeypatch.setattr(import_module("nnviz.engine.snapshots.supervised_snapshots"), "draw", fails)
    with pytest.raises(MemoryError):
        next(running)
    rest = running.unreturned_records()
    records = [*chain.from_iterable(returned), *rest]
    assert sorted(scalars(records, "loss", "batch")) == [1, 2, 3, 4, 5]
    assert sorted(scalars(records, "loss", "train")) == [0, 5]
    assert {step for step, _ in scalars(records, "gradient_norm")} == {0, 1, 2, 3, 4, 5}
    assert running.unreturned_records() == []


def test_an_update_of_0_by_0_is_reported_as_such():
    """Of a network whose weights are all 0 the output's bias alone has a gradient."""
    zeros = {"learner__model__initializer": {"kind": "constant", "value": 0}, "steps": 5}
    for kind in ("adam", "rmsprop", "adagrad"):
        optimizer = {"kind": kind, "lr": 0.001}
        _, _, error = diverge(job(**zeros, learner__optimizer={**optimizer, "eps": 0.0}))
        culprit = "model.linear1.weight after its update, which is 0/0: ε = 0 and the gradient is zero at step 1"
        assert str(error) == f"stopped at step 2: loss is nan; first non-finite: {culprit}"
        assert error.divergence.last_good == 0
        list(run(job(**zeros, learner__optimizer=optimizer)))
