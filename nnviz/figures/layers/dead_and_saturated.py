"""Fractions of dead units and saturated values of every layer."""

import numpy as np
import pandas as pd

from nnviz import frames
from nnviz.figures.kit import labels, layout, stacked_plots, tables, theme
from nnviz.figures.kit.layout import f4, i4
from nnviz.figures.layers import saturation
from nnviz.figures.layers.layer_curves import layer_table

MAX_STEPS = 200


def dead_and_saturated(frame: pd.DataFrame, layers: frames.Layers, quantity: str | None = None) -> dict:
    """Fractions of dead units and of saturated values as heatmaps, layer (first on top) × step, 0 to 100 %.

    `quantity` "dead_fraction" or "saturated_fraction" draws one of them; None all that were recorded. At most 200
    evenly spaced steps are drawn, the last included. Saturated values are omitted for activations that cannot saturate.
    """
    quantities = [quantity] if quantity else ["dead_fraction", "saturated_fraction"]
    if not quantity and not saturation.can_saturate(layers):
        quantities.remove("saturated_fraction")
    title = labels.capitalized(labels.quantity_name(quantity)) if quantity else "Dead units and saturated values"
    help = saturation.definitions(layers)
    names = {
        "dead_fraction": labels.quantity_name("dead_fraction"),
        "saturated_fraction": saturation.saturated_name(layers),
    }
    found = {name: layer_table(frame, name, layers) for name in quantities}
    found = {name: table for name, table in found.items() if len(table.steps)}
    if not found:
        return layout.empty(title, help)
    traces, axes, headings, short, parts = [], [], [], [], []
    for i, (name, (steps, sites, table, _)) in enumerate(found.items()):
        picked = np.unique(np.linspace(0, len(steps) - 1, min(len(steps), MAX_STEPS)).round().astype(int))
        down, across = {"site": sites, "quantity": name}, {"step": steps[picked]}
        parts.append(tables.grid(down, across, {"fraction": table[picked].T}))
        tick_indices, texts = labels.depth_ticks(
            [layers.tick(site) for site in sites], max_labels=12 if len(found) == 1 else 6
        )
        ticks = {"tickvals": [index + 1 for index in tick_indices], "ticktext": texts}
        axes.append(layout.axis("layer", range=[len(sites) + 0.5, 0.5], showgrid=False, **ticks))
        largest = np.nanmax(table, initial=0.0)
        headings.append(f"{names[name]}: {_maximum_text(float(largest))}")
        short.append(f"{labels.quantity_name(name)}: {_maximum_text(float(largest)).removesuffix(' of a layer')}")
        row, text = labels.row_hover([layers.label(site) for site in sites], len(picked))
        traces.append(
            {
                "type": "heatmap",
                "x": i4(steps[picked]),
                "y": i4(np.arange(len(sites)) + 1),
                "z": f4(table[picked].T),
                "yaxis": f"y{stacked_plots.suffix(i)}",
                "coloraxis": "coloraxis",
                "hovertemplate": f"{names[name]}: %{{z:.1%}}<br>{row} at step %{{x}}<extra></extra>",
                **text,
            }
        )
    axes, notes = stacked_plots.stacked(axes, headings, gap=0.08)
    return layout.figure(
        traces,
        title=title,
        help=help,
        x=layout.axis("step", showgrid=False, anchor=stacked_plots.anchor(len(found))),
        y=axes.pop("yaxis"),
        over_steps=True,
        table=parts,
        annotations=notes,
        narrow={"annotations": [note | {"text": text} for note, text in zip(notes, short, strict=True)]},
        coloraxis={
            "cmin": 0,
            "cmax": 1,
            "colorscale": theme.from_transparent(theme.ALERT),
            "colorbar": theme.colorbar("", tickformat=".0%", nticks=5),
        },
        **axes,
    )


def _maximum_text(fraction: float) -> str:
    """The largest fraction of a layer as text."""
    if fraction == 0:
        return "none"
    return f"{'less than 0.1%' if fraction < 0.0005 else f'at most {labels.percent(fraction)}'} of a layer"
