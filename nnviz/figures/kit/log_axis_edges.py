"""Values that have no place on a logarithmic axis (zero, negative, not finite): marked at its edge, never dropped."""

from typing import NamedTuple

import numpy as np

from nnviz.figures.kit import theme
from nnviz.figures.kit.layout import f4, i4

# More marks than this say nothing more.
MAX_MARKS = 30


class LogAxisValues(NamedTuple):
    """Values fit for a logarithmic axis: NaN where there is none, and where to mark those."""

    drawn: np.ndarray  # as the values, NaN where zero, negative or not finite
    floor: float  # where zeros and negative values are marked, below all drawn values
    ceiling: float  # where values that are not finite are marked, above all drawn values


def log_axis_values(values: np.ndarray) -> LogAxisValues:
    """Split off what a logarithmic axis cannot show; values of any shape."""
    values = np.asarray(values, float)
    good = np.isfinite(values) & (values > 0)
    drawn = np.where(good, values, np.nan)
    if not good.any():
        return LogAxisValues(drawn, 1e-8, 1.0)
    low, high = values[good].min(), values[good].max()
    with np.errstate(over="ignore"):  # a race may end at 1e300
        margin = max(10 ** (0.08 * (np.log10(high) - np.log10(low))), 1.5)
        return LogAxisValues(drawn, low / margin, min(high * margin, np.finfo(float).max))


def edge_marks(
    steps: np.ndarray, values: np.ndarray, recorded: np.ndarray, shown: LogAxisValues, over: str = "step"
) -> list[dict]:
    """Traces that mark zeros and negative values at the bottom, and non-finite values at the top, at most 30 each:
    always two, maybe empty.

    `values` (S,) or (S, L) over `steps` (S,), and where they were recorded at all. `over` is what x counts. Over the
    first mark of zeros stands "0".
    """
    traces = []
    negative = bool(((values < 0) & np.isfinite(values) & recorded).any())
    for where, level, symbol, color, text, label in (
        (
            (values <= 0) & np.isfinite(values),
            shown.floor,
            "triangle-down-open",
            theme.NEUTRAL,
            "0 or below" if negative else "exactly 0",
            "" if negative else "0",
        ),
        (~np.isfinite(values), shown.ceiling, "x-thin", theme.ALERT, "not finite", ""),
    ):
        places = steps[(where & recorded).reshape(len(steps), -1).any(1)]
        if len(places) > MAX_MARKS:
            places = places[np.linspace(0, len(places) - 1, MAX_MARKS).astype(int)]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers+text" if label else "markers",
                "x": i4(places) if places.dtype.kind in "iu" else f4(places),
                "y": f4(np.full(len(places), level)),
                "marker": {"symbol": symbol, "size": 8, "color": color, "line": {"width": 1.5, "color": color}},
                "text": [label, *[""] * (len(places) - 1)][: len(places)],
                "textposition": "top center",
                "name": text,
                "showlegend": bool(len(places)),
                "cliponaxis": False,
                "hovertemplate": f"{text} at {over} %{{x}}<extra></extra>",
            }
        )
    return traces
