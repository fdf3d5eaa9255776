"""The training samples that are learned late or forgotten often, against those whose labels were replaced."""

from collections.abc import Sequence

import numpy as np

from nnviz.figures.kit import labels, layout, png_images, theme
from nnviz.figures.kit.layout import f4
from nnviz.figures.memorization.sample_groups import (
    CORRECT,
    REPLACED,
    Arrays,
    groups,
    hovers,
    is_replaced,
    nothing,
    table,
    times,
    training_labels,
)
from nnviz.figures.samples.data_points import drawn_indices

SHOWN = {"late": "learned late", "forgotten": "forgotten often"}
MOST_IMAGES = 15
_TITLES = {"late": "Training samples learned late", "forgotten": "Training samples forgotten often"}
_HELP = {
    "late": "Training samples by the first evaluation at which they were classified as their label says.",
    "forgotten": "Training samples by how often they were correct at one evaluation and wrong at the next.",
}
_OF_IMAGES = " The last or most often of all, {share} of them with replaced labels: label, true class if it is another."


def memorized_samples(arrays: Arrays, data: Arrays, *, show: str = "late") -> dict:
    """Images: those that come last or were forgotten most often, with their labels. Points of a plane: all, colored by
    the step or the number. Other data: all by both.

    `arrays` is the snapshot memorization (see `learned_steps`). Samples that were never learned come last of all.
    """
    title, help = _TITLES[show], _HELP[show]
    if not arrays or not data:
        return nothing(title, help, data)
    inputs = np.asarray(data["inputs"], float)[~np.asarray(data["test"], bool)]
    order = _order(arrays, show)
    if inputs.ndim == 4:
        return _images(inputs[:, 0], arrays, data, order[:MOST_IMAGES], show)
    if inputs.shape[1:] == (2,):
        return _map(inputs, arrays, data, show)
    return _scatter(arrays, data)


def _order(arrays: Arrays, show: str) -> np.ndarray:
    """Training samples (n,), the latest or the most often forgotten first."""
    first, forgotten = np.asarray(arrays["first_learned"], float), np.asarray(arrays["forgotten"])
    late = np.where(first < 0, np.inf, first)
    keys = (-forgotten, -late) if show == "late" else (-late, -forgotten)
    return np.lexsort(keys)


