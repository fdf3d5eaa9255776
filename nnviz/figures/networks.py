"""The network as a diagram: what every neuron computes, every weight and every bias."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from nnviz import frames
from nnviz.figures import images, labels, layout, theme
from nnviz.figures.boundaries import class_names
from nnviz.figures.layout import f4
from nnviz.figures.wires import ceiling, wires

MOST_UNITS = 16
MOST_LAYERS = 8
PITCH = 1.25  # neuron to neuron, in neuron sizes
_TITLE = "Network"
_HELP = (
    "Each box shows what a neuron computes over the input plane, orange below zero and blue above; "
    "lines are weights, the little squares biases."
)
_DISC_HELP = (
    "Each disc is a neuron in the color of its bias, orange below zero and blue above; lines are "
    "weights, as wide as they are large."
)
_IMAGE_HELP = (
    "Pictures in the first layer are the weights with which each neuron looks at the image; lines "
    "are weights, the squares biases."
)


class Column(NamedTuple):
    """One layer as drawn: 0 is the input."""

    layer: int
    x: float
    y: np.ndarray  # (shown,) of the neurons' centers, the first on top
    units: int  # how many there are


def network(
    arrays: Mapping[str, np.ndarray],
    data: Mapping[str, np.ndarray],
    layers: Mapping[str, np.ndarray],
    *,
    reference: float | None = None,
) -> dict:
    """The diagram of an MLP from the snapshots network, data and layers.

    A neuron is a map over the input plane where there are maps (2-D inputs; a small curve for 1-D), the picture of its
    incoming weights in the first layer of an image network, else a disc in the color of its bias. Maps of one layer
    share one color scale. Lines are orange for negative and blue for positive weights, their width linear in |w| up to
    `reference` (None: the next 1, 2 or 5 above the largest). At most 16 neurons a layer and 8 layers are drawn, and the
    picture says so.
    """
    depth = _depth(arrays)
    if not depth or not layers:
        return layout.empty(_TITLE, _HELP)
    shape = [int(n) for n in data.get("image_shape", ())] if data else []
    columns, gap = _columns(arrays, depth, as_picture=len(shape) == 2)
    rows = max(len(column.y) for column in columns)
    height = max(rows, 4) * PITCH
    reference = reference or ceiling(max(_largest(arrays[f"weight_{i + 1}"]) for i in range(depth)))
    by_layer = {column.layer: column for column in columns}
    traces = []
    for column in columns:
        source = by_layer.get(column.layer - 1)
        if source is None:
            continue
        weights = np.asarray(arrays[f"weight_{column.layer}"], float)
        if source.layer == 0 and len(shape) == 2:
            traces.append(_fan(source, column))
        else:
            part = weights[: len(column.y), : len(source.y)]
            words = (_name(layers, source.layer), _name(layers, column.layer))
            traces += wires(part, (source.x + 0.5, source.y), (column.x - 0.5, column.y), reference, words, rows)
    pictures, kinds = _pictures(arrays, data, columns, shape)
    boxes = [column for column in columns if column.layer in kinds]
    traces += _frames(boxes) + _curves(arrays, columns)
    traces += _biases(arrays, columns, kinds, height)
    traces += [_neurons(arrays, columns, layers), _headers(columns, layers, height), *_ends(columns, data)]
    notes = [_note(f"widest line: |weight| = {labels.number(reference, 1)}", 1, "right")]
    if gap:
        notes.append({"x": gap[0], "y": 0, "text": f"…<br>{gap[1]} layers<br>not drawn", "showarrow": False})
    pad = 0.24 * height
    wide = {"visible": False, "range": [columns[0].x - 0.6 - pad, columns[-1].x + 0.6 + pad], "constrain": "domain"}
    tall = {"visible": False, "range": [-height / 2 - 0.09 * height, height / 2 + 0.2 * height], "constrain": "domain"}
    maps = any(f"maps_{i}" in arrays for i in range(depth + 1))
    return layout.figure(
        traces,
        title=_TITLE,
        help=_HELP if maps else _IMAGE_HELP if len(shape) == 2 else _DISC_HELP,
        x=wide,
        y=tall | {"scaleanchor": "x"},
        images=pictures,
        showlegend=False,
        annotations=notes,
        margin={"l": 2, "r": 2, "t": 2, "b": 2},
        hoverdistance=12,
    )


def _depth(arrays: Mapping[str, np.ndarray]) -> int:
    depth = 0
    while arrays and f"weight_{depth + 1}" in arrays:
        depth += 1
    return depth


def _largest(weights: np.ndarray) -> float:
    finite = np.abs(weights[np.isfinite(weights)])
    return float(finite.max()) if finite.size else 0.0


def _columns(
    arrays: Mapping[str, np.ndarray], depth: int, as_picture: bool
) -> tuple[list[Column], tuple[float, int] | None]:
    """The columns drawn, from left to right, and where layers are left out: (x, how many)."""
    units = [arrays["weight_1"].shape[1]] + [len(arrays[f"weight_{i + 1}"]) for i in range(depth)]
    kept = list(range(depth + 1))
    if depth > MOST_LAYERS:
        kept = [0, 1, 2, 3, depth - 2, depth - 1, depth]
    shown = {i: 1 if i == 0 and as_picture else min(units[i], MOST_UNITS) for i in kept}
    height = max(*shown.values(), 4) * PITCH
    places = len(kept) + (1 if len(kept) <= depth else 0)
    pitch = max(2.0, 1.25 * height / max(places - 1, 1))
    columns, gap = [], None
    for place, layer in enumerate(kept):
        skipped = len(kept) <= depth and place > 3
        y = ((shown[layer] - 1) / 2 - np.arange(shown[layer])) * PITCH
        columns.append(Column(layer, pitch * (place + skipped), y, units[layer]))
    if len(kept) <= depth:
        gap = (pitch * 4, depth + 1 - len(kept))
    return columns, gap


def _name(layers: Mapping[str, np.ndarray], layer: int) -> str:
    return "input" if layer == 0 else frames.label_site(str(layers["sites"][layer - 1]))


def _pictures(
    arrays: Mapping[str, np.ndarray], data: Mapping[str, np.ndarray], columns: Sequence[Column], shape: Sequence[int]
) -> tuple[list[dict], set[int]]:
    """Layout images, one a column, and the layers whose neurons are boxes instead of discs."""
    pictures, boxes = [], set()
    for column in columns:
        maps = arrays.get(f"maps_{column.layer}")
        if maps is not None and maps.ndim == 3:
            tiles = np.asarray(maps, np.float32)[: len(column.y), ::-1]
        elif len(shape) == 2 and column.layer == 1:
            tiles = np.asarray(arrays["weight_1"], np.float32)[: len(column.y)].reshape(-1, *shape)
        elif len(shape) == 2 and column.layer == 0:
            sample = np.asarray(data["inputs"], float)[0].reshape(shape)
            span = np.ptp(sample) or 1.0
            pixels = (255 * (sample - sample.min()) / span).astype(np.uint8)
            pictures.append(images.placed(images.png(pixels, images.gray_palette()), column.x - 0.5, 0.5, 1, 1))
            boxes.add(0)
            continue
        else:
            if maps is not None:
                boxes.add(column.layer)
            continue
        boxes.add(column.layer)
        pictures.append(_strip(tiles, column))
    return pictures, boxes


def _strip(tiles: np.ndarray, column: Column) -> dict:
    """All maps (units, M, M) of a column, top row first, as one picture with clear gaps between them."""
    count, tall, wide = tiles.shape
    between = round((PITCH - 1) * tall)
    limit = float(np.abs(tiles[np.isfinite(tiles)]).max(initial=0.0)) or 1.0
    pixels = np.full((count, tall + between, wide), 127, np.uint8)
    pixels[:, :tall] = images.signed(tiles, limit)
    source = images.png(pixels.reshape(-1, wide), images.diverging_palette())
    step = 1 + between / tall
    return images.placed(source, column.x - 0.5, column.y[0] + 0.5, 1, count * step)


def _frames(columns: Sequence[Column]) -> list[dict]:
    """The outlines of all boxes as one trace."""
    x, y = [], []
    for column in columns:
        for center in column.y:
            x += [column.x - 0.5, column.x + 0.5, column.x + 0.5, column.x - 0.5, column.x - 0.5, np.nan]
            y += [center - 0.5, center - 0.5, center + 0.5, center + 0.5, center - 0.5, np.nan]
    line = {"color": theme.faded(theme.NEUTRAL, 0.8), "width": 1}
    return (
        [{"type": "scatter", "mode": "lines", "x": f4(x), "y": f4(y), "line": line, "hoverinfo": "skip"}] if x else []
    )


def _curves(arrays: Mapping[str, np.ndarray], columns: Sequence[Column]) -> list[dict]:
    """For one-dimensional inputs: every neuron's output over the input as a small curve in its box."""
    x, y = [], []
    for column in columns:
        maps = arrays.get(f"maps_{column.layer}")
        if maps is None or maps.ndim != 2:
            continue
        values = np.asarray(maps, float)[: len(column.y)]
        limit = float(np.abs(values[np.isfinite(values)]).max(initial=0.0)) or 1.0
        for center, row in zip(column.y, values, strict=False):
            x.append(np.append(column.x + np.linspace(-0.5, 0.5, len(row)), np.nan))
            y.append(np.append(center + 0.45 * row / limit, np.nan))
    if not x:
        return []
    line = {"color": theme.POSITIVE, "width": 1.5}
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": f4(np.concatenate(x)),
            "y": f4(np.concatenate(y)),
            "line": line,
            "hoverinfo": "skip",
        }
    ]


