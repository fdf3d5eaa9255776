"""Curves of one quantity over the steps: loss, accuracy, learning rate."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from nnviz import frames
from nnviz.figures.kit import labels, layout, smoothing, tables, theme
from nnviz.figures.kit.layout import f4, i4
from nnviz.figures.kit.legend_values import name_with_value
from nnviz.figures.kit.log_axis import logarithmic
from nnviz.figures.kit.log_axis_edges import edge_marks, log_axis_values
from nnviz.figures.kit.resume_marks import ResumeMark, with_resume_marks

MAX_POINTS = 500
PERCENT_QUANTITIES = (
    *("accuracy", "high_quality_fraction", "mass_covered", "confident_fraction", "label_accuracy", "accuracy_by_label"),
    "mask_average_accuracy",
)
# R² may start below zero, and is compared with 1; measures of images are compared with those of real ones.
LINEAR_QUANTITIES = ("r_squared", "diversity", "nearest_distance")
# The legend's numbers are the last values, unless the board shows those of a selected step.
# Em spaces for "step 1,000:", which the board writes in place of it.
LEGEND_TITLE = {"text": "last:\u2003\u2003\u2003", "side": "left", "font": {"size": theme.SIZE - 1}}
_SITE_ORDER = {"batch": 0, "train": 1, "test": 2}
_HELP = {
    "loss": (
        "Train and test loss are both computed in evaluation mode: test loss above train loss suggests overfitting. "
        "Gray: loss of each mini-batch."
    ),
    "accuracy": ("Fraction of samples classified correctly; test accuracy below train accuracy suggests overfitting."),
    "mask_average_loss": (
        "Minus the mean logarithm of the true class's probability, on up to 128 test samples: in evaluation mode "
        "(weight scaling), of the arithmetic and the geometric mean of the probabilities over masks, and of one "
        "thinned network, averaged over masks. The arithmetic mean is never worse than one network (Jensen's "
        "inequality)."
    ),
    "mask_average_accuracy": (
        "Accuracy on up to 128 test samples: in evaluation mode (weight scaling), of the arithmetic and the geometric "
        "mean of the probabilities over masks, and of one thinned network, averaged over masks."
    ),
    "accuracy_by_label": (
        "Fraction of the training samples that are classified as their label says: of those with correct labels, and "
        "of those with replaced ones, which can only be learned by heart. By true class: the fraction of the latter "
        "whose class before the noise is predicted."
    ),
    "r_squared": "1: perfect fit; 0: no better than predicting the mean.",
}


def curves(
    frame: pd.DataFrame,
    quantity: str = "loss",
    *,
    log: bool | None = None,
    title: str | None = None,
    unit: str = "",
    smooth: float = 0.0,
    resume_marks: Sequence[ResumeMark] = (),
    missing: Mapping[str, str] | None = None,
) -> dict:
    """One line per site (train, test, and the batch loss faint behind), at most 500 points each, extremes included.

    `log` None: logarithmic where train and test span more than a factor of 30, no value is negative, and the quantity
    is not R². `smooth` in [0, 1): weight of the moving average drawn over the batch curve, or where there is none over
    every curve; of logarithms on a logarithmic axis. `resume_marks`: (step, text) where the run was resumed from
    another, or with other settings. Accuracy is shown in percent from 0 to 100, never logarithmic. Several members are
    averaged. `missing`: why sites have no values, for the legend.
    """
    title = title or labels.capitalized(labels.quantity_name(quantity))
    help = _HELP.get(quantity, f"{labels.capitalized(labels.quantity_name(quantity))} at every step.")
    rows = frames.select(frame, quantity)
    reasons = [f"{site} – ({why})" for site, why in (missing or {}).items()]
    if len(rows) == 0:
        return layout.empty(title, help, "<br>".join(reasons)) if reasons else layout.empty(title, help)
    series = series_by_site(rows)
    as_percent = quantity in PERCENT_QUANTITIES
    if log is None:
        parts = [values for site, (_, values) in series.items() if site != "batch"] or [rows["value"]]
        log = quantity not in LINEAR_QUANTITIES and spans_decades(parts) and not (rows["value"] < 0).any()
    log_y = log and not as_percent
    traces = []
    for i, (site, (steps, values)) in enumerate(series.items()):
        name, color = site.replace("_", " "), theme.SITES.get(site, theme.class_color(i))
        if site == "batch" and smooth:
            raw = line(
                steps, values, "batch", as_percent, log_y, color=theme.with_alpha(theme.NEUTRAL, smoothing.RAW_OPACITY)
            )
            traces += [raw | {"showlegend": True}, smoothed_batch(steps, values, smooth, as_percent, log_y)]
        elif site in _smoothed_sites(series, smooth):
            traces += _smoothed_over_raw(steps, values, name, smooth, as_percent, log_y, color)
        else:
            traces.append(line(steps, values, name, as_percent, log_y, color=color))
        if site == "batch" and not smooth:
            traces[-1] |= {"opacity": 0.5, "line": {"color": theme.NEUTRAL, "width": 1}}
    if "batch" not in series and _smoothed_sites(series, smooth):
        traces += [entry | {"legendrank": 1100} for entry in smoothing.legend_entries(smooth)]
    traces += [layout.legend_note(reason) for reason in reasons]
    if log_y:
        traces += series_edge_marks(series)
    return layout.figure(
        traces,
        title=title,
        help=help,
        x=layout.step_axis(),
        over_steps=True,
        hovermode="x",
        table=table(series, quantity, smooth, log_y),
        legend={"title": LEGEND_TITLE},
        **with_resume_marks(
            value_axis(quantity, log_y, unit, rows["value"].to_numpy()), resume_marks, int(rows["step"].max())
        ),
    )


def learning_rate(frame: pd.DataFrame, *, log: bool | None = None, resume_marks: Sequence[ResumeMark] = ()) -> dict:
    """The learning rate at every step. `log` None: logarithmic where it decays exponentially."""
    title, help = "Learning rate", "Learning rate of each step, as the schedule sets it."
    rows = frames.select(frame, "learning_rate")
    if len(rows) == 0:
        return layout.empty(title, help)
    series = series_by_site(rows)
    log_y = decays_exponentially(rows["value"].to_numpy()) if log is None else log
    axis = value_axis("learning_rate", log_y, "", rows["value"].to_numpy())
    axis |= {} if log_y else {"rangemode": "tozero"}
    traces = [
        line(steps, values, labels.quantity_name("learning_rate"), False, log_y, color=theme.POSITIVE)
        | {
            "showlegend": True,
            "fill": None if log_y else "tozeroy",
            "fillcolor": theme.with_alpha(theme.POSITIVE, 0.12),
        }
        for steps, values in series.values()
    ]
    if log_y:
        traces += series_edge_marks(series)
    return layout.figure(
        traces,
        title=title,
        help=help,
        x=layout.step_axis(),
        over_steps=True,
        table=table(series, "learning_rate"),
        **with_resume_marks(axis, resume_marks, int(rows["step"].max()), row_height=0.16),
    )


def series_by_site(rows: pd.DataFrame) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Steps and values of every site of one quantity, batch first, which is drawn behind; members are averaged."""
    if (rows["member"].to_numpy() != rows["member"].iat[0]).any():
        rows = rows.groupby(["step", "site"], sort=True, as_index=False)["value"].mean()
    steps, sites, values = rows["step"].to_numpy(), rows["site"].to_numpy(), rows["value"].to_numpy()
    found = sorted(dict.fromkeys(sites), key=lambda site: (_SITE_ORDER.get(site, len(_SITE_ORDER)), site))
    return {site: (steps[sites == site], values[sites == site]) for site in found}


