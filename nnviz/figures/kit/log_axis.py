"""How a logarithmic axis is labeled: one notation an axis, and labels enough to read it.

Plotly picks the labels itself, so that they follow a zoom; what it writes is replaced where it would mix notations.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from nnviz.figures.kit import labels, layout

# Powers of ten, a bit beyond 0.01 and 1000 as the axis ends outside of its values.
PLAIN_NUMBER_RANGE = (-2.35, 3.35)
# An axis has at most about so many labels.
MAX_LABELS = 6
# Decades between two labels: below this share Plotly labels 2 and 5 (times a power) as well.
FINE_LABEL_DECADES = 0.7


def logarithmic(title: str, values: np.ndarray, ends: Sequence[float] | None = None) -> dict:
    """A logarithmic axis for these values. `ends`, in powers of ten, fixes its range."""
    values = np.asarray(values, float)
    logs = np.log10(values[np.isfinite(values) & (values > 0)])
    low, high = (float(logs.min()), float(logs.max())) if len(logs) else (-1.0, 1.0)
    fixed = {"range": list(ends)} if ends else {}
    margin = 0.05 * (high - low)
    return layout.axis(title, type="log", **tick_options(*(ends or (low - margin, high + margin))), **fixed)


def tick_options(low: float, high: float) -> dict:
    """The options of an axis from 10^low to 10^high: plain numbers where it stays between 0.01 and 1000, else powers.

    Three powers of ten are labeled where there are so many; a shorter axis has multiples of them too.
    """
    span = high - low
    if span < 1:
        most = 3
    elif math.floor(high) - math.ceil(low) < 2:
        most = math.ceil(span / FINE_LABEL_DECADES)
    else:
        most = math.ceil(span / math.ceil(span / MAX_LABELS))
    if low >= PLAIN_NUMBER_RANGE[0] and high <= PLAIN_NUMBER_RANGE[1]:
        return {"nticks": most, "tickformat": "~g", "labelalias": {}}
    fine = span < 1.2
    return {
        "nticks": most,
        "tickformat": "~e",
        "labelalias": _label_aliases(math.floor(low) - 1, math.ceil(high) + 1, fine),
    }


@lru_cache(maxsize=256)
def _label_aliases(low: int, high: int, fine: bool) -> dict[str, str]:
    """What Plotly writes ("2e−5") -> "2×10⁻⁵", for all powers from `low` to `high`; `fine`: for tenths as well."""
    digits = range(10, 100) if fine else range(10, 100, 10)
    found = {}
    for exponent in range(low, high + 1):
        for tenths in digits:
            digit = f"{tenths / 10:g}"
            written = f"{digit}e{'−' if exponent < 0 else '+'}{abs(exponent)}"
            found[written] = (
                labels.power_of_ten(exponent) if tenths == 10 else f"{digit}×{labels.power_of_ten(exponent)}"
            )
    return found
