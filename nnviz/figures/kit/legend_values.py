"""Legend entries with the value at the step selected on the time slider."""

import numpy as np

from nnviz.figures.kit import labels
from nnviz.figures.kit.layout import f4, i4

# Of more recorded values than these, only those at round steps and the last are sent with a curve.
MAX_SENT_VALUES = 4000


def name_with_value(
    name: str, as_percent: bool, steps: np.ndarray, values: np.ndarray, drawn: np.ndarray | None = None
) -> dict:
    """`name` and `meta` of a trace: its name with the last of `values` (n,), and what the board needs to show the
    newest value at or before the selected step instead.

    `drawn` is the trace's y. Where it differs from the values (thinned, averaged, zeros removed for a logarithmic
    axis), `steps` and `values` are sent too.
    """
    last = labels.percent(values[-1]) if as_percent else labels.number(values[-1])
    meta: dict[str, object] = {"name": name, "as_percent": as_percent}
    if drawn is None or len(drawn) != len(values) or not np.array_equal(drawn, f4(values)):
        sent = sent_indices(steps)
        meta |= {"steps": i4(steps[sent]), "values": f4(values[sent])}
    return {"name": f"{name} {last}", "meta": {"follow": meta}}


def sent_indices(steps: np.ndarray) -> np.ndarray:
    """Indices of the increasing `steps` (n,) that are sent: all, or where there are too many the multiples of 2, 5, 10,
    20, … and the last."""
    is_sent = np.ones(len(steps), bool)
    for stride in (digit * 10**power for power in range(10) for digit in (1, 2, 5)):
        if is_sent.sum() <= MAX_SENT_VALUES:
            break
        is_sent = steps % stride == 0
        is_sent[-1] = True
    return np.flatnonzero(is_sent)
