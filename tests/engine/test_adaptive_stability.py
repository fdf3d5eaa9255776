"""Stability of optimizers that rescale the gradient: the preconditioner against torch's updates, the limit against
descent on a quadratic, the eigenvalue against the whole matrix, and what training does at the limit."""

import numpy as np
import pytest
import torch
from torch import nn

from nnviz.engine.landscape import adaptive_stability, directions, hessian_spectrum
from nnviz.engine.landscape.adaptive_stability import limit, preconditioned, preconditioner
from nnviz.engine.optim import optimizers
from nnviz.spec.landscapes import Curvature
from nnviz.spec.optimizers import SGD, Adagrad, Adam, AdamW, NAdam, RMSprop
from tests.each import each
from tests.engine.landscape_jobs import landscape, last_arrays, trained
from tests.engine.test_curvature_view import TINY, whole

RESCALING = {
    "adam": Adam(lr=0.03, beta1=0.7, eps=1e-3),
    "amsgrad": Adam(lr=0.03, beta1=0.7, amsgrad=True),
    "adamw": AdamW(lr=0.03, weight_decay=0.0),
    "rmsprop": RMSprop(lr=0.03, eps=1e-3),
    "adagrad": Adagrad(lr=0.03, initial_accumulator=0.2),
}


@each("spec", RESCALING.values())
def test_the_preconditioner_is_what_torch_divides_by(spec):
    torch.manual_seed(0)
    weights = [nn.Parameter(torch.randn(3, 2).double()), nn.Parameter(torch.randn(4).double())]
    optimizer = optimizers.build(spec, weights)
    assert preconditioner(spec, optimizer, weights) is None
    average, beta = torch.zeros(10).double(), getattr(spec, "beta1", 0.0)
    for step in range(1, 8):
        before = directions.as_vector(weights).detach().clone()
        for w in weights:
            w.grad = torch.randn_like(w) * 10.0 ** -(step % 3)
        average = beta * average + (1 - beta) * directions.as_vector([w.grad for w in weights])
        optimizer.step()
        scale = preconditioner(spec, optimizer, weights)
        expected = before - spec.lr * average / (1 - beta**step if beta else 1) / scale
        assert torch.allclose(directions.as_vector(weights).detach(), expected, rtol=1e-12, atol=1e-14), step


@each(
    ("spec", "formula"),
    [
        (Adam(lr=0.02), lambda lr: 38 / lr),
        (Adam(lr=0.3, beta1=0.0), lambda lr: 2 / lr),
        (AdamW(lr=0.3, beta1=0.5, weight_decay=0.4), lambda lr: (2 - 0.4 * lr) * 1.5 / (0.5 * lr)),
        (RMSprop(lr=0.2), lambda lr: 2 / lr),
        (RMSprop(lr=0.2, momentum=0.9), lambda lr: 3.8 / lr),
        (Adagrad(lr=0.5), lambda lr: 2 / lr),
    ],
)
def test_on_a_quadratic_with_a_constant_preconditioner_descent_holds_just_below_the_limit_and_not_just_above(
    spec, formula
):
    assert limit(spec, spec.lr) == pytest.approx(formula(spec.lr), rel=1e-12)
    curvature = limit(spec, spec.lr) * np.array([0.99, 1.01])
    w, m = np.ones(2), np.zeros(2)
    decay = spec.weight_decay if isinstance(spec, AdamW) else 0.0
    for _ in range(4000):
        if isinstance(spec, RMSprop):
            m = spec.momentum * m + curvature * w
        else:
            beta = getattr(spec, "beta1", 0.0)
            m = beta * m + (1 - beta) * curvature * w
        w = (1 - spec.lr * decay) * w - spec.lr * m
    assert abs(w[0]) < 1e-2
    assert abs(w[1]) > 1e2


@each("spec", [SGD(), NAdam(), RMSprop(centered=True), Adagrad(lr_decay=0.1)])
def test_other_optimizers_have_no_such_limit(spec):
    weight = nn.Parameter(torch.ones(2))
    optimizer = optimizers.build(spec, [weight])
    weight.grad = torch.ones(2)
    optimizer.step()
    assert preconditioner(spec, optimizer, [weight]) is None
    assert np.isnan(limit(spec, 0.1))


@each("decay", [0.0, 0.3])
def test_the_eigenvalue_is_that_of_the_whole_preconditioned_matrix(decay):
    chosen = landscape(
        Curvature(points=3, eigenvalues=1, probes=2),
        **TINY,
        learner__optimizer={"kind": "adam", "weight_decay": decay},
        samples=40,
    )
    arrays = last_arrays(chosen)["curvature"]
    of = trained(chosen.network, samples=40)
    assert np.isnan(arrays["preconditioned"][0])  # no update yet
    for index, place in ((1, 10), (2, 20)):
        root = of.preconditioners[place].double().rsqrt()
        matrix = whole(of, place)
        exact = torch.linalg.eigvalsh(root[:, None] * (matrix + decay * torch.eye(len(matrix))) * root)[-1]
        assert arrays["preconditioned"][index] == pytest.approx(float(exact), rel=2e-3)
    assert arrays["preconditioned_limit"] == pytest.approx([38 / of.learners[0].optimizer.lr] * 3)
    assert "preconditioned" not in last_arrays(landscape(Curvature(points=2, probes=2), **TINY))["curvature"]


@each("seed", [0, 1, 2])
def test_adam_with_the_full_batch_rises_to_its_limit_and_stays_there(seed):
    # Cohen et al., 2022: the preconditioned curvature, not the Hessian's own, is what the limit stops.
    torch.manual_seed(seed)
    module = nn.Sequential(nn.Linear(5, 40), nn.Tanh(), nn.Linear(40, 40), nn.Tanh(), nn.Linear(40, 1))
    x = torch.randn(200, 5)
    y = torch.sin(3 * x.sum(1, keepdim=True))
    spec = Adam(lr=1e-3, beta2=0.99, eps=1e-7)
    loss = nn.functional.mse_loss
    weights = list(module.parameters())
    optimizer = optimizers.build(spec, weights)
    ratios = {}
    for step in range(1, 1001):
        optimizer.zero_grad()
        loss(module(x), y).backward()
        optimizer.step()
        if step in (50, 500, 750, 1000):
            product = hessian_spectrum.hessian(module, loss, x, y)
            scale = preconditioner(spec, optimizer, weights)
            draws = torch.Generator().manual_seed(seed)
            found = hessian_spectrum.lanczos(preconditioned(product, scale, 0.0), scale, draws, k=1, tolerance=1e-3)
            ratios[step] = float(found.values[0]) / adaptive_stability.limit(spec, spec.lr)
    assert ratios[50] < 0.1
    assert all(0.85 < ratios[step] < 1.15 for step in (500, 750, 1000)), ratios
