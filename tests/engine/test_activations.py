"""Activations against their formulas, their derivatives against finite differences, and where they are flat."""

import math

import pytest
import torch

from nnviz.engine import activations
from nnviz.engine.activations import DEAD_SLOPE, SATURATED_FRACTION, derivative, flat_intervals
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


def test_intervals_end_where_the_derivative_comes_to_the_threshold():
    for chosen in VARIANTS:
        module = activations.build(chosen).double()
        steepest = float(derivative(module, torch.linspace(-40, 40, 160_001, dtype=torch.float64)).abs().max())
        for intervals, threshold in (
            (flat_intervals(module).dead, DEAD_SLOPE),
            (flat_intervals(module).saturated, SATURATED_FRACTION * steepest),
        ):
            for low, high in intervals:
                inside = torch.linspace(max(low, -50), min(high, 50), 100, dtype=torch.float64)
                slopes = derivative(module, inside).abs()
                assert bool(((slopes < threshold * (1 + 1e-6)) | (slopes == 0)).all()), chosen
                ends = [x + side for x, side in ((low, -1e-6), (high, 1e-6)) if math.isfinite(x)]
                beyond = derivative(module, torch.tensor(ends, dtype=torch.float64)).abs()
                assert bool((beyond >= threshold).all()), chosen


def test_flat_intervals_of_known_functions():
    def logit(p: float) -> float:
        return math.log(p / (1 - p))

    inf = math.inf
    dead, saturated = (logit((1 + math.sqrt(1 - fraction)) / 2) for fraction in (4 * DEAD_SLOPE, SATURATED_FRACTION))
    steep = math.atanh(math.sqrt(1 - SATURATED_FRACTION))
    for module, expected in (
        (torch.nn.Sigmoid(), (((-inf, -dead), (dead, inf)), ((-inf, -saturated), (saturated, inf)))),
        (
            torch.nn.Tanh(),
            (
                ((-inf, -math.atanh(math.sqrt(1 - DEAD_SLOPE))), (math.atanh(math.sqrt(1 - DEAD_SLOPE)), inf)),
                ((-inf, -steep), (steep, inf)),
            ),
        ),
        (torch.nn.Identity(), ((), ())),
        (torch.nn.LeakyReLU(0.01), ((), ((-inf, 0),))),
        (torch.nn.ReLU(), (((-inf, 0),), ((-inf, 0),))),
        (activations.Step(), (((-inf, inf),), ((-inf, inf),))),
    ):
        found = flat_intervals(module)
        for recorded, known in zip((found.dead, found.saturated), expected, strict=True):
            assert len(recorded) == len(known), module
            for ours, theirs in zip(recorded, known, strict=True):
                assert ours == pytest.approx(theirs, abs=1e-8), module
    # ReLU is active at any number above 0, however small.
    assert flat_intervals(torch.nn.ReLU()).dead[0][1] == 0
    # 9 % of a normal signal lie in two flat places of GELU: around its minimum, and far below.
    (_, tail), (low, high) = flat_intervals(torch.nn.GELU()).saturated
    assert tail < -2 < -1 < low < -0.7518 < high < -0.6


def test_the_derivative_is_not_seen_by_hooks():
    module = torch.nn.Tanh()
    seen = []
    module.register_forward_hook(lambda *_: seen.append(1))
    derivative(module, torch.zeros(3))
    assert seen == []
