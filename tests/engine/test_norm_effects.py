"""What is measured of normalization layers is what they do in training, and measuring changes nothing."""

import copy
import math

import numpy as np
import pytest
import torch

from nnviz.engine import models, run
from nnviz.engine.normalization import gradient_line, mode_gaps
from nnviz.engine.normalization.batch_statistics import batch_norms, with_batch_statistics
from nnviz.engine.normalization.norm_values import dead_certificate, norm_values, statistics
from nnviz.figures.norms.norm_arithmetic import cell_numbers
from nnviz.figures.norms.norm_heatmap import chosen_cell
from nnviz.spec import models as model_spec
from nnviz.spec import norms as spec
from nnviz.spec.base import SpecError
from nnviz.spec.jobs import Training
from nnviz.spec.norms import shown_layers
from nnviz.spec.probes import GradientLine, Norms
from tests.each import each
from tests.engine.short_runs import after, all_records, as_bytes, job, scalars, snapshots, state

NORMS = (spec.BatchNorm(), spec.LayerNorm(), spec.GroupNorm(groups=2), spec.RMSNorm())
X = 3 + 2 * torch.randn(24, 4, generator=torch.Generator().manual_seed(0))
Y = torch.arange(24) % 3
CROSS_ENTROPY = torch.nn.functional.cross_entropy


def watched(norm: object = "batch", **changes: object) -> Training:
    """A short training of three hidden layers with both probes."""
    model = {"kind": "deep_mlp", "depth": 3}
    return job(
        **{"probes": [Norms(every=1), GradientLine(every=5)], "learner__model": model, "learner__model.norm": norm}
        | changes
    )


def network(norm: spec.Norm, depth: int = 3, activation: str = "relu") -> torch.nn.Module:
    """4-6-6-6-3, trained enough that scales, shifts and running averages are its own; in evaluation mode."""
    model = model_spec.DeepMLP.parse(
        {"depth": depth, "width": 6, "norm": norm.model_dump(), "activation": {"kind": activation}}
    )
    built = models.build(model, (4,), 3, 0)
    optimizer = torch.optim.SGD(built.parameters(), lr=0.1)
    for first in (0, 8, 16, 0):
        optimizer.zero_grad()
        CROSS_ENTROPY(built(X[first : first + 8]), Y[first : first + 8]).backward()
        optimizer.step()
    return built.eval()


def frozen(built: torch.nn.Module) -> list[bytes]:
    return [t.detach().numpy().tobytes() for t in built.state_dict().values()]


@each("norm", NORMS)
def test_values_are_those_of_the_network_in_training_mode_and_nothing_changes(norm):
    built = network(norm)
    before = frozen(built)
    arrays = norm_values(built, X)
    twin = copy.deepcopy(built).train()
    found = {}
    for name, module in twin.named_children():
        if name.startswith("norm"):
            module.register_forward_hook(
                lambda _, inputs, out, name=name: found.update({name: (inputs[0], out.clone())})
            )
    outputs = twin(X)
    np.testing.assert_array_equal(arrays["train_outputs"], outputs.detach().numpy())
    np.testing.assert_array_equal(arrays["eval_outputs"], built(X).detach().numpy())
    for i, site in enumerate(arrays["sites"]):
        entered, left = found[site.removeprefix("model.")]
        np.testing.assert_array_equal(arrays[f"input_{i}"], entered.detach().numpy())
        np.testing.assert_array_equal(arrays[f"output_{i}"], left.detach().numpy())
    assert frozen(built) == before
    assert not built.training


@each("norm", NORMS)
def test_the_arithmetic_of_every_cell_gives_the_tensors_own_output(norm):
    built = network(norm)
    arrays = norm_values(built, X)
    evaluated = {}
    for name, module in built.named_children():
        if name.startswith("norm"):
            module.register_forward_hook(lambda *call, name=name: evaluated.update({name: call[2].detach().clone()}))
    for layer, site in enumerate(arrays["sites"]):
        for sample, unit in [(0, 0), (5, 2), (23, 5), (11, 3)]:
            cell = chosen_cell(arrays, layer, sample, unit)
            found = cell_numbers(arrays, cell)
            assert found["output"] == pytest.approx(arrays[f"output_{layer}"][sample, unit], rel=1e-5, abs=1e-5)
            averaged = arrays[f"input_{layer}"][cell.rows, cell.columns].astype(float)
            assert averaged.size == cell.count
            mean = 0 if norm.kind == "rms" else averaged.mean()
            assert found["mean"] == pytest.approx(mean, abs=1e-5)
            assert found["variance"] == pytest.approx(np.square(averaged - mean).mean(), rel=1e-4)
            if norm.kind == "batch":
                # The layer in evaluation mode, for what enters it in training mode.
                module = built.get_submodule(site.removeprefix("model."))
                with torch.no_grad():
                    expected = module(torch.from_numpy(arrays[f"input_{layer}"].copy()))[sample, unit]
                assert found["evaluated_output"] == pytest.approx(float(expected), rel=1e-5, abs=1e-5)


