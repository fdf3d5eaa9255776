"""Supervised learning: every option takes a step; batches, penalties, metrics."""

import math

import pytest
import torch
from sklearn.metrics import r2_score

from nnviz.engine import Diverged, learners, run
from nnviz.records import Scalar, Snapshot
from nnviz.spec.base import SpecError, replace_many
from nnviz.spec.jobs import Training
from tests.each import each
from tests.engine.short_runs import SHORT, all_records, job, scalars
from tests.spec.options import families, some

HOSTS = {
    "activation": {"learner.model.hidden.0.activation": None},
    "initializer": {"learner.model.initializer": None},
    "norm": {"learner.model.norm": None},
    "dropout": {"learner.model.dropout": None},
    "probes": {},
    "early_stopping": {"early_stopping": None},
}


def with_option(family: str, kind: str) -> Training:
    """SHORT, two steps, with one option of a family chosen and what it needs beside it."""
    if family == "probes":
        every = {} if kind == "memorization" else {"every": 1}
        return replace_many(SHORT, {"steps": 2, "probes": [{"kind": kind} | every]})
    path = next(iter(HOSTS.get(family, {f"learner.{family}": None})))
    images = {"learner.data": {"kind": "digits", "points": 100}} if kind == "shift" else {}
    for loss in ("cross_entropy", "mse"):
        changes = images | ({"learner.loss": loss, path: kind} if path != "learner.loss" else {path: kind})
        try:
            return replace_many(SHORT, {"steps": 2, "learner.l1": 0.01, "learner.l2": 0.01, **changes})
        except SpecError:
            continue
    raise AssertionError((family, kind))


OF_OTHER_JOBS = (
    *("surface", "method", "views", "learner", "Adversarial.data", "noise", "objective"),
    "ImageAdversarial.data",
    "generator",
    "discriminator",
    "DCGANDiscriminator.dropout",
)


@each(("family", "kind"), [(f, k) for f, kinds in families().items() if f not in OF_OTHER_JOBS for k in kinds])
def test_every_option_trains(family, kind):
    with run(with_option(family, kind)) as running:
        before = {n: p.clone() for n, p in running.learning.modules["model"].named_parameters()}
        records = next(running) + next(running)
        moved = [not torch.equal(before[n], p) for n, p in running.learning.modules["model"].named_parameters()]
    assert any(moved)
    assert {r.step for r in records} == {0, 1, 2}
    assert all(math.isfinite(r.value) for r in records if isinstance(r, Scalar))
    assert all(math.isfinite(v) for v in scalars(records, "loss").values())


@each("seed", range(40))
def test_random_small_jobs_train_or_diverge_and_say_nothing_on_the_side(seed):
    chosen = replace_many(
        some(Training, seed, small=True), {"steps": 3, "device": "cpu", "parent": None, "evaluate_every": 2}
    )
    kind = chosen.learner.kind
    if kind == "adversarial_images":  # others may have to be downloaded; of one set and seed there is one classifier
        chosen = replace_many(chosen, {"learner.data": {"kind": "digit_images"}, "seed": 0})
    records = []
    with run(chosen) as running:
        try:
            for new in running:
                records += new
        except Diverged as diverged:
            records += diverged.records
    expected = {
        "supervised": {"layers", "data", "network"},
        "adversarial": {"layers", "real", "generated"},
        "adversarial_images": {"layers", "real_images", "sample_grid"},
    }
    assert expected[kind] <= {r.quantity for r in records if isinstance(r, Snapshot)}
    for record in records:
        if isinstance(record, Snapshot):
            assert all(a.dtype.kind in "fiubU" for a in record.arrays.values()), record.quantity
        else:
            assert isinstance(record.value, float)
            assert type(record.step) is int


def learning(chosen: Training):
    return learners.build(chosen.learner, chosen.seed, chosen.steps, torch.device("cpu"))


def test_every_epoch_goes_through_the_training_part_once_in_a_new_order():
    running_job = learning(job())
    assert running_job.steps_per_epoch == 5
    assert len(running_job.train[0]) == 70
    epochs = [torch.cat([running_job.batch(5 * epoch + i)[0] for i in range(1, 6)]) for epoch in range(3)]
    whole = running_job.train[0].sort(0).values
    for epoch in epochs:
        assert torch.equal(epoch.sort(0).values, whole)
    assert not torch.equal(epochs[0], epochs[1])


@each(
    ("size", "sizes"),
    [(16, [16, 16, 16, 16, 6]), (23, [23, 23, 23]), (70, [70]), (1000, [70]), (1, [1] * 70), (35, [35, 35])],
)
def test_batches_have_the_size_asked_for_and_a_last_single_sample_is_left_out(size, sizes):
    running_job = learning(job(learner__batch_size=size))
    assert running_job.steps_per_epoch == len(sizes)
    assert [len(running_job.batch(i)[0]) for i in range(1, len(sizes) + 1)] == sizes


def test_jobs_with_other_models_and_optimizers_see_the_same_data_and_batches_in_the_same_order():
    first = learning(job())
    others = [
        job(learner__model="deep_mlp", learner__model__norm="batch"),
        job(learner__model__dropout={"kind": "standard", "rate": 0.5}, learner__optimizer="adam"),
        job(learner__loss="mse", probes=[]),
    ]
    for other in map(learning, others):
        assert torch.equal(first.data.inputs, other.data.inputs)
        assert torch.equal(first.data.targets, other.data.targets)
        for number in (1, 2, 5, 6, 13, 1):
            for ours, theirs in zip(first.batch(number), other.batch(number), strict=True):
                assert torch.equal(ours, theirs)


