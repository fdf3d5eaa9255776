"""Activations against their formulas, their derivatives against finite differences, and where they are flat."""

import math

import pytest
import torch

from nnviz.engine import activations
from nnviz.engine.activations import DEAD, SATURATED, derivative, flat_tails
from nnviz.spec import activations as spec
from tests.each import each
from tests.spec.options import families

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805
VARIANTS = [cls() for cls in families()["activation"].values()] + [
    spec.LeakyReLU(slope=0.3),
    spec.LeakyReLU(slope=0),
    spec.LeakyReLU(slope=1),
    spec.PReLU(initial_slope=0.7),
    spec.ELU(alpha=3),
    spec.Softplus(beta=7),
]
every_activation = each("activation", VARIANTS)


def naive(activation: spec.Activation, x: float) -> float:
    """The formula of the docstring."""
    match activation:
        case spec.Identity():
            return x
        case spec.Step():
            return float(x > 0)
        case spec.Sigmoid():
            return 1 / (1 + math.exp(-x))
        case spec.Tanh():
            return math.tanh(x)
        case spec.Softsign():
            return x / (1 + abs(x))
        case spec.ReLU():
            return max(0.0, x)
        case spec.LeakyReLU(slope=slope) | spec.PReLU(initial_slope=slope):
            return x if x > 0 else slope * x
        case spec.ELU(alpha=alpha):
            return x if x > 0 else alpha * math.expm1(x)
        case spec.SELU():
            return SELU_SCALE * (x if x > 0 else SELU_ALPHA * math.expm1(x))
        case spec.GELU():
            return x * (1 + math.erf(x / math.sqrt(2))) / 2
        case spec.SiLU():
            return x / (1 + math.exp(-x))
        case spec.Softplus(beta=beta):
            return math.log1p(math.exp(beta * x)) / beta
    raise AssertionError(activation)


POINTS = [-19.0, -3.7, -1.0, -0.3, -1e-3, 1e-3, 0.2, 1.0, 2.9, 19.0]


@every_activation
def test_values_are_those_of_the_formula(activation):
    module = activations.build(activation).double()
    x = torch.tensor(POINTS, dtype=torch.float64)
    expected = torch.tensor([naive(activation, p) for p in POINTS], dtype=torch.float64)
    # torch's softplus is the identity beyond βx = 20, and parameters such as PReLU's begin in float32.
    torch.testing.assert_close(module(x).detach(), expected, rtol=1e-7, atol=1e-9)


@every_activation
def test_derivatives_are_those_of_central_differences(activation):
    module = activations.build(activation).double()
    h = 1e-6
    x = torch.tensor(POINTS, dtype=torch.float64)
    with torch.no_grad():
        difference = (module(x + h) - module(x - h)) / (2 * h)
    torch.testing.assert_close(derivative(module, x), difference, rtol=1e-6, atol=1e-8)


@every_activation
def test_shape_and_input_are_left_as_they_are(activation):
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    before = x.clone()
    assert activations.build(activation)(x).shape == x.shape
    assert torch.equal(x, before)


@every_activation
def test_tails_lie_where_the_derivative_is_small_and_reach_as_far_as_it_is(activation):
    module = activations.build(activation).double()
    x = torch.linspace(-99, 99, 39_601, dtype=torch.float64)
    slope = derivative(module, x).abs()
    tails = flat_tails(module)
    for (low, high), threshold in ((tails.dead, DEAD), (tails.saturated, SATURATED * float(slope.max()))):
        in_tail = (x <= low) | (x >= high)
        assert bool((slope[in_tail] <= threshold).all())
        if not bool(in_tail.all()):
            steep = x[slope >= threshold]
            assert low == -math.inf or 0 <= float(steep.min()) - low <= 0.02
            assert high == math.inf or 0 <= high - float(steep.max()) <= 0.02


def test_tails_of_known_functions():
    def logit(p: float) -> float:
        return math.log(p / (1 - p))

    tail = flat_tails(torch.nn.Sigmoid())
    assert tail.dead[1] == pytest.approx(logit((1 + math.sqrt(1 - 4 * DEAD)) / 2), abs=0.011)
    assert tail.saturated[0] == pytest.approx(-logit((1 + math.sqrt(1 - SATURATED)) / 2), abs=0.011)
    assert flat_tails(torch.nn.Tanh()).saturated[1] == pytest.approx(math.atanh(math.sqrt(1 - SATURATED)), abs=0.011)
    assert flat_tails(torch.nn.Identity()).dead == (-math.inf, math.inf)
    assert flat_tails(torch.nn.LeakyReLU(0.01)).dead == (-math.inf, math.inf)
    assert flat_tails(torch.nn.LeakyReLU(0.01)).saturated == (0, math.inf)


def test_relu_is_flat_at_zero_and_below_and_nowhere_else():
    assert flat_tails(torch.nn.ReLU()).dead == (0, math.inf)
    assert flat_tails(torch.nn.ReLU()).saturated == (0, math.inf)


def test_a_step_is_flat_everywhere():
    assert flat_tails(activations.Step()).dead == (math.inf, math.inf)


def test_the_derivative_is_not_seen_by_hooks():
    module = torch.nn.Tanh()
    seen = []
    module.register_forward_hook(lambda *_: seen.append(1))
    derivative(module, torch.zeros(3))
    assert seen == []
