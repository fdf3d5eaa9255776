"""Racers on their way: which of their steps are drawn, in which color, and what their names say."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from nnviz.figures import theme

# Points of one path: more are not seen, and the browser cuts the path at every move of the time slider.
POINTS = 2000
# With fewer points in all each step gets a dot.
DOTS = 600
# The share of a picture's height that the names may take, before they scroll.
LEGEND = 0.25
# From this many on they may take half as much again.
MANY = 10

Race = Mapping[str, np.ndarray]


def last_step(race: Race, racer: int) -> int:
    """The last step at which a racer is anywhere."""
    gone = int(race["gone"][racer])
    return gone - 1 if gone >= 0 else race["points"].shape[1] - 1


def thinned(count: int, most: int = POINTS) -> np.ndarray:
    """At most `most` of the places 0 … count − 1, evenly spread, the first and the last among them."""
    if count <= most:
        return np.arange(count)
    return np.linspace(0, count - 1, most).round().astype(int)


def kept_steps(race: Race, racer: int) -> np.ndarray:
    """The steps of a racer that are drawn; the last one is where it is gone, if it is."""
    steps = thinned(last_step(race, racer) + 1)
    gone = int(race["gone"][racer])
    return np.append(steps, gone) if gone >= 0 else steps


def called(names: Sequence[str], race: Race, racer: int) -> str:
    """A racer's name, and when it left."""
    gone = int(race["gone"][racer])
    name = names[racer] if racer < len(names) else f"racer {racer + 1}"
    return f"{name} (left at step {gone})" if gone >= 0 else name


def group(racer: int, hidden: Collection[int] = ()) -> dict:
    """What all traces of a racer share: one entry of the legend shows and hides them."""
    return {"legendgroup": f"racer {racer}"} | ({"visible": "legendonly"} if racer in hidden else {})


def symbol(racer: int) -> str:
    """The shape of a racer's marks."""
    return theme.SYMBOLS[racer % len(theme.SYMBOLS)]


def legend(entries: int) -> dict:
    """Layout options for a legend of so many names: many scroll rather than press the picture flat."""
    most = LEGEND if entries <= MANY else 1.5 * LEGEND
    return {"showlegend": True, "legend": {"maxheight": most} if entries > 4 else {}}
