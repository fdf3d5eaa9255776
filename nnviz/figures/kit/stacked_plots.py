"""Several plots above each other in one figure, over one horizontal axis."""

from collections.abc import Mapping, Sequence


def stacked(axes: Sequence[Mapping], headings: Sequence[str], gap: float = 0.06) -> tuple[dict, list[dict]]:
    """Layout entries yaxis, yaxis2, … from the top down, and the annotations of their headings.

    The headings stand above their plots in a `gap` that is a share of the height. The x axis has to be anchored to
    `anchor(len(axes))`.
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


def suffix(place: int) -> str:
    """What Plotly appends to x, y, xaxis and yaxis of the plot at this place: nothing, 2, 3, …"""
    return "" if place == 0 else str(place + 1)


def anchor(count: int) -> str:
    """The lowest of `count` vertical axes."""
    return f"y{suffix(count - 1)}"
