"""Ground in space: a surface that heights are drawn as, what lies below a point, and how the picture is turned."""

import numpy as np

from nnviz.figures.kit.colorscale import round_multiples
from nnviz.figures.kit.layout import f4

# About so many labels along x and y; the end of y is left free, where the lowest heights are written.
MAX_TICKS, UNLABELED_END = 4, 0.08
# Between two heights that are written, as a share of all of them.
MIN_TICK_GAP = 0.18


def is_inside(points: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Which points (n, 2) lie over the ground."""
    with np.errstate(invalid="ignore"):
        return ((points >= [x[0], y[0]]) & (points <= [x[-1], y[-1]])).all(1)


def interpolated_z(points: np.ndarray, x: np.ndarray, y: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """The ground as it is drawn, straight between its places, below points (n, 2)."""
    place = np.nan_to_num((points - [x[0], y[0]]) / [x[1] - x[0], y[1] - y[0]])
    place = np.clip(place, 0, [len(x) - 1, len(y) - 1])
    left, low = np.minimum(place.astype(int), [len(x) - 2, len(y) - 2]).T
    right, up = place[:, 0] - left, place[:, 1] - low
    lower = ground[low, left] * (1 - right) + ground[low, left + 1] * right
    upper = ground[low + 1, left] * (1 - right) + ground[low + 1, left + 1] * right
    return lower * (1 - up) + upper * up


def surface(
    x: np.ndarray,
    y: np.ndarray,
    ground: np.ndarray,
    z: np.ndarray,
    hover: str,
    *,
    name: str = "f",
    ends: tuple[float, float] | None = None,
) -> dict:
    """The ground (ny, nx) as it is drawn, with contour lines; `hover` tells the true heights z as "customdata". Colors
    and lines go from the first to the second of `ends`, or over the heights that there are."""
    drawn = (float(np.nanmin(ground)), float(np.nanmax(ground))) if np.isfinite(ground).any() else (0.0, 1.0)
    low, high = ends or drawn
    line = {"show": True, "start": low, "end": high, "size": (high - low) / 12 or 1.0, "width": 1}
    quiet = {"highlight": False}
    return {
        "type": "surface",
        "x": f4(x),
        "y": f4(y),
        "z": f4(ground),
        "customdata": f4(z),
        "showscale": False,
        **({"cmin": low, "cmax": high} if ends else {}),
        "contours": {"z": line | quiet, "x": quiet, "y": quiet},
        "lighting": {"ambient": 0.75, "diffuse": 0.5, "specular": 0.05, "roughness": 0.9, "fresnel": 0.1},
        "name": name,
        "hovertemplate": f"{hover}<extra></extra>",
    }


def scene(x: dict, y: dict, z: dict, revision: str) -> dict:
    """Layout entries of a picture in space with these axes, seen from a corner; `revision` keeps how it was turned."""
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


def _with_round_ticks(axis: dict, free: float) -> dict:
    """The axis with labels at round numbers, none within the `free` share of its range at its end."""
    low, high = axis["range"]
    places = round_multiples(low, high, MAX_TICKS)
    return {**axis, "tickvals": places[places <= high - free * (high - low)].tolist()}


def _without_overlapping_ticks(axis: dict) -> dict:
    """The axis of heights without labels that would lie on each other: the lowest and the highest stay."""
    ticks = sorted(zip(axis["tickvals"], axis["ticktext"], strict=True))
    least = MIN_TICK_GAP * (ticks[-1][0] - ticks[0][0]) if ticks else 0.0
    kept = ticks[:1]
    for tick in ticks[1:-1]:
        if tick[0] - kept[-1][0] >= least <= ticks[-1][0] - tick[0]:
            kept.append(tick)
    kept += ticks[-1:] if len(ticks) > 1 else []
    return {**axis, "tickvals": [place for place, _ in kept], "ticktext": [words for _, words in kept]}
