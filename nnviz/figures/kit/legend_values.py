"""Legends whose values follow the time slider: what the board needs to say the value at the chosen step."""

import numpy as np

from nnviz.figures.kit import labels
from nnviz.figures.kit.layout import f4, i4

# More recorded values than these are not sent with a curve: then those at round steps are, and the last.
MAX_SENT_VALUES = 4000


def name_with_value(
    name: str, share: bool, steps: np.ndarray, values: np.ndarray, drawn: np.ndarray | None = None
) -> dict:
    """`name` and `meta` of a trace: its name with the last of the values (n,) recorded at `steps` (n,), and what the
    board says in its place: the newest value at or before the chosen step.

    `drawn` is the trace's y: where that is not the values themselves (thinned, averaged, or without the zeros of a
    logarithmic axis), steps and values go along.
    """
    last = labels.percent(values[-1]) if share else labels.number(values[-1])
    meta: dict[str, object] = {"name": name, "share": share}
    if drawn is None or len(drawn) != len(values) or not np.array_equal(drawn, f4(values)):
        kept = sent_indices(steps)
        meta |= {"steps": i4(steps[kept]), "values": f4(values[kept])}
    return {"name": f"{name} {last}", "meta": {"follow": meta}}


def sent_indices(steps: np.ndarray) -> np.ndarray:
    """Which of the rising steps (n,) are told of: all, or of more than `MOST` the multiples of 2, 5, 10, 20, …, and the
    last."""
    kept = np.ones(len(steps), bool)
    for apart in (digit * 10**power for power in range(10) for digit in (1, 2, 5)):
        if kept.sum() <= MAX_SENT_VALUES:
            break
        kept = steps % apart == 0
        kept[-1] = True
    return np.flatnonzero(kept)
