"""Arrows as lines in the plane of the data: the parts of one optimizer's step, at every step."""

from collections.abc import Mapping

import numpy as np

from nnviz.figures.kit import labels, theme
from nnviz.figures.kit.layout import f4, i4
from nnviz.figures.trajectories import trajectory_lines

# Entries of one arrow: start, tip, the two sides of its head by way of the tip, and a gap.
POINTS_PER_ARROW = 6
# As shares of the picture: a usual arrow, the longest, its head, and a step that is worth seeing.
TYPICAL_LENGTH, MAX_LENGTH, HEAD_LENGTH, MIN_MOVE = 0.2, 0.45, 0.025, 0.003
# Width over height of a picture, about: the head is drawn straight in this one.
ASPECT = 1.3
# A step goes against the gradient, and against what is remembered of it.
_PARTS = {"gradient": "gradient", "momentum": "momentum"}


def arrow_lines(starts: np.ndarray, vectors: np.ndarray, size: tuple[float, float]) -> np.ndarray:
    """Points (n · 6, 2) of lines that make an arrow from each of `starts` (n, 2) along `vectors` (n, 2).

    `size` is the width and height of the picture. Arrows that are not numbers, and those without length, are gaps.
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
    found = np.stack([starts, tips, sides[0], tips, sides[1], gap], 1)
    found[~np.isfinite(found[:, :5]).all((1, 2))] = np.nan
    return found.reshape(-1, 2)


def arrow_scale(vectors: np.ndarray, moved: np.ndarray, size: tuple[float, float]) -> float:
    """A round number to draw vectors (n, 2) by, one for all steps: 1, 2 or 5 times a power of ten.

    Large ones among those steps that go anywhere, `moved` (n,), get a fifth of the picture.
    """
    lengths = np.linalg.norm(vectors / size, axis=1)
    good = np.isfinite(lengths) & (lengths > 0)
    seen = lengths[good & moved] if (good & moved).any() else lengths[good]
    if not len(seen):
        return 1.0
    value = TYPICAL_LENGTH / np.quantile(seen, 0.8)
    power = 10.0 ** np.floor(np.log10(value))
    return float(power * next(m for m in (5, 2, 1) if m * power <= value * (1 + 1e-9)))


def update_arrows(
    trajectories: Mapping[str, np.ndarray],
    optimizer: int,
    size: tuple[float, float],
    words: Mapping[str, str] | None = None,
) -> list[dict]:
    """The optimizer's −gradient and −momentum, by a factor that the legend says, and its step in its true length.

    Shown at the step from which they lead. Arrows too long for the picture are cut, and say so. `words` say what the
    optimizer's momentum is, where it is called otherwise.
    """
    steps = trajectory_lines.drawn_steps(trajectories, optimizer)
    steps = steps[steps < trajectories["points"].shape[1] - 1]
    points = np.asarray(trajectories["points"][optimizer], float)
    starts, moves = points[steps], points[steps + 1] - points[steps]
    moved = np.linalg.norm(moves / size, axis=1) > MIN_MOVE
    traces = []
    for part, name in (_PARTS | {p: w for p, w in (words or {}).items() if p in _PARTS}).items():
        vectors = (
            -np.asarray(trajectories[part][optimizer], float)[steps]
            if part in trajectories
            else np.full_like(moves, np.nan)
        )
        if np.isfinite(vectors).any():
            times = arrow_scale(vectors, moved, size)
            text = f"−{name} × {labels.number(times, 1)}"
            traces.append(_trace(part, text, steps, starts, vectors, times, size, theme.ARROWS[part]))
    traces.append(
        _trace("step", "step (true length)", steps, starts, moves, 1.0, size, theme.optimizer_color(optimizer))
    )
    return traces


def _trace(
    part: str,
    name: str,
    steps: np.ndarray,
    starts: np.ndarray,
    vectors: np.ndarray,
    times: float,
    size: tuple[float, float],
    color: str,
) -> dict:
    drawn = vectors * times
    if times != 1.0:
        lengths = np.linalg.norm(drawn / size, axis=1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            drawn = np.where(lengths > MAX_LENGTH, drawn * (MAX_LENGTH / lengths), drawn)
    x, y = arrow_lines(starts, drawn, size).T
    told = f"{name.split(' ×')[0].split(' (')[0]} has length {labels.hover_number('customdata')} at step %{{text}}"
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
        "hovertemplate": f"{told}<extra></extra>",
        "showlegend": True,
        "legendrank": 900,
    }
