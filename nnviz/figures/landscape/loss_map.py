"""The loss of a network over a plane through its weights, from above, with the way of training on it."""

from collections.abc import Mapping

import numpy as np

from nnviz.figures.kit import colorscale, labels, layout, tables, theme
from nnviz.figures.kit.layout import f4
from nnviz.figures.landscape import landscape_measures
from nnviz.figures.landscape.training_trajectory import (
    ProjectedPath,
    component_titles,
    path_table,
    path_traces,
    projected_path,
)

AXIS_TITLES = ["direction 1 (lengths of the filters)", "direction 2 (lengths of the filters)"]
_HELP = (
    "Each place is the network with its weights moved along two random directions, filter by filter as long as the "
    "filter's own weights; the dot is the network as trained."
)
_PATH_HELP = (
    "The plane that lies closest to the way of training; x and y are distances in weight space. The band around the "
    "path is as wide as the path is off the plane there: within a wide band the map is not what training saw."
)

Arrays = Mapping[str, np.ndarray]


def loss_map(
    plane: Arrays,
    measure: str = "train_loss",
    *,
    log: bool | None = None,
    scale: colorscale.ValueScale | None = None,
    note: str = "",
) -> dict:
    """A measure over the plane of two random directions through the network, which is at (0, 0) (Li et al., 2018,
    arXiv:1712.09913, §4).

    `plane` has x (nx,), y (ny,) and measures (ny, nx), row by y. `log` None: by logarithm where that shows more.
    `scale`, of `height_scale`, gives two maps one color scale, and then says too whether it is logarithmic. `note`
    is printed on the picture.
    """
    title = f"{landscape_measures.measure_name(measure).capitalize()} around the network"
    if empty := missing_figure(title, _HELP, plane, measure):
        return empty
    found = _map(plane, measure, log, scale, [_network_mark()], AXIS_TITLES, [plane_table(plane, measure)])
    return _map_figure(found, title, _HELP, "loss map", note)


def path_map(
    plane: Arrays,
    path: Arrays,
    training: Arrays,
    measure: str = "train_loss",
    *,
    log: bool | None = None,
    scale: colorscale.ValueScale | None = None,
    note: str = "",
) -> dict:
    """A measure over the plane of the path's first two principal components (Li et al., 2018, §7), with the path on it:
    all steps at once, the browser cuts them at the chosen one.

    `plane`, options as in `loss_map`, x and y in units of weights; `path` has steps (T,), coordinates (T, 2),
    explained (2,), residuals and distances (T,), and the measures on the plane (T,) as plane_train_loss, …;
    `training` the true ones over its steps. Around the path lies a band as wide as `residuals` in the axes' units.
    """
    title = f"{landscape_measures.measure_name(measure).capitalize()} along the way of training"
    if empty := missing_figure(title, _PATH_HELP, plane, measure):
        return empty
    way = projected_path(path, training, measure)
    traces = [*path_traces(way), _network_mark(_label_position(way))] if way else [_network_mark()]
    table = [plane_table(plane, measure), *(path_table(way, measure) if way else [])]
    found = _map(plane, measure, log, scale, traces, component_titles(path, " of the path"), table)
    return _map_figure(found, title, _PATH_HELP, "path map", note, way)


def plane_table(plane: Arrays, measure: str) -> tables.Part:
    """The measure over the plane."""
    return tables.grid({"kind": "plane", "y": plane["y"]}, {"x": plane["x"]}, {measure: plane[measure]})


def missing_figure(title: str, help: str, plane: Arrays, measure: str) -> dict | None:
    """The figure that says why there is no map, if there is none."""
    if not plane:
        return layout.empty(title, help, landscape_measures.WAITING_FOR_TRAINING)
    reason = landscape_measures.reason_missing(measure, plane)
    return layout.empty(title, help, reason) if reason else None


def _map(
    plane: Arrays,
    measure: str,
    log: bool | None,
    scale: colorscale.ValueScale | None,
    marks: list[dict],
    names: list[str],
    table: list[tables.Part],
) -> dict:
    """Traces, axes and picture."""
    x, y, z = (np.asarray(plane[name], float) for name in ("x", "y", measure))
    scale = scale or landscape_measures.shared_scale(plane, measure=measure, log=log)
    ends = [{"range": [float(v[0]), float(v[-1])], "showgrid": False} for v in (x, y)]
    return {
        "traces": [_hover_heatmap(x, y, z, measure), landscape_measures.colorbar(scale, measure, z), *marks],
        "x": layout.axis(names[0], **ends[0]),
        "y": layout.axis(names[1], **ends[1]),
        "images": [colorscale.contour_image(x, y, z, scale, landscape_measures.MAX_OPACITY)],
        "table": table,
    }


def _map_figure(found: dict, title: str, help: str, revision: str, note: str, way: ProjectedPath | None = None) -> dict:
    drawn = layout.figure(
        found.pop("traces"),
        title=title,
        help=help,
        annotations=[layout.corner_note(note)] if note else [],
        # Another measure of the same weights is looked at where one was looking.
        uirevision=revision,
        **found,
    )
    if way is not None:
        drawn["layout"]["meta"] |= {"reveals": True, "own_plane": True}
    return drawn


def _hover_heatmap(x: np.ndarray, y: np.ndarray, z: np.ndarray, measure: str) -> dict:
    """An invisible heatmap that says the height of every place."""
    where = f"{labels.hover_number('x')}, {labels.hover_number('y')}"
    word = landscape_measures.measure_name(measure)
    return {
        "type": "heatmap",
        "x": f4(x),
        "y": f4(y),
        "z": f4(np.where(np.isfinite(z), z, np.nan)),
        "opacity": 0,
        "showscale": False,
        "name": word,
        "hovertemplate": f"{word} {landscape_measures.hover_value(measure, 'z')}<br>at {where}<extra></extra>",
    }


def _label_position(way: ProjectedPath) -> str:
    """Where a word at the network does not lie on the last third of the path."""
    return f"{'top' if way.points[-len(way.points) // 3 :, 1].mean() < 0 else 'bottom'} center"


def _network_mark(words: str = "bottom center") -> dict:
    """The network as trained, or as far as it was trained, its name at the position `words`."""
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": f4([0]),
        "y": f4([0]),
        "text": ["network"],
        "textposition": words,
        "textfont": {"size": theme.SMALL},
        "marker": {
            "symbol": "circle",
            "size": 9,
            "color": theme.HALO,
            "line": {"color": theme.MARKER_OUTLINE, "width": 2.2},
        },
        "name": "network",
        "uid": "network",
        "showlegend": False,
        "hovertemplate": "the network<extra></extra>",
    }
