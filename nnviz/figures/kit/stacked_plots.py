"""Vertically stacked plots in one figure with a common x axis."""

from collections.abc import Mapping, Sequence


def stacked(axes: Sequence[Mapping], headings: Sequence[str], gap: float = 0.06) -> tuple[dict, list[dict]]:
    """Layout entries yaxis, yaxis2, … from top to bottom, and the annotations of their headings.

    Headings are above their plots, in a `gap` that is a fraction of the figure's height. The x axis has to be anchored
    to `anchor(len(axes))`.
    """
    count = len(axes)
    height = 1 / count
    layout, notes = {}, []
    for i, (axis, heading) in enumerate(zip(axes, headings, strict=True)):
        top = 1 - i * height
        bottom = top - height + gap if i < count - 1 else 0.0  # by subtraction it may be just below 0
        layout[f"yaxis{suffix(i)}"] = {"domain": [bottom, top - gap], **axis}
        notes.append(
            {
                "text": heading,
                "x": 0,
                "xref": "paper",
                "xanchor": "left",
                "y": top - gap,
                "yref": "paper",
                "yanchor": "bottom",
                "showarrow": False,
            }
        )
    return layout, notes


def suffix(index: int) -> str:
    """What Plotly appends to x, y, xaxis and yaxis of the plot with this index: nothing, 2, 3, …"""
    return "" if index == 0 else str(index + 1)


def anchor(count: int) -> str:
    """The lowest of `count` y axes."""
    return f"y{suffix(count - 1)}"
