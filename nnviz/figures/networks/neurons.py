"""Neurons of the diagram: maps, curves, images of weights, or discs; and their biases."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from nnviz.figures.kit import labels, png_images, theme
from nnviz.figures.kit.layout import f4
from nnviz.figures.networks.edges import round_up

PITCH = 1.25  # from neuron to neuron, in neuron sizes


class Column(NamedTuple):
    """One layer as drawn."""

    layer: int  # 0 is the input
    name: str
    x: float
    y: np.ndarray  # (shown,) of the neurons' centers, the first on top
    units: int  # in the layer
    size: float = 1.0  # of a neuron

    @property
    def is_image(self) -> bool:
        """Whether one image represents all neurons, as for the inputs of an image network."""
        return len(self.y) == 1 < self.units


def neuron_images(
    arrays: Mapping[str, np.ndarray],
    data: Mapping[str, np.ndarray],
    columns: Sequence[Column],
    classes: int,
    dropped: Mapping[int, np.ndarray],
) -> list[dict]:
    """Layout images of all neurons that have one, one strip per column; those of dropped units are empty, dropped
    pixels of an input image 0. `dropped` is bool by layer.

    Maps of a layer share one scale, orange below zero, blue above. Outputs of a classifier are probabilities: each
    class in its own color; a single output of two classes in orange and blue around one half.
    """
    strips = []
    last = columns[-1].layer
    for column in columns:
        tiles = _neuron_tiles(arrays, data, column)
        if tiles is None:
            continue
        if column.is_image:
            if column.layer in dropped:
                tiles = np.where(dropped[column.layer].reshape(tiles.shape), 0, tiles)
            low, span = float(tiles.min()), float(np.ptp(tiles)) or 1.0
            pixels, palette, background = (255 * (tiles - low) / span).astype(np.uint8), png_images.gray_palette(), 0
        elif column.layer == last and classes and np.nanmin(tiles) >= 0 and np.nanmax(tiles) <= 1:
            pixels, palette, background = _probabilities(tiles)
        else:
            limit = float(np.abs(tiles[np.isfinite(tiles)]).max(initial=0.0))
            pixels, palette, background = (
                png_images.diverging_indices(tiles, limit),
                png_images.diverging_palette(),
                127,
            )
        count, height, width = tiles.shape
        gap = round((PITCH - 1) * height) if count > 1 else 0
        padded = np.full((count, height + gap, width), background, np.uint8)
        padded[:, :height] = pixels
        if column.layer in dropped and not column.is_image:
            padded[dropped[column.layer][:count]] = background
        source = png_images.png(padded.reshape(-1, width), palette)
        left, top, size = column.x - column.size / 2, column.y[0] + column.size / 2, column.size
        strips.append(png_images.layout_image(source, left, top, size, size * count * (1 + gap / height)))
    return strips


def has_boxes(arrays: Mapping[str, np.ndarray], data: Mapping[str, np.ndarray], column: Column) -> bool:
    """Whether a column's neurons are boxes (with maps or images), not discs."""
    return f"maps_{column.layer}" in arrays or _neuron_tiles(arrays, data, column) is not None


def neuron_prefix(column: Column) -> str:
    """The name before a neuron's number: "layer 2, neuron", "input", "output"."""
    return column.name if column.name in ("input", "output") else f"{column.name}, neuron"


def outlines(columns: Sequence[Column]) -> dict:
    """The outlines of all boxes as one trace."""
    square = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5], [-0.5, -0.5], [np.nan, np.nan]])
    boxes = [np.array([column.x, y]) + column.size * square for column in columns for y in column.y]
    points = np.concatenate(boxes) if boxes else np.empty((0, 2))
    return _line(points[:, 0], points[:, 1], theme.with_alpha(theme.NEUTRAL, 0.8), 1)


def curves(arrays: Mapping[str, np.ndarray], columns: Sequence[Column]) -> list[dict]:
    """For 1-D inputs: every neuron's output over the input as a curve in its box, with one scale per layer."""
    x, y = [], []
    for column in columns:
        maps = arrays.get(f"maps_{column.layer}")
        if maps is None or maps.ndim != 2:
            continue
        values = np.asarray(maps, float)[: len(column.y)]
        limit = float(np.abs(values[np.isfinite(values)]).max(initial=0.0)) or 1.0
        for center, row in zip(column.y, values, strict=False):
            x += [column.x + column.size * np.linspace(-0.5, 0.5, len(row)), [np.nan]]
            y += [center + column.size * 0.44 * row / limit, [np.nan]]
    return [_line(np.concatenate(x), np.concatenate(y), theme.POSITIVE, 1.5)] if x else []


