"""The diagram of a network shows every weight and bias correctly."""

import base64
import json

import numpy as np
import pytest

from nnviz import figures
from nnviz.figures.kit import theme
from nnviz.figures.networks import edges
from tests.each import each
from tests.figures.sample_records import data, layers, network
from tests.figures.test_decision_surface import read_png


def _figure(*widths, maps=0, data_arrays=None, **changes):
    arrays = network(*widths, maps=maps) | changes
    return figures.network_diagram(arrays, data_arrays or data(d=widths[0]), layers(*widths)), arrays


def _edges(figure):
    return [t for t in figure["data"] if t["mode"] == "lines" and "opacity" in t]


def _tellers(figure):
    return [t for t in figure["data"] if "weight" in t.get("hovertemplate", "")]


def test_every_weight_is_in_a_hover_text_exactly():
    figure, arrays = _figure(2, 8, 8, 4, 1, maps=8)
    for i, teller in enumerate(_tellers(figure), 1):
        weights, source, to = teller["customdata"].T
        np.testing.assert_array_equal(weights, arrays[f"weight_{i}"][to.astype(int) - 1, source.astype(int) - 1])
    assert len(_tellers(figure)) == 4


def test_no_two_hover_texts_of_weights_are_at_the_same_point():
    figure, _ = _figure(8, 8, 8)
    for teller in _tellers(figure):
        assert len(set(zip(teller["x"].tolist(), teller["y"].tolist(), strict=True))) == 64


