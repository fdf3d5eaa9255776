"""The loss and its gradient along the direction of the gradient (Santurkar et al., 2018)."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nnviz import frames
from nnviz.figures.kit import labels, layout, tables, theme
from nnviz.figures.kit.layout import f4, i4
from nnviz.figures.kit.log_axis import logarithmic

Arrays = Mapping[str, np.ndarray]
HELP = (
    "At a sampled step the loss of the next mini-batch at w − f·η·∇L, for f = 0, ½, 1, 2 and 4 times the learning rate "
    "η, all from the same weights on the line of one gradient, in training mode without dropout."
)


def gradient_line(runs: Mapping[str, Arrays]) -> dict:
    """The loss along the gradient at one step, a line per run; the arrays are of the snapshot gradient_line."""
    title = "Loss along the gradient"
    present = {name: arrays for name, arrays in runs.items() if arrays}
    if not present:
        return layout.empty(title, HELP)
    traces, table = [], []
    for name, arrays in present.items():
        color = theme.run_color(list(runs).index(name))
        loss = np.asarray(arrays["loss"], float)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": f4(arrays["factors"]),
                "y": f4(np.where(np.isfinite(loss), loss, np.nan)),
                "name": name or "loss",
                "line": {"color": color, "width": 2},
                "marker": {"color": color, "size": 6},
                "hovertemplate": f"{name} %{{x:~g}} η: loss {labels.hover_number('y')}<extra></extra>",
            }
        )
        columns = {"factor": arrays["factors"], "loss": loss, "gradient_change": arrays["gradient_change"]}
        table.append(tables.rows({"run": name} | columns))
    return layout.figure(
        traces,
        title=title,
        help=HELP,
        x=layout.axis("step size / learning rate", tickvals=[0, 0.5, 1, 2, 4], ticktext=["0", "½", "1", "2", "4"]),
        y=layout.axis("loss of the mini-batch"),
        table=table,
        showlegend=len(runs) > 1,
    )


def loss_ranges(runs: Mapping[str, pd.DataFrame], log: bool | None = None) -> dict:
    """The smallest to the largest loss on the line over the steps, a band per run: the scalars line_loss_low and
    line_loss_high. `log` None: logarithmic where they span decades."""
    title = "Range of the loss along the gradient"
    ends = {
        name: tuple(frames.select(frame, f"line_loss_{end}") for end in ("low", "high")) for name, frame in runs.items()
    }
    present = {name: pair for name, pair in ends.items() if len(pair[0])}
    if not present:
        return layout.empty(title, HELP)
    bands = {
        name: (low["step"].to_numpy(int), low["value"].to_numpy(float), high["value"].to_numpy(float))
        for name, (low, high) in present.items()
    }
    every = np.concatenate([np.concatenate(band[1:]) for band in bands.values()])
    every = every[np.isfinite(every) & (every > 0)]
    is_log = bool(len(every)) and every.max() > 30 * every.min() if log is None else log
    traces, table = [], []
    for name, (steps, low, high) in bands.items():
        color = theme.run_color(list(runs).index(name))
        top, bottom = (np.where(np.isfinite(v) & ((v > 0) | (not is_log)), v, np.nan) for v in (high, low))
        line = {"color": color, "width": 1.2}
        edge = {"type": "scatter", "mode": "lines" if len(steps) > 1 else "markers", "x": i4(steps), "line": line}
        edge |= {"marker": {"color": color, "size": 4}, "legendgroup": name}
        hover = f"{name} %{{text}} {labels.hover_number('y')} at step %{{x}}<extra></extra>"
        traces += [
            edge | {"y": f4(bottom), "showlegend": False, "text": "lowest", "hovertemplate": hover},
            edge
            | {"y": f4(top), "text": "highest", "hovertemplate": hover, "name": name or "range", "fill": "tonexty"}
            | {"fillcolor": theme.with_alpha(color, 0.25)},
        ]
        table.append(tables.rows({"run": name, "step": steps, "lowest": low, "highest": high}))
    return layout.figure(
        traces,
        title=title,
        help=f"{HELP} A narrow band: a step of any of these lengths changes the loss as the gradient promises.",
        x=layout.step_axis(),
        y=logarithmic("loss", every) if is_log else layout.axis("loss"),
        over_steps=True,
        table=table,
        showlegend=len(runs) > 1,
    )
