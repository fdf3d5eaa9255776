"""The histograms of all layers above each other in one picture."""

from collections.abc import Mapping, Sequence

import numpy as np

from nnviz import frames
from nnviz.figures.kit import labels, layout, tables, theme
from nnviz.figures.kit.layout import f4
from nnviz.figures.layers import saturation

# A bin this many times as dense as every other one is a spike: cut, and marked.
PEAK_RATIO = 3.0
# How far above the next densest bin a spike is cut.
CLIP_MARGIN = 1.25
# Where all values would need twice as much space, the axis holds these percentiles of nine tenths of the rows.
AXIS_PERCENTILES = (0.01, 0.99)
# More layers than this are crowded: thin tails would run into each other, and rows lie too close.
MAX_FULL_ROWS = 12
DRAWN_PERCENTILES = (0.005, 0.995)
MAX_ROWS = 26
_ORDINALS = {2: "2nd", 3: "3rd"}
_MARK_LEGEND = {
    "circle": ("peak clipped", "circle", theme.NEUTRAL),
    "triangle": ("continues beyond the axis", "triangle-right", theme.NEUTRAL),
    "x-thin": ("no finite values", "x-thin", theme.ALERT),
}
_HELP = (
    "First layer on top, each row scaled to its own maximum: a narrow row carries little signal, a wide one much. A "
    "dot marks a clipped peak and gives its fraction, a triangle a row that continues beyond the axis. "
)
_TRIMMED_HELP = "The outermost 1% of each row's values is not shown. "


def ridgelines(
    arrays: Mapping[str, np.ndarray],
    layers: frames.Layers,
    title: str = "Activations of every layer",
    *,
    label: str = "value",
) -> dict:
    """The histogram of every layer as a ridge, the first layer on top, over one linear axis.

    Each row is a probability density and drawn to its own height, as their widths can differ a thousandfold. A spike
    (one bin more than three times as dense as all others, such as the zeros of ReLU) is cut a little above the rest and
    carries a dot that tells its share. Where few values reach far out, the axis ends at percentiles 1 and 99 (of all
    but the widest tenth of the rows, if there are more than ten) and a triangle marks the rows that go on. A row
    without finite values carries a cross. Of more than 12 layers the outermost hundredth of each row is left out, of
    more than 26 every second or third layer is drawn. The activations of `layers` decide the help on saturation.
    """
    crowded = len(arrays.get("sites", ())) > MAX_FULL_ROWS if arrays else False
    help = _HELP + (_TRIMMED_HELP if crowded else "") + saturation.definitions(layers)
    if not arrays or len(arrays.get("counts", ())) == 0:
        return layout.empty(title, help)
    sites = [str(site) for site in arrays["sites"]]
    low, high = np.asarray(arrays["low"], float), np.asarray(arrays["high"], float)
    counts = np.asarray(arrays["counts"], float)
    sizes, total = counts.sum(1), len(sites)
    good = np.isfinite(low) & np.isfinite(high) & (sizes > 0)
    centers, density = densities(low, high, counts)
    inside = _drawn_bins(centers, low, high, counts, crowded)
    half = np.nan_to_num((high - low) / counts.shape[1] / 2)
    left = np.where(good & (high > low), np.where(inside, centers, np.inf).min(1, initial=np.inf) - half, low)
    right = np.where(good & (high > low), np.where(inside, centers, -np.inf).max(1, initial=-np.inf) + half, high)
    first, last = _axis_range(left, right, low, high, counts, good)
    drawn, every = drawn_rows(total)
    lift = 0.9 if total <= 3 else 1.5 if total <= MAX_FULL_ROWS else 2.0 * every
    rows = []
    marks = {"circle": [], "triangle": [], "x-thin": []}  # x, y, symbol, color, text
    for i in drawn:
        base, name, color = total - 1 - i, layers.label(sites[i]), theme.depth_color(i, total)
        if not good[i]:
            rows.append(_ridge([], [], color, name))
            marks["x-thin"].append(((first + last) / 2, base, "x-thin", theme.ALERT, f"{name}: no finite values"))
            continue
        x, y, spike = ridge_outline(low[i], high[i], centers[i][inside[i]], density[i][inside[i]])
        reach = f"{name}: from {labels.number(low[i], 4)} to {labels.number(high[i], 4)}"
        rows.append(_ridge(x, base + lift * y, color, reach))
        if spike is not None:
            share = labels.percent(counts[i].max() / sizes[i])
            marks["circle"].append((spike, base + lift, "circle", color, f"{name}: {share} of the values here"))
        hair = (last - first) / 500  # or rounding puts the mark outside, where Plotly hides it
        for edge, symbol, out in (
            (first + hair, "triangle-left", left[i] < first),
            (last - hair, "triangle-right", right[i] > last),
        ):
            if out:
                marks["triangle"].append((edge, base, symbol, color, f"{reach}, beyond this axis"))
    places, texts = labels.depth_ticks([layers.tick(site) for site in sites])
    zero = {"type": "line", "x0": 0, "x1": 0, "y0": 0, "y1": 1, "yref": "paper", "layer": "below"}
    return layout.figure(
        rows
        + [_marks(found, 6 if total <= 20 else 5) for found in marks.values()]
        + [_legend_entry(symbol, bool(found)) for symbol, found in marks.items()],
        title=title,
        help=help,
        x=layout.axis(label, range=[first, last]),
        y=layout.axis(
            "layer" if every == 1 else f"layer (every {_ORDINALS.get(every, f'{every}th')} drawn)",
            tickvals=[total - 1 - place for place in places],
            ticktext=texts,
            range=[-0.3, total - 1 + lift * 1.08],
            showgrid=total <= 20,
        ),
        table=[tables.histograms({"site": np.array(sites)[good]}, low[good], high[good], counts[good].astype(int))],
        showlegend=any(marks.values()),
        legend={"font": {"size": theme.SMALL}, "itemclick": False, "itemdoubleclick": False},
        shapes=[zero] if first < 0 < last else [],
    )


