"""A symmetric logarithmic (symlog) axis: for values of both signs that span orders of magnitude."""

from typing import NamedTuple

import numpy as np

from nnviz.figures.kit import labels, layout

# Decades on each side; values closer to zero are on the linear part.
MAX_DECADES = 6
LABELS_PER_SIDE = 2


class SymlogScale(NamedTuple):
    """position = sign(value) · log₁₀(1 + |value| / linear_threshold)."""

    linear_threshold: float
    largest: float

    def position(self, values: np.ndarray) -> np.ndarray:
        """Values to positions: 0 stays 0."""
        values = np.asarray(values, float)
        return np.sign(values) * np.log10(1 + np.abs(values) / self.linear_threshold)

    def value(self, positions: np.ndarray) -> np.ndarray:
        """Positions to values."""
        positions = np.asarray(positions, float)
        return np.sign(positions) * self.linear_threshold * (10 ** np.abs(positions) - 1)

    def axis(self, title: str, values: np.ndarray, labels_per_side: int = LABELS_PER_SIDE) -> dict:
        """The axis for these values, labeled with `labels_per_side` powers of ten on each side of zero."""
        finite = np.asarray(values, float)
        finite = finite[np.isfinite(finite)]
        top, bottom = (max(0.0, float((sign * finite).max(initial=0.0))) for sign in (1, -1))
        first = np.ceil(np.log10(2 * self.linear_threshold))
        last = np.floor(np.log10(max(self.largest, 4 * self.linear_threshold)))
        stride = max(1, np.ceil((last - first + 1) / labels_per_side))
        powers = [10.0**p for p in np.arange(last, first - 1, -stride)[:labels_per_side][::-1]]
        ticks = [-p for p in powers[::-1] if p <= bottom] + [0.0] + [p for p in powers if p <= top]
        margin = 0.05 * float(np.ptp(self.position([-bottom, top]))) or 1.0
        return layout.axis(
            title,
            tickvals=self.position(ticks).tolist(),
            ticktext=[_format_tick(tick) for tick in ticks],
            range=[float(self.position(-bottom)) - margin, float(self.position(top)) + margin],
            zeroline=True,
        )


def symlog_scale(values: np.ndarray, max_decades: float = MAX_DECADES) -> SymlogScale:
    """The scale for these values: linear below their smallest magnitude, at most `max_decades` below the largest."""
    magnitudes = np.abs(np.asarray(values, float))
    magnitudes = magnitudes[np.isfinite(magnitudes) & (magnitudes > 0)]
    if not len(magnitudes):
        return SymlogScale(1.0, 1.0)
    largest = float(magnitudes.max())
    return SymlogScale(max(float(np.quantile(magnitudes, 0.02)), largest * 10.0**-max_decades), largest)


def spans_orders_of_magnitude(values: np.ndarray, factor: float = 50) -> bool:
    """Whether the largest magnitude is more than `factor` times the median one, which a linear axis would flatten."""
    magnitudes = np.abs(np.asarray(values, float))
    magnitudes = magnitudes[np.isfinite(magnitudes) & (magnitudes > 0)]
    return bool(len(magnitudes) and magnitudes.max() > factor * np.median(magnitudes))


def _format_tick(value: float) -> str:
    if value == 0:
        return "0"
    sign = "−" if value < 0 else ""
    is_plain = 1e-2 <= abs(value) <= 1e3
    return sign + (f"{abs(value):g}" if is_plain else labels.power_of_ten(np.log10(abs(value))))
