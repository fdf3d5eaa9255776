"""Histograms of all layers in one picture: ridgelines, powers of two, and percentiles over time."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nnviz import frames
from nnviz.figures import labels, layout, theme
from nnviz.figures.layers import layer_sites, layer_table
from nnviz.figures.layout import f4, i4

# A bin this many times as dense as every other one is a spike: cut, and marked.
SPIKE = 3.0
_EXPONENTS_HELP = (
    "How many of a layer's values lie at each power of ten, the first layer on top; a shift to the "
    "left from row to row is a gradient that vanishes."
)


def densities(arrays: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Bin centers and probability densities, each (L, bins), of a histogram snapshot; Σ density · width = 1 a row.

    Rows that are empty or not finite are NaN; a row whose values are all equal has infinite density in one bin.
    """
    low, high = np.asarray(arrays["low"], float), np.asarray(arrays["high"], float)
    counts = np.asarray(arrays["counts"], float)
    bins = counts.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        width = (high - low) / bins
        centers = low[:, None] + (np.arange(bins) + 0.5) * width[:, None]
        return centers, np.where(counts > 0, counts / (counts.sum(1) * width)[:, None], 0.0 * width[:, None])


def ridgelines(
    arrays: Mapping[str, np.ndarray], title: str = "Activations of every layer", *, label: str = "value"
) -> dict:
    """The histogram of every layer as a ridge, the first layer on top, over one linear axis.

    Each row's area is a probability, and each row is drawn to its own height, as the widths can differ a thousandfold.
    A spike (one bin more than three times as dense as all others, such as the zeros of ReLU) is cut a little above the
    rest and carries a dot; hover tells its share. Where few values reach far out, the axis ends at the widest row's
    0.1 and 99.9 percentiles and a triangle marks the rows that go on.
    """
    help = (
        "First layer on top. A row squeezed to a needle carries little signal; one piled up at the "
        "edges is saturated. A dot marks a spike that was cut."
    )
    if not arrays or len(arrays.get("counts", ())) == 0:
        return layout.empty(title, help)
    sites = [str(site) for site in arrays["sites"]]
    counts = np.asarray(arrays["counts"], float)
    low, high = np.asarray(arrays["low"], float), np.asarray(arrays["high"], float)
    total = len(sites)
    first, last = _range(low, high, counts)
    centers, density = densities(arrays)
    lift = 0.9 if total <= 3 else 1.5 if total <= 12 else 2.4
    traces, spikes, beyond, bad = [], [], [], []
    for i, site in enumerate(sites):
        base = total - 1 - i
        name = frames.label_site(site)
        if not (np.isfinite(low[i]) and np.isfinite(high[i])) or counts[i].sum() == 0:
            bad.append((base, name))
            continue
        color = theme.depth_color(i, total)
        share = counts[i].max() / counts[i].sum()
        top = int(counts[i].argmax())
        if high[i] <= low[i]:
            outline_x, outline_y, cut = np.array([low[i]] * 3), np.array([0, 1.0, 0]), True
        else:
            reference, cut = _reference(density[i])
            width = (high[i] - low[i]) / counts.shape[1]
            outline_x = np.concatenate([[low[i] - width / 2], centers[i], [high[i] + width / 2]])
            outline_y = np.concatenate([[0], np.minimum(density[i] / reference, 1), [0]])
        reach = f"{name}: from {labels.number(low[i])} to {labels.number(high[i])}"
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": f4(outline_x),
                "y": f4(base + lift * outline_y),
                "fill": "toself",
                "fillcolor": theme.faded(color, 0.55),
                "line": {"color": color, "width": 1.2},
                "hoveron": "fills",
                "hoverinfo": "text",
                "text": reach,
                "name": name,
            }
        )
        if cut:
            spikes.append((outline_x[top + 1] if len(outline_x) > 3 else low[i], base + lift, name, share))
        beyond += [(first, base, "triangle-left", f"{reach}, beyond this axis")] if low[i] < first else []
        beyond += [(last, base, "triangle-right", f"{reach}, beyond this axis")] if high[i] > last else []
    if spikes:
        x, y, names, parts = zip(*spikes, strict=True)
        text = [
            f"{name}: {labels.percent(part)} of the values in this one bin"
            for name, part in zip(names, parts, strict=True)
        ]
        traces.append(_marks(x, y, text, "circle", 4.5 if total <= 20 else 3))
    if beyond:
        x, y, symbols, text = zip(*beyond, strict=True)
        traces.append(_marks(x, y, text, list(symbols), 6))
    if bad:
        y, names = zip(*bad, strict=True)
        traces.append(
            _marks([(first + last) / 2] * len(bad), y, [f"{name}: no finite values" for name in names], "x-thin", 8)
        )
    places, texts = labels.depth_ticks(sites)
    zero = {"type": "line", "x0": 0, "x1": 0, "y0": 0, "y1": 1, "yref": "paper", "layer": "below"}
    return layout.figure(
        traces,
        title=title,
        help=help,
        x=layout.axis(label, range=[first, last]),
        y=layout.axis(
            "layer",
            tickvals=[total - 1 - place for place in places],
            ticktext=texts,
            range=[-0.25, total - 1 + lift * 1.08],
            showgrid=total <= 20,
        ),
        showlegend=False,
        shapes=[zero] if first < 0 < last else [],
    )