def densities(low: np.ndarray, high: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bin centers and probability densities, each (L, bins), of histograms between `low` and `high` (L,).

    Σ density · width = 1 a row. A row whose values are all equal has infinite density; an empty row is NaN.
    """
    bins = counts.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        width = (high - low) / bins
        centers = low[:, None] + (np.arange(bins) + 0.5) * width[:, None]
        return centers, np.where(counts > 0, counts / (counts.sum(1) * width)[:, None], 0.0 * width[:, None])


def _drawn_bins(
    centers: np.ndarray, low: np.ndarray, high: np.ndarray, counts: np.ndarray, crowded: bool
) -> np.ndarray:
    """Which bins (L, bins) are drawn: all, or of `crowded` rows those between the percentiles of `TAILS`, at least
    two."""
    if not crowded:
        return np.ones(counts.shape, bool)
    edges = frames.percentiles(low, high, counts, DRAWN_PERCENTILES)
    half = (high - low)[:, None] / counts.shape[1] / 2
    with np.errstate(invalid="ignore"):
        inside = (centers + half > edges[:, :1]) & (centers - half < edges[:, 1:])
    single = inside.sum(1) == 1
    inside[single] |= np.roll(inside[single], 1, axis=1) & (np.arange(counts.shape[1]) > 0)
    inside[single, 1] |= inside[single, 0]
    return inside


def drawn_rows(total: int) -> tuple[list[int], int]:
    """Which of so many rows are drawn, the first and the last always, and every which."""
    every = -(-total // MAX_ROWS)
    rows = list(range(0, total - every, every)) if total > every else []
    return [*rows, total - 1], every


def ridge_outline(
    low: float, high: float, centers: np.ndarray, density: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float | None]:
    """One ridge as a polygon (points,), its height in 0..1, and where a spike was cut, or None.

    The polygon starts and ends half a bin outside, which gives it the area of the histogram.
    """
    if high <= low:
        return np.full(3, low), np.array([0.0, 1.0, 0.0]), low
    half = (centers[1] - centers[0]) / 2
    second, top = np.partition(density, -2)[-2:]
    spiky = top > PEAK_RATIO * second
    reference = CLIP_MARGIN * second if spiky and second > 0 else top
    x = np.concatenate([[centers[0] - 2 * half], centers, [centers[-1] + 2 * half]])
    y = np.concatenate([[0.0], np.minimum(density / reference, 1.0), [0.0]])
    return x, y, float(centers[density.argmax()]) if spiky else None


def _axis_range(
    left: np.ndarray, right: np.ndarray, low: np.ndarray, high: np.ndarray, counts: np.ndarray, good: np.ndarray
) -> tuple[float, float]:
    """The common axis: all that is drawn, from `left` to `right` (L,), or the inner percentiles of the widest rows
    where the rest is far out."""
    if not good.any():
        return -1.0, 1.0
    full = float(left[good].min()), float(right[good].max())
    edges = frames.percentiles(low, high, counts, AXIS_PERCENTILES)[good]
    inner = np.quantile(edges[:, 0], 0.1, method="lower"), np.quantile(edges[:, 1], 0.9, method="higher")
    first, last = inner if full[1] - full[0] > 2 * (inner[1] - inner[0]) > 0 else full
    margin = (last - first) * 0.03 or max(abs(first), 1.0) * 0.1
    return float(first - margin), float(last + margin)


def _ridge(x: Sequence[float], y: Sequence[float], color: str, text: str) -> dict:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": f4(x),
        "y": f4(y),
        "fill": "toself",
        "fillcolor": theme.with_alpha(color, 0.5),
        "line": {"color": color, "width": 1.2},
        "hoveron": "fills",
        "hoverinfo": "text",
        "text": text,
        "showlegend": False,
    }


def _legend_entry(symbol: str, shown: bool) -> dict:
    """What a mark means, where there are such marks."""
    name, symbol, color = _MARK_LEGEND[symbol]
    marker = {"symbol": symbol, "size": 7, "color": color, "line": {"width": 1.5, "color": color}}
    trace = {"type": "scatter", "mode": "markers", "x": [None], "y": [None], "name": name, "marker": marker}
    return trace | {"showlegend": shown, "hoverinfo": "skip"}


def _marks(found: Sequence[tuple], size: float) -> dict:
    x, y, symbols, colors, text = zip(*found, strict=True) if found else ([], [], [], [], [])
    return {
        "type": "scatter",
        "mode": "markers",
        "x": f4(x),
        "y": f4(y),
        "text": list(text),
        "hoverinfo": "text",
        "marker": {
            "symbol": list(symbols),
            "size": size,
            "color": list(colors),
            "line": {"width": 0.6, "color": theme.HALO},
        },
        "showlegend": False,
        "cliponaxis": False,
    }
