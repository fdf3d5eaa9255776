"""3-D plot of a function of two variables, with the paths of the optimizers on its surface."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from nnviz.figures.kit import colorscale, labels, layout, surface3d, tables, theme
from nnviz.figures.kit.layout import f4, i4
from nnviz.figures.trajectories import critical_point_marks, trajectory_lines

# Grid points along each side.
MAX_GRID_POINTS = 61
# Values are clipped at this quantile where the maximum is more than `CLIP_RATIO` times as far from the minimum.
CLIP_QUANTILE, CLIP_RATIO = 0.9, 2.5
# Height of paths above the surface, as a fraction of the range of z, so that it does not hide them.
LINE_OFFSET = 0.03
_HELP = (
    "The same paths on the surface in 3-D; drag to rotate. Optimizers oscillate across steep directions and progress "
    "slowly along flat ones."
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

    Values far above the 90th percentile are clipped, and the help says so. Points outside the grid are not drawn.
    """
    title = "Surface and trajectories (3-D)"
    if not surface:
        return layout.empty(title, _HELP)
    x, y, z = (np.asarray(surface[name], float) for name in "xyz")
    if not np.isfinite(z).any():  # plotly.js draws a broken scene without finite values
        return layout.empty(title, _HELP, "f(x, y) is not finite here")
    every = -(-len(x) // MAX_GRID_POINTS)
    x, y, z = x[::every], y[::every], np.where(np.isfinite(z), z, np.nan)[::every, ::every]
    scale = colorscale.value_scale(z, log)
    clip = _clip_value(z, scale)
    surface_z = scale.position(np.minimum(z, clip))
    span = float(np.nanmax(surface_z) - np.nanmin(surface_z)) if np.isfinite(surface_z).any() else 1.0
    hover = f"{labels.HOVER_POINT}<br>f {labels.hover_number('customdata')}"
    traces = [surface3d.surface(x, y, surface_z, z, hover)]
    count, path_tables = len(trajectories["points"]) if trajectories else 0, []
    for i in range(count):
        steps = trajectory_lines.drawn_steps(trajectories, i)
        points = np.asarray(trajectories["points"][i], float)[steps]
        values = np.asarray(trajectories["values"][i], float)[steps]
        inside = surface3d.is_inside(points, x, y)
        path_z = (
            np.fmax(scale.position(np.minimum(values, clip)), surface3d.interpolated_z(points, x, y, surface_z))
            + LINE_OFFSET * span
        )
        path_z = np.where(inside & np.isfinite(values), path_z, np.nan)
        path = _path(trajectories, i, names, steps, points, path_z, values, LINE_OFFSET * span)
        traces += [trace | trajectory_lines.legend_group(i, hidden) for trace in path]
        path_tables.append(trajectory_lines.table(trajectories, i, names, steps[np.isfinite(points).all(1)]))
    traces += _lowest_minima(surface, x, y, surface_z, LINE_OFFSET * span)
    tickvals, ticktext = colorscale.ticks(scale._replace(high=clip))
    help = _HELP if clip >= scale.high else f"{_HELP} Values above {labels.number(clip)} are clipped."
    figure = layout.figure(
        traces,
        title=title,
        help=help,
        **surface3d.scene(
            layout.axis("x", range=[float(x[0]), float(x[-1])]),
            layout.axis("y", range=[float(y[0]), float(y[-1])]),
            layout.axis("f(x, y)", tickvals=tickvals, ticktext=ticktext),
            title,
        ),
        table=[tables.grid({"kind": "surface", "y": y}, {"x": x}, {"f": z}), *path_tables],
        **trajectory_lines.legend(count),
    )
    figure["layout"]["meta"]["reveals"] = True
    return figure


def _clip_value(z: np.ndarray, scale: colorscale.ValueScale) -> float:
    """The value at which the surface is clipped; the maximum where it is not."""
    finite = z[np.isfinite(z)]
    if scale.log_offset or not len(finite):
        return scale.high
    cut = float(np.quantile(finite, CLIP_QUANTILE))
    return cut if scale.high - scale.low > CLIP_RATIO * (cut - scale.low) > 0 else scale.high


def _path(
    trajectories: Arrays,
    optimizer: int,
    names: Sequence[str],
    steps: np.ndarray,
    points: np.ndarray,
    path_z: np.ndarray,
    values: np.ndarray,
    offset_z: float,
) -> list[dict]:
    name = trajectory_lines.name_with_exit(names, trajectories, optimizer)
    color = theme.optimizer_color(optimizer)
    where = f"{labels.HOVER_POINT}<br>f {labels.hover_number('customdata')}"
    common = {
        "type": "scatter3d",
        # Points far outside would cost WebGL its precision.
        "x": f4(np.where(np.isnan(path_z), np.nan, points[:, 0])),
        "y": f4(np.where(np.isnan(path_z), np.nan, points[:, 1])),
        "z": f4(path_z),
        "text": i4(steps),
        "customdata": f4(values),
        "name": name,
        "hovertemplate": f"<b>{name}</b>, step %{{text}}<br>{where}<extra></extra>",
    }
    style = trajectory_lines.line_style(optimizer, 5)
    line = {"mode": "lines", "line": style, "uid": f"path{optimizer}", "showlegend": True}
    mark = {"mode": "markers", "marker": {"size": 6, "color": color}, "uid": f"mark{optimizer}", "showlegend": False}
    mark["z"] = f4(path_z + offset_z)  # or the surface would hide half of the marker
    return [
        common | line | {"meta": {"steps": i4(steps), "show": "until"}},
        common | mark | {"meta": {"steps": i4(steps), "show": "at"}},
    ]


def _lowest_minima(surface: Arrays, x: np.ndarray, y: np.ndarray, surface_z: np.ndarray, offset_z: float) -> list[dict]:
    """The lowest minima in view: points and curves."""
    minima, curves = (critical_point_marks.points(surface, name) for name in ("global_minima", "global_minimum_curves"))
    minima = minima[surface3d.is_inside(minima, x, y)]
    minima = minima[critical_point_marks.sample_indices(len(minima))]
    curves = critical_point_marks.thinned_lines(curves)
    curves = np.where(surface3d.is_inside(curves, x, y)[:, None], curves, np.nan)
    common = {}
    for name in (critical_point_marks.LOWEST_MINIMUM, critical_point_marks.MINIMUM_CURVE):
        hover = f"{name}<br>{labels.HOVER_POINT}<extra></extra>"
        common[name] = {"type": "scatter3d", "name": name, "showlegend": False, "hovertemplate": hover}
    diamond = {
        "symbol": "diamond",
        "size": 5,
        "color": theme.WHITE,
        "line": {"color": theme.MARKER_OUTLINE, "width": 1},
    }
    traces = [
        common[critical_point_marks.LOWEST_MINIMUM]
        | _points_on_surface(minima, x, y, surface_z, offset_z)
        | {"mode": "markers", "marker": diamond, "uid": "lowest"}
    ]
    if len(curves):
        for color, width, fraction, uid in (
            (theme.WHITE, 11, 0.7, "curve_edge"),
            (theme.MARKER_OUTLINE, 5, 1.0, "curve"),
        ):
            line = {"mode": "lines", "line": {"color": color, "width": width}, "uid": uid}
            traces.append(
                common[critical_point_marks.MINIMUM_CURVE]
                | _points_on_surface(curves, x, y, surface_z, fraction * offset_z)
                | line
            )
    return traces


def _points_on_surface(
    points: np.ndarray, x: np.ndarray, y: np.ndarray, surface_z: np.ndarray, offset_z: float
) -> dict:
    """Points (n, 2) just above the surface; NaN stays a gap."""
    path_z = np.where(np.isnan(points).any(1), np.nan, surface3d.interpolated_z(points, x, y, surface_z) + offset_z)
    return {"x": f4(points[:, 0]), "y": f4(points[:, 1]), "z": f4(path_z)}
