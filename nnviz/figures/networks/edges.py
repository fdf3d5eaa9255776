"""Weights as lines between neurons: always the same number of traces, however many lines."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nnviz.figures.kit import theme
from nnviz.figures.kit.labels import hover_number
from nnviz.figures.kit.layout import f4

WIDTH_LEVELS = 8
MAX_WIDTH, MIN_WIDTH = 5.0, 0.35
# Position of the hover marker along a line: not in the middle, where lines of dense layers cross.
HOVER_POSITION = 0.38


class EdgeGroup(NamedTuple):
    """All weights between two columns of neurons."""

    weights: np.ndarray  # (to, from)
    start: tuple[float, np.ndarray]  # x, y (from,)
    end: tuple[float, np.ndarray]  # x, y (to,)
    names: tuple[str, str]  # of the two columns, for hover texts
    is_drawn: np.ndarray  # (to, from) bool: weights at a dropped unit have no line


def round_up(value: float) -> float:
    """The next 1, 2 or 5 times a power of ten, at least 0.1, so that the scale rarely changes while weights grow."""
    value = max(value, 0.1) if np.isfinite(value) else 0.1
    power = 10.0 ** np.floor(np.log10(value) + 1e-9)
    return float(next(m * power for m in (1, 2, 5, 10) if value <= m * power * (1 + 1e-9)))


def width_levels(weights: np.ndarray, reference: float) -> np.ndarray:
    """The width level 1 … 8 of |w|, linear up to `reference`; 0 where the weight is 0 or NaN."""
    fraction = np.nan_to_num(np.abs(weights) / reference, nan=0.0, posinf=1.0)
    return np.minimum(np.ceil(fraction * WIDTH_LEVELS), WIDTH_LEVELS).astype(int)


def line_width(level: int, max_width: float = MAX_WIDTH) -> float:
    """The width in pixels of lines of `level` 1 … 8: linear in |w|."""
    return MIN_WIDTH + (max_width - MIN_WIDTH) * level / WIDTH_LEVELS


def edge_traces(groups: Sequence[EdgeGroup], reference: float, max_width: float = MAX_WIDTH) -> list[dict]:
    """Lines of all edges: a trace per sign and width, wide ones on top, and a trace per group for hover texts.

    Weights of exactly 0 have a hover text but no line.
    """
    parts = [_endpoints(group) for group in groups]
    is_drawn = np.concatenate([group.is_drawn.ravel() for group in groups]) if groups else np.empty(0, bool)
    weights, x0, y0, x1, y1 = (np.concatenate(column) for column in zip(*parts, strict=True)) if parts else [[]] * 5
    level, sign = width_levels(np.asarray(weights), reference), np.sign(weights)
    x = np.stack([x0, x1, np.full(len(x0), np.nan)], axis=1)
    y = np.stack([y0, y1, np.full(len(x0), np.nan)], axis=1)
    traces = []
    for width_level in range(1, WIDTH_LEVELS + 1):
        for one_sign in (-1, 1):
            chosen = (level == width_level) & (sign == one_sign) & is_drawn
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": f4(x[chosen].ravel()),
                    "y": f4(y[chosen].ravel()),
                    "line": {"color": theme.sign_color(one_sign), "width": line_width(width_level, max_width)},
                    "opacity": 0.15 + 0.7 * width_level / WIDTH_LEVELS,
                    "hoverinfo": "skip",
                }
            )
    return traces + [_hover_markers(group) for group in groups]


def _endpoints(group: EdgeGroup) -> tuple[np.ndarray, ...]:
    """Weight, x and y of the start, x and y of the end of every line of a group, each (lines,)."""
    to, source = np.indices(group.weights.shape).reshape(2, -1)
    count = group.weights.size
    start, end = np.full(count, group.start[0]), np.full(count, group.end[0])
    return group.weights.ravel(), start, group.start[1][source], end, group.end[1][to]


def _hover_markers(group: EdgeGroup) -> dict:
    """Invisible markers on the lines with their weights as hover texts."""
    drawn = np.flatnonzero(group.is_drawn)
    weights, x0, y0, x1, y1 = (column[drawn] for column in _endpoints(group))
    source_name, target_name = group.names
    to, source = np.indices(group.weights.shape).reshape(2, -1)[:, drawn]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": f4(x0 + HOVER_POSITION * (x1 - x0)),
        "y": f4(y0 + HOVER_POSITION * (y1 - y0)),
        "customdata": f4(np.stack([weights, source + 1, to + 1], axis=1)),
        "marker": {"size": 8, "opacity": 0},
        "hovertemplate": f"weight {hover_number('customdata[0]')}<br>{source_name} %{{customdata[1]}} → "
        f"{target_name} %{{customdata[2]}}<extra></extra>",
    }
