"""The prediction over the input space, with the data."""

from collections.abc import Mapping, Sequence

import numpy as np

from nnviz.figures.kit import labels, layout, png_images, tables, theme
from nnviz.figures.kit.layout import f4
from nnviz.figures.samples import data_points
from nnviz.figures.samples.class_boundaries import class_boundaries

# Opacity at probability 1, so that points in the same colors stand out.
MAX_OPACITY = 0.5
# Along each side of the image.
MIN_PIXELS = 150
_SOFT_HELP = (
    "Color: predicted class; stronger color: higher confidence. Filled points are training samples, rings test samples."
)
_BORDERS_HELP = "Lines: boundaries between predicted classes. Filled points are training samples, rings test samples."
_REGRESSION_HELP = (
    "Background: prediction; points: data on the same color scale. A point that differs from its "
    "background is a large error."
)
_CURVE_HELP = "Line: prediction. Filled points are training samples, rings test samples."


def decision_surface(
    grid: Mapping[str, np.ndarray], data: Mapping[str, np.ndarray], *, style: str = "soft", title: str | None = None
) -> dict:
    """The prediction over a two-dimensional input plane, with at most 2,000 data points.

    `grid` is the snapshot decision_grid: x (G,), y (G,) and prediction (G, G), or probabilities and scores (G, G, C),
    rows along y; the predicted class has the largest score. Classification with `style` "soft": the predicted class's
    color, more opaque for higher probability; "borders": only the boundaries between classes. Regression: a heatmap on
    the targets' scale. The axes are the grid's, with equal units.
    """
    if style not in ("soft", "borders"):
        raise ValueError(f"decision_surface: style must be 'soft' or 'borders', got {style!r}")
    regression = bool(grid) and "prediction" in grid
    title = title or ("Prediction" if regression else "Decision surface")
    help = _REGRESSION_HELP if regression else _BORDERS_HELP if style == "borders" else _SOFT_HELP
    if not grid or not data:
        return layout.empty(title, help)
    x, y = np.asarray(grid["x"], float), np.asarray(grid["y"], float)
    images = []
    if regression:
        traces = _regression_traces(grid, data)
        cells = {"prediction": grid["prediction"]}
    else:
        probabilities, scores = (np.asarray(grid[name], np.float32) for name in ("probabilities", "scores"))
        classes = labels.class_names(data, probabilities.shape[-1])
        traces = [_hover_heatmap(probabilities, scores, x, y, classes)]
        if style == "soft":
            images = [_probability_image(probabilities, scores, x, y)]
        else:
            traces += class_boundaries(scores, x, y, {"color": theme.NEUTRAL, "width": 2})
        traces += data_points.by_class(data, classes)
        cells = {tuple(f"p({name})" for name in classes): grid["probabilities"]}
    across, along = labels.feature_names(data, 2)
    return layout.figure(
        traces,
        title=title,
        help=help,
        x=layout.axis(across, range=_pixel_range(x), constrain="domain", showgrid=False),
        y=layout.axis(along, range=_pixel_range(y), constrain="domain", showgrid=False, scaleanchor="x"),
        table=[tables.grid({"part": "grid", "y": y}, {"x": x}, cells), *data_points.table(data)],
        images=images,
        annotations=data_points.count_note(data),
        legend={"x": 0.5, "xanchor": "center"},
    )


def regression_curve(
    curve: Mapping[str, np.ndarray], data: Mapping[str, np.ndarray], *, title: str = "Fitted curve"
) -> dict:
    """The prediction over a one-dimensional input: `curve` has x (G,) and prediction (G,).

    The y axis covers the targets, so that extreme predictions do not flatten the data.
    """
    if not curve or not data:
        return layout.empty(title, _CURVE_HELP)
    targets, x = np.asarray(data["targets"], float), f4(curve["x"])
    margin = 0.15 * float(np.ptp(targets)) or 1.0
    low, high = float(targets.min()) - margin, float(targets.max()) + margin
    predicted = np.asarray(curve["prediction"], float)
    notes = data_points.count_note(data)
    if not ((predicted >= low) & (predicted <= high)).any():
        notes.append(layout.corner_note("the prediction is outside this plot", "top right"))
    line = {"type": "scatter", "mode": "lines", "x": x, "y": f4(curve["prediction"]), "name": "prediction"}
    hover = f"prediction {labels.hover_number('y')} at {labels.hover_number('x')}<extra></extra>"
    return layout.figure(
        [*data_points.on_curve(data), line | {"line": {"color": theme.POSITIVE, "width": 3}, "hovertemplate": hover}],
        title=title,
        help=_CURVE_HELP,
        x=layout.axis(labels.feature_names(data, 1)[0], range=[float(x.min()), float(x.max())]),
        y=layout.axis("target", range=[low, high]),
        table=[
            tables.rows({"part": "curve", "x": curve["x"], "prediction": curve["prediction"]}),
            *data_points.table(data),
        ],
        annotations=notes,
    )


