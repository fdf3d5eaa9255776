"""The gap between training and evaluation mode over the batch size and over the momentum of batch norm."""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from nnviz.figures.kit import labels, layout, tables, theme
from nnviz.figures.kit.layout import f4

Arrays = Mapping[str, np.ndarray]
Measure = Literal["gap", "loss", "accuracy"]
MEASURES = {"gap": "RMS difference / RMS output", "loss": "loss", "accuracy": "accuracy"}
NOT_YET = "waiting: measured at evaluations 64<br>and 1024, at the last, and on Pause"
_HELP = (
    "Measured with the weights of the chosen step or the last measurement before it, on up to 256 training samples "
    "without dropout."
)


def gap_over_batch_size(runs: Mapping[str, Arrays], measure: Measure = "gap") -> dict:
    """A line per run over the sizes that the samples are divided into: training mode, and with loss and accuracy
    dashed what evaluation mode gives. The arrays are of the snapshot norm_batch_sizes."""
    help = (
        "The trained network in training mode, the samples divided into mini-batches of each size: how far its outputs "
        "are from those in evaluation mode. The weights are the same at all sizes. Dashed: evaluation mode. " + _HELP
    )
    return _curves(runs, "batch_sizes", measure, "Gap over batch size", help, "mini-batch size", 2)


def gap_over_momentum(runs: Mapping[str, Arrays], measure: Measure = "gap") -> dict:
    """A line per run over the momenta of running averages: evaluation mode with these, against training mode. The
    arrays are of the snapshot norm_momenta."""
    help = (
        "Evaluation mode with running averages of other momenta, kept beside the network's own from the same "
        "mini-batches: how far the outputs are from those in training mode. A small momentum lags behind the weights, "
        "a large one is as noisy as a single mini-batch. Dashed: the network's own averages. " + _HELP
    )
    return _curves(runs, "momenta", measure, "Gap over momentum", help, "momentum m", 10)


def _curves(
    runs: Mapping[str, Arrays], key: str, measure: Measure, title: str, help: str, x_name: str, base: int
) -> dict:
    present = {name: arrays for name, arrays in runs.items() if len(arrays.get(key, ()))}
    if not present:
        known = any(key in arrays for arrays in runs.values())
        return layout.empty(title, help, "no batch norm with<br>running averages" if known else NOT_YET)
    values = {name: np.asarray(arrays[measure], float) for name, arrays in present.items()}
    if not any(np.isfinite(one).any() for one in values.values()):
        return layout.empty(title, help, "no accuracy: the targets are numbers")
    traces, table = [], []
    places = list(runs)
    for name, arrays in present.items():
        x, y = np.asarray(arrays[key], float), values[name]
        color = theme.run_color(places.index(name))
        shown = np.where(np.isfinite(y), y, np.nan)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": f4(x),
                "y": f4(shown),
                "name": name or MEASURES[measure],
                "line": {"color": color, "width": 2},
                "marker": {"color": color, "size": 6},
                "hovertemplate": f"{name} {x_name} %{{x:~g}}: {labels.hover_number('y')}<extra></extra>",
            }
        )
        table.append(tables.rows({"run": name, key: x, measure: y}))
        if measure != "gap":
            level = float(arrays[f"eval_{measure}"])
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": f4(x[[0, -1]]),
                    "y": [level, level],
                    "name": f"{name} evaluation mode",
                    "line": {"color": color, "width": 1.2, "dash": "dash"},
                    "showlegend": False,
                    "hovertemplate": f"{name} evaluation mode: {labels.hover_number('y')}<extra></extra>",
                }
            )
    ticks = sorted({float(x) for arrays in present.values() for x in arrays[key]})
    y = layout.axis(MEASURES[measure], rangemode="tozero")
    if measure == "accuracy":
        y |= {"tickformat": ".0%"}
    return layout.figure(
        traces,
        title=title,
        help=help,
        x=layout.axis(x_name, type="log", tickvals=ticks, ticktext=[f"{t:g}" for t in ticks], showgrid=base == 2),
        y=y,
        table=table,
        showlegend=len(runs) > 1,
    )
