"""Ground in space: a surface that heights are drawn as, what lies below a point, and how the picture is turned."""

import numpy as np

from nnviz.figures.layout import f4


def inside(points: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Which points (n, 2) lie over the ground."""
    with np.errstate(invalid="ignore"):
        return ((points >= [x[0], y[0]]) & (points <= [x[-1], y[-1]])).all(1)


def below(points: np.ndarray, x: np.ndarray, y: np.ndarray, ground: np.ndarray) -> np.ndarray:
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
            "xaxis": {"nticks": 5, **x},
            "yaxis": {"nticks": 5, **y},
            "zaxis": z,
            "aspectmode": "manual",
            "aspectratio": {"x": 1.2, "y": 1.2, "z": 0.6},
            "camera": {"eye": {"x": -0.78, "y": -1.44, "z": 1.7}, "center": {"x": 0, "y": 0, "z": -0.12}},
            "dragmode": "orbit",
            "uirevision": revision,
        },
        "margin": {"l": 0, "r": 0, "t": 4, "b": 0},
        "x": {"visible": False},
        "y": {"visible": False},
    }
