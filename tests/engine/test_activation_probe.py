"""Statistics of activations against numpy on the full tensor."""

import numpy as np
import pytest
import torch
from torch import nn

from nnviz.engine import learners
from nnviz.engine.capture import Watch, probes
from nnviz.engine.capture.probes.activation_probe import BINS, even_bins
from nnviz.spec import probes as spec
from tests.engine.short_runs import all_records, job, scalars, snapshots

EVERY = [{"kind": "activations", "every": 1}]
PERCENTILES = (5, 25, 50, 75, 95)


def measure(activation: nn.Module, x: torch.Tensor):
    """What the probe says of one activation that is given x (batch, units)."""
    module = nn.Sequential()
    module.add_module("linear", nn.Linear(x.shape[1], x.shape[1]))
    module.add_module("activation", activation)
    with torch.no_grad():
        module.linear.weight.copy_(torch.eye(x.shape[1]))
        module.linear.bias.zero_()
    optimizer = torch.optim.SGD(module.parameters(), 0.1)
    with Watch({"model": module}, {"model": optimizer}, [probes.build(spec.Activations(every=1))]) as watch:
        with watch.step(1):
            module(x).sum().backward()
            optimizer.step()
        return watch.flush()


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_statistics_are_those_of_numpy_where_the_whole_tensor_is_kept(norm):
    chosen = job(probes=EVERY, steps=6, learner__model__norm=norm)
    records = all_records(chosen)
    learning = learners.build(chosen.learner, chosen.seed, chosen.steps, torch.device("cpu"))
    kept: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for name, module in learning.network.named_children():
        if name.startswith("activation"):
            module.register_forward_hook(
                lambda _m, i, o, name=name: kept.__setitem__(
                    f"model.{name}", (i[0].detach().double().numpy(), o.detach().double().numpy())
                )
            )
    for step in range(1, 7):
        learning.step(step)
        for site, pair in kept.items():
            for what, values in zip(("preactivation", "activation"), pair, strict=True):

                def recorded(quantity: str, what: str = what, site: str = site, step: int = step) -> float:
                    return scalars(records, f"{what}_{quantity}", site)[step]

                assert recorded("mean") == pytest.approx(values.mean(), rel=1e-5, abs=1e-7)
                assert recorded("std") == pytest.approx(values.std(), rel=1e-5)
                for p in PERCENTILES:
                    assert recorded(f"p{p:02d}") == pytest.approx(np.percentile(values, p), rel=1e-5, abs=1e-7)
                arrays = snapshots(records, f"{what}_histogram")[step]
                row = arrays["sites"].tolist().index(site)
                assert arrays["counts"][row].sum() == values.size
                assert arrays["low"][row] == pytest.approx(values.min(), rel=1e-6)
                assert arrays["high"][row] == pytest.approx(values.max(), rel=1e-6)


def test_of_a_large_layer_1024_entries_are_binned_and_their_statistics_are_near():
    g = torch.Generator().manual_seed(0)
    x = torch.randn(500, 60, generator=g) + 3 * torch.randn(60, generator=g)
    records = measure(nn.Tanh(), x)
    counts = snapshots(records, "preactivation_histogram")[1]["counts"]
    assert 900 <= counts.sum() <= 1024
    assert scalars(records, "preactivation_mean", "model.activation")[1] == pytest.approx(float(x.mean()), abs=0.3)
    assert scalars(records, "preactivation_std", "model.activation")[1] == pytest.approx(float(x.std()), rel=0.05)


@pytest.mark.parametrize("seed", range(5))
def test_even_bins_are_those_of_numpy(seed):
    rng = np.random.default_rng(seed)
    for n in (2, 10, 64, 1024):
        rows = np.sort(rng.normal(size=(3, n)).astype(np.float32), axis=1)
        arrays = even_bins(rows)
        for i, row in enumerate(rows):
            expected, edges = np.histogram(row.astype(np.float64), BINS)
            assert np.array_equal(arrays["counts"][i], expected)
            assert (arrays["low"][i], arrays["high"][i]) == (np.float32(edges[0]), np.float32(edges[-1]))


def test_even_bins_leave_out_what_is_not_finite():
    inf, nan = np.float32(np.inf), np.float32(np.nan)
    rows = [[nan] * 5, [1, 2, inf, -inf, nan], [5, 5, 5, 5, 5], [3e38, -3e38, 0, 0, 0]]
    arrays = even_bins(np.sort(np.array(rows, np.float64), axis=1))
    assert arrays["counts"].sum(1).tolist() == [0, 2, 5, 5]
    assert arrays["counts"][2, 0] == 5
    assert arrays["low"].tolist()[:3] == [0, 1, 5]
    assert arrays["high"].tolist()[:3] == [0, 2, 5]
    assert bool(np.isfinite(arrays["low"]).all())


def test_what_is_not_finite_is_measured_without_a_word():
    for value in (float("nan"), float("inf"), -float("inf"), 3e38):
        x = torch.full((4, 3), 0.5)
        x[1, 1] = value
        records = measure(nn.Tanh(), x)
        counts = snapshots(records, "preactivation_histogram")[1]["counts"]
        # The identity matrix before it spreads nan over its row: inf · 0.
        assert counts.sum() == (12 if value == 3e38 else 9)
