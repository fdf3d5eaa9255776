"""Decision surfaces, their images, and data points."""

import base64
import struct
import zlib

import numpy as np
import pytest

from nnviz import figures
from nnviz.figures.kit import png_images, theme
from nnviz.figures.samples import decision_surface
from tests.figures.sample_records import data, grid


def read_png(source: str) -> np.ndarray:
    """The RGBA pixels (height, width, 4) of an indexed PNG without row filters; checks every chunk's checksum."""
    raw = base64.b64decode(source.removeprefix("data:image/png;base64,"))
    assert raw.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, at = {}, 8
    while at < len(raw):
        (size,) = struct.unpack(">I", raw[at : at + 4])
        body = raw[at + 4 : at + 8 + size]
        assert zlib.crc32(body) == struct.unpack(">I", raw[at + 8 + size : at + 12 + size])[0]
        chunks[body[:4]] = body[4:]
        at += 12 + size
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, width + 1)
    assert not rows[:, 0].any()
    colors = np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)
    palette = np.column_stack([colors, np.frombuffer(chunks[b"tRNS"], np.uint8)])
    return palette[rows[:, 1:]]


def _surface(classes, **options):
    figure = figures.decision_surface(grid(classes), data(classes=classes), **options)
    return figure, read_png(figure["layout"]["images"][0]["source"]) if figure["layout"]["images"] else None


def test_a_png_holds_the_pixels_it_was_given():
    pixels = np.random.default_rng(0).integers(0, 255, size=(7, 5)).astype(np.uint8)
    palette = np.random.default_rng(1).integers(0, 256, size=(255, 4)).astype(np.uint8)
    np.testing.assert_array_equal(read_png(png_images.png(pixels, palette)), palette[pixels])


