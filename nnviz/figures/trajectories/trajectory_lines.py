"""What all figures of trajectories share: which steps are drawn, names with exit reasons, marker symbols, legends."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from nnviz.figures.kit import tables, theme

# Points of one path: more are not visible, and the browser cuts the path with each move of the time slider.
MAX_PATH_POINTS = 2000
# With at most this many points in all paths, each step has a marker.
MAX_DOTTED_POINTS = 600
# Maximum height of the legend before it scrolls, as a fraction of the figure's height.
LEGEND_HEIGHT = 0.25
# With more entries than this, the legend may be 1.5 times as high.
MAX_SHORT_LEGEND = 6

# Why a trajectory ended: short, for legends, and long.
EXITS = {
    "diverged": ("diverged", "diverged"),
    "zero_by_zero": ("0/0", "update is 0/0: ε = 0 and the gradient is zero"),
    "no_value": ("f not finite", "f has no finite value there"),
    "no_gradient": ("gradient not finite", "f has no finite gradient there"),
    "no_curvature": ("Hessian not finite", "f has no finite second derivative there"),
    "not_a_number": ("NaN", "the update is not a number (NaN)"),
}

Arrays = Mapping[str, np.ndarray]


def last_step(trajectories: Arrays, optimizer: int) -> int:
    """The last step with a finite position."""
    left_at = int(trajectories["left_at"][optimizer])
    return left_at - 1 if left_at >= 0 else trajectories["points"].shape[1] - 1


def evenly_spaced(count: int, limit: int = MAX_PATH_POINTS) -> np.ndarray:
    """At most `limit` of the indices 0 … count − 1, evenly spaced, the first and the last included."""
    if count <= limit:
        return np.arange(count)
    return np.linspace(0, count - 1, limit).round().astype(int)


def drawn_steps(trajectories: Arrays, optimizer: int) -> np.ndarray:
    """The steps of an optimizer that are drawn; where its trajectory ended, the last has no position."""
    steps = evenly_spaced(last_step(trajectories, optimizer) + 1)
    left_at = int(trajectories["left_at"][optimizer])
    return np.append(steps, left_at) if left_at >= 0 else steps


def name_with_exit(names: Sequence[str], trajectories: Arrays, optimizer: int) -> str:
    """An optimizer's name, and if its trajectory ended why and when: "SGD (diverged at step 12)"."""
    name = names[optimizer] if optimizer < len(names) else f"optimizer {optimizer + 1}"
    return (
        f"{name} ({exit_texts(trajectories, optimizer)[0]})" if int(trajectories["left_at"][optimizer]) >= 0 else name
    )


def exit_texts(trajectories: Arrays, optimizer: int) -> tuple[str, str]:
    """Why and when a trajectory ended: a short text with the step, and a long one."""
    short, long = EXITS[str(trajectories["exit_reason"][optimizer])]
    return f"{short} at step {int(trajectories['left_at'][optimizer])}", long


def table(
    trajectories: Arrays,
    optimizer: int,
    names: Sequence[str],
    steps: np.ndarray,
    columns: Mapping[str, np.ndarray] | None = None,
) -> tables.Part:
    """x, y and f at these steps, and further `columns`."""
    x, y = np.asarray(trajectories["points"][optimizer])[steps].T
    values = np.asarray(trajectories["values"][optimizer])[steps]
    name = names[optimizer] if optimizer < len(names) else f"optimizer {optimizer + 1}"
    return tables.rows(
        {"kind": "path", "optimizer": name, "step": steps, "x": x, "y": y, "f": values} | dict(columns or {})
    )


def legend_group(optimizer: int, hidden: Collection[int] = ()) -> dict:
    """Entries common to all traces of an optimizer: one legend entry toggles them."""
    return {"legendgroup": f"optimizer {optimizer}"} | ({"visible": "legendonly"} if optimizer in hidden else {})


def marker_symbol(optimizer: int) -> str:
    """The marker symbol of an optimizer."""
    return theme.SYMBOLS[optimizer % len(theme.SYMBOLS)]


def line_style(optimizer: int, width: float) -> dict:
    """The color and dash of an optimizer's line."""
    dash = theme.OPTIMIZER_DASHES[optimizer // len(theme.SYMBOLS) % len(theme.OPTIMIZER_DASHES)]
    return {"color": theme.optimizer_color(optimizer), "width": width, "dash": dash}


def legend(entries: int) -> dict:
    """Layout options of a legend with this many entries, which scrolls if they are many."""
    max_height = LEGEND_HEIGHT if entries <= MAX_SHORT_LEGEND else 1.5 * LEGEND_HEIGHT
    return {"showlegend": True, "legend": {"maxheight": max_height} if entries > 4 else {}}
