"""Curves of curvature over the steps of a training, and the label of a stability limit."""

from collections.abc import Mapping

import numpy as np

from nnviz.figures.kit import labels, smoothing, theme
from nnviz.figures.kit.layout import f4, i4
from nnviz.figures.kit.log_axis_edges import log_axis_values


def smoothed_over_raw(
    steps: np.ndarray,
    values: np.ndarray,
    name: str,
    line: Mapping,
    log_y: bool,
    errors: np.ndarray | None = None,
    smooth: float = 0.0,
) -> list[dict]:
    """One curve; with `smooth` faint behind its moving average."""
    raw = curve(steps, values, name, line, log_y, errors)
    if not smooth:
        return [raw]
    averaged = smoothing.moving_average(values, smooth, log_y)
    average = curve(steps, np.where(np.isnan(averaged), values, averaged) if log_y else averaged, name, line, log_y)
    return [
        smoothing.raw_curve(raw),
        average | {"mode": "lines", "hovertemplate": f"smoothed {average['hovertemplate']}"},
    ]


def curve(
    steps: np.ndarray, values: np.ndarray, name: str, line: Mapping, log_y: bool, errors: np.ndarray | None = None
) -> dict:
    """A curve through the known values, with their errors in the hover text."""
    known = np.isfinite(values)
    drawn = log_axis_values(values[known]).drawn if log_y else values[known]
    customdata = {} if errors is None else {"customdata": f4(np.where(np.isfinite(errors), errors, np.nan)[known])}
    plus_minus = " ± %{customdata:.2~g}" if customdata else ""
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": i4(steps[known]),
        "y": f4(drawn),
        **customdata,
        "name": name,
        "uid": name,
        "line": dict(line),
        "marker": {"color": line["color"], "size": 4 if "dash" not in line else 1},
        "hovertemplate": f"{name} {labels.hover_number('y')}{plus_minus} at step %{{x}}<extra></extra>",
    }


def limit_label(steps: np.ndarray, limit: np.ndarray, values: np.ndarray, text: str) -> dict:
    """The label at the end of the limit's line: below it if all curves are far below, else above all curves."""
    largest = float(values[np.isfinite(values)].max(initial=0.0))
    is_far = bool(limit[-1] > 2 * largest)
    return {
        "type": "scatter",
        "mode": "markers+text",
        "marker": {"size": 4, "opacity": 0},  # keeps the text off the line
        "x": i4(steps[-1:]),
        "y": f4([limit[-1] if is_far else max(limit[-1], largest)]),
        "text": [text],
        "textposition": "bottom left" if is_far else "top left",
        "textfont": {"size": theme.SMALL},
        "name": "limit",
        "uid": "limit_label",
        "showlegend": False,
        "hoverinfo": "skip",
        "cliponaxis": False,
    }
