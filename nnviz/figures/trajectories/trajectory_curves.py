"""How optimizers come down: heights and distances over the steps, and what each learning rate leads to."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from nnviz import frames
from nnviz.figures.kit import labels, layout, smoothing, tables, theme
from nnviz.figures.kit.layout import f4, i4
from nnviz.figures.kit.log_axis import logarithmic
from nnviz.figures.kit.log_axis_edges import log_axis_values
from nnviz.figures.kit.symlog_axis import spans_orders_of_magnitude, symlog_scale
from nnviz.figures.trajectories import trajectory_lines

# Points of one curve, extremes kept.
MAX_POINTS = 500
# How far a logarithmic axis goes above and below where the race began, as factors: an optimizer that leaves for
# infinity, or one that is there up to the last bit, would press all others flat.
MAX_INCREASE, MAX_DECREASE = 1e3, 1e-17
# How far a straight axis goes, as a multiple of the usual size: that of the start, of the last heights three quarters.
LINEAR_RANGE_FACTOR = 1.5
# A height is as good as 0 below this share of the largest.
ZERO_FRACTION = 1e-25
# What is left of the height by rounding alone, as a share of what was subtracted.
ROUNDING_ERROR = 4e-16
_VALUE_HELP = (
    "How high each method still is at every step; a straight line down on this axis is the same factor a step."
)
_DISTANCE_HELP = (
    "How far each method is from the lowest minimum in view, the nearest of several, or a curve of them; one that "
    "stays away has settled elsewhere, or not at all."
)
_SEARCH_HELP = (
    "How high each method ends up by its learning rate: too small does not arrive; no point where it left, or its "
    "update was no number (0/0 with ε = 0); stars are the best."
)

Arrays = Mapping[str, np.ndarray]


def function_values(
    trajectories: Arrays,
    names: Sequence[str],
    optimum: float | None = None,
    bottom: tuple[float, float, float] | None = None,
    *,
    log: bool | None = None,
    smooth: float = 0.0,
) -> dict:
    """The height of each optimizer over the steps, above `optimum` where that, the lowest minimum's, is given. `bottom`
    is the x, y and f of the lowest place of the map: where that is lower than any minimum the help says so.

    `log` None: logarithmic where no height is below zero; else by the signed logarithm, if heights span decades, or
    straight. `smooth` in [0, 1): weight of the moving average laid over each optimizer's heights as they are drawn.
    """
    title = "Height" if optimum is None else "Height above the lowest minimum in view"
    if not trajectories:
        return layout.empty(title, _VALUE_HELP)
    found = np.asarray(trajectories["values"], float)
    text, help, column = "f(x, y)", _VALUE_HELP + _minimum_text(found, optimum, bottom), "f"
    if optimum and abs(optimum) > ZERO_FRACTION * _initial_size(found):
        text, found, column = "f(x, y) − f<sub>min</sub>", _above_minimum(found, optimum), "f_minus_minimum"
    return _curves(trajectories, found, names, title, help, text, column, log, smooth)


def _minimum_text(heights: np.ndarray, optimum: float | None, bottom: tuple[float, float, float] | None) -> str:
    """What the help says of the lowest minimum, and of lower ground."""
    said = "No minimum was found in this view." if optimum is None else ""
    if optimum is not None:
        said = f"The lowest minimum in view is f = {_format_value(optimum)}."
    if optimum is not None and bottom:
        x, y, low = bottom
        if low < optimum - 1e-9 * max(abs(optimum), _initial_size(heights)):
            point = f"({_format_value(x)}, {_format_value(y)})"
            said += f" The surface is lower at {point}, which is no minimum: f = {_format_value(low)}."
    return f" {said}" if said else ""


def _initial_size(heights: np.ndarray) -> float:
    """The size of the heights (optimizers, steps + 1) at the start."""
    start = np.abs(heights[:, :1])
    return float(np.max(start, where=np.isfinite(start), initial=0.0))


def _format_value(value: float) -> str:
    return labels.number(float(value), 4) if abs(value) > 1e-12 else "0"


def distances_to_minimum(
    trajectories: Arrays, names: Sequence[str], *, log: bool | None = None, smooth: float = 0.0
) -> dict:
    """The distance of each optimizer to the nearest optimum over the steps; `log` and `smooth` as in `heights`."""
    title = "Distance to the lowest minimum in view"
    if not trajectories:
        return layout.empty(title, _DISTANCE_HELP)
    found = np.asarray(trajectories["distance"], float)
    if found.size and np.isnan(found).all():
        return layout.empty(title, _DISTANCE_HELP, "no minimum found in this view")
    return _curves(trajectories, found, names, title, _DISTANCE_HELP, "distance", "distance", log, smooth)


def rate_search(
    rates: np.ndarray,
    final: np.ndarray,
    names: Sequence[str],
    best: Sequence[int],
    optimum: float | None = None,
    *,
    log: bool | None = None,
) -> dict:
    """The last height of each optimizer (optimizers, K) over learning rates (K,); `best` is the place of each
    optimizer's best one.

    Nothing is drawn where an optimizer left for infinity, and no best of an optimizer that always did (−1). `optimum`
    is subtracted where it is given. `log` None: logarithmic where no height is below zero, else by the signed
    logarithm.
    """
    title = "Final height by learning rate"
    rates = np.asarray(rates, float)
    if np.size(final) == 0:
        return layout.empty(title, _SEARCH_HELP, "waiting for the search")
    ends = np.asarray(final, float)
    final = _above_minimum(ends, optimum or 0.0)
    log_y = log is not False and bool(np.all(~np.isfinite(final) | (final >= 0)))
    if log_y:  # as good as zero, and beyond what single precision holds
        most = np.max(final, where=np.isfinite(final), initial=0.0)
        final = np.where((final >= 0) & (final < ZERO_FRACTION * most), 0.0, final)
    scale = symlog_scale(final)
    drawn = log_axis_values(final)
    finite = np.where(np.isfinite(final), final, np.nan)
    shown = drawn.drawn if log_y else finite if log is False else scale.position(finite)
    text = "final f(x, y)" if not optimum else "final f(x, y) − f<sub>min</sub>"
    usual = float(np.nanquantile(np.abs(finite), 0.75)) if np.isfinite(finite).any() else 1.0
    y = layout.axis(text, range=list(_linear_range(finite, usual))) if log is False else scale.axis(text, final)
    help = (
        _SEARCH_HELP if not optimum else f"{_SEARCH_HELP} The lowest minimum in view is f = {_format_value(optimum)}."
    )
    traces = []
    for i, row in enumerate(shown):
        name = names[i]
        style = _style(i)
        value = labels.hover_number("customdata")
        words = f"<b>{name}</b><br>final value {value} at η {labels.hover_number('x')}<extra></extra>"
        common = {"type": "scatter", "name": name, "hovertemplate": words, **trajectory_lines.legend_group(i)}
        line = {"mode": "lines+markers", "x": f4(rates), "y": f4(row), "customdata": f4(final[i]), **style}
        traces.append(common | line | {"uid": f"search{i}", "showlegend": True})
        place = int(best[i])
        zero = np.flatnonzero(final[i] == 0) if log_y else np.array([], int)
        if len(zero):
            traces.append(
                _edge_marks(rates[zero], drawn.floor, i, [f"exactly 0 at η {labels.hover_number('x')}"] * len(zero))
            )
        if place >= 0:
            level = row[place] if np.isfinite(row[place]) else drawn.floor
            mark = {"symbol": "star", "size": 15, "color": theme.optimizer_color(i)}
            mark |= {"line": {"color": theme.HALO, "width": 1.2}}
            found = {"mode": "markers", "x": f4(rates[[place]]), "y": f4([level]), "customdata": f4(final[i][[place]])}
            traces.append(common | found | {"marker": mark, "uid": f"best{i}", "showlegend": False})
    return layout.figure(
        traces,
        title=title,
        help=help,
        x=logarithmic("learning rate η", rates),
        table=[
            tables.rows({"optimizer": name, "learning_rate": rates, "final_f": row})
            for name, row in zip(names, ends, strict=False)
        ],
        y=logarithmic(text, np.append(final, drawn.floor)) if log_y else y,
        **trajectory_lines.legend(len(shown)),
    )


def _above_minimum(heights: np.ndarray, optimum: float) -> np.ndarray:
    """Heights above the lowest; 0 where the subtraction leaves rounding alone."""
    found = heights - optimum
    return np.where(np.abs(found) <= ROUNDING_ERROR * abs(optimum), 0.0, found)


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
    """One line an optimizer; its end is marked where it left, or where it goes below a logarithmic axis for good.
    `column` is what the values are called in the table."""
    good = np.isfinite(values)
    log_y = log is not False and not (values[good] < 0).any()
    if log_y:
        place, y, ends = _log_transform(values, text)
    elif log is False:
        place, ends = np.asarray, _linear_range(values, _initial_size(values))
        y = layout.axis(text, range=list(ends))
    elif log or spans_orders_of_magnitude(values[good]):
        scale = symlog_scale(values[good])
        place, y = scale.position, scale.axis(text, values)
        ends = y["range"]
    else:
        place, y, ends = np.asarray, layout.axis(text), (-np.inf, np.inf)
    traces, left, parts = [], [], []
    for i, row in enumerate(values):
        last = trajectory_lines.last_step(trajectories, i)
        low = row[: last + 1] < 10 ** ends[0] if log_y else np.zeros(last + 1, bool)
        stop = _first_settled_step(low) if low.any() else last + 1
        traces += _optimizer_traces(
            i, row[:stop], place, trajectory_lines.name_with_exit(names, trajectories, i), smooth, log_y
        )
        picked = frames.thin_indices(np.asarray(place(row[: last + 1]), float), MAX_POINTS)
        parts.append(tables.rows({"optimizer": names[i], "step": picked, column: row[picked]}))
        zeros = np.flatnonzero(row[:stop] == 0) if log_y else np.array([], int)
        words = ["exactly 0 at step %{x}"] * len(zeros)
        if stop <= last:
            words.append(f"{'below this' if row[stop : last + 1].any() else 'exactly 0'} from step %{{x}}")
            zeros = np.append(zeros, stop)
        if len(zeros):
            traces.append(_edge_marks(zeros, _visible_range(ends, log_y)[0], i, words))
        if trajectories["left_at"][i] >= 0:
            left.append((i, last, float(np.clip(_last_finite(place(row[: last + 1])), *_visible_range(ends, log_y)))))
    traces += [_exit_mark(trajectories, i, at, level) for i, at, level in left]
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
    """What is drawn of values, the axis, and its ends in powers of ten: at most so far from where the race began."""
    found = values[np.isfinite(values) & (values > 0)]
    start = values[:, 0]
    start = float(start[np.isfinite(start)].max(initial=0.0)) or (float(found.max()) if len(found) else 1.0)
    found = np.clip(found, MAX_DECREASE * start, MAX_INCREASE * start) if len(found) else np.array([0.1, 1.0])
    low, high = np.log10(found.min()), np.log10(found.max())
    margin = max(0.05 * (high - low), 0.05)
    ends = [float(low - margin), float(high + margin)]
    return (lambda row: log_axis_values(row).drawn), logarithmic(text, found, ends), ends


def _linear_range(values: np.ndarray, size: float) -> tuple[float, float]:
    """The ends of a straight axis: all that is at most `TALL` times as far from zero as `size`."""
    most = LINEAR_RANGE_FACTOR * (size or 1.0)
    found = np.clip(values[np.isfinite(values)], -most, most)
    low, high = float(found.min(initial=0.0)), float(found.max(initial=0.0))
    margin = 0.05 * (high - low) or 1.0
    return low - margin, high + margin


def _first_settled_step(low: np.ndarray) -> int:
    """The step from which on all is low; the length where it is not at the end."""
    other = np.flatnonzero(~low)
    return int(other[-1]) + 1 if len(other) else 0


def _visible_range(ends: Sequence[float], log_y: bool) -> tuple[float, float]:
    """The values between which a mark is seen."""
    if not log_y:
        return ends[0], ends[1]
    margin = 0.03 * (ends[1] - ends[0])
    return 10 ** (ends[0] + margin), 10 ** (ends[1] - margin)


def _last_finite(row: np.ndarray) -> float:
    """The last number of a row; 0 if it has none."""
    good = np.flatnonzero(np.isfinite(row))
    return float(row[good[-1]]) if len(good) else 0.0


def _style(optimizer: int) -> dict:
    color = theme.optimizer_color(optimizer)
    return {"line": {"color": color, "width": 2}, "marker": {"color": color, "size": 5}}


def _optimizer_traces(
    optimizer: int, row: np.ndarray, place: Callable[[np.ndarray], np.ndarray], name: str, smooth: float, log_y: bool
) -> list[dict]:
    """One line; with `smooth` faint behind the moving average of what is drawn."""
    line = _line(optimizer, row, place, name)
    if not smooth or len(row) < 2:
        return [line]
    picked = frames.thin_indices(np.asarray(place(row), float), MAX_POINTS)
    found = smoothing.moving_average(row if log_y else place(row), smooth, log_y)[picked]
    return [smoothing.raw_curve(line), line | {"y": f4(found)}]  # its hover text says what was measured


def _line(optimizer: int, row: np.ndarray, place, name: str) -> dict:
    shown = np.asarray(place(row), float)
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


def _edge_marks(x: np.ndarray, level: float, optimizer: int, words: Sequence[str]) -> dict:
    """Marks at the lower edge of a logarithmic axis, and what each of them says; "0" stands over the first."""
    zero = words[0].startswith("exactly")
    color = theme.optimizer_color(optimizer)
    return {
        "type": "scatter",
        "mode": "markers+text" if zero else "markers",
        "x": f4(x),
        "y": f4(np.full(len(x), level)),
        "text": ["0" * zero, *[""] * (len(x) - 1)],
        "textposition": "top center",
        "textfont": {"color": color},
        "marker": {"symbol": "triangle-down-open", "size": 9, "color": color, "line": {"width": 1.8, "color": color}},
        "name": "at the edge",
        "uid": f"low{optimizer}",
        "showlegend": False,
        "cliponaxis": False,
        "hovertemplate": [f"{text}<extra></extra>" for text in words],
        **trajectory_lines.legend_group(optimizer),
    }


def _exit_mark(trajectories: Arrays, optimizer: int, step: int, level: float) -> dict:
    """Where an optimizer's way ends; the legend says at which step and why."""
    color = theme.optimizer_color(optimizer)
    text, why = trajectory_lines.exit_texts(trajectories, optimizer)
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
        "hovertemplate": f"{text}<br>{why}<extra></extra>",
        **trajectory_lines.legend_group(optimizer),
    }
