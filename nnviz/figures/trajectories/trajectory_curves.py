"""Function values and distances to the minimum over the steps, and final values over learning rates."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from nnviz import frames
from nnviz.figures.kit import labels, layout, smoothing, tables, theme
from nnviz.figures.kit.layout import f4, i4
from nnviz.figures.kit.log_axis import logarithmic
from nnviz.figures.kit.log_axis_edges import log_axis_values
from nnviz.figures.kit.symlog_axis import spans_orders_of_magnitude, symlog_scale
from nnviz.figures.trajectories import trajectory_lines

# Maximum number of points of one curve, extremes included.
MAX_POINTS = 500
# Range of a logarithmic axis relative to the initial value: an optimizer that diverges, or one that is exact up to the
# last bit, would flatten all others.
MAX_INCREASE, MAX_DECREASE = 1e3, 1e-17
# Range of a linear axis, as a multiple of the initial magnitude (or of the 75th percentile of final values).
LINEAR_RANGE_FACTOR = 1.5
# Below this fraction of the largest, a value counts as 0.
ZERO_FRACTION = 1e-25
# Below this fraction of f*, f − f* is rounding error.
ROUNDING_ERROR = 4e-16
_VALUE_HELP = (
    "Function value of each optimizer at every step. On a logarithmic axis, a straight line is linear convergence: a "
    "constant factor per step."
)
_DISTANCE_HELP = (
    "Euclidean distance of each optimizer to the lowest minimum in view, the nearest if there are several. One that "
    "stays away has converged elsewhere or not at all."
)
_SEARCH_HELP = (
    "Final function value of each optimizer by learning rate; stars mark the best. No point: it diverged, or the "
    "update was not a number (0/0 with ε = 0)."
)

Arrays = Mapping[str, np.ndarray]
Transform = Callable[[np.ndarray], np.ndarray]
"""Values to positions on the y axis."""


def function_values(
    trajectories: Arrays,
    names: Sequence[str],
    minimum: float | None = None,
    lowest_point: tuple[float, float, float] | None = None,
    *,
    log: bool | None = None,
    smooth: float = 0.0,
) -> dict:
    """f of each optimizer over the steps, minus `minimum`, f at the lowest minimum in view, where it is given.

    `lowest_point` is x, y and f of the lowest grid point: where that is lower than any minimum, the help says so. `log`
    None: logarithmic where no value is negative; else symlog if values span decades, or linear. `smooth` in [0, 1):
    weight of the moving average drawn over each curve.
    """
    title = "Function value" if minimum is None else "f − f* (f*: lowest minimum in view)"
    if not trajectories:
        return layout.empty(title, _VALUE_HELP)
    values = np.asarray(trajectories["values"], float)
    text, help, column = "f(x, y)", _VALUE_HELP + _minimum_text(values, minimum, lowest_point), "f"
    if minimum is not None:
        text = "f(x, y) − f*"
    if minimum and abs(minimum) > ZERO_FRACTION * _initial_size(values):
        values, column = _above_minimum(values, minimum), "f_minus_minimum"
    return _curves(trajectories, values, names, title, help, text, column, log, smooth)


def _minimum_text(values: np.ndarray, minimum: float | None, lowest_point: tuple[float, float, float] | None) -> str:
    """Sentences of the help on the lowest minimum, and on lower points that are no minima."""
    if minimum is None:
        return " No minimum was found in view."
    text = f" The lowest minimum in view is f* = {_format_value(minimum)}."
    if lowest_point:
        x, y, low = lowest_point
        if low < minimum - 1e-9 * max(abs(minimum), _initial_size(values)):
            point = f"({_format_value(x)}, {_format_value(y)})"
            text += f" f is lower at {point}, which is not a minimum: f = {_format_value(low)}."
    return text


def _initial_size(values: np.ndarray) -> float:
    """The largest magnitude of values (optimizers, steps + 1) at the start."""
    start = np.abs(values[:, :1])
    return float(np.max(start, where=np.isfinite(start), initial=0.0))


def _format_value(value: float) -> str:
    return labels.number(float(value), 4) if abs(value) > 1e-12 else "0"


def distances_to_minimum(
    trajectories: Arrays, names: Sequence[str], *, log: bool | None = None, smooth: float = 0.0
) -> dict:
    """The distance of each optimizer to the nearest of the lowest minima; `log`, `smooth` as in `function_values`."""
    title = "Distance to the nearest minimum"
    if not trajectories:
        return layout.empty(title, _DISTANCE_HELP)
    values = np.asarray(trajectories["distance"], float)
    if values.size and np.isnan(values).all():
        return layout.empty(title, _DISTANCE_HELP, "no minimum found in view")
    return _curves(trajectories, values, names, title, _DISTANCE_HELP, "distance", "distance", log, smooth)


def rate_search(
    rates: np.ndarray,
    final: np.ndarray,
    names: Sequence[str],
    best: Sequence[int],
    minimum: float | None = None,
    *,
    log: bool | None = None,
) -> dict:
    """The final value of each optimizer (optimizers, K) over learning rates (K,); `best` are indices of the best ones.

    Nothing is drawn where an optimizer diverged; −1 in `best`: it always did. `minimum` is subtracted if given. `log`
    None: logarithmic where no value is negative, else symlog.
    """
    title = "Final function value by learning rate"
    rates = np.asarray(rates, float)
    if np.size(final) == 0:
        return layout.empty(title, _SEARCH_HELP, "waiting for the learning-rate search")
    raw = np.asarray(final, float)
    final = _above_minimum(raw, minimum or 0.0)
    log_y = log is not False and bool(np.all(~np.isfinite(final) | (final >= 0)))
    if log_y:  # zero, or too small for single precision
        largest = np.max(final, where=np.isfinite(final), initial=0.0)
        final = np.where((final >= 0) & (final < ZERO_FRACTION * largest), 0.0, final)
    scale = symlog_scale(final)
    drawn = log_axis_values(final)
    finite = np.where(np.isfinite(final), final, np.nan)
    shown = drawn.drawn if log_y else finite if log is False else scale.position(finite)
    text = "final f(x, y)" if not minimum else "final f(x, y) − f*"
    typical = float(np.nanquantile(np.abs(finite), 0.75)) if np.isfinite(finite).any() else 1.0
    y = layout.axis(text, range=list(_linear_range(finite, typical))) if log is False else scale.axis(text, final)
    help = _SEARCH_HELP + (_minimum_text(final, minimum, None) if minimum else "")
    traces = []
    for i, row in enumerate(shown):
        name = names[i]
        style = _style(i)
        value = labels.hover_number("customdata")
        hover = f"<b>{name}</b><br>final value {value} at η {labels.hover_number('x')}<extra></extra>"
        common = {"type": "scatter", "name": name, "hovertemplate": hover, **trajectory_lines.legend_group(i)}
        line = {"mode": "lines+markers", "x": f4(rates), "y": f4(row), "customdata": f4(final[i]), **style}
        traces.append(common | line | {"uid": f"search{i}", "showlegend": True})
        index = int(best[i])
        zero = np.flatnonzero(final[i] == 0) if log_y else np.array([], int)
        if len(zero):
            traces.append(
                _edge_marks(rates[zero], drawn.floor, i, [f"exactly 0 at η {labels.hover_number('x')}"] * len(zero))
            )
        if index >= 0:
            y_best = row[index] if np.isfinite(row[index]) else drawn.floor
            mark = {"symbol": "star", "size": 15, "color": theme.optimizer_color(i)}
            mark |= {"line": {"color": theme.HALO, "width": 1.2}}
            star = {"mode": "markers", "x": f4(rates[[index]]), "y": f4([y_best]), "customdata": f4(final[i][[index]])}
            traces.append(common | star | {"marker": mark, "uid": f"best{i}", "showlegend": False})
    return layout.figure(
        traces,
        title=title,
        help=help,
        x=logarithmic("learning rate η", rates),
        table=[
            tables.rows({"optimizer": name, "learning_rate": rates, "final_f": row})
            for name, row in zip(names, raw, strict=False)
        ],
        y=logarithmic(text, np.append(final, drawn.floor)) if log_y else y,
        **trajectory_lines.legend(len(shown)),
    )


def _above_minimum(values: np.ndarray, minimum: float) -> np.ndarray:
    """Values minus the minimum; 0 where only rounding error is left."""
    above = values - minimum
    return np.where(np.abs(above) <= ROUNDING_ERROR * abs(minimum), 0.0, above)


def _curves(
    trajectories: Arrays,
    values: np.ndarray,
    names: Sequence[str],
    title: str,
    help: str,
    text: str,
    column: str,
    log: bool | None,
    smooth: float,
) -> dict:
    """One line per optimizer; marked where it exits, or where it stays below a logarithmic axis.

    `column` is the values' name in the table.
    """
    is_finite = np.isfinite(values)
    log_y = log is not False and not (values[is_finite] < 0).any()
    if log_y:
        transform, y, y_range = _log_transform(values, text)
    elif log is False:
        transform, y_range = np.asarray, _linear_range(values, _initial_size(values))
        y = layout.axis(text, range=list(y_range))
    elif log or spans_orders_of_magnitude(values[is_finite]):
        scale = symlog_scale(values[is_finite])
        transform, y = scale.position, scale.axis(text, values)
        y_range = y["range"]
    else:
        transform, y, y_range = np.asarray, layout.axis(text), (-np.inf, np.inf)
    traces, exits, parts = [], [], []
    for i, row in enumerate(values):
        last = trajectory_lines.last_step(trajectories, i)
        low = row[: last + 1] < 10 ** y_range[0] if log_y else np.zeros(last + 1, bool)
        stop = _first_settled_step(low) if low.any() else last + 1
        traces += _optimizer_traces(
            i, row[:stop], transform, trajectory_lines.name_with_exit(names, trajectories, i), smooth, log_y
        )
        picked = frames.thin_indices(np.asarray(transform(row[: last + 1]), float), MAX_POINTS)
        parts.append(tables.rows({"optimizer": names[i], "step": picked, column: row[picked]}))
        zeros = np.flatnonzero(row[:stop] == 0) if log_y else np.array([], int)
        texts = ["exactly 0 at step %{x}"] * len(zeros)
        if stop <= last:
            texts.append(f"{'below this' if row[stop : last + 1].any() else 'exactly 0'} from step %{{x}}")
            zeros = np.append(zeros, stop)
        if len(zeros):
            traces.append(_edge_marks(zeros, _visible_range(y_range, log_y)[0], i, texts))
        if trajectories["left_at"][i] >= 0:
            exits.append(
                (i, last, float(np.clip(_last_finite(transform(row[: last + 1])), *_visible_range(y_range, log_y))))
            )
    traces += [_exit_mark(trajectories, i, at, level) for i, at, level in exits]
    traces += smoothing.legend_entries(smooth) if smooth else []
    return layout.figure(
        traces,
        title=title,
        help=help,
        x=layout.step_axis(),
        y=y,
        over_steps=True,
        table=parts,
        **trajectory_lines.legend(len(values)),
    )


def _log_transform(values: np.ndarray, text: str) -> tuple:
    """The transform of values, the axis, and its range in powers of ten, limited relative to the initial value."""
    positive = values[np.isfinite(values) & (values > 0)]
    start = values[:, 0]
    start = float(start[np.isfinite(start)].max(initial=0.0)) or (float(positive.max()) if len(positive) else 1.0)
    shown = np.clip(positive, MAX_DECREASE * start, MAX_INCREASE * start) if len(positive) else np.array([0.1, 1.0])
    low, high = np.log10(shown.min()), np.log10(shown.max())
    margin = max(0.05 * (high - low), 0.05)
    log_range = [float(low - margin), float(high + margin)]
    return (lambda row: log_axis_values(row).drawn), logarithmic(text, shown, log_range), log_range


def _linear_range(values: np.ndarray, size: float) -> tuple[float, float]:
    """The range of a linear axis: values up to `LINEAR_RANGE_FACTOR` times `size`, and zero."""
    limit = LINEAR_RANGE_FACTOR * (size or 1.0)
    shown = np.clip(values[np.isfinite(values)], -limit, limit)
    low, high = float(shown.min(initial=0.0)), float(shown.max(initial=0.0))
    margin = 0.05 * (high - low) or 1.0
    return low - margin, high + margin


def _first_settled_step(is_low: np.ndarray) -> int:
    """The index from which on all are low; the length if the last is not."""
    others = np.flatnonzero(~is_low)
    return int(others[-1]) + 1 if len(others) else 0


def _visible_range(y_range: Sequence[float], log_y: bool) -> tuple[float, float]:
    """The values between which a marker is visible."""
    low, high = y_range
    if not log_y:
        return low, high
    margin = 0.03 * (high - low)
    return 10 ** (low + margin), 10 ** (high - margin)


def _last_finite(row: np.ndarray) -> float:
    """The last finite value of a row; 0 if it has none."""
    finite = row[np.isfinite(row)]
    return float(finite[-1]) if len(finite) else 0.0


def _style(optimizer: int) -> dict:
    marker = {"color": theme.optimizer_color(optimizer), "size": 5}
    return {"line": trajectory_lines.line_style(optimizer, 2), "marker": marker}


def _optimizer_traces(
    optimizer: int, row: np.ndarray, transform: Transform, name: str, smooth: float, log_y: bool
) -> list[dict]:
    """One line; with `smooth` faint behind its moving average."""
    line = _line(optimizer, row, transform, name)
    if not smooth or len(row) < 2:
        return [line]
    picked = frames.thin_indices(np.asarray(transform(row), float), MAX_POINTS)
    averaged = smoothing.moving_average(row if log_y else transform(row), smooth, log_y)[picked]
    return [smoothing.raw_curve(line), line | {"y": f4(averaged)}]  # its hover text has the raw values


def _line(optimizer: int, row: np.ndarray, transform: Transform, name: str) -> dict:
    shown = np.asarray(transform(row), float)
    picked = frames.thin_indices(shown, MAX_POINTS)
    return {
        "type": "scatter",
        "mode": "lines" if len(row) > 1 else "markers",
        "x": i4(picked),
        "y": f4(shown[picked]),
        "customdata": f4(row[picked]),
        "name": name,
        "uid": f"optimizer{optimizer}",
        "showlegend": True,
        "hovertemplate": f"<b>{name}</b><br>{labels.hover_number('customdata')} at step %{{x}}<extra></extra>",
        **_style(optimizer),
        **trajectory_lines.legend_group(optimizer),
    }


def _edge_marks(x: np.ndarray, level: float, optimizer: int, texts: Sequence[str]) -> dict:
    """Markers at the lower edge of a logarithmic axis with hover texts; the first zero is labeled "0"."""
    is_zero = texts[0].startswith("exactly")
    color = theme.optimizer_color(optimizer)
    return {
        "type": "scatter",
        "mode": "markers+text" if is_zero else "markers",
        "x": f4(x),
        "y": f4(np.full(len(x), level)),
        "text": ["0" * is_zero, *[""] * (len(x) - 1)],
        "textposition": "top center",
        "textfont": {"color": color},
        "marker": {"symbol": "triangle-down-open", "size": 9, "color": color, "line": {"width": 1.8, "color": color}},
        "name": "at the edge",
        "uid": f"low{optimizer}",
        "showlegend": False,
        "cliponaxis": False,
        "hovertemplate": [f"{text}<extra></extra>" for text in texts],
        **trajectory_lines.legend_group(optimizer),
    }


def _exit_mark(trajectories: Arrays, optimizer: int, step: int, level: float) -> dict:
    """The marker at the last step of a trajectory that ended; the legend gives the step and the reason."""
    color = theme.optimizer_color(optimizer)
    text, reason = trajectory_lines.exit_texts(trajectories, optimizer)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": i4([step]),
        "y": f4([level]),
        "marker": {"symbol": "x", "size": 9, "color": color, "line": {"width": 1, "color": theme.HALO}},
        "name": text,
        "uid": f"left{optimizer}",
        "showlegend": False,
        "cliponaxis": False,
        "hovertemplate": f"{text}<br>{reason}<extra></extra>",
        **trajectory_lines.legend_group(optimizer),
    }
