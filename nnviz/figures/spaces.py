"""The surface that racers go down, as a landscape in space, with their paths on it."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from nnviz.figures import labels, layout, racers, relief, theme
from nnviz.figures.layout import f4, i4

# Places along each side; the height recorded is that of every second one.
PLACES = 61
# Walls are cut off at this share of the places, where they go on more than `TALL` times as high.
CUT, TALL = 0.9, 2.5
# How far paths float above the ground, as a share of the picture's height.
LIFT = 0.03
_HELP = (
    "The same race in space, to be turned with the mouse: steep ground is where methods swing, flat ground where they "
    "crawl."
)

Arrays = Mapping[str, np.ndarray]


def surface_3d(
    surface: Arrays,
    race: Arrays,
    names: Sequence[str],
    *,
    log_height: bool | None = False,
    hidden: Collection[int] = (),
) -> dict:
    """The surface with the racers' paths on it, all steps at once; arguments as those of `contour_map`.

    Walls that rise far above nine tenths of the surface are cut off flat there, and the help says so. What leaves the
    picture to a side is not drawn.
    """
    title = "Surface in space"
    if not surface:
        return layout.empty(title, _HELP)
    x, y, z = (np.asarray(surface[name], float) for name in "xyz")
    every = -(-len(x) // PLACES)
    x, y, z = x[::every], y[::every], np.where(np.isfinite(z), z, np.nan)[::every, ::every]
    scale = relief.scale(z, log_height)
    top = _top(z, scale)
    ground = scale.place(np.minimum(z, top))
    span = float(np.nanmax(ground) - np.nanmin(ground)) if np.isfinite(ground).any() else 1.0
    traces = [_ground(x, y, z, ground)]
    count = len(race["points"]) if race else 0
    for i in range(count):
        steps = racers.kept_steps(race, i)
        points = np.asarray(race["points"][i], float)[steps]
        heights = np.asarray(race["heights"][i], float)[steps]
        inside = _inside(points, x, y)
        level = np.fmax(scale.place(np.minimum(heights, top)), _below(points, x, y, ground)) + LIFT * span
        level = np.where(inside & np.isfinite(heights), level, np.nan)
        traces += [trace | racers.group(i, hidden) for trace in _path(race, i, names, steps, points, level, heights)]
    traces.append(_lowest(surface, x, y, ground, LIFT * span))
    places, words = relief.ticks(scale._replace(high=top))
    help = _HELP if top >= scale.high else f"{_HELP} Walls above {labels.number(top)} are cut off flat."
    found = layout.figure(
        traces,
        title=title,
        help=help,
        scene={
            "xaxis": {"title": {"text": "x"}, "range": [float(x[0]), float(x[-1])], "nticks": 5},
            "yaxis": {"title": {"text": "y"}, "range": [float(y[0]), float(y[-1])], "nticks": 5},
            "zaxis": {"title": {"text": "f(x, y)"}, "tickvals": places, "ticktext": words},
            "aspectmode": "manual",
            "aspectratio": {"x": 1.2, "y": 1.2, "z": 0.6},
            "camera": {"eye": {"x": -0.78, "y": -1.44, "z": 1.7}, "center": {"x": 0, "y": 0, "z": -0.12}},
            "dragmode": "orbit",
            "uirevision": title,
        },
        margin={"l": 0, "r": 0, "t": 4, "b": 0},
        **racers.legend(count),
    )
    for name in ("xaxis", "yaxis"):
        found["layout"][name] = {"visible": False}
    found["layout"]["meta"]["reveals"] = True
    return found


def _top(z: np.ndarray, scale: relief.Scale) -> float:
    """Where the walls are cut off; the highest place where they are not."""
    found = z[np.isfinite(z)]
    if scale.shift or not len(found):
        return scale.high
    cut = float(np.quantile(found, CUT))
    return cut if scale.high - scale.low > TALL * (cut - scale.low) > 0 else scale.high


def _inside(points: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Which points (n, 2) lie over the ground."""
    with np.errstate(invalid="ignore"):
        return ((points >= [x[0], y[0]]) & (points <= [x[-1], y[-1]])).all(1)


