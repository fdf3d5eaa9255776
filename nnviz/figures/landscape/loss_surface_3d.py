"""The loss over a plane in weight space, as a surface in 3-D."""

from collections.abc import Mapping

import numpy as np

from nnviz.figures.kit import colorscale, labels, layout, surface3d, theme
from nnviz.figures.kit.layout import f4, i4
from nnviz.figures.landscape import landscape_measures
from nnviz.figures.landscape.loss_map import missing_figure, plane_table
from nnviz.figures.landscape.training_trajectory import (
    PATH_COLOR,
    ProjectedPath,
    component_titles,
    path_table,
    projected_path,
)

# Height of marks above the surface, as a fraction of the range of z, so that it does not hide them.
LINE_OFFSET = 0.02
# Actual values closer to the surface than this, as a fraction of the range of z, are not drawn.
MIN_DIFFERENCE = 0.02
ACTUAL_COLOR = theme.SPLITS["train"]
# Points per segment of the path, so that it follows the surface.
POINTS_PER_SEGMENT = 10
_HELP = "The same plane in 3-D; drag to rotate. The dot is the network."
_PATH_HELP = (
    "The path is projected onto the surface over its plane. Where the value during training differs, a small diamond "
    "marks it; drag to rotate."
)

Arrays = Mapping[str, np.ndarray]


def loss_surface_3d(
    plane: Arrays,
    measure: str = "train_loss",
    *,
    log: bool | None = None,
    scale: colorscale.ValueScale | None = None,
) -> dict:
    """A measure over the plane of two random directions in 3-D; arguments as those of `loss_map`."""
    title = f"{landscape_measures.measure_name(measure).capitalize()} on a random plane (3-D)"
    return missing_figure(title, _HELP, plane, measure) or _surface_figure(
        plane, None, measure, log, scale, ["direction 1", "direction 2"], title, _HELP, "loss surface"
    )


def path_surface_3d(
    plane: Arrays,
    path: Arrays,
    training: Arrays,
    measure: str = "train_loss",
    *,
    log: bool | None = None,
    scale: colorscale.ValueScale | None = None,
) -> dict:
    """A measure over the PCA plane of the training trajectory in 3-D, with the projected path and its actual values.

    All steps are sent at once; arguments as those of `path_map`.
    """
    title = f"{landscape_measures.measure_name(measure).capitalize()} along the training trajectory (3-D)"
    projected = projected_path(path, training, measure)
    return missing_figure(title, _PATH_HELP, plane, measure) or _surface_figure(
        plane, projected, measure, log, scale, component_titles(path), title, _PATH_HELP, "path surface"
    )


def _surface_figure(
    plane: Arrays,
    path: ProjectedPath | None,
    measure: str,
    log: bool | None,
    scale: colorscale.ValueScale | None,
    names: list[str],
    title: str,
    help: str,
    revision: str,
) -> dict:
    x, y, z = (np.asarray(plane[name], float) for name in ("x", "y", measure))
    z = np.where(np.isfinite(z), z, np.nan)
    scale = scale or landscape_measures.shared_scale(plane, measure=measure, log=log)
    surface_z = scale.position(np.minimum(z, scale.high))
    low, high = scale.position_range
    name = landscape_measures.measure_name(measure)
    short_name = name.split()[-1]
    point = f"{labels.hover_number('x')}, {labels.hover_number('y')}"
    hover = f"{name} {landscape_measures.hover_value(measure, 'customdata')}<br>at {point}"
    traces = [surface3d.surface(x, y, surface_z, z, hover, name=name, color_range=(low, high))]
    offset = LINE_OFFSET * (high - low)
    if path:
        traces += _path_traces(path, x, y, surface_z, scale, offset)
    traces.append(_network_mark(x, y, surface_z, offset))
    tickvals, ticktext = landscape_measures.scale_ticks(scale, measure, z)
    margin = 0.04 * (high - low)
    suffix = " (log)" if scale.log_offset else ""
    figure = layout.figure(
        traces,
        title=title,
        help=help,
        uirevision=revision,
        showlegend=False,
        table=[plane_table(plane, measure), *(path_table(path, measure) if path else [])],
        **surface3d.scene(
            layout.axis(names[0], range=[float(x[0]), float(x[-1])]),
            layout.axis(names[1], range=[float(y[0]), float(y[-1])]),
            layout.axis(
                short_name + suffix, tickvals=tickvals, ticktext=ticktext, range=[low - margin, high + 2 * margin]
            ),
            revision,
        ),
    )
    if path:
        figure["layout"]["meta"] |= {"reveals": True, "own_plane": True}
    return figure


