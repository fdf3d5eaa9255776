"""The surface that optimizers go down, as a landscape in space, with their paths on it."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from nnviz.figures.kit import colorscale, labels, layout, surface3d, tables, theme
from nnviz.figures.kit.layout import f4, i4
from nnviz.figures.trajectories import critical_point_marks, trajectory_lines

# Places along each side; the height recorded is that of every second one.
MAX_GRID_POINTS = 61
# Walls are cut off at this share of the places, where they go on more than `TALL` times as high.
CLIP_QUANTILE, CLIP_RATIO = 0.9, 2.5
# How far paths float above the ground, as a share of the picture's height.
LINE_OFFSET = 0.03
_HELP = (
    "The same race in space, to be turned with the mouse: steep ground is where methods swing, flat ground where they "
    "crawl."
)

Arrays = Mapping[str, np.ndarray]


def surface_3d(
    surface: Arrays,
    trajectories: Arrays,
    names: Sequence[str],
    *,
    log: bool | None = False,
    hidden: Collection[int] = (),
) -> dict:
    """The surface with the optimizers' paths on it, all steps at once; arguments as those of `contour_map`.

    Walls that rise far above nine tenths of the surface are cut off flat there, and the help says so. What leaves the
    picture to a side is not drawn.
    """
    title = "Surface in space"
    if not surface:
        return layout.empty(title, _HELP)
    x, y, z = (np.asarray(surface[name], float) for name in "xyz")
    if not np.isfinite(z).any():  # a scene without any ground leaves plotly.js with a broken picture
        return layout.empty(title, _HELP, "f(x, y) has no value here")
    every = -(-len(x) // MAX_GRID_POINTS)
    x, y, z = x[::every], y[::every], np.where(np.isfinite(z), z, np.nan)[::every, ::every]
    scale = colorscale.value_scale(z, log)
    top = _clip_value(z, scale)
    floor = scale.position(np.minimum(z, top))
    span = float(np.nanmax(floor) - np.nanmin(floor)) if np.isfinite(floor).any() else 1.0
    hover = f"{labels.HOVER_POINT}<br>f {labels.hover_number('customdata')}"
    traces = [surface3d.surface(x, y, floor, z, hover)]
    count, told = len(trajectories["points"]) if trajectories else 0, []
    for i in range(count):
        steps = trajectory_lines.drawn_steps(trajectories, i)
        points = np.asarray(trajectories["points"][i], float)[steps]
        heights = np.asarray(trajectories["values"][i], float)[steps]
        inside = surface3d.is_inside(points, x, y)
        level = (
            np.fmax(scale.position(np.minimum(heights, top)), surface3d.interpolated_z(points, x, y, floor))
            + LINE_OFFSET * span
        )
        level = np.where(inside & np.isfinite(heights), level, np.nan)
        path = _path(trajectories, i, names, steps, points, level, heights, LINE_OFFSET * span)
        traces += [trace | trajectory_lines.legend_group(i, hidden) for trace in path]
        told.append(trajectory_lines.table(trajectories, i, names, steps[np.isfinite(points).all(1)]))
    traces += _lowest_minima(surface, x, y, floor, LINE_OFFSET * span)
    places, words = colorscale.ticks(scale._replace(high=top))
    help = _HELP if top >= scale.high else f"{_HELP} Walls above {labels.number(top)} are cut off flat."
    found = layout.figure(
        traces,
        title=title,
        help=help,
        **surface3d.scene(
            layout.axis("x", range=[float(x[0]), float(x[-1])]),
            layout.axis("y", range=[float(y[0]), float(y[-1])]),
            layout.axis("f(x, y)", tickvals=places, ticktext=words),
            title,
        ),
        table=[tables.grid({"kind": "surface", "y": y}, {"x": x}, {"f": z}), *told],
        **trajectory_lines.legend(count),
    )
    found["layout"]["meta"]["reveals"] = True
    return found


def _clip_value(z: np.ndarray, scale: colorscale.ValueScale) -> float:
    """Where the walls are cut off; the highest place where they are not."""
    found = z[np.isfinite(z)]
    if scale.log_offset or not len(found):
        return scale.high
    cut = float(np.quantile(found, CLIP_QUANTILE))
    return cut if scale.high - scale.low > CLIP_RATIO * (cut - scale.low) > 0 else scale.high


def _path(
    trajectories: Arrays,
    optimizer: int,
    names: Sequence[str],
    steps: np.ndarray,
    points: np.ndarray,
    level: np.ndarray,
    heights: np.ndarray,
    lift: float,
) -> list[dict]:
    name = trajectory_lines.name_with_exit(names, trajectories, optimizer)
    color = theme.optimizer_color(optimizer)
    where = f"{labels.HOVER_POINT}<br>f {labels.hover_number('customdata')}"
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
    line = {"mode": "lines", "line": {"color": color, "width": 5}, "uid": f"path{optimizer}", "showlegend": True}
    mark = {"mode": "markers", "marker": {"size": 6, "color": color}, "uid": f"mark{optimizer}", "showlegend": False}
    mark["z"] = f4(level + lift)  # as a disk it would be half sunk
    return [
        common | line | {"meta": {"steps": i4(steps), "show": "until"}},
        common | mark | {"meta": {"steps": i4(steps), "show": "at"}},
    ]


def _lowest_minima(surface: Arrays, x: np.ndarray, y: np.ndarray, floor: np.ndarray, lift: float) -> list[dict]:
    """The lowest minima in view, points and curves."""
    optima, curves = (critical_point_marks.points(surface, name) for name in ("global_minima", "global_minimum_curves"))
    optima = optima[surface3d.is_inside(optima, x, y)]
    optima = optima[critical_point_marks.sample_indices(len(optima))]
    curves = critical_point_marks.thinned_lines(curves)
    curves = np.where(surface3d.is_inside(curves, x, y)[:, None], curves, np.nan)
    words = {}
    for name in (critical_point_marks.LOWEST_MINIMUM, critical_point_marks.MINIMUM_CURVE):
        place = f"{name}<br>{labels.HOVER_POINT}<extra></extra>"
        words[name] = {"type": "scatter3d", "name": name, "showlegend": False, "hovertemplate": place}
    diamond = {
        "symbol": "diamond",
        "size": 5,
        "color": theme.WHITE,
        "line": {"color": theme.MARKER_OUTLINE, "width": 1},
    }
    found = [
        words[critical_point_marks.LOWEST_MINIMUM]
        | _points_on_surface(optima, x, y, floor, lift)
        | {"mode": "markers", "marker": diamond, "uid": "lowest"}
    ]
    if len(curves):
        for color, width, share, uid in ((theme.WHITE, 11, 0.7, "curve_edge"), (theme.MARKER_OUTLINE, 5, 1.0, "curve")):
            line = {"mode": "lines", "line": {"color": color, "width": width}, "uid": uid}
            found.append(
                words[critical_point_marks.MINIMUM_CURVE] | _points_on_surface(curves, x, y, floor, share * lift) | line
            )
    return found


def _points_on_surface(points: np.ndarray, x: np.ndarray, y: np.ndarray, floor: np.ndarray, lift: float) -> dict:
    """Points (n, 2) just above the ground; a gap where there is none."""
    level = np.where(np.isnan(points).any(1), np.nan, surface3d.interpolated_z(points, x, y, floor) + lift)
    return {"x": f4(points[:, 0]), "y": f4(points[:, 1]), "z": f4(level)}
