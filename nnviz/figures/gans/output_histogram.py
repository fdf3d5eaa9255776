"""What the discriminator says of real and of generated samples."""

from collections.abc import Mapping

import numpy as np

from nnviz.figures.kit import layout, tables, theme
from nnviz.figures.kit.layout import f4

_HELP = (
    "Outputs of the discriminator for real and for generated samples. Separated: it distinguishes them; both "
    "around ½: it does not."
)


def output_histogram(histogram: Mapping[str, np.ndarray], *, output: str = "logit") -> dict:
    """Histograms of the outputs for real and generated samples: edges (n + 1,), fractions `real` and `generated` (n,).
    `output` is what the discriminator's output means: "logit", "target" or "score"."""
    title = "Discriminator outputs (histogram)"
    if not histogram:
        return layout.empty(title, _HELP)
    edges = np.asarray(histogram["edges"], float)
    middle, width = (edges[1:] + edges[:-1]) / 2, edges[1] - edges[0]
    traces = [
        {
            "type": "bar",
            "x": f4(middle),
            "y": f4(histogram[kind]),
            "width": float(width),
            "name": kind,
            "marker": {"color": theme.with_alpha(theme.ADVERSARIAL[kind], 0.6)},
            "hovertemplate": f"{kind}: %{{y:.1%}} at %{{x:.3~g}}<extra></extra>",
        }
        for kind in ("real", "generated")
    ]
    name = "score" if output == "score" else "D"
    return layout.figure(
        traces,
        title=title,
        help=_HELP,
        x=layout.axis(name, range=[float(edges[0]), float(edges[-1])]),
        y=layout.axis("fraction of samples", tickformat=".0%", rangemode="tozero"),
        barmode="overlay",
        table=[
            tables.rows(
                {"from": edges[:-1], "to": edges[1:], "real": histogram["real"], "generated": histogram["generated"]}
            )
        ],
    )
