"""Units that a dropout mask drops, in the diagram of a network."""

from collections.abc import Mapping, Sequence

import numpy as np

from nnviz.figures.kit import tables, theme
from nnviz.figures.kit.layout import f4
from nnviz.figures.networks.neurons import Column

Dropped = Mapping[int, np.ndarray]
"""By layer, 0 the input, which of its first units are dropped; layers without dropout are missing."""


def of_sample(masks: Mapping[str, np.ndarray], sample: int) -> dict[int, np.ndarray]:
    """The units that the mask of one sample drops; `masks` is the snapshot dropout_masks, {} where there is none."""
    names = {name.rsplit("_", 1)[1]: mask for name, mask in (masks or {}).items() if name.startswith("mask_")}
    return {int(layer): ~np.asarray(mask, bool)[min(sample, len(mask) - 1)] for layer, mask in names.items()}


def kept_edges(dropped: Dropped, source: Column, target: Column) -> np.ndarray:
    """Which weights between two columns carry a signal, (to, from): those of kept units."""
    kept = np.ones((len(target.y), len(source.y)), bool)
    if source.layer in dropped:
        kept[:, dropped[source.layer][: len(source.y)]] = False
    if target.layer in dropped:
        kept[dropped[target.layer][: len(target.y)]] = False
    return kept


def kept_count(masks: Mapping[str, np.ndarray], layer: int, sample: int) -> str:
    """How many of all units of a layer are kept: "31 of 64 kept"; "" for a layer without dropout."""
    kept = (masks or {}).get(f"kept_{layer}")
    return "" if kept is None else f"{kept[min(sample, len(kept) - 1)]} of {masks[f'units_{layer}']} kept"


def crosses(dropped: Dropped, columns: Sequence[Column], boxes: Mapping[int, bool], disc: float) -> dict:
    """A cross over each dropped unit, and the outline of a disc; `disc` is its size in pixels."""
    x, y, symbols = [], [], []
    for column in columns:
        if column.layer in dropped and not column.is_image:
            rows = np.flatnonzero(dropped[column.layer][: len(column.y)])
            x += [column.x] * len(rows)
            y += list(column.y[rows])
            symbols += ["x-thin" if boxes[column.layer] else "circle-x-open"] * len(rows)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": f4(x),
        "y": f4(y),
        "marker": {"symbol": symbols, "size": disc, "color": theme.ALERT, "line": {"width": 1.6, "color": theme.ALERT}},
        "hoverinfo": "skip",
    }


def table(masks: Mapping[str, np.ndarray], sites: Sequence[str], sample: int) -> list[tables.Part]:
    """A row per recorded unit and sample: layer ("input" for inputs), unit from 1, and 1 where it is kept."""
    parts = []
    for layer, dropped in of_sample(masks, sample).items():
        site = "input" if layer == 0 else sites[layer - 1]
        down = {"site": site, "kind": "mask", "to": np.arange(len(dropped)) + 1}
        parts.append(tables.rows(down | {"value": (~dropped).astype(np.uint8)}))
    return parts
