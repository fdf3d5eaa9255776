"""How large values are, by powers of two: gradients and weights of all layers in one picture."""

from collections.abc import Mapping

import numpy as np

from nnviz.figures import labels, layout, theme
from nnviz.figures.layers import layer_sites
from nnviz.figures.layout import f4, i4

DECADES = np.log10(2)  # the width of a column: the axis is in powers of ten
_HELP = (
    "How many of a layer's values have which size, the first layer on top; a shift to the left from row to row is "
    "a gradient that vanishes on its way."
)


def exponent_histograms(
    arrays: Mapping[str, np.ndarray], title: str = "Gradients by size", *, role: str = "weight"
) -> dict:
    """The share of each layer's values between 2ᵉ and 2ᵉ⁺¹, as a heatmap layer (first on top) × size, logarithmic.

    `arrays` is the snapshot gradient_histogram or weight_histogram; both signs together. Exact zeros have a gray column
    at the left, values that are not finite a red one at the right, where there are any, each from 0 to 100 %. Only
    sizes that occur are shown.
    """
    found = [str(site) for site in arrays.get("sites", ())] if arrays else []
    sites = layer_sites(found, role)
    if not sites:
        return layout.empty(title, _HELP)
    rows = [found.index(site) for site in sites]
    exponents, shares, zero, nonfinite = shares_by_size(arrays, rows)
    ticks = _decades(exponents)
    left = ((exponents[0] if len(exponents) else 0) - 2.5) * DECADES
    right = ((exponents[-1] if len(exponents) else 0) + 3.5) * DECADES
    y = np.arange(len(sites)) + 1
    traces = []
    if len(exponents):
        peak = float(shares.max())
        bar = theme.colorbar("", tickformat=".0%", nticks=4)
        middles = (exponents + 0.5) * DECADES
        traces.append(_heatmap(middles, y, shares, theme.POSITIVE, peak, "of size about 10<sup>%{x:.1f}</sup>"))
        traces[-1] |= {"showscale": True, "colorbar": bar}
    for place, part, color, tick in ((left, zero, theme.NEUTRAL, "0"), (right, nonfinite, theme.ALERT, "∞, NaN")):
        if part.any():
            words = "exactly 0" if tick == "0" else "not finite"
            traces.append(
                _heatmap(place + np.array([-0.5, 0.5]) * DECADES, y, np.stack([part, part], 1), color, 1, words)
            )
            ticks.append((place, tick))
    places, texts = labels.depth_ticks(sites)
    return layout.figure(
        traces,
        title=title,
        help=_HELP,
        x=layout.axis(
            "size of the value", tickvals=[place for place, _ in ticks], ticktext=[t for _, t in ticks], showgrid=False
        ),
        y=layout.axis(
            "layer",
            range=[len(sites) + 0.5, 0.5],
            tickvals=[place + 1 for place in places],
            ticktext=texts,
            showgrid=False,
        ),
    )


def shares_by_size(
    arrays: Mapping[str, np.ndarray], rows: list[int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """For these rows: exponents from the smallest to the largest that occurs (K,), shares (rows, K), of zeros (rows,),
    of non-finite values (rows,). A row's shares sum to 1."""
    counts = (np.asarray(arrays["negative"], float) + np.asarray(arrays["positive"], float))[rows]
    zero, nonfinite = np.asarray(arrays["zero"], float)[rows], np.asarray(arrays["nonfinite"], float)[rows]
    size = np.maximum(counts.sum(1) + zero + nonfinite, 1)
    used = np.flatnonzero(counts.any(0))
    span = slice(used[0], used[-1] + 1) if len(used) else slice(0, 0)
    return np.asarray(arrays["exponents"], int)[span], counts[:, span] / size[:, None], zero / size, nonfinite / size


def _heatmap(x: np.ndarray, y: np.ndarray, z: np.ndarray, color: str, most: float, words: str) -> dict:
    return {
        "type": "heatmap",
        "x": f4(x),
        "y": i4(y),
        "z": f4(z),
        "zmin": 0,
        "zmax": most,
        "colorscale": theme.fading(color),
        "showscale": False,
        "hovertemplate": f"layer %{{y}}: %{{z:.1%}} of the values<br>{words}<extra></extra>",
    }


def _decades(exponents: np.ndarray) -> list[tuple[float, str]]:
    """Ticks at powers of ten, at most eight."""
    if not len(exponents):
        return []
    first, last = exponents[0] * DECADES, (exponents[-1] + 1) * DECADES
    every = max(1, int(np.ceil((last - first) / 7)))
    powers = range(int(np.ceil(first)), int(np.floor(last)) + 1)
    return [(k, labels.power(k)) for k in powers if k % every == 0]