def _biases(arrays: Mapping[str, np.ndarray], columns: Sequence[Column], boxes: set[int], height: float) -> list[dict]:
    """A small square at every box's corner, or the disc itself, in the color of the bias."""
    parts = {True: ([], [], []), False: ([], [], [])}
    for column in columns:
        bias = arrays.get(f"bias_{column.layer}")
        boxed = column.layer in boxes
        if bias is None and boxed:
            continue
        values = np.zeros(len(column.y)) if bias is None else np.asarray(bias, float)[: len(column.y)]
        x, y, z = parts[boxed]
        x += [column.x - (0.5 if boxed else 0)] * len(column.y)
        y += list(column.y - (0.5 if boxed else 0))
        z += list(values)
    largest = max([abs(v) for _, _, z in parts.values() for v in z if np.isfinite(v)], default=0.0)
    disc = float(np.clip(0.7 * 270 / (1.29 * height), 7, 26))
    traces = []
    for boxed, (x, y, z) in parts.items():
        if x:
            marker = {
                "symbol": "square" if boxed else "circle",
                "size": 7 if boxed else disc,
                "color": f4(z),
                "colorscale": theme.solid_diverging(),
                "cmin": -ceiling(largest),
                "cmax": ceiling(largest),
                "line": {"width": 1, "color": theme.NEUTRAL},
            }
            traces.append(
                {"type": "scatter", "mode": "markers", "x": f4(x), "y": f4(y), "marker": marker, "hoverinfo": "skip"}
            )
    return traces


