"""The residual of a path to its plane is drawn and printed as recorded."""

import numpy as np
import pytest

from nnviz import figures
from tests.each import each
from tests.figures import landscape_arrays
from tests.figures.test_contour_map import named

PATH, TRAINING = landscape_arrays.path(), landscape_arrays.training()


def test_distances_over_the_steps_are_those_recorded(valid):
    figure = valid(figures.projection_residuals(PATH))
    np.testing.assert_allclose(named(figure, "residual")["y"], PATH["residuals"], rtol=1e-6)
    np.testing.assert_allclose(named(figure, "distance_to_the_final_weights")["y"], PATH["distances"], rtol=1e-6)
    np.testing.assert_array_equal(named(figure, "residual")["x"], PATH["steps"])
    assert figure["layout"]["meta"]["x_is_step"] is True


@pytest.mark.parametrize(
    ("explained", "random", "words"),
    [
        (
            [0.93, 0.053],
            0.0123,
            "the plane explains 98% of the variance,<br>random planes 1.2% on average",
        ),
        (
            [0.99, 0.0072],
            0.00099,
            "the plane explains 99.7% of the variance,<br>random planes 0.10% on average",
        ),
        (
            [0.4, 0.2],
            1e-7,
            "the plane explains 60% of the variance,<br>random planes less than 0.01% on average",
        ),
        ([1.0, 0.0], 0.5, "the plane explains 100% of the variance,<br>random planes 50% on average"),
    ],
)
def test_the_variance_explained_by_the_plane_and_by_random_ones_is_printed(explained, random, words):
    path = PATH | {"explained": np.array(explained), "random_explained": np.array(random)}
    assert figures.projection_residuals(path)["layout"]["annotations"][0]["text"] == words


def test_words_stand_above_the_curves():
    top = figures.projection_residuals(PATH)["layout"]["yaxis"]["range"][1]
    assert top > 1.2 * PATH["distances"].max()


@each("measure", landscape_arrays.MEASURES)
@each("log_y", [None, False])
def test_truth_and_plane_are_those_of_the_survey(measure, log_y, valid):
    figure = valid(figures.training_against_projection(TRAINING, PATH, measure, log=log_y))
    np.testing.assert_allclose(named(figure, "training")["y"], TRAINING[measure], rtol=1e-6)
    np.testing.assert_allclose(named(figure, "on_the_plane")["y"], PATH[f"plane_{measure}"], rtol=1e-6)


def test_training_is_read_at_the_steps_of_the_path():
    other = {name: np.append(values[::2], values[-1]) for name, values in TRAINING.items()}
    other["steps"][-1] = 10_000
    found = named(figures.training_against_projection(other, PATH), "training")["y"]
    np.testing.assert_allclose(found[::2], TRAINING["train_loss"][::2], rtol=1e-6)
    assert np.isnan(found[1::2]).all()


def test_a_measure_that_is_missing_is_explained(valid):
    path = {name: v for name, v in PATH.items() if not name.startswith("plane_test")}
    for measure, words in (("test_loss", "no test set"), ("test_accuracy", "no test set")):
        assert (
            words
            in valid(figures.training_against_projection(TRAINING, path, measure))["layout"]["annotations"][0]["text"]
        )
    path = {name: v for name, v in PATH.items() if not name.endswith("accuracy")}
    figure = valid(figures.training_against_projection(TRAINING, path, "test_accuracy"))
    assert figure["layout"]["annotations"][0]["text"] == "accuracy needs classes"


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_losses_without_a_logarithm_are_marked_or_left_out(value, valid):
    losses = TRAINING["train_loss"].copy()
    losses[3] = value
    for log_y in (None, True, False):
        figure = valid(figures.training_against_projection(TRAINING | {"train_loss": losses}, PATH, log=log_y))
        assert len(named(figure, "training")["y"]) == len(losses)


def test_a_path_that_never_moves_is_drawn(valid):
    still = {
        name: np.zeros_like(v) if name in ("coordinates", "residuals", "distances") else v for name, v in PATH.items()
    }
    still |= {"explained": np.zeros(2), "random_explained": np.array(np.nan)}
    assert valid(figures.projection_residuals(still))["layout"]["yaxis"]["range"][1] > 0
    assert valid(figures.path_map(landscape_arrays.path_plane(), still, TRAINING))["data"]
    assert valid(figures.path_surface_3d(landscape_arrays.path_plane(), still, TRAINING))["data"]


def test_the_last_third_of_the_path_decides_where_the_word_stands():
    up = PATH | {"coordinates": -PATH["coordinates"]}
    words = [
        named(figures.path_map(landscape_arrays.path_plane(), p, TRAINING), "network")["textposition"]
        for p in (PATH, up)
    ]
    assert words == ["top center", "bottom center"]
