"""Records of dropout: the masks that a step used, and predictions over masks against all masks of a small network."""

from itertools import product

import numpy as np
import pytest
import torch

from nnviz.engine import losses, run
from nnviz.engine.models import thinned_networks
from nnviz.engine.randomness import generator, stream
from nnviz.engine.snapshots.dropout_snapshots import MASKS, SHOWN_SAMPLES
from tests.each import each
from tests.engine.short_runs import all_records, as_bytes, job, scalars, snapshots

DROPOUT = {"kind": "standard", "rate": 0.4}
TWO_LAYERS = [{"width": 5}, {"width": 20}]


@torch.enable_grad()
def after(**changes):
    """A run with dropout after its last step, and its records."""
    running = run(job(**{"learner__model__dropout": DROPOUT} | changes))
    return running, all_records(running)


def used_masks(chosen) -> dict[int, list[np.ndarray]]:
    """By step, what each dropout let through in the training itself."""
    found = {}
    with run(chosen) as running:
        learning = running.learning
        for dropout in learning.dropouts:
            dropout.register_forward_hook(
                lambda module, inputs, out: (
                    found.setdefault(running.step + 1, []).append((out != 0) | (inputs[0] == 0))
                    if module.training
                    else None
                )
            )
        for _ in running:
            pass
    return {step: [mask.numpy() for mask in masks] for step, masks in found.items()}


@pytest.mark.parametrize("size", [16, 70], ids=["with a smaller last batch", "full batch"])
def test_masks_recorded_are_those_that_the_update_used_and_follow_from_seed_and_step(size):
    chosen = job(learner__model__dropout=DROPOUT, learner__model__hidden=TWO_LAYERS, learner__batch_size=size, seed=3)
    recorded, used = snapshots(all_records(chosen), "dropout_masks"), used_masks(chosen)
    assert sorted(recorded) == [0, 5, 10, 15, 20]
    for step, arrays in recorded.items():
        assert arrays["step"] == max(1, step)
        for index, (width, shown) in enumerate(((5, 5), (20, 16))):
            layer = index + 1
            mask = used[max(1, step)][index]
            assert arrays[f"mask_{layer}"].shape == (SHOWN_SAMPLES, shown)
            # Where an activation is itself 0, what comes out says nothing; tanh has none.
            assert np.array_equal(arrays[f"mask_{layer}"], mask[:SHOWN_SAMPLES, :shown]), step
            assert np.array_equal(arrays[f"kept_{layer}"], mask[:SHOWN_SAMPLES].sum(1)), step
            g = torch.Generator().manual_seed(stream(3, f"dropout{index}", max(1, step)))
            again = torch.rand(len(mask), width, generator=g) >= DROPOUT["rate"]
            assert np.array_equal(mask, again.numpy()), step
    assert not np.array_equal(recorded[5]["mask_2"], recorded[10]["mask_2"])


