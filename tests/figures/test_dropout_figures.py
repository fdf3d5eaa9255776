"""Figures of dropout: what is dropped is crossed out and has no lines; theory and measurement are where they belong."""

import numpy as np
import pytest

from nnviz import figures
from nnviz.figures.dropout.uncertainty_map import SHOWN
from tests.each import each
from tests.figures import dropout_arrays as arrays
from tests.figures.exported_tables import table_of
from tests.figures.sample_records import data, layers, network

WIDTHS = (2, 8, 20, 2)


def diagram(**options):
    """The diagram of 2-8-20-2 with maps; and its recorded weights."""
    recorded = network(*WIDTHS, maps=8)
    return figures.network_diagram(recorded, data(), layers(*WIDTHS), **options), recorded


def lines_of(figure) -> int:
    return sum(len(t["x"]) // 3 for t in figure["data"] if t["mode"] == "lines" and "opacity" in t)


def crosses_of(figure) -> list[dict]:
    return [t for t in figure["data"] if "x-thin" in t.get("marker", {}).get("symbol", ())]


@pytest.mark.parametrize("sample", [0, 3])
def test_dropped_units_are_crossed_out_and_have_no_lines(sample):
    masks = arrays.masks(0, 8, 20)
    figure, recorded = diagram(masks=masks, sample=sample)
    kept = {0: np.ones(2, bool), 3: np.ones(2, bool)}
    kept |= {layer: masks[f"mask_{layer}"][sample] for layer in (1, 2)}
    expected = sum(
        np.count_nonzero(recorded[f"weight_{i}"][:16, :16][kept[i][:16]][:, kept[i - 1][:16]]) for i in (1, 2, 3)
    )
    assert lines_of(figure) == expected < lines_of(diagram()[0])
    (crosses,) = crosses_of(figure)
    dropped = sum((~kept[i][:16]).sum() for i in (1, 2))
    assert len(crosses["x"]) == dropped
    headers = next(t["text"] for t in figure["data"] if t["mode"] == "text" and "input" in t["text"][0])
    assert f"{masks['kept_2'][sample]} of 20 kept" in headers[2]
    assert "step 7" in figure["layout"]["meta"]["help"]
    hover = [text for t in figure["data"] for text in np.atleast_1d(t.get("text", ())) if "dropped for" in str(text)]
    assert len(hover) == dropped


def test_without_masks_nothing_is_crossed_out():
    for masks in (None, {}):
        figure, _ = diagram(masks=masks)
        assert crosses_of(figure) == []
        assert "rossed" not in figure["layout"]["meta"]["help"]


def test_the_table_of_the_diagram_has_all_weights_and_the_mask():
    masks = arrays.masks(0, 8, 20)
    table = table_of(diagram(masks=masks, sample=1)[0])
    assert (table["kind"] == "weight").sum() == 8 * 2 + 16 * 8 + 2 * 16
    mask = table[table["kind"] == "mask"]
    assert mask["value"].tolist() == [*masks["mask_1"][1].astype(int), *masks["mask_2"][1].astype(int)]


def test_dropped_pixels_of_an_input_image_are_zero_in_it():
    pixels = data(d=64, classes=3, image_shape=(8, 8))
    recorded = network(64, 8, 3) | {"weight_1": np.ones((8, 64))}
    masks = arrays.masks(64, 8)
    masks["mask_0"] = np.zeros((4, 64), bool)
    plain, dropped = (
        figures.network_diagram(recorded, pixels, layers(64, 8, 3), masks=m)["layout"]["images"][0]["source"]
        for m in ({}, masks)
    )
    assert plain != dropped


@each("show", ["mean", "std"])
def test_theory_of_dropout_is_a_line_over_the_measured_points(show):
    found = arrays.activations()
    figure = figures.dropout_activations(found, layers(2, 8, 8, 2), show=show)
    *measured, theory = figure["data"]
    for layer, trace in enumerate(measured, 1):
        assert trace["x"] == pytest.approx(found[f"eval_{layer}"])
        assert trace["y"] == pytest.approx(found[f"{show}_{layer}"])
    x, y = (np.asarray(theory[axis], float) for axis in "xy")
    assert y == pytest.approx(x if show == "mean" else (0.2 / 0.8) ** 0.5 * np.abs(x))
    assert "30 random masks" in figure["layout"]["meta"]["help"]


def test_averages_over_masks_are_drawn_against_weight_scaling():
    found = arrays.averages()
    figure = figures.mask_averages(found)
    names = [trace["name"] for trace in figure["data"]]
    assert names[1].startswith("geometric mean (largest difference 0.0050")
    for trace, site in zip(figure["data"], ("arithmetic_mean", "geometric_mean"), strict=True):
        assert trace["x"] == pytest.approx(found["weight_scaling"])
        assert trace["y"] == pytest.approx(found[site])


def test_the_map_of_uncertainty_has_what_was_recorded_and_one_scale_for_all_networks():
    found = arrays.uncertainty(3)
    predicted = found["mean"].argmax(-1)
    expected = {
        "std": np.take_along_axis(found["std"], predicted[..., None], -1)[..., 0],
        "information": found["information"],
        "mean": found["mean"].max(-1),
    }
    ends = {"std": (0, 0.5), "information": (0, np.log2(3) / 2), "mean": (1 / 3, 1)}
    for show in SHOWN:
        surface = figures.uncertainty_map(found, data(classes=3), show=show)["data"][0]
        assert surface["z"] == pytest.approx(expected[show], rel=1e-5), show
        assert (surface["zmin"], surface["zmax"]) == pytest.approx(ends[show]), show
    with pytest.raises(ValueError, match="show must be one of std, information, mean, got 'variance'"):
        figures.uncertainty_map(found, data(classes=3), show="variance")


def test_the_band_is_two_standard_deviations_wide_on_each_side():
    found = arrays.band()
    low, high = figures.uncertainty_band(found, data(d=1, classes=0))["data"][:2]
    assert high["y"] - low["y"] == pytest.approx(4 * found["std"][:, 0], rel=1e-5)
    assert high["name"] == "± 2 std"


@each("shape", [(1, 8, 8), (4,)])
def test_uncertain_samples_have_a_bar_and_a_whisker_for_each_class(shape):
    found = arrays.samples(shape)
    pixels = data(d=64, classes=10, image_shape=(8, 8)) if len(shape) == 3 else data(d=4, classes=10)
    figure = figures.uncertain_samples(found, pixels)
    *bars, outlines = figure["data"]
    assert len(bars) == 10
    for i, bar in enumerate(bars):
        assert bar["y"] == pytest.approx(found["mean"][:6, i])
        assert bar["error_y"]["array"] == pytest.approx(found["std"][:6, i])
    assert outlines["y"] == pytest.approx(found["mean"][np.arange(6), found["true"][:6]])
    assert len(figure["layout"]["images"]) == (6 if len(shape) == 3 else 0)
