"""Moving averages laid over curves: what was measured stays faint behind."""

import numpy as np

from nnviz import frames
from nnviz.figures.kit import theme
from nnviz.figures.kit.log_axis_edges import log_axis_values

# Opacity of what was measured behind its average.
RAW_OPACITY = 0.35


def moving_average(values: np.ndarray, weight: float, log: bool = False) -> np.ndarray:
    """`frames.moving_average` of (S,) or of every column of (S, L); the values themselves where there is nothing to
    average. Of logarithms on a logarithmic axis, where an average of the values would fall on a straight line for long
    after they have become 0."""
    if not weight or len(values) < 2:
        return np.asarray(values, float)
    if log:
        return 10 ** frames.moving_average(np.log10(log_axis_values(values).drawn), weight)
    return frames.moving_average(values, weight)


def legend_text(weight: float) -> str:
    """What the legend says of an average."""
    return f"smoothed (weight {weight:g})"


def legend_entry(name: str, color: str, width: float) -> dict:
    """An entry of the legend without points of its own."""
    line = {"color": color, "width": width}
    return {"type": "scatter", "mode": "lines", "x": [None], "y": [None], "name": name, "line": line}


def legend_entries(weight: float) -> list[dict]:
    """The two entries that say what is faint and what is strong."""
    return [
        legend_entry("measured", theme.with_alpha(theme.NEUTRAL, 0.45), 1.5),
        legend_entry(legend_text(weight), theme.NEUTRAL, 2.5),
    ]


def raw_curve(trace: dict) -> dict:
    """How a curve is drawn behind its average: thin, faint and silent."""
    line = trace["line"] | {"width": 1}
    quiet = {"showlegend": False, "hoverinfo": "skip", "hovertemplate": None, "opacity": RAW_OPACITY, "line": line}
    return trace | quiet | {"uid": f"{trace.get('uid', trace['name'])}_measured"}
