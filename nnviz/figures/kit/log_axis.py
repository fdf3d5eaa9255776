"""Logarithmic axes whose tick labels use one notation and are dense enough.

Plotly chooses the ticks, so that they adapt to a zoom; its labels are replaced where it would mix notations.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from nnviz.figures.kit import labels, layout

# In powers of ten: between 0.01 and 1000, plus the axis's margins.
PLAIN_NUMBER_RANGE = (-2.35, 3.35)
# Approximate maximum number of tick labels.
MAX_LABELS = 6
# Below this many decades per label Plotly also labels 2 and 5 times powers of ten.
FINE_LABEL_DECADES = 0.7

# Below this many decades Plotly labels hundredths.
NARROW = 0.3


def logarithmic(title: str, values: np.ndarray, log_range: Sequence[float] | None = None) -> dict:
    """A logarithmic axis for these values; `log_range` fixes its range, in powers of ten."""
    values = np.asarray(values, float)
    logs = np.log10(values[np.isfinite(values) & (values > 0)])
    low, high = (float(logs.min()), float(logs.max())) if len(logs) else (-1.0, 1.0)
    fixed = {"range": list(log_range)} if log_range else {}
    margin = 0.05 * (high - low)
    return layout.axis(title, type="log", **tick_options(*(log_range or (low - margin, high + margin))), **fixed)


def tick_options(low: float, high: float) -> dict:
    """Tick options of an axis from 10^low to 10^high: plain numbers between 0.01 and 1000, else powers of ten.

    An axis with fewer than three powers of ten has labels at multiples of them too.
    """
    span = high - low
    if span < 1:
        nticks = 3
    elif math.floor(high) - math.ceil(low) < 2:
        nticks = math.ceil(span / FINE_LABEL_DECADES)
    else:
        nticks = math.ceil(span / math.ceil(span / MAX_LABELS))
    if low >= PLAIN_NUMBER_RANGE[0] and high <= PLAIN_NUMBER_RANGE[1]:
        return {"nticks": nticks, "tickformat": "~g", "labelalias": {}}
    aliases = _label_aliases(math.floor(low) - 1, math.ceil(high) + 1, span < 1.2)
    if span < NARROW:
        aliases = aliases | _narrow_aliases(low, high)
    return {"nticks": nticks, "tickformat": "~e", "labelalias": aliases}


def _narrow_aliases(low: float, high: float) -> dict[str, str]:
    """Those of Plotly's labels with two decimals ("1.55e−3") from 10^low to 10^high."""
    exponent = math.floor(low)
    first, last = (math.floor(100 * 10 ** (end - exponent)) for end in (low, high))
    found = {}
    for hundredths in range(first, last + 2):
        places = exponent + (hundredths >= 1000)
        digit = f"{hundredths / 100 / (10 if hundredths >= 1000 else 1):g}"
        found[f"{digit}e{'−' if places < 0 else '+'}{abs(places)}"] = f"{digit} × {labels.power_of_ten(places)}"
    return {label: words for label, words in found.items() if "." in label}


@lru_cache(maxsize=256)
def _label_aliases(low: int, high: int, fine: bool) -> dict[str, str]:
    """Plotly's labels ("2e−5") -> "2 × 10⁻⁵", for all powers from `low` to `high`; `fine`: also for tenths."""
    digits = range(10, 100) if fine else range(10, 100, 10)
    aliases = {}
    for exponent in range(low, high + 1):
        for tenths in digits:
            digit = f"{tenths / 10:g}"
            plotly_label = f"{digit}e{'−' if exponent < 0 else '+'}{abs(exponent)}"
            aliases[plotly_label] = (
                labels.power_of_ten(exponent) if tenths == 10 else f"{digit} × {labels.power_of_ten(exponent)}"
            )
    return aliases