def _pixel_range(axis: np.ndarray) -> list[float]:
    """The range of an axis whose pixels are centered on the grid points."""
    half = (axis[1] - axis[0]) / 2
    return [float(axis[0] - half), float(axis[-1] + half)]


def _probability_image(probabilities: np.ndarray, scores: np.ndarray, x: np.ndarray, y: np.ndarray) -> dict:
    """The plane as an image: the color of the predicted class, transparent at 1 / C, `MAX_OPACITY` at 1.

    Scores and logarithms of probabilities are interpolated, since they are nearly linear between grid points:
    boundaries become smooth.
    """
    count = probabilities.shape[-1]
    factor = max(1, round(MIN_PIXELS / len(x)))
    logs = _upsampled(np.log(np.maximum(np.nan_to_num(probabilities), 1e-7)), factor)
    confidence = np.clip((1 / np.exp(logs - logs.max(0)).sum(0) - 1 / count) / (1 - 1 / count), 0, 1)
    palette, levels = png_images.class_palette([theme.class_color(i) for i in range(count)], MAX_OPACITY)
    pixels = (_upsampled(scores, factor).argmax(0) * levels + (confidence * (levels - 1)).round()).astype(np.uint8)
    (left, right), (bottom, top) = _pixel_range(x), _pixel_range(y)
    return png_images.layout_image(png_images.png(pixels[::-1], palette), left, top, right - left, top - bottom)


def _upsampled(values: np.ndarray, factor: int) -> np.ndarray:
    """(G, G, C), interpolated, as (C, G · factor, G · factor) for pixels smaller than a grid cell."""
    values = np.moveaxis(values, -1, 0)
    for axis in (1, 2):
        size = values.shape[axis]
        position = np.clip((np.arange(size * factor) + 0.5) / factor - 0.5, 0, size - 1)
        left = np.minimum(position.astype(int), size - 2)
        weight = (position - left).astype(np.float32).reshape((-1, 1) if axis == 1 else -1)
        low, high = np.take(values, left, axis), np.take(values, left + 1, axis)
        values = low + (high - low) * weight
    return values


def _hover_heatmap(
    probabilities: np.ndarray, scores: np.ndarray, x: np.ndarray, y: np.ndarray, classes: Sequence[str]
) -> dict:
    """An invisible heatmap of about 40 × 40 points with every class's probability as hover text."""
    every = max(1, round(len(x) / 40))
    part = np.nan_to_num(probabilities[::every, ::every])
    lines = [f"{labels.shorten(name, 18)}: %{{customdata[{i}]}}%" for i, name in enumerate(classes)]
    return {
        "type": "heatmap",
        "x": f4(x[::every]),
        "y": f4(y[::every]),
        "z": scores[::every, ::every].argmax(-1).astype(np.uint8),
        "customdata": (100 * part).round().astype(np.uint8),
        "opacity": 0,
        "showscale": False,
        "hovertemplate": "<br>".join(lines) + "<extra></extra>",
    }


def _regression_traces(grid: Mapping[str, np.ndarray], data: Mapping[str, np.ndarray]) -> list[dict]:
    """A regression's prediction and its data, on one color scale over the range of the targets."""
    low, high = float(np.min(data["targets"])), float(np.max(data["targets"]))
    surface = {
        "type": "heatmap",
        "x": f4(grid["x"]),
        "y": f4(grid["y"]),
        "z": f4(grid["prediction"]),
        "zmin": low,
        "zmax": high,
        "colorscale": theme.colorscale(),
        "zsmooth": "fast",
        "colorbar": theme.colorbar("target"),
        "hovertemplate": f"prediction {labels.hover_number('z')}<extra></extra>",
    }
    return [surface, *data_points.by_value(data, {"colorscale": theme.colorscale(), "cmin": low, "cmax": high})]
