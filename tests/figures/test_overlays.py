"""Two runs can be compared by eye."""

import numpy as np
import pytest

from nnviz import figures
from nnviz.figures.kit import layout, theme
from tests.figures.sample_records import deep, deep_layers, exponents, histogram, scalars

ONE = scalars(("loss", "train", [0, 10], [1.0, 0.5]), ("loss", "batch", [1, 2], [9.0, 9.0]))
OTHER = scalars(("loss", "train", [0, 30], [2.0, 0.1]), ("loss", "test", [0, 30], [2.0, 0.2]))


def _axes(*drawn):
    return [(f["layout"]["xaxis"].get("range"), f["layout"]["yaxis"].get("range")) for f in drawn]


def test_runs_are_distinguished_by_dashes_and_splits_by_color():
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
    assert all(one is other for one, other in zip(after["data"], before["data"], strict=True))


def test_logarithmic_axes_are_equalised_in_powers_of_ten():
    first, second = (
        figures.layer_curves(deep(5, factor=f), "gradient_norm", deep_layers(5), smooth=0) for f in (0.5, 0.01)
    )
    one, other = figures.same_axes(first, second)
    low, high = one["layout"]["yaxis"]["range"]
    smallest = min(np.nanmin(t["y"]) for t in second["data"] if t["mode"] == "lines")
    assert low < np.log10(smallest) < low + 1
    assert _axes(one) == _axes(other)
    assert high < 1


def test_profiles_with_ranges_of_their_own_get_the_wider_one():
    frames = deep(5, factor=0.9), deep(5, factor=0.01)
    profiles = [figures.depth_profile(f, "gradient_norm", None, deep_layers(5)) for f in frames]
    ranges = [p["layout"]["yaxis"]["range"] for p in profiles]
    one, other = figures.same_axes(*profiles)
    assert _axes(one) == _axes(other)
    assert one["layout"]["yaxis"]["range"] == [min(r[0] for r in ranges), max(r[1] for r in ranges)]


def test_beside_a_logarithmic_axis_a_linear_one_becomes_so_too():
    one, other = figures.same_axes(figures.curves(ONE, log=True), figures.curves(OTHER, log=False))
    assert other["layout"]["yaxis"]["type"] == "log"
    assert _axes(one) == _axes(other)


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan])
def test_values_without_a_logarithm_keep_their_linear_axis(value):
    odd = scalars(("loss", "train", [0, 10], [1.0, value]))
    one, other = figures.same_axes(figures.curves(ONE, log=True), figures.curves(odd, log=False))
    assert "type" not in other["layout"]["yaxis"]
    assert "range" not in one["layout"]["yaxis"]
    assert "range" not in other["layout"]["yaxis"]


def test_colors_are_equalised():
    frames = exponents(np.full(9, 1e-3)), exponents(10.0 ** -np.arange(9.0))
    one, other = figures.same_axes(*(figures.log2_histograms(arrays, deep_layers(0)) for arrays in frames))
    assert one["layout"]["coloraxis"]["cmax"] == other["layout"]["coloraxis"]["cmax"] == 1
    assert _axes(one) == _axes(other)


def test_layers_stay_with_the_first_on_top():
    one, _ = figures.same_axes(*(figures.dead_and_saturated(deep(n), deep_layers(n)) for n in (5, 7)))
    assert one["layout"]["yaxis"]["range"] == [7.5, 0.5]


def test_ridgelines_of_different_depth_keep_their_rows():
    rng = np.random.default_rng(0)
    shallow, deeper = (histogram(*(rng.normal(size=99) for _ in range(n))) for n in (3, 8))
    one, other = figures.same_axes(*(figures.ridgelines(a, deep_layers(8)) for a in (shallow, deeper)))
    assert one["layout"]["xaxis"]["range"] == other["layout"]["xaxis"]["range"]


@pytest.mark.parametrize("missing", [0, 1])
def test_an_empty_figure_beside_another_stays_empty(missing):
    pair = [figures.curves(ONE), figures.curves(ONE)]
    pair[missing] = figures.curves(ONE[:0])
    assert [bool(f["data"]) for f in figures.same_axes(*pair)] == [missing == 1, missing == 0]


def _told(figure):
    return [t["name"] for t in figure["data"] if t.get("showlegend", True) and len(t["x"])]


def test_a_line_from_theory_on_one_side_leaves_both_plots_equally_high():
    widths = deep_layers(5)
    band = {f"signal_rms_{word}": np.full(6, value) for word, value in (("low", 0.5), ("median", 1), ("high", 2))}
    band |= {"networks": np.array(32), "covered": np.array(0.9)}
    with_line = figures.depth_profile(deep(5), "signal_rms", None, widths, band | {"signal_rms": np.ones(6)})
    without = figures.depth_profile(deep(5), "signal_rms", None, widths, band | {"no_line": np.array("batch norm")})
    names = [_told(figure) for figure in figures.same_axes(with_line, without)]
    assert names[0][:3] == names[1][:3] == ["90% of untrained<br>networks of this shape", "step 1", "step 50"]
    assert names[1][3] == "no theory line:<br>batch norm"
    assert len(names[0]) == len(names[1])
    assert {name.count("<br>") for pair in names for name in (pair[0], pair[3])} == {1}