def _neurons(
    arrays: Mapping[str, np.ndarray],
    columns: Sequence[Column],
    layers: Mapping[str, np.ndarray],
) -> dict:
    """Invisible markers that say what each neuron is, its bias and the range of its map."""
    x, y, text = [], [], []
    for column in columns:
        bias, maps = arrays.get(f"bias_{column.layer}"), arrays.get(f"maps_{column.layer}")
        where = _name(layers, column.layer)
        for i, center in enumerate(column.y):
            words = [f"{where} {i + 1}" if column.layer == 0 else f"{where}, neuron {i + 1}"]
            if column.layer:
                words.append("no bias" if bias is None else f"bias {labels.number(float(bias[i]))}")
            if maps is not None and i < len(maps):
                words.append(f"values {labels.number(float(maps[i].min()))} to {labels.number(float(maps[i].max()))}")
            x.append(column.x)
            y.append(center)
            text.append("<br>".join(words))
    return {
        "type": "scatter",
        "mode": "markers",
        "x": f4(x),
        "y": f4(y),
        "text": text,
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"size": 20, "opacity": 0},
    }


def _headers(columns: Sequence[Column], layers: Mapping[str, np.ndarray], height: float) -> dict:
    """Above every column: which layer it is, its activation, and how many of its neurons are drawn."""
    activations = [str(a) for a in layers.get("activations", ())]
    text = []
    for column in columns:
        lines = [_name(layers, column.layer)]
        if column.layer and column.layer <= len(activations) and activations[column.layer - 1]:
            lines.append(activations[column.layer - 1])
        if column.units > len(column.y):
            lines.append(
                f"{len(column.y)} of {column.units} shown"
                if column.layer or len(column.y) > 1
                else f"{column.units} pixels"
            )
        text.append("<br>".join(lines))
    return {
        "type": "scatter",
        "mode": "text",
        "x": f4([column.x for column in columns]),
        "y": f4([height / 2 + 0.02 * height] * len(columns)),
        "text": text,
        "textposition": "top center",
        "textfont": {"size": theme.SMALL},
        "hoverinfo": "skip",
        "cliponaxis": False,
    }


