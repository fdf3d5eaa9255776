"""The barrier between two networks (Frankle et al., 2020, arXiv:1912.05671)."""

import numpy as np


def barrier(x: np.ndarray, losses: np.ndarray) -> np.ndarray | None:
    """The largest rise of the loss (k,) above the straight line between its values at x = 0 and x = 1, and where on [0,
    1] it is: (2,). None where an end is not among the points, or its loss is not finite.

    At least 0, its value at both ends; ∞ where a loss between them is. NaN is ignored.
    """
    between = (x >= 0) & (x <= 1) & ~np.isnan(losses)
    places, found = x[between], losses[between]
    if not (len(places) > 1 and places[0] == 0 and places[-1] == 1 and np.isfinite(found[[0, -1]]).all()):
        return None
    rises = found - (found[0] + places * (found[-1] - found[0]))
    rises[[0, -1]] = 0.0  # not rounding errors
    highest = int(np.argmax(rises))
    return np.array([rises[highest], places[highest]])
