"""Arrows, drawn as lines, for gradient, momentum and update of one optimizer at every step."""

from collections.abc import Mapping

import numpy as np

from nnviz.figures.kit import labels, theme
from nnviz.figures.kit.layout import f4, i4
from nnviz.figures.trajectories import trajectory_lines

# Start, tip, the two sides of the head via the tip, and a gap.
POINTS_PER_ARROW = 6
# As fractions of the plot: a typical arrow, the longest, its head, and the shortest update that sets the scale.
TYPICAL_LENGTH, MAX_LENGTH, HEAD_LENGTH, MIN_MOVE = 0.2, 0.45, 0.025, 0.003
# Approximate width / height of the plot, in which the head is drawn symmetric.
ASPECT = 1.3
_PARTS = {"gradient": "gradient", "momentum": "momentum"}


def arrow_lines(starts: np.ndarray, vectors: np.ndarray, size: tuple[float, float]) -> np.ndarray:
    """Points (n · 6, 2) of lines that form an arrow from each of `starts` (n, 2) along `vectors` (n, 2).

    `size` is the plot's width and height in data units. Vectors that are not finite, or zero, become gaps.
    """
    unit = np.array([size[0] / ASPECT, size[1]])
    shown = vectors / unit
    length = np.linalg.norm(shown, axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        along = shown / length
    head = np.minimum(HEAD_LENGTH, 0.4 * length)
    across = along[:, ::-1] * [-1, 1]
    tips = starts + vectors
    sides = [tips + head * (-along + 0.5 * sign * across) * unit for sign in (1, -1)]
    gap = np.full_like(starts, np.nan)
    lines = np.stack([starts, tips, sides[0], tips, sides[1], gap], 1)
    lines[~np.isfinite(lines[:, :5]).all((1, 2))] = np.nan
    return lines.reshape(-1, 2)


def arrow_scale(vectors: np.ndarray, is_moving: np.ndarray, size: tuple[float, float]) -> float:
    """The scale of arrows for vectors (n, 2) at all steps: 1, 2 or 5 times a power of ten.

    The 80th percentile of those at steps where the point moves, `is_moving` (n,), gets a fifth of the plot.
    """
    lengths = np.linalg.norm(vectors / size, axis=1)
    good = np.isfinite(lengths) & (lengths > 0)
    seen = lengths[good & is_moving] if (good & is_moving).any() else lengths[good]
    if not len(seen):
        return 1.0
    value = TYPICAL_LENGTH / np.quantile(seen, 0.8)
    power = 10.0 ** np.floor(np.log10(value))
    return float(power * next(m for m in (5, 2, 1) if m * power <= value * (1 + 1e-9)))


def update_arrows(
    trajectories: Mapping[str, np.ndarray],
    optimizer: int,
    size: tuple[float, float],
    state_names: Mapping[str, str] | None = None,
) -> list[dict]:
    """The negative gradient and momentum, by a factor that the legend gives, and the update in its true length.

    Each is drawn at the step from which the update leads. Longer arrows are cut. `state_names` may name the momentum
    ("first moment m").
    """
    steps = trajectory_lines.drawn_steps(trajectories, optimizer)
    steps = steps[steps < trajectories["points"].shape[1] - 1]
    points = np.asarray(trajectories["points"][optimizer], float)
    starts, updates = points[steps], points[steps + 1] - points[steps]
    is_moving = np.linalg.norm(updates / size, axis=1) > MIN_MOVE
    traces = []
    for part, name in (_PARTS | {p: w for p, w in (state_names or {}).items() if p in _PARTS}).items():
        vectors = (
            -np.asarray(trajectories[part][optimizer], float)[steps]
            if part in trajectories
            else np.full_like(updates, np.nan)
        )
        if np.isfinite(vectors).any():
            scale = arrow_scale(vectors, is_moving, size)
            text = f"−{name} × {labels.number(scale, 1)}"
            traces.append(_trace(part, text, steps, starts, vectors, scale, size, theme.ARROWS[part]))
    traces.append(
        _trace("step", "update (true length)", steps, starts, updates, 1.0, size, theme.optimizer_color(optimizer))
    )
    return traces


def _trace(
    part: str,
    name: str,
    steps: np.ndarray,
    starts: np.ndarray,
    vectors: np.ndarray,
    scale: float,
    size: tuple[float, float],
    color: str,
) -> dict:
    drawn = vectors * scale
    if scale != 1.0:
        lengths = np.linalg.norm(drawn / size, axis=1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            drawn = np.where(lengths > MAX_LENGTH, drawn * (MAX_LENGTH / lengths), drawn)
    x, y = arrow_lines(starts, drawn, size).T
    hover = f"{name.split(' ×')[0].split(' (')[0]} has length {labels.hover_number('customdata')} at step %{{text}}"
    return {
        "type": "scatter",
        "mode": "lines",
        "x": f4(x),
        "y": f4(y),
        "text": i4(np.repeat(steps, POINTS_PER_ARROW)),
        "customdata": f4(np.repeat(np.linalg.norm(vectors, axis=1), POINTS_PER_ARROW)),
        "meta": {"steps": i4(np.repeat(steps, POINTS_PER_ARROW)), "show": "at"},
        "line": {"color": color, "width": 3},
        "name": name,
        "uid": part,
        "hovertemplate": f"{hover}<extra></extra>",
        "showlegend": True,
        "legendrank": 900,
    }
