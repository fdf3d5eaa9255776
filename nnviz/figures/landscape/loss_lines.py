"""Loss along lines in weight space: random directions through a network, and linear interpolation between two."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from nnviz.figures.kit import colorscale, labels, layout, stacked_plots, tables, theme
from nnviz.figures.kit.layout import f4
from nnviz.figures.kit.log_axis import logarithmic
from nnviz.figures.kit.log_axis_edges import LogAxisValues, edge_marks
from nnviz.figures.landscape import landscape_measures

_LINES_HELP = (
    "The network (at 0) with its weights moved along random directions, filter-normalized (Li et al., 2018): at 1 each "
    "filter is moved by its own norm. A wide minimum means that the loss is insensitive to the exact weights."
)
_LINE_HELP = (
    "Linear interpolation between the weights of two networks. The barrier is how far the train loss rises above the "
    "line between its ends (Frankle et al., 2020)."
)

# Top of the plot, as a fraction of the figure's height: the networks' names and the barrier are above it.
PLOT_TOP = 0.92

Arrays = Mapping[str, np.ndarray]
Transform = Callable[[np.ndarray], np.ndarray]
"""Values to positions on the axis."""


def loss_lines(
    lines: Arrays,
    measure: str = "train_loss",
    *,
    log: bool | None = None,
    scale: colorscale.ValueScale | None = None,
) -> dict:
    """A measure along random directions through the network, faint, and its mean over them, strong.

    `lines` has x (nx,), 0 at the network and 1 where each filter is moved by its own norm, and measures (lines, nx).
    `log` None: logarithmic where values are unevenly spread; accuracy never is. `scale`, of `shared_scale`, is given to
    figures that are compared.
    """
    title = f"{landscape_measures.measure_name(measure).capitalize()} along random directions"
    if not lines:
        return layout.empty(title, _LINES_HELP, landscape_measures.WAITING_FOR_TRAINING)
    if reason := landscape_measures.reason_missing(measure, lines):
        return layout.empty(title, _LINES_HELP, reason)
    x, z = np.asarray(lines["x"], float), np.asarray(lines[measure], float)
    color, measure_name = landscape_measures.color(measure), landscape_measures.measure_name(measure)
    y, transform = _value_axis(
        scale or landscape_measures.value_scale([z], log), landscape_measures.is_fraction(measure), measure_name
    )
    count = len(z)
    traces = []
    for i, row in enumerate(z):
        name = f"direction {i + 1}"
        legend = {"name": f"{count} directions"} if i == 0 and count > 1 else {}
        faint = {"color": theme.with_alpha(color, 0.45), "width": 1.2}
        value = landscape_measures.hover_value(measure, "customdata")
        hover = f"{name}: {measure_name} {value} at {labels.hover_number('x')}<extra></extra>"
        legend = {"showlegend": bool(legend), "legendgroup": "directions", **legend}
        traces.append(_curve(x, row, transform, name, faint, hover) | legend)
    hover = f"mean {landscape_measures.hover_value(measure, 'customdata')} at {labels.hover_number('x')}<extra></extra>"
    if count > 1:
        mean = _finite(z).mean(0)
        traces.append(_curve(x, mean, transform, "mean", {"color": color, "width": 2.5}, hover) | {"showlegend": True})
    traces += _zero_marks(x, z, y, transform)
    return layout.figure(
        traces,
        title=title,
        help=_LINES_HELP,
        x=layout.axis("distance along each direction (filter-normalized)", range=[float(x[0]), float(x[-1])]),
        y=y,
        table=[tables.grid({"direction": np.arange(count) + 1}, {"x": lines["x"]}, {measure: lines[measure]})],
        uirevision="loss lines",
        shapes=[_vertical_line(0.0)],
    )


def loss_line(line: Arrays, names: Sequence[str] = ("A", "B"), *, log: bool | None = None) -> dict:
    """Train and test loss, and accuracy below, on the line between two networks' weights, with the loss barrier.

    Goodfellow et al., 2015, arXiv:1412.6544; Frankle et al., 2020, arXiv:1912.05671. `names` such as "A", or "B: batch
    norm", of which the letter is shown above the curves. `line` has x (nx,), 0 at the first network and 1 at the
    second, measures (nx,), and barrier (2,), its height and position, once both ends are known. `log` None: logarithmic
    where values are unevenly spread.
    """
    letters = [labels.run_letter(name) for name in names]
    title = f"Loss between {names[0]} and {names[1]}"
    if not line:
        return layout.empty(title, _LINE_HELP, landscape_measures.WAITING_FOR_TRAINING)
    if reason := landscape_measures.reason_missing("train_loss", line):
        return layout.empty(title, _LINE_HELP, reason)
    x = np.asarray(line["x"], float)
    losses, accuracies = ([f"{part}_{kind}" for part in ("train", "test")] for kind in ("loss", "accuracy"))
    losses, accuracies = ([m for m in measures if m in line] for measures in (losses, accuracies))
    scale = landscape_measures.value_scale([np.asarray(line[m], float) for m in losses], log)
    y, transform = _value_axis(scale, False, "loss")
    barrier, position = map(float, line.get("barrier", (np.nan, np.nan)))
    traces = [
        *_barrier_traces(x, line["train_loss"], barrier, position, transform),
        *(_measure_curve(x, line, m, transform) for m in losses),
    ]
    traces += _zero_marks(x, np.stack([np.asarray(line[m], float) for m in losses]), y, transform)
    axes = {"yaxis": y | {"domain": [0.36 if accuracies else 0, PLOT_TOP]}}
    if accuracies:
        axes["yaxis2"] = layout.axis("accuracy", tickformat=".0%", range=[-0.03, 1.03], nticks=4, domain=[0, 0.29])
        below = {"yaxis": stacked_plots.anchor(2), "showlegend": False}
        traces += [_measure_curve(x, line, m, np.asarray) | below for m in accuracies]
    barrier_text = f"barrier {labels.number(barrier)}" if not np.isnan(barrier) else ""
    heads = [(0.0, f"<b>{letters[0]}</b>"), (0.5, barrier_text), (1.0, f"<b>{letters[1]}</b>")]
    return layout.figure(
        traces,
        title=title,
        help=_LINE_HELP,
        x=layout.axis(
            f"from {letters[0]} to {letters[1]}",
            range=[float(x[0]), float(x[-1])],
            anchor=stacked_plots.anchor(2 if accuracies else 1),
        ),
        y=axes.pop("yaxis"),
        **axes,
        annotations=[
            {"x": at, "y": PLOT_TOP, "yref": "paper", "yanchor": "bottom", "text": text, "showarrow": False}
            for at, text in heads
            if text
        ],
        shapes=[_vertical_line(0.0, PLOT_TOP), _vertical_line(1.0, PLOT_TOP)],
        hovermode="x",
        table=[
            tables.rows({"x": x, **{m: line[m] for m in (*losses, *accuracies)}}),
            *([tables.rows({"x": [position], "barrier": barrier})] if "barrier" in line else []),
        ],
        uirevision="loss line",
    )


def _value_axis(scale: colorscale.ValueScale, as_percent: bool, name: str) -> tuple[dict, Transform]:
    """The y axis for a scale, and the transform of values: on a logarithmic axis, 0 is drawn at the lowest."""
    if as_percent:
        return layout.axis(name, tickformat=".0%", range=[0, 1.02]), _finite
    if scale.log_offset and scale.log_offset == scale.low:
        low, high = scale.position_range
        margin = 0.05 * (high - low)
        y = logarithmic(name, np.array([scale.low, scale.high]), [low - margin, high + margin])
        return y, lambda values: np.maximum(_finite(values), scale.low)
    margin = 0.05 * (scale.high - scale.low)
    return layout.axis(name, range=[scale.low - margin, scale.high + margin]), _finite


def _zero_marks(x: np.ndarray, z: np.ndarray, axis: Mapping, transform: Transform) -> list[dict]:
    """Marks where a loss (lines, nx) is 0, which is drawn at the lower edge of a logarithmic axis."""
    is_zero = (z == 0).any(0)
    if axis.get("type") != "log" or not is_zero.any():
        return []
    floor = np.full(len(x), float(transform(np.zeros(1))[0]))
    marks, _ = edge_marks(
        x, np.where(is_zero, 0.0, 1.0), np.ones(len(x), bool), LogAxisValues(floor, floor[0], 1.0), "x ="
    )
    return [marks | {"cliponaxis": False}]


def _finite(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, float)
    return np.where(np.isfinite(values), values, np.nan)


def _measure_curve(x: np.ndarray, line: Arrays, measure: str, transform: Transform) -> dict:
    """A measure along the line between two networks."""
    values = np.asarray(line[measure], float)
    measure_name = landscape_measures.measure_name(measure)
    value = landscape_measures.hover_value(measure, "customdata")
    hover = f"{measure_name} {value} at {labels.hover_number('x')}<extra></extra>"
    return _curve(x, values, transform, measure_name, {"color": landscape_measures.color(measure), "width": 2}, hover)


def _barrier_traces(
    x: np.ndarray, losses: np.ndarray, barrier: float, position: float, transform: Transform
) -> list[dict]:
    """The line between the ends' losses, and the barrier above it."""
    start, end = (float(np.asarray(losses, float)[x == at].sum()) for at in (0.0, 1.0))
    if not np.isfinite([start, end]).all() or np.isnan(barrier):
        return []
    along = np.linspace(0, 1, 33)
    base = start + position * (end - start)
    dots = {"color": theme.NEUTRAL, "width": 1.5, "dash": "dot"}
    stem = {"color": theme.MARKER_OUTLINE, "width": 2}
    hover = f"barrier {labels.number(barrier)} at {labels.number(position)}<extra></extra>"
    no_hover = {"showlegend": False, "hoverinfo": "skip", "hovertemplate": None}
    return [
        _curve(along, start + along * (end - start), transform, "between the ends", dots, "") | no_hover,
        _curve(np.array([position, position]), np.array([base, base + barrier]), transform, "barrier", stem, hover)
        | {"showlegend": False},
    ]


def _curve(x: np.ndarray, values: np.ndarray, transform: Transform, name: str, line: Mapping, hover: str) -> dict:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": f4(x),
        "y": f4(transform(values)),
        "customdata": f4(_finite(values)),
        "name": name,
        "uid": name,
        "line": dict(line),
        "hovertemplate": hover,
    }


def _vertical_line(x: float, top: float = 1.0) -> dict:
    """A dotted vertical line at a network."""
    line = {"color": theme.NEUTRAL, "width": 1, "dash": "dot"}
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": top, "yref": "paper", "line": line, "layer": "below"}
