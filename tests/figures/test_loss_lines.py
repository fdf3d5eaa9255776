"""Losses along lines, and the barrier, are those of the survey."""

import numpy as np
import pytest

from nnviz import figures
from nnviz.figures.kit import theme
from tests.each import each
from tests.figures import landscape_arrays
from tests.figures.test_contour_map import named

LINES, LINE = landscape_arrays.lines(), landscape_arrays.line()


@each("measure", landscape_arrays.MEASURES)
@each("log", [False, True, None])
def test_each_direction_and_their_mean_are_drawn(measure, log, valid):
    traces = valid(figures.loss_lines(LINES, measure, log=log))["data"]
    assert len(traces) == 6
    for trace, row in zip(traces, [*LINES[measure], LINES[measure].mean(0)], strict=True):
        np.testing.assert_allclose(trace["customdata"], row, rtol=1e-6)
        np.testing.assert_allclose(trace["y"], row, rtol=1e-6)
    assert [t["name"] for t in traces if t["showlegend"]] == ["5 directions", "mean"]


def test_one_line_alone_is_its_own_mean():
    traces = figures.loss_lines(landscape_arrays.lines(1))["data"]
    assert [t["name"] for t in traces] == ["direction 1"]


def test_zero_is_marked_at_the_lower_edge_of_a_logarithmic_axis():
    z = LINES["train_loss"].copy()
    z[:, 8] = 0
    figure = figures.loss_lines(LINES | {"train_loss": z}, log=True)
    assert figure["data"][0]["customdata"][8] == 0
    assert np.log10(figure["data"][0]["y"][8]) >= figure["layout"]["yaxis"]["range"][0]
    zero = figure["data"][-1]
    assert (zero["name"], list(zero["x"]), zero["text"]) == ("exactly 0", [0.0], ["0"])


def test_a_huge_loss_is_clipped_and_does_not_flatten_the_rest(valid):
    z = LINES["train_loss"].copy()
    z[0, 0], z[1, 0], z[2, 0] = 1e9, np.inf, np.nan
    for log in (False, True):
        usual, drawn = (valid(figures.loss_lines(a, log=log)) for a in (LINES, LINES | {"train_loss": z}))
        ends = [figure["layout"]["yaxis"]["range"] for figure in (usual, drawn)]
        np.testing.assert_allclose(*ends, rtol=0.2, atol=0.1)


def test_lines_of_two_networks_can_have_one_axis():
    other = LINES | {"train_loss": 100 * LINES["train_loss"]}
    scale = figures.shared_scale(LINES, other, measure="train_loss")
    one, two = figures.same_axes(*(figures.loss_lines(a, scale=scale) for a in (LINES, other)))
    assert one["layout"]["yaxis"] == two["layout"]["yaxis"]
    told = [[t["name"] for t in figure["data"] if t.get("showlegend", True)] for figure in (one, two)]
    assert told == [["5 directions", "mean"]] * 2


def test_missing_measures_are_explained(valid):
    regression = {name: v for name, v in LINES.items() if "accuracy" not in name}
    said = valid(figures.loss_lines(regression, "train_accuracy"))["layout"]["annotations"][0]["text"]
    assert said == "accuracy needs classes"
    said = valid(figures.loss_lines({"x": LINES["x"], "train_loss": LINES["train_loss"]}, "test_loss"))
    assert said["layout"]["annotations"][0]["text"] == "this network has no test set"


@pytest.mark.parametrize("log", [False, True, None])
def test_the_line_shows_all_that_was_measured_and_the_barrier_of_the_train_loss(log, valid):
    figure = valid(figures.loss_line(LINE, ("first", "second"), log=log))
    for measure in landscape_arrays.MEASURES:
        np.testing.assert_allclose(named(figure, measure)["customdata"], LINE[measure], rtol=1e-6)
    height, place = LINE["barrier"]
    texts = [note["text"] for note in figure["layout"]["annotations"]]
    assert texts == ["<b>first</b>", "barrier 2.00", "<b>second</b>"]
    stem = named(figure, "barrier")
    np.testing.assert_allclose(stem["x"], place)
    np.testing.assert_allclose(np.ptp(stem["y"]), height, rtol=1e-6)
    assert named(figure, "test_accuracy")["yaxis"] == figure["layout"]["xaxis"]["anchor"] == "y2"
    assert named(figure, "test_loss")["line"]["color"] == theme.SPLITS["test"]


def test_a_regression_has_no_second_plot_and_an_unfinished_line_no_barrier(valid):
    line = {name: v for name, v in LINE.items() if "accuracy" not in name}
    figure = valid(figures.loss_line(line))
    assert "yaxis2" not in figure["layout"]
    line = {name: v[:9] for name, v in LINE.items() if name != "barrier"}
    figure = valid(figures.loss_line(line))
    assert [note["text"] for note in figure["layout"]["annotations"]] == ["<b>A</b>", "<b>B</b>"]
    assert not any(trace.get("uid") == "barrier" for trace in figure["data"])


def test_an_infinite_barrier_is_drawn(valid):
    losses = LINE["train_loss"].copy()
    losses[12] = np.inf
    figure = valid(figures.loss_line(LINE | {"train_loss": losses, "barrier": np.array([np.inf, 0.5])}))
    assert figure["layout"]["annotations"][1]["text"] == "barrier ∞"
