"""A logarithmic axis is labeled in one notation."""

import math

import numpy as np
import pytest

from nnviz.figures.kit import labels
from nnviz.figures.kit.log_axis import logarithmic, tick_options
from tests.each import each


@pytest.mark.parametrize(("low", "high", "plain"), [(-2, 3, True), (-0.5, 0, True), (-3, 0, False), (-1, 4, False)])
def test_numbers_are_plain_between_a_hundredth_and_a_thousand_and_powers_else(low, high, plain):
    axis = tick_options(low, high)
    assert axis["tickformat"] == ("~g" if plain else "~e")
    assert bool(axis["labelalias"]) != plain


@each("span", [2.0, 2.05, 2.3, 3, 4.4, 5, 6.1, 7, 8.5, 13, 20, 44, 76])
@each("low", [-13.0, -4.03, -7.5])
def test_three_powers_of_ten_are_labeled_where_there_are_so_many(low, span):
    high = low + span
    rough = span / tick_options(low, high)["nticks"]
    every = math.ceil(rough) if rough > 0.7 else 1  # as Plotly chooses
    within = math.floor(high) - math.ceil(low) + 1
    labeled = [p for p in range(math.ceil(low), math.floor(high) + 1) if p % every == 0]
    assert len(labeled) >= min(within, 3)
    assert len(labeled) <= 7


@pytest.mark.parametrize(("low", "high"), [(-5.4, -4.1), (-1, 0.4), (-3.95, -3.05)])
def test_a_short_axis_has_labels_between_powers(low, high):
    assert (high - low) / tick_options(low, high)["nticks"] <= 0.7


def test_plotly_labels_are_replaced_by_powers():
    names = tick_options(-8, 0)["labelalias"]
    assert names["1e−8"] == "10<sup>−8</sup>"
    assert names["1e+0"] == "10<sup>0</sup>"
    assert names["5e−4"] == "5 × 10<sup>−4</sup>"
    assert tick_options(-5.4, -4.9)["labelalias"]["2.5e−5"] == "2.5 × 10<sup>−5</sup>"


def test_zeros_and_what_is_not_finite_do_not_count():
    assert logarithmic("", np.array([0.0, np.nan, np.inf, 0.5, 2.0]))["tickformat"] == "~g"
    assert logarithmic("", np.zeros(3))["type"] == "log"


def test_a_given_range_decides():
    axis = logarithmic("", np.ones(3), [-6.0, 0.0])
    assert axis["range"] == [-6.0, 0.0]
    assert axis["tickformat"] == "~e"


def test_hundredths_of_a_narrow_axis_are_replaced_too():
    aliases = tick_options(np.log10(1.5e-3), np.log10(1.65e-3))["labelalias"]
    assert aliases["1.55e−3"] == f"1.55 × {labels.power_of_ten(-3)}"
    across = tick_options(np.log10(9.5e-4), np.log10(1.1e-3))["labelalias"]
    assert across["9.75e−4"] == f"9.75 × {labels.power_of_ten(-4)}"
    assert across["1.05e−3"] == f"1.05 × {labels.power_of_ten(-3)}"
