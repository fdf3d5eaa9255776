"""Initial weights: variances within statistical bounds, and the random streams they come from."""

import math

import pytest
import torch
from torch import nn

from nnviz.engine import initializers
from nnviz.engine.randomness import generator
from nnviz.spec import initializers as spec
from tests.each import each
from tests.spec.options import families

SEEDS = range(12)
VARIANTS = [cls() for cls in families()["initializer"].values()] + [
    spec.Normal(std=2),
    spec.Constant(value=-3),
    spec.GlorotUniform(gain=5 / 3),
    spec.HeNormal(gain=0.1),
    spec.Orthogonal(gain=1.5),
]
RANDOM = [v for v in VARIANTS if initializers.variance(v, 1, 1) is not None]
UNIFORM = (spec.ClassicUniform, spec.PyTorchDefault, spec.GlorotUniform, spec.HeUniform)
every_initializer = each("initializer", VARIANTS)
every_random = each("initializer", RANDOM)
every_shape = each(("n_in", "n_out"), [(200, 50), (50, 200), (64, 64)])


def layer(initializer: spec.Initializer, n_in: int, n_out: int, seed: int) -> nn.Linear:
    """A filled layer."""
    linear = nn.Linear(n_in, n_out)
    initializers.fill(linear, initializer, generator(seed, "weights", 1))
    return linear


@every_random
@every_shape
def test_weights_have_mean_0_and_the_variance_that_is_said(initializer, n_in, n_out):
    weights = torch.cat([layer(initializer, n_in, n_out, s).weight.detach().double().flatten() for s in SEEDS])
    variance = initializers.variance(initializer, n_in, n_out)
    kurtosis = 1.8 if isinstance(initializer, UNIFORM) else 3.0
    n = len(weights)
    # Five standard errors of the mean and of the mean square.
    assert abs(float(weights.mean())) < 5 * math.sqrt(variance / n)
    assert abs(float(weights.square().mean()) / variance - 1) < 5 * math.sqrt((kurtosis - 1) / n)


@pytest.mark.parametrize("initializer", [v for v in RANDOM if isinstance(v, UNIFORM)], ids=lambda i: i.kind)
def test_uniform_weights_fill_their_interval_and_no_more(initializer):
    bound = math.sqrt(3 * initializers.variance(initializer, 200, 50))
    largest = float(layer(initializer, 200, 50, 0).weight.detach().abs().max())
    assert 0.999 * bound < largest <= bound * (1 + 1e-6)


@every_initializer
def test_biases_start_at_0_but_for_pytorchs_default(initializer):
    biases = torch.cat([layer(initializer, 30, 500, s).bias.detach() for s in SEEDS])
    if isinstance(initializer, spec.PyTorchDefault):
        assert float(biases.square().mean() * 3 * 30) == pytest.approx(1, abs=5 * math.sqrt(0.8 / len(biases)))
        assert float(biases.abs().max()) <= 1 / math.sqrt(30)
    else:
        assert not biases.any()


@each("gain", [1.0, 0.3])
@every_shape
def test_orthogonal_weights_have_all_singular_values_equal_to_the_gain(gain, n_in, n_out):
    weight = layer(spec.Orthogonal(gain=gain), n_in, n_out, 0).weight.detach()
    torch.testing.assert_close(torch.linalg.svdvals(weight), torch.full((min(n_in, n_out),), gain), rtol=1e-5, atol=0)


def test_weights_that_are_not_random_are_what_is_said():
    assert bool((layer(spec.Constant(value=-3), 4, 5, 0).weight == -3).all())
    assert not layer(spec.Zeros(), 4, 5, 0).weight.any()


def test_pytorchs_default_has_the_bounds_of_a_fresh_linear_layer():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        fresh = nn.Linear(100, 4000)
    filled = layer(spec.PyTorchDefault(), 100, 4000, 0)
    for ours, theirs in zip(filled.state_dict().values(), fresh.state_dict().values(), strict=True):
        assert float(ours.std() / theirs.std()) == pytest.approx(1, abs=0.03)
        assert float(ours.abs().max() / theirs.abs().max()) == pytest.approx(1, abs=0.001)


@every_random
def test_weights_come_from_the_generator_alone(initializer):
    linear = nn.Linear(20, 10)
    before = torch.random.get_rng_state()
    initializers.fill(linear, initializer, generator(3, "weights", 1))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(linear.weight, layer(initializer, 20, 10, 3).weight)
    assert not torch.equal(linear.weight, layer(initializer, 20, 10, 4).weight)


def test_streams_of_other_purposes_seeds_and_indices_are_unrelated():
    draws = [
        torch.randn(20_000, generator=generator(seed, purpose, index))
        for seed, purpose, index in [(0, "a", 0), (0, "a", 1), (0, "b", 0), (1, "a", 0), (1, "a", 1), (10, "a", 0)]
    ]
    correlation = torch.corrcoef(torch.stack(draws)) - torch.eye(len(draws))
    assert float(correlation.abs().max()) < 5 / math.sqrt(20_000)
