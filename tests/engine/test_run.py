"""The loop: the same job gives the same records to the bit, watched or not; which records come, and when."""

import math

import numpy as np
import pytest
import torch

from nnviz.engine import EngineError, run
from nnviz.records import Scalar, Snapshot
from nnviz.spec.jobs import Parent, Training
from tests.each import each
from tests.engine.short_runs import after, all_records, as_bytes, job, scalars, snapshots, state
from tests.spec.options import families, some

KINDS = families()["probes"]
EVERYTHING = {
    "learner__optimizer": "adam",
    "learner__model__norm": "batch",
    "learner__model__dropout": {"kind": "standard", "rate": 0.3},
    "learner__schedule": "cosine",
    "learner__clipping": "norm",
}


def probes_every(steps: int, *kinds: str) -> list[dict]:
    """Plain probes of these kinds, of all if none is named, at every so many steps where that can be chosen."""
    chosen = {kind: "every" in KINDS[kind].model_fields for kind in kinds or KINDS}
    return [{"kind": kind} | ({"every": steps} if can_be_set else {}) for kind, can_be_set in chosen.items()]


@pytest.mark.parametrize(
    "changes",
    [{}, EVERYTHING, {"learner__data": "digits", "steps": 6}, {"learner__data": "curve", "learner__loss": "mae"}],
    ids=["plain", "everything", "digits", "curve"],
)
def test_the_same_job_gives_the_same_records_and_weights_to_the_bit(changes):
    runs, records = [], []
    for global_seed in (1, 2):
        torch.manual_seed(global_seed)
        np.random.seed(global_seed)
        runs.append(run(job(**changes)))
        records.append(all_records(runs[-1]))
    assert as_bytes(records[0]) == as_bytes(records[1])
    assert state(runs[0]) == state(runs[1])


def test_another_seed_gives_other_records():
    assert as_bytes(all_records(job(seed=1))) != as_bytes(all_records(job(seed=2)))


@each("kind", [*KINDS, "all"])
@each("changes", [{}, EVERYTHING])
def test_a_probe_leaves_losses_and_weights_as_they_are_to_the_bit(kind, changes):
    probes = probes_every(1, *([] if kind == "all" else [kind]))
    watched, alone = run(job(**changes, probes=probes)), run(job(**changes, probes=[]))
    records = [all_records(watched), all_records(alone)]
    for quantity in ("loss", "accuracy", "learning_rate"):
        first, second = (scalars(r, quantity) for r in records)
        assert first == second
        assert first
    assert state(watched) == state(alone)


@pytest.mark.parametrize("every", [1, 7, 100])
def test_how_often_a_run_is_evaluated_leaves_its_weights_as_they_are(every):
    assert state(after(job(**EVERYTHING, evaluate_every=every))) == state(after(job(**EVERYTHING)))


def test_a_run_that_is_paused_and_evaluated_ends_in_the_same_weights():
    chosen = job(**EVERYTHING)
    with run(chosen) as looked_at:
        for number, _ in enumerate(looked_at, 1):
            if number % 3 == 0:
                assert bool(looked_at.evaluate_now()) == (number % 5 != 0)  # unless it has just been evaluated
                assert looked_at.evaluate_now() == []
                looked_at.checkpoint()
    assert state(looked_at) == state(after(chosen))


def test_evaluations_and_snapshots_come_at_step_0_every_so_often_and_at_the_last():
    records = all_records(job(steps=17, evaluate_every=5))
    expected = [0, 5, 10, 15, 17]
    assert sorted(scalars(records, "loss", "train")) == expected
    assert sorted(snapshots(records, "decision_grid")) == expected
    assert sorted(snapshots(records, "network")) == expected
    assert sorted(scalars(records, "loss", "batch")) == list(range(1, 18))


