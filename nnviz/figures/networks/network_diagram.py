"""The network as a diagram: outputs of neurons, weights and biases."""

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise

import numpy as np

from nnviz import frames
from nnviz.figures.kit import labels, layout, tables, theme
from nnviz.figures.kit.layout import f4
from nnviz.figures.networks import dropped_units, neurons
from nnviz.figures.networks.edges import MAX_WIDTH, EdgeGroup, edge_traces, round_up
from nnviz.figures.networks.neurons import PITCH, Column

MAX_UNITS = 16
MAX_LAYERS = 8
# Images of weights need more room.
MAX_WEIGHT_IMAGES = 10
_TITLE = "Network"
_MAPS_HELP = (
    "Each box is a neuron's output over the input plane, orange negative, blue positive; lines are weights, the "
    "squares at the corners biases."
)
_DISCS_HELP = (
    "Each disc is a neuron in the color of its bias, orange negative, blue positive; lines are weights, wider for "
    "larger magnitudes."
)
_IMAGES_HELP = (
    "The images in the first layer are each neuron's input weights, orange negative, blue positive. Gray lines: every "
    "neuron is connected to all pixels; all other lines are weights, the squares biases."
)
_TRUNCATED_HELP = " Of wide layers the first {} neurons are shown; the exported weights.pt has all weights."
_SKIP_HELP = " At a layer marked ⊕ the input is added to the output (skip connection)."
_DROPPED_HELP = (
    " Crossed out: units that dropout sets to 0 for sample {} of the mini-batch of step {}, without the weights that "
    "enter and leave them; the other units are divided by 1 − p. Each sample has its own mask, at each step a new one."
)
# Height of the card, of a line of text, and width of a letter, in pixels: text does not scale with the figure, so the
# room that it needs has to be estimated.
_CARD_HEIGHT, _LINE_HEIGHT, _LETTER_WIDTH = 276, 13.5, 5.8


def network_diagram(
    arrays: Mapping[str, np.ndarray],
    data: Mapping[str, np.ndarray],
    layers: frames.Layers,
    *,
    reference: float | None = None,
    aspect: float = 1.5,
    skip: bool = False,
    masks: Mapping[str, np.ndarray] | None = None,
    sample: int = 0,
) -> dict:
    """The diagram of an MLP from the snapshots network and data, and its layers; `aspect` is the card's width / height.

    A neuron is drawn as a map of its output over the input plane (2-D inputs; a small curve for 1-D), as the image of
    its incoming weights in the first layer of an image network, else as a disc in the color of its bias. Lines are
    orange for negative and blue for positive weights, their width linear in |w| up to `reference` (None: the next 1, 2
    or 5 times a power of ten). `skip`: hidden layers as wide as their input have skip connections, and are marked.
    `masks`, the snapshot dropout_masks: units that are dropped for one `sample` of the mini-batch are crossed out, and
    their weights have no lines. At most 16 neurons per layer (10 with images of weights) and 8 layers are drawn; notes
    say so.
    """
    if not arrays or not layers.sites or "weight_1" not in arrays:
        return layout.empty(_TITLE, _MAPS_HELP)
    data = data or {}
    is_image = len(labels.image_shape(data)) == 2
    units = [layers.fan_in[0], *layers.fan_out]
    drawn_layers = _drawn_layers(len(units) - 1)
    limits = [1 if is_image and layer == 0 else MAX_WEIGHT_IMAGES if is_image else MAX_UNITS for layer in drawn_layers]
    shown = [min(units[layer], limit) for layer, limit in zip(drawn_layers, limits, strict=True)]
    left, right = _input_names(data, shown[0], units[0]), _output_names(data, units[-1], shown[-1])
    height = max(*shown, 4) * PITCH
    dropped = dropped_units.of_sample(masks or {}, sample)
    lines = 3 if any(units[layer] > count for layer, count in zip(drawn_layers, shown, strict=True)) else 2
    lines += bool(dropped)
    total = height / (1 - (lines + 1.5) * _LINE_HEIGHT / _CARD_HEIGHT)  # with room for headers and notes
    pixel = total / _CARD_HEIGHT
    # Room for the names beside the outer columns.
    pads = [max([0.3 + pixel * _LETTER_WIDTH * len(name) for name in names] + [24 * pixel]) for names in (left, right)]
    columns = _columns(
        drawn_layers, shown, units, layers, max(aspect * total - sum(pads) - 2.2, (len(drawn_layers) - 1) * 1.6)
    )
    skipped = {i + 1 for i in range(len(units) - 2) if skip and units[i] == units[i + 1]}
    boxes = {column.layer: neurons.has_boxes(arrays, data, column) for column in columns}
    columns = [_enlarged(column, max(shown)) if boxes[column.layer] else column for column in columns]
    groups = _edge_groups(arrays, columns, boxes, dropped)
    reference = reference or round_up(max((_largest(group.weights) for group in groups), default=0.0))
    disc = float(np.clip(0.72 * _CARD_HEIGHT / total, 7, 26))
    traces = [
        *([_image_edges(columns[0], columns[1])] if is_image else []),
        *edge_traces(groups, reference, MAX_WIDTH if max(shown) <= 8 else 0.6 * MAX_WIDTH),
        neurons.outlines([column for column in columns if boxes[column.layer]]),
        *neurons.curves(arrays, columns),
        *neurons.biases(arrays, columns, boxes, disc, dropped),
        *([dropped_units.crosses(dropped, columns, boxes, disc)] if dropped else []),
        neurons.hover_markers(arrays, columns, 1.1 * disc, dropped),
        _headers(columns, layers, height / 2, skipped, masks or {}, sample),
        _outer_labels(columns[0], left, "middle left"),
        _outer_labels(columns[-1], right, "middle right"),
    ]
    classes = len(data.get("class_names", ()))
    span = [columns[0].x - columns[0].size / 2 - pads[0], columns[-1].x + columns[-1].size / 2 + pads[1]]
    return layout.figure(
        traces,
        title=_TITLE,
        help=(
            _MAPS_HELP
            if any(name.startswith("maps_") for name in arrays)
            else _IMAGES_HELP
            if is_image
            else _DISCS_HELP
        )
        + (_TRUNCATED_HELP.format(max(limits)) if any(c.units > len(c.y) and not c.is_image for c in columns) else "")
        + (_SKIP_HELP if skipped else "")
        + (_DROPPED_HELP.format(sample + 1, int(masks["step"])) if dropped else ""),
        x={"visible": False, "range": span, "constrain": "domain"},
        y={
            "visible": False,
            "range": [-height / 2 - 1.25 * _LINE_HEIGHT * pixel, height / 2 + (lines + 0.25) * _LINE_HEIGHT * pixel],
            "scaleanchor": "x",
            "constrain": "domain",
        },
        images=neurons.neuron_images(arrays, data, columns, classes, dropped),
        table=[*_table(arrays, layers, drawn_layers), *dropped_units.table(masks or {}, layers.sites, sample)],
        showlegend=False,
        annotations=_notes(columns, groups, reference, units),
        margin={"l": 2, "r": 2, "t": 2, "b": 2},
        hoverdistance=12,
    )


