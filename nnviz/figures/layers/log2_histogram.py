"""Histograms of the magnitudes of gradients or weights of all layers, with bins between powers of two."""

from collections.abc import Mapping, Sequence

import numpy as np

from nnviz import frames
from nnviz.figures.kit import labels, layout, tables, theme
from nnviz.figures.kit.layout import f4, i4

DECADES_PER_BIN = np.log10(2)  # the axis is in powers of ten
SUBNORMAL_EXPONENT = -127  # the bin of all values below 2⁻¹²⁶
EDGE_BIN = (-0.5, 0.5)  # the edges of the bins of zeros and of non-finite values
_HELP = (
    "Distribution of the magnitudes of each layer's values, the first layer on top; a shift from row to row is a "
    "vanishing or exploding gradient."
)


def log2_histograms(
    arrays: Mapping[str, np.ndarray],
    layers: frames.Layers,
    title: str = "Gradient magnitudes (histogram)",
    *,
    role: str = "weight",
) -> dict:
    """The fraction of each layer's values with magnitude between 2ᵉ and 2ᵉ⁺¹, as a heatmap layer × magnitude.

    `arrays` is the snapshot gradient_histogram or weight_histogram; both signs are added. Exact zeros have a gray bin
    at the left, non-finite values a red one at the right, each from 0 to 100 %. Only magnitudes that occur are shown;
    the bin of exponent −127 contains all nonzero values below 2⁻¹²⁶.
    """
    found = [str(site) for site in arrays.get("sites", ())] if arrays else []
    sites = layers.one_per_layer(found, role)
    if not sites:
        return layout.empty(title, _HELP)
    exponents, fractions, zero, nonfinite = fractions_by_exponent(arrays, [found.index(site) for site in sites])
    first, last = (exponents[0], exponents[-1] + 1) if len(exponents) else (-10, 0)
    edges = np.arange(first, last + 1) * DECADES_PER_BIN
    names = [layers.label(site) for site in sites]
    tiny = int(len(exponents) > 0 and exponents[0] == SUBNORMAL_EXPONENT)
    bins = [
        _heatmap(edges[tiny:], fractions[:, tiny:], "magnitude about 10<sup>%{x:.1f}</sup>", names),
        *(
            [_heatmap(edges[:2], fractions[:, :1], "below 2<sup>−126</sup>, but not 0 (subnormal)", names)]
            if tiny
            else []
        ),
    ]
    edge_style = {"zmin": 0, "zmax": 1, "showscale": False}
    zeros = _heatmap(EDGE_BIN, zero[:, None], "exactly 0", names) | edge_style | {"xaxis": "x2"}
    others = _heatmap(EDGE_BIN, nonfinite[:, None], "not finite", names) | edge_style | {"xaxis": "x3"}
    tick_indices, texts = labels.depth_ticks([layers.tick(site) for site in sites])
    ticks = {"tickvals": [index + 1 for index in tick_indices], "ticktext": texts}
    power = {"tickprefix": "10<sup>", "ticksuffix": "</sup>", "nticks": 6, "showgrid": False, "domain": [0.08, 0.92]}
    narrow = {"range": list(EDGE_BIN), "tickvals": [0], "showgrid": False, "fixedrange": True, "anchor": "y"}
    bin_edges = {"from": 2.0**exponents, "to": 2.0 ** (exponents + 1)}
    return layout.figure(
        [
            *(trace | {"coloraxis": "coloraxis"} for trace in bins),
            zeros | {"colorscale": theme.from_transparent(theme.NEUTRAL)},
            others | {"colorscale": theme.from_transparent(theme.ALERT)},
        ],
        title=title,
        help=_HELP,
        x=layout.axis("magnitude", range=[float(edges[0]), float(edges[-1])], **power),
        y=layout.axis("layer", range=[len(sites) + 0.5, 0.5], showgrid=False, anchor="x2", **ticks),
        table=[
            tables.grid({"site": sites}, bin_edges, {"fraction": fractions}),
            tables.grid({"site": sites, "from": 0.0, "to": 0.0}, {}, {"fraction": zero[:, None]}),
            tables.grid({"site": sites, "from": np.inf, "to": np.inf}, {}, {"fraction": nonfinite[:, None]}),
        ],
        xaxis2=narrow | {"domain": [0, 0.04], "ticktext": ["0"]},
        xaxis3=narrow | {"domain": [0.96, 1], "ticktext": ["∞"]},
        coloraxis={
            "cmin": 0,
            "cmax": float(fractions.max(initial=0.0)) or 1.0,
            "colorscale": theme.from_transparent(theme.POSITIVE),
            "colorbar": theme.colorbar("", tickformat=".0%", nticks=4),
        },
    )


def fractions_by_exponent(
    arrays: Mapping[str, np.ndarray], rows: list[int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Exponents from the smallest to the largest that occurs (K,), and of these rows the fractions of values per
    exponent (rows, K), of zeros (rows,) and of non-finite values (rows,), which sum to 1."""
    counts = (np.asarray(arrays["negative"], float) + np.asarray(arrays["positive"], float))[rows]
    zero, nonfinite = np.asarray(arrays["zero"], float)[rows], np.asarray(arrays["nonfinite"], float)[rows]
    total = np.maximum(counts.sum(1) + zero + nonfinite, 1)
    used = np.flatnonzero(counts.any(0))
    span = slice(used[0], used[-1] + 1) if len(used) else slice(0, 0)
    return np.asarray(arrays["exponents"], int)[span], counts[:, span] / total[:, None], zero / total, nonfinite / total


def _heatmap(edges: Sequence[float], z: np.ndarray, bin_text: str, names: Sequence[str]) -> dict:
    row, text = labels.row_hover(names, z.shape[1])
    return {
        "type": "heatmap",
        "x": f4(edges),
        "y": i4(np.arange(len(z)) + 1),
        "z": f4(z),
        "hovertemplate": f"{row}: %{{z:.1%}} of the values<br>{bin_text}<extra></extra>",
        **text,
    }
