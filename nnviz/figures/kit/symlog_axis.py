"""A logarithmic axis with two sides and zero between them, for values of any sign that span decades."""

from typing import NamedTuple

import numpy as np

from nnviz.figures.kit import labels, layout

# Decades on each side that are told apart; smaller values lie around zero.
MAX_DECADES = 6
# Labels on each side of zero.
LABELS_PER_SIDE = 2


class SymlogScale(NamedTuple):
    """Places of values: near zero in proportion, far from it by their logarithms; `unit` is where that changes."""

    unit: float
    most: float

    def place(self, values: np.ndarray) -> np.ndarray:
        """Values to places: 0 stays 0."""
        values = np.asarray(values, float)
        return np.sign(values) * np.log10(1 + np.abs(values) / self.unit)

    def value(self, places: np.ndarray) -> np.ndarray:
        """Places to values."""
        places = np.asarray(places, float)
        return np.sign(places) * self.unit * (10 ** np.abs(places) - 1)

    def axis(self, title: str, values: np.ndarray, side: int = LABELS_PER_SIDE) -> dict:
        """The axis for these values, labeled with `side` powers of ten on each side."""
        found = np.asarray(values, float)
        found = found[np.isfinite(found)]
        top, bottom = (float(max(0.0, (side * found).max(initial=0.0))) for side in (1, -1))
        first, last = np.ceil(np.log10(2 * self.unit)), np.floor(np.log10(max(self.most, 4 * self.unit)))
        powers = np.arange(last, first - 1, -max(1, np.ceil((last - first + 1) / side)))[:side]
        marks = [10.0**p for p in powers[::-1]]
        ticks = [-m for m in marks[::-1] if m <= bottom] + [0.0] + [m for m in marks if m <= top]
        margin = 0.05 * float(np.ptp(self.place([-bottom, top]))) or 1.0
        ends = [float(self.place(-bottom)) - margin, float(self.place(top)) + margin]
        return layout.axis(
            title,
            tickvals=self.place(ticks).tolist(),
            ticktext=[_format_tick(tick) for tick in ticks],
            range=ends,
            zeroline=True,
        )


def symlog_scale(values: np.ndarray, decades: float = MAX_DECADES) -> SymlogScale:
    """The scale for these values: their smallest size, but at most so many decades below their largest."""
    size = np.abs(np.asarray(values, float))
    size = size[np.isfinite(size) & (size > 0)]
    if not len(size):
        return SymlogScale(1.0, 1.0)
    most = float(size.max())
    return SymlogScale(max(float(np.quantile(size, 0.02)), most * 10.0**-decades), most)


def spans_orders_of_magnitude(values: np.ndarray, factor: float = 50) -> bool:
    """Whether most values are tiny beside the largest, so that a straight axis would show a spike and a flat line."""
    size = np.abs(np.asarray(values, float))
    size = size[np.isfinite(size) & (size > 0)]
    return bool(len(size) and size.max() > factor * np.median(size))


def _format_tick(value: float) -> str:
    if value == 0:
        return "0"
    plain = 1e-2 <= abs(value) <= 1e3
    sign = "−" if value < 0 else ""
    return sign + (f"{abs(value):g}" if plain else labels.power_of_ten(np.log10(abs(value))))
