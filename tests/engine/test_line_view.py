"""The straight line between two networks: its ends are exactly the networks, and between them it equals a simple
loop."""

import numpy as np
import pytest
import torch

from nnviz.engine import EngineError
from nnviz.engine.landscape.landscape_evaluation import LandscapeEvaluation
from nnviz.spec.base import replace_many
from nnviz.spec.landscapes import Line, RandomPlane
from tests.each import each
from tests.engine.landscape_jobs import (
    SITUATIONS,
    agree,
    around,
    float64_measures,
    landscape,
    last_arrays,
    moved,
    network,
    trained,
)
from tests.engine.short_runs import job

every_situation = each("changes", SITUATIONS.values())


@every_situation
@each("margin", [0.0, 0.25, 0.4])
def test_the_ends_of_a_line_are_the_two_networks_exactly(changes, margin):
    chosen = landscape(Line(seed=5, margin=margin, resolution=10), **changes)
    snapshots = last_arrays(chosen)
    arrays = snapshots["line"]
    one, other = (trained(of) for of in chosen.networks)
    assert torch.equal(one.evaluated.data["train"][0], other.evaluated.data["train"][0])
    for place, of in ((0.0, one), (1.0, other)):
        (index,) = np.flatnonzero(arrays["x"] == place)
        for name, values in of.arrays().items():
            if name not in ("steps", "learning_rate"):
                assert arrays[name][index] == values[-1], (name, place)
    assert (arrays["x"][0], arrays["x"][-1]) == pytest.approx((-margin, 1 + margin))
    assert (np.diff(arrays["x"]) > 0).all()


def test_between_and_beyond_the_ends_weights_lie_on_the_straight_line():
    chosen = landscape(Line(seed=5, resolution=13), **SITUATIONS["tanh"])
    arrays = last_arrays(chosen)["line"]
    one, other = (trained(of) for of in chosen.networks)
    away = [b - a for a, b in zip(one.weights(), other.weights(), strict=True)]
    for index, at in enumerate(arrays["x"]):
        agree(arrays, (index,), float64_measures(one, moved(one, (at, away))))


def test_beyond_the_ends_batch_norm_keeps_the_statistics_of_the_end():
    """A variance extrapolated along the line would be negative."""
    learner = {"learner__model__norm": "batch", "learner__model__hidden__0__activation": "relu"}
    chosen = landscape(Line(seed=5, margin=5, resolution=21), **learner)
    arrays = last_arrays(chosen)["line"]
    assert all(np.isfinite(values).all() for values in arrays.values())
    one, other = (trained(of) for of in chosen.networks)
    away = [b - a for a, b in zip(one.weights(), other.weights(), strict=True)]
    agree(arrays, (0,), float64_measures(one, moved(one, (float(arrays["x"][0]), away))))
    back = [-d for d in away]
    agree(arrays, (20,), float64_measures(one, moved(other, (1 - float(arrays["x"][-1]), back))))


def test_of_two_that_are_compared_the_samples_and_the_loss_are_those_of_the_first():
    first = job(learner__optimizer="adam")
    other_loss = {"learner.loss": {"kind": "cross_entropy", "label_smoothing": 0.5}, "learner.data.noise": 0.5}
    second = replace_many(first, {"seed": 3, "learner.optimizer": "sgd", **other_loss})
    chosen = around(network(first), Line(margin=0.0, resolution=9), other=network(second))
    arrays = last_arrays(chosen)["line"]
    one, other = trained(network(first)), trained(network(second))
    assert arrays["train_loss"][0] == one.measures[-1]["train_loss"]
    assert arrays["train_loss"][-1] == pytest.approx(float64_measures(one, other.states[-1])["train_loss"], rel=1e-6)
    assert arrays["train_loss"][-1] != pytest.approx(other.measures[-1]["train_loss"], rel=0.01)


def test_an_equal_shape_said_in_other_words_is_no_hindrance():
    """Initializers, dropout and how layers are written down decide no function of the weights."""
    tanh = {"kind": "tanh"}
    hidden = [{"width": 6, "activation": tanh}] * 3
    first = job(learner__model={"kind": "mlp", "hidden": hidden, "dropout": {"kind": "standard", "rate": 0.2}})
    second = job(learner__model={"kind": "deep_mlp", "depth": 3, "width": 6, "activation": tanh})
    assert "line" in last_arrays(around(network(first), Line(resolution=9), other=network(second)))


@each(
    ("changes", "words"),
    [
        ({"learner__model__hidden": [{}]}, "hidden layers"),
        ({"learner__model__hidden__1__width": 7}, "widths"),
        ({"learner__model__hidden__0__activation": "relu"}, "activations"),
        ({"learner__model__norm": "batch"}, "normalization"),
        ({"learner__model__skip": True}, "skip connections"),
        ({"learner__model__bias": False}, "biases"),
        ({"learner__loss": "binary_cross_entropy"}, "outputs"),
        ({"learner__data": "iris"}, "inputs"),
    ],
)
def test_two_networks_of_other_shapes_are_refused_in_one_line_before_anything_is_trained(changes, words):
    chosen = around(network(job()), Line(), other=network(job(**changes)))
    with pytest.raises(EngineError, match=f"these differ in their {words}: make them equal") as refused:
        LandscapeEvaluation(chosen)
    assert "\n" not in str(refused.value)


def test_the_other_network_matters_to_lines_alone():
    chosen = around(network(job()), RandomPlane(resolution=9), other=network(job(learner__model__hidden=[{}])))
    assert set(last_arrays(chosen)) == {"training", "plane"}
