"""Which classes generated images are of, by a classifier."""

from collections.abc import Mapping

import numpy as np

from nnviz.figures.kit import labels, layout, tables, theme
from nnviz.figures.kit.layout import f4

_HELP = (
    "The classes of generated images by a small classifier that was trained on real ones, beside those of the data "
    "set. A class is missing where fewer images are of it with p > 0.9 than a tenth of its fraction in the data "
    "set.{accuracy}"
)


def class_histogram(histogram: Mapping[str, np.ndarray], accuracy: float | None = None) -> dict:
    """Fractions `generated` and `real` (classes,) of images, `class_names` and which are `missing` (classes,) bool;
    `accuracy` is the classifier's own, on images that it was not trained on."""
    title = "Classes of generated images"
    known = "" if accuracy is None else f" Its accuracy on held-out images is {labels.percent(accuracy)}."
    help = _HELP.format(accuracy=known)
    if not histogram:
        return layout.empty(title, help)
    count = len(histogram["real"])
    names = labels.class_names(histogram, count)
    shown = [labels.shorten(name, 14) for name in names]
    missing = [name for name, gone in zip(names, histogram["missing"], strict=True) if gone]
    traces = [
        {
            "type": "bar",
            "x": f4(np.arange(count)),
            "y": f4(histogram[kind]),
            "text": names,
            "textposition": "none",
            "name": kind,
            "marker": {"color": theme.with_alpha(theme.ADVERSARIAL[kind], opacity)},
            "hovertemplate": f"{kind} · %{{text}}: %{{y:.1%}}<extra></extra>",
        }
        for kind, opacity in (("generated", 0.85), ("real", 0.5))
    ]
    lines = [f"missing: {labels.shorten(', '.join(missing), 60)}" if missing else "no class is missing"]
    lines += [] if accuracy is None else [f"classifier's test accuracy {labels.percent(accuracy)}"]
    return layout.figure(
        traces,
        title=title,
        help=help,
        x=layout.axis("<br>".join(lines), tickvals=f4(np.arange(count)), ticktext=shown, showgrid=False),
        y=layout.axis("fraction of images", tickformat=".0%", rangemode="tozero"),
        barmode="group",
        bargap=0.25,
        table=[
            tables.rows(
                {
                    "class": names,
                    "generated": histogram["generated"],
                    "real": histogram["real"],
                    "missing": np.asarray(histogram["missing"], np.uint8),
                }
            )
        ],
    )
