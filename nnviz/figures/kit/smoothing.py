"""Moving averages laid over curves: what was measured stays faint behind."""

import numpy as np

from nnviz import frames
from nnviz.figures.kit import theme
from nnviz.figures.kit.log_axis_edges import magnitudes

# Opacity of what was measured behind its average.
RAW = 0.35


def averaged(values: np.ndarray, weight: float, log: bool = False) -> np.ndarray:
    """`frames.moving_average` of (S,) or of every column of (S, L); the values themselves where there is nothing to
    average. Of logarithms on a logarithmic axis, where an average of the values would fall on a straight line for long
    after they have become 0."""
    if not weight or len(values) < 2:
        return np.asarray(values, float)
    if log:
        return 10 ** frames.moving_average(np.log10(magnitudes(values).drawn), weight)
    return frames.moving_average(values, weight)


def words(weight: float) -> str:
    """What the legend says of an average."""
    return f"smoothed (weight {weight:g})"


def key(name: str, color: str, width: float) -> dict:
    """An entry of the legend without points of its own."""
    line = {"color": color, "width": width}
    return {"type": "scatter", "mode": "lines", "x": [None], "y": [None], "name": name, "line": line}


def keys(weight: float) -> list[dict]:
    """The two entries that say what is faint and what is strong."""
    return [key("measured", theme.faded(theme.NEUTRAL, 0.45), 1.5), key(words(weight), theme.NEUTRAL, 2.5)]


def behind(trace: dict) -> dict:
    """How a curve is drawn behind its average: thin, faint and silent."""
    line = trace["line"] | {"width": 1}
    quiet = {"showlegend": False, "hoverinfo": "skip", "hovertemplate": None, "opacity": RAW, "line": line}
    return trace | quiet | {"uid": f"{trace.get('uid', trace['name'])}_measured"}
