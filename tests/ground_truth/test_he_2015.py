"""He et al., 2015 (arXiv:1502.01852): thirty layers of ReLU under variance 1/n and 2/n."""

from functools import lru_cache

import numpy as np
import pytest
import torch

from nnviz.engine import learners, models
from nnviz.spec import models as spec
from nnviz.spec.activations import SELU, ReLU
from nnviz.spec.initializers import HeNormal, Initializer, LeCunNormal
from nnviz.spec.jobs import Training

SEEDS = range(10)


@lru_cache
def ends(initializer: Initializer) -> tuple[float, float]:
    """Rms of activations, layer 30 over layer 1, and of the signal, layer 1 over layer 30: geometric means."""
    model = spec.DeepMLP(depth=30, width=512, activation=ReLU(), initializer=initializer)
    logs = []
    for seed in SEEDS:
        g = torch.Generator().manual_seed(seed)
        h = torch.randn(64, 512, generator=g)
        before, after = [], []
        for name, module in models.build(model, (512,), 1, seed).named_children():
            if name == "output":
                break
            h = module(h)
            (before if name.startswith("linear") else after).append(h)
        gradients = torch.autograd.grad(h, [before[0], before[-1]], torch.randn(h.shape, generator=g))
        forward = float((after[-1].detach().double().norm() / after[0].detach().double().norm()).log())
        backward = float((gradients[0].double().norm() / gradients[1].double().norm()).log())
        logs.append((forward, backward))
    forward, backward = np.exp(np.mean(logs, 0)).tolist()
    return forward, backward


@pytest.mark.slow
def test_under_variance_one_over_n_the_second_moment_halves_a_layer_both_ways():
    for ratio in ends(LeCunNormal()):
        assert 0.5 < ratio / 2**-14.5 < 2


@pytest.mark.slow
def test_under_variance_two_over_n_the_second_moment_is_kept_both_ways():
    for ratio in ends(HeNormal()):
        assert 0.5 < ratio < 2


def steps_to(target: float, initializer: str, seed: int, most: int) -> int | None:
    """Updates until the batch loss of a 30 × 64 network on two rings falls below the target."""
    job = Training.parse(
        {
            "learner": {
                "data": {"kind": "circles", "points": 400, "noise": 0.05},
                "model": {"kind": "deep_mlp", "depth": 30, "width": 64, "initializer": {"kind": initializer}},
                "optimizer": {"kind": "sgd", "lr": 0.01},
                "batch_size": 64,
            },
            "seed": seed,
        }
    )
    learning = learners.build(job.learner, seed, job.steps, torch.device("cpu"))
    return next((n for n in range(1, most + 1) if float(learning.step(n)["loss", "batch"]) < target), None)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_glorot_stays_on_a_plateau_from_which_he_falls_at_once(seed):
    # Glorot's does leave in the end (its biases can be trained), so the plateau's length is what is tested.
    fast = steps_to(0.35, "he_normal", seed, 100)
    assert fast is not None
    assert steps_to(0.6, "glorot_normal", seed, 4 * fast) is None


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_selu_keeps_mean_0_and_variance_1_through_50_layers(seed):
    model = spec.DeepMLP(depth=50, width=256, activation=SELU(), initializer=LeCunNormal())
    h = torch.randn(500, 256, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        h = models.build(model, (256,), 1, seed)[:-1](h)
    assert float(h.mean()) == pytest.approx(0, abs=0.1)
    assert float(h.var()) == pytest.approx(1, abs=0.25)
