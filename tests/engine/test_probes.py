"""Norms, updates and signals against the naive computation."""

import copy
import math

import pytest
import torch

from nnviz.engine import learners, run
from nnviz.engine.randomness import stream
from tests.each import each
from tests.engine.short_runs import all_records, job, scalars

EVERY = [{"kind": kind, "every": 1} for kind in ("gradient_norms", "updates", "signal")]
SITUATIONS = {
    "plain": {},
    "adam and clipping": {"learner__optimizer": "adam", "learner__clipping": {"kind": "norm", "max_norm": 0.1}},
    "batch norm and dropout": {
        "learner__model__norm": "batch",
        "learner__model__dropout": {"kind": "standard", "rate": 0.3},
    },
    "penalties": {"learner__l1": 0.1, "learner__l2": 0.1},
    "deep": {"learner__model": {"kind": "deep_mlp", "depth": 6, "width": 12}},
    "regression": {"learner__data": "curve", "learner__loss": "huber"},
    "no bias": {"learner__model__bias": False},
}
every_situation = each("changes", SITUATIONS.values())


@every_situation
def test_norms_are_those_of_the_tensors_themselves(changes):
    chosen = job(**changes, probes=EVERY, steps=8)
    records = all_records(chosen)
    bare = learners.build(chosen.learner, chosen.seed, chosen.steps, torch.device("cpu"))
    named = {f"model.{n}": p for n, p in bare.network.named_parameters()}
    found = {q: scalars(records, q) for q in ("gradient_norm", "weight_norm", "update_norm", "update_ratio")}
    totals = scalars(records, "gradient_norm_total", "model")
    for step in range(1, 9):
        before = {site: p.detach().double().clone() for site, p in named.items()}
        bare.step(step)
        square = 0.0
        for site, p in named.items():
            gradient, weight = float(p.grad.double().norm()), float(before[site].norm())
            update = float((p.detach().double() - before[site]).norm())
            square += gradient**2
            assert found["gradient_norm"][step, site] == pytest.approx(gradient, rel=1e-5)
            assert found["weight_norm"][step, site] == pytest.approx(weight, rel=1e-5)
            assert found["update_norm"][step, site] == pytest.approx(update, rel=1e-4, abs=1e-9)
            assert ((step, site) in found["update_ratio"]) == (weight > 0)
            if weight > 0:
                assert found["update_ratio"][step, site] == pytest.approx(update / weight, rel=1e-4)
        assert totals[step] == pytest.approx(math.sqrt(square), rel=1e-5)


@every_situation
def test_the_signal_is_the_rms_of_each_samples_own_derivative(changes):
    chosen = job(**changes, probes=EVERY, steps=6)
    found = scalars(all_records(chosen), "signal_rms")
    with run(chosen.model_copy(update={"probes": ()})) as running:
        for step in range(1, 7):
            learning = running.learning
            expected = signals(copy.deepcopy(learning), step)
            assert {site for s, site in found if s == step} == set(expected)
            for site, value in expected.items():
                assert found[step, site] == pytest.approx(value, rel=1e-4), site
            next(running)


def signals(learning, step: int) -> dict[str, float]:
    """What enters each activation, and the network's output, and the sum of the samples' losses derived by it."""
    kept: dict[str, torch.Tensor] = {}
    for name, module in learning.network.named_children():
        site = f"model.{name.replace('activation', 'linear')}"
        if name.startswith("activation"):
            module.register_forward_hook(lambda _m, entering, _o, site=site: kept.__setitem__(site, entering[0]))
        elif name == "output":
            module.register_forward_hook(lambda _m, _i, out, site=site: kept.__setitem__(site, out))
    for index, dropout in enumerate(learning.dropouts):
        dropout.generator = torch.Generator()
        dropout.generator.manual_seed(stream(learning.seed, f"dropout{index}", step))
    x, y = learning.batch(step)
    outputs = learning.network.train()(x)
    total = len(x) * learning.loss(outputs, y)
    gradients = torch.autograd.grad(total, list(kept.values()))
    return {site: float(g.double().square().mean().sqrt()) for site, g in zip(kept, gradients, strict=True)}


def test_without_batch_norm_the_signal_of_a_sample_does_not_depend_on_the_others():
    chosen = job(steps=1, probes=EVERY)
    found = scalars(all_records(chosen), "signal_rms")
    learning = learners.build(chosen.learner, chosen.seed, 1, torch.device("cpu"))
    x, y = learning.batch(1)
    h = learning.network[:-1](x).detach()
    z = learning.network.output(h).requires_grad_()
    (own,) = torch.autograd.grad(torch.nn.functional.cross_entropy(z, y, reduction="sum"), z)
    assert found[1, "model.output"] == pytest.approx(float(own.square().mean().sqrt()), rel=1e-5)


def test_a_smaller_last_batch_has_a_signal_of_the_same_scale():
    found = scalars(all_records(job(learner__optimizer__lr=1e-6, probes=EVERY, steps=10)), "signal_rms")
    # Batches 5 and 10 have 6 samples in place of 16.
    values = [found[step, "model.output"] for step in range(1, 11)]
    assert max(values) / min(values) < 1.5


def test_norms_are_exact_where_float32_squares_would_not_be():
    chosen = job(probes=EVERY, steps=1, learner__model__initializer={"kind": "normal", "std": 1e-5})
    records = all_records(chosen)
    norms = scalars(records, "weight_norm")
    learning = learners.build(chosen.learner, chosen.seed, 1, torch.device("cpu"))
    for name, p in learning.network.named_parameters():
        expected = float(p.detach().double().norm())
        assert norms[1, f"model.{name}"] == pytest.approx(expected, rel=1e-5)


def test_a_parameter_of_zeros_has_no_ratio_at_first_and_one_later():
    records = all_records(job(probes=EVERY, steps=2, learner__model__initializer="glorot_uniform"))
    ratios = scalars(records, "update_ratio")
    assert (1, "model.output.bias") not in ratios
    assert (2, "model.output.bias") in ratios
    assert (1, "model.output.weight") in ratios
