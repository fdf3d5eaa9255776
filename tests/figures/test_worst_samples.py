"""Confusion, worst samples, predictions against targets."""

import numpy as np
import pytest

from nnviz import figures
from tests.figures.sample_records import data
from tests.figures.test_decision_surface import read_png

COUNTS = np.array([[8, 2, 0], [0, 5, 0], [1, 0, 0]])


def test_cells_hold_the_counts_and_the_fraction_of_their_class():
    heatmap, numbers = figures.confusion_matrix({"counts": COUNTS}, data(classes=3))["data"]
    np.testing.assert_array_equal(heatmap["customdata"][..., 0], COUNTS)
    np.testing.assert_allclose(heatmap["customdata"][..., 1].sum(1), 100)
    assert sum(int(text) for text in numbers["text"]) == COUNTS.sum()
    written = dict(zip(zip(numbers["y"], numbers["x"], strict=True), numbers["text"], strict=True))
    assert written == {(0, 0): "8", (0, 1): "2", (1, 1): "5", (2, 0): "1"}


def test_right_is_blue_wrong_is_orange_and_rows_compare():
    z = figures.confusion_matrix({"counts": COUNTS}, data(classes=3))["data"][0]["z"]
    assert (np.diag(z) >= 0).all()
    assert (z[~np.eye(3, dtype=bool)] <= 0).all()
    assert z[1, 1] == 1  # all of class 1 are right
    assert z[2, 0] == -1  # all of class 2 are wrong
    np.testing.assert_allclose((z**2).sum(1), 1, rtol=1e-6)


def test_samples_without_a_predicted_class_are_said_to_be_missing():
    data_arrays = data(classes=3) | {"test": np.arange(60) < 20}
    for counts, notes in ((COUNTS, 1), (COUNTS + np.diag([4, 0, 0]), 0)):
        annotations = figures.confusion_matrix({"counts": counts}, data_arrays)["layout"]["annotations"]
        assert len(annotations) == notes
        assert all(note["text"].startswith("4 samples are not counted") for note in annotations)


def test_the_first_class_is_in_the_first_row_and_column():
    layout = figures.confusion_matrix({"counts": COUNTS}, data(classes=3))["layout"]
    assert layout["yaxis"]["range"] == [2.5, -0.5]
    assert layout["xaxis"]["range"] == [-0.5, 2.5]
    assert layout["xaxis"]["ticktext"] == ["0", "1", "2"]


def test_a_class_without_test_samples_is_drawn(valid):
    z = valid(figures.confusion_matrix({"counts": np.array([[1, 0], [0, 0]])}, data()))["data"][0]["z"]
    assert not z[1].any()


def _worst(k=20, d=4):
    rng = np.random.default_rng(0)
    return {
        "inputs": rng.normal(size=(k, d)).astype(np.float32),
        "true": np.arange(k) % 3,
        "predicted": (np.arange(k) + 1) % 3,
        "loss": np.linspace(9, 1, k),
    }


def test_the_worst_samples_have_class_and_loss_worst_first():
    ticks = figures.worst_samples(_worst(), data(d=4, classes=3))["layout"]["yaxis"]["ticktext"]
    assert len(ticks) == 15
    assert ticks[0] == "0 → 1, loss 9.0"


def test_features_are_colored_by_their_distance_from_the_mean():
    arrays, data_arrays = _worst(), data(d=4, classes=3)
    heatmap = figures.worst_samples(arrays, data_arrays)["data"][0]
    expected = (arrays["inputs"][:15] - data_arrays["inputs"].mean(0)) / data_arrays["inputs"].std(0)
    np.testing.assert_allclose(heatmap["z"], expected, rtol=1e-4, atol=1e-5)
    assert heatmap["text"][2][1] == f"feature 1: {arrays['inputs'][2, 1]:.4g}".replace("-", "−")


def test_images_are_in_reading_order():
    arrays = _worst(d=16)
    arrays["inputs"][:, 0] = 9  # the brightest pixel is the first, top left
    arrays["inputs"] = arrays["inputs"].reshape(-1, 1, 4, 4)
    figure = figures.worst_samples(arrays, data(d=16, classes=3, image_shape=(4, 4)))
    pictures = figure["layout"]["images"]
    assert len(pictures) == 15
    pixels = read_png(pictures[0]["source"])
    assert tuple(pixels[0, 0]) == (255, 255, 255, 255)
    assert pixels.shape == (4, 4, 4)
    assert "0 → <b>1</b>" in figure["data"][0]["text"][0]
    places = [(-image["y"], image["x"]) for image in pictures]
    assert places == sorted(places)


def test_numeric_targets_are_shown_as_numbers():
    arrays = _worst() | {"true": np.full(20, 1.5), "predicted": np.full(20, -0.25)}
    assert (
        figures.worst_samples(arrays, data(d=4, classes=0))["layout"]["yaxis"]["ticktext"][0] == "1.5 → −0.25, loss 9.0"
    )


def test_fit_has_equal_axes_and_the_diagonal():
    figure = figures.predictions_against_targets(
        {"true": np.array([0.0, 10.0]), "predicted": np.array([5.0, 6.0])}, data(classes=0)
    )
    layout = figure["layout"]
    assert layout["xaxis"]["range"] == layout["yaxis"]["range"] == pytest.approx([-0.5, 10.5])
    line = layout["shapes"][0]
    assert (line["x0"], line["x1"]) == (line["y0"], line["y1"])
    np.testing.assert_array_equal(figure["data"][0]["y"], [5, 6])


def test_features_and_targets_are_shown_in_their_original_units():
    data_arrays = data(d=2, classes=0) | {
        "feature_names": np.array(["sepal length (cm)", "bmi"]),
        "input_mean": np.array([5.84, 26.4], np.float32),
        "input_std": np.array([0.83, 4.4], np.float32),
        "target_mean": np.float32(152),
        "target_std": np.float32(77),
    }
    arrays = {
        "inputs": np.array([[0.0723, -1.0], [-1.0, 0.0]], np.float32),
        "true": np.array([0.0, 1.0]),
        "predicted": np.array([-0.5, 2.0]),
        "loss": np.array([0.3, 0.2]),
    }
    heatmap, numbers = figures.worst_samples(arrays, data_arrays)["data"]
    assert heatmap["text"][0] == ["sepal length: 5.9 cm", "bmi: 22"]
    assert numbers["text"][:2] == ["5.9", "22"]
    layout = figures.worst_samples(arrays, data_arrays)["layout"]
    assert layout["xaxis"]["ticktext"] == ["sepal<br>length<br>(cm)", "bmi"]
    assert layout["yaxis"]["ticktext"][0] == "152 → 114, loss 0.30"
    assert "Losses refer to the standardized targets" in layout["meta"]["help"]
    points = figures.predictions_against_targets(arrays, data_arrays)["data"][0]
    np.testing.assert_allclose(points["x"], [152, 229])
    np.testing.assert_allclose(points["y"], [113.5, 306])


def test_a_nan_output_predicts_no_class():
    arrays = _worst() | {"predicted": np.full(20, -1)}
    assert figures.worst_samples(arrays, data(d=4, classes=3))["layout"]["yaxis"]["ticktext"][0] == "0 → NaN, loss 9.0"
