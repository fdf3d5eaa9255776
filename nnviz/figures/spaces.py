"""The surface that racers go down, as a landscape in space, with their paths on it."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from nnviz.figures import ground, labels, layout, level_points, racers, relief, tables, theme
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
    if not np.isfinite(z).any():  # a scene without any ground leaves plotly.js with a broken picture
        return layout.empty(title, _HELP, "f(x, y) has no value here")
    every = -(-len(x) // PLACES)
    x, y, z = x[::every], y[::every], np.where(np.isfinite(z), z, np.nan)[::every, ::every]
    scale = relief.scale(z, log_height)
    top = _top(z, scale)
    floor = scale.place(np.minimum(z, top))
    span = float(np.nanmax(floor) - np.nanmin(floor)) if np.isfinite(floor).any() else 1.0
    hover = f"x {labels.shown('x')}, y {labels.shown('y')}<br>f {labels.shown('customdata')}"
    traces = [ground.surface(x, y, floor, z, hover)]
    count, told = len(race["points"]) if race else 0, []
    for i in range(count):
        steps = racers.kept_steps(race, i)
        points = np.asarray(race["points"][i], float)[steps]
        heights = np.asarray(race["heights"][i], float)[steps]
        inside = ground.inside(points, x, y)
        level = np.fmax(scale.place(np.minimum(heights, top)), ground.below(points, x, y, floor)) + LIFT * span
        level = np.where(inside & np.isfinite(heights), level, np.nan)
        path = _path(race, i, names, steps, points, level, heights, LIFT * span)
        traces += [trace | racers.group(i, hidden) for trace in path]
        told.append(racers.table(race, i, names, steps[np.isfinite(points).all(1)]))
    traces += _lowest(surface, x, y, floor, LIFT * span)
    places, words = relief.ticks(scale._replace(high=top))
    help = _HELP if top >= scale.high else f"{_HELP} Walls above {labels.number(top)} are cut off flat."
    found = layout.figure(
        traces,
        title=title,
        help=help,
        **ground.scene(
            layout.axis("x", range=[float(x[0]), float(x[-1])]),
            layout.axis("y", range=[float(y[0]), float(y[-1])]),
            layout.axis("f(x, y)", tickvals=places, ticktext=words),
            title,
        ),
        table=[tables.grid({"kind": "surface", "y": y}, {"x": x}, {"f": z}), *told],
        **racers.legend(count),
    )
    found["layout"]["meta"]["reveals"] = True
    return found


def _top(z: np.ndarray, scale: relief.Scale) -> float:
    """Where the walls are cut off; the highest place where they are not."""
    found = z[np.isfinite(z)]
    if scale.shift or not len(found):
        return scale.high
    cut = float(np.quantile(found, CUT))
    return cut if scale.high - scale.low > TALL * (cut - scale.low) > 0 else scale.high


def _path(
    race: Arrays,
    racer: int,
    names: Sequence[str],
    steps: np.ndarray,
    points: np.ndarray,
    level: np.ndarray,
    heights: np.ndarray,
    lift: float,
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
    mark["z"] = f4(level + lift)  # as a disk it would be half sunk
    return [
        common | line | {"meta": {"steps": i4(steps), "show": "until"}},
        common | mark | {"meta": {"steps": i4(steps), "show": "at"}},
    ]


def _lowest(surface: Arrays, x: np.ndarray, y: np.ndarray, floor: np.ndarray, lift: float) -> list[dict]:
    """The lowest minima in view, points and curves."""
    optima, curves = (level_points.points(surface, name) for name in ("optima", "deepest"))
    optima = optima[ground.inside(optima, x, y)]
    optima = optima[level_points.some(len(optima))]
    curves = level_points.thin_lines(curves)
    curves = np.where(ground.inside(curves, x, y)[:, None], curves, np.nan)
    words = {}
    for name in (level_points.LOWEST, level_points.CURVE):
        place = f"{name}<br>x {labels.shown('x')}, y {labels.shown('y')}<extra></extra>"
        words[name] = {"type": "scatter3d", "name": name, "showlegend": False, "hovertemplate": place}
    diamond = {"symbol": "diamond", "size": 5, "color": theme.WHITE, "line": {"color": theme.INK, "width": 1}}
    found = [
        words[level_points.LOWEST]
        | _placed(optima, x, y, floor, lift)
        | {"mode": "markers", "marker": diamond, "uid": "lowest"}
    ]
    if len(curves):
        for color, width, share, uid in ((theme.WHITE, 11, 0.7, "curve_edge"), (theme.INK, 5, 1.0, "curve")):
            line = {"mode": "lines", "line": {"color": color, "width": width}, "uid": uid}
            found.append(words[level_points.CURVE] | _placed(curves, x, y, floor, share * lift) | line)
    return found


def _placed(points: np.ndarray, x: np.ndarray, y: np.ndarray, floor: np.ndarray, lift: float) -> dict:
    """Points (n, 2) just above the ground; a gap where there is none."""
    level = np.where(np.isnan(points).any(1), np.nan, ground.below(points, x, y, floor) + lift)
    return {"x": f4(points[:, 0]), "y": f4(points[:, 1]), "z": f4(level)}
