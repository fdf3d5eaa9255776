"""Eigenvalues, their limit and the trace are drawn as they were found, and what is not known yet leaves no hole."""

import numpy as np
import pytest

from nnviz import figures
from tests.figures import landscape_arrays
from tests.figures.test_contour_map import named

CURVATURE = landscape_arrays.curvature()


def told(figure: dict) -> list[str]:
    return [t["name"] for t in figure["data"] if t.get("showlegend", True) and len(t["x"])]


@pytest.mark.parametrize("log_y", [False, True, None])
def test_eigenvalues_and_limit_are_those_of_the_survey(log_y, valid):
    figure = valid(figures.sharpness(CURVATURE, log=log_y))
    for i in range(3):
        trace = named(figure, f"eigenvalue{i + 1}")
        np.testing.assert_allclose(trace["y"], CURVATURE["eigenvalues"][:, i], rtol=1e-6)
        np.testing.assert_allclose(trace["customdata"], CURVATURE["errors"][:, i], rtol=1e-6)
    np.testing.assert_allclose(named(figure, "limit")["y"], 20)
    assert named(figure, "limit")["line"]["dash"] == "dash"
    assert named(figure, "limit_label")["text"] == ["2/η: stability limit of the learning rate"]
    np.testing.assert_allclose(named(figure, "lowest")["y"], CURVATURE["smallest_eigenvalue"], rtol=1e-6)
    assert named(figure, "lowest")["yaxis"] == figure["layout"]["xaxis"]["anchor"] == "y2"
    assert figure["layout"]["meta"]["x_is_step"] is True


def test_the_largest_eigenvalue_is_on_top_and_the_others_share_a_legend_entry():
    figure = figures.sharpness(landscape_arrays.curvature(k=20))
    assert figure["data"][19]["uid"] == "eigenvalue1"
    assert set(told(figure)) == {"λ₁", "λ₂ … λ₂₀", "2/η", "λ<sub>min</sub>"}
    assert "λ₂" in told(figures.sharpness(landscape_arrays.curvature(k=2)))
    assert figures.sharpness(landscape_arrays.curvature(k=1))["data"]


def test_momentum_has_another_formula():
    figure = figures.sharpness(CURVATURE, limit_formula="(2 + 2β)/η")
    assert named(figure, "limit_label")["text"] == ["(2 + 2β)/η: stability limit of the learning rate"]


@pytest.mark.parametrize("words", ["", "no line: batch norm"])
def test_without_a_limit_the_reason_is_printed(words, valid):
    recorded = CURVATURE | {"limit": np.full(11, np.nan), "no_limit": np.array("no line: dropout")}
    figure = valid(figures.sharpness(recorded, no_limit_reason=words))
    assert figure["layout"]["annotations"][0]["text"] == (words or "no line: dropout").replace(": ", ":<br>")
    assert not any(trace.get("uid") == "limit" for trace in figure["data"])


def test_what_is_not_computed_yet_leaves_no_hole(valid):
    arrays = {name: np.array(values, copy=True) for name, values in CURVATURE.items()}
    for name in ("eigenvalues", "errors", "smallest_eigenvalue", "trace", "trace_error"):
        arrays[name][1::2] = np.nan
    for figure in (valid(figures.sharpness(arrays)), valid(figures.hessian_trace(arrays))):
        lines = [t for t in figure["data"] if t["mode"] == "lines+markers"]
        assert all(np.isfinite(t["y"]).all() for t in lines)
    np.testing.assert_array_equal(named(figure, "trace")["x"], arrays["steps"][::2])
    for name in ("eigenvalues", "trace"):
        arrays[name][:] = np.nan
    for draw in (figures.sharpness, figures.hessian_trace):
        assert "waiting" in valid(draw(arrays))["layout"]["annotations"][0]["text"]


def test_there_is_no_lower_plot_before_the_smallest_is_known():
    assert "yaxis2" not in figures.sharpness(CURVATURE | {"smallest_eigenvalue": np.full(11, np.nan)})["layout"]


@pytest.mark.parametrize("value", [0.0, -3.0, np.inf])
def test_eigenvalues_without_a_logarithm_are_drawn(value, valid):
    values = CURVATURE["eigenvalues"].copy()
    values[3] = value
    for log_y in (None, True, False):
        assert valid(figures.sharpness(CURVATURE | {"eigenvalues": values}, log=log_y))["data"]


def test_a_limit_below_zero_keeps_the_axis_straight():
    rise = CURVATURE["eigenvalues"] * np.geomspace(1e-3, 1, 11)[:, None]
    types = []
    for limit in (20.0, -1.0):
        figure = figures.sharpness(CURVATURE | {"eigenvalues": rise, "limit": np.full(11, limit)})
        types.append(figure["layout"]["yaxis"].get("type"))
    assert types == ["log", None]


def test_the_band_is_plus_minus_one_standard_error(valid):
    figure = valid(figures.hessian_trace(CURVATURE))
    band = named(figure, "band")["y"]
    np.testing.assert_allclose(band[:11] - band[11:][::-1], 2 * CURVATURE["trace_error"], rtol=1e-5)
    np.testing.assert_allclose((band[:11] + band[11:][::-1]) / 2, CURVATURE["trace"], rtol=1e-5)
    np.testing.assert_allclose(named(figure, "trace")["y"], CURVATURE["trace"], rtol=1e-6)
    total = named(figure, "largest")["y"]
    np.testing.assert_allclose(total, CURVATURE["eigenvalues"].sum(1), rtol=1e-6)


def test_a_trace_below_zero_and_one_over_decades_are_drawn(valid):
    assert (
        valid(figures.hessian_trace(CURVATURE | {"trace": -CURVATURE["trace"]}))["layout"]["yaxis"].get("type") is None
    )
    wide = CURVATURE | {"trace": np.geomspace(1, 1e4, 11), "trace_error": np.full(11, 0.01)}
    assert valid(figures.hessian_trace(wide))["layout"]["yaxis"]["type"] == "log"


def test_two_networks_have_equal_axes_and_legends():
    calm = landscape_arrays.curvature()
    steep = calm | {"eigenvalues": np.geomspace(0.01, 900, 11)[:, None] / np.arange(1, 4)}
    for draw in (figures.sharpness, figures.hessian_trace):
        one, two = figures.same_axes(draw(calm), draw(steep))
        assert one["layout"]["yaxis"]["range"] == two["layout"]["yaxis"]["range"]
        assert one["layout"]["yaxis"].get("type") == two["layout"]["yaxis"].get("type")
        assert told(one) == told(two)


def test_at_the_edge_of_stability_the_axis_is_straight_and_far_from_it_logarithmic():
    """The small eigenvalues alone would press the largest and its limit together."""
    near = landscape_arrays.curvature() | {"eigenvalues": np.tile([21.0, 1.0, 0.01], (11, 1))}
    far = near | {"limit": np.full(11, 1000.0)}
    types = [figures.sharpness(arrays)["layout"]["yaxis"].get("type") for arrays in (near, far)]
    assert types == [None, "log"]
