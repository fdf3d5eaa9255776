"""Values of a surface as colors: linear or logarithmic scales with round ticks, and filled contours as an image."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from nnviz.figures.kit import labels, png_images, theme

# Offset before the logarithm is taken, as a fraction of the range of values.
LOG_OFFSET_FRACTION = 1e-4
# Approximate numbers of bands between contour lines, and of ticks.
CONTOUR_BANDS = 12
MAX_TICKS = 5
# Opacity of the lowest and (by default) of the highest band, and how much more opaque contour lines are.
MIN_OPACITY, MAX_OPACITY, CONTOUR_OPACITY = 0.02, 0.5, 0.2
# Pixels per grid cell at least, and pixels along a side at least.
MIN_UPSAMPLING, MIN_PIXELS = 4, 280
# A scale is logarithmic by default if the median is within this fraction of the range above the minimum.
FLAT_FRACTION = 0.2


class ValueScale(NamedTuple):
    """Maps values to positions on a color scale or a vertical axis: linear, or log₁₀(value − low + log_offset)."""

    low: float
    high: float
    log_offset: float  # 0: linear; equal to `low`: the logarithm of the value itself

    def position(self, values: np.ndarray) -> np.ndarray:
        """Values to positions."""
        if not self.log_offset:
            return np.asarray(values, float)
        return np.log10(np.maximum(np.asarray(values, float) - self.low, 0) + self.log_offset)

    def value(self, positions: np.ndarray) -> np.ndarray:
        """Positions to values."""
        positions = np.asarray(positions, float)
        return 10**positions - self.log_offset + self.low if self.log_offset else positions

    @property
    def log_origin(self) -> float:
        """The value from which logarithms are taken: ticks are at round distances from it."""
        return 0.0 if self.log_offset == self.low else self.low

    @property
    def position_range(self) -> tuple[float, float]:
        """The positions of the lowest and the highest value."""
        low, high = self.position([self.low, self.high])
        return float(low), float(high)


def value_scale(z: np.ndarray, log: bool | None) -> ValueScale:
    """The scale of the finite values of `z`; `log` None: logarithmic where the median is close to the minimum."""
    finite = z[np.isfinite(z)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    if high <= low:
        return ValueScale(low, low + 1.0, 0.0)
    if log is None:
        log = bool(np.median(finite) - low < FLAT_FRACTION * (high - low))
    return ValueScale(low, high, LOG_OFFSET_FRACTION * (high - low) if log else 0.0)


def contour_levels(scale: ValueScale) -> np.ndarray:
    """The values of contour lines, ascending: round numbers, or 1, 2 and 5 times powers of ten above the minimum."""
    if not scale.log_offset:
        levels = round_multiples(scale.low, scale.high, CONTOUR_BANDS)
        return levels[(levels > scale.low) & (levels < scale.high)]
    if scale.log_origin == scale.low:
        above = _decade_multiples(scale.log_offset, scale.high - scale.low, (1, 2, 5))
        return scale.low + above[above > scale.log_offset]
    decades = np.log10(scale.high / scale.low)
    if decades < 1:
        levels = round_multiples(scale.low, scale.high, CONTOUR_BANDS)
    elif decades < CONTOUR_BANDS / 2:
        levels = _decade_multiples(scale.low, scale.high, range(1, 10) if decades < 2 else (1, 2, 5))
    else:
        levels = _decade_multiples(scale.low, scale.high, (1,), int(np.ceil(decades / (1.5 * CONTOUR_BANDS))))
    return levels[(levels > scale.low) & (levels < scale.high)]


def ticks(
    scale: ValueScale, format_value: Callable[[float], str] | None = None, *, is_clipped: bool = False
) -> tuple[list[float], list[str]]:
    """Positions and texts of ticks: values in as few digits as distinguish them from the minimum.

    `is_clipped`: some values are above the scale, so the top tick reads "≥".
    """
    format_value = format_value or _format_value
    if not scale.log_offset:
        values = round_multiples(scale.low, scale.high, MAX_TICKS).tolist()
    elif scale.log_origin == scale.low:
        levels = contour_levels(scale)
        above = levels - scale.low
        is_power = np.isclose(np.log10(above) % 1, [[0], [1]], atol=1e-9).any(0)
        pairs = [(scale.low, scale.log_offset), *zip(levels[is_power], above[is_power], strict=True)]
        values = [_shortest_within(float(value), 0.1 * float(gap)) for value, gap in pairs]
    else:
        values = _log_tick_values(scale.low, scale.high)
    positions, texts = scale.position(values).tolist(), [format_value(value) for value in values]
    if is_clipped:
        low, high = scale.position_range
        below = [i for i, position in enumerate(positions) if position < high - (high - low) / (2 * MAX_TICKS)]
        top = _shortest_within(scale.high, 0.02 * (scale.high - scale.low))
        positions = [*(positions[i] for i in below), high]
        texts = [*(texts[i] for i in below), f"≥ {format_value(top)}"]
    return positions, texts


def colorbar(
    scale: ValueScale,
    title: str,
    format_value: Callable[[float], str] | None = None,
    *,
    is_clipped: bool = False,
    max_opacity: float = MAX_OPACITY,
) -> dict:
    """A trace without points that carries the color scale as its colorbar; ticks as in `ticks`."""
    low, high = scale.position_range
    levels = (scale.position(contour_levels(scale)) - low) / (high - low)
    bounds, colors = [0.0, *levels.tolist(), 1.0], _band_colors(len(levels) + 1, max_opacity)
    stops = [[end, color] for i, color in enumerate(colors) for end in (bounds[i], bounds[i + 1])]
    tickvals, ticktext = ticks(scale, format_value, is_clipped=is_clipped)
    bar = theme.colorbar(title, tickvals=tickvals, ticktext=ticktext)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [None],
        "y": [None],
        "marker": {"color": [low], "cmin": low, "cmax": high, "colorscale": stops, "showscale": True, "colorbar": bar},
        "showlegend": False,
        "hoverinfo": "skip",
        "name": title,
    }


def contour_image(
    x: np.ndarray, y: np.ndarray, z: np.ndarray, scale: ValueScale, max_opacity: float = MAX_OPACITY
) -> dict:
    """The surface as a layout image: filled contours with lines between them, hatched where z is not finite."""
    is_defined = np.isfinite(z)
    factor = max(MIN_UPSAMPLING, -(-MIN_PIXELS // (min(z.shape) - 1)))
    fine = _upsampled(np.where(is_defined, np.minimum(z, scale.high), scale.high), factor)
    band = np.searchsorted(contour_levels(scale), fine)
    is_line = np.zeros(band.shape, bool)
    is_line[:-1] |= band[1:] != band[:-1]
    is_line[:, :-1] |= band[:, 1:] != band[:, :-1]
    count = int(band.max()) + 1
    pixels = np.minimum(2 * band + is_line, 253)
    if not is_defined.all():
        rows, columns = (np.arange(n) for n in fine.shape)
        missing = ~is_defined[np.ix_((rows + factor // 2) // factor, (columns + factor // 2) // factor)]
        hatching = (rows[:, None] + columns) // MIN_UPSAMPLING % 4 == 0
        pixels = np.where(missing, np.where(hatching, 254, 255), pixels)
    palette = np.zeros((256, 4), np.uint8)
    palette[:, :3] = theme.rgb(theme.SURFACE)
    opacities = _opacities(len(contour_levels(scale)) + 1, max_opacity)[:count]
    palette[: 2 * count : 2, 3] = (255 * opacities).round()
    palette[1 : 2 * count : 2, 3] = (255 * (opacities + CONTOUR_OPACITY)).round()
    palette[254, 3] = 90
    dx, dy = (x[-1] - x[0]) / (fine.shape[1] - 1), (y[-1] - y[0]) / (fine.shape[0] - 1)
    box = (x[0] - dx / 2, y[-1] + dy / 2, dx * fine.shape[1], dy * fine.shape[0])
    source = png_images.png(pixels[::-1].astype(np.uint8), palette)
    return png_images.layout_image(source, *(float(value) for value in box))


def _opacities(count: int, max_opacity: float) -> np.ndarray:
    return np.linspace(MIN_OPACITY, max_opacity, count)


def _band_colors(count: int, max_opacity: float) -> list[str]:
    return [theme.with_alpha(theme.SURFACE, alpha) for alpha in _opacities(count, max_opacity)]


def round_multiples(low: float, high: float, intervals: int) -> np.ndarray:
    """The multiples of a round number between `low` and `high`, about `intervals` of them."""
    step = _nearest_round_number((high - low) / intervals)
    return step * np.arange(np.ceil(low / step), np.floor(high / step) + 1) + 0.0  # no −0


def _decade_multiples(low: float, high: float, digits: Iterable[int], every: int = 1) -> np.ndarray:
    """`digits` times every `every`-th power of ten, ascending, from the power below `low` up to below `high`."""
    powers = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    powers = powers[powers % every == 0]
    values = (10 ** powers[:, None] * np.array(list(digits))).ravel()
    return values[values < high]


def _log_tick_values(low: float, high: float) -> list[float]:
    """Ticks of a logarithmic axis: powers of ten, with 2 and 5 times them over few decades, round numbers below one."""
    decades = np.log10(high / low)
    if decades < 1:
        return round_multiples(low, high, MAX_TICKS).tolist()
    every = int(np.ceil(decades / (MAX_TICKS + 1)))
    digits = (1, 2, 5) if decades < 2.3 else (1, 3) if decades < 3.3 else (1,)
    values = _decade_multiples(low, high * (1 + 1e-12), digits, every)
    return values[values >= low * (1 - 1e-12)].tolist()


def _nearest_round_number(value: float) -> float:
    """The nearest 1, 2 or 5 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(power * min((1, 2, 5, 10), key=lambda m: abs(np.log(value / (m * power)))))


