"""Numbers and layers in words."""

from nnviz.figures.kit import labels
from tests.each import each


@each(
    ("value", "text"),
    [
        (0, "0"),
        (0.0421, "0.0421"),
        (12.345, "12.3"),
        (-3.14159, "−3.14"),
        (12345, "12345"),
        (99999, "1.00 × 10<sup>5</sup>"),
        (0.99996, "1.00"),
        (9.9996e-7, "1.00 × 10<sup>−6</sup>"),
        (1.23e-7, "1.23 × 10<sup>−7</sup>"),
        (-4.56e12, "−4.56 × 10<sup>12</sup>"),
        (float("nan"), "NaN"),
        (float("inf"), "∞"),
        (float("-inf"), "−∞"),
    ],
)
def test_numbers_are_written_with_three_digits(value, text):
    assert labels.number(value) == text


@each("depth", [0, 1, 4, 11, 12, 13, 19, 24, 49, 50, 99, 400])
def test_depth_ticks_name_both_ends_and_never_crowd(depth):
    places, texts = labels.depth_ticks([*(str(i + 1) for i in range(depth)), "out"])
    assert places[0] == 0
    assert places[-1] == depth
    assert texts[-1] == "out"
    assert len(places) == len(set(places)) <= 12
    assert all(text == str(place + 1) for place, text in zip(places[:-1], texts[:-1], strict=True))


def test_unnamed_classes_are_counted():
    assert labels.class_names({}, 3) == ["class 0", "class 1", "class 2"]
    assert labels.class_names({"class_names": ["a", "b"]}, 2) == ["a", "b"]


def test_long_names_end_in_an_ellipsis():
    assert labels.shorten("proanthocyanins", 8) == "proanth…"
    assert labels.shorten("hue", 8) == "hue"


def test_measurements_are_written_as_people_write_them():
    for value, text in ((5.8999996, "5.9"), (1285.0, "1285"), (12345.6, "12346"), (0.03712, "0.03712"), (-2.0, "−2")):
        assert labels.compact_number(value) == text
    assert labels.compact_number(113.52, 3) == "114"
    assert labels.compact_number(float("nan")) == "NaN"
    assert labels.feature_with_unit("petal width (cm)", 0.2) == "petal width: 0.2 cm"
    assert labels.feature_with_unit("ash", 2.36) == "ash: 2.36"
