"""Curvature of the loss during training: the largest eigenvalues of the Hessian (sharpness), and its trace."""

from collections.abc import Mapping

import numpy as np

from nnviz.figures.kit import labels, layout, smoothing, stacked_plots, tables, theme
from nnviz.figures.kit.layout import f4, i4
from nnviz.figures.kit.log_axis import logarithmic
from nnviz.figures.kit.log_axis_edges import edge_marks, log_axis_values
from nnviz.figures.landscape import curvature_curves, landscape_measures
from nnviz.figures.training.curves import spans_decades

LARGEST_COLOR, SMALLEST_COLOR = theme.POSITIVE, theme.NEGATIVE
# Opacity of the second and of the last eigenvalue.
OTHERS_OPACITY = 0.6, 0.25
_SHARPNESS_HELP = (
    "The largest eigenvalues λ of the Hessian of the loss. Above the dashed line full-batch gradient descent "
    "oscillates; training often reaches it and stays there (edge of stability; Cohen et al., 2021). With mini-batches "
    "it mostly stays below."
)
_ADAPTIVE_HELP = (
    "The largest eigenvalue of the preconditioned Hessian. Adam, RMSprop and Adagrad divide each entry of the "
    "gradient by a running root mean square P. What counts for their stability is the largest eigenvalue of P⁻¹H: "
    "training with the full batch brings it up to the dashed limit and keeps it there, while the Hessian's own may go "
    "on rising (Cohen et al., 2022)."
)
_TRACE_HELP = (
    "The sum of all eigenvalues of the Hessian, estimated from random vectors (Hutchinson); the band is ± one standard "
    "error. Where a few eigenvalues make up most of it, the loss is curved in few directions."
)

Arrays = Mapping[str, np.ndarray]


def sharpness(
    curvature: Arrays,
    *,
    limit_formula: str = "2/η",
    no_limit_reason: str = "",
    log: bool | None = None,
    smooth: float = 0.0,
) -> dict:
    """The largest eigenvalues over the steps, the stability limit of the learning rate (dashed), and the smallest one.

    Cohen et al., 2021, arXiv:2103.00065. `curvature` has steps (K,), eigenvalues and errors (K, k), descending along k,
    lowest and limit (K,); NaN where not computed yet, or where there is no limit. `limit_formula` is the limit as text,
    such as "(2 + 2β)/η" for momentum; `no_limit_reason`, or else `curvature["no_limit"]`, says why there is none. `log`
    None: logarithmic where all are positive and the largest and the limit span more than a factor of 30. `smooth` in
    [0, 1): weight of the moving average drawn over each eigenvalue.
    """
    title = "Largest Hessian eigenvalues (sharpness)"
    if not curvature:
        return layout.empty(title, _SHARPNESS_HELP, landscape_measures.WAITING_FOR_TRAINING)
    steps, values = np.asarray(curvature["steps"]), np.asarray(curvature["eigenvalues"], float)
    errors, limit = (np.asarray(curvature[name], float) for name in ("errors", "limit"))
    if np.isnan(values).all():
        return layout.empty(title, _SHARPNESS_HELP, "waiting for the curvature at the first step")
    log_y = log
    if log is None:
        log_y = spans_decades([values[:, 0], limit]) and not ((values <= 0).any() or (limit <= 0).any())
    traces = _eigenvalues(steps, values, errors, log_y, smooth)
    known = np.isfinite(limit)
    notes = []
    if known.any():
        dashes = {"color": theme.NEUTRAL, "width": 2, "dash": "dash"}
        traces.append(curvature_curves.curve(steps, limit, limit_formula, dashes, log_y) | {"uid": "limit"})
        traces.append(
            curvature_curves.limit_label(
                steps[known], limit[known], values, f"{limit_formula}: stability limit of the learning rate"
            )
        )
    elif reason := no_limit_reason or str(curvature.get("no_limit", "")):
        # Bottom right, since the smallest eigenvalue is most negative at the beginning.
        small = {"font": {"size": theme.SMALL}}
        notes.append(layout.corner_note(reason.replace(": ", ":<br>"), "bottom right") | small)
    if log_y:
        marked = np.column_stack([values, limit])
        traces += edge_marks(steps, marked, ~np.isnan(marked), log_axis_values(marked))
    axis_title = "eigenvalue of the Hessian"
    upper = (
        logarithmic(axis_title, np.append(values, limit[known]))
        if log_y
        else layout.axis(axis_title, rangemode="tozero")
    )
    axes, anchor = {"yaxis": upper}, stacked_plots.anchor(1)
    lowest = np.asarray(curvature.get("smallest_eigenvalue", []), float)
    smallest = {"smallest": lowest} if len(lowest) else {}
    if np.isfinite(lowest).any():
        axes["yaxis"] |= {"domain": [0.34, 1]}
        axes["yaxis2"] = layout.axis("smallest", domain=[0, 0.27], nticks=4, rangemode="tozero", zeroline=True)
        anchor = stacked_plots.anchor(2)
        line = {"color": SMALLEST_COLOR, "width": 2}
        curves = curvature_curves.smoothed_over_raw(steps, lowest, "λ<sub>min</sub>", line, False, smooth=smooth)
        curves[-1]["uid"] = "lowest"
        traces += [curve | {"yaxis": anchor} for curve in curves]
    traces += smoothing.legend_entries(smooth) if smooth else []
    return layout.figure(
        traces,
        title=title,
        help=_SHARPNESS_HELP,
        x=layout.step_axis() | {"anchor": anchor},
        y=axes.pop("yaxis"),
        **axes,
        over_steps=True,
        hovermode="x",
        table=[tables.rows({"step": steps, **_table_columns(values, errors), **smallest, "limit": limit})],
        annotations=notes,
    )


