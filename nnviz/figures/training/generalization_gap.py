"""Train and test curves with the gap between them, the best step, and the patience of early stopping."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from nnviz import frames
from nnviz.figures.kit import labels, layout, tables, theme
from nnviz.figures.kit.layout import f4, i4
from nnviz.figures.kit.legend_values import name_with_value
from nnviz.figures.kit.resume_marks import ResumeMark
from nnviz.figures.training.curves import LINEAR_QUANTITIES, MAX_POINTS, PERCENT_QUANTITIES, curves, series_by_site

_HELP = (
    " Shaded: the gap between them. Dotted line: the step with the best test value. Gray, with early stopping: the "
    "patience in which the test loss had to improve on it, up to the step at which the run stops without."
)
_GAP_OPACITY, _WINDOW_OPACITY = 0.16, 0.14


class StoppingMarks(NamedTuple):
    """Of a run with early stopping: the step with the lowest test loss so far, the step at which the run stops without
    a lower one, and whether it has."""

    best_step: int
    stop_step: int
    is_stopped: bool


def generalization_gap(
    frame: pd.DataFrame,
    quantity: str = "loss",
    *,
    log: bool | None = None,
    title: str | None = None,
    smooth: float = 0.0,
    stopping: StoppingMarks | None = None,
    resume_marks: Sequence[ResumeMark] = (),
    missing: Mapping[str, str] | None = None,
) -> dict:
    """The curves of `curves`, the area between train and test shaded, the best step marked: that of early stopping, or
    without it the one with the best test value, unless that is the last.

    The gap in the legend and the table is test − train for a loss, train − test for accuracy and R²: positive where the
    network does better on the samples that it is trained on.
    """
    rows = frames.select(frame, quantity)
    series = series_by_site(rows) if len(rows) else {}
    best = _best(series, quantity, stopping)
    marks = [] if best is None else [(best, "best step" if stopping else _best_words(quantity))]
    marked = [*resume_marks, *marks]
    figure = curves(frame, quantity, log=log, title=title, smooth=smooth, resume_marks=marked, missing=missing)
    if not {"train", "test"} <= series.keys():
        return figure
    figure["layout"]["meta"]["help"] += _HELP
    is_log = figure["layout"]["yaxis"].get("type") == "log"
    steps, train, test = _together(series)
    gap = train - test if _higher_is_better(quantity) else test - train
    figure["data"] += [_area(steps, train, test, gap, quantity, is_log)]
    at_best = test[steps == best] if best is not None else test[:0]
    if len(at_best) and np.isfinite(at_best[0]) and (at_best[0] > 0 or not is_log):
        figure["data"] += [_best_point(best, float(at_best[0]), quantity)]
    if stopping is not None:
        figure["data"] += [_window_entry(stopping)]
        figure["layout"]["shapes"] = [_window(stopping, figure["layout"]), *figure["layout"]["shapes"]]
    picked = frames.thin_indices(gap, MAX_POINTS)
    figure["layout"]["meta"]["table"] += [tables.rows({"step": steps[picked], "site": "gap", quantity: gap[picked]})]
    return figure


def _higher_is_better(quantity: str) -> bool:
    return quantity in (*PERCENT_QUANTITIES, *LINEAR_QUANTITIES)


def _best(
    series: Mapping[str, tuple[np.ndarray, np.ndarray]], quantity: str, stopping: StoppingMarks | None
) -> int | None:
    """The step to mark; None where the best test value is the last, or there is none."""
    if stopping is not None:
        return stopping.best_step
    if "test" not in series:
        return None
    steps, values = series["test"]
    sign = -1 if _higher_is_better(quantity) else 1
    known = np.where(np.isfinite(values), sign * values, np.inf)
    at = int(known.argmin())
    return None if at == len(steps) - 1 or not np.isfinite(known[at]) else int(steps[at])


def _best_words(quantity: str) -> str:
    name = {"r_squared": "R²"}.get(quantity, quantity.replace("_", " "))
    return f"{'highest' if _higher_is_better(quantity) else 'lowest'} test {name}"


def _together(series: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Steps that train and test share, and the values of both there."""
    (train_steps, train), (test_steps, test) = series["train"], series["test"]
    steps, of_train, of_test = np.intersect1d(train_steps, test_steps, return_indices=True)
    return steps, np.asarray(train, float)[of_train], np.asarray(test, float)[of_test]


def _area(steps: np.ndarray, train: np.ndarray, test: np.ndarray, gap: np.ndarray, quantity: str, is_log: bool) -> dict:
    """The area between the curves at steps where both can be drawn."""
    drawn = np.isfinite(gap) & ((np.minimum(train, test) > 0) | (not is_log))
    at = np.flatnonzero(drawn)
    at = at[frames.thin_indices(gap[at], MAX_POINTS)] if len(at) else at
    as_percent = quantity in PERCENT_QUANTITIES
    words = "gap: train − test" if _higher_is_better(quantity) else "gap: test − train"
    return {
        "type": "scatter",
        "mode": "lines",
        "x": i4(np.concatenate([steps[at], steps[at][::-1]])),
        "y": f4(np.concatenate([train[at], test[at][::-1]])),
        **name_with_value(words, as_percent, steps, gap),
        "uid": "gap",
        "fill": "toself",
        "fillcolor": theme.with_alpha(theme.SPLITS["test"], _GAP_OPACITY),
        "line": {"width": 0, "color": theme.SPLITS["test"]},
        "hoverinfo": "skip",
        "showlegend": True,
    }


def _best_point(step: int, value: float, quantity: str) -> dict:
    text = labels.percent(value) if quantity in PERCENT_QUANTITIES else labels.number(value, 4)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [step],
        "y": [value],
        "name": "best step",
        "showlegend": False,
        "marker": {"symbol": "circle-open", "size": 11, "color": theme.SPLITS["test"], "line": {"width": 2}},
        "hovertemplate": f"best step {step:,}: test {quantity.replace('_', ' ')} {text}<extra></extra>",
    }


def _window(stopping: StoppingMarks, given: Mapping) -> dict:
    """The steps in which the test loss has to improve."""
    top = given["yaxis"].get("domain", [0, 1])[1]
    return {
        "type": "rect",
        "xref": "x",
        "yref": "paper",
        "x0": stopping.best_step,
        "x1": stopping.stop_step,
        "y0": 0,
        "y1": top,
        "layer": "below",
        "line": {"width": 1, "color": theme.with_alpha(theme.NEUTRAL, 3 * _WINDOW_OPACITY)},
        "fillcolor": theme.with_alpha(theme.NEUTRAL, _WINDOW_OPACITY),
    }


def _window_entry(stopping: StoppingMarks) -> dict:
    """The legend entry of the window."""
    name = f"patience: stopped at step {stopping.stop_step:,}" if stopping.is_stopped else "patience"
    marker = {"symbol": "square", "size": 11, "color": theme.with_alpha(theme.NEUTRAL, 2 * _WINDOW_OPACITY)}
    return layout.legend_note(name) | {"marker": marker}
