"""The parts of one optimizer's updates over the steps: gradient, momentum, second moment, step size, update."""

from collections.abc import Mapping

import numpy as np

from nnviz import frames
from nnviz.figures.kit import labels, layout, stacked_plots, tables, theme
from nnviz.figures.kit.layout import f4, i4
from nnviz.figures.kit.log_axis import logarithmic
from nnviz.figures.kit.log_axis_edges import edge_marks, log_axis_values
from nnviz.figures.kit.symlog_axis import spans_orders_of_magnitude, symlog_scale

# Maximum number of points of one curve, extremes included.
MAX_POINTS = 400
PART_NAMES = {
    "gradient": "gradient",
    "momentum": "momentum",
    "second_moment": "√second moment",
    "step_size": "step size",
}
RATIO = "‖update‖ / ‖gradient‖"
NONNEGATIVE_PARTS = ("second_moment", "step_size", RATIO)
# Decades on either side of zero: with more, an oscillation looks like a square wave.
SYMLOG_DECADES = 1.7
# Largest over median value of a nonnegative part above which its axis is logarithmic.
LOG_AXIS_RATIO = 8
# Between two plots, as a fraction of the figure's height.
GAP = 0.045
_HELP = (
    "From top to bottom: the gradient, the optimizer's state, the resulting update, and its length relative to the "
    "gradient's."
)

Arrays = Mapping[str, np.ndarray]


def update_parts(
    trajectories: Arrays,
    index: int,
    name: str,
    method_summary: str = "",
    *,
    state_names: Mapping[str, str] | None = None,
    squared: bool = True,
    log: bool | None = None,
) -> dict:
    """Gradient, momentum, √second moment, step size, update and ‖update‖ / ‖gradient‖ of one optimizer, stacked.

    Only the parts that the method has; x and y components in their own colors, bias-corrected values dotted.
    `method_summary`, a sentence, follows the help; `state_names` replace those of `PART_NAMES` ("√Σg²"). Values that
    span decades have a logarithmic axis, symmetric where there are both signs; `log` True or False: for all parts.
    `squared` False: the second moment is not a sum or mean of squares but a magnitude (Adamax).
    """
    title = f"Update of {name}" if name else "Parts of the update"
    help = f"{_HELP} {method_summary}".strip()
    if not trajectories or trajectories["points"].shape[1] < 2 or not 0 <= index < len(trajectories["points"]):
        return layout.empty(title, help)
    parts = _parts(trajectories, index, squared)
    headings = {part: (PART_NAMES | dict(state_names or {})).get(part, part) for part in parts}
    traces, axes, table = [], [], []
    for row, (part, values) in enumerate(parts.items()):
        drawn, axis = _transformed(values, part, log)
        axes.append(axis)
        components = ["x", "y", "x", "y"][: values.shape[1]] if values.shape[1] > 1 else [""]
        for i, (component, raw, shown) in enumerate(zip(components, values.T, drawn.T, strict=True)):
            traces.append(_line(raw, shown, headings[part], component, row, corrected=i > 1))
            columns = {"part": headings[part], "component": component, "bias_corrected": i > 1}
            picked = frames.thin_indices(shown, MAX_POINTS)
            picked = picked[~np.isnan(raw[picked])]
            table.append(tables.rows(columns | {"step": picked, "value": raw[picked]}))
        if axis.get("type") == "log" and (values == 0).any():
            zeros, _ = edge_marks(np.arange(len(values)), values, ~np.isnan(values), log_axis_values(values))
            traces.append(zeros | {"yaxis": f"y{stacked_plots.suffix(row)}", "showlegend": False})
    if any(values.shape[1] > 2 for values in parts.values()):
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
    """The recorded parts, (steps, 2) or with bias-corrected columns (steps, 4), the update, and `RATIO` (steps, 1)."""
    updates = np.diff(np.asarray(trajectories["points"][index], float), axis=0)
    parts = {part: np.asarray(trajectories[part][index], float) for part in PART_NAMES if part in trajectories}
    for part in ("momentum", "second_moment"):
        corrected = trajectories.get(f"{part}_corrected")
        if part in parts and corrected is not None and np.isfinite(corrected[index]).any():
            parts[part] = np.hstack([parts[part], np.asarray(corrected[index], float)])
    if squared and "second_moment" in parts:
        parts["second_moment"] = np.sqrt(np.maximum(parts["second_moment"], 0))
    result = {part: values for part, values in parts.items() if np.isfinite(values).any()}
    result["update"] = updates
    if "gradient" in result:
        with np.errstate(invalid="ignore", divide="ignore"):
            rate = np.linalg.norm(updates, axis=1) / np.linalg.norm(parts["gradient"], axis=1)
        result[RATIO] = np.where(np.isfinite(rate), rate, np.nan)[:, None]
    return result


def _transformed(values: np.ndarray, part: str, log: bool | None) -> tuple[np.ndarray, dict]:
    """The values as drawn, and the axis of a part."""
    untitled = {"title": {"text": ""}}
    if part in NONNEGATIVE_PARTS:
        drawn = log_axis_values(values).drawn
        if spans_orders_of_magnitude(values, LOG_AXIS_RATIO) if log is None else log:
            return drawn, logarithmic("", values) | {"nticks": 3}
        return values, untitled | {"nticks": 3, "rangemode": "tozero"}
    if spans_orders_of_magnitude(values) if log is None else log:
        scale = symlog_scale(values, SYMLOG_DECADES)
        return scale.position(values), scale.axis("", values, 1)
    return values, untitled | {"nticks": 4, "zeroline": True}


def _corrected_entry() -> dict:
    """The legend entry of bias-corrected values."""
    line = {"color": theme.NEUTRAL, "width": 1.8, "dash": "dot"}
    return {"type": "scatter", "mode": "lines", "x": [None], "y": [None], "line": line, "name": "bias-corrected"}


def _line(
    raw: np.ndarray, shown: np.ndarray, heading: str, component: str, row: int, *, corrected: bool = False
) -> dict:
    picked = frames.thin_indices(shown, MAX_POINTS)
    label = f"{heading}{', bias-corrected' * corrected}, {component}" if component else heading
    return {
        "type": "scatter",
        "mode": "lines" if len(raw) > 1 else "markers",
        "x": i4(picked),
        "y": f4(shown[picked]),
        "customdata": f4(raw[picked]),
        "yaxis": f"y{stacked_plots.suffix(row)}",
        "line": {"color": theme.COMPONENTS.get(component, theme.NEUTRAL), "width": 1.8}
        | ({"dash": "dot"} if corrected else {}),
        "name": component or heading,
        "legendgroup": component or heading,
        "showlegend": bool(component) and row == 0 and not corrected,
        "hovertemplate": f"{label}: {labels.hover_number('customdata')} at step %{{x}}<extra></extra>",
    }
