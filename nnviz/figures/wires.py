"""The weights between two columns of neurons as lines, few traces however many lines."""

import numpy as np

from nnviz.figures import theme
from nnviz.figures.layout import f4

BINS = 8
# Where along a line its weight is told: not in the middle, where lines of dense layers cross each other.
TELL = 0.38


def ceiling(value: float) -> float:
    """The next 1, 2 or 5 times a power of ten, at least 0.1, so that a scale stays put while weights grow a little."""
    value = max(value, 0.1) if np.isfinite(value) else 0.1
    power = 10.0 ** np.floor(np.log10(value) + 1e-9)
    return float(next(m * power for m in (1, 2, 5, 10) if value <= m * power * (1 + 1e-9)))


def width(level: np.ndarray | int, widest: float = 5.0) -> float:
    """The width in pixels of lines of `level` 1 … 8."""
    return 0.35 + (widest - 0.35) * level / BINS


def levels(weights: np.ndarray, reference: float) -> np.ndarray:
    """In which of 8 equal steps of |w| up to `reference` a weight lies, from 1; 0 where it is 0 or not a number."""
    share = np.nan_to_num(np.abs(weights) / reference, nan=0.0, posinf=1.0)
    return np.minimum(np.ceil(share * BINS), BINS).astype(int)


def wires(
    weights: np.ndarray,
    start: tuple[float, np.ndarray],
    end: tuple[float, np.ndarray],
    reference: float,
    words: tuple[str, str],
    rows: int,
) -> list[dict]:
    """Lines for `weights` (to, from) from (x, y (from,)) to (x, y (to,)): a trace a sign and width, one for hover.

    Weights that are exactly 0 have no line, yet they are told on hover like all others.
    """
    to, source = np.indices(weights.shape).reshape(2, -1)
    flat = weights.ravel()
    level = levels(flat, reference)
    widest = 5.0 if rows <= 8 else 3.2
    y0, y1 = start[1][source], end[1][to]
    traces = []
    for sign in (-1, 1):
        for step in range(1, BINS + 1):
            chosen = (level == step) & (np.sign(flat) == sign)
            count = int(chosen.sum())
            if count:
                gap = np.full(count, np.nan)
                traces.append(
                    {
                        "type": "scatter",
                        "mode": "lines",
                        "x": f4(np.tile([start[0], end[0], np.nan], count)),
                        "y": f4(np.stack([y0[chosen], y1[chosen], gap], axis=1).ravel()),
                        "line": {"color": theme.sign_color(sign), "width": float(width(step, widest))},
                        "opacity": 0.25 + 0.6 * step / BINS,
                        "hoverinfo": "skip",
                    }
                )
    traces.append(
        {
            "type": "scatter",
            "mode": "markers",
            "x": f4(np.full(len(flat), start[0] + TELL * (end[0] - start[0]))),
            "y": f4(y0 + TELL * (y1 - y0)),
            "customdata": f4(np.stack([flat, source + 1, to + 1], axis=1)),
            "marker": {"size": 8, "opacity": 0},
            "hovertemplate": f"weight %{{customdata[0]:.4g}}<br>{words[0]} %{{customdata[1]}} → {words[1]}, neuron "
            "%{customdata[2]}<extra></extra>",
        }
    )
    return traces