def test_what_one_legend_explains_both_do_and_both_have_the_same_room():
    calm = scalars(("gradient_norm", "model.linear1.weight", [1, 2], [1.0, 2.0]))
    dead = scalars(("gradient_norm", "model.linear1.weight", [1, 2], [1.0, 0.0]))
    one, other = figures.same_axes(
        *(figures.layer_curves(frame, "gradient_norm", deep_layers(5)) for frame in (calm, dead))
    )
    assert _told(one) == _told(other) == ["raw", "smoothed (weight 0.9)", "exactly 0"]
    assert one["layout"]["showlegend"] is other["layout"]["showlegend"] is True
    assert one["layout"]["margin"] == other["layout"]["margin"]


def test_each_legend_has_every_entry_once():
    for depths in ((20, 20), (5, 20)):
        pair = (figures.layer_curves(deep(n), "gradient_norm", deep_layers(n)) for n in depths)
        for figure in figures.same_axes(*pair):
            assert _told(figure) == ["raw", "smoothed (weight 0.9)"], depths


def test_both_sides_label_a_logarithmic_axis_alike():
    first, second = (
        figures.layer_curves(deep(5, factor=f), "gradient_norm", deep_layers(5), smooth=0) for f in (0.9, 0.001)
    )
    assert first["layout"]["yaxis"]["tickformat"] != second["layout"]["yaxis"]["tickformat"]
    ticks = [
        {key: figure["layout"]["yaxis"][key] for key in ("tickformat", "nticks", "labelalias", "range")}
        for figure in figures.same_axes(first, second)
    ]
    assert ticks[0] == ticks[1]


def test_figures_with_planes_of_their_own_keep_x_and_y():
    pair = [layout.figure([trace], title="plane", help="", x={"range": [0, size]}, y={}) for trace, size in _two()]
    for figure in pair:
        figure["layout"]["meta"]["own_plane"] = True
    first, second = figures.same_axes(*pair)
    assert (first["layout"]["xaxis"]["range"], second["layout"]["xaxis"]["range"]) == ([0, 1], [0, 20])
    assert first["layout"]["margin"] == second["layout"]["margin"]


def _two():
    return [({"type": "scatter", "x": [0, size], "y": [0, 1], "name": "a"}, size) for size in (1, 20)]


def _runs(count: int) -> dict:
    frame = scalars(("loss", "train", [0, 10], [1.0, 0.5]), ("loss", "test", [0, 10], [1.0, 0.6]))
    return {f"{'ABCDEFGH'[i]}: batch norm and a long name {i}": frame for i in range(count)}


def test_up_to_eight_runs_have_a_color_each_and_dashes_by_split():
    for count in range(3, 9):
        traces = [t for t in figures.overlay(_runs(count))["data"] if t["mode"] == "lines"]
        train, test = traces[::2], traces[1::2]
        assert len({t["line"]["color"] for t in train}) == len(train) == count
        assert [t["line"]["color"] for t in train] == [t["line"]["color"] for t in test]
        assert {t["line"]["dash"] for t in train} == {"solid"}
        assert {t["line"]["dash"] for t in test} == {"dash"}
    assert [t["name"] for t in traces[2:4]] == ["B: batch norm and…, train 0.500", "B: test 0.600"]
    assert "B: batch norm and a long name 1, " in traces[3]["hovertemplate"]


def test_what_holds_for_every_run_stands_in_the_legend_once():
    zero = scalars(("loss", "train", [0, 1, 2], [1.0, 0.0, 0.5]))
    for count in (3, 8):
        figure = figures.overlay(dict.fromkeys(_runs(count), zero), log=True, smooth=0.9)
        told = [t["name"] for t in figure["data"] if t.get("showlegend", True)]
        assert len(told) == len(set(told)) == count + 3
        assert {"exactly 0", "raw", "smoothed (weight 0.9)"} < set(told)


def test_any_number_of_figures_share_their_axes_and_none_stays_none():
    wide = [figures.curves(scalars(("loss", "train", [0, 10 * i], [1.0, i]))) for i in range(1, 9)]
    mixed = [None, *wide[:4], None, *wide[4:]]
    found = figures.same_axes(*mixed)
    assert [figure is None for figure in found] == [figure is None for figure in mixed]
    drawn = [figure for figure in found if figure]
    assert all(axes == _axes(drawn[0])[0] for axes in _axes(*drawn))
    assert drawn[0]["layout"]["xaxis"]["range"] == [0, 80]
    assert figures.same_axes() == ()
    assert figures.same_axes(None) == (None,)


def test_losses_of_any_number_of_networks_have_one_scale():
    planes = [{"train_loss": np.array([[float(i), 2.0 * i]])} for i in range(1, 9)]
    found = figures.shared_scale(*planes, None, {}, measure="train_loss", log=False)
    assert (found.low, found.high) == (1, 16)
    assert figures.shared_scale(None, {}, measure="train_loss") is None


def test_over_a_line_between_two_runs_stand_their_letters():
    line = {"x": np.linspace(0, 1, 3), "train_loss": np.array([1.0, 2.0, 1.5])}
    figure = figures.loss_line(line, ("A: 20 layers of 64", "B: batch norm"))
    assert [note["text"] for note in figure["layout"]["annotations"]] == ["<b>A</b>", "<b>B</b>"]
    assert figure["layout"]["meta"]["title"] == "Loss between A: 20 layers of 64 and B: batch norm"


def test_two_runs_at_step_0_are_distinguished_by_their_marks():
    traces = figures.overlay({"A": ONE[:1], "B": ONE[:1]})["data"]
    assert [t["mode"] for t in traces] == ["markers", "markers"]
    assert [t["marker"].get("symbol") for t in traces] == [None, "circle-open"]
