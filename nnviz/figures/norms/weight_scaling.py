"""What a change of scale of a layer's weights does, and the learning rate that counts then."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nnviz import frames
from nnviz.figures.kit import labels, layout, tables, theme
from nnviz.figures.kit.layout import f4
from nnviz.figures.kit.log_axis import logarithmic
from nnviz.figures.layers.layer_curves import layer_curves
from nnviz.figures.norms.gap_curves import NOT_YET

Arrays = Mapping[str, np.ndarray]


def weight_scaling(runs: Mapping[str, Arrays]) -> dict:
    """The gradient of a layer whose weights are multiplied by a, over that at a = 1, a line per run, and 1/a dashed;
    the arrays are of the snapshot norm_scaling."""
    title = "Layer weights multiplied by a"
    help = (
        "The weights of a hidden layer in the middle are multiplied by a. Before a norm the output stays the same and "
        "the gradient is divided by a (dashed), but for ε. The legend has the change of the outputs at a = 10, as a "
        "fraction of theirs. Measured on the next mini-batch in training mode, without dropout."
    )
    present = {name: arrays for name, arrays in runs.items() if arrays}
    if not present:
        return layout.empty(title, help, NOT_YET)
    traces, table, every = [], [], [np.array([0.1, 10.0])]
    for name, arrays in present.items():
        a, size = np.asarray(arrays["scales"], float), np.asarray(arrays["gradient_norm"], float)
        ratio = size / size[np.flatnonzero(a == 1)[0]]
        change = float(arrays["output_change"][-1])
        color = theme.run_color(list(runs).index(name))
        shown = np.where(np.isfinite(ratio) & (ratio > 0), ratio, np.nan)
        every.append(shown)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": f4(a),
                "y": f4(shown),
                "name": f"{name + ' · ' if name else ''}output changes by {labels.number(change, 2)}",
                "line": {"color": color, "width": 2},
                "marker": {"color": color, "size": 7},
                "hovertemplate": f"{name} a = %{{x:~g}}: gradient times {labels.hover_number('y')}<extra></extra>",
            }
        )
        columns = {"scale": a, "gradient_norm": size, "output_change": arrays["output_change"]}
        table.append(tables.rows({"run": name, "layer": str(arrays["layer"])} | columns))
    law = {"type": "scatter", "mode": "lines", "x": [0.1, 1, 10], "y": [10, 1, 0.1], "name": "theory: 1/a"}
    law |= {"line": {"color": theme.NEUTRAL, "width": 1.5, "dash": "dash"}, "hoverinfo": "skip"}
    return layout.figure(
        [*traces, law],
        title=title,
        help=help,
        x=layout.axis("factor a of the weights", type="log", tickvals=[0.1, 1, 10], ticktext=["0.1", "1", "10"]),
        y=logarithmic("gradient norm, relative to a = 1", np.concatenate(every)),
        table=table,
        showlegend=True,
    )


def effective_rates(frame: pd.DataFrame, layers: frames.Layers, **options: object) -> dict:
    """η/‖w‖² of each hidden layer over the steps, from the scalars weight_norm and learning_rate; `options` are those
    of `layer_curves`."""
    title = "Effective learning rate"
    help = (
        "η/‖w‖² of each hidden layer. Before a norm only the direction of the weights counts: a step of rate η turns "
        "it as much as a step of rate η/‖w‖² turns weights of length 1. Such a gradient is orthogonal to the weights, "
        "so that each step of plain SGD makes them longer and the effective rate smaller."
    )
    norms, rates = frames.select(frame, "weight_norm"), frames.select(frame, "learning_rate")
    # No norm comes after the output.
    places = {site: layers.place(site) for site in norms["site"].unique()}
    norms = norms[norms["site"].map(places).to_numpy(int) < len(layers.sites) - 1] if len(norms) else norms
    if not len(norms) or not len(rates):
        return layout.empty(title, help)
    at = np.searchsorted(rates["step"].to_numpy(), norms["step"].to_numpy(), side="right") - 1
    rate = rates["value"].to_numpy(float)[np.maximum(at, 0)]
    with np.errstate(divide="ignore"):
        found = norms.assign(quantity="effective_rate", value=rate / np.square(norms["value"].to_numpy(float)))
    figure = layer_curves(found, "effective_rate", layers, title=title, **options)
    return figure | {"layout": figure["layout"] | {"meta": figure["layout"]["meta"] | {"help": help}}}
