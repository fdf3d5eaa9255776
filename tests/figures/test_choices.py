"""The options of curves: a linear or a logarithmic axis, and a moving average over the raw values."""

import numpy as np
import pandas as pd
import pytest

from nnviz import figures
from nnviz.figures.kit import smoothing
from tests.each import each
from tests.figures import landscape_arrays, sample_records
from tests.figures.exported_tables import table_of
from tests.figures.test_every_figure import DEEP, LAYERS, LOSS, OPTIMIZERS, TRAJECTORIES

TRAIN = LOSS[(LOSS["site"] != "batch").to_numpy()]
CLIPPED = sample_records.scalars(
    ("gradient_norm_unclipped", "model", [1, 2, 3, 4], [5.0, 1.0, 3.0, 0.5]),
    ("gradient_norm_total", "model", [1, 2, 3, 4], [1.0, 1.0, 1.0, 0.5]),
)
SEARCH = (np.geomspace(1e-3, 1, 4), np.array([[1, 0.1, 0.5, np.nan]]), ["SGD"], [1])
ABOVE = {name: values + (name.endswith("loss")) for name, values in landscape_arrays.line().items()}
NEGATIVE = TRAJECTORIES | {"values": TRAJECTORIES["values"] - 100}
LOG = {
    "loss": lambda **how: figures.curves(TRAIN, "loss", **how),
    "overlay": lambda **how: figures.overlay({"A": TRAIN, "B": TRAIN, "C": TRAIN}, **how),
    "learning rate": lambda **how: figures.learning_rate(LOSS, **how),
    "clipped norms": lambda **how: figures.clipped_norms(CLIPPED, **how),
    "layers": lambda **how: figures.layer_curves(DEEP, "gradient_norm", LAYERS, **how),
    "profile": lambda **how: figures.depth_profile(DEEP, "gradient_norm", 30, LAYERS, **how),
    "distances": lambda **how: figures.distances_to_minimum(TRAJECTORIES, OPTIMIZERS, **how),
    "rate search": lambda **how: figures.rate_search(*SEARCH, **how),
    "sharpness": lambda **how: figures.sharpness(landscape_arrays.curvature(), **how),
    "trace": lambda **how: figures.hessian_trace(landscape_arrays.curvature(), **how),
    "path residuals": lambda **how: figures.projection_residuals(landscape_arrays.path(), **how),
    "plane truth": lambda **how: figures.training_against_projection(
        landscape_arrays.training(), landscape_arrays.path(), **how
    ),
    "loss lines": lambda **how: figures.loss_lines(landscape_arrays.lines(), **how),
    "loss line": lambda **how: figures.loss_line(ABOVE, **how),
}
# Their values have both signs, or are drawn by their exponents.
OTHER_AXES = {
    "update ratios": lambda **how: figures.update_ratios(DEEP, LAYERS, **how),
    "bands": lambda **how: figures.percentile_bands(DEEP, LAYERS, "model.activation3", **how),
    "negative heights": lambda **how: figures.function_values(NEGATIVE, OPTIMIZERS, **how),
    "step parts": lambda **how: figures.update_parts(TRAJECTORIES, 1, "SGD", **how),
}
SMOOTH = ("loss", "overlay", "clipped norms", "layers", "distances", "sharpness", "trace")
ALL = LOG | OTHER_AXES


def _exponential(values: list[float], weight: float) -> list[float]:
    """Divided by the sum of its weights, as Adam's running mean."""
    found, total, norm = [], 0.0, 0.0
    for value in values:
        total, norm = weight * total + value, weight * norm + 1
        found.append(total / norm)
    return found


@each("name", LOG)
def test_an_axis_is_logarithmic_or_linear_as_it_is_chosen(name, valid):
    for log, kind in ((True, "log"), (False, None)):
        assert valid(LOG[name](log=log))["layout"]["yaxis"].get("type") == kind, (name, log)


@each("name", OTHER_AXES)
def test_an_axis_of_both_signs_or_of_exponents_is_chosen_too(name, valid):
    axes = [valid(OTHER_AXES[name](log=log))["layout"]["yaxis"] for log in (True, False)]
    assert axes[0] != axes[1]


@each("name", ALL)
def test_whatever_is_chosen_the_table_states_what_was_recorded(name):
    chosen = [table_of(ALL[name](**how)) for how in ({}, {"log": True}, {"log": False})]
    for other in chosen[1:]:
        for column in chosen[0].columns:
            if not column.endswith("_smoothed"):
                pd.testing.assert_series_equal(chosen[0][column], other[column], check_dtype=False)


