"""Curves of trajectories are the recorded values; what a logarithmic axis cannot show is marked."""

import numpy as np
import pytest

from nnviz.figures import distances_to_minimum, function_values, rate_search
from nnviz.figures.kit.symlog_axis import spans_orders_of_magnitude, symlog_scale
from tests.figures import sample_records

NAMES = ["flat_region", "momentum", "leaver"]


def named(figure: dict, uid: str) -> dict:
    return next(trace for trace in figure["data"] if trace.get("uid") == uid)


def uids(figure: dict) -> set[str]:
    return {trace["uid"] for trace in figure["data"]}


def test_values_above_the_minimum_are_logarithmic_and_those_recorded():
    trajectories = sample_records.trajectories()
    figure = function_values(trajectories, NAMES, minimum=-1.0)
    assert figure["layout"]["yaxis"]["type"] == "log"
    for i in range(3):
        line = named(figure, f"optimizer{i}")
        np.testing.assert_allclose(line["y"], trajectories["values"][i][line["x"]] + 1, rtol=1e-5)


def test_values_of_both_signs_are_linear_or_symlog_where_they_span_decades():
    trajectories = sample_records.trajectories()
    plain = function_values(trajectories, NAMES)
    assert "type" not in plain["layout"]["yaxis"]
    np.testing.assert_allclose(named(plain, "optimizer0")["y"], trajectories["values"][0], rtol=1e-5)
    trajectories["values"] = np.where(np.arange(31) == 4, -1e7, trajectories["values"])
    wild = function_values(trajectories, NAMES)
    scale = symlog_scale(trajectories["values"])
    line = named(wild, "optimizer0")
    np.testing.assert_allclose(line["customdata"], trajectories["values"][0][line["x"]], rtol=1e-5)
    np.testing.assert_allclose(scale.value(line["y"]), line["customdata"], rtol=1e-3)
    assert "0" in wild["layout"]["yaxis"]["ticktext"]


def test_exact_zeros_end_a_curve_with_a_mark():
    trajectories = sample_records.trajectories()
    trajectories["distance"][0, 12:] = 0
    figure = distances_to_minimum(trajectories, NAMES)
    assert named(figure, "optimizer0")["x"][-1] == 11
    assert named(figure, "low0")["x"].tolist() == [12]
    assert "exactly 0" in named(figure, "low0")["hovertemplate"][0]
    assert "low1" not in uids(figure)


def test_a_curve_that_goes_below_the_axis_for_good_ends_with_a_mark():
    trajectories = sample_records.trajectories()
    trajectories["distance"][0, 12:] = 1e-40 * trajectories["distance"][0, 0]
    figure = distances_to_minimum(trajectories, NAMES)
    low = 10 ** figure["layout"]["yaxis"]["range"][0]
    assert low > 1e-18 * trajectories["distance"][0, 0]
    assert named(figure, "optimizer0")["x"][-1] == 11
    mark = named(figure, "low0")
    assert mark["x"].tolist() == [12]
    assert low < mark["y"][0] < 10 * low  # plotly.js leaves out what is not within the axis
    assert "below this from step" in mark["hovertemplate"][0]
    assert mark["text"] == [""]


def test_a_zero_leaves_a_gap_in_the_curve():
    trajectories = sample_records.trajectories()
    trajectories["distance"][0, 12] = 0
    figure = distances_to_minimum(trajectories, NAMES)
    line, mark = named(figure, "optimizer0"), named(figure, "low0")
    assert np.isnan(line["y"][line["x"] == 12]).all()
    assert line["x"][-1] == 30
    assert (mark["x"].tolist(), mark["text"]) == ([12], ["0"])
    assert "exactly 0 at step" in mark["hovertemplate"][0]


def test_one_that_left_ends_in_a_cross_that_says_when():
    trajectories = sample_records.trajectories(left_at=9)
    trajectories["values"][2, 8] = 1e30
    figure = function_values(trajectories, NAMES, minimum=-1.0)
    cross = named(figure, "left2")
    assert cross["x"].tolist() == [8]
    assert "diverged at step 9" in cross["hovertemplate"]
    assert "(diverged at step 9)" in named(figure, "optimizer2")["name"]
    low, high = figure["layout"]["yaxis"]["range"]
    assert low < np.log10(cross["y"][0]) < high < 6
    assert "left0" not in uids(figure)


def test_an_update_of_0_by_0_is_not_called_divergence():
    trajectories = sample_records.trajectories(left_at=1)
    trajectories["exit_reason"] = np.array(["", "", "zero_by_zero"])
    figure = function_values(trajectories, NAMES, minimum=-1.0)
    assert named(figure, "optimizer2")["name"] == "leaver (0/0 at step 1)"
    assert "update is 0/0: ε = 0 and the gradient is zero" in named(figure, "left2")["hovertemplate"]
    assert "infinity" not in str(figure)


def test_rounding_errors_are_drawn_as_zero():
    trajectories = sample_records.trajectories()
    trajectories["values"][:] = -78.3323
    trajectories["values"][0] = np.nextafter(-78.3323, 0)
    trajectories["values"][:, :5] = -70.0
    figure = function_values(trajectories, NAMES, minimum=-78.3323)
    assert named(figure, "low0")["x"].tolist() == [5]


