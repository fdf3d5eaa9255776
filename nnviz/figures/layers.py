"""What happens in every layer over the steps: one line a layer, colored by depth."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from nnviz import frames
from nnviz.figures import labels, layout, theme
from nnviz.figures.layout import f4, i4
from nnviz.figures.magnitudes import edge_marks, magnitudes

# Points of all lines together: fifty layers are drawn with fewer points each, or a figure weighs megabytes.
POINTS = 8000
_HELP = {
    "gradient_norm": (
        "Lines that lie close together mean that every layer learns at a similar pace; a fan means "
        "vanishing or exploding gradients."
    ),
    "weight_norm": "How large each layer's weights are; a steady climb is what weight decay holds back.",
    "update_norm": "How far each step moves a layer's weights.",
    "signal_rms": (
        "How strongly the loss pulls on each layer's pre-activations: the signal that backpropagation carries down."
    ),
    "activation_std": "How much each layer's output varies over the batch; near zero it tells no sample from another.",
}
BAND = (-3.5, -2.5)


def layer_curves(
    frame: pd.DataFrame, quantity: str, *, role: str = "weight", log_y: bool = True, title: str | None = None
) -> dict:
    """One line a layer over the steps, first layer violet, last amber, for up to a hundred layers.

    `role` picks the parameter of parameter quantities ("weight" or "bias" of linear layers). On the logarithmic axis
    zeros are marked at the bottom edge, non-finite values at the top.
    """
    title = title or f"{labels.name(quantity).capitalize()} of every layer"
    help = _HELP.get(quantity, f"{labels.name(quantity).capitalize()} of every layer, colored by depth.")
    steps, sites, table = layer_table(frame, quantity, role)
    if len(steps) == 0:
        return layout.empty(title, help)
    shown = magnitudes(table) if log_y else None
    traces = lines(steps, sites, shown.drawn if shown else table, hover="%{y:.3g}")
    if shown:
        traces += edge_marks(*_recorded(frame, quantity, sites), shown)
    y = layout.axis(labels.name(quantity), **({"type": "log"} if log_y else {}))
    return layout.figure(traces, title=title, help=help, x=layout.steps(), y=y, over_steps=True, showlegend=False)


def update_ratios(frame: pd.DataFrame, *, role: str = "weight") -> dict:
    """log₁₀ of every layer's ‖Δw‖ / ‖w‖, with the band around 10⁻³ that a healthy step size tends to lie in.

    The rule of thumb is Karpathy's (CS231n notes, "Ratio of weights:updates"). Layers that did not move are marked at
    the bottom edge.
    """
    title = "Update-to-weight ratio"
    help = (
        "Each step changes a layer's weights by this share; far above the band it jumps about, far "
        "below it hardly learns."
    )
    steps, sites, table = layer_table(frame, "update_ratio", role)
    if len(steps) == 0:
        return layout.empty(title, help)
    shown = magnitudes(table)
    traces = lines(steps, sites, np.log10(shown.drawn), hover="10^%{y:.2f}")
    logarithmic = shown._replace(floor=np.log10(shown.floor), ceiling=np.log10(shown.ceiling))
    traces += edge_marks(*_recorded(frame, "update_ratio", sites), logarithmic)
    band = {
        "type": "rect",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": BAND[0],
        "y1": BAND[1],
        "fillcolor": theme.faded(theme.CLASSES[2], 0.16),
        "line": {"width": 0},
        "layer": "below",
    }
    note = {
        "xref": "paper",
        "x": 0.995,
        "xanchor": "right",
        "y": BAND[1],
        "yanchor": "top",
        "text": "healthy: about 1/1000 a step",
        "showarrow": False,
    }
    return layout.figure(
        traces,
        title=title,
        help=help,
        x=layout.steps(),
        y=layout.axis("log₁₀ of update / weight"),
        over_steps=True,
        showlegend=False,
        shapes=[band],
        annotations=[note],
    )


def shares(frame: pd.DataFrame, quantity: str | None = None) -> dict:
    """Shares of dead units and of saturated values as heatmaps, layer (first on top) × step, one scale 0 … 100 %.

    `quantity` "dead_share" or "saturated_share" draws one of them; None those that were recorded.
    """
    title = "Dead and saturated units" if quantity is None else labels.name(quantity).capitalize()
    help = (
        "A dead unit is 0 for every sample and learns nothing; a saturated value lies where the "
        "activation is flat, so hardly any gradient passes."
    )
    wanted = [quantity] if quantity else ["dead_share", "saturated_share"]
    tables = {name: layer_table(frame, name, "") for name in wanted}
    tables = {name: table for name, table in tables.items() if len(table[0])}
    if not tables:
        return layout.empty(title, help)
    traces, axes, notes = [], {}, []
    height = 1 / len(tables)
    for i, (name, (steps, sites, table)) in enumerate(tables.items()):
        picked = np.unique(np.linspace(0, len(steps) - 1, min(len(steps), 200)).round().astype(int))
        places, texts = labels.depth_ticks(sites, most=12 if len(tables) == 1 else 6)
        key = "yaxis" if i == 0 else f"yaxis{i + 1}"
        top = 1 - i * height
        axes[key] = {
            "domain": [top - height + (0.12 if len(tables) > 1 else 0), top - (0.1 if len(tables) > 1 else 0)],
            "autorange": "reversed",
            "tickvals": i4(places),
            "ticktext": texts,
            "title": {"text": "layer"},
            "showgrid": False,
        }
        traces.append(
            {
                "type": "heatmap",
                "x": i4(steps[picked]),
                "y": i4(range(len(sites))),
                "z": f4(table[picked].T),
                "yaxis": key.replace("axis", ""),
                "coloraxis": "coloraxis",
                "customdata": None,
                "hovertemplate": f"{labels.name(name)}: %{{z:.1%}}<br>%{{text}} at step %{{x}}<extra></extra>",
                "text": [[frames.label_site(site)] * len(picked) for site in sites],
            }
        )
        if len(tables) > 1:
            notes.append({"xref": "paper", "x": 0, "yref": "paper", "y": top, "text": labels.name(name)})
    notes = [note | {"showarrow": False, "xanchor": "left", "yanchor": "top"} for note in notes]
    axes = {"yaxis": axes.pop("yaxis"), **axes}
    return layout.figure(
        traces,
        title=title,
        help=help,
        x=layout.axis("step", showgrid=False, anchor="y" if len(tables) == 1 else f"y{len(tables)}"),
        y=axes.pop("yaxis"),
        over_steps=True,
        annotations=notes,
        coloraxis={
            "cmin": 0,
            "cmax": 1,
            "colorscale": theme.fading(theme.ALERT),
            "colorbar": theme.colorbar("", tickformat=".0%", nticks=5),
        },
        **axes,
    )


def layer_table(frame: pd.DataFrame, quantity: str, role: str) -> tuple[np.ndarray, list[str], np.ndarray]:
    """One quantity as steps (S,), sites (L,) by depth and values (S, L); parameters other than `role` are left out."""
    rows = frames.select(frame, quantity)
    sites = layer_sites(rows["site"].unique() if len(rows) else [], role)
    if len(rows) and (rows["member"].to_numpy() != rows["member"].iat[0]).any():
        rows = rows.groupby(["step", "site"], as_index=False)["value"].mean()
    return frames.matrix(rows, sites)


def layer_sites(sites: Sequence[str], role: str) -> list[str]:
    """The sites that stand for layers, by depth: all modules, or the `role` ("weight", "bias") of the linear ones."""
    parsed = {site: frames.layer_of(site) for site in sites}
    if any(parameter for _, _, parameter in parsed.values()):
        kept = [s for s, (kind, _, p) in parsed.items() if p == role and kind not in ("norm", "activation")]
        return frames.order_sites(kept)
    return frames.order_sites(parsed)


def lines(steps: np.ndarray, sites: Sequence[str], table: np.ndarray, *, hover: str) -> list[dict]:
    """A line a layer with its color by depth, and the color legend that says which is which; `table` (S, L)."""
    total = len(sites)
    picked = frames.thin_indices(table, max(60, min(500, POINTS // max(total, 1))))
    width = 2.0 if total <= 8 else 1.5 if total <= 20 else 1.1
    traces = []
    for i, site in enumerate(sites):
        rows = picked[:, i] if picked.ndim == 2 else picked
        rows = rows[~np.isnan(table[rows, i])] if np.isnan(table[:, i]).mean() > 0.5 else rows
        label = frames.label_site(site)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines" if len(steps) > 1 else "markers",
                "x": i4(steps[rows]),
                "y": f4(table[rows, i]),
                "name": label,
                "line": {"color": theme.depth_color(i, total), "width": width},
                "marker": {"color": theme.depth_color(i, total), "size": 5},
                "hovertemplate": f"{label}: {hover} at step %{{x}}<extra></extra>",
            }
        )
    return [*traces, depth_legend(sites)]


def depth_legend(sites: Sequence[str]) -> dict:
    """An invisible trace that carries the color legend of the layers, the first on top."""
    places, texts = labels.depth_ticks(sites)
    total = len(sites)
    if total <= 8:
        stops = [theme.depth_color(total - 1 - i, total) for i in range(total)]
        scale = [[(i + side) / total, color] for i, color in enumerate(stops) for side in (0, 1)]
        ends = [-total + 0.5, 0.5]
    else:
        scale, ends = theme.scale(theme.DEPTH, reverse=True), [-total + 1, 0]
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
            "colorbar": theme.colorbar("layer", tickvals=[-place for place in places], ticktext=texts),
        },
    }


def _recorded(frame: pd.DataFrame, quantity: str, sites: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Steps and values as recorded: unlike a table they hold no gaps that look like NaN."""
    rows = frames.select(frame, quantity, sites)
    return i4(rows["step"].to_numpy()), rows["value"].to_numpy()
