"""Which figure shows the predictions, and the reasons where there is nothing to measure."""

import numpy as np

from nnviz.figures.samples import prediction_figures
from tests.figures.made import data, scalars


def _legend(figure: dict) -> list[str]:
    return [trace["name"] for trace in figure["data"] if trace.get("name")]


def test_where_r_squared_is_undefined_the_legend_says_why():
    made = data(n=20, d=1, classes=0)
    recorded = scalars(("r_squared", "train", [0, 10], [0.1, 0.9]))
    for test, targets, reason in (
        (np.arange(20) < 0, made["targets"], "test – (no samples)"),
        (np.arange(20) == 3, made["targets"], "test – (R² needs at least two samples)"),
        (np.arange(20) < 5, np.where(np.arange(20) < 5, 1.0, made["targets"]), "test – (all targets are equal)"),
    ):
        names = _legend(prediction_figures.metric(recorded, made | {"test": test, "targets": targets}))
        assert reason in names
        assert any(name.startswith("train 0.9") for name in names), reason
    full = scalars(("r_squared", "train", [0], [0.1]), ("r_squared", "test", [0], [0.2]))
    assert not [name for name in _legend(prediction_figures.metric(full, made)) if "–" in name]


def test_where_no_split_has_a_value_the_empty_figure_says_why(valid):
    made = data(n=3, d=1, classes=0) | {"test": np.array([False, True, True]), "targets": np.array([1.0, 2.0, 2.0])}
    figure = valid(prediction_figures.metric(scalars(("loss", "train", [0], [1.0])), made))
    told = figure["layout"]["annotations"][0]["text"]
    assert told == "train – (R² needs at least two samples)<br>test – (all targets are equal)"


def test_an_empty_test_set_is_noted_in_place_of_the_confusion_matrix():
    made = data(n=20, d=4, classes=3) | {"test": np.zeros(20, bool)}
    figure = prediction_figures.predictions(lambda quantity: made if quantity == "data" else {})
    assert figure["layout"]["annotations"][0]["text"] == "no test samples: lower the training fraction"
    assert prediction_figures.missing_reasons(made, "accuracy") == {"test": "no samples"}