def adaptive_sharpness(
    curvature: Arrays, *, limit_formula: str, log: bool | None = None, smooth: float = 0.0
) -> dict | None:
    """The largest eigenvalue of the preconditioned Hessian over the steps, and the stability limit of an optimizer that
    rescales the gradient (dashed); None without such an optimizer.

    Cohen et al., 2022, arXiv:2207.14484. `curvature` has steps, preconditioned, preconditioned_error and
    preconditioned_limit (K,), NaN where not computed yet. `log` and `smooth` as for `sharpness`.
    """
    if "preconditioned" not in curvature:
        return None
    title = "Preconditioned sharpness"
    names = ("steps", "preconditioned", "preconditioned_error", "preconditioned_limit")
    steps, values, errors, limit = (np.asarray(curvature[name]) for name in names)
    known = np.isfinite(limit) & np.isfinite(values)
    if not np.isfinite(values).any():
        return layout.empty(title, _ADAPTIVE_HELP, "waiting for the curvature after the first step")
    positive = not ((values <= 0).any() or (limit <= 0).any())
    log_y = positive and spans_decades([values, limit]) if log is None else log
    line = {"color": LARGEST_COLOR, "width": 2.5}
    traces = curvature_curves.smoothed_over_raw(steps, values, "λ₁ of P⁻¹H", line, log_y, errors, smooth)
    traces[-1]["uid"] = "preconditioned"
    if known.any():
        dashes = {"color": theme.NEUTRAL, "width": 2, "dash": "dash"}
        text = f"{limit_formula}: stability limit of the learning rate"
        traces.append(curvature_curves.curve(steps, limit, limit_formula, dashes, log_y) | {"uid": "limit"})
        traces.append(curvature_curves.limit_label(steps[known], limit[known], values[:, None], text))
    marked = np.column_stack([values, limit])
    if log_y:
        traces += edge_marks(steps, marked, ~np.isnan(marked), log_axis_values(marked))
    axis_title = "eigenvalue of P⁻¹H"
    return layout.figure(
        traces + (smoothing.legend_entries(smooth) if smooth else []),
        title=title,
        help=_ADAPTIVE_HELP,
        x=layout.step_axis(),
        y=logarithmic(axis_title, marked) if log_y else layout.axis(axis_title, rangemode="tozero"),
        over_steps=True,
        hovermode="x",
        table=[tables.rows({"step": steps, "eigenvalue": values, "error": errors, "limit": limit})],
    )


