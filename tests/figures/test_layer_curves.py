"""Layers over the steps and over depth."""

import numpy as np
import pandas as pd
import pytest

from nnviz import figures
from nnviz.figures.kit import theme
from tests.figures.sample_records import deep, layers, scalars, sites

DEPTH = 20
FRAME = deep(DEPTH)
LAYERS = layers(8, *[16] * DEPTH, 3)


def _recorded(quantity, site, frame=FRAME):
    return frame[(frame["quantity"] == quantity) & (frame["site"] == site)]["value"].to_numpy()


def _drawn(figure):
    return [t for t in figure["data"] if t["type"] == "scatter" and t["mode"].startswith("lines")]


def test_every_layer_has_a_line_by_depth_and_its_weights_alone():
    traces = _drawn(figures.layer_curves(FRAME, "gradient_norm", LAYERS, smooth=0))
    assert [t["name"] for t in traces] == [f"layer {i}" for i in range(1, 21)] + ["output"]
    for trace, site in zip(traces, sites(DEPTH), strict=True):
        np.testing.assert_array_equal(trace["y"], np.float32(_recorded("gradient_norm", f"{site}.weight")))


def test_biases_can_be_chosen():
    trace = _drawn(figures.layer_curves(FRAME, "gradient_norm", LAYERS, role="bias", smooth=0))[0]
    np.testing.assert_array_equal(trace["y"], np.float32(_recorded("gradient_norm", "model.linear1.bias")))


def test_first_and_last_layer_have_the_ends_of_the_ramp():
    traces = _drawn(figures.layer_curves(FRAME, "gradient_norm", LAYERS, smooth=0))
    assert traces[0]["line"]["color"] == theme.DEPTH[0]
    assert traces[-1]["line"]["color"] == theme.DEPTH[-1]


def test_smoothing_averages_logarithms():
    frame = scalars(("gradient_norm", "model.linear1.weight", [1, 2], [1.0, 100.0]))
    raw, averaged, *keys = _drawn(figures.layer_curves(frame, "gradient_norm", LAYERS, smooth=0.5))
    np.testing.assert_allclose(raw["y"], [1, 100])
    np.testing.assert_allclose(averaged["y"], [1, 10 ** (2 * 2 / 3)], rtol=1e-6)
    assert [key["name"] for key in keys] == ["raw", "smoothed (weight 0.5)"]


def test_what_was_measured_is_seen_behind_its_average_however_many_layers():
    for depth in (3, DEPTH):
        frame = deep(depth)
        figure = figures.layer_curves(frame, "gradient_norm", LAYERS, smooth=0.9)
        behind = [t for t in figure["data"] if t.get("opacity", 1) < 1]
        values = np.concatenate([t["y"][np.isfinite(t["y"])] for t in behind])
        expected = np.concatenate([_recorded("gradient_norm", f"{site}.weight", frame) for site in sites(depth)])
        np.testing.assert_allclose(values, expected, rtol=1e-6, err_msg=str(depth))
        assert len(behind) <= 8, depth


def test_fifty_layers_stay_light_and_readable():
    figure = figures.layer_curves(deep(50, steps=200), "gradient_norm", LAYERS)
    assert sum(t["x"].nbytes + t["y"].nbytes for t in _drawn(figure) if len(t["x"]) > 1) < 100_000
    colorbar = figure["data"][-3]["marker"]["colorbar"]
    assert len(colorbar["ticktext"]) <= 12
    assert [t["name"] for t in _drawn(figure) if t.get("showlegend", True)] == ["raw", "smoothed (weight 0.9)"]


def test_layers_with_zero_gradient_are_marked_not_dropped():
    frame = scalars(("gradient_norm", "model.linear1.weight", [1, 2, 3], [1.0, 0.0, np.inf]))
    figure = figures.layer_curves(frame, "gradient_norm", LAYERS)
    zero, bad = figure["data"][-2:]
    assert list(zero["x"]) == [2]
    assert list(bad["x"]) == [3]


