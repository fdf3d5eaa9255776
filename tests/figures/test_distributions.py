"""Ridgelines, histograms by size and percentile bands tell the truth about values."""

import itertools

import numpy as np
import pytest

from nnviz import figures
from nnviz.figures.layers.log2_histogram import DECADES_PER_BIN, fractions_by_exponent
from nnviz.figures.layers.ridgelines import CLIP_MARGIN, densities, drawn_rows, ridge_outline
from tests.each import each
from tests.figures.sample_records import deep, deep_layers, exponents, histogram, scalars

RNG = np.random.default_rng(0)
LAYERS = deep_layers(60)
NORMAL = RNG.normal(size=4000)


def _ridges(figure):
    return [trace for trace in figure["data"] if trace.get("fill") == "toself"]


def _marks(figure):
    return {t["marker"]["symbol"][0]: t for t in figure["data"] if t["mode"] == "markers" and t.get("text")}


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_densities_integrate_to_one_at_every_scale(scale):
    arrays = histogram(NORMAL * scale, NORMAL**2 * scale)
    centers, density = densities(arrays["low"], arrays["high"], arrays["counts"])
    widths = (arrays["high"] - arrays["low"]) / 64
    np.testing.assert_allclose((density * widths[:, None]).sum(1), 1, rtol=1e-12)
    np.testing.assert_allclose(np.diff(centers, axis=1), np.repeat(widths[:, None], 63, axis=1), rtol=1e-6)


def test_a_ridge_has_the_area_of_its_histogram():
    arrays = histogram(NORMAL)
    centers, density = densities(arrays["low"], arrays["high"], arrays["counts"])
    x, y, spike = ridge_outline(arrays["low"][0], arrays["high"][0], centers[0], density[0])
    assert spike is None
    assert y.max() == 1
    assert np.trapezoid(y, x) * density[0].max() == pytest.approx(1)


def test_the_first_layer_is_on_top():
    figure = figures.ridgelines(histogram(NORMAL, NORMAL + 5, NORMAL + 10), LAYERS)
    bases = [ridge["y"].min() for ridge in _ridges(figure)]
    assert bases == [2, 1, 0]
    axis = figure["layout"]["yaxis"]
    assert dict(zip(axis["ticktext"], axis["tickvals"], strict=True)) == {"1": 2, "2": 1, "3": 0}


def test_relu_zeros_are_cut_marked_and_do_not_crush_the_rest():
    values = np.maximum(NORMAL, 0)
    figure = figures.ridgelines(histogram(values, NORMAL), LAYERS)
    dot = _marks(figure)["circle"]
    assert len(dot["x"]) == 1
    fraction = (values < values.max() / 64).mean()
    assert f"{100 * fraction:.1f}%" in dot["text"][0]
    heights = np.sort(_ridges(figure)[0]["y"] - 1) / 0.9
    assert heights[-1] == pytest.approx(1, abs=1e-6)
    assert heights[-2] == pytest.approx(1 / CLIP_MARGIN, abs=1e-6)


def test_far_outliers_are_marked_at_the_edge_of_the_axis():
    figure = figures.ridgelines(histogram(NORMAL, np.append(NORMAL, 500.0)), LAYERS)
    last = figure["layout"]["xaxis"]["range"][1]
    assert last < 50
    mark = _marks(figure)["triangle-right"]
    assert "500" in mark["text"][0]
    assert mark["y"][0] == 0
    assert mark["x"][0] < last


def test_without_outliers_the_axis_holds_everything():
    figure = figures.ridgelines(histogram(NORMAL, NORMAL / 2), LAYERS)
    low, high = figure["layout"]["xaxis"]["range"]
    assert low < NORMAL.min() < NORMAL.max() < high
    assert not _marks(figure)


def test_rows_of_one_value_and_rows_without_any_are_shown_as_such():
    arrays = histogram(NORMAL, np.full(50, 0.5), NORMAL)
    arrays["counts"][2] = 0
    figure = figures.ridgelines(arrays, LAYERS)
    constant = _ridges(figure)[1]
    np.testing.assert_array_equal(constant["x"], [0.5] * 3)
    assert "100.0%" in _marks(figure)["circle"]["text"][0]
    assert _marks(figure)["x-thin"]["text"] == ["layer 3: no finite values"]


def test_the_number_of_traces_does_not_depend_on_the_values():
    calm, wild = histogram(NORMAL, NORMAL), histogram(np.maximum(NORMAL, 0), np.append(NORMAL, 1e3))
    assert len(figures.ridgelines(calm, LAYERS)["data"]) == len(figures.ridgelines(wild, LAYERS)["data"])


def test_marks_are_explained_where_there_are_any():
    spiky = figures.ridgelines(histogram(np.maximum(NORMAL, 0), NORMAL), LAYERS)
    assert spiky["layout"]["showlegend"]
    assert [t["name"] for t in spiky["data"] if t["showlegend"]] == ["peak clipped"]
    assert not figures.ridgelines(histogram(NORMAL, NORMAL), LAYERS)["layout"]["showlegend"]


@each(("total", "every"), [(1, 1), (26, 1), (27, 2), (50, 2), (52, 2), (53, 3), (400, 16)])
def test_of_many_layers_some_are_drawn_the_ends_always(total, every):
    rows, step = drawn_rows(total)
    assert step == every
    assert rows[-1] == total - 1
    assert rows == sorted(set(rows))
    assert len(rows) <= 26
    if total > 1:
        assert rows[0] == 0


