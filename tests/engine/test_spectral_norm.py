"""Linear layers divided by their largest singular value."""

import copy

import pytest
import torch

from nnviz.engine.models.spectral_norm import SpectralLinear, normalize_layers
from nnviz.engine.randomness import generator
from nnviz.engine.snapshots.module_layers import describe
from tests.engine import gan_jobs


def layers(module: torch.nn.Module) -> list[SpectralLinear]:
    return [m for m in module.modules() if isinstance(m, SpectralLinear)]


def largest(weight: torch.Tensor) -> float:
    return float(torch.linalg.svdvals(weight.detach().double())[0])


def test_the_largest_singular_value_is_1_before_and_in_training():
    learning = gan_jobs.learning(spectral_norm=True)
    found = layers(learning.discriminator)
    assert len(found) == 3
    for layer in found:
        assert largest(layer.normalized()) == pytest.approx(1, abs=5e-3)
    for number in range(1, 31):
        learning.step(number)
        for layer in found:
            assert largest(layer.normalized()) == pytest.approx(1, abs=0.03), number
    assert not layers(learning.generator)


def test_its_gradient_is_that_of_the_divided_weight_with_fixed_vectors():
    linear = torch.nn.Linear(3, 4)
    weight = linear.weight.detach().double().requires_grad_()
    layer = SpectralLinear(linear, generator(0, "test")).double()
    x = torch.randn(5, 3, generator=generator(1, "test")).double()
    for _ in range(200):
        layer(x)
    layer(x).square().sum().backward()
    u, s, v = torch.linalg.svd(weight.detach())
    sigma = u[:, 0] @ weight @ v[0]
    assert float(sigma.detach()) == pytest.approx(float(s[0]))
    (x @ (weight / sigma).T + layer.bias.detach()).square().sum().backward()
    assert torch.allclose(layer.weight.grad, weight.grad, rtol=1e-8)


def test_in_evaluation_mode_nothing_changes_and_copies_and_states_carry_the_vectors():
    learning = gan_jobs.learning(spectral_norm=True)
    for number in range(1, 4):
        learning.step(number)
    network = learning.discriminator.eval()
    x = torch.randn(6, 2, generator=generator(0, "test"))
    with torch.no_grad():
        expected = network(x)
        assert torch.equal(network(x), expected)
        assert torch.equal(copy.deepcopy(network)(x), expected)
        other = gan_jobs.learning(seed=1, spectral_norm=True).discriminator.eval()
        other.load_state_dict(copy.deepcopy(network.state_dict()))
        assert torch.equal(other(x), expected)
        network.train()(x)
        network.train()(x)
        assert not torch.equal(network.eval()(x), expected), "a pass in training improves the vectors"
        assert torch.equal(other(x), expected), "it shares none of them"


def test_layers_and_parameters_keep_names_and_kinds():
    plain, normalized = (gan_jobs.learning(spectral_norm=on).discriminator for on in (False, True))
    assert [n for n, _ in plain.named_parameters()] == [n for n, _ in normalized.named_parameters()]
    one, two = describe("discriminator", plain), describe("discriminator", normalized)
    for name in one:
        assert one[name].tolist() == two[name].tolist(), name


def test_the_same_weights_start_with_and_without():
    plain, normalized = (gan_jobs.learning(spectral_norm=on).discriminator for on in (False, True))
    for p, q in zip(plain.parameters(), normalized.parameters(), strict=True):
        assert torch.equal(p, q)


def test_a_network_within_a_network_is_normalized_too():
    network = torch.nn.Sequential(torch.nn.Sequential(torch.nn.Linear(2, 3)), torch.nn.Linear(3, 1, bias=False))
    normalize_layers(network, generator(0, "test"))
    assert len(layers(network)) == 2
    assert network(torch.ones(4, 2)).shape == (4, 1)