def test_jobs_with_other_models_have_equal_data_snapshots():
    arrays = [
        next(r for r in run(chosen).evaluate_now() if r.quantity == "data").arrays
        for chosen in (job(), job(learner__model="deep_mlp"))
    ]
    assert all(arrays[0][n].tobytes() == arrays[1][n].tobytes() for n in arrays[0])


@pytest.mark.parametrize(("l1", "l2"), [(0.3, 0.0), (0.0, 0.2), (0.3, 0.2)])
def test_penalties_add_their_gradient_to_weights_and_leave_biases_alone(l1, l2):
    plain, penal = learning(job()), learning(job(learner__l1=l1, learner__l2=l2))
    before = {n: p.detach().clone() for n, p in plain.network.named_parameters()}
    losses = plain.step(1)["loss", "batch"], penal.step(1)["loss", "batch"]
    assert torch.equal(*losses)  # the recorded loss is the one without penalties
    for (name, a), (_, b) in zip(plain.network.named_parameters(), penal.network.named_parameters(), strict=True):
        w = before[name]
        penalty = l1 * w.sign() + l2 * w if name.endswith("weight") else torch.zeros_like(w)
        torch.testing.assert_close(b.grad, a.grad + penalty, rtol=1e-5, atol=1e-7)


def test_penalties_leave_the_scales_of_batch_norm_alone():
    chosen = job(learner__model="deep_mlp", learner__model__norm="batch", learner__model__depth=1)
    plain, penal = learning(chosen), learning(replace_many(chosen, {"learner.l2": 1.0}))
    plain.step(1), penal.step(1)
    norms = [u.network.norm1.weight.grad for u in (plain, penal)]
    assert torch.equal(*norms)


def test_accuracy_is_the_fraction_of_correct_classes():
    with run(job()) as running:
        records = [r for records in running for r in records]
        running_job = running.learning
        x, y = running_job.data.part(test=True)
        with torch.no_grad():
            right = (running_job.network.eval()(x).argmax(1) == y).float().mean()
    assert scalars(records, "accuracy", "test")[20] == pytest.approx(float(right))


def test_r_squared_is_that_of_scikit_learn():
    with run(job(learner__data="curve", learner__loss="mse")) as running:
        records = [r for records in running for r in records]
        x, y = running.learning.data.part(test=True)
        with torch.no_grad():
            predicted = running.learning.network.eval()(x)[:, 0]
    assert scalars(records, "r_squared", "test")[20] == pytest.approx(r2_score(y.numpy(), predicted.numpy()), rel=1e-4)


def test_losses_of_the_parts_are_measured_in_evaluation_mode():
    with run(job(learner__model__dropout={"kind": "standard", "rate": 0.5})) as running:
        records = [r for records in running for r in records]
        assert running.learning.network.training
        network, loss = running.learning.network.eval(), running.learning.loss
        with torch.no_grad():
            expected = {name: float(loss(network(x), y)) for name, (x, y) in running.learning.parts.items()}
    assert {name: scalars(records, "loss", name)[20] for name in ("train", "test")} == pytest.approx(expected)


def test_all_samples_of_both_parts_are_evaluated():
    chosen = job(learner__data={"kind": "moons", "points": 3000, "train_fraction": 0.4}, steps=1)
    records = all_records(chosen)
    running_job = learning(chosen)
    running_job.step(1)
    running_job.network.eval()
    for name in ("train", "test"):
        x, y = running_job.data.part(test=name == "test")
        assert len(x) == {"train": 1200, "test": 1800}[name]
        with torch.no_grad():
            outputs = running_job.network(x)
        assert scalars(records, "loss", name)[1] == pytest.approx(float(running_job.loss(outputs, y)), rel=1e-5)
        right = (outputs.argmax(1) == y).float().mean()
        assert scalars(records, "accuracy", name)[1] == pytest.approx(float(right), abs=1e-6)


@pytest.mark.parametrize("clipping", [{"kind": "norm", "max_norm": 0.05}, {"kind": "value", "limit": 0.01}])
def test_the_norm_before_clipping_is_recorded_and_the_optimizer_sees_the_one_after(clipping):
    chosen = job(learner__clipping=clipping, probes=[{"kind": "gradient_norms", "every": 1}], steps=1)
    records, unclipped = all_records(chosen), all_records(replace_many(chosen, {"learner.clipping": "none"}))
    clipped = scalars(records, "gradient_norm_total", "model")
    plain = scalars(unclipped, "gradient_norm_total", "model")
    assert scalars(unclipped, "gradient_norm_unclipped") == {}
    assert scalars(records, "gradient_norm_unclipped", "model")[1] == pytest.approx(plain[1], rel=1e-6)
    assert clipped[1] < plain[1]
    if clipping["kind"] == "norm":
        assert clipped[1] == pytest.approx(0.05, rel=1e-4)


def test_r_squared_of_one_sample_or_of_equal_targets_and_all_of_an_empty_part_are_left_out():
    for changes, with_loss, with_r_squared in (
        ({"points": 10, "train_fraction": 0.95}, {"train"}, {"train"}),
        ({"points": 11, "train_fraction": 0.95}, {"train", "test"}, {"train"}),
        ({"points": 20, "train_fraction": 0.05}, {"train", "test"}, {"test"}),
        ({"function": "step", "noise": 0, "points": 12, "train_fraction": 0.8}, {"train", "test"}, {"train"}),
    ):
        # This seed gives both test points of the step the same side.
        chosen = job(learner__data={"kind": "curve", **changes}, learner__loss="mse", steps=2, seed=6)
        records = all_records(chosen)
        assert {site for _, site in scalars(records, "loss")} - {"batch"} == with_loss, changes
        r_squared = scalars(records, "r_squared")
        assert {site for _, site in r_squared} == with_r_squared, changes
        assert all(math.isfinite(value) for value in r_squared.values()), changes