def test_fifty_layers_leave_out_rows_and_say_so():
    figure = figures.ridgelines(histogram(*[NORMAL] * 50), LAYERS)
    assert len(_ridges(figure)) < 30
    assert "every 2nd" in figure["layout"]["yaxis"]["title"]["text"]
    assert "is not shown" in figure["layout"]["meta"]["help"]


def test_rows_of_many_layers_end_where_the_outermost_hundredth_begins():
    figure = figures.ridgelines(histogram(*[np.append(NORMAL, 12.0)] * 20), LAYERS)
    edge = np.quantile(NORMAL, 0.995)
    assert all(edge < ridge["x"].max() < edge + 1 for ridge in _ridges(figure))
    assert "to 12.00" in _ridges(figure)[0]["text"]


def test_a_needle_of_many_layers_keeps_its_spike():
    rows = [np.append(np.zeros(9990), np.linspace(0, 1, 10))] * 20
    figure = figures.ridgelines(histogram(*rows), LAYERS)
    assert len(_marks(figure)["circle"]["x"]) == 20
    assert all(len(ridge["x"]) >= 4 for ridge in _ridges(figure))


def test_fractions_by_exponent_sum_to_one_and_match_a_count():
    tensor = np.array([0, 0, 1.0, 1.5, -1.2, 0.3, np.inf, np.nan])
    found, fractions, zero, nonfinite = fractions_by_exponent(exponents(tensor), [0])
    assert fractions.sum() + zero[0] + nonfinite[0] == pytest.approx(1)
    assert list(found) == [-2, -1, 0]
    np.testing.assert_allclose(fractions[0], [1 / 8, 0, 3 / 8])
    assert (zero[0], nonfinite[0]) == (2 / 8, 2 / 8)


def test_what_is_below_the_normal_numbers_is_not_called_zero(valid):
    arrays = {
        "sites": np.array(["model.linear1.weight"]),
        "zero": np.array([1]),
        "nonfinite": np.array([0]),
        "exponents": np.array([-127, -126]),
        "negative": np.array([[2, 0]]),
        "positive": np.array([[0, 1]]),
    }
    sizes, subnormal, zeros, _ = valid(figures.log2_histograms(arrays, LAYERS))["data"]
    assert (sizes["z"][0, 0], subnormal["z"][0, 0], zeros["z"][0, 0]) == (0.25, 0.5, 0.25)
    assert "exactly 0" in zeros["hovertemplate"]
    assert "below 2<sup>−126</sup>, but not 0" in subnormal["hovertemplate"]
    assert list(subnormal["x"]) == pytest.approx([-127 * DECADES_PER_BIN, -126 * DECADES_PER_BIN])


def test_sizes_stand_at_their_power_of_ten():
    sizes, zeros, others = figures.log2_histograms(exponents(np.full(5, 1e-3), np.zeros(5)), LAYERS)["data"]
    column = sizes["z"][0].argmax()
    low, high = sizes["x"][column : column + 2]
    assert low <= -3 < high
    assert high - low == pytest.approx(DECADES_PER_BIN, abs=1e-6)
    np.testing.assert_array_equal(zeros["z"][:, 0], [0, 1])
    assert not others["z"].any()


def test_layers_of_zeros_alone_can_be_drawn(valid):
    assert valid(figures.log2_histograms(exponents(np.zeros(4), np.zeros(4)), LAYERS))["data"][1]["z"].all()


def test_bands_are_the_recorded_percentiles():
    frame = deep(3, steps=30)
    outer, inner, median = figures.percentile_bands(frame, LAYERS, "model.activation2")["data"]

    def recorded(name):
        return frame[(frame["quantity"] == name) & (frame["site"] == "model.activation2")]["value"].to_numpy("f4")

    np.testing.assert_array_equal(median["y"], recorded("activation_p50"))
    np.testing.assert_array_equal(outer["y"][:30], recorded("activation_p95"))
    np.testing.assert_array_equal(outer["y"][30:], recorded("activation_p05")[::-1])
    np.testing.assert_array_equal(inner["y"][:30], recorded("activation_p75"))
    np.testing.assert_array_equal(inner["x"][30:], inner["x"][:30][::-1])


def test_without_a_site_first_middle_and_last_layer_share_the_step_axis():
    layout = figures.percentile_bands(deep(9, steps=5), LAYERS)["layout"]
    assert [note["text"] for note in layout["annotations"]] == ["layer 1", "layer 5", "layer 9"]
    domains = [layout[axis]["domain"] for axis in ("yaxis", "yaxis2", "yaxis3")]
    assert all(above[0] > below[1] for above, below in itertools.pairwise(domains))
    assert layout["xaxis"]["anchor"] == "y3"


def test_bands_skip_steps_that_are_not_finite():
    steps = [0, 1, 2]
    frame = scalars(
        *[(f"activation_p{p}", "model.activation1", steps, [1, np.nan, 2]) for p in ("05", "25", "50", "75", "95")]
    )
    assert list(figures.percentile_bands(frame, LAYERS, "model.activation1")["data"][2]["x"]) == [0, 2]