def exponent_histograms(
    arrays: Mapping[str, np.ndarray], title: str = "Gradients by size", *, role: str = "weight"
) -> dict:
    """How many of each layer's values lie between 2ᵉ and 2ᵉ⁺¹, as a heatmap layer (first on top) × size, log axis.

    Both signs together. Exact zeros have a column at the left, values that are not finite one at the right, where
    there are any. Only sizes that occur are shown.
    """
    if not arrays or len(arrays.get("sites", ())) == 0:
        return layout.empty(title, _EXPONENTS_HELP)
    found = [str(site) for site in arrays["sites"]]
    sites = layer_sites(found, role)
    rows = [found.index(site) for site in sites]
    if not rows:
        return layout.empty(title, _EXPONENTS_HELP)
    counts = (np.asarray(arrays["negative"], float) + np.asarray(arrays["positive"], float))[rows]
    zero, nonfinite = np.asarray(arrays["zero"], float)[rows], np.asarray(arrays["nonfinite"], float)[rows]
    size = np.maximum(counts.sum(1) + zero + nonfinite, 1)
    exponents = np.asarray(arrays["exponents"], int)
    used = np.flatnonzero(counts.any(0))
    start, stop = (used[0], used[-1] + 1) if len(used) else (0, 0)
    exponents, part = exponents[start:stop], counts[:, start:stop] / size[:, None]
    left = (exponents[0] if len(exponents) else 0) - 2.5
    right = (exponents[-1] if len(exponents) else 0) + 3.5
    columns = [(exponents + 0.5, part, "%{customdata}")] if len(exponents) else []
    ticks = _decades(exponents)
    if zero.any():
        columns.append((np.array([left]), (zero / size)[:, None], "exactly 0"))
        ticks.append((left, "0"))
    if nonfinite.any():
        columns.append((np.array([right]), (nonfinite / size)[:, None], "not finite"))
        ticks.append((right, "∞"))
    names = [frames.label_site(site) for site in sites]
    traces = []
    for x, z, words in columns:
        between = [f"{labels.number(2.0**e, 2)} to {labels.number(2.0 ** (e + 1), 2)}" for e in exponents]
        where = "%{customdata}" if words.startswith("%") else words
        traces.append(
            {
                "type": "heatmap",
                "x": f4(x),
                "dx": 1,
                "y": i4(range(len(sites))),
                "z": f4(z),
                "coloraxis": "coloraxis",
                "text": [[name] * len(x) for name in names],
                "customdata": [between] * len(sites) if where == "%{customdata}" else None,
                "hovertemplate": f"%{{text}}: %{{z:.2%}} of the values<br>{where}<extra></extra>",
                "xgap": 0,
            }
        )
    places, texts = labels.depth_ticks(sites)
    peak = max(float(z.max()) for _, z, _ in columns) if columns else 1.0
    return layout.figure(
        traces,
        title=title,
        help=_EXPONENTS_HELP,
        x=layout.axis(
            "size of the value", tickvals=[t for t, _ in ticks], ticktext=[t for _, t in ticks], showgrid=False
        ),
        y=layout.axis("layer", autorange="reversed", tickvals=places, ticktext=texts, showgrid=False),
        coloraxis={
            "cmin": 0,
            "cmax": peak,
            "colorscale": theme.fading(theme.POSITIVE),
            "colorbar": theme.colorbar("", tickformat=".0%", nticks=4),
        },
    )


