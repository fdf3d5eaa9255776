"""The way of training through weight space, seen in a plane: on the map, and how far off the plane it is."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from nnviz.figures.kit import labels, layout, tables, theme
from nnviz.figures.kit.layout import f4, i4
from nnviz.figures.kit.log_axis import logarithmic
from nnviz.figures.kit.log_axis_edges import edge_marks, log_axis_values
from nnviz.figures.landscape import landscape_measures
from nnviz.figures.training.curves import spans_decades

# Corners of half a circle around a point of the path.
HALF_CIRCLE_POINTS = 12
# Height of a plot that has words above its curves, as a multiple of the curves'.
HEADROOM = 1.25
PATH_COLOR = theme.NEGATIVE
DISTANCE_COLOR = theme.NEUTRAL

Arrays = Mapping[str, np.ndarray]


class ProjectedPath(NamedTuple):
    """A path of T points in a plane and what is told of it."""

    steps: np.ndarray  # (T,)
    points: np.ndarray  # (T, 2)
    residuals: np.ndarray  # (T,) distance off the plane
    true: np.ndarray  # (T,) the measure at the point, NaN where it is not known
    plane: np.ndarray  # (T,) the measure on the plane below it
    words: list[str]  # (T,) for the hover text


def projected_path(path: Arrays, training: Arrays, measure: str) -> ProjectedPath | None:
    """A path with the measure at its points; None where there is none yet."""
    if not path:
        return None
    steps, points, residuals, distances = (
        np.asarray(path[name]) for name in ("steps", "coordinates", "residuals", "distances")
    )
    true = at_steps(training, measure, steps)
    plane = np.asarray(path.get(f"plane_{measure}", np.full(len(steps), np.nan)), float)
    word = landscape_measures.measure_name(measure)
    words = [
        f"<b>step {step}</b><br>{word} {landscape_measures.format_value(measure, t)}, "
        f"on the plane {landscape_measures.format_value(measure, p)}<br>"
        f"{labels.number(float(r))} off the plane, {labels.number(float(d))} from the end"
        for step, t, p, r, d in zip(steps, true, plane, residuals, distances, strict=True)
    ]
    return ProjectedPath(steps, points.astype(float), residuals.astype(float), true, plane, words)


def path_table(way: ProjectedPath, measure: str) -> list[tables.Part]:
    """The points of a path: step, x, y, the measure of training and on the plane, and how far they are off it."""
    columns = {"kind": "path", "step": way.steps, "x": way.points[:, 0], "y": way.points[:, 1], measure: way.true}
    return [tables.rows(columns | {f"{measure}_on_plane": way.plane, "distance_off_plane": way.residuals})]


def at_steps(training: Arrays, measure: str, steps: np.ndarray) -> np.ndarray:
    """The measure of a training at these steps (T,), NaN where it was not taken."""
    found = np.full(len(steps), np.nan)
    if measure not in training:
        return found
    known = np.asarray(training["steps"])
    place = np.minimum(np.searchsorted(known, steps), len(known) - 1)
    hits = known[place] == steps
    found[hits] = np.asarray(training[measure], float)[place[hits]]
    return found


def component_titles(path: Arrays, of: str = "") -> list[str]:
    """The axes of the path's plane: "PC 1 (93 %)", and after the share what it is `of`."""
    if not path:
        return ["PC 1", "PC 2"]
    return [f"PC {i} ({_percent(share)}{of})" for i, share in enumerate(path["explained"], 1)]


def path_traces(way: ProjectedPath) -> list[dict]:
    """The band, the line and its points up to the chosen step, the start, and the mark at the step."""
    x, y = way.points.T
    common = {"type": "scatter", "x": f4(x), "y": f4(y), "hovertemplate": "%{text}<extra></extra>", "text": way.words}
    until, at = ({"meta": {"steps": i4(way.steps), "show": show}} for show in ("until", "at"))
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
        "text": way.words[:1],
        "marker": ring,
        "name": "start",
        "uid": "start",
    }
    mark = {
        "mode": "markers",
        "marker": {"size": 12, "color": PATH_COLOR, "line": {"color": theme.HALO, "width": 1.5}},
        "name": "at the step",
        "uid": "mark",
    }
    traces = [common | line | until, common | start, common | mark | at]
    told = ("band", "path", "start")
    return [trace | {"showlegend": trace["uid"] in told} for trace in [_residual_band(way), *traces]]


def _residual_band(way: ProjectedPath) -> dict:
    """Everything that is as near to the path as the path is to the plane, in the units of the axes: around each point a
    circle of its residual, and between two of them the straight lines that touch both."""
    reach = np.where(np.isfinite(way.residuals), way.residuals, 0.0)
    ends, ahead = way.points, np.diff(way.points, axis=0, prepend=way.points[:1])
    before = np.append(reach[:1], reach[:-1])
    far = np.hypot(*ahead.T)
    # Of a circle and the next, the next is outermost as far as this angle from the way that leads to it.
    narrower = before - reach
    turn = np.arccos(np.clip(np.divide(narrower, far, out=np.sign(narrower), where=far > 0), -1, 1))
    front = turn[:, None] * np.linspace(-1, 1, HALF_CIRCLE_POINTS)
    back = turn[:, None] + (2 * np.pi - 2 * turn[:, None]) * np.linspace(0, 1, HALF_CIRCLE_POINTS)
    angles = np.arctan2(ahead[:, 1], ahead[:, 0])[:, None] + np.concatenate([front, back], 1)
    # Where one circle holds the other, it alone.
    to, since = (np.where(turn > 0, 1, 0), np.where(turn < np.pi, 0, 1))
    of = np.repeat(np.stack([to, since], 1), HALF_CIRCLE_POINTS, 1)
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
        "name": "off the plane",
        "uid": "band",
        "meta": {"steps": i4(np.repeat(way.steps, 2 * HALF_CIRCLE_POINTS + 1)), "show": "until"},
    }


