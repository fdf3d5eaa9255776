"""The loss of a network over a plane through its weights, as a landscape in space."""

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

# How far marks float above the ground, as a share of the picture's height.
LINE_OFFSET = 0.02
# Where the true height is nearer than this, as a share of the picture's height, it is not shown apart.
MIN_DIFFERENCE = 0.02
ACTUAL_COLOR = theme.SPLITS["train"]
# Places of the path between two of its points, so that it follows the ground.
POINTS_PER_SEGMENT = 10
_HELP = "The same slice in space, to be turned with the mouse; the dot is the network."
_PATH_HELP = (
    "The path lies on the ground of its plane. Where training was higher or lower than that, off the plane, a small "
    "diamond is at its true height."
)

Arrays = Mapping[str, np.ndarray]


def loss_surface_3d(
    plane: Arrays,
    measure: str = "train_loss",
    *,
    log: bool | None = None,
    scale: colorscale.ValueScale | None = None,
) -> dict:
    """A measure over the plane of two random directions in space; arguments as those of `loss_map`."""
    title = f"{landscape_measures.measure_name(measure).capitalize()} around the network, in space"
    return missing_figure(title, _HELP, plane, measure) or _surface_figure(
        plane, None, measure, log, scale, ["direction 1", "direction 2"], title, _HELP, "loss space"
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
    """A measure over the path's plane in space, the path laid on it and its true heights above or below, all steps at
    once; arguments as those of `path_map`."""
    title = f"{landscape_measures.measure_name(measure).capitalize()} along the way of training, in space"
    way = projected_path(path, training, measure)
    return missing_figure(title, _PATH_HELP, plane, measure) or _surface_figure(
        plane, way, measure, log, scale, component_titles(path), title, _PATH_HELP, "path space"
    )


def _surface_figure(
    plane: Arrays,
    way: ProjectedPath | None,
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
    floor = scale.position(np.minimum(z, scale.high))
    low, high = scale.position_range
    word = landscape_measures.measure_name(measure)
    short = word.split()[-1]
    point = f"{labels.hover_number('x')}, {labels.hover_number('y')}"
    hover = f"{word} {landscape_measures.hover_value(measure, 'customdata')}<br>at {point}"
    traces = [surface3d.surface(x, y, floor, z, hover, name=word, color_range=(low, high))]
    lift = LINE_OFFSET * (high - low)
    if way:
        traces += _path_traces(way, x, y, floor, scale, lift)
    traces.append(_network_mark(x, y, floor, lift))
    places, words = landscape_measures.scale_ticks(scale, measure, z)
    margin = 0.04 * (high - low)
    kind = " (log)" if scale.log_offset else ""
    drawn = layout.figure(
        traces,
        title=title,
        help=help,
        uirevision=revision,
        showlegend=False,
        table=[plane_table(plane, measure), *(path_table(way, measure) if way else [])],
        **surface3d.scene(
            layout.axis(names[0], range=[float(x[0]), float(x[-1])]),
            layout.axis(names[1], range=[float(y[0]), float(y[-1])]),
            layout.axis(short + kind, tickvals=places, ticktext=words, range=[low - margin, high + 2 * margin]),
            revision,
        ),
    )
    if way:
        drawn["layout"]["meta"] |= {"reveals": True, "own_plane": True}
    return drawn


def _network_mark(x: np.ndarray, y: np.ndarray, floor: np.ndarray, lift: float) -> dict:
    here = np.zeros((1, 2))
    return {
        "type": "scatter3d",
        "mode": "markers",
        "x": f4([0]),
        "y": f4([0]),
        "z": f4(surface3d.interpolated_z(here, x, y, floor) + 2 * lift),
        "marker": {"size": 6, "color": theme.WHITE, "line": {"color": theme.MARKER_OUTLINE, "width": 2}},
        "name": "network",
        "uid": "network",
        "hovertemplate": "the network<extra></extra>",
    }


def _path_traces(
    way: ProjectedPath, x: np.ndarray, y: np.ndarray, floor: np.ndarray, scale: colorscale.ValueScale, lift: float
) -> list[dict]:
    """The line on the ground, its points, the mark at the step, and the true heights on stems."""
    level = surface3d.interpolated_z(way.points, x, y, floor) + lift
    level = np.where(surface3d.is_inside(way.points, x, y), level, np.nan)
    fine, steps = _subdivided(way)
    along = np.where(surface3d.is_inside(fine, x, y), surface3d.interpolated_z(fine, x, y, floor) + lift, np.nan)
    true = scale.position(np.minimum(np.where(np.isfinite(way.true), way.true, np.nan), scale.high)) + lift
    true = np.where(
        np.abs(true - level) > MIN_DIFFERENCE * (scale.position_range[1] - scale.position_range[0]), true, np.nan
    )
    until, at = ({"meta": {"steps": i4(way.steps), "show": show}} for show in ("until", "at"))
    stems = np.stack([level, true, np.full(len(true), np.nan)], 1).ravel()
    dots = {"hovertemplate": "%{text}<extra></extra>", "text": way.words}
    quiet = {"hoverinfo": "skip", "mode": "lines"}
    path = (
        _trace_3d(fine, along) | quiet | {"line": {"color": PATH_COLOR, "width": 5}, "name": "training", "uid": "path"}
    )
    lines = {
        "line": {"color": theme.with_alpha(ACTUAL_COLOR, 0.7), "width": 2},
        "name": "off the plane",
        "uid": "stems",
    }
    lines = _trace_3d(np.repeat(way.points, 3, 0), stems) | quiet | lines
    marker = {"symbol": "diamond", "size": 3, "color": ACTUAL_COLOR}
    diamonds = _trace_3d(way.points, true) | dots | {"mode": "markers", "marker": marker, "name": "true", "uid": "true"}
    points = _trace_3d(way.points, level) | dots | {"mode": "markers", "name": "training"}
    return [
        path | {"meta": {"steps": i4(steps), "show": "until"}},
        lines | {"meta": {"steps": i4(np.repeat(way.steps, 3)), "show": "until"}},
        diamonds | until,
        points | {"marker": {"size": 3, "color": PATH_COLOR}, "uid": "points"} | until,
        points | {"marker": {"size": 7, "color": PATH_COLOR}, "uid": "mark"} | at,
    ]


def _trace_3d(points: np.ndarray, level: np.ndarray) -> dict:
    return {"type": "scatter3d", "x": f4(points[:, 0]), "y": f4(points[:, 1]), "z": f4(level)}


def _subdivided(way: ProjectedPath) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 2) along the path and the step up to which each belongs: straight between two of its points."""
    if len(way.steps) < 2:
        return way.points, way.steps
    place = np.arange((len(way.steps) - 1) * POINTS_PER_SEGMENT + 1) / POINTS_PER_SEGMENT
    known = np.arange(len(way.steps))
    fine = np.stack([np.interp(place, known, column) for column in way.points.T], 1)
    return fine, way.steps[np.ceil(place).astype(int)]