def test_layers_recorded_at_different_steps_are_not_taken_for_nan():
    frame = scalars(
        ("gradient_norm", "model.linear1.weight", [1, 2, 3], [1.0, 2.0, 3.0]),
        ("gradient_norm", "model.output.weight", [2], [5.0]),
    )
    assert len(figures.layer_curves(frame, "gradient_norm", LAYERS)["data"][-1]["x"]) == 0


def test_update_ratios_are_logarithms_with_the_band_around_minus_three():
    figure = figures.update_ratios(FRAME, LAYERS, smooth=0)
    expected = np.log10(_recorded("update_ratio", "model.linear1.weight"))
    np.testing.assert_allclose(_drawn(figure)[0]["y"], expected, rtol=1e-5)
    band = figure["layout"]["shapes"][0]
    assert (band["y0"], band["y1"]) == (-3.5, -2.5)
    assert "typical" in figure["data"][-1]["name"]


def test_dead_and_saturated_fractions_are_drawn_layer_by_step_with_the_first_layer_on_top():
    dead, saturated = (t for t in figures.dead_and_saturated(FRAME, LAYERS)["data"])
    assert dead["z"].shape == (20, 50)
    np.testing.assert_array_equal(dead["z"][3], np.float32(_recorded("dead_fraction", "model.activation4")))
    assert not saturated["z"].any()
    layout = figures.dead_and_saturated(FRAME, LAYERS)["layout"]
    assert layout["yaxis"]["range"][0] > layout["yaxis"]["range"][1]
    assert [note["text"] for note in layout["annotations"]] == [
        "dead units: at most 50.0% of a layer",
        "saturated values: none",
    ]


def test_a_fraction_below_the_precision_is_not_shown_as_zero():
    frame = scalars(("dead_fraction", "model.activation1", [0], [1e-4]))
    assert (
        figures.dead_and_saturated(frame, LAYERS)["layout"]["annotations"][0]["text"]
        == "dead units: less than 0.1% of a layer"
    )


def test_the_newest_step_is_among_the_columns_of_many():
    frame = scalars(("dead_fraction", "model.activation1", list(range(1000)), list(np.linspace(0, 1, 1000))))
    heatmap = figures.dead_and_saturated(frame, LAYERS)["data"][0]
    assert heatmap["z"].shape == (1, 200)
    assert heatmap["x"][-1] == 999


@pytest.mark.parametrize("step", [1, 30, None])
def test_profile_shows_the_chosen_step(step):
    figure = figures.depth_profile(FRAME, "gradient_norm", step, LAYERS)
    now = next(t for t in _drawn(figure) if t["name"] == f"step {step or 50}")
    expected = [_recorded("gradient_norm", f"{site}.weight")[(step or 50) - 1] for site in sites(DEPTH)]
    np.testing.assert_array_equal(now["y"], np.float32(expected))
    np.testing.assert_array_equal(now["x"], np.arange(1, DEPTH + 2))


def _theory(**lines):
    return {**lines, "networks": np.array(32), "covered": np.array(0.9)}


def test_the_line_of_infinite_width_is_drawn_as_it_is_and_named_so():
    expected = np.linspace(1, 2, DEPTH + 1)
    figure = figures.depth_profile(FRAME, "activation_rms", 30, LAYERS, _theory(activation_rms=expected))
    line = next(t for t in _drawn(figure) if t["line"].get("dash") == "dash")
    np.testing.assert_allclose(line["y"], expected[:-1], rtol=1e-6)  # the output has no activation
    assert line["name"].replace("<br>", " ") == "theory, untrained, infinite width"
    assert "in the limit of infinite width" in figure["layout"]["meta"]["help"]


