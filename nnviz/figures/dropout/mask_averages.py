"""Weight scaling at test time against averages over masks."""

from collections.abc import Mapping

import numpy as np

from nnviz.figures.dropout.dropout_activations import masks_in_words
from nnviz.figures.kit import labels, layout, tables, theme
from nnviz.figures.kit.layout import f4

_TITLE = "Weight scaling against averages over masks"
_HELP = (
    "Each test sample's probability of its true class: evaluation mode, which scales the weights and drops nothing, "
    "against means of the thinned networks' probabilities over {masks}. Dashed: equal. Where a single softmax layer "
    "follows the dropout, weight scaling is the normalized geometric mean over all masks (Srivastava et al., 2014; "
    "Goodfellow et al., 2016, sec. 7.12); in deeper networks it is an approximation."
)
MEANS = {"geometric_mean": "geometric mean", "arithmetic_mean": "arithmetic mean"}


def mask_averages(arrays: Mapping[str, np.ndarray]) -> dict:
    """Probabilities of the true class under both means over masks, against those of weight scaling.

    `arrays` is the snapshot mask_averages: weight_scaling, arithmetic_mean, geometric_mean (samples,).
    """
    if not arrays:
        return layout.empty(_TITLE, _HELP.format(masks="many masks"))
    scaled = np.asarray(arrays["weight_scaling"], float)
    traces = []
    for (site, name), color, symbol in zip(
        MEANS.items(), (theme.POSITIVE, theme.NEGATIVE), ("circle", "diamond-open"), strict=True
    ):
        values = np.asarray(arrays[site], float)
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": f4(scaled),
                "y": f4(values),
                "name": f"{name} (largest difference {labels.number(float(np.abs(values - scaled).max()), 2)})",
                "marker": {"color": color, "symbol": symbol, "size": 6, "opacity": 0.75},
                "hovertemplate": f"weight scaling {labels.hover_number('x')}, {name} {labels.hover_number('y')}"
                "<extra></extra>",
            }
        )
    diagonal = {"type": "line", "x0": 0, "y0": 0, "x1": 1, "y1": 1, "layer": "below"}
    columns = {"sample": np.arange(len(scaled)) + 1, "true": np.asarray(arrays["true"]), "weight_scaling": scaled}
    return layout.figure(
        traces[::-1],
        title=_TITLE,
        help=_HELP.format(masks=masks_in_words(arrays)),
        x=layout.axis("p(true class), weight scaling", range=[-0.02, 1.02]),
        y=layout.axis("p(true class), mean over masks", range=[-0.02, 1.02]),
        table=[tables.rows(columns | {site: np.asarray(arrays[site], float) for site in MEANS})],
        shapes=[diagonal | {"line": {"dash": "dash", "width": 1.5}}],
    )
