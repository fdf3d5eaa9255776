"""Curves show what was recorded."""

import numpy as np
import pandas as pd
import pytest

from nnviz import figures
from nnviz.figures.kit import theme
from tests.figures.sample_records import scalars


def _named(figure, start):
    return next(trace for trace in figure["data"] if trace["name"].startswith(start))


def test_short_curves_are_drawn_as_recorded():
    steps, values = [0, 10, 20, 40], [2.0, 1.5, 1.25, 1.0]
    trace = _named(figures.curves(scalars(("loss", "train", steps, values))), "train")
    np.testing.assert_array_equal(trace["x"], steps)
    np.testing.assert_array_equal(trace["y"], np.float32(values))
    assert trace["name"] == "train 1.00"


def test_long_curves_keep_their_spikes_in_at_most_500_points():
    values = np.random.default_rng(0).normal(10, 0.1, size=20000)
    values[7003], values[12001] = 25.0, 1.0
    trace = _named(figures.curves(scalars(("loss", "batch", list(range(20000)), list(values)))), "batch")
    assert len(trace["x"]) <= 500
    assert trace["y"].max() == 25.0
    assert trace["y"].min() == 1.0
    assert trace["x"][0] == 0
    assert trace["x"][-1] == 19999


def test_batch_is_drawn_behind_train_and_test():
    one = [0], [1.0]
    figure = figures.curves(scalars(("loss", "test", *one), ("loss", "train", *one), ("loss", "batch", *one)))
    assert [trace["name"].split()[0] for trace in figure["data"]] == ["batch", "train", "test"]


def test_splits_have_their_own_colors():
    figure = figures.curves(scalars(("loss", "train", [0, 1], [1, 2]), ("loss", "test", [0, 1], [1, 2])))
    assert _named(figure, "train")["line"]["color"] == theme.SPLITS["train"]
    assert _named(figure, "test")["line"]["color"] == theme.SPLITS["test"]


@pytest.mark.parametrize(("last", "kind"), [(0.2, None), (0.01, "log")])
def test_loss_is_logarithmic_where_it_spans_more_than_a_factor_of_thirty(last, kind):
    assert figures.curves(scalars(("loss", "train", [0, 1], [1.0, last])))["layout"]["yaxis"].get("type") == kind


def test_a_noisy_batch_does_not_make_the_axis_logarithmic():
    frame = scalars(("loss", "train", [0, 1], [1.0, 0.9]), ("loss", "batch", [0, 1], [1.0, 1e-6]))
    assert "type" not in figures.curves(frame)["layout"]["yaxis"]


def test_zero_and_nan_are_marked_on_a_logarithmic_axis():
    figure = figures.curves(scalars(("loss", "train", [0, 1, 2, 3], [1.0, 0.0, np.nan, 0.5])), log=True)
    zero, bad = _named(figure, "exactly 0"), _named(figure, "not finite")
    assert list(zero["x"]) == [1]
    assert list(bad["x"]) == [2]
    assert 0 < zero["y"][0] < 0.5
    assert bad["y"][0] > 1.0
    assert np.isnan(_named(figure, "train")["y"][1:3]).all()


def test_accuracy_goes_from_nothing_to_all_in_percent():
    figure = figures.curves(scalars(("accuracy", "train", [0, 1], [0.5, 0.973])), "accuracy")
    assert figure["layout"]["yaxis"]["range"][0] == 0
    assert figure["layout"]["yaxis"]["tickformat"] == ".0%"
    assert figure["data"][0]["name"] == "train 97.3%"


def test_smoothing_lays_a_corrected_average_over_the_raw_batch_loss_and_names_both():
    values = [4.0, 2.0, 3.0]
    raw, smooth = figures.curves(scalars(("loss", "batch", [1, 2, 3], values)), smooth=0.5)["data"]
    np.testing.assert_array_equal(raw["y"], np.float32(values))
    np.testing.assert_allclose(smooth["y"], [4, (2 * 2 + 4) / 3, (3 * 4 + 2 * 2 + 4) / 7], rtol=1e-6)
    assert raw["name"] == "batch 3.00"  # the last value, not the last average
    assert smooth["name"] == "batch, smoothed (weight 0.5)"
    assert raw["showlegend"] is True
    assert smooth["showlegend"] is True


