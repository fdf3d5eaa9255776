"""Batch statistics of one unit and their running averages over the steps."""

import numpy as np
import pandas as pd

from nnviz import frames
from nnviz.figures.kit import labels, layout, stacked_plots, tables, theme
from nnviz.figures.kit.layout import f4, i4

MAX_POINTS = 500
TITLE = "Batch statistics and running averages"
HELP = (
    "Mean and variance of a unit before batch norm over the mini-batch of each evaluated step, and the running "
    "averages that evaluation mode uses. Dotted: what k batches, each with the median statistics of those shown, "
    "would give: μ(1 − (1 − m)ᵏ) and (1 − m)ᵏ + σ²(1 − (1 − m)ᵏ). Variances divide by n − 1, as PyTorch's running "
    "variance does; in training batch norm divides by n."
)
PARTS = {"mean": "mean", "var": "variance (n − 1)"}
LINES = {
    "batch": ("mini-batch", {"color": theme.NEUTRAL, "width": 1}),
    "running": ("running average", {"color": theme.POSITIVE, "width": 2}),
    "constant": ("constant batch", {"color": theme.NEGATIVE, "width": 1.6, "dash": "dot"}),
}


def running_averages(frame: pd.DataFrame, site: str, momentum: float | None, why_not: str = "") -> dict:
    """The scalars batch_mean, batch_var, running_mean and running_var at a site such as "model.norm2#5"; `momentum` m
    of the averages. `why_not` says why there are none."""
    if why_not:
        return layout.empty(TITLE, HELP, why_not)
    found = {
        (kind, part): frames.select(frame, f"{kind}_{part}", [site]) for kind in ("batch", "running") for part in PARTS
    }
    if not any(len(rows) for rows in found.values()):
        return layout.empty(TITLE, HELP)
    traces, table = [], []
    for row, part in enumerate(PARTS):
        curves = {
            kind: (found[kind, part]["step"].to_numpy(int), found[kind, part]["value"].to_numpy(float))
            for kind in ("batch", "running")
        }
        if momentum is not None and len(curves["batch"][1]):
            k = curves["running"][0]
            left = (1 - momentum) ** k.astype(float)
            curves["constant"] = k, np.median(curves["batch"][1]) * (1 - left) + (left if part == "var" else 0)
        for kind, (steps, values) in curves.items():
            if not len(steps):
                continue
            picked = frames.thin_indices(values, MAX_POINTS)
            name, line = LINES[kind]
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines" if len(steps) > 1 else "markers",
                    "x": i4(steps[picked]),
                    "y": f4(values[picked]),
                    "yaxis": f"y{stacked_plots.suffix(row)}",
                    "line": line,
                    "marker": {"size": 5, "color": line["color"]},
                    "name": name,
                    "legendgroup": kind,
                    "showlegend": row == 0,
                    "hovertemplate": f"{name}, {PARTS[part]} {labels.hover_number('y')} at step %{{x}}<extra></extra>",
                }
            )
            columns = {"step": steps[picked], "statistic": part, "kind": name, "value": values[picked]}
            table.append(tables.rows(columns))
    last = max(int(rows["step"].max()) for rows in found.values() if len(rows))
    axes = [{"title": {"text": ""}, "nticks": 4} for _ in PARTS]
    stack, notes = stacked_plots.stacked(axes, list(PARTS.values()), 0.07)
    return layout.figure(
        traces,
        title=TITLE,
        help=HELP,
        x=layout.step_axis() | {"anchor": stacked_plots.anchor(len(axes)), "range": [0, max(last, 1)]},
        over_steps=True,
        table=table,
        annotations=notes,
        showlegend=True,
        legend={"x": 1, "xanchor": "right", "y": 0.94},
        **stack,
    )
