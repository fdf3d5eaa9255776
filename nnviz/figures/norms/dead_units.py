"""Units after batch norm and ReLU that no batch can wake."""

from collections.abc import Mapping

import numpy as np

from nnviz import frames
from nnviz.figures.kit import labels, layout, tables, theme
from nnviz.figures.kit.layout import f4

TITLE = "Units that cannot recover"
HELP = (
    "γ and β of every unit of batch norm before ReLU. In a mini-batch of n samples |x̂| ≤ √(n − 1), so where "
    "β + |γ|√(n − 1) ≤ 0 (shaded) the output is 0 for every sample of every mini-batch, and the gradient of all that "
    "the unit depends on is 0. The bound holds in training mode; in evaluation mode |x̂| has none."
)
MOST_NAMED = 3


def dead_units(arrays: Mapping[str, np.ndarray], layers: frames.Layers) -> dict:
    """A point for each unit at (|γ|, β), colored by layer; those with a certificate are marked and named. `arrays` is
    the snapshot norm_units."""
    if not arrays:
        return layout.empty(TITLE, HELP)
    if not len(arrays.get("site", ())) or not arrays["is_relu"].any():
        return layout.empty(TITLE, HELP, "no batch norm with scale and shift directly before ReLU")
    keep = arrays["is_relu"]
    sites, units = arrays["site"][keep], arrays["unit"][keep]
    gamma, beta, certificate = (np.asarray(arrays[name], float)[keep] for name in ("gamma", "beta", "certificate"))
    n = int(arrays["n"])
    dead = certificate <= 0
    order = layers.order(dict.fromkeys(sites.tolist()))
    names = np.array([f"{layers.label(site)}, unit {unit}" for site, unit in zip(sites, units, strict=True)])
    traces = []
    for place, site in enumerate(order):
        mine = sites == site
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": f4(gamma[mine]),
                "y": f4(beta[mine]),
                "marker": {"size": 6, "color": theme.depth_color(place, len(order)), "opacity": 0.8},
                "name": layers.label(site),
                "text": [
                    f"{name}: β + |γ|√{n - 1} = {labels.number(c)}"
                    for name, c in zip(names[mine], certificate[mine], strict=True)
                ],
                "hovertemplate": "%{text}<extra></extra>",
                "showlegend": len(order) <= 8,
            }
        )
    widest = 1.08 * float(gamma.max(initial=0.0)) or 1.0
    limit = -np.sqrt(n - 1) * np.array([0.0, widest])
    low = 1.1 * min(float(beta.min()), -0.1 * float(np.abs(beta).max()), 0.3 * float(limit[1]))
    high = 1.1 * max(float(beta.max()), 0.05 * widest)
    edge = {"type": "scatter", "mode": "lines", "x": [0.0, widest], "y": limit.tolist(), "name": f"−|γ|√{n - 1}"}
    edge |= {"line": {"color": theme.ALERT, "width": 1.5}, "hoverinfo": "skip", "fill": "tozeroy"}
    floor = edge | {"y": [low * 10, low * 10], "line": {"width": 0}, "showlegend": False, "fill": "none"}
    edge |= {"fill": "tonexty", "fillcolor": theme.with_alpha(theme.ALERT, 0.15)}
    if dead.any():
        mark = {"symbol": "circle-open", "size": 11, "color": theme.ALERT, "line": {"width": 2}}
        traces.append(
            {"type": "scatter", "mode": "markers", "x": f4(gamma[dead]), "y": f4(beta[dead]), "marker": mark}
            | {"hoverinfo": "skip", "name": "cannot recover"}
        )
    count = int(dead.sum())
    named = "; ".join(names[dead][:MOST_NAMED]) + (f"; {count - MOST_NAMED} more" if count > MOST_NAMED else "")
    text = f"{count} of {len(dead)} units cannot recover" + (f":<br>{named}" if count else "")
    return layout.figure(
        [floor, edge, *traces],
        title=TITLE,
        help=HELP,
        x=layout.axis("|γ|", range=[0, widest]),
        y=layout.axis("β", range=[low, high]),
        annotations=[layout.corner_note(text, "top left")],
        table=[
            tables.rows(
                {"site": sites, "unit": units, "gamma": gamma, "beta": beta, "certificate": certificate}
                | {"cannot_recover": dead.astype(np.uint8)}
            )
        ],
        showlegend=True,
    )