def _table(arrays: Mapping[str, np.ndarray], layers: frames.Layers, drawn_layers: Collection[int]) -> list[tables.Part]:
    """Every recorded weight and bias of the drawn layers: site, kind, and the neurons it connects, counted from 1."""
    parts = []
    for i, site in enumerate(layers.sites, 1):
        if i not in drawn_layers:
            continue
        weights, bias = arrays.get(f"weight_{i}"), arrays.get(f"bias_{i}")
        if weights is not None:
            to, source = (np.arange(n) + 1 for n in weights.shape)
            parts.append(tables.grid({"site": site, "kind": "weight", "to": to}, {"from": source}, {"value": weights}))
        if bias is not None:
            parts.append(tables.rows({"site": site, "kind": "bias", "to": np.arange(len(bias)) + 1, "value": bias}))
    return parts


def _drawn_layers(depth: int) -> list[int]:
    """Indices of the drawn columns, 0 the input: all, or the input, the first three and the last three layers."""
    return list(range(depth + 1)) if depth <= MAX_LAYERS else [0, 1, 2, 3, depth - 2, depth - 1, depth]


def _columns(
    drawn_layers: Sequence[int], shown: Sequence[int], units: Sequence[int], layers: frames.Layers, span: float
) -> list[Column]:
    """Columns spread over `span`, with a gap where layers are omitted."""
    gaps = [i for i in range(1, len(drawn_layers)) if drawn_layers[i] - drawn_layers[i - 1] > 1]
    pitch = span / (len(drawn_layers) - 1 + len(gaps))
    columns = []
    for i, (layer, count) in enumerate(zip(drawn_layers, shown, strict=True)):
        x = pitch * (i + sum(i >= gap for gap in gaps))
        y = ((count - 1) / 2 - np.arange(count)) * PITCH
        name = "input" if layer == 0 else layers.label(layers.sites[layer - 1])
        columns.append(Column(layer, name, x, y, units[layer]))
    return columns


def _enlarged(column: Column, rows: int) -> Column:
    """A column with larger boxes, up to 2.2 times, if it has fewer neurons than the longest."""
    size = float(np.clip(0.55 * rows / len(column.y), 1.0, 1.0 + 1.2 * rows / MAX_UNITS))
    return column._replace(size=size, y=column.y * size)


