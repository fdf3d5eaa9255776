"""The barrier between two networks (Frankle et al., 2020, arXiv:1912.05671)."""

import numpy as np


def barrier(x: np.ndarray, losses: np.ndarray) -> np.ndarray | None:
    """How far the loss (k,) rises above the straight line between its values at x = 0 and x = 1, at most, and where on
    [0, 1]: (2,). None where an end is not among the points, or its loss is not finite.

    At least 0, which it is at both ends; ∞ where a loss between them is. Losses that are NaN are passed over.
    """
    between = (x >= 0) & (x <= 1) & ~np.isnan(losses)
    places, found = x[between], losses[between]
    if not (len(places) > 1 and places[0] == 0 and places[-1] == 1 and np.isfinite(found[[0, -1]]).all()):
        return None
    rises = found - (found[0] + places * (found[-1] - found[0]))
    rises[[0, -1]] = 0.0  # rounding at the ends is no barrier
    most = int(np.argmax(rises))
    return np.array([rises[most], places[most]])
