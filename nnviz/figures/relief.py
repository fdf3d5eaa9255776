"""Heights as colors: a scale with honest ticks, and a surface as a small picture with its contour lines."""

from typing import NamedTuple

import numpy as np

from nnviz.figures import images, labels, theme

# What counts as low on a logarithmic scale: this share of the surface's range is as good as nothing.
NOTHING = 1e-4
# About so many bands between contour lines.
BANDS = 12
TICKS = 5
# Opacity of the lowest and of the highest band, and how much stronger the lines between them are.
LOWEST, HIGHEST, LINE = 0.02, 0.5, 0.2
# Pixels from one recorded height to the next.
FINER = 4
# A surface whose middle height is within this share of its range above its lowest is best seen by logarithms.
FLAT = 0.2


class Scale(NamedTuple):
    """Where heights stand on a color scale or a vertical axis: at their logarithms above the lowest, if `shift`."""

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
    def ends(self) -> tuple[float, float]:
        """The places of the lowest and the highest."""
        low, high = self.place([self.low, self.high])
        return float(low), float(high)


def scale(z: np.ndarray, log_height: bool | None) -> Scale:
    """The scale of these heights; `log_height` None: logarithmic where most of the surface lies far below its top."""
    found = z[np.isfinite(z)]
    low, high = (float(found.min()), float(found.max())) if len(found) else (0.0, 1.0)
    if high <= low:
        return Scale(low, low + 1.0, 0.0)
    if log_height is None:
        log_height = bool(np.median(found) - low < FLAT * (high - low))
    return Scale(low, high, NOTHING * (high - low) if log_height else 0.0)


def edges(scale: Scale) -> np.ndarray:
    """The heights of the contour lines, rising: round numbers, or 1, 2 and 5 times powers of ten above the lowest."""
    span = scale.high - scale.low
    if not scale.shift:
        found = _multiples(scale.low, scale.high, BANDS)
        return found[(found > scale.low) & (found < scale.high)]
    powers = np.arange(np.floor(np.log10(scale.shift)), np.ceil(np.log10(span)) + 1)
    above = (10 ** powers[:, None] * np.array([1, 2, 5])).ravel()
    return scale.low + above[(above > scale.shift) & (above < span)]


def ticks(scale: Scale) -> tuple[list[float], list[str]]:
    """Places and what stands there: heights in as few digits as tell them from the lowest, exactly at their place."""
    lines = edges(scale)
    if scale.shift:
        above = lines - scale.low
        whole = np.isclose(np.log10(above) % 1, [[0], [1]], atol=1e-9).any(0)
        pairs = [(scale.low, scale.shift), *zip(lines[whole], above[whole], strict=True)]
        found = [_rounded(float(height), 0.1 * float(gap)) for height, gap in pairs]
    else:
        found = _multiples(scale.low, scale.high, TICKS).tolist()
    return scale.place(found).tolist(), [_written(height) for height in found]


def colorbar(scale: Scale, title: str) -> dict:
    """A trace without points that has the color scale as its legend."""
    low, high = scale.ends
    places = (scale.place(edges(scale)) - low) / (high - low)
    bounds, colors = [0.0, *places.tolist(), 1.0], _shades(len(places) + 1)
    stops = [[end, color] for i, color in enumerate(colors) for end in (bounds[i], bounds[i + 1])]
    tickvals, ticktext = ticks(scale)
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


def picture(x: np.ndarray, y: np.ndarray, z: np.ndarray, scale: Scale) -> dict:
    """The surface as a layout image: bands of color, a line between two of them, stripes where there is no height."""
    defined = np.isfinite(z)
    fine = _finer(np.where(defined, z, scale.high), FINER)
    band = np.searchsorted(edges(scale), fine)
    line = np.zeros(band.shape, bool)
    line[:-1] |= band[1:] != band[:-1]
    line[:, :-1] |= band[:, 1:] != band[:, :-1]
    count = int(band.max()) + 1
    pixels = np.minimum(2 * band + line, 253)
    if not defined.all():
        rows, columns = (np.arange(n) for n in fine.shape)
        missing = ~defined[np.ix_((rows + FINER // 2) // FINER, (columns + FINER // 2) // FINER)]
        stripes = (rows[:, None] + columns) // FINER % 4 == 0
        pixels = np.where(missing, np.where(stripes, 254, 255), pixels)
    palette = np.zeros((256, 4), np.uint8)
    palette[:, :3] = theme.rgb(theme.TERRAIN)
    strength = _strength(len(edges(scale)) + 1)[:count]
    palette[: 2 * count : 2, 3] = (255 * strength).round()
    palette[1 : 2 * count : 2, 3] = (255 * (strength + LINE)).round()
    palette[254, 3] = 90
    wide, high = (x[-1] - x[0]) / (fine.shape[1] - 1), (y[-1] - y[0]) / (fine.shape[0] - 1)
    place = (x[0] - wide / 2, y[-1] + high / 2, wide * fine.shape[1], high * fine.shape[0])
    return images.placed(images.png(pixels[::-1].astype(np.uint8), palette), *(float(value) for value in place))


def _strength(count: int) -> np.ndarray:
    return np.linspace(LOWEST, HIGHEST, count)


def _shades(count: int) -> list[str]:
    return [theme.faded(theme.TERRAIN, alpha) for alpha in _strength(count)]


def _multiples(low: float, high: float, parts: int) -> np.ndarray:
    """The multiples of a round number between two heights, about so many."""
    step = _round((high - low) / parts)
    return step * np.arange(np.ceil(low / step), np.floor(high / step) + 1) + 0.0  # no −0


def _round(value: float) -> float:
    """The nearest 1, 2 or 5 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(power * min((1, 2, 5, 10), key=lambda m: abs(np.log(value / (m * power)))))


def _rounded(value: float, error: float) -> float:
    """The number of fewest digits that is off by at most `error`."""
    if abs(value) <= error:
        return 0.0
    return next(
        near for near in (float(f"{value:.{digits}g}") for digits in range(1, 18)) if abs(near - value) <= error
    )


def _written(height: float) -> str:
    """A number as it is, to twelve digits, in powers of ten where it is large or small."""
    if height and not 1e-3 <= abs(height) < 1e4:
        mantissa, exponent = f"{height:.11e}".split("e")
        times = "" if float(mantissa) == 1 else f"{float(mantissa):g}×"
        return f"{times}{labels.power(int(exponent))}".replace("-", "−")
    return f"{height:.12g}".replace("-", "−")


def _finer(z: np.ndarray, times: int) -> np.ndarray:
    """Heights at `times` as many places along each side, by parabolas: straight lines would put beads on the floor of
    a narrow valley. A parabola is as curved as the flatter of its two ends, so beside a cliff nothing swings."""
    for _ in range(2):
        bend = np.pad(np.diff(z, 2, axis=0), ((1, 1), (0, 0)), mode="edge")
        left, right = bend[:-1], bend[1:]
        least = np.where(left * right > 0, np.sign(left) * np.minimum(np.abs(left), np.abs(right)), 0.0)[:, None]
        t = (np.arange(times) / times)[:, None]
        between = z[:-1, None] * (1 - t) + z[1:, None] * t - t * (1 - t) / 2 * least
        z = np.concatenate([between.reshape(-1, z.shape[1]), z[-1:]]).T
    return z
