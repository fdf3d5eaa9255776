"""Batch normalization (Ioffe & Szegedy, 2015, arXiv:1502.03167): its identities, on the networks that are built."""

import copy

import pytest
import torch
from torch import Tensor, nn

from nnviz.engine import models, run
from nnviz.spec import models as spec
from nnviz.spec.activations import Sigmoid
from tests.engine.short_runs import job, scalars

X = torch.randn(50, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def network(eps: float = 1e-30) -> nn.Sequential:
    """4-6-1 with batch norm, in float64; a tiny ε makes the identities exact."""
    built = models.build(spec.MLP(hidden=(spec.Hidden(width=6),), norm={"kind": "batch"}), (4,), 1, 0).double().train()
    built.norm1.eps = eps
    return built


def gradient(built: nn.Sequential) -> Tensor:
    """Of the mean square output in the first weights."""
    (found,) = torch.autograd.grad(built(X).square().mean(), built.linear1.weight)
    return found


@pytest.mark.parametrize("a", [0.01, 3.0, 1000.0])
def test_the_scale_of_the_weights_before_it_does_not_matter(a):
    plain, scaled = network(), network()
    with torch.no_grad():
        scaled.linear1.weight *= a
    torch.testing.assert_close(plain(X), scaled(X), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(gradient(scaled), gradient(plain) / a, rtol=1e-9, atol=1e-15)


def test_a_gradient_is_orthogonal_to_the_weights_of_its_unit():
    built = network()
    along = (gradient(built) * built.linear1.weight).sum(1).detach()
    assert float(along.abs().max()) < 1e-14


def test_the_running_mean_after_k_constant_batches_is_a_geometric_sum():
    norm = nn.BatchNorm1d(1).double()
    with torch.no_grad():
        for _ in range(20):
            norm(torch.full((8, 1), 2.0, dtype=torch.float64))
    assert float(norm.running_mean) == pytest.approx(2 * (1 - 0.9**20), abs=1e-12)
    assert float(norm.running_mean) == pytest.approx(1.75685, abs=1e-5)


def test_the_running_variance_is_the_unbiased_one():
    built = network()
    for _ in range(400):
        built(X)
    batch = built.linear1(X).detach()
    torch.testing.assert_close(built.norm1.running_var, batch.var(0, unbiased=True), rtol=1e-12, atol=0)


def test_training_and_evaluation_agree_where_the_running_statistics_are_those_of_the_batch():
    built = network(eps=1e-5)
    batch = built.linear1(X).detach()
    with torch.no_grad():
        trained = copy.deepcopy(built)(X)
        built.norm1.running_mean.copy_(batch.mean(0))
        built.norm1.running_var.copy_(batch.var(0, unbiased=False))
        torch.testing.assert_close(built.eval()(X), trained, rtol=1e-10, atol=1e-12)


def test_units_leave_it_with_mean_0_and_variance_1():
    built = network()
    out = built.norm1(built.linear1(X)).detach()
    torch.testing.assert_close(out.mean(0), torch.zeros(6, dtype=torch.float64), rtol=0, atol=1e-12)
    torch.testing.assert_close(out.var(0, unbiased=False), torch.ones(6, dtype=torch.float64), rtol=0, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_it_rescues_the_signal_of_deep_sigmoids(seed):
    ratios = []
    for norm in ("none", "batch"):
        chosen = job(
            seed=seed,
            learner__batch_size=64,
            learner__model={"kind": "deep_mlp", "depth": 10, "width": 32, "activation": Sigmoid().model_dump()},
            learner__model__norm=norm,
            probes=[{"kind": "signal"}],
        )
        signal = scalars(run(chosen).evaluate_now(), "signal_rms")
        ratios.append(signal[0, "model.linear1"] / signal[0, "model.output"])
    assert ratios[0] < 1e-4
    assert ratios[1] > 1e3 * ratios[0]
