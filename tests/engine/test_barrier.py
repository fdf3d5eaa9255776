"""The barrier on a line is the one of Frankle et al. (2020)."""

import numpy as np
import pytest

from nnviz.engine.landscape.barrier import barrier


@pytest.mark.parametrize("slope", [0.0, 0.5, -3.0])
def test_the_barrier_of_a_hill_on_a_slope(slope):
    """Above the straight line between the ends lies the hill alone, 2 · sin πx, wherever that slope leads."""
    x = np.linspace(-0.25, 1.25, 97)
    np.testing.assert_allclose(barrier(x, 5 + slope * x + 2 * np.sin(np.pi * x)), [2, 0.5], rtol=1e-12)


def test_a_barrier_is_between_the_networks_alone_and_never_negative():
    x = np.linspace(-0.5, 1.5, 41)
    assert barrier(x, (x - 0.5) ** 2)[0] == 0
    assert barrier(x, np.where((x < -0.1) | (x > 1.1), 1e9, 1.0))[0] == 0
    assert barrier(x, 3 - x)[0] < 1e-12


def test_an_infinite_loss_between_is_an_infinite_barrier():
    x = np.linspace(0, 1, 5)
    assert barrier(x, np.array([1, 2, np.inf, 2, 1])).tolist() == [np.inf, 0.5]
    assert barrier(x, np.array([1, np.nan, 3, np.nan, 1])).tolist() == [2, 0.5]


@pytest.mark.parametrize("unknown", [[np.nan, 2, 2, 2, 1], [1, 2, 2, 2, np.inf], [np.nan] * 5])
def test_without_the_ends_there_is_no_barrier(unknown):
    x = np.linspace(0, 1, 5)
    assert barrier(x, np.array(unknown)) is None
    assert barrier(x[1:], np.ones(4)) is None
