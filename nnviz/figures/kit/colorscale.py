"""Heights as colors: a scale with honest ticks, and a surface as a small picture with its contour lines."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from nnviz.figures.kit import labels, png_images, theme

# What counts as low on a logarithmic scale: this share of the surface's range is as good as nothing.
LOG_OFFSET_FRACTION = 1e-4
# About so many bands between contour lines.
CONTOUR_BANDS = 12
MAX_TICKS = 5
# Opacity of the lowest and of the highest band (or as asked for), and how much stronger the lines between them are.
MIN_OPACITY, MAX_OPACITY, CONTOUR_OPACITY = 0.02, 0.5, 0.2
# Pixels from one recorded height to the next, and along a side at least, where few heights are known yet.
MIN_UPSAMPLING, MIN_PIXELS = 4, 280
# A surface whose middle height is within this share of its range above its lowest is best seen by logarithms.
FLAT_FRACTION = 0.2


class ValueScale(NamedTuple):
    """Where heights stand on a color scale or a vertical axis: at their logarithms above the lowest, if `shift`; with
    `shift` = `low` at their own logarithms."""

    low: float
    high: float
    shift: float  # added before the logarithm is taken; 0: there is none

    def place(self, heights: np.ndarray) -> np.ndarray:
        """Heights to places."""
        if not self.shift:
            return np.asarray(heights, float)
        return np.log10(np.maximum(np.asarray(heights, float) - self.low, 0) + self.shift)

    def height(self, places: np.ndarray) -> np.ndarray:
        """Places to heights."""
        return 10 ** np.asarray(places, float) - self.shift + self.low if self.shift else np.asarray(places, float)

    @property
    def zero(self) -> float:
        """The height that logarithms count from, so that round numbers above it are labeled."""
        return 0.0 if self.shift == self.low else self.low

    @property
    def ends(self) -> tuple[float, float]:
        """The places of the lowest and the highest."""
        low, high = self.place([self.low, self.high])
        return float(low), float(high)


def value_scale(z: np.ndarray, log_height: bool | None) -> ValueScale:
    """The scale of these heights; `log_height` None: logarithmic where most of the surface lies far below its top."""
    found = z[np.isfinite(z)]
    low, high = (float(found.min()), float(found.max())) if len(found) else (0.0, 1.0)
    if high <= low:
        return ValueScale(low, low + 1.0, 0.0)
    if log_height is None:
        log_height = bool(np.median(found) - low < FLAT_FRACTION * (high - low))
    return ValueScale(low, high, LOG_OFFSET_FRACTION * (high - low) if log_height else 0.0)


def contour_levels(scale: ValueScale) -> np.ndarray:
    """The heights of the contour lines, rising: round numbers, or 1, 2 and 5 times powers of ten above the lowest."""
    if not scale.shift:
        found = round_multiples(scale.low, scale.high, CONTOUR_BANDS)
        return found[(found > scale.low) & (found < scale.high)]
    if scale.zero == scale.low:
        above = _decade_multiples(scale.shift, scale.high - scale.low, (1, 2, 5))
        return scale.low + above[above > scale.shift]
    span = np.log10(scale.high / scale.low)
    if span < 1:
        found = round_multiples(scale.low, scale.high, CONTOUR_BANDS)
    elif span < CONTOUR_BANDS / 2:
        found = _decade_multiples(scale.low, scale.high, range(1, 10) if span < 2 else (1, 2, 5))
    else:
        found = _decade_multiples(scale.low, scale.high, (1,), int(np.ceil(span / (1.5 * CONTOUR_BANDS))))
    return found[(found > scale.low) & (found < scale.high)]


def ticks(
    scale: ValueScale, written: Callable[[float], str] | None = None, *, is_cut: bool = False
) -> tuple[list[float], list[str]]:
    """Places and what stands there: heights in as few digits as tell them from the lowest, exactly at their place.

    `is_cut`: there is higher ground, so the highest is written as "≥".
    """
    written = written or _format_value
    if not scale.shift:
        found = round_multiples(scale.low, scale.high, MAX_TICKS).tolist()
    elif scale.zero == scale.low:
        lines = contour_levels(scale)
        above = lines - scale.low
        whole = np.isclose(np.log10(above) % 1, [[0], [1]], atol=1e-9).any(0)
        pairs = [(scale.low, scale.shift), *zip(lines[whole], above[whole], strict=True)]
        found = [_shortest_within(float(height), 0.1 * float(gap)) for height, gap in pairs]
    else:
        found = _log_tick_values(scale.low, scale.high)
    places, words = scale.place(found).tolist(), [written(height) for height in found]
    if is_cut:
        low, high = scale.ends
        kept = [i for i, place in enumerate(places) if place < high - (high - low) / (2 * MAX_TICKS)]
        top = _shortest_within(scale.high, 0.02 * (scale.high - scale.low))
        places, words = [*(places[i] for i in kept), high], [*(words[i] for i in kept), f"≥ {written(top)}"]
    return places, words


def colorbar(
    scale: ValueScale,
    title: str,
    written: Callable[[float], str] | None = None,
    *,
    is_cut: bool = False,
    highest: float = MAX_OPACITY,
) -> dict:
    """A trace without points that has the color scale as its legend; what is written there as in `ticks`."""
    low, high = scale.ends
    places = (scale.place(contour_levels(scale)) - low) / (high - low)
    bounds, colors = [0.0, *places.tolist(), 1.0], _band_colors(len(places) + 1, highest)
    stops = [[end, color] for i, color in enumerate(colors) for end in (bounds[i], bounds[i + 1])]
    tickvals, ticktext = ticks(scale, written, is_cut=is_cut)
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


def contour_image(x: np.ndarray, y: np.ndarray, z: np.ndarray, scale: ValueScale, highest: float = MAX_OPACITY) -> dict:
    """The surface as a layout image: bands of color, a line between two of them, stripes where there is no height.
    `highest` is the opacity of the highest."""
    defined = np.isfinite(z)
    finer = max(MIN_UPSAMPLING, -(-MIN_PIXELS // (min(z.shape) - 1)))
    fine = _upsampled(np.where(defined, np.minimum(z, scale.high), scale.high), finer)
    band = np.searchsorted(contour_levels(scale), fine)
    line = np.zeros(band.shape, bool)
    line[:-1] |= band[1:] != band[:-1]
    line[:, :-1] |= band[:, 1:] != band[:, :-1]
    count = int(band.max()) + 1
    pixels = np.minimum(2 * band + line, 253)
    if not defined.all():
        rows, columns = (np.arange(n) for n in fine.shape)
        missing = ~defined[np.ix_((rows + finer // 2) // finer, (columns + finer // 2) // finer)]
        stripes = (rows[:, None] + columns) // MIN_UPSAMPLING % 4 == 0
        pixels = np.where(missing, np.where(stripes, 254, 255), pixels)
    palette = np.zeros((256, 4), np.uint8)
    palette[:, :3] = theme.rgb(theme.SURFACE)
    strength = _opacities(len(contour_levels(scale)) + 1, highest)[:count]
    palette[: 2 * count : 2, 3] = (255 * strength).round()
    palette[1 : 2 * count : 2, 3] = (255 * (strength + CONTOUR_OPACITY)).round()
    palette[254, 3] = 90
    wide, high = (x[-1] - x[0]) / (fine.shape[1] - 1), (y[-1] - y[0]) / (fine.shape[0] - 1)
    place = (x[0] - wide / 2, y[-1] + high / 2, wide * fine.shape[1], high * fine.shape[0])
    return png_images.layout_image(
        png_images.png(pixels[::-1].astype(np.uint8), palette), *(float(value) for value in place)
    )


def _opacities(count: int, highest: float) -> np.ndarray:
    return np.linspace(MIN_OPACITY, highest, count)


def _band_colors(count: int, highest: float) -> list[str]:
    return [theme.with_alpha(theme.SURFACE, alpha) for alpha in _opacities(count, highest)]


def round_multiples(low: float, high: float, parts: int) -> np.ndarray:
    """The multiples of a round number between two heights, about so many."""
    step = _nearest_round_number((high - low) / parts)
    return step * np.arange(np.ceil(low / step), np.floor(high / step) + 1) + 0.0  # no −0


def _decade_multiples(low: float, high: float, digits: Iterable[int], every: int = 1) -> np.ndarray:
    """These digits times every so many powers of ten, rising, from the power below `low` up to below `high`."""
    powers = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    powers = powers[powers % every == 0]
    found = (10 ** powers[:, None] * np.array(list(digits))).ravel()
    return found[found < high]


def _log_tick_values(low: float, high: float) -> list[float]:
    """What a logarithmic axis is labeled with: powers of ten, with 2 and 5 between them where there are few, or round
    numbers where it is short."""
    span = np.log10(high / low)
    if span < 1:
        return round_multiples(low, high, MAX_TICKS).tolist()
    every = int(np.ceil(span / (MAX_TICKS + 1)))
    digits = (1, 2, 5) if span < 2.3 else (1, 3) if span < 3.3 else (1,)
    found = _decade_multiples(low, high * (1 + 1e-12), digits, every)
    return found[found >= low * (1 - 1e-12)].tolist()


def _nearest_round_number(value: float) -> float:
    """The nearest 1, 2 or 5 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(power * min((1, 2, 5, 10), key=lambda m: abs(np.log(value / (m * power)))))