@each("name", [*SMOOTH, "update ratios", "bands", "negative heights"])
def test_a_moving_average_leaves_what_was_measured_faint_behind_and_says_its_weight(name, valid):
    plain, averaged = (valid(ALL[name](log=False, smooth=weight)) for weight in (0, 0.9))
    faint = [
        t for t in averaged["data"] if t.get("opacity", 1) <= smoothing.RAW_OPACITY and t["mode"].startswith("lines")
    ]
    assert faint, name
    assert not any("smoothed" in t.get("name", "") for t in plain["data"]), name
    assert name == "bands" or any("smoothed (weight 0.9)" in t["name"] for t in averaged["data"]), name
    drawn = [t["y"] for t in plain["data"] if t["mode"].startswith("lines") and len(t["x"]) > 1]
    for trace in faint:
        assert any(np.array_equal(trace["y"], y, equal_nan=True) for y in drawn) or len(faint) == 1, name


def test_the_average_is_the_debiased_exponential_one():
    values = [5.0, 1.0, 3.0, 0.5]
    for log in (True, False):
        raw, mean = figures.clipped_norms(CLIPPED, log=log, smooth=0.9)["data"][2:4]
        np.testing.assert_allclose(raw["y"], values)
        expected = np.exp(_exponential(np.log(values), 0.9)) if log else _exponential(values, 0.9)
        np.testing.assert_allclose(mean["y"], expected, rtol=1e-6)
        assert mean["name"] == "before clipping 0.500"
    distance = TRAJECTORIES["distance"][1]
    *_, mean = (
        t
        for t in figures.distances_to_minimum(TRAJECTORIES, OPTIMIZERS, log=False, smooth=0.9)["data"]
        if t.get("uid") == "optimizer1"
    )
    np.testing.assert_allclose(mean["y"], _exponential(distance, 0.9), rtol=1e-5)


def test_train_and_test_beside_a_batch_are_not_averaged():
    batch = {t["uid"]: t["y"] for t in figures.curves(LOSS, smooth=0.9)["data"] if "uid" in t}
    alone = {t["uid"]: t["y"] for t in figures.curves(LOSS)["data"] if "uid" in t}
    for site in ("train", "test"):
        np.testing.assert_array_equal(batch[site], alone[site])


def test_accuracy_is_never_logarithmic():
    for log in (True, None):
        axis = figures.curves(LOSS, "accuracy", log=log)["layout"]["yaxis"]
        assert (axis.get("type"), axis["tickformat"]) == (None, ".0%")


def test_zeros_and_negative_values_are_marked_on_every_logarithmic_axis():
    odd = [1.0, 0.0, 0.1, 0.01]
    trajectories = TRAJECTORIES | {"distance": np.where(np.arange(31) == 5, 0.0, TRAJECTORIES["distance"])}
    curvature = landscape_arrays.curvature()
    below = curvature | {"trace": curvature["trace"] * np.where(np.arange(11) == 3, -1, 1)}
    layer = sample_records.scalars(("gradient_norm", "model.linear1.weight", [1, 2, 3, 4], odd))
    ratios = sample_records.scalars(("update_ratio", "model.linear1.weight", [1, 2, 3, 4], odd))
    drawn = {
        "loss": figures.curves(sample_records.scalars(("loss", "train", [0, 1, 2, 3], odd)), log=True, smooth=0.9),
        "rate": figures.learning_rate(sample_records.scalars(("learning_rate", "model", [0, 1, 2, 3], odd)), log=True),
        "layers": figures.layer_curves(layer, "gradient_norm", LAYERS, log=True),
        "ratios": figures.update_ratios(ratios, LAYERS, log=True),
        "distances": figures.distances_to_minimum(trajectories, OPTIMIZERS, log=True, smooth=0.9),
        "trace": figures.hessian_trace(below, log=True),
        "path": figures.projection_residuals(landscape_arrays.path(), log=True),
    }
    for name, figure in drawn.items():
        marks = [t for t in figure["data"] if t.get("marker", {}).get("symbol") == "triangle-down-open" and len(t["x"])]
        assert marks, name


@pytest.mark.parametrize("quantity", ["activation_mean"])
def test_layers_with_negative_values_are_linear_unless_a_logarithm_is_asked_for(quantity):
    kinds = [
        figures.layer_curves(DEEP, quantity, LAYERS, log=log)["layout"]["yaxis"].get("type") for log in (None, True)
    ]
    assert kinds == [None, "log"]
