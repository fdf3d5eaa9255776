"""The weights of a drawn network as lines: few traces however many lines, and always the same number of them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nnviz.figures.kit import theme
from nnviz.figures.kit.labels import shown
from nnviz.figures.kit.layout import f4

BINS = 8
WIDEST, NARROWEST = 5.0, 0.35
# Where along a line its weight is told: not in the middle, where lines of dense layers cross each other.
TELL = 0.38


class Cable(NamedTuple):
    """All weights between two columns of neurons."""

    weights: np.ndarray  # (to, from)
    start: tuple[float, np.ndarray]  # x, y (from,)
    end: tuple[float, np.ndarray]  # x, y (to,)
    words: tuple[str, str]  # what the two columns are called


def ceiling(value: float) -> float:
    """The next 1, 2 or 5 times a power of ten, at least 0.1, so that a scale stays put while weights grow a little."""
    value = max(value, 0.1) if np.isfinite(value) else 0.1
    power = 10.0 ** np.floor(np.log10(value) + 1e-9)
    return float(next(m * power for m in (1, 2, 5, 10) if value <= m * power * (1 + 1e-9)))


def levels(weights: np.ndarray, reference: float) -> np.ndarray:
    """In which of 8 equal steps of |w| up to `reference` a weight lies, from 1; 0 where it is 0 or not a number."""
    share = np.nan_to_num(np.abs(weights) / reference, nan=0.0, posinf=1.0)
    return np.minimum(np.ceil(share * BINS), BINS).astype(int)


def width(level: int, widest: float = WIDEST) -> float:
    """The width in pixels of lines of `level` 1 … 8: linear, so twice the weight is twice the ink."""
    return NARROWEST + (widest - NARROWEST) * level / BINS


def wires(cables: Sequence[Cable], reference: float, widest: float = WIDEST) -> list[dict]:
    """Lines of all cables: a trace for each sign and width, thick ones on top, and one a cable that tells weights.

    Weights of exactly 0 have no line, yet they are told on hover like all others.
    """
    parts = [_ends(cable) for cable in cables]
    weights, x0, y0, x1, y1 = (np.concatenate(column) for column in zip(*parts, strict=True)) if parts else [[]] * 5
    level, sign = levels(np.asarray(weights), reference), np.sign(weights)
    x = np.stack([x0, x1, np.full(len(x0), np.nan)], axis=1)
    y = np.stack([y0, y1, np.full(len(x0), np.nan)], axis=1)
    traces = []
    for step in range(1, BINS + 1):
        for one in (-1, 1):
            chosen = (level == step) & (sign == one)
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": f4(x[chosen].ravel()),
                    "y": f4(y[chosen].ravel()),
                    "line": {"color": theme.sign_color(one), "width": width(step, widest)},
                    "opacity": 0.15 + 0.7 * step / BINS,
                    "hoverinfo": "skip",
                }
            )
    return traces + [_tell(cable) for cable in cables]


def _ends(cable: Cable) -> tuple[np.ndarray, ...]:
    """Weight, x and y of the start, x and y of the end of every line of a cable, each (lines,)."""
    to, source = np.indices(cable.weights.shape).reshape(2, -1)
    count = cable.weights.size
    start, end = np.full(count, cable.start[0]), np.full(count, cable.end[0])
    return cable.weights.ravel(), start, cable.start[1][source], end, cable.end[1][to]


def _tell(cable: Cable) -> dict:
    """Invisible markers on the lines that say their weights."""
    weights, x0, y0, x1, y1 = _ends(cable)
    to, source = np.indices(cable.weights.shape).reshape(2, -1)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": f4(x0 + TELL * (x1 - x0)),
        "y": f4(y0 + TELL * (y1 - y0)),
        "customdata": f4(np.stack([weights, source + 1, to + 1], axis=1)),
        "marker": {"size": 8, "opacity": 0},
        "hovertemplate": f"weight {shown('customdata[0]')}<br>{cable.words[0]} %{{customdata[1]}} → {cable.words[1]} "
        "%{customdata[2]}<extra></extra>",
    }