def test_probes_sample_step_0_and_every_so_often_and_the_first_update():
    records = all_records(job(steps=17, probes=probes_every(4)))
    for quantity in ("gradient_norm", "activation_mean", "signal_rms"):
        assert {step for step, _ in scalars(records, quantity)} == {0, 4, 8, 12, 16}, quantity
    for quantity in ("gradient_histogram", "weight_histogram", "activation_histogram"):
        assert sorted(snapshots(records, quantity)) == [0, 4, 8, 12, 16], quantity
    for quantity in ("update_norm", "update_ratio"):
        assert {step for step, _ in scalars(records, quantity)} == {1, 4, 8, 12, 16}, quantity
    assert {step for step, _ in scalars(records, "weight_norm")} == {0, 1, 4, 8, 12, 16}


def test_the_first_call_returns_step_0_together_with_step_1():
    with run(job(evaluate_every=1)) as running:
        assert {r.step for r in next(running)} == {0, 1}
        assert {r.step for r in next(running)} == {2}


def test_evaluate_now_before_the_first_step_returns_step_0_once():
    with run(job(evaluate_every=1)) as running:
        first = running.evaluate_now()
        assert {r.step for r in first} == {0}
        assert running.evaluate_now() == []
        assert {r.step for r in next(running)} == {1}
        assert running.step == 1


def test_evaluate_now_returns_the_current_step_and_what_the_probes_have_measured():
    probes = [{"kind": "gradient_norms", "every": 2}]
    with run(job(probes=probes, evaluate_every=100)) as running:
        records = [r for _ in range(7) for r in next(running)]
        evaluated = running.evaluate_now()
    assert set(scalars(evaluated, "loss", "train")) == {7}
    records += evaluated
    assert {step for step, _ in scalars(records, "gradient_norm")} == {0, 2, 4, 6}


def test_every_probe_samples_the_step_that_the_caller_stops_at():
    with run(job(probes=probes_every(1000), evaluate_every=1000)) as running:
        running.until = 7
        records = [r for _ in range(8) for r in next(running)] + running.evaluate_now()
    for quantity, first in (("gradient_norm", 0), ("update_norm", 1), ("activation_mean", 0), ("signal_rms", 0)):
        assert {step for step, _ in scalars(records, quantity)} == {first, 7}, quantity
    assert sorted(snapshots(records, "gradient_histogram")) == [0, 7]


def test_no_record_is_returned_twice():
    records = all_records(job(probes=probes_every(3)))
    keys = [(r.step, r.quantity, r.site) for r in records]
    assert len(set(keys)) == len(keys)


def test_a_run_ends_after_its_steps_and_stays_ended():
    running = run(job(steps=3))
    assert len(list(running)) == 3
    assert next(running, None) is None
    assert running.step == 3


LAYER_SITES = frozenset({"model.linear1", "model.linear2", "model.output"})
ACTIVATION_SITES = frozenset({"model.activation1", "model.activation2"})
PARAMETER_SITES = frozenset(f"{layer}.{part}" for layer in LAYER_SITES for part in ("weight", "bias"))
PERCENTILES = ["p05", "p25", "p50", "p75", "p95"]
AGREED = {
    "loss": {"train", "test", "batch"},
    "accuracy": {"train", "test"},
    "learning_rate": {"model"},
    "gradient_norm_total": {"model"},
    "gradient_norm_unclipped": {"model"},
    **dict.fromkeys(["gradient_norm", "weight_norm", "update_norm", "update_ratio"], PARAMETER_SITES),
    **dict.fromkeys(["dead_fraction", "saturated_fraction", "preactivation_spread"], ACTIVATION_SITES),
    **{
        f"{which}_{what}": ACTIVATION_SITES
        for which in ("activation", "preactivation")
        for what in ("mean", "std", *PERCENTILES)
    },
    "signal_rms": LAYER_SITES,
}


def test_scalars_are_exactly_those_agreed_on():
    records = all_records(job(learner__clipping="norm"))
    found: dict[str, set[str]] = {}
    for record in records:
        if isinstance(record, Scalar):
            found.setdefault(record.quantity, set()).add(record.site)
    assert found == AGREED


def test_scalars_of_regression_have_r_squared_in_place_of_accuracy():
    records = all_records(job(learner__data="curve", learner__loss="mse"))
    quantities = {r.quantity for r in records if isinstance(r, Scalar)}
    assert "r_squared" in quantities
    assert "accuracy" not in quantities


