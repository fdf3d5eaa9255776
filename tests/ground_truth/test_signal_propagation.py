"""The theory lines and bands over measured networks.

Geometric means over ten networks lie within a factor of two of the line of infinite width, layer by layer, wherever the
network is not chaotic; where the prediction fails is tested here as well. The bands hold for networks of one width and
depth.
"""

from functools import lru_cache

import numpy as np
import pytest
import torch

from nnviz.engine import learners, run
from nnviz.engine.theory import signal_propagation, untrained_ensembles
from nnviz.spec.base import replace_many
from nnviz.spec.dropouts import StandardDropout
from nnviz.spec.jobs import Training
from tests.engine.short_runs import scalars, snapshots

SEEDS = range(10)
BASE = Training.parse(
    {
        "learner": {"data": {"kind": "digits", "points": 200}, "model": {"kind": "deep_mlp"}, "batch_size": 64},
        "probes": [{"kind": kind} for kind in ("gradient_norms", "activations", "signal")],
        "steps": 1,
        "device": "cpu",
    }
)
LINES = ("activation_rms", "signal_rms")


def changed(**model: object) -> Training:
    """BASE with another model, "__" for the dots."""
    return replace_many(BASE, {f"learner.model.{name.replace('__', '.')}": value for name, value in model.items()})


@lru_cache
def ratios(activation: str, initializer: str, depth: int = 25, width: int = 128, **other: float) -> dict:
    """Measured over predicted, geometric mean over ten networks, by quantity, along the layers."""
    learner = changed(activation=activation, initializer=initializer, depth=depth, width=width, **other).learner
    learning = learners.build(learner, 0, 1, torch.device("cpu"))
    x, y = learning.batch(1)
    measured = untrained_ensembles.measure(learner, x, y, learning.loss, len(SEEDS), 0)
    lines = signal_propagation.predict(learner.model, x, learner.outputs)
    lines["signal_rms"] *= np.sqrt((measured["signal_rms"][:, -1] ** 2).mean())
    return {quantity: np.exp(np.log(measured[quantity] / lines[quantity]).mean(0)) for quantity in LINES}


@lru_cache
def runs(**model: object) -> list[tuple[dict[str, np.ndarray], dict[str, np.ndarray]]]:
    """Of a run for each seed what it draws as theory, and what it records at step 0, by quantity (L,)."""
    found = []
    for seed in SEEDS:
        with run(changed(**model).model_copy(update={"seed": seed})) as first:
            records = first.evaluate_now()
        sites = snapshots(records, "layers")[0]["sites"].tolist()
        mean, std = scalars(records, "activation_mean"), scalars(records, "activation_std")
        signal, gradient = scalars(records, "signal_rms"), scalars(records, "gradient_norm")
        measured = {
            "activation_rms": np.array([np.hypot(mean[key], std[key]) for key in mean]),
            "signal_rms": np.array([signal[0, s] for s in sites]),
            "gradient_norm": np.array([gradient[0, f"{s}.weight"] for s in sites]),
        }
        found.append((snapshots(records, "theory")[0], measured))
    return found


HOLDS = [
    ("relu", "he_normal"),
    ("relu", "classic_uniform"),
    ("relu", "glorot_uniform"),
    ("tanh", "glorot_normal"),
    ("tanh", "classic_uniform"),
    ("tanh", "orthogonal"),
    ("sigmoid", "glorot_uniform"),
    ("sigmoid", "classic_uniform"),
    ("identity", "lecun_normal"),
    ("selu", "lecun_normal"),
    ("elu", "pytorch_default"),
    ("leaky_relu", "he_uniform"),
]


@pytest.mark.slow
def test_networks_lie_within_a_factor_of_two_of_the_line():
    for activation, initializer in HOLDS:
        for quantity, found in ratios(activation, initializer).items():
            assert 0.5 < found.min() <= found.max() < 2, (activation, initializer, quantity)


@pytest.mark.slow
def test_lines_hold_with_dropout():
    for activation, initializer in (("relu", "he_normal"), ("tanh", "glorot_normal"), ("sigmoid", "glorot_normal")):
        for quantity, found in ratios(activation, initializer, 10, dropout=StandardDropout(rate=0.3)).items():
            assert 0.6 < found.min() <= found.max() < 1.7, (activation, quantity)


@pytest.mark.slow
def test_lines_hold_with_skip_connections():
    for activation, initializer in (("tanh", "classic_uniform"), ("softsign", "glorot_normal")):
        for quantity, found in ratios(activation, initializer, 10, skip=True).items():
            assert 0.8 < found.min() <= found.max() < 1.25, (activation, quantity, found)


@pytest.mark.slow
def test_with_width_skipping_relu_networks_come_closer_to_the_line_of_the_signal():
    # A signal along the activations themselves grows faster than others, and its fraction is 1/width.
    narrow, wide = (ratios("relu", "he_normal", 16, width, skip=True)["signal_rms"][0] for width in (64, 512))
    assert narrow > 1.5 * wide > 1.5


@pytest.mark.slow
def test_single_networks_lie_inside_of_the_band_about_as_often_as_it_says():
    for model in ({"activation": "gelu"}, {"activation": "relu", "depth": 50, "width": 8}):
        for quantity in ("activation_rms", "signal_rms", "gradient_norm"):
            inside = [
                (line[f"{quantity}_low"][: len(v)] <= v) & (v <= line[f"{quantity}_high"][: len(v)])
                for line, measured in runs(**model)
                for v in (measured[quantity],)
            ]
            assert 0.75 < np.mean(inside) <= 1, (model, quantity)


@pytest.mark.slow
def test_gradient_norms_lie_around_the_median_of_the_band_for_functions_that_keep_samples_correlated():
    # A recursion for independent samples was off by 0.58, 0.76 and 1.58 here.
    for activation in ("elu", "selu"):
        logs = [np.log(m["gradient_norm"][0] / t["gradient_norm_median"][0]) for t, m in runs(activation=activation)]
        assert np.exp(np.mean(logs)) == pytest.approx(1, abs=0.25), activation


@pytest.mark.slow
def test_the_lines_backwards_are_too_high_for_a_typical_chaotic_network():
    # Standard deviation 1 at width 64: errors of a typical network grow more slowly than those of the mean one.
    found = ratios("tanh", "normal", 25, 64, initializer__std=1.0)
    assert found["activation_rms"] == pytest.approx(1, abs=0.1)
    assert found["signal_rms"][0] < 0.7


@pytest.mark.slow
def test_the_line_of_gelu_under_he_is_an_unstable_balance():
    # Below its fixed point the signal dies and above it grows, so networks leave the line to both sides.
    found = ratios("gelu", "he_normal", 25, 64)
    assert found["activation_rms"][:10] == pytest.approx(1, abs=0.3)
    assert found["activation_rms"][-1] > 2
