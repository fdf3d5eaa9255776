"""Curves of one quantity over the steps: loss, accuracy, learning rate."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from nnviz import frames
from nnviz.figures import labels, layout, theme
from nnviz.figures.decades import logarithmic
from nnviz.figures.forks import Fork, marked
from nnviz.figures.layout import f4, i4
from nnviz.figures.magnitudes import edge_marks, magnitudes

POINTS = 500
SHARES = ("accuracy",)
# Before the names in the legend: their numbers are the last ones, wherever the time slider is.
LAST = {"text": "last:", "side": "left", "font": {"size": theme.SIZE - 1}}
_ORDER = {"batch": 0, "train": 1, "test": 2}
_HELP = {
    "loss": (
        "Train and test are measured alike, so a gap between them is overfitting; the gray batch loss "
        "is what each step saw."
    ),
    "accuracy": (
        "The share of samples classified correctly; where test stays below train, the network has learned the sample."
    ),
    "r_squared": "1 is a perfect fit, 0 is no better than always predicting the mean.",
}


def curves(
    frame: pd.DataFrame,
    quantity: str = "loss",
    *,
    log_y: bool | None = None,
    title: str | None = None,
    unit: str = "",
    smooth: float = 0.0,
    forks: Sequence[Fork] = (),
) -> dict:
    """One line a site (train, test, and the batch loss faint behind), at most 500 points each, extremes kept.

    `log_y` None: logarithmic where train and test span more than a factor of 30. `smooth` in [0, 1): weight of the
    moving average laid over the batch curve. `forks`: (step, text) where the run goes on from another, or with other
    settings. Accuracy is shown in percent from 0 to 100. With several members the mean is drawn.
    """
    title = title or labels.name(quantity).capitalize()
    help = _HELP.get(quantity, f"{labels.name(quantity).capitalize()} at every step.")
    rows = frames.select(frame, quantity)
    if len(rows) == 0:
        return layout.empty(title, help)
    series = split(rows)
    if log_y is None:
        log_y = spans_decades([values for site, (_, values) in series.items() if site != "batch"] or [rows["value"]])
    share = quantity in SHARES
    traces = []
    for site, (steps, values) in series.items():
        if site == "batch" and smooth:
            averaged = pd.Series(values).ewm(alpha=1 - smooth, adjust=True).mean().to_numpy()
            traces.append(line(steps, values, "batch", share, log_y, color=theme.faded(theme.NEUTRAL, 0.22)))
            traces[-1] |= {"showlegend": False, "hoverinfo": "skip", "hovertemplate": None}
            traces.append(line(steps, averaged, "batch", share, log_y, color=theme.NEUTRAL))
            traces[-1]["hovertemplate"] = "smoothed " + traces[-1]["hovertemplate"]
        else:
            color = theme.SITES.get(site, theme.class_color(len(traces)))
            traces.append(line(steps, values, site.replace("_", " "), share, log_y, color=color))
        if site == "batch" and not smooth:
            traces[-1] |= {"opacity": 0.5, "line": {"color": theme.NEUTRAL, "width": 1}}
    if log_y:
        traces += marks(series)
    return layout.figure(
        traces,
        title=title,
        help=help,
        x=layout.steps(),
        over_steps=True,
        hovermode="x",
        legend={"title": LAST},
        **marked(value_axis(quantity, log_y, unit, rows["value"].to_numpy()), forks, int(rows["step"].max())),
    )


def learning_rate(frame: pd.DataFrame, *, forks: Sequence[Fork] = ()) -> dict:
    """The learning rate that the schedule gave at every step."""
    title, help = "Learning rate", "How far each step goes along the update; a schedule lowers it as training settles."
    rows = frames.select(frame, "learning_rate")
    if len(rows) == 0:
        return layout.empty(title, help)
    series = split(rows)
    log_y = decays(rows["value"].to_numpy())
    axis = value_axis("learning_rate", log_y, "", rows["value"].to_numpy())
    axis |= {} if log_y else {"rangemode": "tozero"}
    traces = [
        line(steps, values, labels.name("learning_rate"), False, log_y, color=theme.POSITIVE)
        | {"showlegend": True, "fill": None if log_y else "tozeroy", "fillcolor": theme.faded(theme.POSITIVE, 0.12)}
        for steps, values in series.values()
    ]
    return layout.figure(
        traces,
        title=title,
        help=help,
        x=layout.steps(),
        over_steps=True,
        **marked(axis, forks, int(rows["step"].max()), row=0.16),
    )


def split(rows: pd.DataFrame) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Steps and values of every site of one quantity, batch first so that it is drawn behind; members are averaged."""
    if (rows["member"].to_numpy() != rows["member"].iat[0]).any():
        rows = rows.groupby(["step", "site"], sort=True, as_index=False)["value"].mean()
    steps, sites, values = rows["step"].to_numpy(), rows["site"].to_numpy(), rows["value"].to_numpy()
    found = sorted(dict.fromkeys(sites), key=lambda site: (_ORDER.get(site, len(_ORDER)), site))
    return {site: (steps[sites == site], values[sites == site]) for site in found}


def spans_decades(columns: Sequence[np.ndarray], factor: float = 30) -> bool:
    """Whether the positive values of these curves span more than `factor`."""
    values = np.concatenate([np.asarray(column, float) for column in columns])
    positive = values[np.isfinite(values) & (values > 0)]
    return bool(len(positive) and positive.max() > factor * positive.min())


def decays(rates: np.ndarray, factor: float = 8) -> bool:
    """Whether a schedule falls by factors, as an exponential does: half of its way is far below its top."""
    positive = rates[rates > 0]
    return bool(len(positive) and positive.max() > factor * np.median(positive))


def line(steps: np.ndarray, values: np.ndarray, name: str, share: bool, log_y: bool, *, color: str) -> dict:
    """One thinned curve with its last value in the legend."""
    picked = frames.thin_indices(values, POINTS)
    last = labels.percent(values[-1]) if share else labels.number(values[-1])
    drawn = magnitudes(values).drawn if log_y else np.where(np.isfinite(values), values, np.nan)
    return {
        "type": "scatter",
        "mode": "lines" if len(values) > 1 else "markers",
        "x": i4(steps[picked]),
        "y": f4(drawn[picked]),
        "name": f"{name} {last}",
        "uid": name,
        "line": {"color": color, "width": 2},
        "marker": {"color": color, "size": 5},
        "hovertemplate": f"{name} {'%{y:.1%}' if share else labels.shown('y')} at step %{{x}}<extra></extra>",
    }


def marks(series: dict[str, tuple[np.ndarray, np.ndarray]]) -> list[dict]:
    """Zeros and non-finite values of all curves at the edges of their logarithmic axis."""
    steps = np.concatenate([steps for steps, _ in series.values()])
    values = np.concatenate([values for _, values in series.values()])
    return edge_marks(steps, values, np.ones(len(values), bool), magnitudes(values))


def value_axis(quantity: str, log_y: bool, unit: str, values: np.ndarray) -> dict:
    """The vertical axis of a quantity: percent for shares, powers of ten where logarithmic."""
    text = labels.name(quantity) + (f" ({unit})" if unit else "")
    if quantity in SHARES:
        return layout.axis(text, tickformat=".0%", range=[0, 1.02])
    return logarithmic(text, values) if log_y else layout.axis(text)