def _below(points: np.ndarray, x: np.ndarray, y: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """The ground as it is drawn, straight between its places, below points (n, 2)."""
    place = np.nan_to_num((points - [x[0], y[0]]) / [x[1] - x[0], y[1] - y[0]])
    place = np.clip(place, 0, [len(x) - 1, len(y) - 1])
    left, low = np.minimum(place.astype(int), [len(x) - 2, len(y) - 2]).T
    right, up = place[:, 0] - left, place[:, 1] - low
    lower = ground[low, left] * (1 - right) + ground[low, left + 1] * right
    upper = ground[low + 1, left] * (1 - right) + ground[low + 1, left + 1] * right
    return lower * (1 - up) + upper * up


def _ground(x: np.ndarray, y: np.ndarray, z: np.ndarray, ground: np.ndarray) -> dict:
    low, high = (float(np.nanmin(ground)), float(np.nanmax(ground))) if np.isfinite(ground).any() else (0.0, 1.0)
    line = {"show": True, "start": low, "end": high, "size": (high - low) / 12 or 1.0, "width": 1}
    quiet = {"highlight": False}
    words = f"x {labels.shown('x')}, y {labels.shown('y')}<br>f {labels.shown('customdata')}<extra></extra>"
    return {
        "type": "surface",
        "x": f4(x),
        "y": f4(y),
        "z": f4(ground),
        "customdata": f4(z),
        "colorscale": theme.scale(theme.RELIEF),
        "showscale": False,
        "contours": {"z": line | quiet | {"color": theme.RELIEF_LINE}, "x": quiet, "y": quiet},
        "lighting": {"ambient": 0.75, "diffuse": 0.5, "specular": 0.05, "roughness": 0.9, "fresnel": 0.1},
        "name": "f",
        "hovertemplate": words,
    }


def _path(
    race: Arrays,
    racer: int,
    names: Sequence[str],
    steps: np.ndarray,
    points: np.ndarray,
    level: np.ndarray,
    heights: np.ndarray,
) -> list[dict]:
    name = racers.called(names, race, racer)
    color = theme.racer_color(racer)
    where = f"x {labels.shown('x')}, y {labels.shown('y')}<br>f {labels.shown('customdata')}"
    common = {
        "type": "scatter3d",
        # Points far away take the picture's precision away, and have no level anyway.
        "x": f4(np.where(np.isnan(level), np.nan, points[:, 0])),
        "y": f4(np.where(np.isnan(level), np.nan, points[:, 1])),
        "z": f4(level),
        "text": i4(steps),
        "customdata": f4(heights),
        "name": name,
        "hovertemplate": f"<b>{name}</b>, step %{{text}}<br>{where}<extra></extra>",
    }
    line = {"mode": "lines", "line": {"color": color, "width": 5}, "uid": f"path{racer}", "showlegend": True}
    mark = {"mode": "markers", "marker": {"size": 6, "color": color}, "uid": f"mark{racer}", "showlegend": False}
    return [
        common | line | {"meta": {"steps": i4(steps), "show": "until"}},
        common | mark | {"meta": {"steps": i4(steps), "show": "at"}},
    ]


def _lowest(surface: Arrays, x: np.ndarray, y: np.ndarray, ground: np.ndarray, lift: float) -> dict:
    """The lowest points."""
    optima = np.asarray(surface["optima"], float).reshape(-1, 2)
    optima = optima[_inside(optima, x, y)]
    return {
        "type": "scatter3d",
        "mode": "markers",
        "x": f4(optima[:, 0]),
        "y": f4(optima[:, 1]),
        "z": f4(_below(optima, x, y, ground) + lift),
        "marker": {"symbol": "diamond", "size": 5, "color": theme.WHITE, "line": {"color": theme.INK, "width": 1}},
        "name": "lowest point",
        "uid": "lowest",
        "showlegend": False,
        "hovertemplate": f"lowest point<br>x {labels.shown('x')}, y {labels.shown('y')}<extra></extra>",
    }