def test_the_band_of_random_networks_lies_between_its_ends_and_says_how_many_there_are():
    low, median, high = (factor * np.ones(DEPTH + 1) for factor in (0.5, 1, 3))
    low[:2] = 0
    band = {"gradient_norm_low": low, "gradient_norm_median": median, "gradient_norm_high": high}
    figure = figures.depth_profile(
        FRAME, "gradient_norm", 30, LAYERS, _theory(**band) | {"no_line": np.array("batch norm")}
    )
    area, middle = _drawn(figure)[:2]
    assert area["name"].replace("<br>", " ") == "90% of untrained networks of this shape"
    np.testing.assert_allclose(area["y"][: DEPTH + 1], high)
    bottom = 10 ** figure["layout"]["yaxis"]["range"][0]
    np.testing.assert_allclose(area["y"][DEPTH + 1 :][::-1], np.maximum(low, bottom), rtol=1e-5)
    np.testing.assert_allclose(middle["y"], median)
    assert list(middle["customdata"][0]) == ["layer 1", "0", "3.000"]
    assert "90% of networks of this shape" in figure["layout"]["meta"]["help"]
    # Gradients of weights never have a line, so none is missed.
    assert not any("no theory" in t["name"] for t in figure["data"])


def test_a_profile_says_why_there_is_no_line_or_no_band():
    line, band = "no theory line: batch norm", "no band: network too large"
    batch_norm, large = {"no_line": np.array("batch norm")}, {"no_band": np.array("network too large")}
    for quantity, theory, expected in (
        ("signal_rms", batch_norm, [line]),
        ("signal_rms", {"signal_rms": np.ones(DEPTH + 1)} | large, [band]),
        ("signal_rms", batch_norm | large, [line, band]),
        ("gradient_norm", batch_norm | large, [band]),
        ("gradient_norm", batch_norm, [line]),
        ("signal_rms", {}, []),
    ):
        figure = figures.depth_profile(FRAME, quantity, 30, LAYERS, theory)
        names = [t["name"].replace("<br>", " ") for t in figure["data"]]
        assert [name for name in names if name.startswith("no ")] == expected, (quantity, theory)


def test_the_spread_between_samples_is_drawn_over_the_hidden_layers_from_step_0_on():
    falling = 0.73 * 0.25 ** np.arange(4.0)
    series = [("preactivation_spread", f"model.activation{i + 1}", [0, 10], [v, 2 * v]) for i, v in enumerate(falling)]
    figure = figures.depth_profile(scalars(*series), "preactivation_spread", None, layers(64, 8, 8, 8, 8, 10))
    start, now = _drawn(figure)
    assert (start["name"], now["name"]) == ("step 0", "step 10")
    np.testing.assert_allclose(start["y"], falling, rtol=1e-6)
    np.testing.assert_array_equal(now["x"], [1, 2, 3, 4])
    assert figure["layout"]["meta"]["title"] == "Pre-activation spread across samples (std) over depth"


def test_rms_is_made_of_mean_and_deviation():
    figure = figures.depth_profile(FRAME, "activation_rms", 30, LAYERS)
    mean, std = (_recorded(f"activation_{what}", "model.activation7")[29] for what in ("mean", "std"))
    now = next(t for t in _drawn(figure) if t["name"] == "step 30")
    assert now["y"][6] == pytest.approx(np.hypot(mean, std), rel=1e-6)


def test_a_layer_without_gradient_is_marked_in_the_profile():
    series = [
        ("gradient_norm", f"{site}.weight", [1], [value]) for site, value in zip(sites(2), [0, 1, 2], strict=True)
    ]
    figure = figures.depth_profile(scalars(*series), "gradient_norm", 1, layers(4, 3, 3, 2))
    zero = next(t for t in figure["data"] if t["name"] == "exactly 0")
    assert list(zero["x"]) == [1]
    low, high = figure["layout"]["yaxis"]["range"]
    assert low < np.log10(zero["y"][0]) < high


def test_a_level_profile_looks_level():
    series = [("gradient_norm", f"{site}.weight", [1], [1 + 0.01 * i]) for i, site in enumerate(sites(5))]
    low, high = figures.depth_profile(scalars(*series), "gradient_norm", 1, layers(*[4] * 7))["layout"]["yaxis"][
        "range"
    ]
    assert high - low == pytest.approx(2, abs=1e-6)


