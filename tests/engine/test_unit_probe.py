"""Dead and saturated units and the spread between samples: against autograd, and on fixed samples."""

import numpy as np
import pytest
import torch
from torch import nn

from nnviz.engine import activations, learners, run
from nnviz.engine.activations import DEAD_SLOPE, SATURATED_FRACTION, Step, derivative
from nnviz.engine.capture.probes import UnitStatistics
from nnviz.spec.base import replace_many
from tests.engine.short_runs import all_records, job, scalars
from tests.engine.test_activations import VARIANTS


def measure(activation: nn.Module, x: torch.Tensor) -> dict[str, float]:
    """The statistics of one activation for x (samples, units)."""
    units = UnitStatistics({activation: "model.activation"})
    with torch.no_grad(), units:
        activation(x.clone())
    records = units.records(3)
    assert {(r.step, r.site) for r in records} == {(3, "model.activation")}
    return {r.quantity: r.value for r in records}


def dead(activation: nn.Module, x: torch.Tensor) -> float:
    return measure(activation, x)["dead_fraction"]


def saturated(activation: nn.Module, x: torch.Tensor) -> float:
    return measure(activation, x)["saturated_fraction"]


def test_fractions_of_every_activation_are_those_that_autograd_counts_entry_by_entry():
    g = torch.Generator().manual_seed(0)
    # A normal signal, one that vanishes, one that explodes, and units that stay in one place.
    x = torch.cat(
        [
            torch.randn(300, 100, generator=g),
            1e-7 * torch.randn(300, 20, generator=g),
            100 * torch.randn(300, 20, generator=g),
            0.3 * torch.randn(300, 60, generator=g) + torch.linspace(-10, 10, 60),
            1e-5 * torch.randn(300, 20, generator=g) - 0.7517916,  # where GELU turns
        ],
        dim=1,
    )
    grid = torch.linspace(-40, 40, 160_001, dtype=torch.float64)
    for chosen in VARIANTS:
        module = activations.build(chosen)
        twice = activations.build(chosen).double()
        slopes = derivative(twice, x.double()).abs()
        steepest = float(derivative(twice, grid).abs().max())
        recorded = measure(module, x)
        flat = (slopes < SATURATED_FRACTION * steepest) | (slopes == 0)
        assert recorded["saturated_fraction"] == pytest.approx(float(flat.double().mean()), abs=1e-7), chosen
        # No unit here swings between two flat places.
        lost = ((slopes < DEAD_SLOPE) | (slopes == 0)).all(0)
        assert recorded["dead_fraction"] == pytest.approx(float(lost.double().mean()), abs=1e-7), chosen


def test_gelu_and_silu_are_flat_around_their_minimum_too():
    x = torch.randn(4000, 50, generator=torch.Generator().manual_seed(0))
    assert saturated(nn.GELU(), x) == pytest.approx(0.0918, abs=0.002)
    assert saturated(nn.SiLU(), x) == pytest.approx(0.0903, abs=0.002)
    assert dead(nn.GELU(), torch.full((5, 4), -0.7517916)) == 1


def test_below_zero_leaky_relu_is_saturated_if_its_slope_is_below_a_twentieth_and_never_dead():
    x = torch.tensor([[-1.0, -1e-30], [2.0, 3.0]])
    for slope, expected in ((0.0, 0.5), (0.01, 0.5), (0.049, 0.5), (0.05, 0.0), (0.3, 0.0)):
        for module in (nn.LeakyReLU(slope), nn.PReLU(init=slope)):
            assert saturated(module, x) == expected, module
            assert dead(module, -x.abs()) == (slope == 0), module


def test_a_unit_that_never_fires_is_dead_and_one_that_fires_once_is_not():
    x = torch.full((5, 4), -1.0)
    x[2, 1] = 0.001  # alive by one sample
    x[:, 2] = 0.0  # at the kink the derivative is 0
    assert dead(nn.ReLU(), x) == 3 / 4
    assert saturated(nn.ReLU(), x) == pytest.approx(19 / 20)
    assert dead(nn.ReLU(), torch.full((5, 4), 1e-30)) == 0  # a signal that vanishes


def test_fractions_of_a_layer_that_stays_at_one_value():
    for activation, value, is_dead, is_saturated in (
        (nn.Sigmoid(), 8.0, 1, 1),
        (nn.Sigmoid(), 5.0, 0, 1),
        (nn.Sigmoid(), 3.0, 0, 0),
        (nn.Sigmoid(), 1e7, 1, 1),
        (nn.Tanh(), -5.0, 1, 1),
        (nn.Tanh(), 3.0, 0, 1),
        (nn.Softsign(), 3.0, 0, 0),
        (nn.Softsign(), 4.0, 0, 1),
        (nn.ReLU(inplace=True), -1.0, 1, 1),
        (nn.ELU(), -8.0, 1, 1),
        (nn.ELU(), 100.0, 0, 0),
        (nn.GELU(), -5.0, 1, 1),
        (nn.SiLU(), -0.5, 0, 0),
        (nn.Softplus(), -8.0, 1, 1),
        (nn.Softplus(0.001), -8.0, 0, 0),
        (nn.Softplus(0.001), -8000.0, 1, 1),
        (nn.Identity(), -1e9, 0, 0),
        (Step(), 1.0, 1, 1),
        (Step(), -1.0, 1, 1),
    ):
        x = torch.full((3, 2), value)
        assert (dead(activation, x), saturated(activation, x)) == (is_dead, is_saturated), (activation, value)