def _shortest_within(value: float, error: float) -> float:
    """The number with the fewest digits that differs from `value` by at most `error`."""
    if abs(value) <= error:
        return 0.0
    rounded = (float(f"{value:.{digits}g}") for digits in range(1, 18))
    return next(number for number in rounded if abs(number - value) <= error)


def _format_value(value: float) -> str:
    """A number to twelve digits, as a power of ten where it is large or small."""
    if value and not 1e-3 <= abs(value) < 1e4:
        mantissa, exponent = f"{value:.11e}".split("e")
        times = "" if float(mantissa) == 1 else f"{float(mantissa):g} × "
        return f"{times}{labels.power_of_ten(int(exponent))}".replace("-", "−")
    return f"{value:.12g}".replace("-", "−")


def _upsampled(z: np.ndarray, factor: int) -> np.ndarray:
    """Values at `factor` times as many points along each side, by piecewise parabolas.

    Linear interpolation would draw artifacts along narrow curved minima. The curvature between two points is the
    smaller of theirs, so that nothing overshoots beside a steep step.
    """
    for _ in range(2):
        bend = np.pad(np.diff(z, 2, axis=0), ((1, 1), (0, 0)), mode="edge") if len(z) > 2 else np.zeros_like(z)
        left, right = bend[:-1], bend[1:]
        least = np.where(left * right > 0, np.sign(left) * np.minimum(np.abs(left), np.abs(right)), 0.0)[:, None]
        t = (np.arange(factor) / factor)[:, None]
        between = z[:-1, None] * (1 - t) + z[1:, None] * t - t * (1 - t) / 2 * least
        z = np.concatenate([between.reshape(-1, z.shape[1]), z[-1:]]).T
    return z