def _edge_groups(
    arrays: Mapping[str, np.ndarray],
    columns: Sequence[Column],
    boxes: Mapping[int, bool],
    dropped: dropped_units.Dropped,
) -> list[EdgeGroup]:
    """The weights between neighboring columns, of the drawn neurons; none from an input image."""
    groups = []
    for source, target in pairwise(columns):
        if target.layer - source.layer == 1 and not source.is_image:
            weights = np.asarray(arrays[f"weight_{target.layer}"], float)[: len(target.y), : len(source.y)]
            # Lines end at the edge of a box, or at the center of a disc.
            start = source.x + source.size / 2 * boxes[source.layer]
            end = target.x - target.size / 2 * boxes[target.layer]
            names = (neurons.neuron_prefix(source), neurons.neuron_prefix(target))
            is_drawn = dropped_units.kept_edges(dropped, source, target)
            groups.append(EdgeGroup(weights, (start, source.y), (end, target.y), names, is_drawn))
    return groups


def _largest(weights: np.ndarray) -> float:
    finite = np.abs(weights[np.isfinite(weights)])
    return float(finite.max(initial=0.0))


def _image_edges(source: Column, target: Column) -> dict:
    """Gray lines from an input image: the weights are in the neurons' images."""
    count = len(target.y)
    x = np.tile([source.x + source.size / 2, target.x - target.size / 2, np.nan], count)
    y = np.stack([np.zeros(count), target.y, np.full(count, np.nan)], axis=1).ravel()
    line = {"color": theme.with_alpha(theme.NEUTRAL, 0.5), "width": 1}
    return {"type": "scatter", "mode": "lines", "x": f4(x), "y": f4(y), "line": line, "hoverinfo": "skip"}


def _headers(
    columns: Sequence[Column],
    layers: frames.Layers,
    top: float,
    skipped: Collection[int],
    masks: Mapping[str, np.ndarray],
    sample: int,
) -> dict:
    """Headers of columns: name of the layer, activation, a mark for a skip connection, how many of its neurons are
    drawn, and how many of all are kept."""
    text = []
    for column in columns:
        activation = layers.activations[column.layer - 1] if column.layer else ""
        mark = " ⊕" if column.layer in skipped else ""
        lines = [column.name, labels.shorten(activation.replace("_", " "), 11) + mark]
        if column.units > len(column.y):
            lines.append(f"{column.units} pixels" if column.is_image else f"{len(column.y)} of {column.units}")
        lines.append(dropped_units.kept_count(masks, column.layer, sample))
        text.append("<br>".join(line for line in lines if line))
    return _text([column.x for column in columns], [top] * len(columns), text, "top center")


def _input_names(data: Mapping[str, np.ndarray], shown: int, units: int) -> list[str]:
    """Names of the drawn inputs."""
    names = [str(name) for name in data.get("feature_names", ())] if shown > 1 or units == 1 else []
    return [labels.shorten(name, 13) for name in names[:shown]]


def _output_names(data: Mapping[str, np.ndarray], units: int, shown: int) -> list[str]:
    """Names of the outputs."""
    known = [str(name) for name in data.get("class_names", ())]
    if units == 1:
        return [f"P({labels.shorten(known[1], 10)})" if len(known) == 2 else "prediction"]
    return [labels.shorten(name, 11) for name in labels.class_names(data, units)[:shown]] if known else []


def _outer_labels(column: Column, names: Sequence[str], side: str) -> dict:
    shift = column.size / 2 + 0.15
    return _text(
        [column.x + (shift if side == "middle right" else -shift)] * len(names), column.y[: len(names)], names, side
    )


def _text(x: Sequence[float], y: Sequence[float], text: Sequence[str], position: str) -> dict:
    return {
        "type": "scatter",
        "mode": "text",
        "x": f4(x),
        "y": f4(y),
        "text": list(text),
        "textposition": position,
        "textfont": {"size": theme.SMALL},
        "hoverinfo": "skip",
        "cliponaxis": False,
    }


def _notes(
    columns: Sequence[Column], groups: Sequence[EdgeGroup], reference: float, units: Sequence[int]
) -> list[dict]:
    """Notes on what is omitted and on line widths; `units` are those of all layers, inputs first."""
    notes = []
    small = {"showarrow": False, "font": {"size": theme.SMALL}}
    corner = small | {"xref": "paper", "yref": "paper", "y": 0, "yanchor": "bottom"}
    drawn = sum(group.weights.size for group in groups)
    if columns[0].is_image:
        drawn += columns[0].units * len(columns[1].y)  # in the images of the first layer
    total = sum(a * b for a, b in pairwise(units))
    if drawn < total:
        text = f"{drawn:,} of {total:,} weights shown"
        notes.append(corner | {"x": 0, "xanchor": "left", "text": text})
    elif columns[0].is_image:
        notes.append(corner | {"x": 0, "xanchor": "left", "text": "gray: connected to all pixels"})
    bad = sum(int((~np.isfinite(group.weights)).sum()) for group in groups)
    text = f"{bad} weights are not finite" if bad else f"widest line: |weight| = {labels.number(reference, 1)}"
    notes.append(corner | {"x": 1, "xanchor": "right", "text": text})
    for source, target in pairwise(columns):
        missing = target.layer - source.layer - 1
        if missing:
            text = f"…<br>{missing} layers<br>not shown"
            notes.append(small | {"x": (source.x + target.x) / 2, "y": 0, "text": text})
    return notes