def test_a_unit_that_swings_between_both_tails_is_saturated_and_not_dead():
    x = torch.tensor([[9.0], [-9.0]])
    assert saturated(nn.Tanh(), x) == 1
    assert dead(nn.Tanh(), x) == 0


def test_the_flat_intervals_of_a_learned_slope_are_those_of_the_step():
    chosen = job(
        learner__data="digits",
        learner__model__hidden=[{"width": 32, "activation": {"kind": "prelu", "initial_slope": 0}}],
        learner__optimizer={"kind": "adam", "lr": 0.02},
        steps=60,
        evaluate_every=30,
    )
    with run(chosen) as running:
        records = [r for new in running for r in new]
        slope = running.learning.network.activation1.weight.item()
    assert abs(slope) > SATURATED_FRACTION
    recorded = scalars(records, "saturated_fraction", "model.activation1")
    assert recorded[0] > 0.3  # as it starts, half of all inputs are flat
    assert recorded[60] == 0  # with the slope that it has learned, none is
    assert scalars(records, "dead_fraction", "model.activation1")[60] == 0


def test_fractions_and_spread_are_those_of_the_first_1024_training_samples_whatever_the_batch():
    small = job(
        learner__data={"kind": "moons", "points": 2000},
        learner__model__norm="batch",
        learner__model__dropout={"kind": "standard", "rate": 0.4},
        learner__batch_size=2,
        steps=6,
        evaluate_every=3,
    )
    with run(small) as running:
        records = [r for new in running for r in new]
        learning = running.learning
    assert sorted({r.step for r in records if r.quantity == "preactivation_spread"}) == [0, 3, 6]
    kept = {}
    for name, module in learning.network.named_children():
        if name.startswith("activation"):
            module.register_forward_pre_hook(lambda _m, i, name=name: kept.__setitem__(name, i[0].double().numpy()))
    with torch.no_grad():
        learning.network.eval()(learning.data.part(test=False)[0][:1024])
    for name, x in kept.items():
        assert len(x) == 1024
        recorded = {q: scalars(records, q, f"model.{name}")[6] for q in ("preactivation_spread", "saturated_fraction")}
        assert recorded["preactivation_spread"] == pytest.approx(np.sqrt(x.var(0).mean()), rel=1e-5), name
        assert recorded["saturated_fraction"] == pytest.approx(
            (1 - np.tanh(x) ** 2 < SATURATED_FRACTION).mean(), abs=1e-3
        ), name
    # Of the first step only the batch's size differs: at step 0 both networks are the same.
    large = all_records(replace_many(small, {"learner.batch_size": 1400, "steps": 1}))
    for quantity in ("dead_fraction", "saturated_fraction", "preactivation_spread"):
        for name in kept:
            ours, theirs = (scalars(r, quantity, f"model.{name}")[0] for r in (records, large))
            assert ours == theirs, (quantity, name)


def test_a_spread_far_below_and_far_above_one_is_measured():
    x = torch.randn(500, 30, generator=torch.Generator().manual_seed(0))
    for scale, offset in ((1e-30, 0), (1e30, 0), (1, 0), (1e-6, 0.5)):
        y = scale * x + offset
        expected = float(y.double().var(0, correction=0).mean().sqrt())
        assert measure(nn.Tanh(), y)["preactivation_spread"] == pytest.approx(expected, rel=1e-5), scale
    assert measure(nn.Tanh(), torch.ones(9, 3))["preactivation_spread"] == 0


def test_without_the_probe_of_activations_no_unit_is_measured():
    records = all_records(job(probes=[{"kind": "signal", "every": 1}]))
    assert not {r.quantity for r in records} & {"dead_fraction", "saturated_fraction", "preactivation_spread"}


def test_measuring_units_leaves_no_hooks_behind():
    from torch.nn.modules import module as torch_modules

    learning = learners.build(job().learner, 0, 5, torch.device("cpu"))
    units = UnitStatistics({learning.network.activation1: "model.activation1"})

    def breaks(*_: object) -> None:
        raise MemoryError("no more")

    learning.network.output.forward = breaks
    with pytest.raises(MemoryError):
        list(learning.evaluate(0, units))
    assert not torch_modules._global_forward_pre_hooks