def spans_decades(columns: Sequence[np.ndarray], factor: float = 30) -> bool:
    """Whether the positive values of these curves span more than `factor`, and none is negative."""
    values = np.concatenate([np.asarray(column, float) for column in columns])
    values = values[np.isfinite(values)]
    positive = values[values > 0]
    return bool(len(positive) and positive.max() > factor * positive.min() and (values >= 0).all())


def decays_exponentially(rates: np.ndarray, factor: float = 8) -> bool:
    """Whether the median of a schedule is far below its maximum, as with exponential decay."""
    positive = rates[rates > 0]
    return bool(len(positive) and positive.max() > factor * np.median(positive))


def table(
    series: Mapping[str, tuple[np.ndarray, np.ndarray]], quantity: str, smooth: float = 0.0, log_y: bool = False
) -> list[tables.Part]:
    """The drawn points: step, site, the quantity, and its moving average if there is one."""
    parts = []
    for site, (steps, values) in series.items():
        picked = frames.thin_indices(values, MAX_POINTS)
        columns = {"step": steps[picked], "site": site, quantity: values[picked]}
        if site in _smoothed_sites(series, smooth):
            columns[f"{quantity}_smoothed"] = smoothing.moving_average(values, smooth, log_y)[picked]
        parts.append(tables.rows(columns))
    return parts


