"""Mean-field lines against closed forms and against numerical integrals."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate

from nnviz.engine import models, run
from nnviz.engine.theory import signal_propagation
from nnviz.spec import models as spec
from nnviz.spec.activations import SELU, Identity, LeakyReLU, PReLU, ReLU, Sigmoid, Step, Tanh
from nnviz.spec.initializers import (
    ClassicUniform,
    Constant,
    GlorotNormal,
    HeNormal,
    HeUniform,
    LeCunNormal,
    Normal,
    Orthogonal,
    PyTorchDefault,
    Zeros,
)
from tests.each import each
from tests.engine.short_runs import job, snapshots
from tests.engine.test_activations import VARIANTS, naive

X = torch.randn(200, 32, generator=torch.Generator().manual_seed(0)) * 3
A0 = float(X.double().square().mean())
LINES = ("preactivation_rms", "activation_rms", "signal_rms")


def moments(activation, q: float) -> tuple[float, float]:
    """E[φ(z)²] and E[φ′(z)²] at one q."""
    _, second, slope = signal_propagation.moments(activation, torch.tensor([q]))
    return float(second), float(slope)


@each("q", [0.3, 1.0, 20.0])
@each("activation", VARIANTS)
def test_moments_are_those_of_numerical_integration(activation, q):
    def density(u: float) -> float:
        return math.exp(-u * u / 2) / math.sqrt(2 * math.pi)

    def integral(function) -> float:
        return sum(
            integrate.quad(lambda u: density(u) * function(u * math.sqrt(q)), a, b, epsabs=1e-14, epsrel=1e-9)[0]
            for a, b in ((-8, 0), (0, 8))
        )

    h = 1e-5 * math.sqrt(q)

    def slope(z: float) -> float:
        return (naive(activation, z + h) - naive(activation, z - h)) / (2 * h)

    value, squared_slope = moments(activation, q)
    assert value == pytest.approx(integral(lambda z: naive(activation, z) ** 2), rel=1e-5)
    if activation.kind != "step":
        assert squared_slope == pytest.approx(integral(lambda z: slope(z) ** 2), rel=1e-3)


@pytest.mark.parametrize("q", [1e-6, 1.0, 50.0])
def test_moments_of_piecewise_linear_functions_are_shares_of_q(q):
    assert moments(Identity(), q) == pytest.approx((q, 1))
    assert moments(ReLU(), q) == pytest.approx((q / 2, 1 / 2), rel=1e-6)
    for leaky in (LeakyReLU(slope=0.3), PReLU(initial_slope=0.3)):
        assert moments(leaky, q) == pytest.approx((q * 1.09 / 2, 1.09 / 2), rel=1e-6)
    assert moments(Step(), q) == pytest.approx((1 / 2, 0), rel=1e-6)


def test_moments_near_zero_are_those_of_the_tangent():
    assert moments(Tanh(), 1e-8) == pytest.approx((1e-8, 1), rel=1e-6)
    assert moments(Sigmoid(), 1e-8) == pytest.approx((1 / 4, 1 / 16), rel=1e-6)


def test_selu_keeps_mean_0_and_variance_1():
    mean, second, _ = signal_propagation.moments(SELU(), torch.tensor([1.0]))
    assert float(second) == pytest.approx(1, abs=1e-6)
    assert float(mean) == pytest.approx(0, abs=1e-6)


def deep(activation, initializer, **settings) -> dict[str, np.ndarray]:
    """Lines of 12 layers of width 32, into one output."""
    model = spec.DeepMLP(depth=12, width=32, activation=activation, initializer=initializer, **settings)
    return signal_propagation.predict(model, X, 1)


@pytest.mark.parametrize("initializer", [HeNormal(), HeUniform()])
def test_he_keeps_the_second_moment_of_relu_in_both_directions(initializer):
    lines = deep(ReLU(), initializer)
    assert lines["activation_rms"][:-1] == pytest.approx(math.sqrt(A0), rel=1e-6)
    assert lines["preactivation_rms"] == pytest.approx(math.sqrt(2 * A0), rel=1e-6)
    assert lines["signal_rms"][:-1] == pytest.approx(math.sqrt(1 / 32), rel=1e-6)


@pytest.mark.parametrize("initializer", [LeCunNormal(), Orthogonal(), GlorotNormal()])
def test_relu_under_variance_one_over_n_halves_its_second_moment_a_layer(initializer):
    lines = deep(ReLU(), initializer)
    halving = math.sqrt(A0) * 2 ** (-np.arange(1, 13) / 2)
    assert lines["activation_rms"][:-1] == pytest.approx(halving, rel=1e-3)
    backwards = lines["signal_rms"][:-1] / lines["signal_rms"][-2]
    assert backwards == pytest.approx(2 ** (-np.arange(11, -1, -1) / 2), rel=1e-3)


def test_a_linear_network_multiplies_by_n_times_the_variance():
    lines = deep(Identity(), Normal(std=0.25))
    growth = 32 * 0.25**2
    assert lines["activation_rms"][:-1] == pytest.approx(np.sqrt(A0 * growth ** np.arange(1, 13)))
    assert lines["preactivation_rms"] == pytest.approx(lines["activation_rms"])
    back = np.sqrt(0.25**2 * growth ** np.arange(11, -1, -1))
    assert lines["signal_rms"] == pytest.approx([*back, 1])


def test_classic_uniform_on_tanh_loses_at_least_a_factor_of_root_3_a_layer():
    activations = deep(Tanh(), ClassicUniform())["activation_rms"][:-1]
    assert bool((activations[1:] / activations[:-1] <= 1 / math.sqrt(3) + 1e-6).all())


def test_signals_through_sigmoids_shrink_at_least_fourfold_a_layer_under_glorot():
    signal = deep(Sigmoid(), GlorotNormal())["signal_rms"][:-1]
    assert bool((signal[1:] / signal[:-1] >= 4 - 1e-6).all())


def test_pytorchs_biases_add_their_variance():
    plain, biased = deep(Identity(), ClassicUniform()), deep(Identity(), PyTorchDefault())
    assert biased["preactivation_rms"][0] ** 2 == pytest.approx(plain["preactivation_rms"][0] ** 2 + 1 / (3 * 32))
    without = deep(Identity(), PyTorchDefault(), bias=False)
    assert without["preactivation_rms"] == pytest.approx(plain["preactivation_rms"])


def test_dropout_multiplies_what_enters_the_next_layer_and_what_comes_back():
    plain, dropped = (
        deep(Identity(), LeCunNormal()),
        deep(Identity(), LeCunNormal(), dropout={"kind": "standard", "rate": 0.5}),
    )
    growth = 2 ** (np.arange(13) / 2)
    assert dropped["preactivation_rms"] / plain["preactivation_rms"] == pytest.approx(growth)
    assert dropped["signal_rms"] / plain["signal_rms"] == pytest.approx(growth[::-1])


@pytest.mark.parametrize(
    "model",
    [
        spec.DeepMLP(initializer=Zeros()),
        spec.DeepMLP(initializer=Constant()),
        spec.DeepMLP(norm={"kind": "batch"}),
        spec.MLP(hidden=(), initializer=Constant()),
        spec.DeepMLP(norm={"kind": "layer", "place": "after"}),
    ],
    ids=["zeros", "constant", "batch norm", "constant line", "layer norm after the activation"],
)
def test_where_there_is_no_theory_there_is_no_line(model):
    kind = model.initializer.kind
    random = kind not in ("zeros", "constant")
    norm = "batch norm" if model.norm.kind == "batch" else "normalization after the activation"
    assert signal_propagation.missing_theory(model) == (norm if random else f"weights are initialized with {kind}")


def test_normalized_samples_enter_with_mean_square_1_and_their_signals_are_divided_by_what_normalized_them():
    growth = 32 * 0.25**2  # of the second moment, in a linear network
    for kind in ("layer", "group", "rms"):
        lines = deep(Identity(), Normal(std=0.25), norm={"kind": kind, "eps": 1e-12})
        assert lines["preactivation_rms"][:-1] == pytest.approx(np.ones(12)), kind
        assert lines["activation_rms"] == pytest.approx([*np.ones(12), math.sqrt(growth)]), kind
        # q before the norm is growth but in the first layer, which no signal passes here; so each layer keeps it.
        assert lines["signal_rms"] == pytest.approx([*np.full(12, 0.25), 1]), kind


def test_wide_networks_with_norms_lie_on_the_line():
    x = torch.randn(20, 32, generator=torch.Generator().manual_seed(5))
    for kind in ("layer", "group", "rms"):
        for activation in (Tanh(), ReLU()):
            model = spec.DeepMLP(
                depth=5, width=1200, activation=activation, norm={"kind": kind}, initializer=GlorotNormal()
            )
            lines = signal_propagation.predict(model, x, 1)
            network = models.build(model, (32,), 1, 3)
            with torch.no_grad():
                network.output.weight.mul_(30)  # a signal well above the smallest numbers
            entering = [out for name, out in models.module_outputs(network, x) if name.startswith(("norm", "output"))]
            signals = torch.autograd.grad(entering[-1].sum(), entering)
            found = [float(s.square().mean().sqrt()) / 30 for s in signals[:-1]]
            rms = [float(out.detach().square().mean().sqrt()) for out in entering[:-1]]
            assert rms == pytest.approx(lines["preactivation_rms"][:-1], rel=0.05), (kind, activation)
            assert found == pytest.approx(lines["signal_rms"][:-1], rel=0.1), (kind, activation)


def test_a_run_records_at_step_0_what_theory_predicts_or_why_it_does_not():
    parts = {"low", "median", "high"}
    for changes, no_line, no_band in (
        ({}, None, None),
        ({"learner__model__norm": "batch"}, "batch norm", None),
        ({"learner__model__initializer": "constant"}, "weights are initialized with constant", None),
        ({"learner__model__hidden": [{"width": 4096}] * 2}, None, "network too large"),
    ):
        with run(job(steps=1, **changes)) as running:
            found = snapshots(next(running), "theory")[0]
        for name, reason in (("no_line", no_line), ("no_band", no_band)):
            assert str(found.get(name, None)) == str(reason), changes
        assert ("signal_rms" in found) == (no_line is None), changes
        has_band = no_band is None and no_line in (None, "batch norm")
        assert ({f"signal_rms_{part}" for part in parts} <= found.keys()) == has_band, changes


@pytest.mark.parametrize(
    "model",
    [
        spec.MLP(hidden=()),
        spec.MLP(hidden=(spec.Hidden(width=3), spec.Hidden(width=7, activation=ReLU()), spec.Hidden(width=2))),
        spec.DeepMLP(depth=50, width=5, activation=Sigmoid()),
    ],
    ids=["line", "uneven", "50 layers"],
)
def test_lines_have_a_value_for_every_linear_layer(model):
    lines = signal_propagation.predict(model, X, 3)
    network = models.build(model, (32,), 3, 0)
    for name in LINES:
        assert lines[name].shape == (len(models.linears(network)),)
        assert bool(np.isfinite(lines[name]).all())
        assert bool((lines[name] > 0).all())
    assert lines["signal_rms"][-1] == pytest.approx(1)


def test_in_a_linear_network_the_mean_square_over_networks_is_exactly_the_line():
    model = spec.DeepMLP(depth=3, width=4, activation=Identity(), initializer=GlorotNormal())
    lines = signal_propagation.predict(model, X, 2)
    found = []
    with torch.no_grad():
        for seed in range(600):
            z = X
            squares = []
            for layer in models.linears(models.build(model, (32,), 2, seed)).values():
                z = layer(z)
                squares.append(float(z.square().mean()))
            found.append(squares)
    mean, error = np.mean(found, 0), np.std(found, 0) / math.sqrt(len(found))
    assert bool((np.abs(mean - lines["preactivation_rms"] ** 2) < 5 * error).all())
