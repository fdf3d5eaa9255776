"""Pictures of images show the images that they are given, each whole and in its place."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from nnviz import figures
from nnviz.figures.images.image_sheet import GAP, LINE, png_file, sheet
from tests.each import each
from tests.figures import image_arrays as images


def decoded(figure: dict) -> np.ndarray:
    """The picture's pixels, (height, width, 4)."""
    (image,) = figure["layout"]["images"]
    start, content = image["source"].split(",")
    assert start == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content))).convert("RGBA"))


def texts(figure: dict) -> list[str]:
    return [note["text"] for note in figure["layout"]["annotations"]]


@each("size", (8, 16, 32, 64))
@each("channels", (1, 3))
def test_every_pixel_of_every_image_is_there_enlarged_without_smoothing(size, channels):
    images = np.random.default_rng(size).integers(0, 256, (13, size, size, channels), np.uint8)
    images[0, :2] = 1  # the color that stands for transparent
    pixels = np.asarray(Image.open(io.BytesIO(png_file(sheet(images, 5)))).convert("RGBA"))
    times, tile = 64 // size, 64 + GAP
    assert pixels.shape == (3 * tile - GAP, 5 * tile - GAP, 4)
    for i, image in enumerate(images):
        own = pixels[i // 5 * tile :, i % 5 * tile :][:64, :64]
        wanted = np.where((image == 1).all(2, keepdims=True), 2, image).repeat(times, 0).repeat(times, 1)
        np.testing.assert_array_equal(own[..., :3], np.broadcast_to(wanted, (64, 64, 3)))
        assert (own[..., 3] == 255).all()
    for line in (pixels[64 : 64 + GAP], pixels[:, 64 : 64 + GAP]):
        assert (line == (LINE, LINE, LINE, 255)).all()
    assert (pixels[2 * tile :, 3 * tile : 3 * tile + 64, 3] == 0).all(), "a place without an image"


def test_a_sheet_of_small_images_is_small():
    assert len(png_file(sheet(images.images(100), 10))) < 6000


def test_a_column_that_is_a_class_has_its_name_over_it(valid):
    figure = valid(figures.sample_grid(images.DIGITS, list("0123456789")))
    assert texts(figure) == list("0123456789")
    assert [note["x"] for note in figure["layout"]["annotations"]] == [i + 0.5 for i in range(10)]
    np.testing.assert_array_equal(decoded(figure)[0, ::67, 0], 10 + np.arange(10))
    assert figure["data"][0]["text"][3][7] == "7"
    grid = images.DIGITS | {"labels": images.THIRDS}
    names = ["triangle", "parallelogram", "ellipse"]
    figure = valid(figures.sample_grid(grid, names))
    assert texts(figure) == names
    assert [note["x"] for note in figure["layout"]["annotations"]] == [2.0, 5.5, 8.5]
    assert len(figure["layout"]["shapes"]) == 3
    letters = valid(figures.sample_grid(images.DIGITS | {"labels": images.LETTERS}, [chr(65 + i) for i in range(26)]))
    assert texts(letters) == []
    assert letters["data"][0]["text"][2][6] == "A"


def test_a_strip_of_real_images_has_two_rows_and_neighboring_columns_of_a_class(valid):
    figure = valid(figures.real_grid(images.REAL, columns=20))
    assert texts(figure) == list("0123456789")
    assert [note["x"] for note in figure["layout"]["annotations"]] == [2 * i + 1 for i in range(10)]
    levels = decoded(figure)[::67, ::67, 0] - 10
    assert (levels % 10 == np.arange(20) // 2).all()
    assert len(set(levels.ravel())) == 40, "no image twice"
    unlabeled = decoded(valid(figures.real_grid(images.UNLABELED, columns=20)))
    np.testing.assert_array_equal(unlabeled[0, ::67, 0], 10 + np.arange(20))


def test_without_labels_there_are_no_names_and_what_was_skipped_is_said(valid):
    assert texts(valid(figures.sample_grid({"images": images.images(100)}))) == []
    figure = valid(figures.real_grid(images.UNLABELED))
    assert texts(figure) == ["2 files skipped: see ?"]
    assert "a.png: 1 × 1 pixels; b.txt: neither PNG nor JPEG." in figure["layout"]["meta"]["help"]
    assert figure["data"][0]["text"][3][6:8] == ["image 37", ""]


def test_the_card_is_as_high_as_it_takes_to_fill_its_width():
    for figure, rows in ((figures.sample_grid(images.DIGITS), 10), (figures.interpolation(images.ROWS), 4)):
        margin, aspect = figure["layout"]["margin"], figure["layout"]["meta"]["aspect"]
        width = 500
        height = aspect["slope"] * width + aspect["more"]
        inner = width - margin["l"] - margin["r"], height - margin["t"] - margin["b"]
        assert inner[1] / inner[0] == pytest.approx(rows / 10)


def test_rows_go_from_one_noise_vector_to_another(valid):
    figure = valid(figures.interpolation(images.ROWS))
    np.testing.assert_array_equal(decoded(figure)[::67, 0, 0], [10, 20, 30, 40])
    assert figure["data"][0]["text"][1][0] == "row 2, 0% of the way"
    assert figure["data"][0]["text"][1][9] == "row 2, 100% of the way"


def test_each_image_is_over_its_nearest_with_their_distance(valid):
    figure = valid(figures.nearest_real(images.PAIRS))
    np.testing.assert_array_equal(decoded(figure)[::67, 0, 0], [10, 10])
    assert texts(figure)[0] == "0.10"
    assert texts(figure)[-1] == "for comparison, a real image to its nearest other: 0.40"
    assert figure["data"][0]["text"][1][9] == "nearest to 10: distance 1.00"


def test_missing_classes_are_named_and_the_classifier_s_own_accuracy_is_stated(valid):
    figure = valid(figures.class_histogram(images.CLASSES, 0.984))
    assert figure["layout"]["xaxis"]["title"]["text"] == "missing: ellipse<br>classifier's test accuracy 98.4%"
    generated, real = figure["data"]
    assert (generated["name"], real["name"]) == ("generated", "real")
    np.testing.assert_allclose(generated["y"], images.CLASSES["generated"])
    whole = images.CLASSES | {"missing": np.zeros(3, bool)}
    assert figures.class_histogram(whole)["layout"]["xaxis"]["title"]["text"] == "no class is missing"


def test_a_fraction_is_read_against_that_of_real_images(valid):
    figure = valid(figures.gan_curves({"A": images.SCALARS}, "confident_fraction", {"real images": 0.905}))
    line = figure["data"][-1]
    assert (line["name"], line["y"]) == ("real images 90.5%", [0.905, 0.905])
    assert figure["layout"]["yaxis"]["range"] == [0, 1.02]