def line(
    steps: np.ndarray,
    values: np.ndarray,
    name: str,
    as_percent: bool,
    log_y: bool,
    *,
    color: str,
    picked: np.ndarray | None = None,
) -> dict:
    """One thinned curve with its last value in the legend."""
    picked = frames.thin_indices(values, MAX_POINTS) if picked is None else picked
    drawn = f4((log_axis_values(values).drawn if log_y else np.where(np.isfinite(values), values, np.nan))[picked])
    value = "%{y:.1%}" if as_percent else labels.hover_number("y")
    return {
        "type": "scatter",
        "mode": "lines" if len(values) > 1 else "markers",
        "x": i4(steps[picked]),
        "y": drawn,
        **name_with_value(name, as_percent, steps, values, drawn),
        "uid": name,
        "line": {"color": color, "width": 2},
        "marker": {"color": color, "size": 5},
        **({} if len(values) > 1 else {"cliponaxis": False}),  # a single point at step 0 is on the edge
        "hovertemplate": f"{name} {value} at step %{{x}}<extra></extra>",
    }


def _smoothed_sites(series: Mapping[str, tuple[np.ndarray, np.ndarray]], smooth: float) -> list[str]:
    """The sites whose curves are smoothed: only the batch's where there is one, since only it is noisy."""
    if not smooth:
        return []
    return ["batch"] if "batch" in series else [site for site, (steps, _) in series.items() if len(steps) > 1]


def _smoothed_over_raw(
    steps: np.ndarray, values: np.ndarray, name: str, weight: float, as_percent: bool, log_y: bool, color: str
) -> list[dict]:
    """A curve faint behind its moving average; the legend gives the raw value."""
    raw = line(steps, values, name, as_percent, log_y, color=color)
    picked, averaged = frames.thin_indices(values, MAX_POINTS), smoothing.moving_average(values, weight, log_y)
    drawn = line(steps, averaged, name, as_percent, log_y, color=color, picked=picked)
    drawn |= name_with_value(name, as_percent, steps, values) | {"hovertemplate": f"smoothed {drawn['hovertemplate']}"}
    raw_trace = {key: value for key, value in raw.items() if key != "meta"} | {"name": name}
    return [smoothing.raw_curve(raw_trace), drawn]


def smoothed_batch(steps: np.ndarray, values: np.ndarray, weight: float, as_percent: bool, log_y: bool) -> dict:
    """The moving average of the batch curve, named with its weight."""
    picked, averaged = frames.thin_indices(values, MAX_POINTS), smoothing.moving_average(values, weight, log_y)
    drawn = line(steps, averaged, "batch", as_percent, log_y, color=theme.NEUTRAL, picked=picked)
    del drawn["meta"]
    return drawn | {
        "name": f"batch, {smoothing.legend_text(weight)}",
        "uid": "smoothed",
        "showlegend": True,
        "legendrank": 1100,
        "hovertemplate": f"smoothed {drawn['hovertemplate']}",
    }


def series_edge_marks(series: dict[str, tuple[np.ndarray, np.ndarray]]) -> list[dict]:
    """Marks of zeros and non-finite values of all curves at the edges of a logarithmic axis."""
    steps = np.concatenate([steps for steps, _ in series.values()])
    values = np.concatenate([values for _, values in series.values()])
    return edge_marks(steps, values, np.ones(len(values), bool), log_axis_values(values))


def value_axis(quantity: str, log_y: bool, unit: str, values: np.ndarray) -> dict:
    """The y axis of a quantity: in percent for accuracy, powers of ten if logarithmic."""
    text = labels.quantity_name(quantity) + (f" ({unit})" if unit else "")
    if quantity in PERCENT_QUANTITIES:
        return layout.axis(text, tickformat=".0%", range=[0, 1.02])
    return logarithmic(text, values) if log_y else layout.axis(text)