def test_the_search_takes_rounding_below_the_lowest_for_zero(valid):
    final = np.array([[-70.0, np.nextafter(-78.3323, -100)], [np.nan, np.nan]])
    figure = valid(rate_search(np.array([0.01, 0.1]), final, NAMES, [1, -1], minimum=-78.3323))
    assert figure["layout"]["yaxis"]["type"] == "log"
    np.testing.assert_allclose(named(figure, "low0")["x"], 0.1, rtol=1e-6)


def test_where_no_minimum_is_in_view_that_is_said_and_not_that_there_is_none(valid):
    trajectories = sample_records.trajectories()
    trajectories["distance"][:] = np.nan
    figure = valid(distances_to_minimum(trajectories, NAMES))
    assert figure["data"] == []
    assert figure["layout"]["annotations"][0]["text"] == "no minimum found in view"
    assert "No minimum was found in view." in function_values(trajectories, NAMES)["layout"]["meta"]["help"]


def test_the_help_gives_the_lowest_minimum_in_view_and_any_lower_point():
    trajectories = sample_records.trajectories()
    plain = function_values(trajectories, NAMES, minimum=-1.0, lowest_point=(1.0, 0.0, -1.0))["layout"]["meta"]
    assert plain["title"] == "f − f* (f*: lowest minimum in view)"
    assert plain["help"].endswith("The lowest minimum in view is f* = −1.000.")
    lower = function_values(trajectories, NAMES, minimum=-1.0, lowest_point=(-3.0, 0.0, -18.0))["layout"]["meta"][
        "help"
    ]
    assert lower.endswith("is f* = −1.000. f is lower at (−3.000, 0), which is not a minimum: f = −18.00.")


def test_surfaces_of_small_values_are_not_drawn_as_zero(valid):
    """The threshold of zero is relative to the values."""
    trajectories = sample_records.trajectories()
    trajectories["values"] *= 1e-30
    figure = function_values(trajectories, NAMES, minimum=-1e-30)
    np.testing.assert_allclose(named(figure, "optimizer0")["y"][:5], (trajectories["values"][0] + 1e-30)[:5], rtol=1e-5)
    found = valid(rate_search(np.geomspace(1e-3, 1, 3), np.array([[3e-30, 1e-31, 2e-28]]), NAMES, [1]))
    np.testing.assert_allclose(named(found, "search0")["y"], [3e-30, 1e-31, 2e-28], rtol=1e-6)


@pytest.mark.parametrize("steps", [0, 1, 5000])
def test_trajectory_runs_of_any_length_are_drawn(steps, valid):
    valid(function_values(sample_records.trajectories(steps), NAMES, minimum=-1.0))
    figure = valid(distances_to_minimum(sample_records.trajectories(steps), NAMES))
    assert max(len(trace["x"]) for trace in figure["data"]) <= 500


def test_the_search_marks_the_best_rates_and_draws_nothing_where_a_optimizer_left():
    rates = np.geomspace(1e-3, 1, 4)
    final = np.array([[1, 0.1, np.nan, np.inf], [2, 0.5, 0.0, 3], [np.nan] * 4])
    figure = rate_search(rates, final, NAMES, [1, 2, -1])
    assert figure["layout"]["xaxis"]["type"] == figure["layout"]["yaxis"]["type"] == "log"
    np.testing.assert_allclose(named(figure, "search0")["y"], [1, 0.1, np.nan, np.nan], rtol=1e-6)
    np.testing.assert_allclose(named(figure, "best0")["x"], rates[1], rtol=1e-6)
    np.testing.assert_allclose(named(figure, "best0")["y"], 0.1, rtol=1e-6)
    np.testing.assert_allclose(named(figure, "low1")["x"], rates[2], rtol=1e-6)
    assert 0 < named(figure, "best1")["y"][0] < 0.1
    assert "best2" not in uids(figure)


def test_the_search_of_a_surface_below_zero_has_both_signs(valid):
    figure = valid(rate_search(np.geomspace(1e-3, 1, 3), np.array([[5.0, -70.0, -78.0]]), NAMES, [2]))
    assert "type" not in figure["layout"]["yaxis"]
    np.testing.assert_allclose(named(figure, "search0")["customdata"], [5, -70, -78])


def test_symlog_maps_both_ways_and_labels_the_range():
    values = np.array([-3e4, -1.0, -1e-3, 0, 1e-3, 7.0, 2e5])
    scale = symlog_scale(values)
    np.testing.assert_allclose(scale.value(scale.position(values)), values, rtol=1e-9, atol=1e-12)
    axis = scale.axis("f", values)
    assert len(axis["tickvals"]) == len(set(axis["ticktext"])) >= 4
    assert np.all(np.diff(axis["tickvals"]) > 0)
    zero = axis["ticktext"].index("0")
    assert axis["tickvals"][zero] == 0
    assert spans_orders_of_magnitude(values)
    assert not spans_orders_of_magnitude(np.array([1.0, -2.0, 3.0]))