@each("norm", NORMS)
def test_statistics_are_those_of_a_naive_twin(norm):
    x = X[:, :4]
    built = {"batch": torch.nn.BatchNorm1d(4), "layer": torch.nn.LayerNorm(4), "rms": torch.nn.RMSNorm(4)}
    module = built.get(norm.kind, torch.nn.GroupNorm(2, 4))
    mean, var = statistics(module, x)
    for s, u in ((0, 0), (3, 1), (23, 3)):
        over = {"batch": x[:, u], "group": x[s, u // 2 * 2 : u // 2 * 2 + 2]}.get(norm.kind, x[s]).double()
        middle = 0.0 if norm.kind == "rms" else float(over.mean())
        place = (0, u) if norm.kind == "batch" else (s, u // 2 if norm.kind == "group" else 0)
        assert float(mean[place]) == pytest.approx(middle, abs=1e-5)
        assert float(var[place]) == pytest.approx(float((over - middle).square().mean()), rel=1e-4)


def test_batches_of_a_size_are_normalized_each_by_its_own_statistics():
    built = network(spec.BatchNorm())
    for size in (2, 8, 24):
        with torch.no_grad(), with_batch_statistics(built, size):
            together = built(X)
        twin = copy.deepcopy(built).train()
        apart = torch.cat([twin(part) for part in X.split(size)])
        torch.testing.assert_close(together, apart.detach(), rtol=1e-4, atol=1e-5)


def test_the_gap_over_batch_sizes_is_that_of_training_mode_and_falls_with_the_size():
    built = network(spec.BatchNorm())

    def measure(outputs: torch.Tensor) -> tuple[float, float]:
        return float(CROSS_ENTROPY(outputs, Y[: len(outputs)])), float("nan")

    found = mode_gaps.over_batch_sizes(built, X, measure)
    assert found["batch_sizes"].tolist() == [2, 4, 8, 16, 24]
    reference = built(X).detach()
    trained = copy.deepcopy(built).train()(X).detach()
    expected = (trained - reference).square().mean().sqrt() / reference.square().mean().sqrt()
    assert found["gap"][-1] == pytest.approx(float(expected), rel=1e-4)
    assert found["loss"][-1] == pytest.approx(float(CROSS_ENTROPY(trained, Y)), rel=1e-4)
    assert found["gap"][0] > found["gap"][-1]
    without = mode_gaps.over_batch_sizes(network(spec.LayerNorm()), X, measure)
    assert without["gap"].tolist() == [0.0] * 5


def test_replayed_averages_are_those_of_a_run_with_that_momentum():
    norm = {"kind": "batch", "momentum": 0.1}
    observed = after(watched(norm))
    replay = observed._observers["norms"].replay
    for row, momentum in zip(replay.averages, mode_gaps.MOMENTA, strict=True):
        other = after(watched(norm | {"momentum": momentum}, probes=()))
        own = [t for n in batch_norms(other.learning.network).values() for t in (n.running_mean, n.running_var)]
        torch.testing.assert_close(row, torch.cat(own).double(), rtol=1e-4, atol=1e-5)
    without = after(watched("layer"))._observers["norms"].replay
    assert not without.over_momenta(observed.learning.network, X, 8, lambda _: (0.0, 0.0))


def test_measuring_changes_no_bit_of_the_training_and_is_the_same_twice():
    dropout = {"learner__model.dropout": {"kind": "standard", "rate": 0.3}}
    runs = [run(watched(**dropout, **changes)) for changes in ({}, {}, {"probes": ()})]
    records, again, plain = (all_records(running) for running in runs)
    assert state(runs[0]) == state(runs[2])
    assert as_bytes(records) == as_bytes(again)
    assert scalars(records, "loss") == scalars(plain, "loss")
    assert snapshots(records, "norm_values").keys() == {0, 5, 10, 15, 20}
    assert len(snapshots(records, "gradient_line")) == 5
    assert 20 in snapshots(records, "norm_momenta")


def test_networks_without_batch_norm_are_measured_too():
    for norm in ({"kind": "none"}, {"kind": "rms", "place": "after"}):
        records = all_records(watched(norm, steps=5))
        assert set(scalars(records, "mode_gap", "model").values()) == {0.0}
        assert len(snapshots(records, "norm_values")[5]["sites"]) == 3 * (norm["kind"] == "rms")
        assert len(snapshots(records, "norm_momenta")[5]["momenta"]) == 0


def test_a_resumed_run_records_what_an_unbroken_one_does():
    chosen = watched()
    whole = [r for r in all_records(chosen) if r.step > 10]
    with run(chosen) as running:
        while running.step < 10:
            next(running)
        saved = running.checkpoint()
    again = [r for r in all_records(run(chosen, saved)) if r.step > 10]
    assert as_bytes(again) == as_bytes(whole)


def test_the_gradient_line_is_one_line_from_one_point():
    built = network(spec.BatchNorm())
    before = frozen(built)
    found = gradient_line.along_gradient(built, CROSS_ENTROPY, X, Y, 0.3)
    assert frozen(built) == before
    twin = copy.deepcopy(built).train()
    CROSS_ENTROPY(twin(X), Y).backward()
    start = [(p.detach().clone(), p.grad.clone()) for p in twin.parameters()]
    length = math.sqrt(sum(float(g.square().sum()) for _, g in start))
    assert found["gradient_norm"] == pytest.approx(length, rel=1e-5)
    for factor, loss, change, smoothness in zip(
        *(found[name] for name in ("factors", "loss", "gradient_change", "smoothness")), strict=True
    ):
        for p, (w, g) in zip(twin.parameters(), start, strict=True):
            p.data = w - factor * 0.3 * g
        twin.zero_grad()
        value = CROSS_ENTROPY(twin(X), Y)
        value.backward()
        moved = math.sqrt(
            sum(float((p.grad - g).square().sum()) for p, (_, g) in zip(twin.parameters(), start, strict=True))
        )
        assert loss == pytest.approx(float(value.detach()), rel=1e-5)
        assert change == pytest.approx(moved, rel=1e-3, abs=1e-6)
        assert smoothness == pytest.approx(moved / (factor * 0.3 * length) if factor else 0, rel=1e-3)


@each("norm", NORMS)
def test_scaled_weights_before_a_norm_leave_the_output_and_divide_the_gradient(norm):
    built = network(norm.model_copy(update={"eps": 1e-12}))
    found = gradient_line.under_scaling(built, CROSS_ENTROPY, X, Y, "linear2")
    assert found["scales"].tolist() == [0.1, 1, 10]
    if norm.kind == "batch":  # the others keep a bias, which is not scaled
        assert found["output_change"] == pytest.approx(np.zeros(3), abs=1e-5)
        assert found["gradient_norm"] * found["scales"] == pytest.approx(np.full(3, found["gradient_norm"][1]), 1e-3)
    plain = gradient_line.under_scaling(network(spec.NoNorm()), CROSS_ENTROPY, X, Y, "linear2")
    assert plain["output_change"][2] > 0.5


def test_a_unit_with_a_certificate_is_dead_on_ten_thousand_batches_and_gets_no_gradient():
    g = torch.Generator().manual_seed(1)
    n = 8
    norm = torch.nn.BatchNorm1d(64).double()
    with torch.no_grad():
        norm.weight.copy_(torch.randn(64, generator=g))
        norm.bias.copy_(-norm.weight.abs() * math.sqrt(n - 1) + torch.linspace(-0.5, 0.5, 64))
    gamma, beta, certificate = dead_certificate(norm, n)
    assert torch.equal(certificate, beta + gamma * math.sqrt(n - 1))
    dead = certificate <= 0
    assert 20 < int(dead.sum()) < 44
    counterexamples = 0
    for block in range(100):
        # Heavy tails, and single outliers, which reach the bound; each batch has 64 units of its own.
        x = torch.randn(n, 100, 64, generator=g, dtype=torch.float64)
        x = (
            x.sign() * x.abs() ** (1 + block % 5)
            if block % 2
            else torch.eye(n, dtype=torch.float64)[0][:, None, None] * x + 1e-3 * x
        )
        apart = torch.nn.functional.batch_norm(
            x.reshape(n, -1), None, None, norm.weight.repeat(100), norm.bias.repeat(100), training=True, eps=1e-12
        )
        counterexamples += int((apart.reshape(n, 100, 64)[..., dead] > 1e-9).sum())
    assert counterexamples == 0
    x = torch.randn(n, 64, generator=g, dtype=torch.float64)
    torch.relu(norm(x)).sum().backward()
    assert not norm.weight.grad[dead].any()
    assert not norm.bias.grad[dead].any()


def test_an_outlier_reaches_the_bound():
    for n in (2, 4, 8, 32, 128):
        x = torch.zeros(n, 1, dtype=torch.float64)
        x[0] = 5.0
        out = torch.nn.functional.batch_norm(x, None, None, training=True, eps=1e-12)
        assert float(out.abs().max()) == pytest.approx(math.sqrt(n - 1))


def test_a_batch_of_one_is_refused_in_training_and_works_in_inference():
    with pytest.raises(SpecError, match=r"batch_size must be at least 2 with batch norm, got 1") as error:
        watched(learner__batch_size=1)
    assert "\n" not in str(error.value)
    records = all_records(watched())
    assert snapshots(records, "norm_batch_sizes")[20]["single_sample"] < 1e-5


def test_of_many_layers_six_are_recorded_with_the_first_and_the_last():
    assert shown_layers(3) == [1, 2, 3]
    assert shown_layers(20) == [1, 5, 9, 12, 16, 20]
    assert [len(set(shown_layers(n))) for n in range(1, 51)] == [min(n, 6) for n in range(1, 51)]