def test_every_weight_but_zero_has_a_line():
    figure, arrays = _figure(2, 3, 1, weight_1=np.array([[1, 0], [-0.001, 2], [0, 0]]))
    lines = sum(len(t["x"]) // 3 for t in _edges(figure))
    assert lines == 3 + np.count_nonzero(arrays["weight_2"])


@pytest.mark.parametrize("sign", [-1, 1])
def test_lines_have_the_color_of_their_sign(sign):
    figure, _ = _figure(2, 3, 1, weight_1=sign * np.ones((3, 2)), weight_2=sign * np.ones((1, 3)))
    drawn = {t["line"]["color"] for t in _edges(figure) if len(t["x"])}
    assert drawn == {theme.NEGATIVE if sign < 0 else theme.POSITIVE}


def test_width_grows_with_the_weight():
    levels = edges.width_levels(np.linspace(-2, 2, 400), reference=2.0)
    widths = [edges.line_width(level) for level in levels[200:]]
    assert (np.diff(widths) >= 0).all()
    np.testing.assert_array_equal(levels, levels[::-1])
    assert edges.line_width(8) == edges.MAX_WIDTH
    assert widths[0] < 0.25 * edges.MAX_WIDTH


def test_levels_hold_zero_nan_and_what_is_beyond_the_reference():
    np.testing.assert_array_equal(edges.width_levels(np.array([0.0, np.nan, 1e-9, 5.0, np.inf]), 1.0), [0, 0, 1, 8, 8])


@each(("value", "above"), [(0, 0.1), (0.1, 0.1), (0.11, 0.2), (0.3, 0.5), (0.9, 1), (1.0, 1), (33, 50)])
def test_the_reference_is_the_next_one_two_or_five(value, above):
    assert edges.round_up(value) == pytest.approx(above)


def test_a_note_gives_the_weight_of_the_widest_line():
    figure, _ = _figure(2, 3, 1, weight_1=np.full((3, 2), 3.3), weight_2=np.ones((1, 3)))
    assert any("|weight| = 5" in note["text"] for note in figure["layout"]["annotations"])


def test_weights_that_are_not_finite_are_counted():
    figure, _ = _figure(2, 3, 1, weight_1=np.array([[np.nan, 1], [np.inf, 1], [1, 1]]))
    assert any("2 weights are not finite" in note["text"] for note in figure["layout"]["annotations"])


def test_the_number_of_traces_stays_the_same_as_weights_change():
    one, _ = _figure(2, 8, 1, maps=8)
    other, _ = _figure(2, 8, 1, maps=8, weight_1=np.zeros((8, 2)))
    assert len(one["data"]) == len(other["data"])


def test_every_bias_is_shown_the_outputs_too():
    figure, arrays = _figure(2, 5, 3, 1, maps=8)
    squares = next(t for t in figure["data"] if t["mode"] == "markers" and t["marker"].get("symbol") == "square")
    expected = np.concatenate([arrays[f"bias_{i}"] for i in (1, 2, 3)])
    np.testing.assert_array_equal(squares["marker"]["color"], expected)
    assert squares["marker"]["cmin"] == -squares["marker"]["cmax"]
    assert np.abs(expected).max() <= squares["marker"]["cmax"]
    hover = next(t for t in figure["data"] if t.get("text") and "bias" in " ".join(t["text"]))
    assert sum("bias" in words for words in hover["text"]) == 9


def test_layers_without_bias_say_so():
    arrays = network(2, 3, 1, maps=8)
    del arrays["bias_1"]
    figure = figures.network_diagram(arrays, data(), layers(2, 3, 1))
    hover = next(t for t in figure["data"] if t.get("text") and "no bias" in " ".join(t["text"]))
    assert sum("no bias" in words for words in hover["text"]) == 3


def test_neurons_show_their_maps_on_one_scale_a_layer():
    maps = np.zeros((2, 4, 4), np.float16)
    maps[0, 0, 0], maps[0, 3, 3], maps[1] = -2, 1, 0.5
    figure, _ = _figure(2, 2, 1, maps=4, maps_1=maps)
    strips = sorted(figure["layout"]["images"], key=lambda image: image["x"])
    pixels = read_png(strips[1]["source"])
    assert pixels.shape[1] == 4
    # Row 0 of a map is the lowest y, hence at the bottom of its box.
    assert tuple(pixels[3, 0]) == (*theme.rgb(theme.NEGATIVE), 255)
    assert tuple(pixels[0, 3, :3]) == theme.rgb(theme.POSITIVE)
    assert pixels[0, 3, 3] == pytest.approx(255 / 2, abs=2)
    assert pixels[1, 1, 3] == 0
    second = pixels[5:9]
    np.testing.assert_allclose(second[..., 3], 255 / 4, atol=2)


def test_outputs_of_a_classifier_are_in_the_colors_of_their_classes():
    maps = np.stack([np.ones((4, 4)), np.zeros((4, 4)), np.ones((4, 4))]).astype(np.float16)
    figure, _ = _figure(2, 3, maps=4, data_arrays=data(classes=3), maps_1=maps)
    pixels = read_png(max(figure["layout"]["images"], key=lambda image: image["x"])["source"])
    assert tuple(pixels[0, 0]) == (*theme.rgb(theme.class_color(0)), 255)
    assert pixels[5, 0, 3] == 0
    assert tuple(pixels[10, 0]) == (*theme.rgb(theme.class_color(2)), 255)


def test_maps_lie_on_their_neurons():
    figure, _ = _figure(2, 5, 3, maps=8)
    outlines = next(t for t in figure["data"] if t["mode"] == "lines" and "opacity" not in t)
    for image in figure["layout"]["images"]:
        corners = outlines["x"] == np.float32(image["x"])
        assert outlines["y"][corners].max() == pytest.approx(image["y"], abs=1e-5)


def test_one_dimensional_inputs_have_curves():
    arrays = network(1, 3, 1) | {f"maps_{i}": np.ones((n, 20), np.float16) for i, n in enumerate((1, 3, 1))}
    figure = figures.network_diagram(arrays, data(d=1, classes=0), layers(1, 3, 1))
    assert not figure["layout"]["images"]
    curve = next(t for t in figure["data"] if t["mode"] == "lines" and len(t["x"]) == 5 * 21)
    assert np.isnan(curve["y"]).sum() == 5


def test_first_layer_of_an_image_network_shows_its_weights_as_images():
    weights = np.zeros((4, 64), np.float32)
    weights[:, 0], weights[:, 63] = 1, -1
    data_arrays = data(d=64, image_shape=(8, 8))
    figure = figures.network_diagram(network(64, 4, 2) | {"weight_1": weights}, data_arrays, layers(64, 4, 2))
    sample, pictures = (read_png(i["source"]) for i in sorted(figure["layout"]["images"], key=lambda i: i["x"]))
    assert sample.shape == (8, 8, 4)
    assert tuple(pictures[0, 0]) == (*theme.rgb(theme.POSITIVE), 255)  # pixel 0 is the picture's top left
    assert tuple(pictures[7, 7]) == (*theme.rgb(theme.NEGATIVE), 255)


def test_layers_without_images_are_discs_in_the_color_of_their_bias():
    figure, arrays = _figure(5, 4, 3)
    discs = next(t for t in figure["data"] if t["mode"] == "markers" and t["marker"].get("symbol") == "circle")
    np.testing.assert_array_equal(discs["marker"]["color"][5:], np.concatenate([arrays["bias_1"], arrays["bias_2"]]))
    assert not discs["marker"]["color"][:5].any()
    assert not figure["layout"]["images"]


def test_wide_layers_show_sixteen_neurons_and_say_how_many_there_are():
    figure, _ = _figure(5, 256, 3)
    headers = next(t for t in figure["data"] if t["mode"] == "text" and any("layer 1" in text for text in t["text"]))
    assert any("16 of 256" in text for text in headers["text"])
    assert "first 16 neurons are shown; the exported weights.pt" in figure["layout"]["meta"]["help"]
    assert any(note["text"] == "128 of 2,048 weights shown" for note in figure["layout"]["annotations"])
    assert _tellers(figure)[0]["customdata"].shape == (5 * 16, 3)


def test_narrow_layers_need_no_such_note():
    figure, _ = _figure(2, 8, 1, maps=8)
    assert not any("weights shown" in note["text"] for note in figure["layout"]["annotations"])
    assert "first" not in figure["layout"]["meta"]["help"]


def test_an_input_image_does_not_count_as_omitted_neurons():
    pixels = data(d=64, classes=3, image_shape=(8, 8))
    notes = {}
    for width in (8, 32):
        arrays = network(64, width, 3) | {"weight_1": np.ones((min(width, 16), 64))}
        layout = figures.network_diagram(arrays, pixels, layers(64, width, 3))["layout"]
        notes[width] = " ".join(note["text"] for note in layout["annotations"])
        assert "Gray lines" in layout["meta"]["help"]
    assert "weights shown" not in notes[8]
    assert "gray: connected to all pixels" in notes[8]
    assert "670 of 2,144 weights shown" in notes[32]  # 10 · 64 in the pictures, 10 · 3 as lines


def test_inputs_that_are_left_out_are_counted():
    figure, _ = _figure(30, 8, 3)
    assert any("152 of 264 weights shown" in note["text"] for note in figure["layout"]["annotations"])


def test_very_deep_networks_show_their_ends_and_say_what_is_left_out():
    figure, _ = _figure(4, *[6] * 20, 3)
    headers = next(t for t in figure["data"] if t["mode"] == "text" and "input" in t["text"])
    assert [text.split("<br>")[0] for text in headers["text"]] == [
        "input", "layer 1", "layer 2", "layer 3", "layer 19", "layer 20", "output",
    ]  # fmt: skip
    told = [note["text"] for note in figure["layout"]["annotations"]]
    assert any("15 layers" in text for text in told)
    assert "150 of 726 weights shown" in told
    assert len(_tellers(figure)) == 5


def test_inputs_and_classes_are_named():
    figure, _ = _figure(2, 3, 3, maps=8, data_arrays=data(classes=3))
    words = [text for t in figure["data"] if t["mode"] == "text" for text in t["text"]]
    assert {"feature 0", "feature 1", "class 0", "class 1", "class 2"} <= set(words)


def test_a_small_network_takes_less_than_60_kb():
    """2-8-8-4-1: the bound that the page is planned with."""
    arrays, data_arrays, found = network(2, 8, 8, 4, 1, maps=24), data(), layers(2, 8, 8, 4, 1)
    figure = figures.network_diagram(arrays, data_arrays, found)
    assert len(json.dumps(figure, default=lambda array: base64.b64encode(array).decode())) < 60_000


@pytest.mark.parametrize(("skip", "marked"), [(True, ["layer 2", "layer 4"]), (False, [])])
def test_layers_that_a_connection_goes_around_are_marked_and_explained(skip, marked):
    widths = (2, 6, 6, 3, 3, 3)  # the last is the output, which none goes around
    figure = figures.network_diagram(network(*widths), data(d=2), layers(*widths), skip=skip)
    headers = [str(text) for trace in figure["data"] for text in trace.get("text", ()) if "⊕" in str(text)]
    assert [text.split("<br>")[0] for text in headers] == marked
    assert ("⊕" in figure["layout"]["meta"]["help"]) == skip
