"""Layout of figures: axes, empty figures, notes, and the metadata that the board reads."""

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
    narrow: Mapping[str, object] | None = None,
    **layout: object,
) -> dict:
    """A Plotly figure as a plain dict.

    Title and `help` go to `layout.meta`, since the board draws them. `over_steps`: x is the training step. The legend
    shows values at the selected step where a trace's meta has `follow` (see `nnviz.figures.kit.legend_values`).
    `table` holds the figure's data as parts of `nnviz.figures.kit.tables`. `narrow` has the parts of the layout that
    are others in a card as narrow as four in a row. Zoom persists while the title is the same.
    """
    meta: dict[str, object] = {"title": title, "help": help}
    if over_steps:
        meta |= {"x_is_step": True, "link": "step"}
    if any("follow" in trace.get("meta", ()) for trace in traces):
        meta["legend_follows"] = True
    if narrow is not None:
        meta["narrow"] = dict(narrow)
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
    """The trace with a `uid` without special characters, since Plotly uses it in CSS selectors."""
    uid = trace.get("uid", "")
    return {**trace, "uid": re.sub(r"\W", "_", uid)} if re.search(r"\W", uid) else trace


def empty(title: str, help: str, reason: str = "waiting for the first step") -> dict:
    """A figure without data that says why."""
    hidden = {"visible": False, "range": [0, 1], "fixedrange": True}
    note = {"text": reason, "x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper", "showarrow": False, "opacity": 0.75}
    return figure([], title=title, help=help, x=hidden, y=hidden, annotations=[note])


def corner_note(text: str, corner: str = "bottom left") -> dict:
    """A note in a corner of the plot, such as "bottom left"."""
    yanchor, xanchor = corner.split()
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
    """A legend entry without a symbol, for what is missing and why."""
    marker = {"symbol": "line-ew-open", "size": 8, "color": theme.NEUTRAL, "opacity": 0}
    return {"type": "scatter", "mode": "markers", "x": [None], "y": [None], "name": name, "marker": marker}


def axis(title: str, **more: object) -> dict:
    """An axis with its label."""
    return {"title": {"text": title}, **more}


def step_axis() -> dict:
    """The axis of training steps, from 0."""
    return axis("step", rangemode="tozero")


def f4(values: object) -> np.ndarray:
    """Single precision: half the bytes to send, and still more digits than a screen shows."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(values, dtype=np.float32)


def i4(values: object) -> np.ndarray:
    """32-bit integers: JavaScript has no typed array of 64-bit ones that JSON can carry."""
    return np.ascontiguousarray(values, dtype=np.int32)
