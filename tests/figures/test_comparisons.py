"""Two runs can be compared by eye."""

import numpy as np
import pytest

from nnviz import figures
from nnviz.figures import theme
from tests.figures.made import deep, exponents, histogram, layers, scalars

ONE = scalars(("loss", "train", [0, 10], [1.0, 0.5]), ("loss", "batch", [1, 2], [9.0, 9.0]))
OTHER = scalars(("loss", "train", [0, 30], [2.0, 0.1]), ("loss", "test", [0, 30], [2.0, 0.2]))


def _axes(*drawn):
    return [(f["layout"]["xaxis"].get("range"), f["layout"]["yaxis"].get("range")) for f in drawn]


def test_runs_are_told_apart_by_dashes_and_splits_by_color():
    traces = [t for t in figures.overlay({"A": ONE, "B": OTHER})["data"] if t["mode"] == "lines"]
    assert [t["name"].split()[:2] for t in traces] == [["A:", "train"], ["B:", "train"], ["B:", "test"]]
    assert [t["line"]["dash"] for t in traces] == ["solid", "dash", "dash"]
    assert traces[0]["line"]["color"] == traces[1]["line"]["color"] == theme.SPLITS["train"]


def test_the_batch_loss_is_left_out_of_an_overlay_unless_asked_for():
    assert not any("batch" in t["name"] for t in figures.overlay({"A": ONE, "B": OTHER})["data"])
    assert any("batch" in t["name"] for t in figures.overlay({"A": ONE, "B": OTHER}, batch=True)["data"])


def test_one_run_alone_is_drawn_as_curves():
    assert [t["name"] for t in figures.overlay({"": ONE})["data"]] == [t["name"] for t in figures.curves(ONE)["data"]]


def test_a_run_that_has_not_begun_leaves_the_other():
    assert len(figures.overlay({"A": ONE, "B": ONE[:0]})["data"]) == 1


def test_same_axes_hold_the_data_of_both():
    one, other = figures.same_axes(figures.curves(ONE), figures.curves(OTHER))
    assert one["layout"]["xaxis"]["range"] == other["layout"]["xaxis"]["range"] == [0, 30]
    low, high = one["layout"]["yaxis"]["range"]
    assert low < 0.1
    assert high > 9
    assert _axes(one) == _axes(other)


def test_same_axes_change_nothing_in_place_and_keep_the_data():
    before = figures.curves(ONE)
    after, _ = figures.same_axes(before, figures.curves(OTHER))
    assert "range" not in before["layout"]["yaxis"]
    assert after["data"] is before["data"]


def test_logarithmic_axes_are_equalised_in_powers_of_ten():
    first, second = (figures.layer_curves(deep(5, factor=f), "gradient_norm", smooth=0) for f in (0.5, 0.01))
    one, other = figures.same_axes(first, second)
    low, high = one["layout"]["yaxis"]["range"]
    smallest = min(np.nanmin(t["y"]) for t in second["data"] if t["mode"] == "lines")
    assert low < np.log10(smallest) < low + 1
    assert _axes(one) == _axes(other)
    assert high < 1


def test_profiles_with_ranges_of_their_own_get_the_wider_one():
    frames = deep(5, factor=0.9), deep(5, factor=0.01)
    profiles = [figures.depth_profile(f, "gradient_norm", None, layers(*[4] * 7)) for f in frames]
    ranges = [p["layout"]["yaxis"]["range"] for p in profiles]
    one, other = figures.same_axes(*profiles)
    assert _axes(one) == _axes(other)
    assert one["layout"]["yaxis"]["range"] == [min(r[0] for r in ranges), max(r[1] for r in ranges)]


def test_a_linear_and_a_logarithmic_axis_are_left_alone():
    one, other = figures.same_axes(figures.curves(ONE, log_y=True), figures.curves(OTHER, log_y=False))
    assert "range" not in one["layout"]["yaxis"]
    assert "range" not in other["layout"]["yaxis"]


def test_colors_are_equalised():
    frames = exponents(np.full(9, 1e-3)), exponents(10.0 ** -np.arange(9.0))
    one, other = figures.same_axes(*(figures.exponent_histograms(arrays) for arrays in frames))
    assert one["layout"]["coloraxis"]["cmax"] == other["layout"]["coloraxis"]["cmax"] == 1
    assert _axes(one) == _axes(other)


def test_layers_stay_with_the_first_on_top():
    one, _ = figures.same_axes(figures.shares(deep(5)), figures.shares(deep(7)))
    assert one["layout"]["yaxis"]["range"] == [7.5, 0.5]


def test_ridgelines_of_different_depth_keep_their_rows():
    rng = np.random.default_rng(0)
    shallow, deeper = (histogram(*(rng.normal(size=99) for _ in range(n))) for n in (3, 8))
    one, other = figures.same_axes(figures.ridgelines(shallow), figures.ridgelines(deeper))
    assert one["layout"]["xaxis"]["range"] == other["layout"]["xaxis"]["range"]


@pytest.mark.parametrize("missing", [0, 1])
def test_an_empty_figure_beside_another_stays_empty(missing):
    pair = [figures.curves(ONE), figures.curves(ONE)]
    pair[missing] = figures.curves(ONE[:0])
    assert [bool(f["data"]) for f in figures.same_axes(*pair)] == [missing == 1, missing == 0]
