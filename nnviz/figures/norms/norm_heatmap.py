"""The values of a normalization layer as a heat map, with what is averaged for the chosen cell."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np

from nnviz.figures.kit import labels, layout, tables, theme
from nnviz.figures.kit.layout import f4, i4

Arrays = Mapping[str, np.ndarray]
Side = Literal["input", "output"]

NAMES = {
    "batch_norm": "batch norm",
    "layer_norm": "layer norm",
    "group_norm": "group norm",
    "rms_norm": "RMS norm",
}
TITLES = {"input": "Before normalization", "output": "After normalization"}
NO_NORM = "no normalization in this network"
_HELP = {
    "input": "What goes into a normalization layer: a row for each sample of a fixed mini-batch, a column for each "
    "unit. Outlined: the values that are averaged for the marked cell. Click a cell to choose it.",
    "output": "What comes out in training mode: x̂ times γ plus β. Outlined: the values that are averaged for the "
    "marked cell. Click a cell to choose it.",
}


class Cell(NamedTuple):
    """A cell of a layer that is recorded, and what is averaged for it."""

    index: int
    """Of the layer, among those recorded."""
    kind: str
    sample: int
    unit: int
    rows: slice
    columns: slice
    """Of the recorded samples and units."""
    count: int
    """How many values are averaged, those that are not recorded too."""


def chosen_cell(arrays: Arrays, layer: int, sample: int, unit: int) -> Cell:
    """The cell, or the nearest that there is."""
    index = min(layer, len(arrays["sites"]) - 1)
    rows, columns = arrays[f"input_{index}"].shape
    kind, sample, unit = str(arrays["kinds"][index]), min(sample, rows - 1), min(unit, columns - 1)
    if kind == "batch_norm":
        return Cell(index, kind, sample, unit, slice(0, rows), slice(unit, unit + 1), int(arrays["samples"]))
    size = int(arrays[f"units_{index}"]) // int(arrays[f"groups_{index}"])
    first = unit // size * size
    return Cell(index, kind, sample, unit, slice(sample, sample + 1), slice(first, min(first + size, columns)), size)


def norm_heatmap(arrays: Arrays, side: Side = "input", layer: int = 0, sample: int = 0, unit: int = 0) -> dict:
    """The input or output (s, u) of a recorded layer as a heat map, blue positive, orange negative; `arrays` is the
    snapshot norm_values. A click gives the unit as x and the sample as y, both from 0."""
    title, help = TITLES[side], _HELP[side]
    if not arrays:
        return layout.empty(title, help)
    if not len(arrays["sites"]):
        return layout.empty(title, help, NO_NORM)
    cell = chosen_cell(arrays, layer, sample, unit)
    values = np.asarray(arrays[f"{side}_{cell.index}"], float)
    rows, columns = values.shape
    samples, units = int(arrays["samples"]), int(arrays[f"units_{cell.index}"])
    largest = float(np.abs(values[np.isfinite(values)]).max(initial=0.0)) or 1.0
    trace = {
        "type": "heatmap",
        "x": i4(range(columns)),
        "y": i4(range(rows)),
        "z": f4(values),
        "zmin": -largest,
        "zmax": largest,
        "colorscale": theme.diverging(0.9),
        "colorbar": theme.colorbar("", nticks=5),
        "xgap": 0.5,
        "ygap": 0.5,
        "hovertemplate": f"sample %{{customdata[0]}}, unit %{{customdata[1]}}: {labels.hover_number('z')}"
        "<extra></extra>",
        "customdata": i4(np.stack(np.meshgrid(range(1, columns + 1), range(1, rows + 1))[::-1], -1)),
    }
    outline = {"type": "rect", "fillcolor": theme.TRANSPARENT}
    across = {"x0": cell.columns.start - 0.5, "x1": cell.columns.stop - 0.5}
    down = {"y0": cell.rows.start - 0.5, "y1": cell.rows.stop - 0.5}
    mark = {"x0": cell.unit - 0.5, "x1": cell.unit + 0.5, "y0": cell.sample - 0.5, "y1": cell.sample + 0.5}
    figure = layout.figure(
        [trace],
        title=f"{title}, {layer_name(arrays, cell.index).partition(' (')[0]}",
        help=help,
        x=layout.axis(f"unit{_of(columns, units)}", **_ticks(columns), range=[-0.5, columns - 0.5]),
        y=layout.axis(f"sample{_of(rows, samples)}", **_ticks(rows), range=[rows - 0.5, -0.5]),
        shapes=[
            outline | across | down | {"line": {"width": 2, "color": theme.ALERT}},
            outline | mark | {"line": {"width": 3, "color": theme.ALERT}},
        ],
        table=[
            tables.grid(
                {"layer": layer_name(arrays, cell.index), "sample": np.arange(1, rows + 1)},
                {"unit": np.arange(1, columns + 1)},
                {side: values},
            )
        ],
    )
    meta = figure["layout"]["meta"] | {"pick": {"name": "cell", "x": cell.unit, "y": cell.sample}}
    return figure | {"layout": figure["layout"] | {"meta": meta}}


def layer_name(arrays: Arrays, index: int) -> str:
    """Such as "layer 3 (batch norm)"."""
    site, kind = str(arrays["sites"][index]), str(arrays["kinds"][index])
    return f"layer {site.rpartition('norm')[2]} ({NAMES.get(kind, kind)})"


def _of(shown: int, total: int) -> str:
    return f" ({shown} of {total})" if shown < total else ""


def _ticks(count: int) -> dict:
    """Numbers from 1."""
    every = 1 if count <= 8 else 4 if count <= 32 else 8
    at = [0, *range(every - 1, count, every)] if every > 1 else list(range(count))
    return {"tickvals": i4(at), "ticktext": [str(i + 1) for i in at], "showgrid": False}
