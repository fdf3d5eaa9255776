"""Contour maps of the loss over a plane in weight space: random directions, or the PCA plane of training."""

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

AXIS_TITLES = ["direction 1 (filter-normalized)", "direction 2 (filter-normalized)"]
_HELP = (
    "Each point is the network with its weights moved along two random, filter-normalized directions (Li et al., "
    "2018): a distance of 1 moves each filter by its own norm. The dot is the trained network."
)
_PATH_HELP = (
    "The plane of the first two principal components of the weights' differences to their final values; x and y are "
    "distances in weight space. The band around the path is as wide as its residual to the plane: where it is wide, "
    "the loss on the plane differs from the loss during training."
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
    """A measure over the plane of two random directions through the network at (0, 0).

    Li et al., 2018, arXiv:1712.09913, §4. `plane` has x (nx,), y (ny,) and measures (ny, nx). `log` None: logarithmic
    where values are unevenly spread. `scale`, of `shared_scale`, is given to figures that are compared, and overrides
    `log`. `note` is printed in a corner.
    """
    title = f"{landscape_measures.measure_name(measure).capitalize()} on a random plane"
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
    """A measure over the PCA plane of the training trajectory (Li et al., 2018, §7), with the projected path.

    All steps are sent at once: the browser cuts them at the selected one. `plane` and options as in `loss_map`, x and y
    in units of weights. `path` has steps (T,), coordinates (T, 2), explained (2,), residuals and distances (T,), and
    the measures on the plane (T,) as plane_train_loss, …; `training` has the actual ones over its steps. The band
    around the path is as wide as `residuals`.
    """
    title = f"{landscape_measures.measure_name(measure).capitalize()} along the training trajectory (PCA plane)"
    if empty := missing_figure(title, _PATH_HELP, plane, measure):
        return empty
    projected = projected_path(path, training, measure)
    traces = [*path_traces(projected), _network_mark(_label_position(projected))] if projected else [_network_mark()]
    table = [plane_table(plane, measure), *(path_table(projected, measure) if projected else [])]
    found = _map(plane, measure, log, scale, traces, component_titles(path, " of variance"), table)
    return _map_figure(found, title, _PATH_HELP, "path map", note, projected)


def plane_table(plane: Arrays, measure: str) -> tables.Part:
    """The measure over the plane."""
    return tables.grid({"kind": "plane", "y": plane["y"]}, {"x": plane["x"]}, {measure: plane[measure]})


def missing_figure(title: str, help: str, plane: Arrays, measure: str) -> dict | None:
    """The empty figure that says why there is no map; None if there is one."""
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
    """Traces, axes and image."""
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


def _map_figure(
    found: dict, title: str, help: str, revision: str, note: str, path: ProjectedPath | None = None
) -> dict:
    drawn = layout.figure(
        found.pop("traces"),
        title=title,
        help=help,
        annotations=[layout.corner_note(note)] if note else [],
        # Zoom persists when another measure is chosen.
        uirevision=revision,
        **found,
    )
    if path is not None:
        drawn["layout"]["meta"] |= {"reveals": True, "own_plane": True}
    return drawn


def _hover_heatmap(x: np.ndarray, y: np.ndarray, z: np.ndarray, measure: str) -> dict:
    """An invisible heatmap for hover texts."""
    point = f"{labels.hover_number('x')}, {labels.hover_number('y')}"
    name = landscape_measures.measure_name(measure)
    return {
        "type": "heatmap",
        "x": f4(x),
        "y": f4(y),
        "z": f4(np.where(np.isfinite(z), z, np.nan)),
        "opacity": 0,
        "showscale": False,
        "name": name,
        "hovertemplate": f"{name} {landscape_measures.hover_value(measure, 'z')}<br>at {point}<extra></extra>",
    }


def _label_position(path: ProjectedPath) -> str:
    """The text position at the network that does not overlap the last third of the path."""
    return f"{'top' if path.points[-len(path.points) // 3 :, 1].mean() < 0 else 'bottom'} center"


def _network_mark(text_position: str = "bottom center") -> dict:
    """The trained network, labeled at `text_position`."""
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": f4([0]),
        "y": f4([0]),
        "text": ["network"],
        "textposition": text_position,
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