def percentile_bands(
    frame: pd.DataFrame, site: str | None = None, *, prefix: str = "activation", title: str | None = None
) -> dict:
    """Percentiles over the steps: 5 to 95 light, 25 to 75 darker, the median as a line.

    `site` is one module; None draws the first, the middle and the last layer above each other with a common step axis.
    """
    word = "Activations" if prefix == "activation" else "Pre-activations"
    title = title or (f"{word} over time" if site is None else f"{word} of {frames.label_site(site)} over time")
    help = (
        "Half of all values lie in the dark band, nine tenths in the light one; a band that closes is a "
        "signal that dies out."
    )
    tables = {p: layer_table(frame, f"{prefix}_p{p}", "") for p in ("05", "25", "50", "75", "95")}
    sites = tables["50"][1]
    if site is not None:
        chosen = [site] if site in sites else []
    else:
        chosen = list(dict.fromkeys([sites[0], sites[(len(sites) - 1) // 2], sites[-1]])) if sites else []
    if not chosen:
        return layout.empty(title, help)
    traces, axes, notes = [], {}, []
    for i, one in enumerate(chosen):
        suffix = "" if i == 0 else str(i + 1)
        color = theme.depth_color(sites.index(one), len(sites))
        traces += _bands(tables, one, color, f"y{suffix}", f"{title}, {frames.label_site(one)}")
        height = 1 / len(chosen)
        top = 1 - i * height
        axes[f"yaxis{suffix}"] = {
            "domain": [top - height + (0.03 if len(chosen) > 1 else 0), top - (0.03 if len(chosen) > 1 else 0)],
            "nticks": 8 if len(chosen) == 1 else 4,
            "zeroline": True,
        }
        notes.append({"xref": "paper", "x": 1, "xanchor": "right", "yref": "paper", "y": top, "yanchor": "top"})
        notes[-1] |= {"text": frames.label_site(one), "showarrow": False, "font": {"color": color}}
    axes["yaxis"]["title"] = {"text": word.lower()} if len(chosen) == 1 else None
    if len(chosen) > 1:
        middle = f"yaxis{'' if len(chosen) == 1 else 2}"
        axes[middle]["title"] = {"text": word.lower()}
    axes = {key: {k: v for k, v in value.items() if v is not None} for key, value in axes.items()}
    return layout.figure(
        traces,
        title=title,
        help=help,
        x=layout.axis("step", anchor=f"y{'' if len(chosen) == 1 else len(chosen)}"),
        y=axes.pop("yaxis"),
        over_steps=True,
        showlegend=False,
        annotations=notes if len(chosen) > 1 else [],
        **axes,
    )


def _range(low: np.ndarray, high: np.ndarray, counts: np.ndarray) -> tuple[float, float]:
    """The common axis: all values, or the widest row's 0.1 to 99.9 percentiles where the rest is far out."""
    finite = np.isfinite(low) & np.isfinite(high)
    if not finite.any():
        return -1.0, 1.0
    full = float(low[finite].min()), float(high[finite].max())
    edges = frames.percentiles(low, high, counts, (0.001, 0.999))[finite]
    inner = float(np.nanmin(edges[:, 0])), float(np.nanmax(edges[:, 1]))
    first, last = inner if full[1] - full[0] > 2 * (inner[1] - inner[0]) > 0 else full
    margin = (last - first) * 0.03 or max(abs(first), 1.0) * 0.1
    return first - margin, last + margin


def _reference(density: np.ndarray) -> tuple[float, bool]:
    """The density that reaches full height, and whether the highest bin is a spike that has to be cut there."""
    second, top = np.partition(density, -2)[-2:]
    if second > 0 and top > SPIKE * second:
        return 1.25 * second, True
    return top, bool(second == 0)


def _marks(x, y, text, symbol, size) -> dict:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": f4(x),
        "y": f4(y),
        "text": list(text),
        "hoverinfo": "text",
        "marker": {"symbol": symbol, "size": size, "color": theme.ALERT, "line": {"width": 1, "color": theme.ALERT}},
        "cliponaxis": False,
    }


def _decades(exponents: np.ndarray) -> list[tuple[float, str]]:
    """Ticks at powers of ten on an axis of powers of two."""
    if not len(exponents):
        return []
    first, last = exponents[0] * np.log10(2), (exponents[-1] + 1) * np.log10(2)
    every = max(1, int(np.ceil((last - first) / 7)))
    return [
        (k / np.log10(2), labels.power(k))
        for k in range(int(np.ceil(first)), int(np.floor(last)) + 1)
        if k % every == 0
    ]


def _bands(tables: Mapping, site: str, color: str, axis: str, name: str) -> list[dict]:
    """Two filled bands and the median of one layer, thinned so that the outer extremes stay."""
    steps, sites, _ = tables["50"]
    column = {p: table[:, sites.index(site)] for p, (_, _, table) in tables.items()}
    outer = np.stack([column["05"], column["95"]], axis=1)
    picked = np.unique(frames.thin_indices(outer, 250))
    x = i4(steps[picked])
    traces = []
    for low, high, alpha in (("05", "95", 0.18), ("25", "75", 0.35)):
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": np.concatenate([x, x[::-1]]),
                "y": f4(np.concatenate([column[high][picked], column[low][picked][::-1]])),
                "fill": "toself",
                "fillcolor": theme.faded(color, alpha),
                "line": {"width": 0},
                "hoverinfo": "skip",
                "yaxis": axis,
            }
        )
    words = (
        "p5 %{customdata[0]:.3g} · p25 %{customdata[1]:.3g} · <b>median %{y:.3g}</b> · p75 "
        "%{customdata[2]:.3g} · p95 %{customdata[3]:.3g}"
    )
    traces.append(
        {
            "type": "scatter",
            "mode": "lines",
            "x": x,
            "y": f4(column["50"][picked]),
            "line": {"color": color, "width": 2},
            "customdata": f4(np.stack([column[p][picked] for p in ("05", "25", "75", "95")], axis=1)),
            "hovertemplate": f"{name}, step %{{x}}<br>{words}<extra></extra>",
            "yaxis": axis,
        }
    )
    return traces