def test_bars_are_root_mean_squares():
    figure = figures.layer_bars(FRAME, 20, LAYERS)
    weight = figure["data"][0]
    norm = _recorded("weight_norm", "model.linear2.weight")[19]
    heading = figure["layout"]["annotations"][0]["text"]
    power = int(heading.split("10<sup>")[1].split("<")[0].replace("−", "-")) if "sup" in heading else 0
    assert weight["x"][1] * 10.0**power == pytest.approx(norm / np.sqrt(16 * 16), rel=1e-5)


def test_bars_start_at_zero():
    layout = figures.layer_bars(FRAME, 20, LAYERS)["layout"]
    assert all(layout[axis]["range"][0] == 0 for axis in ("xaxis", "xaxis2", "xaxis3"))


def test_bars_take_each_quantity_from_its_own_last_step():
    frame = scalars(
        ("weight_norm", "model.output.weight", [1, 2], [1.0, 2.0]), ("update_norm", "model.output.weight", [1], [0.5])
    )
    weight, _, update = figures.layer_bars(frame, None, layers(1, 1))["data"]
    assert weight["x"][0] == 2
    assert update["x"][0] == 0.5


def test_bars_say_when_they_were_measured_if_that_was_earlier():
    frame = scalars(
        ("weight_norm", "model.output.weight", [1, 10], [1.0, 2.0]),
        ("gradient_norm", "model.output.weight", [1, 10], [1.0, 2.0]),
        ("update_norm", "model.output.weight", [1, 10], [1.0, 2.0]),
    )
    for step, said in ((10, []), (3, ["measured at step 1"]), (13, ["measured at step 10"]), (None, [])):
        notes = [note["text"] for note in figures.layer_bars(frame, step, layers(1, 1))["layout"]["annotations"]]
        assert [text for text in notes if text.startswith("measured")] == said


def test_a_profile_names_the_step_that_it_was_measured_at():
    series = [("gradient_norm", f"{site}.weight", [1, 10], [1.0, 2.0]) for site in sites(5)]
    figure = figures.depth_profile(scalars(*series), "gradient_norm", 600, layers(*[4] * 7))
    assert [trace["name"] for trace in figure["data"][:2]] == ["step 1", "step 10"]


def test_step_0_has_profile_and_bars_without_an_update():
    series = [
        (quantity, f"{site}.weight", [0], [2.0]) for quantity in ("weight_norm", "gradient_norm") for site in sites(5)
    ]
    untrained, net = scalars(*series), layers(*[4] * 7)
    (line,) = [t for t in figures.depth_profile(untrained, "gradient_norm", 0, net)["data"] if t["name"] == "step 0"]
    assert line["y"].tolist() == [2.0] * 6
    later = pd.concat([untrained, scalars(*[("update_norm", f"{site}.weight", [1], [0.1]) for site in sites(5)])])
    for frame in (untrained, later):
        figure = figures.layer_bars(frame, 0, net)
        weight, gradient, update = figure["data"]
        assert np.isfinite(weight["x"]).all()
        assert np.isfinite(gradient["x"]).all()
        assert np.isnan(update["x"]).all()
        assert "update: none yet" in [note["text"] for note in figure["layout"]["annotations"]]
    empty = figures.update_ratios(untrained, net)
    assert not empty["data"]
    assert "first update" in empty["layout"]["annotations"][0]["text"]


def test_bands_of_a_single_step_are_strokes_from_percentile_to_percentile():
    series = [(f"activation_p{p}", "model.activation1", [0], [float(p)]) for p in ("05", "25", "50", "75", "95")]
    outer, inner, median = figures.percentile_bands(scalars(*series), layers(4, 3, 2))["data"]
    for trace, ends in ((outer, {5, 95}), (inner, {25, 75})):
        assert set(trace["y"]) == ends
        assert trace["line"]["width"] > 0
    assert (median["y"].tolist(), median["mode"]) == ([50], "markers")
    assert not any(trace["cliponaxis"] for trace in (outer, inner, median))
