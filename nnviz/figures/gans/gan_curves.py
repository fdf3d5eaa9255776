"""Curves of adversarial training with the lines that they are read against."""

from collections.abc import Mapping

import pandas as pd

from nnviz.figures.comparisons.overlays import overlay
from nnviz.figures.kit import theme
from nnviz.figures.training.curves import PERCENT_QUANTITIES

TITLES = {
    "modes_covered": "Modes covered",
    "mass_covered": "Mass covered",
    "high_quality_fraction": "High-quality samples",
    "jensen_shannon": "Jensen–Shannon divergence",
    "mmd": "Maximum mean discrepancy",
    "discriminator_output": "Mean output of the discriminator",
    "optimal_gap": "Distance to the optimal discriminator",
    "loss": "Losses",
    "confident_fraction": "Confidently classified images",
    "classes_covered": "Classes covered",
    "label_accuracy": "Images of the requested class",
    "diversity": "Diversity",
    "nearest_distance": "Distance to the nearest real image",
    "pixel_discrepancy": "Maximum mean discrepancy of pixels",
}
HELP = {
    "modes_covered": "A mode is covered if at least 20 of 2,500 generated samples lie within 3σ of its center.",
    "mass_covered": "The fraction of the data's mass in those of 16 × 16 cells over [−3, 3]² that have at least a "
    "quarter of the generated samples that they have of real ones on average.",
    "high_quality_fraction": "The fraction of generated samples within 3σ of a center or curve of the data.",
    "jensen_shannon": "Divergence of 2,500 generated from 2,500 real samples on a 12 × 12 grid: 0 for equal, 1 bit for "
    "disjoint distributions. The dashed line is what two sets of real samples give.",
    "mmd": "Squared maximum mean discrepancy of 500 generated and 500 real samples (unbiased, so it may be below 0). "
    "The dashed line is what two sets of real samples give.",
    "discriminator_output": "Mean output of the discriminator for real and for generated samples; ½ for both where it "
    "cannot tell them apart.",
    "optimal_gap": "Root mean square of learned minus optimal discriminator over real and generated samples.",
    "loss": "Losses of both networks before each update. Dashed: their values at the equilibrium, where the "
    "generator's distribution is that of the data.",
    "confident_fraction": "The fraction of 200 generated images to which a small classifier gives a class with "
    "p > 0.9. It was trained on real images; the dashed line is the same fraction of real images that it has not seen.",
    "classes_covered": "A class is covered if at least a tenth as many generated images as real ones are of it with "
    "p > 0.9, by a small classifier trained on real images.",
    "label_accuracy": "The fraction of 200 generated images that a small classifier assigns to the class that the "
    "generator was given.",
    "diversity": "Root mean square difference of two generated images of one class, pixels in [−1, 1]. The dashed line "
    "is that of two real images: below it the samples vary less than the data.",
    "nearest_distance": "Median distance of generated images to the nearest real one: root mean square difference of "
    "pixels in [−1, 1]. The dashed line is that of a real image to the nearest other one; memorized images are far "
    "below it.",
    "pixel_discrepancy": "Squared maximum mean discrepancy between generated and real images over their pixels "
    "(Gaussian kernels; unbiased, so it may be below 0): 0 for equal distributions; it rises where kinds of images are "
    "missing as well as where images are bad. The dashed line is what two sets of real images give.",
}


COUNTS = ("modes_covered", "classes_covered")
"""Quantities that are whole numbers."""


def gan_curves(
    runs: Mapping[str, pd.DataFrame],
    quantity: str,
    references: Mapping[str, float] | None = None,
    **options: object,
) -> dict:
    """Curves of one quantity of one or several runs, and a dashed line at each of `references`, by name. `options` are
    those of `curves`."""
    figure = overlay(runs, quantity, title=TITLES.get(quantity), **options)
    meta = figure["layout"]["meta"] | {"help": HELP.get(quantity, figure["layout"]["meta"]["help"])}
    layout = figure["layout"] | {"meta": meta}
    if quantity in COUNTS:
        figure = figure | {"data": [_with_whole_number(trace) for trace in figure["data"]]}
    if not figure["data"] or not references:
        return figure | {"layout": layout}
    frames = [frame[(frame["quantity"] == quantity).to_numpy()] for frame in runs.values()]
    form = ".1%" if quantity in PERCENT_QUANTITIES else ".3g"
    last = max((int(frame["step"].max()) for frame in frames if len(frame)), default=1)
    lines = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": [0, max(last, 1)],
            "y": [value, value],
            "name": f"{name} {value:{form}}",
            "line": {"color": theme.MARKER_OUTLINE, "width": 1.3, "dash": "dash"},
            "hovertemplate": f"{name}: {value:{form}}<extra></extra>",
        }
        for name, value in references.items()
        if layout["yaxis"].get("type") != "log" or value > 0
    ]
    return {"data": [*figure["data"], *lines], "layout": layout}


def _with_whole_number(trace: dict) -> dict:
    """The trace with its value in the legend, here and in the board, as a whole number."""
    follow = trace.get("meta", {}).get("follow")
    if follow is None:
        return trace
    last = follow.get("values", trace["y"])[-1]
    return trace | {
        "name": f"{follow['name']} {last:.0f}",
        "meta": trace["meta"] | {"follow": follow | {"is_count": True}},
    }