def _shortest_within(value: float, error: float) -> float:
    """The number of fewest digits that is off by at most `error`."""
    if abs(value) <= error:
        return 0.0
    return next(
        near for near in (float(f"{value:.{digits}g}") for digits in range(1, 18)) if abs(near - value) <= error
    )


def _format_value(height: float) -> str:
    """A number as it is, to twelve digits, in powers of ten where it is large or small."""
    if height and not 1e-3 <= abs(height) < 1e4:
        mantissa, exponent = f"{height:.11e}".split("e")
        times = "" if float(mantissa) == 1 else f"{float(mantissa):g}×"
        return f"{times}{labels.power_of_ten(int(exponent))}".replace("-", "−")
    return f"{height:.12g}".replace("-", "−")


def _upsampled(z: np.ndarray, times: int) -> np.ndarray:
    """Heights at `times` as many places along each side, by parabolas: straight lines would put beads on the floor of
    a narrow valley. A parabola is as curved as the flatter of its two ends, so beside a cliff nothing swings."""
    for _ in range(2):
        bend = np.pad(np.diff(z, 2, axis=0), ((1, 1), (0, 0)), mode="edge") if len(z) > 2 else np.zeros_like(z)
        left, right = bend[:-1], bend[1:]
        least = np.where(left * right > 0, np.sign(left) * np.minimum(np.abs(left), np.abs(right)), 0.0)[:, None]
        t = (np.arange(times) / times)[:, None]
        between = z[:-1, None] * (1 - t) + z[1:, None] * t - t * (1 - t) / 2 * least
        z = np.concatenate([between.reshape(-1, z.shape[1]), z[-1:]]).T
    return z
