"""All layers at one step: profiles over depth against theory, and small bars."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nnviz import frames
from nnviz.figures import labels, layout, theme
from nnviz.figures.layers import layer_sites
from nnviz.figures.layout import f4, i4
from nnviz.figures.magnitudes import edge_marks, magnitudes

# Theory gives these relative to the last layer, the others in absolute terms.
RELATIVE = ("gradient_norm", "signal_rms")
_RMS = {"activation_rms": "activation", "preactivation_rms": "preactivation"}
_HELP = {
    "gradient_norm": (
        "A level line is what training wants; a slope means that the gradient shrinks or grows by a "
        "factor with every layer it passes."
    ),
    "signal_rms": (
        "The backward signal is multiplied at every layer on its way from the output (right) to the input (left)."
    ),
    "activation_rms": (
        "The forward signal on its way from the input (left) to the output (right); a slope is a factor a layer."
    ),
}
THEORY = "theory at initialization (variance recursion)"


def depth_profile(
    frame: pd.DataFrame,
    quantity: str,
    step: int | None,
    layers: Mapping[str, np.ndarray],
    theory: Mapping[str, np.ndarray] | None = None,
    *,
    title: str | None = None,
) -> dict:
    """The magnitude of a quantity over depth (x = layer 1 … L, logarithmic y) at `step` (None: newest), theory dashed.

    `quantity` is a recorded one of parameters or modules, or "activation_rms" / "preactivation_rms", which is
    √(mean² + std²) of what was recorded. `layers` and `theory` are the snapshots of those names. Where theory knows
    ratios only (gradients, backward signals) it is scaled to the last layer as measured at the first step. The first
    step's profile stays as a dotted line. Zeros are marked at the bottom edge.
    """
    title = title or f"{labels.name(quantity).capitalize()} over depth"
    help = _HELP.get(quantity, f"{labels.name(quantity).capitalize()} from the first layer (left) to the last (right).")
    sites = [str(site) for site in layers.get("sites", ())] if layers else []
    rows = _profile_rows(frame, quantity)
    if not sites or len(rows) == 0:
        return layout.empty(title, help)
    x = np.arange(1, len(sites) + 1)
    first = _values(rows[(rows["step"] == rows["step"].min()).to_numpy()], sites)
    now = _values(frames.at_step(rows, max(step, int(rows["step"].min())) if step is not None else None), sites)
    predicted = _predicted(quantity, theory, first, len(sites))
    shown = magnitudes(np.concatenate([now[~np.isnan(now)], first[~np.isnan(first)]]))
    traces = []
    if predicted is not None:
        traces.append(_line(x, predicted, THEORY, {"dash": "dash", "color": theme.NEUTRAL, "width": 2}, sites))
    if not np.array_equal(first, now, equal_nan=True):
        start = f"measured at step {int(rows['step'].min())}"
        traces.append(_line(x, first, start, {"dash": "dot", "color": theme.POSITIVE, "width": 1.2}, sites))
    at = int(rows["step"].max()) if step is None else step
    traces.append(_line(x, now, f"measured at step {at}", {"color": theme.POSITIVE, "width": 2}, sites))
    if len(sites) <= 60:
        traces[-1] |= {
            "mode": "lines+markers",
            "marker": {"size": 6 if len(sites) <= 20 else 4, "color": theme.POSITIVE},
        }
    measured = ~np.isnan(now) | _recorded_bad(rows, at, sites)
    traces += edge_marks(i4(x[measured]), now[measured], shown)
    places, texts = labels.depth_ticks(sites)
    return layout.figure(
        traces,
        title=title,
        help=help,
        x=layout.axis("layer", tickvals=[place + 1 for place in places], ticktext=texts, range=[0.6, len(sites) + 0.4]),
        y=layout.axis(labels.name(quantity), type="log"),
    )


def layer_bars(frame: pd.DataFrame, step: int | None, layers: Mapping[str, np.ndarray]) -> dict:
    """Root mean square of every layer's weights, of their gradient and of the last update, as bars from zero.

    The recorded L2 norms are divided by √(fan_in · fan_out); each of the three has its own axis.
    """
    title = "Weights, gradients and updates"
    help = "Typical size of one weight in each layer, of its gradient, and of what the last step added to it."
    sites = [str(site) for site in layers.get("sites", ())] if layers else []
    wanted = {"weight_norm": "weight", "gradient_norm": "gradient", "update_norm": "update"}
    found = {name: frames.select(frame, name, [f"{site}.weight" for site in sites]) for name in wanted}
    if not sites or all(len(rows) == 0 for rows in found.values()):
        return layout.empty(title, help)
    size = np.sqrt(np.asarray(layers["fan_in"], float) * np.asarray(layers["fan_out"], float))
    places, texts = labels.depth_ticks(sites, most=9)
    traces, axes, notes = [], {}, []
    colors = (theme.CLASSES[7], theme.CLASSES[6], theme.CLASSES[2])
    for i, (name, word) in enumerate(wanted.items()):
        suffix = "" if i == 0 else str(i + 1)
        rows = found[name]
        rms = _values(frames.at_step(rows, step), sites) / size
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "x": f4(np.where(np.isfinite(rms), rms, np.nan)),
                "y": i4(range(len(sites))),
                "xaxis": f"x{suffix}",
                "marker": {"color": theme.faded(colors[i], 0.8)},
                "text": [labels.number(value, 2) if value == value else "" for value in rms]
                if len(sites) <= 9
                else None,
                "textposition": "auto",
                "textangle": 0,
                "insidetextanchor": "start",
                "constraintext": "none",
                "customdata": [frames.label_site(site) for site in sites],
                "hovertemplate": f"%{{customdata}}: {word} %{{x:.3g}} (root mean square)<extra></extra>",
                "showlegend": False,
                "name": word,
            }
        )
        left, right = i / 3 + (0.02 if i else 0), (i + 1) / 3 - 0.02
        axes[f"xaxis{suffix}"] = {
            "domain": [left, right],
            "rangemode": "tozero",
            "nticks": 3,
            "anchor": "y",
        }
        notes.append({"x": left, "y": 1, "xref": "paper", "yref": "paper", "yanchor": "bottom", "xanchor": "left"})
        notes[-1] |= {"text": f"{word} (rms)", "showarrow": False}
    return layout.figure(
        traces,
        title=title,
        help=help,
        x=axes.pop("xaxis"),
        y=layout.axis("layer", autorange="reversed", tickvals=places, ticktext=texts, showgrid=False),
        bargap=0.25,
        annotations=notes,
        margin={"t": 24},
        **axes,
    )


def _profile_rows(frame: pd.DataFrame, quantity: str) -> pd.DataFrame:
    """The rows of one quantity with sites renamed to their layer; rms is made of mean and standard deviation."""
    if quantity in _RMS:
        mean = frames.select(frame, f"{_RMS[quantity]}_mean").set_index(["step", "site", "member"])["value"]
        std = frames.select(frame, f"{_RMS[quantity]}_std").set_index(["step", "site", "member"])["value"]
        rows = np.sqrt(mean**2 + std**2).rename("value").reset_index().assign(quantity=quantity)
    else:
        rows = frames.select(frame, quantity)
        rows = rows[rows["site"].isin(layer_sites(rows["site"].unique(), "weight")).to_numpy()] if len(rows) else rows
    return rows


def _values(rows: pd.DataFrame, sites: list[str]) -> np.ndarray:
    """One value a layer (L,), NaN where there is none: by site, its weight, or the activation of the same depth."""
    table = dict(zip(rows["site"], rows["value"], strict=True))
    by_depth = {frames.layer_of(site)[1]: value for site, value in table.items()}
    return np.array([by_depth.get(frames.layer_of(site)[1], np.nan) for site in sites], float)


def _recorded_bad(rows: pd.DataFrame, step: int, sites: list[str]) -> np.ndarray:
    """Layers (L,) whose newest record is not finite, as against layers that have none."""
    rows = frames.at_step(rows, step)
    bad = {
        frames.layer_of(site)[1]
        for site, value in zip(rows["site"], rows["value"], strict=True)
        if not np.isfinite(value)
    }
    return np.array([frames.layer_of(site)[1] in bad for site in sites])


def _predicted(
    quantity: str, theory: Mapping[str, np.ndarray] | None, first: np.ndarray, layers: int
) -> np.ndarray | None:
    """The theory's value a layer (L,), scaled to the last measured layer where it is relative; None without theory."""
    if not theory or quantity not in theory:
        return None
    line = np.asarray(theory[quantity], float)
    if len(line) != layers:
        return None
    if quantity not in RELATIVE:
        return line
    good = np.flatnonzero(np.isfinite(first) & (first > 0) & np.isfinite(line) & (line > 0))
    return line * (first[good[-1]] / line[good[-1]]) if len(good) else None


def _line(x: np.ndarray, values: np.ndarray, name: str, line: Mapping, sites: list[str]) -> dict:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": i4(x),
        "y": f4(magnitudes(values).drawn),
        "name": name,
        "line": dict(line),
        "customdata": [frames.label_site(site) for site in sites],
        "hovertemplate": f"%{{customdata}}: %{{y:.3g}}<br>{name}<extra></extra>",
    }
