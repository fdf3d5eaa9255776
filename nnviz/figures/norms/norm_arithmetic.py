"""One cell of a normalization layer, computed step by step with its numbers."""

import math
from collections.abc import Mapping

import numpy as np

from nnviz.figures.kit import labels, layout, tables, theme
from nnviz.figures.kit.layout import f4
from nnviz.figures.norms.norm_heatmap import NO_NORM, Cell, chosen_cell, layer_name

Arrays = Mapping[str, np.ndarray]
TITLE = "Arithmetic of the marked cell"
HELP = (
    "Above: the values that are averaged, with their mean and one standard deviation to either side. Below: how the "
    "output of the cell is computed from them. The variance divides by n; the running variance of batch norm is that "
    "of PyTorch, which divides by n − 1."
)


def cell_numbers(arrays: Arrays, cell: Cell) -> dict[str, float]:
    """Everything that the output of a cell is computed from, by name, in double precision."""
    i, s, u = cell.index, cell.sample, cell.unit
    mean, var = (np.asarray(arrays[f"{name}_{i}"], float) for name in ("mean", "var"))
    row = 0 if cell.kind == "batch_norm" else s
    column = u if cell.kind == "batch_norm" else u // cell.count if cell.kind == "group_norm" else 0
    eps, scale, shift = float(arrays[f"eps_{i}"]), float(arrays[f"scale_{i}"][u]), float(arrays[f"shift_{i}"][u])
    x = float(arrays[f"input_{i}"][s, u])
    found = {"x": x, "mean": mean[row, column], "variance": var[row, column], "eps": eps}
    found["normalized"] = (x - found["mean"]) / math.sqrt(found["variance"] + eps)
    found |= {"scale": scale, "shift": shift, "output": scale * found["normalized"] + shift}
    if f"running_mean_{i}" in arrays:
        found["running_mean"] = float(arrays[f"running_mean_{i}"][u])
        found["running_variance"] = float(arrays[f"running_var_{i}"][u])
        hat = (x - found["running_mean"]) / math.sqrt(found["running_variance"] + eps)
        found["evaluated_output"] = scale * hat + shift
    return {name: float(value) for name, value in found.items()}


def norm_arithmetic(arrays: Arrays, layer: int = 0, sample: int = 0, unit: int = 0) -> dict:
    """Mean, variance, x̂ and γx̂ + β of a cell, the numbers filled in; `arrays` is the snapshot norm_values."""
    if not arrays:
        return layout.empty(TITLE, HELP)
    if not len(arrays["sites"]):
        return layout.empty(TITLE, HELP, NO_NORM)
    cell = chosen_cell(arrays, layer, sample, unit)
    found = cell_numbers(arrays, cell)
    averaged = np.asarray(arrays[f"input_{cell.index}"], float)[cell.rows, cell.columns].ravel()
    name = layer_name(arrays, cell.index)
    rug = {
        "type": "scatter",
        "mode": "markers",
        "x": f4(averaged),
        "y": f4(np.zeros(len(averaged))),
        "marker": {"symbol": "line-ns-open", "size": 16, "color": theme.POSITIVE, "line": {"width": 1.2}},
        "opacity": 0.65,
        "hovertemplate": f"{labels.hover_number('x')}<extra></extra>",
        "showlegend": False,
    }
    own = rug | {
        "x": [found["x"]],
        "y": [0.0],
        "opacity": 1,
        "marker": {"symbol": "circle", "size": 9, "color": theme.ALERT},
        "hovertemplate": f"the marked cell: {labels.hover_number('x')}<extra></extra>",
    }
    spread = math.sqrt(max(found["variance"], 0.0))
    band = {"type": "rect", "yref": "paper", "y0": 0.72, "y1": 1, "layer": "below", "line": {"width": 0}}
    band |= {"x0": found["mean"] - spread, "x1": found["mean"] + spread}
    band |= {"fillcolor": theme.with_alpha(theme.NEUTRAL, 0.25)}
    middle = band | {"type": "line", "x0": found["mean"], "x1": found["mean"]}
    middle |= {"line": {"width": 1.5, "color": theme.NEUTRAL}}
    return layout.figure(
        [rug, own],
        title=TITLE,
        help=HELP,
        x=layout.axis("", anchor="y", nticks=6),
        y={"visible": False, "range": [-1, 1], "domain": [0.72, 1], "fixedrange": True},
        shapes=[band, middle],
        annotations=[_text(name, cell, found, len(averaged))],
        table=[
            tables.rows({"layer": name, "sample": cell.sample + 1, "unit": cell.unit + 1, "quantity": key, "value": v})
            for key, v in found.items()
        ],
    )


def _text(name: str, cell: Cell, found: Mapping[str, float], recorded: int) -> dict:
    """The formulas, line by line."""
    n = {key: labels.number(value, 4) for key, value in found.items()}
    over = f"sample {cell.sample + 1}: {cell.count} units"
    if cell.kind == "batch_norm":
        over = f"unit {cell.unit + 1}: {cell.count} samples"
    elif cell.kind == "group_norm":
        over = f"sample {cell.sample + 1}: {cell.count} units of a group"
    shown = f", {recorded} of them shown" if recorded < cell.count else ""
    ms = cell.kind == "rms_norm"
    top = n["x"] if ms else f"{n['x']} − {_signed(n['mean'])}"
    lines = [
        f"<b>{name}</b>, sample {cell.sample + 1}, unit {cell.unit + 1}: x = {n['x']}",
        f"averaged over {over}{shown}",
        f"mean square = {n['variance']}" if ms else f"μ = {n['mean']}   σ² = {n['variance']}",
        f"x̂ = {'x' if ms else '(x − μ)'} / √({'mean square' if ms else 'σ²'} + ε)",
        f"  = {top if ms else f'({top})'} / √({n['variance']} + {labels.number(found['eps'], 1)}) = "
        f"<b>{n['normalized']}</b>",
        f"γx̂ + β = {n['scale']} · {_signed(n['normalized'])} + {_signed(n['shift'])} = <b>{n['output']}</b>",
    ]
    if "evaluated_output" in found:
        lines.append(
            f"in evaluation mode μ = {n['running_mean']}, σ² = {n['running_variance']}: <b>{n['evaluated_output']}</b>"
        )
    return {
        "text": "<br>".join(lines),
        "x": 0,
        "y": 0.6,
        "font": {"size": theme.SIZE + 1},
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "top",
        "align": "left",
        "showarrow": False,
    }


def _signed(number: str) -> str:
    return f"({number})" if number.startswith("−") else number
