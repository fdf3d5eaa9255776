"""Optimizers on their way: which of their steps are drawn, in which color, and what their names say."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from nnviz.figures.kit import tables, theme

# Points of one path: more are not seen, and the browser cuts the path at every move of the time slider.
MAX_PATH_POINTS = 2000
# With fewer points in all each step gets a dot.
MAX_DOTTED_POINTS = 600
# The share of a picture's height that the names may take, before they scroll.
LEGEND_HEIGHT = 0.25
# From this many on they may take half as much again.
MAX_SHORT_LEGEND = 10

# Why an optimizer is nowhere any more, in a word or two and as a sentence.
EXITS = {
    "diverged": ("left", "left for infinity"),
    "zero_by_zero": ("0/0", "0/0 in the update: ε = 0 and the gradient is zero"),
    "no_value": ("no value", "f has no finite value there"),
    "no_gradient": ("no gradient", "f has no finite gradient there"),
    "no_curvature": ("no curvature", "f has no finite second derivative there"),
    "not_a_number": ("not a number", "the update is not a number"),
}

Arrays = Mapping[str, np.ndarray]


def last_step(trajectories: Arrays, optimizer: int) -> int:
    """The last step at which an optimizer is anywhere."""
    gone = int(trajectories["left_at"][optimizer])
    return gone - 1 if gone >= 0 else trajectories["points"].shape[1] - 1


def evenly_spaced(count: int, most: int = MAX_PATH_POINTS) -> np.ndarray:
    """At most `most` of the places 0 … count − 1, evenly spread, the first and the last among them."""
    if count <= most:
        return np.arange(count)
    return np.linspace(0, count - 1, most).round().astype(int)


def drawn_steps(trajectories: Arrays, optimizer: int) -> np.ndarray:
    """The steps of an optimizer that are drawn; the last one is where it is gone, if it is."""
    steps = evenly_spaced(last_step(trajectories, optimizer) + 1)
    gone = int(trajectories["left_at"][optimizer])
    return np.append(steps, gone) if gone >= 0 else steps


def name_with_exit(names: Sequence[str], trajectories: Arrays, optimizer: int) -> str:
    """An optimizer's name, and when it left, or why its way ends."""
    name = names[optimizer] if optimizer < len(names) else f"optimizer {optimizer + 1}"
    return (
        f"{name} ({exit_texts(trajectories, optimizer)[0]})" if int(trajectories["left_at"][optimizer]) >= 0 else name
    )


def exit_texts(trajectories: Arrays, optimizer: int) -> tuple[str, str]:
    """Why and when the way of an optimizer ends that does, in a few words and as a sentence."""
    short, long = EXITS[str(trajectories["exit_reason"][optimizer])]
    return f"{short} at step {int(trajectories['left_at'][optimizer])}", long


def table(
    trajectories: Arrays,
    optimizer: int,
    names: Sequence[str],
    steps: np.ndarray,
    columns: Mapping[str, np.ndarray] | None = None,
) -> tables.Part:
    """Where an optimizer is at these steps: x, y and height, and what else is told of it."""
    x, y = np.asarray(trajectories["points"][optimizer])[steps].T
    heights = np.asarray(trajectories["values"][optimizer])[steps]
    name = names[optimizer] if optimizer < len(names) else f"optimizer {optimizer + 1}"
    return tables.rows(
        {"kind": "path", "optimizer": name, "step": steps, "x": x, "y": y, "f": heights} | dict(columns or {})
    )


def legend_group(optimizer: int, hidden: Collection[int] = ()) -> dict:
    """What all traces of an optimizer share: one entry of the legend shows and hides them."""
    return {"legendgroup": f"optimizer {optimizer}"} | ({"visible": "legendonly"} if optimizer in hidden else {})


def marker_symbol(optimizer: int) -> str:
    """The shape of an optimizer's marks."""
    return theme.SYMBOLS[optimizer % len(theme.SYMBOLS)]


def legend(entries: int) -> dict:
    """Layout options for a legend of so many names: many scroll rather than press the picture flat."""
    most = LEGEND_HEIGHT if entries <= MAX_SHORT_LEGEND else 1.5 * LEGEND_HEIGHT
    return {"showlegend": True, "legend": {"maxheight": most} if entries > 4 else {}}
