"""The loss along straight lines through weight space: through one network, and from one network to another."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from nnviz.figures.kit import colorscale, labels, layout, stacked_plots, tables, theme
from nnviz.figures.kit.layout import f4
from nnviz.figures.kit.log_axis import logarithmic
from nnviz.figures.kit.log_axis_edges import LogAxisValues, edge_marks
from nnviz.figures.landscape import landscape_measures

_LINES_HELP = (
    "The network in the middle, its weights moved along random directions, filter by filter as long as the filter's "
    "own weights: a wide floor means that the weights need not be exact."
)
_LINE_HELP = (
    "All networks on the straight line between the weights of two; the barrier is how far the train loss rises above "
    "the straight line between its ends (Frankle et al., 2020)."
)

# Above the curves, as a share of the height, stand the names of the networks and the barrier.
PLOT_TOP = 0.92

Arrays = Mapping[str, np.ndarray]
Transform = Callable[[np.ndarray], np.ndarray]
"""Heights to what is drawn of them."""


def loss_lines(
    lines: Arrays,
    measure: str = "train_loss",
    *,
    log: bool | None = None,
    scale: colorscale.ValueScale | None = None,
) -> dict:
    """A measure along each of some random lines through the network, faint, and their mean, strong.

    `lines` has x (nx,), 0 at the network and 1 where each filter is moved by its own length, and measures (lines, nx).
    `log` None: logarithmic where that shows more; accuracy never is. The axis ends where `height_scale` does, or that
    of two networks, `scale`.
    """
    title = f"{landscape_measures.measure_name(measure).capitalize()} along random lines"
    if not lines:
        return layout.empty(title, _LINES_HELP, landscape_measures.WAITING_FOR_TRAINING)
    if reason := landscape_measures.reason_missing(measure, lines):
        return layout.empty(title, _LINES_HELP, reason)
    x, z = np.asarray(lines["x"], float), np.asarray(lines[measure], float)
    color, word = landscape_measures.color(measure), landscape_measures.measure_name(measure)
    y, drawn = _value_axis(
        scale or landscape_measures.value_scale([z], log), landscape_measures.is_fraction(measure), word
    )
    count = len(z)
    traces = []
    for i, row in enumerate(z):
        name = f"direction {i + 1}"
        told = {"name": f"{count} directions"} if i == 0 and count > 1 else {}
        faint = {"color": theme.with_alpha(color, 0.45), "width": 1.2}
        value = landscape_measures.hover_value(measure, "customdata")
        hover = f"{name}: {word} {value} at {labels.hover_number('x')}<extra></extra>"
        shown = {"showlegend": bool(told), "legendgroup": "directions", **told}
        traces.append(_curve(x, row, drawn, name, faint, hover) | shown)
    hover = f"mean {landscape_measures.hover_value(measure, 'customdata')} at {labels.hover_number('x')}<extra></extra>"
    if count > 1:
        mean = _finite(z).mean(0)
        traces.append(_curve(x, mean, drawn, "mean", {"color": color, "width": 2.5}, hover) | {"showlegend": True})
    traces += _zero_marks(x, z, y, drawn)
    return layout.figure(
        traces,
        title=title,
        help=_LINES_HELP,
        x=layout.axis("along each direction (lengths of the filters)", range=[float(x[0]), float(x[-1])]),
        y=y,
        table=[tables.grid({"direction": np.arange(count) + 1}, {"x": lines["x"]}, {measure: lines[measure]})],
        uirevision="loss lines",
        shapes=[_vertical_line(0.0)],
    )


def loss_line(line: Arrays, names: Sequence[str] = ("A", "B"), *, log: bool | None = None) -> dict:
    """Train and test loss on the straight line from one network's weights to another's, and accuracy below where there
    is one, with the barrier of the train loss (Goodfellow et al., 2015, arXiv:1412.6544; Frankle et al., 2020,
    arXiv:1912.05671).

    `names` such as "A", or "B: batch norm", of which the letter stands over the curves. `line` has x (nx,), the first
    of them at 0 and the second at 1, measures (nx,), and once both ends are there the barrier, (2,): its height and
    place. `log` None: logarithmic where that shows more.
    """
    letters = [labels.run_letter(name) for name in names]
    title = f"Loss between {names[0]} and {names[1]}"
    if not line:
        return layout.empty(title, _LINE_HELP, landscape_measures.WAITING_FOR_TRAINING)
    if reason := landscape_measures.reason_missing("train_loss", line):
        return layout.empty(title, _LINE_HELP, reason)
    x = np.asarray(line["x"], float)
    losses, shares = ([f"{part}_{kind}" for part in ("train", "test")] for kind in ("loss", "accuracy"))
    losses, shares = ([m for m in some if m in line] for some in (losses, shares))
    scale = landscape_measures.value_scale([np.asarray(line[m], float) for m in losses], log)
    y, drawn = _value_axis(scale, False, "loss")
    rise, place = map(float, line.get("barrier", (np.nan, np.nan)))
    traces = [
        *_barrier_traces(x, line["train_loss"], rise, place, drawn),
        *(_measure_curve(x, line, m, drawn) for m in losses),
    ]
    traces += _zero_marks(x, np.stack([np.asarray(line[m], float) for m in losses]), y, drawn)
    axes = {"yaxis": y | {"domain": [0.36 if shares else 0, PLOT_TOP]}}
    if shares:
        axes["yaxis2"] = layout.axis("accuracy", tickformat=".0%", range=[-0.03, 1.03], nticks=4, domain=[0, 0.29])
        below = {"yaxis": stacked_plots.anchor(2), "showlegend": False}
        traces += [_measure_curve(x, line, m, np.asarray) | below for m in shares]
    said = f"barrier {labels.number(rise)}" if not np.isnan(rise) else ""
    heads = [(0.0, f"<b>{letters[0]}</b>"), (0.5, said), (1.0, f"<b>{letters[1]}</b>")]
    return layout.figure(
        traces,
        title=title,
        help=_LINE_HELP,
        x=layout.axis(
            f"from {letters[0]} to {letters[1]}",
            range=[float(x[0]), float(x[-1])],
            anchor=stacked_plots.anchor(2 if shares else 1),
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
            tables.rows({"x": x, **{m: line[m] for m in (*losses, *shares)}}),
            *([tables.rows({"x": [place], "barrier": rise})] if "barrier" in line else []),
        ],
        uirevision="loss line",
    )


def _value_axis(scale: colorscale.ValueScale, share: bool, word: str) -> tuple[dict, Transform]:
    """The vertical axis of heights on a scale, and what is drawn of them: on a logarithmic axis the lowest for 0."""
    if share:
        return layout.axis(word, tickformat=".0%", range=[0, 1.02]), _finite
    if scale.log_offset and scale.log_offset == scale.low:
        low, high = scale.position_range
        margin = 0.05 * (high - low)
        y = logarithmic(word, np.array([scale.low, scale.high]), [low - margin, high + margin])
        return y, lambda values: np.maximum(_finite(values), scale.low)
    margin = 0.05 * (scale.high - scale.low)
    return layout.axis(word, range=[scale.low - margin, scale.high + margin]), _finite


def _zero_marks(x: np.ndarray, z: np.ndarray, axis: Mapping, drawn: Transform) -> list[dict]:
    """Marks where a loss (lines, nx) is 0, which a logarithmic axis has no place for: it is drawn at its floor."""
    zero = (z == 0).any(0)
    if axis.get("type") != "log" or not zero.any():
        return []
    floor = np.full(len(x), float(drawn(np.zeros(1))[0]))
    marks, _ = edge_marks(
        x, np.where(zero, 0.0, 1.0), np.ones(len(x), bool), LogAxisValues(floor, floor[0], 1.0), "x ="
    )
    return [marks | {"cliponaxis": False}]


def _finite(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, float)
    return np.where(np.isfinite(values), values, np.nan)


def _measure_curve(x: np.ndarray, line: Arrays, measure: str, drawn: Transform) -> dict:
    """One measure along the line between two networks."""
    values = np.asarray(line[measure], float)
    word = landscape_measures.measure_name(measure)
    hover = (
        f"{word} {landscape_measures.hover_value(measure, 'customdata')} at {labels.hover_number('x')}<extra></extra>"
    )
    return _curve(x, values, drawn, word, {"color": landscape_measures.color(measure), "width": 2}, hover)


def _barrier_traces(x: np.ndarray, losses: np.ndarray, rise: float, place: float, drawn: Transform) -> list[dict]:
    """The straight line between the ends' losses, and the barrier standing on it."""
    start, end = (float(np.asarray(losses, float)[x == at].sum()) for at in (0.0, 1.0))
    if not np.isfinite([start, end]).all() or np.isnan(rise):
        return []
    along = np.linspace(0, 1, 33)
    foot = start + place * (end - start)
    dots = {"color": theme.NEUTRAL, "width": 1.5, "dash": "dot"}
    stem = {"color": theme.MARKER_OUTLINE, "width": 2}
    hover = f"barrier {labels.number(rise)} at {labels.number(place)}<extra></extra>"
    quiet = {"showlegend": False, "hoverinfo": "skip", "hovertemplate": None}
    return [
        _curve(along, start + along * (end - start), drawn, "between the ends", dots, "") | quiet,
        _curve(np.array([place, place]), np.array([foot, foot + rise]), drawn, "barrier", stem, hover)
        | {"showlegend": False},
    ]


def _curve(x: np.ndarray, values: np.ndarray, drawn: Transform, name: str, line: Mapping, hover: str) -> dict:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": f4(x),
        "y": f4(drawn(values)),
        "customdata": f4(_finite(values)),
        "name": name,
        "uid": name,
        "line": dict(line),
        "hovertemplate": hover,
    }


def _vertical_line(x: float, top: float = 1.0) -> dict:
    """Where a network is."""
    line = {"color": theme.NEUTRAL, "width": 1, "dash": "dot"}
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": top, "yref": "paper", "line": line, "layer": "below"}
