"""Runs over many seeds: mean and range at each step."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from nnviz import frames
from nnviz.figures.comparisons.overlays import MAX_LEGEND_HEIGHT, MAX_NAME_LENGTH
from nnviz.figures.kit import labels, layout, tables, theme
from nnviz.figures.kit.layout import f4, i4
from nnviz.figures.kit.legend_values import name_with_value
from nnviz.figures.training.curves import LEGEND_TITLE, LINEAR_QUANTITIES, PERCENT_QUANTITIES, spans_decades, value_axis

MAX_POINTS = 250
SITES = ("train", "test")
_HELP = (
    "Line: mean over the seeds, from that of the run on; band: from the lowest to the highest. Each seed has its own "
    "data, split, initial weights, mini-batches and dropout masks. A run that diverges or stops early is left out from "
    "then on, and n, the number of runs at a step, is smaller. To see a run alone, set its seed in the form."
)


def seed_bands(
    runs: Mapping[str, pd.DataFrame],
    quantity: str = "loss",
    *,
    seeds: int,
    sites: Sequence[str] = SITES,
    log: bool | None = None,
    missing: Mapping[str, str] | None = None,
) -> dict:
    """Mean, lowest and highest value over the members at each step, for every run and site.

    Of one run, train and test have their colors; of several, each run has a color, the first site is solid and the
    second dashed. `runs` have members and names such as "A" or "B · batch norm"; `seeds` is the number of members.
    `log` None: logarithmic where the values span more than a factor of 30. `missing`: why runs have no values, by name.
    """
    title = "Over several seeds"
    if seeds:
        title = f"{labels.capitalized(labels.quantity_name(quantity))} over {seeds} seeds"
    found = {
        (index, name, site): bands
        for index, (name, frame) in enumerate(runs.items())
        for site in sites
        if len((bands := frames.over_members(frame, quantity, site)).steps)
    }
    reasons = _reasons(runs, missing or {})
    if not found:
        return layout.empty(title, _HELP, "<br>".join(dict.fromkeys(reasons)) or "waiting for the first step")
    values = np.concatenate([np.concatenate([bands.low, bands.high]) for bands in found.values()])
    as_percent = quantity in PERCENT_QUANTITIES
    if log is None:
        log = quantity not in LINEAR_QUANTITIES and spans_decades([values])
    log_y = bool(log and not as_percent and (values > 0).any())
    floor = values[values > 0].min() if log_y else -np.inf
    is_alone = len(runs) + len(reasons) < 2
    traces, table = [], []
    for (index, name, site), bands in found.items():
        color = theme.SITES[site] if is_alone else theme.run_color(index)
        short = labels.shorten(name, MAX_NAME_LENGTH) if site == sites[0] else labels.run_letter(name)[:1]
        in_legend = site if is_alone else f"{short}: {site}"
        dash = "solid" if is_alone or site == sites[0] else "dash"
        drawn = _drawn(bands)
        # On a logarithmic axis a band that reaches 0 ends at the lowest value drawn.
        low, mean, high = (np.maximum(row, floor) for row in (drawn.low, drawn.mean, drawn.high))
        traces += [
            _band(drawn.steps, low, high, color),
            _mean(drawn, mean, in_legend, name, site, color, dash, as_percent),
        ]
        table.append(
            tables.rows(
                {
                    **({} if is_alone else {"run": name}),
                    "step": drawn.steps,
                    "site": site,
                    f"{quantity}_mean": drawn.mean,
                    f"{quantity}_lowest": drawn.low,
                    f"{quantity}_highest": drawn.high,
                    "n": drawn.count,
                }
            )
        )
    fewer = {name: int(bands.count[-1]) for (_, name, _), bands in found.items() if bands.count[-1] < seeds}
    reasons += [
        f"{labels.run_letter(name)}: {count} of {seeds} at its last step".removeprefix(": ")
        for name, count in fewer.items()
    ]
    traces += [layout.legend_note(reason) for reason in reasons]
    many = {"maxheight": MAX_LEGEND_HEIGHT, "font": {"size": theme.SMALL}} if len(runs) > 2 else {}
    return layout.figure(
        traces,
        title=title,
        help=_HELP,
        x=layout.step_axis(),
        y=value_axis(quantity, log_y, "", values),
        over_steps=True,
        hovermode="x",
        table=table,
        legend={"title": LEGEND_TITLE | {"text": "mean, last:\u2003\u2003\u2003"}, **many},
    )


def _reasons(runs: Mapping[str, pd.DataFrame], missing: Mapping[str, str]) -> list[str]:
    """Why runs have no values, each with its name unless all have the same reason."""
    told = {name: why for name, why in missing.items() if why}
    if len(set(told.values())) == 1 and set(runs) <= set(told):
        return [*set(told.values())]
    return [f"{name} – {why}" if name else why for name, why in told.items()]


def _drawn(bands: frames.Bands) -> frames.Bands:
    """At most so many steps, extremes of the band included."""
    picked = np.unique(frames.thin_indices(np.stack([bands.low, bands.high], 1), MAX_POINTS))
    return frames.Bands(*(column[picked] for column in bands))


def _band(steps: np.ndarray, low: np.ndarray, high: np.ndarray, color: str) -> dict:
    """The area between the lowest and the highest value, at one step a line."""
    x, is_single = i4(steps), len(steps) == 1
    return {
        "type": "scatter",
        "mode": "lines",
        "x": np.concatenate([x, x[::-1]]),
        "y": f4(np.concatenate([high, low[::-1]])),
        "fill": "toself",
        "fillcolor": theme.with_alpha(color, 0.16),
        "line": {"width": 6 * is_single, "color": theme.with_alpha(color, 0.3)},
        "hoverinfo": "skip",
        "showlegend": False,
        "cliponaxis": not is_single,
    }


def _mean(
    bands: frames.Bands, drawn: np.ndarray, in_legend: str, run: str, site: str, color: str, dash: str, as_percent: bool
) -> dict:
    """The mean, with the range and n under the pointer."""
    form = ":.1%" if as_percent else ":.4g"
    where = f"{run}, {site}".removeprefix(", ")
    return {
        "type": "scatter",
        "mode": "lines" if len(drawn) > 1 else "markers",
        "x": i4(bands.steps),
        "y": f4(drawn),
        **name_with_value(in_legend, as_percent, bands.steps, bands.mean, f4(drawn)),
        "line": {"color": color, "width": 2, "dash": dash},
        "marker": {"color": color, "size": 5},
        "cliponaxis": len(drawn) > 1,
        "customdata": f4(np.stack([bands.low, bands.high, bands.count], 1)),
        "hovertemplate": f"{where} at step %{{x}}: mean %{{y{form}}}, from %{{customdata[0]{form}}} to "
        f"%{{customdata[1]{form}}}, n = %{{customdata[2]}}<extra></extra>",
    }
