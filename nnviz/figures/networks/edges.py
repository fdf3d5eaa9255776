"""The weights of a drawn network as lines: few traces however many lines, and always the same number of them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nnviz.figures.kit import theme
from nnviz.figures.kit.labels import hover_number
from nnviz.figures.kit.layout import f4

WIDTH_LEVELS = 8
MAX_WIDTH, MIN_WIDTH = 5.0, 0.35
# Where along a line its weight is told: not in the middle, where lines of dense layers cross each other.
HOVER_POSITION = 0.38


class EdgeGroup(NamedTuple):
    """All weights between two columns of neurons."""

    weights: np.ndarray  # (to, from)
    start: tuple[float, np.ndarray]  # x, y (from,)
    end: tuple[float, np.ndarray]  # x, y (to,)
    words: tuple[str, str]  # what the two columns are called


def round_up(value: float) -> float:
    """The next 1, 2 or 5 times a power of ten, at least 0.1, so that a scale stays put while weights grow a little."""
    value = max(value, 0.1) if np.isfinite(value) else 0.1
    power = 10.0 ** np.floor(np.log10(value) + 1e-9)
    return float(next(m * power for m in (1, 2, 5, 10) if value <= m * power * (1 + 1e-9)))


def width_levels(weights: np.ndarray, reference: float) -> np.ndarray:
    """In which of 8 equal steps of |w| up to `reference` a weight lies, from 1; 0 where it is 0 or not a number."""
    share = np.nan_to_num(np.abs(weights) / reference, nan=0.0, posinf=1.0)
    return np.minimum(np.ceil(share * WIDTH_LEVELS), WIDTH_LEVELS).astype(int)


def line_width(level: int, widest: float = MAX_WIDTH) -> float:
    """The width in pixels of lines of `level` 1 … 8: linear, so twice the weight is twice the ink."""
    return MIN_WIDTH + (widest - MIN_WIDTH) * level / WIDTH_LEVELS


def edge_traces(cables: Sequence[EdgeGroup], reference: float, widest: float = MAX_WIDTH) -> list[dict]:
    """Lines of all cables: a trace for each sign and width, thick ones on top, and one a cable that tells weights.

    Weights of exactly 0 have no line, yet they are told on hover like all others.
    """
    parts = [_endpoints(cable) for cable in cables]
    weights, x0, y0, x1, y1 = (np.concatenate(column) for column in zip(*parts, strict=True)) if parts else [[]] * 5
    level, sign = width_levels(np.asarray(weights), reference), np.sign(weights)
    x = np.stack([x0, x1, np.full(len(x0), np.nan)], axis=1)
    y = np.stack([y0, y1, np.full(len(x0), np.nan)], axis=1)
    traces = []
    for step in range(1, WIDTH_LEVELS + 1):
        for one in (-1, 1):
            chosen = (level == step) & (sign == one)
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": f4(x[chosen].ravel()),
                    "y": f4(y[chosen].ravel()),
                    "line": {"color": theme.sign_color(one), "width": line_width(step, widest)},
                    "opacity": 0.15 + 0.7 * step / WIDTH_LEVELS,
                    "hoverinfo": "skip",
                }
            )
    return traces + [_hover_markers(cable) for cable in cables]


def _endpoints(cable: EdgeGroup) -> tuple[np.ndarray, ...]:
    """Weight, x and y of the start, x and y of the end of every line of a cable, each (lines,)."""
    to, source = np.indices(cable.weights.shape).reshape(2, -1)
    count = cable.weights.size
    start, end = np.full(count, cable.start[0]), np.full(count, cable.end[0])
    return cable.weights.ravel(), start, cable.start[1][source], end, cable.end[1][to]


def _hover_markers(cable: EdgeGroup) -> dict:
    """Invisible markers on the lines that say their weights."""
    weights, x0, y0, x1, y1 = _endpoints(cable)
    source_name, target_name = cable.words
    to, source = np.indices(cable.weights.shape).reshape(2, -1)
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