@pytest.mark.parametrize("classes", [2, 3, 5, 10])
def test_every_point_has_the_color_of_its_likeliest_class(classes):
    _, pixels = _surface(classes)
    probabilities = grid(classes)["probabilities"].astype(float)
    size = len(pixels)
    times = size // 24
    # The middle of every grid place, top row first.
    shown = pixels[times // 2 :: times, times // 2 :: times][::-1]
    sure = probabilities.max(-1) > 0.5 + 0.5 / classes
    winner = probabilities.argmax(-1)
    expected = np.array([theme.rgb(theme.class_color(i)) for i in range(classes)])[winner]
    np.testing.assert_array_equal(shown[sure][:, :3], expected[sure])


def test_the_surer_the_network_the_stronger_the_color():
    _, pixels = _surface(2)
    # Two classes along x: sure at both ends, undecided in the middle.
    alpha = pixels[len(pixels) // 2, :, 3].astype(int)
    middle = len(alpha) // 2
    assert (np.diff(alpha[:middle]) <= 0).all()
    assert (np.diff(alpha[middle:]) >= 0).all()
    assert alpha[middle] < 25
    assert alpha[-1] == pytest.approx(255 * decision_surface.MAX_OPACITY, abs=2)


def test_the_image_covers_the_grid_with_the_top_row_on_top():
    arrays = grid(0) | dict.fromkeys(("probabilities", "scores"), np.zeros((24, 24, 2), np.float16))
    arrays.pop("prediction")
    arrays["probabilities"][:12, :, 0] = arrays["probabilities"][12:, :, 1] = 1  # class 1 where y > 0
    picture = figures.decision_surface(arrays, data())["layout"]["images"][0]
    pixels = read_png(picture["source"])
    assert tuple(pixels[0, 0, :3]) == theme.rgb(theme.class_color(1))
    assert tuple(pixels[-1, 0, :3]) == theme.rgb(theme.class_color(0))
    half = 2 / 23
    assert picture["x"] == pytest.approx(-2 - half)
    assert picture["y"] == pytest.approx(2 + half)
    assert picture["sizex"] == pytest.approx(4 + 2 * half)


def test_borders_cross_zero_where_two_classes_are_equally_likely():
    figure, pixels = _surface(2, style="borders")
    assert pixels is None
    contour = next(t for t in figure["data"] if t["type"] == "contour")
    row = contour["z"][12].astype(float)
    crossing = np.interp(0, row, contour["x"])  # class 0 lies at positive x
    assert abs(crossing) < 0.02


def test_more_classes_have_a_border_each_and_two_have_one():
    assert sum(t["type"] == "contour" for t in _surface(5, style="borders")[0]["data"]) == 5
    assert sum(t["type"] == "contour" for t in _surface(2, style="borders")[0]["data"]) == 1


def test_hover_tells_the_probability_of_every_class_in_percent():
    figure, _ = _surface(3)
    heatmap = figure["data"][0]
    assert heatmap["opacity"] == 0
    assert heatmap["customdata"].shape == (24, 24, 3)
    assert (np.abs(heatmap["customdata"].astype(int).sum(-1) - 100) <= 2).all()
    assert heatmap["hovertemplate"].count("customdata") == 3


def test_an_unknown_style_is_refused():
    with pytest.raises(ValueError, match=r"decision_surface: style must be 'soft' or 'borders', got 'hard'"):
        figures.decision_surface(grid(), data(), style="hard")


def test_train_points_are_filled_and_test_points_are_rings_in_their_class_colors():
    data_arrays = data(n=90, classes=3)
    figure = figures.decision_surface(grid(3), data_arrays)
    filled = [t for t in figure["data"] if t.get("name") in ("class 0", "class 1", "class 2")]
    for i, trace in enumerate(filled):
        chosen = (data_arrays["targets"] == i) & ~data_arrays["test"]
        np.testing.assert_array_equal(trace["x"], data_arrays["inputs"][chosen, 0])
        assert trace["marker"]["color"] == theme.class_color(i)
    rings = next(t for t in figure["data"] if t.get("name") == "test" and t["x"][0] is not None)
    assert rings["marker"]["symbol"] == "circle-open"
    assert rings["marker"]["color"] == [theme.class_color(i) for i in data_arrays["targets"][data_arrays["test"]]]


def test_at_most_two_thousand_points_are_drawn_and_that_is_said():
    figure = figures.decision_surface(grid(), data(n=9000))
    drawn = [t for t in figure["data"] if t["type"] == "scatter" and t["x"][0] is not None]
    assert 1900 < sum(len(t["x"]) for t in drawn) <= 2000
    assert [note["text"] for note in figure["layout"]["annotations"]] == ["2,000 of 9,000 points drawn"]
    x = np.linspace(-1, 1, 9)
    for n, notes in ((2000, []), (14_000, ["2,000 of 14,000 points drawn"])):
        curve = figures.regression_curve({"x": x, "prediction": x}, data(n=n, d=1, classes=0))
        assert [note["text"] for note in curve["layout"]["annotations"]] == notes, n
        plane = figures.decision_surface(grid(0), data(n=n, classes=0))
        assert [note["text"] for note in plane["layout"]["annotations"]] == notes, n


def test_where_probabilities_are_cut_to_the_same_value_the_larger_output_decides():
    arrays = grid(3)
    arrays["probabilities"] = np.full_like(arrays["probabilities"], 1 / 3)
    arrays["probabilities"][..., 2] = 0
    winner = arrays["scores"].astype(float).argmax(-1)
    figure = figures.decision_surface(arrays, data(classes=3))
    np.testing.assert_array_equal(figure["data"][0]["z"], winner)
    borders = figures.decision_surface(arrays, data(classes=3), style="borders")["data"]
    for i, contour in enumerate(t for t in borders if t["type"] == "contour"):
        np.testing.assert_array_equal(contour["z"] > 0, winner == i)


def test_axes_are_those_of_the_grid_with_equal_units():
    layout = figures.decision_surface(grid(), data())["layout"]
    assert layout["xaxis"]["range"] == layout["yaxis"]["range"] == pytest.approx([-2 - 2 / 23, 2 + 2 / 23])
    assert layout["yaxis"]["scaleanchor"] == "x"
    assert layout["xaxis"]["title"]["text"] == "feature 0"


def test_a_regressions_surface_and_points_have_one_scale_fixed_by_the_targets():
    data_arrays = data(classes=0)
    figure = figures.decision_surface(grid(0), data_arrays)
    ends = data_arrays["targets"].min(), data_arrays["targets"].max()
    surface, *points = figure["data"]
    assert (surface["zmin"], surface["zmax"]) == pytest.approx(ends)
    np.testing.assert_array_equal(surface["z"], grid(0)["prediction"])
    colored = [t["marker"] for t in points if "cmin" in t["marker"]]
    assert len(colored) == 2
    assert all((m["cmin"], m["cmax"]) == pytest.approx(ends) for m in colored)


def test_a_wild_prediction_does_not_move_the_data():
    x = np.linspace(-1, 1, 9)
    data_arrays = data(d=1, classes=0)
    calm = figures.regression_curve({"x": x, "prediction": np.zeros(9)}, data_arrays)
    wild = figures.regression_curve({"x": x, "prediction": np.full(9, 1e6)}, data_arrays)
    assert calm["layout"]["yaxis"]["range"] == wild["layout"]["yaxis"]["range"]
    np.testing.assert_array_equal(wild["data"][-1]["y"], np.full(9, 1e6, np.float32))


@pytest.mark.parametrize(("shift", "notes"), [(0.0, 0), (1e9, 1), (np.nan, 1)])
def test_a_prediction_outside_the_plot_is_noted(shift, notes):
    data = {
        "inputs": np.linspace(-1, 1, 5)[:, None],
        "targets": np.linspace(-1, 1, 5),
        "test": np.zeros(5, bool),
        "features": np.array(["x"]),
    }
    curve = {"x": np.linspace(-1, 1, 9), "prediction": np.linspace(-1, 1, 9) + shift}
    said = figures.regression_curve(curve, data)["layout"]["annotations"]
    assert [note["text"] for note in said] == ["the prediction is outside this plot"] * notes
