"""Marks at the edges of a logarithmic axis for values that it cannot show: zero, negative, not finite."""

from typing import NamedTuple

import numpy as np

from nnviz.figures.kit import theme
from nnviz.figures.kit.layout import f4, i4

MAX_MARKS = 30


class LogAxisValues(NamedTuple):
    """Values for a logarithmic axis, and where to mark those that it cannot show."""

    drawn: np.ndarray  # as the values, NaN where zero, negative or not finite
    floor: float  # where zeros and negative values are marked, below all drawn values
    ceiling: float  # where values that are not finite are marked, above all drawn values


def log_axis_values(values: np.ndarray) -> LogAxisValues:
    """Separate the values, of any shape, that a logarithmic axis cannot show."""
    values = np.asarray(values, float)
    is_positive = np.isfinite(values) & (values > 0)
    drawn = np.where(is_positive, values, np.nan)
    if not is_positive.any():
        return LogAxisValues(drawn, 1e-8, 1.0)
    low, high = values[is_positive].min(), values[is_positive].max()
    with np.errstate(over="ignore"):  # a diverging run may end at 1e300
        margin = max(10 ** (0.08 * (np.log10(high) - np.log10(low))), 1.5)
        return LogAxisValues(drawn, low / margin, min(high * margin, np.finfo(float).max))


def edge_marks(
    steps: np.ndarray, values: np.ndarray, recorded: np.ndarray, axis: LogAxisValues, x_name: str = "step"
) -> list[dict]:
    """Two traces, possibly empty: marks for zeros and negative values at the bottom and for non-finite values at the
    top, at most 30 each.

    `values` (S,) or (S, L) over `steps` (S,); `recorded` (same shape): where there is a value at all. `x_name` is used
    in hover texts. The first mark of zeros is labeled "0".
    """
    traces = []
    negative = bool(((values < 0) & np.isfinite(values) & recorded).any())
    for is_marked, level, symbol, color, text, label in (
        (
            (values <= 0) & np.isfinite(values),
            axis.floor,
            "triangle-down-open",
            theme.NEUTRAL,
            "0 or below" if negative else "exactly 0",
            "" if negative else "0",
        ),
        (~np.isfinite(values), axis.ceiling, "x-thin", theme.ALERT, "not finite", ""),
    ):
        marked_steps = steps[(is_marked & recorded).reshape(len(steps), -1).any(1)]
        if len(marked_steps) > MAX_MARKS:
            marked_steps = marked_steps[np.linspace(0, len(marked_steps) - 1, MAX_MARKS).astype(int)]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers+text" if label else "markers",
                "x": i4(marked_steps) if marked_steps.dtype.kind in "iu" else f4(marked_steps),
                "y": f4(np.full(len(marked_steps), level)),
                "marker": {"symbol": symbol, "size": 8, "color": color, "line": {"width": 1.5, "color": color}},
                "text": [label, *[""] * (len(marked_steps) - 1)][: len(marked_steps)],
                "textposition": "top center",
                "name": text,
                "showlegend": bool(len(marked_steps)),
                "cliponaxis": False,
                "hovertemplate": f"{text} at {x_name} %{{x}}<extra></extra>",
            }
        )
    return traces