def hessian_trace(curvature: Arrays, *, log: bool | None = None, smooth: float = 0.0) -> dict:
    """The Hessian's trace with its standard error as a band, and the sum of the largest eigenvalues, over the steps.

    `curvature` has steps, trace and trace_error (K,), and eigenvalues (K, k); NaN where not computed yet. `log` None:
    logarithmic where all are positive and span more than a factor of 30. `smooth` in [0, 1): weight of the moving
    average drawn over both; the band is that of the raw values.
    """
    title = "Hessian trace"
    if not curvature:
        return layout.empty(title, _TRACE_HELP, landscape_measures.WAITING_FOR_TRAINING)
    trace, error = (np.asarray(curvature[name], float) for name in ("trace", "trace_error"))
    known = np.isfinite(trace)
    if not known.any():
        return layout.empty(title, _TRACE_HELP, "waiting for the curvature at the first step")
    steps, values = np.asarray(curvature["steps"]), np.asarray(curvature["eigenvalues"], float)
    deviation = np.where(np.isfinite(error), error, 0.0)[known]
    at, middle = steps[known], trace[known]
    total = np.where(np.isfinite(values), values, np.nan).sum(1)
    lower = np.concatenate([middle - deviation, total[np.isfinite(total)]])
    log_y = log
    if log is None:
        log_y = bool((lower > 0).all()) and spans_decades([lower, middle + deviation])
    color = theme.SPLITS["train"]
    both = np.concatenate([lower, middle + deviation])
    edges = np.concatenate([middle + deviation, (middle - deviation)[::-1]])
    if log_y:  # negative bounds would interrupt the filled area
        edges = np.maximum(edges, log_axis_values(both).floor)
    band = {
        "type": "scatter",
        "mode": "lines",
        "x": i4(np.concatenate([at, at[::-1]])),
        "y": f4(edges),
        "line": {"width": 0},
        "fill": "toself",
        "fillcolor": theme.with_alpha(color, 0.25),
        "hoverinfo": "skip",
        "name": "± standard error",
        "showlegend": False,
        "uid": "band",
    }
    count = values.shape[1]
    name = "largest eigenvalue" if count == 1 else f"sum of the {count} largest"
    sums = curvature_curves.smoothed_over_raw(
        steps, total, name, {"color": LARGEST_COLOR, "width": 2}, log_y, smooth=smooth
    )
    sums[-1]["uid"] = "largest"
    traces = [
        band,
        *curvature_curves.smoothed_over_raw(steps, trace, "trace", {"color": color, "width": 2}, log_y, error, smooth),
        *sums,
        *(smoothing.legend_entries(smooth) if smooth else []),
    ]
    if log_y:
        marked = np.column_stack([trace, total])
        traces += edge_marks(steps, marked, ~np.isnan(marked), log_axis_values(both))
    return layout.figure(
        traces,
        title=title,
        help=_TRACE_HELP,
        x=layout.step_axis(),
        table=[
            tables.rows({"step": steps, "trace": trace, "trace_error": error, f"sum_of_{count}_largest": total}),
        ],
        y=logarithmic("curvature", both) if log_y else layout.axis("curvature", rangemode="tozero"),
        over_steps=True,
        hovermode="x",
    )


def _table_columns(values: np.ndarray, errors: np.ndarray) -> dict[str, np.ndarray]:
    """Eigenvalues (K, k) and their errors as columns of the table."""
    columns = {f"eigenvalue_{i + 1}": column for i, column in enumerate(values.T)}
    return columns | {f"error_{i + 1}": column for i, column in enumerate(errors.T)}


def _eigenvalues(steps: np.ndarray, values: np.ndarray, errors: np.ndarray, log_y: bool, smooth: float) -> list[dict]:
    """The largest on top of the others, which share a legend entry."""
    count = values.shape[1]
    traces = []
    for i in reversed(range(count)):
        name = f"λ{labels.subscript(i + 1)}"
        *raw, curve = curvature_curves.smoothed_over_raw(
            steps, values[:, i], name, _line_style(i, count), log_y, errors[:, i], smooth
        )
        traces += raw
        curve |= {"legendrank": i + 1}
        if i:
            legend_name = f"λ₂ … λ{labels.subscript(count)}" if i == 1 and count > 2 else name
            curve |= {"name": legend_name, "showlegend": i == 1, "legendgroup": "others"}
        traces.append(curve | {"uid": f"eigenvalue{i + 1}"})
    return traces


def _line_style(index: int, count: int) -> dict:
    """The largest strong, smaller ones fainter."""
    if index == 0:
        return {"color": LARGEST_COLOR, "width": 2.5}
    fraction = (index - 1) / max(count - 2, 1)
    return {
        "color": theme.with_alpha(
            LARGEST_COLOR, OTHERS_OPACITY[0] + fraction * (OTHERS_OPACITY[1] - OTHERS_OPACITY[0])
        ),
        "width": 1.5,
    }