def _network_mark(x: np.ndarray, y: np.ndarray, surface_z: np.ndarray, offset: float) -> dict:
    origin = np.zeros((1, 2))
    return {
        "type": "scatter3d",
        "mode": "markers",
        "x": f4([0]),
        "y": f4([0]),
        "z": f4(surface3d.interpolated_z(origin, x, y, surface_z) + 2 * offset),
        "marker": {"size": 6, "color": theme.WHITE, "line": {"color": theme.MARKER_OUTLINE, "width": 2}},
        "name": "network",
        "uid": "network",
        "hovertemplate": "the network<extra></extra>",
    }


def _path_traces(
    path: ProjectedPath,
    x: np.ndarray,
    y: np.ndarray,
    surface_z: np.ndarray,
    scale: colorscale.ValueScale,
    offset: float,
) -> list[dict]:
    """The line on the surface, its points, the marker at the step, and the actual values on stems."""
    level = surface3d.interpolated_z(path.points, x, y, surface_z) + offset
    level = np.where(surface3d.is_inside(path.points, x, y), level, np.nan)
    fine, steps = _subdivided(path)
    along = np.where(surface3d.is_inside(fine, x, y), surface3d.interpolated_z(fine, x, y, surface_z) + offset, np.nan)
    actual = scale.position(np.minimum(np.where(np.isfinite(path.actual), path.actual, np.nan), scale.high)) + offset
    actual = np.where(
        np.abs(actual - level) > MIN_DIFFERENCE * (scale.position_range[1] - scale.position_range[0]), actual, np.nan
    )
    until, at = ({"meta": {"steps": i4(path.steps), "show": show}} for show in ("until", "at"))
    stems = np.stack([level, actual, np.full(len(actual), np.nan)], 1).ravel()
    hover = {"hovertemplate": "%{text}<extra></extra>", "text": path.hover}
    no_hover = {"hoverinfo": "skip", "mode": "lines"}
    line = (
        _trace_3d(fine, along)
        | no_hover
        | {"line": {"color": PATH_COLOR, "width": 5}, "name": "training", "uid": "path"}
    )
    stem_style = {
        "line": {"color": theme.with_alpha(ACTUAL_COLOR, 0.7), "width": 2},
        "name": "difference to the plane",
        "uid": "stems",
    }
    stem_lines = _trace_3d(np.repeat(path.points, 3, 0), stems) | no_hover | stem_style
    marker = {"symbol": "diamond", "size": 3, "color": ACTUAL_COLOR}
    diamonds = (
        _trace_3d(path.points, actual)
        | hover
        | {"mode": "markers", "marker": marker, "name": "actual", "uid": "actual"}
    )
    points = _trace_3d(path.points, level) | hover | {"mode": "markers", "name": "training"}
    return [
        line | {"meta": {"steps": i4(steps), "show": "until"}},
        stem_lines | {"meta": {"steps": i4(np.repeat(path.steps, 3)), "show": "until"}},
        diamonds | until,
        points | {"marker": {"size": 3, "color": PATH_COLOR}, "uid": "points"} | until,
        points | {"marker": {"size": 7, "color": PATH_COLOR}, "uid": "mark"} | at,
    ]


def _trace_3d(points: np.ndarray, level: np.ndarray) -> dict:
    return {"type": "scatter3d", "x": f4(points[:, 0]), "y": f4(points[:, 1]), "z": f4(level)}


def _subdivided(path: ProjectedPath) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 2) of the subdivided path, and the step at the end of each point's segment."""
    if len(path.steps) < 2:
        return path.points, path.steps
    position = np.arange((len(path.steps) - 1) * POINTS_PER_SEGMENT + 1) / POINTS_PER_SEGMENT
    known = np.arange(len(path.steps))
    fine = np.stack([np.interp(position, known, column) for column in path.points.T], 1)
    return fine, path.steps[np.ceil(position).astype(int)]