def test_what_is_recorded_of_dropout_changes_nothing_in_the_training():
    running, records = after()
    learning = run(running.job).learning
    for number in range(1, 21):
        learning.step(number)
    for mine, theirs in zip(learning.network.parameters(), running.learning.network.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    assert as_bytes(records) == as_bytes(after()[1])


def test_a_network_without_dropout_records_nothing_of_it():
    quantities = {r.quantity for r in all_records(job())}
    assert not quantities & {"dropout_masks", "dropout_activations", "mask_averages", "uncertainty"}


def thinned_by_hand(learning, x: torch.Tensor, p: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Outputs (2ⁿ, samples, outputs) of every thinned network of one hidden layer, and their probabilities (2ⁿ,)."""
    network = learning.network
    hidden = network.activation1(network.linear1(x))
    outputs, weights = [], []
    for mask in product([0.0, 1.0], repeat=hidden.shape[1]):
        kept = torch.tensor(mask, dtype=hidden.dtype)
        weights.append(p ** (len(mask) - sum(mask)) * (1 - p) ** sum(mask))
        outputs.append(network.output(hidden * kept / (1 - p)))
    return torch.stack(outputs), torch.tensor(weights, dtype=torch.float64)


@torch.no_grad()
def test_mean_and_variance_of_a_small_network_are_those_over_all_masks():
    running, records = after(learner__model__hidden=[{"width": 6}])
    learning = running.learning
    learning.network.eval()
    last = {name: snapshots(records, name)[20] for name in ("uncertainty", "mask_averages", "dropout_activations")}
    found = last["uncertainty"]
    assert found["masks"] == 64
    assert found["all_masks"]
    x, y = np.meshgrid(found["x"], found["y"])
    points = torch.tensor(np.stack([x, y], 2).reshape(-1, 2))
    outputs, weights = thinned_by_hand(learning, points, DROPOUT["rate"])
    p = outputs.softmax(2).double()
    assert float(weights.sum()) == pytest.approx(1, abs=1e-12)
    mean = torch.tensordot(weights, p, 1)
    variance = torch.tensordot(weights, (p - mean).square(), 1)
    entropies = [(-q * q.clamp_min(1e-300).log2()).sum(-1) for q in (mean, p)]
    information = entropies[0] - torch.tensordot(weights, entropies[1], 1)
    shape = found["mean"].shape
    assert found["mean"] == pytest.approx(mean.reshape(shape).numpy(), abs=1e-6)
    assert found["std"] ** 2 == pytest.approx(variance.reshape(shape).numpy(), abs=1e-6)
    assert found["information"] == pytest.approx(information.reshape(shape[:2]).numpy(), abs=2e-6)
    assert found["scaled"] == pytest.approx(learning.network(points).softmax(1).reshape(shape).numpy(), abs=1e-6)


@torch.no_grad()
def test_random_masks_come_near_the_mean_and_variance_over_all_masks():
    running, _ = after(learner__model__hidden=[{"width": 6}])
    learning = running.learning
    network, x = learning.network.eval().double(), learning.train[0][:20].double()
    outputs, weights = thinned_by_hand(learning, x, DROPOUT["rate"])
    p = outputs.softmax(2)
    mean = torch.tensordot(weights, p, 1)
    variance = torch.tensordot(weights, (p - mean).square(), 1)
    count = 20_000
    factors = (torch.rand(count, 6, generator=generator(0, "test")) >= DROPOUT["rate"]).double() / (1 - DROPOUT["rate"])
    found = thinned_networks.outputs(network, learning.dropouts, [factors], x)[0].softmax(2)
    # Five standard errors of the mean, and of the variance by the fourth moment's bound for probabilities.
    assert (found.mean(0) - mean).abs().max() < 5 * float(variance.max().sqrt()) / count**0.5
    assert (found.var(0) - variance).abs().max() < 5 * 0.25 / count**0.5


@torch.no_grad()
def test_weight_scaling_is_the_geometric_mean_over_all_masks_for_one_layer_and_not_for_two():
    for hidden, is_exact in (([{"width": 7}], True), ([{"width": 3}, {"width": 4}], False)):
        running, records = after(learner__model__hidden=hidden)
        averages = snapshots(records, "mask_averages")[20]
        assert averages["all_masks"]
        gap = np.abs(averages["weight_scaling"] - averages["geometric_mean"]).max()
        assert (gap < 1e-6) == is_exact, (hidden, gap)
        assert np.abs(averages["arithmetic_mean"] - averages["geometric_mean"]).max() > 1e-4
        learning = running.learning
        network = learning.network.eval()
        x, y = (t[:128] for t in learning.parts["test"])
        loss = scalars(records, "mask_average_loss")
        assert loss[20, "weight_scaling"] == pytest.approx(float(losses.build(learning.spec.loss, 2, 2)(network(x), y)))
        assert loss[20, "one_mask"] > loss[20, "arithmetic_mean"]  # Jensen's inequality
        assert loss[20, "geometric_mean"] <= loss[20, "one_mask"]


def test_over_all_masks_a_dropout_keeps_the_mean_and_has_variance_p_over_1_minus_p():
    _, records = after(learner__model__hidden=[{"width": 8}])
    p = DROPOUT["rate"]
    for step, arrays in snapshots(records, "dropout_activations").items():
        assert arrays["all_masks"], step
        h = arrays["eval_1"]
        assert h.std() > 0.1, step
        assert arrays["mean_1"] == pytest.approx(h, abs=1e-6), step
        assert arrays["std_1"] == pytest.approx(np.sqrt(p / (1 - p)) * np.abs(h), abs=1e-6), step


@each("skip", [False, True])
@torch.no_grad()
def test_thinned_networks_together_equal_each_alone(skip, monkeypatch):
    hidden = [{"width": 6}, {"width": 6}]
    running, _ = after(
        learner__model__hidden=hidden, learner__model__skip=skip, learner__model__norm="batch", learner__batch_size=32
    )
    learning = running.learning
    network, x = learning.network.eval(), learning.train[0][:9]
    units = thinned_networks.shapes(network, learning.dropouts, x)
    masks = thinned_networks.masks(learning.dropouts, units, 5, 1)
    assert not masks.are_all
    found, seen = thinned_networks.outputs(network, learning.dropouts, masks.factors, x, 4)
    assert found.shape == (5, 9, 2)
    for k in range(5):
        factors = [f[k : k + 1] for f in masks.factors]
        alone, _ = thinned_networks.outputs(network, learning.dropouts, factors, x)
        assert torch.allclose(found[k], alone[0], atol=1e-6)
        assert not torch.allclose(found[k], network(x), atol=1e-3)
    assert [tuple(s.shape) for s in seen] == [(5, 4, 6), (5, 4, 6)]
    ones = [torch.ones_like(f[:1]) for f in masks.factors]
    assert torch.allclose(thinned_networks.outputs(network, learning.dropouts, ones, x)[0][0], network(x), atol=1e-6)
    monkeypatch.setattr(thinned_networks, "MAX_ENTRIES", 2 * 9 * 6)  # two masks at once
    in_parts, seen_in_parts = thinned_networks.outputs(network, learning.dropouts, masks.factors, x, 4)
    assert torch.allclose(in_parts, found, atol=1e-6)
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(seen_in_parts, seen, strict=True))
    assert not any(d._forward_hooks for d in learning.dropouts)


@each(
    "changes",
    [
        {"learner__data": "digits", "learner__data__points": 100},
        {"learner__data": "curve", "learner__loss": "mse"},
        {"learner__data": "hills", "learner__loss": "mse"},
        {"learner__loss": "binary_cross_entropy"},
        {"learner__loss": "mse"},
        {"learner__data": "iris"},
        {"learner__data": "diabetes", "learner__loss": "mse"},
    ],
)
def test_each_kind_of_data_records_what_it_has(changes):
    running, records = after(**changes, learner__model__hidden=TWO_LAYERS)
    data = running.job.learner.data
    last = {r.quantity: r.arrays for r in records if r.step == 20 and hasattr(r, "arrays")}
    assert ("uncertainty" in last) == (len(data.shape) == 1 and data.shape[0] <= 2), changes
    assert ("mask_averages" in last) == bool(data.classes), changes
    assert ("uncertain_samples" in last) == bool(data.classes and data.shape not in ((1,), (2,))), changes
    if "uncertain_samples" in last:
        samples = last["uncertain_samples"]
        assert samples["masks"] == MASKS
        assert samples["mean"].sum(1) == pytest.approx(1, abs=1e-5)
        assert (np.diff(samples["information"]) <= 0).all()
        assert (samples["std"] >= 0).all()


def test_predictions_over_masks_are_made_as_often_as_the_learner_says_and_at_both_ends():
    chosen = job(learner__model__dropout=DROPOUT, learner__model__hidden=TWO_LAYERS, steps=20, evaluate_every=1)
    running = run(chosen)
    running.learning.full_every = 7
    records = all_records(running)
    assert sorted(snapshots(records, "uncertainty")) == [0, 7, 14, 20]
    assert sorted(snapshots(records, "dropout_masks")) == list(range(21))
