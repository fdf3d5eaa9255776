"""A quantity of every layer over the steps: one line per layer, colored by depth."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from nnviz import frames
from nnviz.figures.kit import labels, layout, smoothing, tables, theme
from nnviz.figures.kit.layout import f4, i4
from nnviz.figures.kit.log_axis import logarithmic
from nnviz.figures.kit.log_axis_edges import edge_marks, log_axis_values

# Points of all lines together, which limits the size of figures of many layers.
MAX_TOTAL_POINTS = 6000
MAX_COLORED_LAYERS = 8
HEALTHY_LOG10_RANGE = (-3.5, -2.5)
_HELP = {
    "gradient_norm": "Lines close together: all layers get gradients of similar size; a fan: vanishing or exploding "
    "gradients.",
    "weight_norm": "Norm of each layer's weights; weight decay limits its growth.",
    "update_norm": "Norm of each layer's update per step.",
    "signal_rms": "Gradient of the loss with respect to each layer's pre-activations, as backpropagation computes it.",
    "activation_std": "Variation of each layer's output over the batch; near zero the layer does not distinguish "
    "samples.",
}
_RATIO_HELP = (
    "Relative change of a layer's weights per step; far above the band training is unstable, far below it the layer "
    "hardly learns."
)


def layer_curves(
    frame: pd.DataFrame,
    quantity: str,
    layers: frames.Layers,
    *,
    role: str = "weight",
    log: bool | None = None,
    smooth: float = 0.9,
    title: str | None = None,
) -> dict:
    """One line per layer over the steps, from the first (violet) to the last (amber), for up to a hundred layers.

    `role` selects the parameter of parameter quantities ("weight" or "bias"). `smooth` in [0, 1) is the weight of a
    moving average (of logarithms on a logarithmic axis); raw curves are faint behind, gray for more than eight layers.
    `log` None: logarithmic unless values are negative. Zeros are marked at the lower edge of a logarithmic axis,
    non-finite values at the upper.
    """
    name = labels.quantity_name(quantity)
    title = title or f"{labels.capitalized(name)} of every layer"
    help = _HELP.get(quantity, f"{labels.capitalized(name)} of every layer, colored by depth.")
    steps, sites, table, recorded = found = layer_table(frame, quantity, layers, role)
    if len(steps) == 0:
        return layout.empty(title, help)
    if log is None:
        log = not (table < 0).any()
    averaged = smoothing.moving_average(table, smooth, log)
    if log:
        shown = log_axis_values(table)
        averaged = np.where(np.isnan(shown.drawn), np.nan, averaged)
        traces = layer_lines(steps, sites, layers, shown.drawn, averaged, hover=labels.hover_number("y"), weight=smooth)
        traces += edge_marks(steps, table, recorded, shown)
        y = logarithmic(name, table)
    else:
        traces = layer_lines(steps, sites, layers, table, averaged, hover=labels.hover_number("y"), weight=smooth)
        y = layout.axis(name)
    return layout.figure(
        traces,
        title=title,
        help=help,
        x=layout.step_axis(),
        y=y,
        over_steps=True,
        table=_table(quantity, found, averaged if smooth else None),
        showlegend=True,
    )


def update_ratios(
    frame: pd.DataFrame,
    layers: frames.Layers,
    *,
    role: str = "weight",
    log: bool | None = None,
    smooth: float = 0.9,
) -> dict:
    """log₁₀ of every layer's ‖Δw‖ / ‖w‖, or the ratio itself if `log` is False, with a band around the healthy 10⁻³.

    The rule of thumb is that of the CS231n notes (Karpathy, "Ratio of weights:updates"). Layers without an update are
    marked at the lower edge. `smooth` as in `layer_curves`.
    """
    title = "Update-to-weight ratio"
    steps, sites, table, recorded = found = layer_table(frame, "update_ratio", layers, role)
    if len(steps) == 0:
        return layout.empty(title, _RATIO_HELP, "waiting for the first update")
    is_log = log is not False
    averaged = smoothing.moving_average(table, smooth, is_log)
    if is_log:
        shown = log_axis_values(table)
        powers, means = np.log10(shown.drawn), np.log10(log_axis_values(averaged).drawn)
        traces = layer_lines(steps, sites, layers, powers, means, hover="10<sup>%{y:.2f}</sup>", weight=smooth)
        in_powers = shown._replace(floor=np.log10(shown.floor), ceiling=np.log10(shown.ceiling))
        traces += edge_marks(steps, table, recorded, in_powers)
        band, y = HEALTHY_LOG10_RANGE, layout.axis("log₁₀ ‖Δw‖ / ‖w‖")
    else:
        traces = layer_lines(steps, sites, layers, table, averaged, hover=labels.hover_number("y"), weight=smooth)
        band, y = [10**power for power in HEALTHY_LOG10_RANGE], layout.axis("‖Δw‖ / ‖w‖", rangemode="tozero")
    green = theme.with_alpha(theme.HEALTHY, 0.16)
    swatch = {"symbol": "square", "size": 11, "color": theme.with_alpha(theme.HEALTHY, 0.4)}
    traces.append(
        {
            "type": "scatter",
            "mode": "markers",
            "x": [None],
            "y": [None],
            "marker": swatch,
            "name": "around 10<sup>−3</sup>: typical",
        }
    )
    area = {"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": band[0], "y1": band[1], "layer": "below"}
    return layout.figure(
        traces,
        title=title,
        help=_RATIO_HELP,
        x=layout.step_axis(),
        y=y,
        over_steps=True,
        table=_table("update_ratio", found, averaged if smooth else None),
        showlegend=True,
        shapes=[area | {"fillcolor": green, "line": {"width": 0}}],
    )


def layer_table(frame: pd.DataFrame, quantity: str, layers: frames.Layers, role: str = "weight") -> frames.Table:
    """One quantity over steps and layers; of parameters only those with this `role`."""
    return frames.table(frame, quantity, lambda sites: layers.one_per_layer(sites, role))


def layer_lines(
    steps: np.ndarray,
    sites: Sequence[str],
    layers: frames.Layers,
    table: np.ndarray,
    averaged: np.ndarray,
    *,
    hover: str,
    weight: float = 0.0,
) -> list[dict]:
    """A line per layer, colored by depth, and the colorbar of layers.

    `averaged` (S, L) is drawn, with the raw `table` (S, L) faint behind; the legend explains both and gives the
    `weight` of the average.
    """
    total = len(sites)
    width = 2.0 if total <= MAX_COLORED_LAYERS else 1.5 if total <= 20 else 1.1
    picked = _drawn_indices(table)
    names = [layers.label(site) for site in sites]
    shown = _lines(steps, names, averaged, picked, {"width": width}, {})
    for trace, name in zip(shown, names, strict=True):
        trace["hovertemplate"] = f"{name}: {hover} at step %{{x}}<extra></extra>"
    if not weight or len(steps) < 2:
        return [*shown, depth_legend(sites, layers)]
    faint = _lines(steps, names, table, picked, {"width": 1}, {"opacity": 0.25, "hoverinfo": "skip"})
    faint = faint if total <= MAX_COLORED_LAYERS else [_merged(faint)]
    return [*faint, *shown, *smoothing.legend_entries(weight), depth_legend(sites, layers)]


def _drawn_indices(table: np.ndarray) -> np.ndarray:
    """Indices of the steps that are drawn of each column (S, L): (points, L)."""
    return frames.thin_indices(table, max(60, min(500, MAX_TOTAL_POINTS // max(table.shape[1], 1))))


def _table(quantity: str, found: frames.Table, averaged: np.ndarray | None) -> list[tables.Part]:
    """The drawn and recorded points: step, site, the quantity, and its average (S, L) if there is one."""
    steps, sites, values, recorded = found
    parts = []
    for i, (site, picked) in enumerate(zip(sites, _drawn_indices(values).T, strict=True)):
        rows = picked[recorded[picked, i]]
        columns = {"step": steps[rows], "site": site, quantity: values[rows, i]}
        smoothed = {} if averaged is None else {f"{quantity}_smoothed": averaged[rows, i]}
        parts.append(tables.rows(columns | smoothed))
    return parts


def _merged(traces: Sequence[dict]) -> dict:
    """Many faint curves as one gray trace, separated by gaps, which is cheap to draw."""
    x = np.concatenate([np.append(trace["x"], trace["x"][-1]) for trace in traces])
    y = np.concatenate([np.append(trace["y"], np.float32(np.nan)) for trace in traces])
    line = {"color": theme.NEUTRAL, "width": 0.8}
    return traces[0] | {"x": x, "y": y, "line": line, "name": "raw", "opacity": 0.2}


def _lines(
    steps: np.ndarray, names: Sequence[str], table: np.ndarray, picked: np.ndarray, line: dict, options: dict
) -> list[dict]:
    traces = []
    for i, name in enumerate(names):
        color = {"color": theme.depth_color(i, len(names))}
        traces.append(
            {
                "type": "scatter",
                "mode": "lines" if len(steps) > 1 else "markers",
                "x": i4(steps[picked[:, i]]),
                "y": f4(table[picked[:, i], i]),
                "name": name,
                "line": line | color,
                "marker": {"size": 5} | color,
                "showlegend": False,
                **({} if len(steps) > 1 else {"cliponaxis": False}),  # a single point at step 0 is on the edge
                **options,
            }
        )
    return traces


def depth_legend(sites: Sequence[str], layers: frames.Layers) -> dict:
    """An invisible trace that carries the colorbar of the layers, the first on top."""
    ticks, texts = labels.depth_ticks([layers.tick(site) for site in sites])
    total = len(sites)
    if total <= MAX_COLORED_LAYERS:
        stops = [theme.depth_color(total - 1 - i, total) for i in range(total)]
        scale = [[(i + side) / total, color] for i, color in enumerate(stops) for side in (0, 1)]
        ends = [-total + 0.5, 0.5]
    else:
        scale, ends = theme.colorscale(theme.DEPTH, reverse=True), [-total + 1, 0]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [None],
        "y": [None],
        "hoverinfo": "skip",
        "showlegend": False,
        "marker": {
            "color": [0],
            "colorscale": scale,
            "cmin": ends[0],
            "cmax": ends[1],
            "showscale": True,
            "colorbar": theme.colorbar("layer", tickvals=[-tick for tick in ticks], ticktext=texts),
        },
    }
