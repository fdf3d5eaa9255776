"""The gap between train and test: what is shaded, marked and said."""

import numpy as np

from nnviz import figures
from nnviz.figures import StoppingMarks, generalization_gap
from tests.figures.sample_records import scalars

STEPS = [0, 10, 20, 30, 40]
TRAIN, TEST = [1.0, 0.6, 0.4, 0.2, 0.1], [1.1, 0.8, 0.7, 0.9, 1.3]
LOSS = scalars(("loss", "train", STEPS, TRAIN), ("loss", "test", STEPS, TEST), ("loss", "batch", STEPS, TRAIN))


def uid(figure: dict, name: str) -> dict:
    return next(trace for trace in figure["data"] if trace.get("uid") == name)


def texts(figure: dict) -> list[tuple[int, str]]:
    return [(note["x"], note["text"]) for note in figure["layout"]["annotations"]]


def test_the_area_goes_along_one_curve_and_back_along_the_other():
    area = uid(generalization_gap(LOSS), "gap")
    np.testing.assert_array_equal(area["x"], [*STEPS, *STEPS[::-1]])
    np.testing.assert_array_equal(area["y"], np.float32([*TRAIN, *TEST[::-1]]))
    assert area["fill"] == "toself"
    assert area["name"] == "gap: test − train 1.20"


def test_the_lowest_test_loss_is_marked_unless_it_is_the_last():
    figure = generalization_gap(LOSS)
    assert texts(figure) == [(20, "lowest test loss")]
    (point,) = [trace for trace in figure["data"] if trace["name"] == "best step"]
    assert (point["x"], point["y"]) == ([20], [0.7])
    falling = scalars(("loss", "train", STEPS, TRAIN), ("loss", "test", STEPS, [5, 4, 3, 2, 1]))
    assert texts(generalization_gap(falling)) == []


def test_early_stopping_marks_its_best_step_its_patience_and_its_stop():
    figure = generalization_gap(LOSS, stopping=StoppingMarks(20, 40, is_stopped=True))
    assert texts(figure) == [(20, "best step")]
    assert figure["data"][-1]["name"] == "patience: stopped at step 40"
    window = figure["layout"]["shapes"][0]
    assert (window["type"], window["x0"], window["x1"]) == ("rect", 20, 40)
    assert window["y1"] == figure["layout"]["yaxis"]["domain"][1] < 1
    waiting = generalization_gap(LOSS, stopping=StoppingMarks(20, 70, is_stopped=False))
    assert waiting["data"][-1]["name"] == "patience"
    assert waiting["layout"]["shapes"][0]["x1"] == 70


def test_accuracy_has_its_best_step_at_the_highest_and_its_gap_the_other_way():
    rows = [
        ("accuracy", "train", STEPS, [0.5, 0.7, 0.8, 0.9, 1.0]),
        ("accuracy", "test", STEPS, [0.5, 0.7, 0.8, 0.8, 0.6]),
    ]
    figure = generalization_gap(scalars(*rows), "accuracy")
    assert texts(figure) == [(20, "highest test accuracy")]
    assert uid(figure, "gap")["name"] == "gap: train − test 40.0%"


def test_on_a_logarithmic_axis_the_area_has_only_what_can_be_drawn():
    frame = scalars(("loss", "train", STEPS, [1.0, 0.1, 0.0, np.nan, 0.01]), ("loss", "test", STEPS, [1.0] * 5))
    area = uid(generalization_gap(frame, log=True), "gap")
    assert sorted(set(area["x"].tolist())) == [0, 10, 40]
    assert (np.asarray(area["y"]) > 0).all()


def test_one_curve_alone_is_drawn_as_it_is():
    only = scalars(("loss", "train", STEPS, TRAIN))
    assert [t["name"] for t in generalization_gap(only)["data"]] == [t["name"] for t in figures.curves(only)["data"]]


def test_the_table_has_the_gap():
    parts = generalization_gap(LOSS)["layout"]["meta"]["table"]
    (gap,) = [part for part in parts if part["same"].get("site") == "gap"]
    np.testing.assert_allclose(gap["down"]["loss"], np.subtract(TEST, TRAIN), rtol=1e-6)