def _ends(columns: Sequence[Column], data: Mapping[str, np.ndarray]) -> list[dict]:
    """Names of the inputs at the left and of the classes at the right."""
    features = [str(name) for name in data.get("feature_names", ())] if data else []
    outputs = columns[-1].units
    names = class_names(data or {}, outputs) if len((data or {}).get("class_names", ())) == outputs else []
    if not names:
        known = [str(name) for name in (data or {}).get("class_names", ())]
        names = (
            [f"{known[1]}?"]
            if outputs == 1 and len(known) == 2
            else ["prediction"]
            if outputs == 1
            else [str(i) for i in range(outputs)]
        )
    ends = []
    for column, words, side, shift in (
        (columns[0], features, "middle left", -0.6),
        (columns[-1], names, "middle right", 0.6),
    ):
        if words and not (column.layer == 0 and len(column.y) == 1 and column.units > 1):
            ends.append(
                {
                    "type": "scatter",
                    "mode": "text",
                    "x": f4([column.x + shift] * len(column.y)),
                    "y": f4(column.y),
                    "text": [labels.shorten(word, 13) for word in words[: len(column.y)]],
                    "textposition": side,
                    "textfont": {"size": theme.SMALL},
                    "hoverinfo": "skip",
                    "cliponaxis": False,
                }
            )
    return ends


def _fan(source: Column, target: Column) -> dict:
    """Plain lines from an input picture: its weights are in the neurons' own pictures."""
    x = np.tile([source.x + 0.5, target.x - 0.5, np.nan], len(target.y))
    y = np.stack([np.zeros(len(target.y)), target.y, np.full(len(target.y), np.nan)], axis=1).ravel()
    line = {"color": theme.faded(theme.NEUTRAL, 0.5), "width": 1}
    return {"type": "scatter", "mode": "lines", "x": f4(x), "y": f4(y), "line": line, "hoverinfo": "skip"}


def _note(text: str, x: float, side: str) -> dict:
    return {
        "text": text,
        "x": x,
        "xanchor": side,
        "xref": "paper",
        "y": 0,
        "yanchor": "bottom",
        "yref": "paper",
        "showarrow": False,
        "font": {"size": theme.SMALL},
    }
