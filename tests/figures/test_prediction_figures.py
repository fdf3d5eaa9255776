"""Which figure shows the predictions, and the reasons where there is nothing to measure."""

import numpy as np

from nnviz.figures.samples import prediction_figures
from tests.figures.sample_records import data, scalars


def _legend(figure: dict) -> list[str]:
    return [trace["name"] for trace in figure["data"] if trace.get("name")]


def test_where_r_squared_is_undefined_the_legend_says_why():
    data_arrays = data(n=20, d=1, classes=0)
    recorded = scalars(("r_squared", "train", [0, 10], [0.1, 0.9]))
    for test, targets, reason in (
        (np.arange(20) < 0, data_arrays["targets"], "test – (no samples)"),
        (np.arange(20) == 3, data_arrays["targets"], "test – (R² needs at least two samples)"),
        (np.arange(20) < 5, np.where(np.arange(20) < 5, 1.0, data_arrays["targets"]), "test – (all targets are equal)"),
    ):
        names = _legend(prediction_figures.metric(recorded, data_arrays | {"test": test, "targets": targets}))
        assert reason in names
        assert any(name.startswith("train 0.9") for name in names), reason
    full = scalars(("r_squared", "train", [0], [0.1]), ("r_squared", "test", [0], [0.2]))
    assert not [name for name in _legend(prediction_figures.metric(full, data_arrays)) if "–" in name]


def test_where_no_split_has_a_value_the_empty_figure_says_why(valid):
    data_arrays = data(n=3, d=1, classes=0) | {
        "test": np.array([False, True, True]),
        "targets": np.array([1.0, 2.0, 2.0]),
    }
    figure = valid(prediction_figures.metric(scalars(("loss", "train", [0], [1.0])), data_arrays))
    told = figure["layout"]["annotations"][0]["text"]
    assert told == "train – (R² needs at least two samples)<br>test – (all targets are equal)"


def test_an_empty_test_set_is_noted_in_place_of_the_confusion_matrix():
    data_arrays = data(n=20, d=4, classes=3) | {"test": np.zeros(20, bool)}
    figure = prediction_figures.predictions(lambda quantity: data_arrays if quantity == "data" else {})
    assert figure["layout"]["annotations"][0]["text"] == "no test samples: lower the training fraction"
    assert prediction_figures.missing_reasons(data_arrays, "accuracy") == {"test": "no samples"}
