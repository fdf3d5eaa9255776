"""One optimizer's step taken apart: what pulls, what is remembered, and what comes out, over the steps."""

from collections.abc import Mapping

import numpy as np

from nnviz import frames
from nnviz.figures.kit import labels, layout, stacked_plots, tables, theme
from nnviz.figures.kit.layout import f4, i4
from nnviz.figures.kit.log_axis import logarithmic
from nnviz.figures.kit.log_axis_edges import edge_marks, log_axis_values
from nnviz.figures.kit.symlog_axis import spans_orders_of_magnitude, symlog_scale

# Points of one curve, extremes kept.
MAX_POINTS = 400
PART_NAMES = {
    "gradient": "gradient",
    "momentum": "momentum",
    "second_moment": "√second moment",
    "step_size": "step size",
}
RATIO = "|step| / |gradient|"
# Parts without a sign.
NONNEGATIVE_PARTS = ("second_moment", "step_size", RATIO)
# Decades on both sides of zero that are told apart: with more a swing looks like a switch.
SYMLOG_DECADES = 1.7
# Largest over usual value of one sign from which on an axis is logarithmic.
LOG_AXIS_RATIO = 8
# Between two plots, as a share of the figure's height.
GAP = 0.045
_HELP = (
    "From top to bottom: what pulls, what the method remembers, the step it makes of both, and how long that is beside "
    "the gradient."
)

Arrays = Mapping[str, np.ndarray]


def update_parts(
    trajectories: Arrays,
    index: int,
    name: str,
    method_words: str = "",
    *,
    words: Mapping[str, str] | None = None,
    squared: bool = True,
    log: bool | None = None,
) -> dict:
    """Gradient, momentum, √second moment, step size, step and |step| / |gradient| of one optimizer, below each other;
    dashed, what a correction for bias makes of momentum and second moment.

    Only those that the optimizer's method has; x and y of each in their own colors. `method_words`, a sentence on the
    method, follow the help; `words` say what its parts are ("√Σg²"), where they are not what `PARTS` says. Values that
    span decades have a logarithmic axis, with both signs where there are two. `squared` False: the second moment is no
    sum or mean of squares but a size (Adamax). `log` True or False: for all parts alike.
    """
    title = f"The step of {name}" if name else "The step taken apart"
    help = f"{_HELP} {method_words}".strip()
    if not trajectories or trajectories["points"].shape[1] < 2 or not 0 <= index < len(trajectories["points"]):
        return layout.empty(title, help)
    found = _parts(trajectories, index, squared)
    headings = {part: (PART_NAMES | dict(words or {})).get(part, part) for part in found}
    traces, axes, table = [], [], []
    for place, (part, values) in enumerate(found.items()):
        drawn, axis = _transformed(values, part, log)
        axes.append(axis)
        components = ["x", "y", "x", "y"][: values.shape[1]] if values.shape[1] > 1 else [""]
        for i, (component, row, shown) in enumerate(zip(components, values.T, drawn.T, strict=True)):
            traces.append(_line(row, shown, headings[part], component, place, corrected=i > 1))
            told = {"part": headings[part], "component": component, "bias_corrected": i > 1}
            picked = frames.thin_indices(shown, MAX_POINTS)
            picked = picked[~np.isnan(row[picked])]
            table.append(tables.rows(told | {"step": picked, "value": row[picked]}))
        if axis.get("type") == "log" and (values == 0).any():
            zeros, _ = edge_marks(np.arange(len(values)), values, ~np.isnan(values), log_axis_values(values))
            traces.append(zeros | {"yaxis": f"y{stacked_plots.suffix(place)}", "showlegend": False})
    if any(values.shape[1] > 2 for values in found.values()):
        traces.append(_corrected_entry())
    stack, notes = stacked_plots.stacked(axes, list(headings.values()), GAP)
    return layout.figure(
        traces,
        title=title,
        help=help,
        x=layout.step_axis()
        | {"anchor": stacked_plots.anchor(len(axes)), "range": [0, trajectories["points"].shape[1] - 1]},
        over_steps=True,
        table=table,
        annotations=notes,
        showlegend=True,
        legend={"x": 1, "xanchor": "right", "y": 1 - GAP},
        margin={"t": 4},
        **stack,
    )


def _parts(trajectories: Arrays, index: int, squared: bool) -> dict[str, np.ndarray]:
    """What there is of the steps, (steps, 2), and the effective rate, (steps, 1), by part."""
    moves = np.diff(np.asarray(trajectories["points"][index], float), axis=0)
    parts = {part: np.asarray(trajectories[part][index], float) for part in PART_NAMES if part in trajectories}
    for part in ("momentum", "second_moment"):
        corrected = trajectories.get(f"{part}_corrected")
        if part in parts and corrected is not None and np.isfinite(corrected[index]).any():
            parts[part] = np.hstack([parts[part], np.asarray(corrected[index], float)])
    if squared and "second_moment" in parts:
        parts["second_moment"] = np.sqrt(np.maximum(parts["second_moment"], 0))
    found = {part: values for part, values in parts.items() if np.isfinite(values).any()}
    found["step"] = moves
    if "gradient" in found:
        with np.errstate(invalid="ignore", divide="ignore"):
            rate = np.linalg.norm(moves, axis=1) / np.linalg.norm(parts["gradient"], axis=1)
        found[RATIO] = np.where(np.isfinite(rate), rate, np.nan)[:, None]
    return found


def _transformed(values: np.ndarray, part: str, log: bool | None) -> tuple[np.ndarray, dict]:
    """What is drawn of a part, and its axis."""
    few = {"title": {"text": ""}}
    if part in NONNEGATIVE_PARTS:
        drawn = log_axis_values(values).drawn
        if spans_orders_of_magnitude(values, LOG_AXIS_RATIO) if log is None else log:
            return drawn, logarithmic("", values) | {"nticks": 3}
        return values, few | {"nticks": 3, "rangemode": "tozero"}
    if spans_orders_of_magnitude(values) if log is None else log:
        scale = symlog_scale(values, SYMLOG_DECADES)
        return scale.position(values), scale.axis("", values, 1)
    return values, few | {"nticks": 4, "zeroline": True}


def _corrected_entry() -> dict:
    """What a dashed line is, for the legend."""
    line = {"color": theme.NEUTRAL, "width": 1.8, "dash": "dot"}
    return {"type": "scatter", "mode": "lines", "x": [None], "y": [None], "line": line, "name": "corrected for bias"}


def _line(
    row: np.ndarray, shown: np.ndarray, heading: str, component: str, place: int, *, corrected: bool = False
) -> dict:
    picked = frames.thin_indices(shown, MAX_POINTS)
    said = f"{heading}{' corrected for bias' * corrected}, {component}" if component else heading
    return {
        "type": "scatter",
        "mode": "lines" if len(row) > 1 else "markers",
        "x": i4(picked),
        "y": f4(shown[picked]),
        "customdata": f4(row[picked]),
        "yaxis": f"y{stacked_plots.suffix(place)}",
        "line": {"color": theme.COMPONENTS.get(component, theme.NEUTRAL), "width": 1.8}
        | ({"dash": "dot"} if corrected else {}),
        "name": component or heading,
        "legendgroup": component or heading,
        "showlegend": bool(component) and not place and not corrected,
        "hovertemplate": f"{said}: {labels.hover_number('customdata')} at step %{{x}}<extra></extra>",
    }
