"""Ridgeline plot: the histograms of all layers, stacked."""

from collections.abc import Mapping, Sequence

import numpy as np

from nnviz import frames
from nnviz.figures.kit import labels, layout, tables, theme
from nnviz.figures.kit.layout import f4
from nnviz.figures.layers import saturation

# A bin this many times as dense as all others is a peak that is clipped and marked.
PEAK_RATIO = 3.0
# Height of a clipped peak relative to the second densest bin.
CLIP_MARGIN = 1.25
# Where all values need more than twice this range, the axis covers these percentiles of 90 % of the rows.
AXIS_PERCENTILES = (0.01, 0.99)
# With more rows than this, tails are trimmed to these percentiles, so that rows do not overlap.
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

    Each row is a probability density scaled to its own maximum, since widths can differ a thousandfold. A peak (one bin
    more than three times as dense as all others, such as the zeros of ReLU) is clipped and marked by a dot. With long
    tails the axis ends at percentiles 1 and 99 (of all but the widest tenth of the rows, if there are more than ten)
    and triangles mark rows that continue. A cross marks a row without finite values. With more than 12 layers the
    outermost 1 % of each row is omitted, with more than 26 every second or third layer is drawn. The help on saturation
    depends on the activations of `layers`.
    """
    is_trimmed = len(arrays.get("sites", ())) > MAX_FULL_ROWS if arrays else False
    help = _HELP + (_TRIMMED_HELP if is_trimmed else "") + saturation.definitions(layers)
    if not arrays or len(arrays.get("counts", ())) == 0:
        return layout.empty(title, help)
    sites = [str(site) for site in arrays["sites"]]
    low, high = np.asarray(arrays["low"], float), np.asarray(arrays["high"], float)
    counts = np.asarray(arrays["counts"], float)
    sizes, total = counts.sum(1), len(sites)
    is_valid = np.isfinite(low) & np.isfinite(high) & (sizes > 0)
    centers, density = densities(low, high, counts)
    inside = _drawn_bins(centers, low, high, counts, is_trimmed)
    half = np.nan_to_num((high - low) / counts.shape[1] / 2)
    left = np.where(is_valid & (high > low), np.where(inside, centers, np.inf).min(1, initial=np.inf) - half, low)
    right = np.where(is_valid & (high > low), np.where(inside, centers, -np.inf).max(1, initial=-np.inf) + half, high)
    first, last = _axis_range(left, right, low, high, counts, is_valid)
    drawn, every = drawn_rows(total)
    lift = 0.9 if total <= 3 else 1.5 if total <= MAX_FULL_ROWS else 2.0 * every
    rows = []
    marks = {"circle": [], "triangle": [], "x-thin": []}  # x, y, symbol, color, text
    for i in drawn:
        base, name, color = total - 1 - i, layers.label(sites[i]), theme.depth_color(i, total)
        if not is_valid[i]:
            rows.append(_ridge([], [], color, name))
            marks["x-thin"].append(((first + last) / 2, base, "x-thin", theme.ALERT, f"{name}: no finite values"))
            continue
        x, y, peak = ridge_outline(low[i], high[i], centers[i][inside[i]], density[i][inside[i]])
        hover = f"{name}: from {labels.number(low[i], 4)} to {labels.number(high[i], 4)}"
        rows.append(_ridge(x, base + lift * y, color, hover))
        if peak is not None:
            fraction = labels.percent(counts[i].max() / sizes[i])
            marks["circle"].append((peak, base + lift, "circle", color, f"{name}: {fraction} of the values here"))
        inset = (last - first) / 500  # or rounding puts the mark outside, where Plotly hides it
        for edge, symbol, continues in (
            (first + inset, "triangle-left", left[i] < first),
            (last - inset, "triangle-right", right[i] > last),
        ):
            if continues:
                marks["triangle"].append((edge, base, symbol, color, f"{hover}, beyond this axis"))
    tick_indices, texts = labels.depth_ticks([layers.tick(site) for site in sites])
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
            tickvals=[total - 1 - index for index in tick_indices],
            ticktext=texts,
            range=[-0.3, total - 1 + lift * 1.08],
            showgrid=total <= 20,
        ),
        table=[
            tables.histograms(
                {"site": np.array(sites)[is_valid]}, low[is_valid], high[is_valid], counts[is_valid].astype(int)
            )
        ],
        showlegend=any(marks.values()),
        legend={"font": {"size": theme.SMALL}, "itemclick": False, "itemdoubleclick": False},
        shapes=[zero] if first < 0 < last else [],
    )


def densities(low: np.ndarray, high: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bin centers and probability densities, each (L, bins), of histograms between `low` and `high` (L,).

    Σ density · width = 1 per row. A row whose values are all equal has infinite density; an empty row is NaN.
    """
    bins = counts.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        width = (high - low) / bins
        centers = low[:, None] + (np.arange(bins) + 0.5) * width[:, None]
        return centers, np.where(counts > 0, counts / (counts.sum(1) * width)[:, None], 0.0 * width[:, None])


def _drawn_bins(
    centers: np.ndarray, low: np.ndarray, high: np.ndarray, counts: np.ndarray, is_trimmed: bool
) -> np.ndarray:
    """Which bins (L, bins) are drawn: all, or of `crowded` rows those between the percentiles of `TAILS`, at least
    two."""
    if not is_trimmed:
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
    """Indices of the drawn rows, the first and the last included, and the stride between them."""
    every = -(-total // MAX_ROWS)
    rows = list(range(0, total - every, every)) if total > every else []
    return [*rows, total - 1], every


def ridge_outline(
    low: float, high: float, centers: np.ndarray, density: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float | None]:
    """One ridge as a polygon: x and height 0..1 (points,), and the position of a clipped peak, or None.

    The polygon starts and ends half a bin outside, which gives it the area of the histogram.
    """
    if high <= low:
        return np.full(3, low), np.array([0.0, 1.0, 0.0]), low
    half = (centers[1] - centers[0]) / 2
    second, top = np.partition(density, -2)[-2:]
    has_peak = top > PEAK_RATIO * second
    reference = CLIP_MARGIN * second if has_peak and second > 0 else top
    x = np.concatenate([[centers[0] - 2 * half], centers, [centers[-1] + 2 * half]])
    y = np.concatenate([[0.0], np.minimum(density / reference, 1.0), [0.0]])
    return x, y, float(centers[density.argmax()]) if has_peak else None


def _axis_range(
    left: np.ndarray, right: np.ndarray, low: np.ndarray, high: np.ndarray, counts: np.ndarray, is_valid: np.ndarray
) -> tuple[float, float]:
    """The range of the axis: from `left` to `right` (L,), or percentiles of the widest rows if tails are long."""
    if not is_valid.any():
        return -1.0, 1.0
    full = float(left[is_valid].min()), float(right[is_valid].max())
    edges = frames.percentiles(low, high, counts, AXIS_PERCENTILES)[is_valid]
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
    """The legend entry of a mark."""
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
