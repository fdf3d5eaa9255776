"""The frame around a figure's data: axes, empty states, and what the board is told."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from nnviz.figures.kit import theme
from nnviz.figures.kit.tables import with_trace_references


def figure(
    traces: Sequence[Mapping],
    *,
    title: str,
    help: str,
    x: Mapping | None = None,
    y: Mapping | None = None,
    over_steps: bool = False,
    table: Sequence[Mapping] | None = None,
    **layout: object,
) -> dict:
    """A Plotly figure as a plain dict.

    The title is drawn by whoever shows the figure, so it goes to `layout.meta` with the one sentence of `help`;
    `over_steps` says that x is the training step, and `legend_follows` that names of traces hold values by step (see
    `nnviz.figures.kit.legend_values`). `table` states the numbers of the figure, in parts of
    `nnviz.figures.kit.tables`. Zoom survives new data as long as the title stays the same.
    """
    meta: dict[str, object] = {"title": title, "help": help}
    if over_steps:
        meta |= {"x_is_step": True, "link": "step"}
    if any("follow" in trace.get("meta", ()) for trace in traces):
        meta["legend_follows"] = True
    if table is not None:
        meta["table"] = with_trace_references(table, traces)
    return {
        "data": [_with_selectable_uid(trace) for trace in traces],
        "layout": {
            "xaxis": dict(x or {}),
            "yaxis": dict(y or {}),
            "hovermode": "closest",
            "uirevision": title,
            "meta": meta,
            **layout,
        },
    }


def _with_selectable_uid(trace: Mapping) -> Mapping:
    """The trace with an identity that can be part of a CSS selector, which Plotly makes of it."""
    uid = trace.get("uid", "")
    return {**trace, "uid": re.sub(r"\W", "_", uid)} if re.search(r"\W", uid) else trace


def empty(title: str, help: str, awaited: str = "waiting for the first step") -> dict:
    """A figure with no data yet that says what it awaits."""
    hidden = {"visible": False, "range": [0, 1], "fixedrange": True}
    note = {"text": awaited, "x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper", "showarrow": False, "opacity": 0.75}
    return figure([], title=title, help=help, x=hidden, y=hidden, annotations=[note])


def corner_note(text: str, place: str = "bottom left") -> dict:
    """A note in a corner of the picture."""
    yanchor, xanchor = place.split()
    return {
        "text": text,
        "x": {"left": 0.01, "right": 0.99}[xanchor],
        "y": {"bottom": 0.01, "top": 0.99}[yanchor],
        "xref": "paper",
        "yref": "paper",
        "xanchor": xanchor,
        "yanchor": yanchor,
        "align": xanchor,
        "showarrow": False,
    }


def legend_note(name: str) -> dict:
    """An entry of the legend that says what is not drawn."""
    marker = {"symbol": "line-ew-open", "size": 8, "color": theme.NEUTRAL, "opacity": 0}
    return {"type": "scatter", "mode": "markers", "x": [None], "y": [None], "name": name, "marker": marker}


def axis(title: str, **more: object) -> dict:
    """An axis with its label."""
    return {"title": {"text": title}, **more}


def step_axis() -> dict:
    """The axis of training steps, from 0."""
    return axis("step", rangemode="tozero")


def f4(values: object) -> np.ndarray:
    """Single precision: half the bytes on their way to the browser, more digits than a screen shows."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(values, dtype=np.float32)


def i4(values: object) -> np.ndarray:
    """Whole numbers of four bytes, which JavaScript has (it has no typed array that JSON can carry of eight)."""
    return np.ascontiguousarray(values, dtype=np.int32)
