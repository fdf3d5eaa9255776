"""3-D surfaces: the surface trace, interpolation on it, and the scene's axes and camera."""

import numpy as np

from nnviz.figures.kit.colorscale import round_multiples
from nnviz.figures.kit.layout import f4

# Approximate number of labels along x and y; the end of y is not labeled, since z's lowest labels are there.
MAX_TICKS, UNLABELED_END = 4, 0.08
# Minimum distance between two labels of z, as a fraction of its range.
MIN_TICK_GAP = 0.18


def is_inside(points: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Which points (n, 2) are inside the grid."""
    with np.errstate(invalid="ignore"):
        return ((points >= [x[0], y[0]]) & (points <= [x[-1], y[-1]])).all(1)


def interpolated_z(points: np.ndarray, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """`z` (ny, nx) at points (n, 2), bilinearly interpolated."""
    index = np.nan_to_num((points - [x[0], y[0]]) / [x[1] - x[0], y[1] - y[0]])
    index = np.clip(index, 0, [len(x) - 1, len(y) - 1])
    column, row = np.minimum(index.astype(int), [len(x) - 2, len(y) - 2]).T
    dx, dy = index[:, 0] - column, index[:, 1] - row
    lower = z[row, column] * (1 - dx) + z[row, column + 1] * dx
    upper = z[row + 1, column] * (1 - dx) + z[row + 1, column + 1] * dx
    return lower * (1 - dy) + upper * dy


def surface(
    x: np.ndarray,
    y: np.ndarray,
    z: np.ndarray,
    values: np.ndarray,
    hover: str,
    *,
    name: str = "f",
    color_range: tuple[float, float] | None = None,
) -> dict:
    """A surface trace with contour lines: `z` (ny, nx) is drawn, `values` (ny, nx) are "customdata" for `hover`.

    Colors and contour lines cover `color_range`, or the range of `z`.
    """
    z_range = (float(np.nanmin(z)), float(np.nanmax(z))) if np.isfinite(z).any() else (0.0, 1.0)
    low, high = color_range or z_range
    line = {"show": True, "start": low, "end": high, "size": (high - low) / 12 or 1.0, "width": 1}
    no_highlight = {"highlight": False}
    return {
        "type": "surface",
        "x": f4(x),
        "y": f4(y),
        "z": f4(z),
        "customdata": f4(values),
        "showscale": False,
        **({"cmin": low, "cmax": high} if color_range else {}),
        "contours": {"z": line | no_highlight, "x": no_highlight, "y": no_highlight},
        "lighting": {"ambient": 0.75, "diffuse": 0.5, "specular": 0.05, "roughness": 0.9, "fresnel": 0.1},
        "name": name,
        "hovertemplate": f"{hover}<extra></extra>",
    }


def scene(x: dict, y: dict, z: dict, revision: str) -> dict:
    """Layout entries of a 3-D plot with these axes; the user's rotation persists while `revision` is the same."""
    return {
        "scene": {
            "xaxis": _with_round_ticks(x, 0.0),
            "yaxis": _with_round_ticks(y, UNLABELED_END),
            "zaxis": _without_overlapping_ticks(z),
            "aspectmode": "manual",
            "aspectratio": {"x": 1.2, "y": 1.2, "z": 0.6},
            "camera": {"eye": {"x": -0.86, "y": -1.6, "z": 1.82}, "center": {"x": 0, "y": 0, "z": -0.2}},
            "dragmode": "orbit",
            "uirevision": revision,
        },
        "margin": {"l": 0, "r": 0, "t": 4, "b": 0},
        "x": {"visible": False},
        "y": {"visible": False},
    }


def _with_round_ticks(axis: dict, unlabeled: float) -> dict:
    """The axis with ticks at round numbers, except in the last `unlabeled` fraction of its range."""
    low, high = axis["range"]
    ticks = round_multiples(low, high, MAX_TICKS)
    return {**axis, "tickvals": ticks[ticks <= high - unlabeled * (high - low)].tolist()}


def _without_overlapping_ticks(axis: dict) -> dict:
    """The axis without labels that would overlap; the first and the last are kept."""
    ticks = sorted(zip(axis["tickvals"], axis["ticktext"], strict=True))
    min_gap = MIN_TICK_GAP * (ticks[-1][0] - ticks[0][0]) if ticks else 0.0
    visible = ticks[:1]
    for tick in ticks[1:-1]:
        if tick[0] - visible[-1][0] >= min_gap <= ticks[-1][0] - tick[0]:
            visible.append(tick)
    visible += ticks[-1:] if len(ticks) > 1 else []
    return {**axis, "tickvals": [value for value, _ in visible], "ticktext": [text for _, text in visible]}