@pytest.mark.parametrize(
    ("changes", "pictures"),
    [
        ({}, {"decision_grid"}),
        ({"learner__data": "hills", "learner__loss": "mse"}, {"decision_grid"}),
        ({"learner__data": "curve", "learner__loss": "mse"}, {"regression_curve"}),
        ({"learner__data": "iris"}, {"confusion", "worst"}),
        ({"learner__data": "diabetes", "learner__loss": "mse"}, {"fit", "worst"}),
    ],
    ids=["classes", "surface", "curve", "table of classes", "table of numbers"],
)
def test_snapshots_are_exactly_those_agreed_on(changes, pictures):
    records = [r for r in all_records(job(**changes)) if isinstance(r, Snapshot)]
    histograms = {f"{what}_histogram" for what in ("activation", "preactivation", "gradient", "weight")}
    assert {r.quantity for r in records} == {"data", "layers", "theory", "network", *histograms, *pictures}
    of_the_model = {"layers", "theory", "network", *histograms}
    assert all(r.site == ("model" if r.quantity in of_the_model else "") for r in records)
    assert {r.step for r in records if r.quantity in ("data", "layers", "theory")} == {0}


def test_the_recorded_learning_rate_is_the_one_the_step_used():
    chosen = job(learner__schedule={"kind": "step", "every": 7, "factor": 0.1}, evaluate_every=1)
    rates = scalars(all_records(chosen), "learning_rate", "model")
    assert rates == {0: 0.1, **{n: pytest.approx(0.1 * 0.1 ** ((n - 1) // 7)) for n in range(1, 21)}}


def test_info_has_the_parameters_and_steps_per_epoch():
    with run(job()) as running:
        info = running.info
    assert info["steps_per_epoch"] == 5
    assert info["parameters"] == 2 * 8 + 8 + 8 * 8 + 8 + 8 * 2 + 2


@each(
    ("changes", "expected"),
    [
        ({}, ("accuracy", "test", "test accuracy", True, True)),
        ({"learner__data": "curve", "learner__loss": "mse"}, ("r_squared", "test", "test R²", True, False)),
        (
            {"learner__data": {"kind": "moons", "points": 10, "train_fraction": 0.95}},
            ("loss", "train", "train loss", False, False),
        ),
        (
            {"learner__data": {"kind": "curve", "points": 10, "train_fraction": 0.9}, "learner__loss": "mse"},
            ("loss", "test", "test loss", False, False),
        ),
    ],
)
def test_the_metric_is_that_of_the_targets_and_the_loss_where_there_are_too_few_samples_for_it(changes, expected):
    with run(job(**changes)) as running:
        assert running.metric == expected
        assert running.info["metric"] == running.metric._asdict()
        assert expected[:2] in {(r.quantity, r.site) for r in running.evaluate_now() if isinstance(r, Scalar)}


def test_a_device_that_is_not_here_is_refused_with_what_to_do():
    missing = next(d for d in ("mps", "cuda:63") if d != "mps" or not torch.backends.mps.is_available())
    with pytest.raises(EngineError, match=r"device must be .*, got "):
        run(job(device=missing))


def test_a_child_needs_its_parents_checkpoint():
    with pytest.raises(EngineError, match="needs that run's checkpoint"):
        run(job(parent=Parent(run="r", step=3)))


def test_batch_losses_are_those_of_the_step_in_training_mode():
    chosen = job(learner__model__dropout={"kind": "standard", "rate": 0.5}, steps=3)
    recorded = scalars(all_records(chosen), "loss", "batch")
    with run(chosen.model_copy(update={"probes": ()})) as again:
        assert again.evaluate_now()
        running_job = again.learning
        assert recorded == {n: float(running_job.step(n)["loss", "batch"]) for n in (1, 2, 3)}


@each("seed", range(6))
def test_random_jobs_give_the_same_bytes_twice(seed):
    chosen = some(Training, 500 + seed, small=True).model_copy(
        update={"steps": 4, "evaluate_every": 2, "device": "cpu", "parent": None}
    )
    try:
        assert as_bytes(all_records(chosen)) == as_bytes(all_records(chosen))
    except ArithmeticError as diverged:
        assert math.isfinite(diverged.divergence.last_good)  # noqa: PT017
