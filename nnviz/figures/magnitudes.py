"""Zeros and non-finite values on a logarithmic axis, where neither has a place: marked at the edge, never dropped."""

from typing import NamedTuple

import numpy as np

from nnviz.figures import theme
from nnviz.figures.layout import f4


class Magnitudes(NamedTuple):
    """Values fit for a logarithmic axis: NaN where there is none, and where to mark those."""

    drawn: np.ndarray  # as the values, NaN where zero, negative or not finite
    floor: float  # where zeros are marked, below all drawn values
    ceiling: float  # where values that are not finite are marked, above all drawn values


def magnitudes(values: np.ndarray) -> Magnitudes:
    """Split off what a logarithmic axis cannot show; values of any shape."""
    values = np.asarray(values, float)
    good = np.isfinite(values) & (values > 0)
    drawn = np.where(good, values, np.nan)
    if not good.any():
        return Magnitudes(drawn, 1e-8, 1.0)
    low, high = values[good].min(), values[good].max()
    margin = max((high / low) ** 0.08, 1.5)
    return Magnitudes(drawn, low / margin, high * margin)


def edge_marks(x: np.ndarray, values: np.ndarray, shown: Magnitudes, at_least: int = 1) -> list[dict]:
    """Traces that mark zeros at the bottom and non-finite values at the top; none where there are none.

    `x` and `values` have the same shape; NaN counts as non-finite. One mark a place of x, however many lie there.
    """
    x, values = np.ravel(x), np.ravel(values)
    traces = []
    for where, level, symbol, color, text in (
        (values == 0, shown.floor, "triangle-down-open", theme.NEUTRAL, "exactly 0"),
        (~np.isfinite(values), shown.ceiling, "x-thin", theme.ALERT, "not finite"),
    ):
        if where.sum() >= at_least:
            places = np.unique(x[where])
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": places,
                    "y": f4(np.full(len(places), level)),
                    "marker": {"symbol": symbol, "size": 8, "color": color, "line": {"width": 1.5, "color": color}},
                    "name": text,
                    "hovertemplate": f"{text} at %{{x}}<extra></extra>",
                }
            )
    return traces