def _images(pixels: np.ndarray, arrays: Arrays, data: Arrays, rows: np.ndarray, show: str) -> dict:
    """A grid of images, those with replaced labels framed."""
    label, true = training_labels(data)
    replaced, hover = is_replaced(data), hovers(arrays, data)
    across, width, height = 5, 1.25, 1.6
    x, y = np.arange(len(rows)) % across * width, -(np.arange(len(rows)) // across) * height
    low, span = float(pixels.min()), float(np.ptp(pixels)) or 1.0
    gray, palette = (255 * (pixels[rows] - low) / span).astype(np.uint8), png_images.gray_palette()
    captions = [_caption(label[i], true[i], arrays, int(i), show) for i in rows]
    text = {"type": "scatter", "mode": "text", "x": f4(x), "y": f4(y - 0.55), "text": captions, "hoverinfo": "skip"}
    spots = {"type": "scatter", "mode": "markers", "x": f4(x), "y": f4(y), "marker": {"size": 40, "opacity": 0}}
    frame = {"type": "rect", "line": {"color": theme.ALERT, "width": 2.5}}
    hidden = {"visible": False, "constrain": "domain"}
    share = f"{replaced[rows].mean():.0%}" if len(rows) else "none"
    return layout.figure(
        [
            text | {"textposition": "bottom center", "textfont": {"size": theme.SMALL}, "cliponaxis": False},
            spots | {"text": [hover[i] for i in rows], "hovertemplate": "%{text}<extra></extra>"},
        ],
        title=_TITLES[show],
        help=_HELP[show] + _OF_IMAGES.format(share=share),
        x=hidden | {"range": [-0.65, (across - 1) * width + 0.65]},
        y=hidden | {"range": [(y[-1] if len(y) else 0) - 1.1, 0.6], "scaleanchor": "x"},
        table=table(arrays, data, rows),
        images=[
            png_images.layout_image(png_images.png(one, palette), left - 0.5, up + 0.5, 1, 1)
            for one, left, up in zip(gray, x, y, strict=True)
        ],
        shapes=[
            frame | {"x0": left - 0.5, "x1": left + 0.5, "y0": up - 0.5, "y1": up + 0.5}
            for i, left, up in zip(rows, x.tolist(), y.tolist(), strict=True)
            if replaced[i]
        ],
        showlegend=False,
        margin={"l": 2, "r": 2, "t": 2, "b": 2},
    )


def _caption(label: str, true: str, arrays: Arrays, sample: int, show: str) -> str:
    short, known = (labels.shorten(name.removeprefix("class "), 8) for name in (label, true))
    first = int(arrays["first_learned"][sample])
    late = "never" if first < 0 else f"step {first:,}"
    what = late if show == "late" else times(int(arrays["forgotten"][sample]))
    return f"<b>{short}</b>{'' if label == true else f' ({known})'}<br>{what}"


def _map(inputs: np.ndarray, arrays: Arrays, data: Arrays, show: str) -> dict:
    """Points of the plane, colored by the step at which they were learned or by how often they were forgotten."""
    hover = hovers(arrays, data)
    rows = drawn_indices(len(inputs))
    first, forgotten = np.asarray(arrays["first_learned"], float), np.asarray(arrays["forgotten"], float)
    values = forgotten if show == "forgotten" else np.log10(1 + np.where(first < 0, np.nan, first))
    top = float(np.nanmax(values, initial=0.0)) or 1.0
    bar = theme.colorbar("times<br>forgotten") if show == "forgotten" else _step_colorbar(top)
    scale = {"colorscale": theme.colorscale(), "cmin": 0.0, "cmax": top}
    traces = []
    for name, _, members in groups(data):
        part = rows[members[rows]]
        known = part[np.isfinite(values[part])]
        unknown = part[~np.isfinite(values[part])]
        symbol = "diamond" if name == REPLACED else "circle"
        outline = {"color": theme.ALERT, "width": 2} if name == REPLACED else {"color": theme.HALO, "width": 0.7}
        marker = {"symbol": symbol, "size": 8, "line": outline}
        colors = scale | ({} if traces else {"colorbar": bar}) | {"color": f4(values[known])}
        traces.append(_points(inputs, known, hover, name, marker | colors))
        if len(unknown):
            gray = marker | {"color": theme.with_alpha(theme.NEUTRAL, 0.6)}
            traces.append(_points(inputs, unknown, hover, f"{name}, not learned", gray))
    features = labels.feature_names(data, 2)
    return layout.figure(
        traces,
        title=_TITLES[show],
        help=f"{_HELP[show]} Diamonds with a red outline: {REPLACED}.",
        x=layout.axis(features[0]),
        y=layout.axis(features[1], scaleanchor="x"),
        table=table(arrays, data, rows),
    )


def _step_colorbar(top: float) -> dict:
    """Ticks at round steps on the scale of log10(1 + step)."""
    steps = [0, *(digit * 10**power for power in range(1, 7) for digit in (1, 3))]
    steps = [step for step in steps if np.log10(1 + step) <= top]
    ticks = {"tickvals": [float(np.log10(1 + step)) for step in steps], "ticktext": [f"{step:,}" for step in steps]}
    return theme.colorbar("step") | ticks


def _points(inputs: np.ndarray, rows: np.ndarray, hover: Sequence[str], name: str, marker: dict) -> dict:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": f4(inputs[rows, 0]),
        "y": f4(inputs[rows, 1]),
        "name": name,
        "marker": marker,
        "showlegend": True,
        "text": [hover[i] for i in rows],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _scatter(arrays: Arrays, data: Arrays) -> dict:
    """All samples by the step at which they were learned and how often they were forgotten, spread a little."""
    hover = hovers(arrays, data)
    rows = drawn_indices(len(hover))
    first, forgotten = np.asarray(arrays["first_learned"], float), np.asarray(arrays["forgotten"], float)
    learned = first >= 0
    spread = 0.6 * ((np.arange(len(first)) * 0.618034) % 1 - 0.5)
    traces = []
    for name, color, members in groups(data):
        part = rows[(members & learned)[rows]]
        marker = {"color": theme.with_alpha(color, 0.6 if name == CORRECT else 0.9), "size": 7}
        points = np.stack([first, forgotten + spread], 1)
        traces.append(_points(points, part, hover, name, marker))
    title = "Training samples by learning and forgetting"
    return layout.figure(
        traces,
        title=title,
        help="Each point is a training sample; those that were not learned are left out. Numbers are spread a little.",
        x=layout.axis("first learned at step", rangemode="tozero"),
        y=layout.axis("times forgotten"),
        table=table(arrays, data, rows),
    )