def test_zeros_that_are_smoothed_make_no_decay_on_a_logarithmic_axis():
    values = [1.0] * 30 + [1e-3] * 30 + [0.0] * 270
    figure = figures.curves(scalars(("loss", "batch", list(range(330)), values)), smooth=0.9, log=True)
    raw, smooth = _named(figure, "batch 0"), _named(figure, "batch, smoothed")
    assert raw["name"] == "batch 0"
    assert np.isnan(smooth["y"][60:]).all()
    assert np.nanmin(smooth["y"]) >= 1e-3
    zero = _named(figure, "exactly 0")
    assert (zero["x"][0], zero["x"][-1]) == (60, 329)
    assert zero["text"][0] == "0"
    assert 0 < zero["y"][0] < 1e-3


def test_r_squared_is_linear_however_it_starts():
    for start in (-0.285, -1.953, 0.001):
        values = [start, 0.5, 0.9, 0.99]
        figure = figures.curves(scalars(("r_squared", "test", [0, 1, 2, 3], values)), "r_squared")
        assert "type" not in figure["layout"]["yaxis"], start
        np.testing.assert_array_equal(figure["data"][0]["y"], np.float32(values), err_msg=str(start))


def test_no_axis_turns_logarithmic_over_negative_values():
    steps = [0, 1, 2]
    for site in ("train", "batch"):
        frame = scalars(("loss", "train", steps, [1.0, 0.1, 0.001]), ("loss", site, steps, [1.0, -0.1, 0.001]))
        assert "type" not in figures.curves(frame)["layout"]["yaxis"], site


def test_negative_values_are_marked_where_a_logarithmic_axis_is_asked_for():
    figure = figures.curves(scalars(("loss", "train", [0, 1, 2], [1.0, -0.1, 0.5])), log=True)
    low = _named(figure, "0 or below")
    assert list(low["x"]) == [1]
    assert list(low["text"]) == [""]


def test_a_rate_that_starts_at_zero_is_marked_on_a_logarithmic_axis():
    rates = [0.0, *(0.99 ** np.arange(999))]
    figure = figures.learning_rate(scalars(("learning_rate", "model", list(range(1000)), rates)))
    assert figure["layout"]["yaxis"]["type"] == "log"
    assert list(_named(figure, "exactly 0")["x"]) == [0]


def test_a_fork_is_a_line_at_its_step_with_its_words_above_the_plot():
    layout = figures.curves(scalars(("loss", "train", [0, 9], [1, 2])), resume_marks=[(5, "lr 0.01")])["layout"]
    assert (layout["shapes"][0]["x0"], layout["shapes"][0]["x1"]) == (5, 5)
    assert layout["annotations"][0]["text"] == "lr 0.01"
    assert layout["annotations"][0]["x"] == 5
    assert layout["annotations"][0]["y"] == layout["yaxis"]["domain"][1] < 1


def test_words_of_forks_neither_overlap_nor_leave_the_plot():
    long = "batch size 128, L2 regularization 0.01, clipping by norm"
    layout = figures.curves(
        scalars(("loss", "train", [0, 1000], [1, 2])), resume_marks=[(300, long), (400, "a"), (950, long)]
    )
    first, second, third = (note for note in layout["layout"]["annotations"])
    assert first["y"] < second["y"]
    assert third["xanchor"] == "right"
    assert third["hovertext"] == f"step 950: {long}"
    assert len(third["text"]) <= 38


def test_a_run_without_resume_marks_has_the_whole_height():
    assert "domain" not in figures.curves(scalars(("loss", "train", [0, 9], [1, 2])))["layout"]["yaxis"]


def test_members_are_averaged():
    frame = scalars(("loss", "train", [0, 1], [1.0, 2.0]))
    other = frame.assign(member=1, value=frame["value"] + 2)
    both = figures.curves(pd.concat([frame, other]))
    np.testing.assert_array_equal(both["data"][0]["y"], [2.0, 3.0])


def test_a_cosine_schedule_is_linear_and_an_exponential_one_logarithmic():
    steps = list(range(1000))
    cosine = scalars(("learning_rate", "model", steps, list(0.5 + 0.5 * np.cos(np.linspace(0, np.pi, 1000)))))
    exponential = scalars(("learning_rate", "model", steps, list(0.99 ** np.arange(1000))))
    assert "type" not in figures.learning_rate(cosine)["layout"]["yaxis"]
    assert figures.learning_rate(exponential)["layout"]["yaxis"]["type"] == "log"


def test_the_legend_says_that_its_numbers_are_the_last_ones():
    figure = figures.curves(scalars(("loss", "train", [0, 10], [2.0, 1.5])))
    assert figure["layout"]["legend"]["title"]["text"].rstrip() == "last:"
