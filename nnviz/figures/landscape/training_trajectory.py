"""The training trajectory projected onto its PCA plane: the path, its residual, and the loss on the plane."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from nnviz.figures.kit import labels, layout, tables, theme
from nnviz.figures.kit.layout import f4, i4
from nnviz.figures.kit.log_axis import logarithmic
from nnviz.figures.kit.log_axis_edges import edge_marks, log_axis_values
from nnviz.figures.landscape import landscape_measures
from nnviz.figures.training.curves import spans_decades

# Vertices of half a circle around a point of the path.
HALF_CIRCLE_POINTS = 12
# Range of a y axis with a note above its curves, as a multiple of the curves' range.
HEADROOM = 1.25
PATH_COLOR = theme.NEGATIVE
DISTANCE_COLOR = theme.NEUTRAL

Arrays = Mapping[str, np.ndarray]


class ProjectedPath(NamedTuple):
    """A path of T points projected onto a plane."""

    steps: np.ndarray  # (T,)
    points: np.ndarray  # (T, 2)
    residuals: np.ndarray  # (T,) distance to the plane
    actual: np.ndarray  # (T,) the measure during training, NaN where unknown
    on_plane: np.ndarray  # (T,) the measure at the projected point
    hover: list[str]  # (T,)


def projected_path(path: Arrays, training: Arrays, measure: str) -> ProjectedPath | None:
    """The projected path with a measure at its points; None if there is none yet."""
    if not path:
        return None
    steps, points, residuals, distances = (
        np.asarray(path[name]) for name in ("steps", "coordinates", "residuals", "distances")
    )
    actual = at_steps(training, measure, steps)
    on_plane = np.asarray(path.get(f"plane_{measure}", np.full(len(steps), np.nan)), float)
    name = landscape_measures.measure_name(measure)
    hover = [
        f"<b>step {step}</b><br>{name} {landscape_measures.format_value(measure, t)}, "
        f"on the plane {landscape_measures.format_value(measure, p)}<br>"
        f"residual {labels.number(float(r))}, distance to the final weights {labels.number(float(d))}"
        for step, t, p, r, d in zip(steps, actual, on_plane, residuals, distances, strict=True)
    ]
    return ProjectedPath(steps, points.astype(float), residuals.astype(float), actual, on_plane, hover)


def path_table(path: ProjectedPath, measure: str) -> list[tables.Part]:
    """The points of a path: step, x, y, the measure during training and on the plane, and the residual."""
    columns = {"kind": "path", "step": path.steps, "x": path.points[:, 0], "y": path.points[:, 1], measure: path.actual}
    return [tables.rows(columns | {f"{measure}_on_plane": path.on_plane, "residual": path.residuals})]


def at_steps(training: Arrays, measure: str, steps: np.ndarray) -> np.ndarray:
    """The measure recorded during training at these steps (T,), NaN where it was not."""
    values = np.full(len(steps), np.nan)
    if measure not in training:
        return values
    known = np.asarray(training["steps"])
    index = np.minimum(np.searchsorted(known, steps), len(known) - 1)
    is_known = known[index] == steps
    values[is_known] = np.asarray(training[measure], float)[index[is_known]]
    return values


def component_titles(path: Arrays, of: str = "") -> list[str]:
    """Axis titles of the PCA plane: "PC 1 (93%)", with `of` after the explained fraction."""
    if not path:
        return ["PC 1", "PC 2"]
    return [f"PC {i} ({_percent(fraction)}{of})" for i, fraction in enumerate(path["explained"], 1)]


def path_traces(path: ProjectedPath) -> list[dict]:
    """The residual band, the line and its points up to the selected step, the start, the marker at the step."""
    x, y = path.points.T
    common = {"type": "scatter", "x": f4(x), "y": f4(y), "hovertemplate": "%{text}<extra></extra>", "text": path.hover}
    until, at = ({"meta": {"steps": i4(path.steps), "show": show}} for show in ("until", "at"))
    line = {
        "mode": "lines+markers",
        "line": {"color": PATH_COLOR, "width": 2},
        "marker": {"size": 5, "color": PATH_COLOR},
        "name": "training",
        "uid": "path",
    }
    ring = {"symbol": "circle-open", "size": 14, "color": PATH_COLOR, "line": {"width": 2.2}}
    start = {
        "mode": "markers",
        "x": f4(x[:1]),
        "y": f4(y[:1]),
        "text": path.hover[:1],
        "marker": ring,
        "name": "start",
        "uid": "start",
    }
    mark = {
        "mode": "markers",
        "marker": {"size": 12, "color": PATH_COLOR, "line": {"color": theme.HALO, "width": 1.5}},
        "name": "selected step",
        "uid": "mark",
    }
    traces = [common | line | until, common | start, common | mark | at]
    in_legend = ("band", "path", "start")
    return [trace | {"showlegend": trace["uid"] in in_legend} for trace in [_residual_band(path), *traces]]


def _residual_band(path: ProjectedPath) -> dict:
    """All points of the plane closer to the path than its residual: a circle of that radius around each point, and the
    common tangents of consecutive circles."""
    reach = np.where(np.isfinite(path.residuals), path.residuals, 0.0)
    ends, ahead = path.points, np.diff(path.points, axis=0, prepend=path.points[:1])
    before = np.append(reach[:1], reach[:-1])
    far = np.hypot(*ahead.T)
    # Angle between the segment and the tangent points of both circles.
    narrower = before - reach
    turn = np.arccos(np.clip(np.divide(narrower, far, out=np.sign(narrower), where=far > 0), -1, 1))
    front = turn[:, None] * np.linspace(-1, 1, HALF_CIRCLE_POINTS)
    back = turn[:, None] + (2 * np.pi - 2 * turn[:, None]) * np.linspace(0, 1, HALF_CIRCLE_POINTS)
    angles = np.arctan2(ahead[:, 1], ahead[:, 0])[:, None] + np.concatenate([front, back], 1)
    # Where one circle contains the other, only the larger one.
    at_end, at_start = (np.where(turn > 0, 1, 0), np.where(turn < np.pi, 0, 1))
    of = np.repeat(np.stack([at_end, at_start], 1), HALF_CIRCLE_POINTS, 1)
    size = np.where(of, reach[:, None], before[:, None])
    center = np.where(of[..., None], ends[:, None], (ends - ahead)[:, None])
    corners = center + size[..., None] * np.stack([np.cos(angles), np.sin(angles)], 2)
    corners = np.concatenate([corners, np.full((len(corners), 1, 2), np.nan)], 1)
    x, y = corners.reshape(-1, 2).T
    return {
        "type": "scatter",
        "mode": "lines",
        "x": f4(x),
        "y": f4(y),
        "line": {"width": 0},
        "fill": "toself",
        "fillcolor": theme.with_alpha(PATH_COLOR, 0.22),
        "hoverinfo": "skip",
        "name": "residual to the plane",
        "uid": "band",
        "meta": {"steps": i4(np.repeat(path.steps, 2 * HALF_CIRCLE_POINTS + 1)), "show": "until"},
    }


def projection_residuals(path: Arrays, *, log: bool | None = None) -> dict:
    """The path's residual to the plane and its distance to the final weights over the steps, in weight space.

    The fraction of variance that the PCA plane explains, and a random plane, is printed. Logarithmic if `log`.
    """
    title = "Residual to the plane"
    help = (
        "Distance of the weights to their final values, and distance to the PCA plane (residual): the smaller the "
        "residual, the better the map shows the loss during training."
    )
    if not path:
        return layout.empty(title, help, landscape_measures.WAITING_FOR_TRAINING)
    steps = np.asarray(path["steps"])
    note = f"the plane explains {_percent(float(np.sum(path['explained'])))} of the variance"
    if "random_explained" in path:
        note += f",<br>random planes {_percent(float(path['random_explained']))} on average"
    traces = [
        _curve(steps, path["distances"], "distance to the final weights", DISTANCE_COLOR, bool(log)),
        _curve(steps, path["residuals"], "residual", PATH_COLOR, bool(log)),
    ]
    y = layout.axis("distance in weight space", range=[0.0, HEADROOM * (_largest_finite(path["distances"]) or 1.0)])
    if log:
        both = np.stack([np.asarray(path[name], float) for name in ("distances", "residuals")], 1)
        shown = log_axis_values(both)
        traces += edge_marks(steps, both, ~np.isnan(both), shown)
        low, high = float(np.log10(shown.floor)), float(np.log10(shown.ceiling))
        margin = 0.05 * (high - low)  # for the marks at the lower edge
        y = logarithmic("distance in weight space", both, [low - margin, low + HEADROOM * (high - low)])
    else:
        for trace, color in zip(traces, (DISTANCE_COLOR, PATH_COLOR), strict=True):
            trace |= {"fill": "tozeroy", "fillcolor": theme.with_alpha(color, 0.14)}
    return layout.figure(
        traces,
        title=title,
        help=help,
        x=layout.step_axis(),
        table=[tables.rows({"step": steps, "distance_to_end": path["distances"], "residual": path["residuals"]})],
        y=y,
        over_steps=True,
        hovermode="x",
        annotations=[layout.corner_note(note, "top right")],
    )


def _largest_finite(values: np.ndarray) -> float:
    values = np.asarray(values, float)
    return float(values[np.isfinite(values)].max(initial=0.0))


def training_against_projection(
    training: Arrays, path: Arrays, measure: str = "train_loss", *, log: bool | None = None
) -> dict:
    """A measure over the steps: during training, and at the projection of the weights onto the PCA plane.

    `log` None: logarithmic where it spans more than a factor of 30; accuracy never is.
    """
    title = f"{landscape_measures.measure_name(measure).capitalize()} during training and on the plane"
    help = (
        "Solid: the value during training; dashed: the value at the projection of the weights onto the plane, as on "
        "the map. Where they differ, the map does not represent the loss during training."
    )
    if not path:
        return layout.empty(title, help, landscape_measures.WAITING_FOR_TRAINING)
    reason = landscape_measures.reason_missing(measure, path, "plane_")
    if reason:
        return layout.empty(title, help, reason)
    steps, as_percent = np.asarray(path["steps"]), landscape_measures.is_fraction(measure)
    actual, on_plane = at_steps(training, measure, steps), np.asarray(path[f"plane_{measure}"], float)
    both = np.concatenate([actual, on_plane])
    log_y = not as_percent and (spans_decades([both]) if log is None else log)
    color = landscape_measures.color(measure)
    traces = [
        _curve(steps, actual, "training", color, log_y, measure),
        _curve(steps, on_plane, "on the plane", PATH_COLOR, log_y, measure),
    ]
    traces[1]["line"] = {"color": PATH_COLOR, "width": 2, "dash": "dash"}
    if log_y:
        values = np.stack([actual, on_plane], 1)
        traces += edge_marks(steps, values, ~np.isnan(values), log_axis_values(values))
    name = landscape_measures.measure_name(measure)
    y = layout.axis(name, tickformat=".0%", range=[0, 1.02]) if as_percent else layout.axis(name)
    return layout.figure(
        traces,
        title=title,
        help=help,
        x=layout.step_axis(),
        y=logarithmic(name, both) if log_y else y,
        table=[tables.rows({"step": steps, measure: actual, f"{measure}_on_plane": on_plane})],
        over_steps=True,
        hovermode="x",
        uirevision="training against projection",
    )


def _curve(
    steps: np.ndarray, values: np.ndarray, name: str, color: str, log_y: bool = False, measure: str = "distance"
) -> dict:
    values = np.asarray(values, float)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": i4(steps),
        "y": f4(log_axis_values(values).drawn if log_y else np.where(np.isfinite(values), values, np.nan)),
        "name": name,
        "uid": name,
        "line": {"color": color, "width": 2},
        "hovertemplate": f"{name} {landscape_measures.hover_value(measure, 'y')} at step %{{x}}<extra></extra>",
    }


def _percent(fraction: float) -> str:
    """A fraction in percent, with more digits close to 0 and 1."""
    if not np.isfinite(fraction):
        return "?"
    if 0 < fraction < 5e-5:
        return "less than 0.01%"
    digits = 0 if fraction == 0 or 0.1 <= fraction < 0.99 or fraction > 0.9995 else 1 if fraction >= 0.01 else 2
    return f"{100 * fraction:.{digits}f}%"
