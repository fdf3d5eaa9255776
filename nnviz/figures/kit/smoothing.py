"""Moving averages of curves, with the raw curves faint behind them."""

import numpy as np

from nnviz import frames
from nnviz.figures.kit import theme
from nnviz.figures.kit.log_axis_edges import log_axis_values

# Opacity of a raw curve behind its average.
RAW_OPACITY = 0.35


def moving_average(values: np.ndarray, weight: float, log: bool = False) -> np.ndarray:
    """`frames.moving_average` of (S,) or of every column of (S, L), `weight` 0: the values themselves.

    With `log`, of logarithms: on a logarithmic axis an average of values that have become 0 would decay along a
    straight line for many steps.
    """
    if not weight or len(values) < 2:
        return np.asarray(values, float)
    if log:
        return 10 ** frames.moving_average(np.log10(log_axis_values(values).drawn), weight)
    return frames.moving_average(values, weight)


def legend_text(weight: float) -> str:
    """The legend's text for an average."""
    return f"smoothed (weight {weight:g})"


def legend_entry(name: str, color: str, width: float) -> dict:
    """A legend entry without data points."""
    line = {"color": color, "width": width}
    return {"type": "scatter", "mode": "lines", "x": [None], "y": [None], "name": name, "line": line}


def legend_entries(weight: float) -> list[dict]:
    """The legend entries that explain faint (raw) and strong (smoothed) curves."""
    return [
        legend_entry("raw", theme.with_alpha(theme.NEUTRAL, 0.45), 1.5),
        legend_entry(legend_text(weight), theme.NEUTRAL, 2.5),
    ]


def raw_curve(trace: dict) -> dict:
    """A curve as it is drawn behind its average: thin, faint, without hover text or legend entry."""
    line = trace["line"] | {"width": 1}
    style = {"showlegend": False, "hoverinfo": "skip", "hovertemplate": None, "opacity": RAW_OPACITY, "line": line}
    return trace | style | {"uid": f"{trace.get('uid', trace['name'])}_raw"}
