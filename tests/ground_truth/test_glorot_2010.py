"""Glorot & Bengio, 2010: five hidden layers of 1,000 units, standard against normalized initialization.

Reference values were computed apart from this project, in numpy, on inputs and a top gradient drawn from N(0, 1). The
paper's own errors on Shapeset are another experiment and not claimed here.
"""

from functools import lru_cache

import numpy as np
import pytest
import torch

from nnviz.engine import models
from nnviz.spec import models as spec
from nnviz.spec.activations import Sigmoid, Tanh
from nnviz.spec.base import Spec
from nnviz.spec.initializers import ClassicUniform, GlorotUniform, Initializer

SEEDS = range(5)


@lru_cache
def spreads(activation: Spec, initializer: Initializer) -> tuple[np.ndarray, np.ndarray]:
    """Deviation of each layer's activations, and of the derivative in its pre-activations; mean over the seeds."""
    model = spec.DeepMLP(depth=5, width=1000, activation=activation, initializer=initializer)
    rows = []
    for seed in SEEDS:
        g = torch.Generator().manual_seed(seed)
        h = torch.randn(100, 1000, generator=g)
        network = models.build(model, (1000,), 1, seed)
        before, after = [], []
        for name, module in network.named_children():
            if name == "output":
                break
            h = module(h)
            (before if name.startswith("linear") else after).append(h)
        gradients = torch.autograd.grad(h, before, torch.randn(h.shape, generator=g))
        rows.append([[float(a.detach().std()) for a in after], [float(d.std()) for d in gradients]])
    forward, backward = np.mean(rows, 0)
    return forward, backward


ACTIVATIONS = [
    (Tanh(), ClassicUniform(), [0.460, 0.248, 0.141, 0.081, 0.046]),
    (Tanh(), GlorotUniform(), [0.627, 0.485, 0.407, 0.357, 0.320]),
]
GRADIENTS = [
    (Tanh(), ClassicUniform(), 0.083, 0.998),
    (Tanh(), GlorotUniform(), 0.373, 0.905),
    (Sigmoid(), ClassicUniform(), 9.3e-5, 0.245),
    (Sigmoid(), GlorotUniform(), 6.5e-4, 0.235),
]


@pytest.mark.slow
@pytest.mark.parametrize(("activation", "initializer", "expected"), ACTIVATIONS, ids=["standard", "normalized"])
def test_deviations_of_tanh_activations(activation, initializer, expected):
    assert spreads(activation, initializer)[0] == pytest.approx(expected, rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize(("activation", "initializer", "lowest", "highest"), GRADIENTS)
def test_deviations_of_the_gradients_carried_back(activation, initializer, lowest, highest):
    found = spreads(activation, initializer)[1]
    assert found[0] == pytest.approx(lowest, rel=0.1)
    assert found[-1] == pytest.approx(highest, rel=0.1)
    assert bool((np.diff(found) > 0).all())


@pytest.mark.slow
def test_gradients_vanish_most_in_sigmoids_and_least_under_the_normalized_initialization():
    lost = [f[0] / f[-1] for f in (spreads(a, i)[1] for a, i, *_ in GRADIENTS)]
    tanh_standard, tanh_normalized, sigmoid_standard, sigmoid_normalized = lost
    assert sigmoid_standard < 0.01 * tanh_standard
    assert sigmoid_standard < sigmoid_normalized < 0.01 * tanh_normalized
    assert tanh_standard < 0.3 * tanh_normalized
    # Linear theory says (1/√3)⁴ = 0.111; the slope of tanh takes the rest.
    assert tanh_standard == pytest.approx(0.084, rel=0.1)
