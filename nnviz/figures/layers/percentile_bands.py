"""Percentiles of a layer's activations or pre-activations over the steps."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nnviz import frames
from nnviz.figures.kit import layout, smoothing, stacked_plots, tables, theme
from nnviz.figures.kit.labels import hover_number
from nnviz.figures.kit.layout import f4, i4
from nnviz.figures.kit.symlog_axis import SymlogScale, symlog_scale
from nnviz.figures.layers.layer_curves import layer_table

MAX_POINTS = 250
# Line width of the bands of a single step, in pixels.
SINGLE_STEP_WIDTH = 14
_HELP = (
    "Dark band: 50% of the values; light band: 90%; line: median. A band that narrows to zero is a vanishing signal."
)
_PERCENTILES = ("05", "25", "50", "75", "95")


def percentile_bands(
    frame: pd.DataFrame,
    layers: frames.Layers,
    site: str | None = None,
    *,
    prefix: str = "activation",
    log: bool | None = None,
    smooth: float = 0.0,
    title: str | None = None,
) -> dict:
    """Percentiles over the steps: 5 to 95 light, 25 to 75 darker, the median as a line.

    `log`: on a symlog axis. `smooth` in [0, 1): percentiles are drawn as moving averages of that weight, with the raw
    median faint behind. `prefix` is "activation" or "preactivation". `site` is one module; None draws the first, the
    middle and the last layer stacked over a common step axis.
    """
    kind = "Activations" if prefix == "activation" else "Pre-activations"
    title = title or (f"{kind} over the steps" if site is None else f"{kind} of {layers.label(site)} over the steps")
    found = {p: layer_table(frame, f"{prefix}_p{p}", layers) for p in _PERCENTILES}
    steps, sites, _, _ = found["50"]
    if site is not None:
        chosen = [site] if site in sites else []
    else:
        chosen = list(dict.fromkeys([sites[0], sites[(len(sites) - 1) // 2], sites[-1]])) if sites else []
    if not chosen:
        return layout.empty(title, _HELP)
    traces, axes, parts = [], [], []
    for i, module in enumerate(chosen):
        column = sites.index(module)
        color = theme.depth_color(column, len(sites))
        values = {p: table.values[:, column] for p, table in found.items()}
        drawn, recorded = _drawn_indices(values), found["50"].recorded[:, column]
        down, across = (
            {"site": module, "step": steps[drawn[recorded[drawn]]]},
            {"percentile": [int(p) for p in _PERCENTILES]},
        )
        every = np.stack([row[drawn[recorded[drawn]]] for row in values.values()], 1)
        parts.append(tables.grid(down, across, {prefix: every}))
        axis = f"y{stacked_plots.suffix(i)}"
        scale = symlog_scale(np.stack(list(values.values()))) if log else None
        curves = _bands(steps, values, color, layers.label(module), smooth, scale)
        traces += [trace | {"yaxis": axis} for trace in curves]
        axis_title = kind.lower() if i == len(chosen) // 2 else ""
        linear = layout.axis(axis_title, nticks=8 if len(chosen) == 1 else 4, zeroline=True)
        axes.append(
            scale.axis(axis_title, np.stack(list(values.values())), 2 if len(chosen) == 1 else 1) if scale else linear
        )
    if len(chosen) == 1:
        stack, notes = {"yaxis": axes[0]}, []
    else:
        stack, notes = stacked_plots.stacked(axes, [layers.label(module) for module in chosen], gap=0.075)
    return layout.figure(
        traces,
        title=title,
        help=_HELP,
        x=layout.step_axis() | {"anchor": stacked_plots.anchor(len(chosen))},
        y=stack.pop("yaxis"),
        over_steps=True,
        table=parts,
        showlegend=False,
        annotations=notes,
        **stack,
    )


def _drawn_indices(values: Mapping[str, np.ndarray]) -> np.ndarray:
    """Indices of the drawn steps, extremes of the outer percentiles included."""
    return np.unique(frames.thin_indices(np.stack([values["05"], values["95"]], axis=1), MAX_POINTS))


def _bands(
    steps: np.ndarray,
    raw: Mapping[str, np.ndarray],
    color: str,
    name: str,
    smooth: float,
    scale: SymlogScale | None,
) -> list[dict]:
    """Two filled bands and the median of one layer, on a symlog `scale` or linear."""
    transform = scale.position if scale else np.asarray
    values = {p: smoothing.moving_average(row, smooth) for p, row in raw.items()}
    picked = _drawn_indices(raw)
    # Non-finite values would interrupt the filled area.
    picked = picked[np.all([np.isfinite(values[p][picked]) for p in _PERCENTILES], axis=0)]
    x = i4(steps[picked])
    single = len(picked) == 1  # no area to fill: drawn as thick lines
    traces = []
    for low, high, alpha in (("05", "95", 0.18), ("25", "75", 0.35)):
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": np.concatenate([x, x[::-1]]),
                "y": f4(transform(np.concatenate([values[high][picked], values[low][picked][::-1]]))),
                "fill": "toself",
                "fillcolor": theme.with_alpha(color, alpha),
                "line": {"width": SINGLE_STEP_WIDTH * single, "color": theme.with_alpha(color, alpha)},
                "hoverinfo": "skip",
                "cliponaxis": not single,
            }
        )
    percentiles = [hover_number(f"customdata[{i}]") for i in range(len(_PERCENTILES))]
    hover = "5%: {}<br>25%: {}<br><b>median {}</b><br>75%: {}<br>95%: {}".format(*percentiles)
    if smooth and len(picked) > 1:
        line = {
            "type": "scatter",
            "mode": "lines",
            "x": x,
            "y": f4(transform(raw["50"][picked])),
            "name": f"{name}, median",
        }
        traces.append(smoothing.raw_curve(line | {"line": {"color": color}}))
    traces.append(
        {
            "type": "scatter",
            "mode": "lines" if len(picked) > 1 else "markers",
            "x": x,
            "y": f4(transform(values["50"][picked])),
            "line": {"color": color, "width": 2},
            "marker": {"color": color},
            "cliponaxis": not single,
            "customdata": f4(np.stack([values[p][picked] for p in _PERCENTILES], axis=1)),
            "hovertemplate": f"{name} at step %{{x}}<br>{hover}<extra></extra>",
        }
    )
    return traces
