"""Test samples about which thinned networks disagree most."""

from collections.abc import Mapping

import numpy as np

from nnviz.figures.dropout.dropout_activations import masks_in_words
from nnviz.figures.kit import labels, layout, png_images, tables, theme
from nnviz.figures.kit.layout import f4

MOST = 6
_TITLE = "Most uncertain test samples"
_HELP = (
    "Dropout is left on for predictions (Monte-Carlo dropout; Gal & Ghahramani, 2016). The test samples with the "
    "largest mutual information of class and mask, over {masks}: each bar is the mean probability of a class, its "
    "whisker one standard deviation over the masks. An outline marks the true class."
)


def uncertain_samples(arrays: Mapping[str, np.ndarray], data: Mapping[str, np.ndarray]) -> dict:
    """Class probabilities over masks of the most uncertain test samples, at most six, with their images.

    `arrays` is the snapshot uncertain_samples: inputs (k, …), true (k,), mean and std (k, classes), information (k,).
    """
    if not arrays or not data or len(arrays["true"]) == 0:
        return layout.empty(_TITLE, _HELP.format(masks="many masks"))
    mean, std = (np.asarray(arrays[name], float)[:MOST] for name in ("mean", "std"))
    information, true = np.asarray(arrays["information"], float)[:MOST], np.asarray(arrays["true"], int)[:MOST]
    count, classes = mean.shape
    names = labels.class_names(data, classes)
    pitch = classes + 1.5
    starts = np.arange(count) * pitch
    traces = []
    for i, name in enumerate(names):
        traces.append(
            {
                "type": "bar",
                "x": f4(starts + i),
                "y": f4(mean[:, i]),
                "width": 0.9,
                "name": labels.shorten(name.removeprefix("class "), 12),
                "marker": {"color": theme.class_color(i)},
                "error_y": {"type": "data", "array": f4(std[:, i]), "thickness": 1, "width": 2, "color": theme.NEUTRAL},
                "customdata": f4(std[:, i]),
                "hovertemplate": f"p({name}) {labels.hover_number('y')} ± {labels.hover_number('customdata')}"
                "<extra></extra>",
            }
        )
    traces.append(
        {
            "type": "bar",
            "x": f4(starts + true),
            "y": f4(mean[np.arange(count), true]),
            "width": 0.9,
            "name": "true class",
            "marker": {"color": theme.TRANSPARENT, "line": {"color": theme.MARKER_OUTLINE, "width": 2}},
            "hoverinfo": "skip",
        }
    )
    images = _images(arrays, starts, pitch)
    centers = starts + (classes - 1) / 2
    text = [
        f"true {labels.shorten(names[t].removeprefix('class '), 11)}<br>{labels.number(v, 2)} bits"
        for t, v in zip(true, information, strict=True)
    ]
    down = {
        "rank": np.arange(count) + 1,
        "true": [names[t] for t in true],
        "information": np.asarray(arrays["information"])[:MOST],
    }
    cells = {"mean": mean, "std": std}
    return layout.figure(
        traces,
        title=_TITLE,
        help=_HELP.format(masks=masks_in_words(arrays)),
        x={
            "tickvals": list(map(float, centers)),
            "ticktext": text,
            "showgrid": False,
            "range": [-1, starts[-1] + classes],
        },
        y=layout.axis("probability", range=[0, 1.75 if images else 1.1], tickvals=[0, 0.5, 1]),
        table=[tables.grid(down, {"class": names}, cells)],
        images=images,
        barmode="overlay",
    )


def _images(arrays: Mapping[str, np.ndarray], starts: np.ndarray, pitch: float) -> list[dict]:
    """The samples above their bars, where they are images."""
    inputs = np.asarray(arrays["inputs"], float)[:MOST]
    if inputs.ndim != 4:
        return []
    low, span = float(inputs.min()), float(np.ptp(inputs)) or 1.0
    pixels = (255 * (inputs[:, 0] - low) / span).astype(np.uint8)
    images = []
    for start, one in zip(starts, pixels, strict=True):
        source = png_images.png(one, png_images.gray_palette())
        image = png_images.layout_image(source, float(start) - 0.5, 1.72, pitch - 1.5, 0.55)
        images.append(image | {"sizing": "contain"})
    return images