def projection_residuals(path: Arrays, *, log: bool | None = None) -> dict:
    """Over the steps, how far the path is from the plane and how far from its end, both as distances in weight space.

    What share of the path's squared distances the plane holds, and a random one, is printed. Logarithmic if `log`.
    """
    title = "Distance off the plane"
    help = (
        "How far the weights still are from where they end, and how much of that way lies off the plane that the path "
        "is drawn on: the closer to the floor, the truer the map."
    )
    if not path:
        return layout.empty(title, help, landscape_measures.WAITING_FOR_TRAINING)
    steps = np.asarray(path["steps"])
    words = f"the plane holds {_percent(float(np.sum(path['explained'])))} of the path’s squared distances"
    if "random_explained" in path:
        words += f",<br>random planes {_percent(float(path['random_explained']))} on average"
    traces = [
        _curve(steps, path["distances"], "from the end", DISTANCE_COLOR, bool(log)),
        _curve(steps, path["residuals"], "off the plane", PATH_COLOR, bool(log)),
    ]
    y = layout.axis("distance in weight space", range=[0.0, HEADROOM * (_largest_finite(path["distances"]) or 1.0)])
    if log:
        both = np.stack([np.asarray(path[name], float) for name in ("distances", "residuals")], 1)
        shown = log_axis_values(both)
        traces += edge_marks(steps, both, ~np.isnan(both), shown)
        low, high = float(np.log10(shown.floor)), float(np.log10(shown.ceiling))
        margin = 0.05 * (high - low)  # for the marks at the floor
        y = logarithmic("distance in weight space", both, [low - margin, low + HEADROOM * (high - low)])
    else:
        for trace, color in zip(traces, (DISTANCE_COLOR, PATH_COLOR), strict=True):
            trace |= {"fill": "tozeroy", "fillcolor": theme.with_alpha(color, 0.14)}
    return layout.figure(
        traces,
        title=title,
        help=help,
        x=layout.step_axis(),
        table=[
            tables.rows(
                {"step": steps, "distance_from_end": path["distances"], "distance_off_plane": path["residuals"]}
            )
        ],
        y=y,
        over_steps=True,
        hovermode="x",
        annotations=[layout.corner_note(words, "top right")],
    )


def _largest_finite(values: np.ndarray) -> float:
    values = np.asarray(values, float)
    return float(values[np.isfinite(values)].max(initial=0.0))


def training_against_projection(
    training: Arrays, path: Arrays, measure: str = "train_loss", *, log: bool | None = None
) -> dict:
    """A measure over the steps: what training had, and what the plane shows below each of its points.

    `log` None: logarithmic where it spans more than a factor of 30; accuracy never is.
    """
    title = f"{landscape_measures.measure_name(measure).capitalize()}: training and plane"
    help = (
        "The solid line is what training had, the dashed one what the map shows below the path; where they part, the "
        "plane is not the ground that training walked on."
    )
    if not path:
        return layout.empty(title, help, landscape_measures.WAITING_FOR_TRAINING)
    reason = landscape_measures.reason_missing(measure, path, "plane_")
    if reason:
        return layout.empty(title, help, reason)
    steps, share = np.asarray(path["steps"]), landscape_measures.is_fraction(measure)
    true, plane = at_steps(training, measure, steps), np.asarray(path[f"plane_{measure}"], float)
    both = np.concatenate([true, plane])
    log_y = not share and (spans_decades([both]) if log is None else log)
    color = landscape_measures.color(measure)
    traces = [
        _curve(steps, true, "training", color, log_y, measure),
        _curve(steps, plane, "on the plane", PATH_COLOR, log_y, measure),
    ]
    traces[1]["line"] = {"color": PATH_COLOR, "width": 2, "dash": "dash"}
    if log_y:
        values = np.stack([true, plane], 1)
        traces += edge_marks(steps, values, ~np.isnan(values), log_axis_values(values))
    word = landscape_measures.measure_name(measure)
    y = layout.axis(word, tickformat=".0%", range=[0, 1.02]) if share else layout.axis(word)
    return layout.figure(
        traces,
        title=title,
        help=help,
        x=layout.step_axis(),
        y=logarithmic(word, both) if log_y else y,
        table=[tables.rows({"step": steps, measure: true, f"{measure}_on_plane": plane})],
        over_steps=True,
        hovermode="x",
        uirevision="plane truth",
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


def _percent(share: float) -> str:
    """A share in percent, in more digits where it is close to all or nothing."""
    if not np.isfinite(share):
        return "?"
    if 0 < share < 5e-5:
        return "under 0.01 %"
    digits = 0 if share == 0 or 0.1 <= share < 0.99 or share > 0.9995 else 1 if share >= 0.01 else 2
    return f"{100 * share:.{digits}f} %"
