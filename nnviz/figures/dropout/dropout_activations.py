"""Activations in training mode against evaluation mode, with what inverted dropout promises."""

from collections.abc import Mapping

import numpy as np

from nnviz import frames
from nnviz.figures.kit import labels, layout, tables, theme
from nnviz.figures.kit.layout import f4

SHOWN = {"mean": "mean over masks", "std": "standard deviation over masks"}
"""What may be drawn of the activations in training mode."""

_TITLES = {"mean": "Activations in training and evaluation mode", "std": "Spread of activations over masks"}
_HELP = (
    "Each point is one unit for one training sample: after dropout in training mode, over {masks}, against evaluation "
    "mode. The units that are kept are divided by 1 − p. "
)
_HELPS = {
    "mean": "Dashed: equal, which holds exactly over all masks for the first layer with dropout. A later layer gets "
    "other inputs from each mask, and a nonlinear function of the mean is not the mean of the function.",
    "std": "Dashed: √(p/(1 − p)) · |h| for an activation h, exact over all masks for the first layer with dropout; the "
    "spread of later layers also has that of the layers before.",
}


def masks_in_words(arrays: Mapping[str, np.ndarray]) -> str:
    """Over which masks a snapshot is: "all 256 masks", "30 random masks"."""
    count = int(arrays["masks"])
    return f"all {count} masks" if bool(arrays["all_masks"]) else f"{count} random masks"


def dropout_activations(arrays: Mapping[str, np.ndarray], layers: frames.Layers, *, show: str = "mean") -> dict:
    """Mean or standard deviation over masks of activations after dropout, against those in evaluation mode.

    `arrays` is the snapshot dropout_activations: for each layer i with dropout eval_i, mean_i, std_i (entries,) and
    rate_i; `show` is "mean" or "std".
    """
    if show not in SHOWN:
        raise ValueError(f"dropout_activations: show must be one of {', '.join(SHOWN)}, got {show!r}")
    title = _TITLES[show]
    if not arrays:
        return layout.empty(title, _HELP.format(masks="many masks") + _HELPS[show])
    found = sorted(int(name.split("_")[1]) for name in arrays if name.startswith("eval_"))
    traces, parts = [], []
    for place, layer in enumerate(found):
        h, values = (np.asarray(arrays[f"{name}_{layer}"], float) for name in ("eval", show))
        site = "input" if layer == 0 else layers.sites[layer - 1]
        name = "input" if layer == 0 else layers.label(site)
        color = theme.depth_color(place, len(found))
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": f4(h),
                "y": f4(values),
                "name": name,
                "marker": {"color": color, "size": 5, "opacity": 0.6},
                "hovertemplate": f"{name}: evaluation {labels.hover_number('x')}, {SHOWN[show]} "
                f"{labels.hover_number('y')}<extra></extra>",
            }
        )
        parts.append(tables.rows({"site": site, "eval": h, show: values}))
    rates = {float(arrays[f"rate_{layer}"]) for layer in found}
    every = np.concatenate([np.asarray(arrays[f"eval_{layer}"], float) for layer in found])
    low, high = float(every.min(initial=0)), float(every.max(initial=0))
    traces += [_theory(show, rate, low, high) for rate in sorted(rates)]
    return layout.figure(
        traces,
        title=title,
        help=_HELP.format(masks=masks_in_words(arrays)) + _HELPS[show],
        x=layout.axis("activation in evaluation mode"),
        y=layout.axis(SHOWN[show]),
        table=parts,
    )


def _theory(show: str, rate: float, low: float, high: float) -> dict:
    """What holds over all masks between two activations."""
    x = np.array([low, 0.0, high])
    factor = (rate / (1 - rate)) ** 0.5
    name = "equal" if show == "mean" else f"{labels.number(factor)} · |h| (p = {rate:g})"
    return {
        "type": "scatter",
        "mode": "lines",
        "x": f4(x),
        "y": f4(x if show == "mean" else factor * np.abs(x)),
        "name": name,
        "line": {"color": theme.MARKER_OUTLINE, "width": 1.5, "dash": "dash"},
        "hoverinfo": "skip",
    }