def biases(
    arrays: Mapping[str, np.ndarray],
    columns: Sequence[Column],
    in_box: Mapping[int, bool],
    disc: float,
    dropped: Mapping[int, np.ndarray],
) -> list[dict]:
    """A small square at every box's lower left corner, or the disc itself, in the color of the bias.

    `in_box` says which layers' neurons are boxes; `disc` is a disc's size in pixels. Inputs, and neurons without a
    bias, are gray discs; `dropped` units (bool by layer) have none.
    """
    boxes, discs = ([], [], []), ([], [], [])
    for column in columns:
        bias = arrays.get(f"bias_{column.layer}")
        if bias is None and in_box[column.layer]:
            continue
        shift = column.size / 2 if in_box[column.layer] else 0.0
        x, y, z = boxes if in_box[column.layer] else discs
        here = np.arange(len(column.y))
        if column.layer in dropped and not column.is_image:
            here = np.flatnonzero(~dropped[column.layer][: len(column.y)])
        x += [column.x - shift] * len(here)
        y += list(column.y[here] - shift)
        z += [0.0] * len(here) if bias is None else list(np.asarray(bias, float)[here])
    values = np.array(boxes[2] + discs[2])
    limit = round_up(float(np.abs(values[np.isfinite(values)]).max(initial=0.0)))
    traces = []
    for (x, y, z), symbol, size in ((boxes, "square", max(5.0, 0.3 * disc)), (discs, "circle", disc)):
        if x:
            marker = {"symbol": symbol, "size": size, "color": f4(z), "colorscale": theme.opaque_diverging()}
            marker |= {"cmin": -limit, "cmax": limit, "line": {"width": 1, "color": theme.NEUTRAL}}
            traces.append({"type": "scatter", "mode": "markers", "x": f4(x), "y": f4(y), "marker": marker})
            traces[-1]["hoverinfo"] = "skip"
    return traces


def hover_markers(
    arrays: Mapping[str, np.ndarray], columns: Sequence[Column], size: float, dropped: Mapping[int, np.ndarray]
) -> dict:
    """Invisible markers with hover texts: name, bias and range of the output of each neuron, and whether it is
    dropped."""
    text = []
    for column in columns:
        bias, maps = arrays.get(f"bias_{column.layer}"), arrays.get(f"maps_{column.layer}")
        if maps is not None:
            maps = np.asarray(maps, np.float32).reshape(len(maps), -1)
            low, high = maps.min(1), maps.max(1)
        for i in range(len(column.y)):
            lines = [f"{neuron_prefix(column)} {i + 1}" if not column.is_image else "the first sample"]
            if column.layer:
                lines.append("no bias" if bias is None else f"bias {labels.number(float(bias[i]), 4)}")
            if maps is not None and i < len(maps):
                lines.append(
                    f"from {labels.number(float(low[i]), 4)} to {labels.number(float(high[i]), 4)} over the inputs"
                )
            if column.layer in dropped and not column.is_image and dropped[column.layer][i]:
                lines.append("dropped for this sample")
            text.append("<br>".join(lines))
    return {
        "type": "scatter",
        "mode": "markers",
        "x": f4([column.x for column in columns for _ in column.y]),
        "y": f4(np.concatenate([column.y for column in columns])),
        "text": text,
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"size": size, "opacity": 0},
    }


def _neuron_tiles(
    arrays: Mapping[str, np.ndarray], data: Mapping[str, np.ndarray], column: Column
) -> np.ndarray | None:
    """The images of a column's neurons (shown, height, width), top row first; None if there are none."""
    maps = arrays.get(f"maps_{column.layer}")
    if maps is not None:
        return np.asarray(maps, np.float32)[: len(column.y), ::-1] if maps.ndim == 3 else None
    shape = labels.image_shape(data)
    if len(shape) != 2 or column.layer > 1:
        return None
    if column.layer == 0:
        return np.asarray(data["inputs"], np.float32)[0]
    return np.asarray(arrays["weight_1"], np.float32)[: len(column.y)].reshape(-1, *shape)


def _probabilities(tiles: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Pixels, palette and its transparent entry for outputs (classes or 1, M, M) in 0..1."""
    if len(tiles) == 1:
        return png_images.diverging_indices(2 * tiles - 1, 1.0), png_images.diverging_palette(), 127
    palette, steps = png_images.class_palette([theme.class_color(i) for i in range(len(tiles))], alpha=1.0)
    first = np.arange(len(tiles))[:, None, None] * steps
    return (first + (np.nan_to_num(tiles) * (steps - 1)).round()).astype(np.uint8), palette, 0


def _line(x: np.ndarray, y: np.ndarray, color: str, width: float) -> dict:
    line = {"color": color, "width": width}
    return {"type": "scatter", "mode": "lines", "x": f4(x), "y": f4(y), "line": line, "hoverinfo": "skip"}
