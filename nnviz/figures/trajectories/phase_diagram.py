"""Learning rate against momentum on a quadratic: where descent converges, how fast, and where the optimizers stand."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np

from nnviz.figures.kit import labels, layout, tables, theme
from nnviz.figures.kit.layout import f4
from nnviz.figures.kit.log_axis import logarithmic

# A color lasts from one of these rates to the next: the whole story of an ill-conditioned valley is close to 1.
RATE_BANDS = (0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 1)
# Opacity of the slowest and of the fastest band.
MIN_OPACITY, MAX_OPACITY = 0.06, 0.9
DIVERGENT_COLOR = theme.with_alpha(theme.NEUTRAL, 0.34)
_METHODS = ("heavy ball", "Nesterov")
_HELP = (
    "The color is the share of the error that a step keeps in the long run: the stronger, the faster; the star is the "
    "fastest setting there is. Beyond the dotted line the path swings, beyond the solid one it swings ever wider."
)
_INVALID_THEORY = "All of this is for exact gradients and one learning rate, so it predicts nothing of this race: {}."


class PhasePoint(TypedDict, total=False):
    """A setting on the map. `color` counts from 0; `predicted` (its own method's) and `measured` are error kept a step.

    `alpha`, `beta` and `name` are needed. Without `predicted` the map is read at the nearest place, where the optimizer
    is of the map's method and the race is as theory has it.
    """

    name: str
    alpha: float
    beta: float
    nesterov: bool
    color: int
    predicted: float
    measured: float | None


def phase_diagram(
    phase: Mapping[str, np.ndarray],
    optimizers: Sequence[PhasePoint] = (),
    *,
    conditions: str = "",
    log_x: bool | None = None,
    title: str = "",
) -> dict:
    """The convergence rate over learning rate (x) and momentum (y), with the edge of stability and the optimizers.

    `phase` has alphas (A,) and betas (B,), both rising; rate (B, A), the factor that the error keeps a step, 1 and more
    diverges; stability_limit (B,) and monotone_limit (B,), learning rates; best (3,): learning rate, momentum and rate;
    nesterov (). Optimizers of the other method are diamonds, those outside of the map arrows at its edge. `conditions`
    are what the race has and theory has not ("gradient noise σ = 1"): then nothing is told as predicted. `log_x` None:
    logarithmic where the learning rates are spaced so.
    """
    method = _METHODS[bool(phase.get("nesterov", False))] if phase else ""
    title = title or (f"Learning rate and momentum ({method})" if method else "Learning rate and momentum")
    if not phase or np.size(phase["rate"]) == 0:
        return layout.empty(title, _HELP)
    alphas, betas = np.asarray(phase["alphas"], float), np.asarray(phase["betas"], float)
    if log_x is None:
        log_x = _is_log_spaced(alphas)
    x = layout.axis("learning rate η", range=[float(alphas[0]), float(alphas[-1])])
    if log_x:
        x = logarithmic("learning rate η", alphas, [float(np.log10(alphas[0])), float(np.log10(alphas[-1]))])
    traces = [
        _rate_heatmap(alphas, betas, np.asarray(phase["rate"], float)),
        *_limit_lines(phase, alphas, betas),
        _best_setting(phase),
    ]
    marks = [_mark(optimizer, i, phase, alphas, betas, conditions) for i, optimizer in enumerate(optimizers)]
    return layout.figure(
        [*traces, *marks],
        title=title,
        help=f"{_HELP} {_INVALID_THEORY.format(conditions)}" if conditions else _HELP,
        x=x | {"showgrid": False},
        y=layout.axis("momentum β", range=[float(betas[0]), float(betas[-1])], showgrid=False),
        table=_table(phase, alphas, betas, optimizers),
        annotations=[
            *_divergence_label(phase, float(alphas[-1]), log_x),
            *([_invalid_theory_note(conditions)] if conditions else []),
        ],
    )


def _table(
    phase: Mapping[str, np.ndarray], alphas: np.ndarray, betas: np.ndarray, optimizers: Sequence[PhasePoint]
) -> list[tables.Part]:
    """The rate over the map, its two limits, the fastest setting, the optimizers with predicted and measured rates."""
    alpha, beta, rate = (float(value) for value in phase["best"])
    parts = [
        tables.grid({"kind": "map", "momentum": betas}, {"learning_rate": alphas}, {"rate": phase["rate"]}),
        *(
            tables.rows({"kind": kind, "momentum": betas, "learning_rate": phase[name]})
            for kind, name in (("stability limit", "stability_limit"), ("monotone limit", "monotone_limit"))
        ),
        tables.rows({"kind": "best", "momentum": [beta], "learning_rate": alpha, "rate": rate}),
    ]
    for optimizer in optimizers:
        known = {
            f"{name}_rate": optimizer[name] for name in ("predicted", "measured") if optimizer.get(name) is not None
        }
        place = {"momentum": [optimizer["beta"]], "learning_rate": optimizer["alpha"]}
        parts.append(tables.rows({"kind": "optimizer", "optimizer": optimizer["name"], **place, **known}))
    return parts


def color_position(rate: np.ndarray | Sequence[float]) -> np.ndarray:
    """Where a rate stands on the color scale of `BANDS`, all of one height: 0 all of the error is kept, 1 nothing."""
    return 1 - np.interp(rate, RATE_BANDS, np.linspace(0, 1, len(RATE_BANDS)))


def _rate_heatmap(alphas: np.ndarray, betas: np.ndarray, rate: np.ndarray) -> dict:
    count = len(RATE_BANDS) - 1
    colors = [
        theme.with_alpha(theme.MEASURES["gradient"], alpha) for alpha in np.linspace(MIN_OPACITY, MAX_OPACITY, count)
    ]
    bar = theme.colorbar(
        "error kept a step", tickvals=color_position(RATE_BANDS).tolist(), ticktext=[f"{edge:g}" for edge in RATE_BANDS]
    )
    setting = f"η {labels.hover_number('x')}, β {labels.hover_number('y')}"
    words = f"{setting}<br>error factor per step {labels.hover_number('customdata')}"
    return {
        "type": "heatmap",
        "x": f4(alphas),
        "y": f4(betas),
        "z": f4(color_position(rate)),
        "zmin": 0,
        "zmax": 1,
        "zsmooth": "best",
        "colorscale": [[end / count, color] for i, color in enumerate(colors) for end in (i, i + 1)],
        "colorbar": bar | {"title": bar["title"] | {"side": "right"}},
        "customdata": f4(rate),
        "hovertemplate": f"{words}<extra></extra>",
        "name": "rate",
    }


def _limit_lines(phase: Mapping[str, np.ndarray], alphas: np.ndarray, betas: np.ndarray) -> list[dict]:
    """All that diverges in one color, the edge before it, and the line up to which nothing swings."""
    edge, calm = (np.asarray(phase[name], float) for name in ("stability_limit", "monotone_limit"))
    right = np.full(2, alphas[-1])
    common = {"type": "scatter", "mode": "lines", "showlegend": False}
    beyond = {
        "x": f4(np.concatenate([np.clip(edge, alphas[0], alphas[-1]), right])),
        "y": f4(np.concatenate([betas, betas[[-1, 0]]])),
        "fill": "toself",
        "fillcolor": DIVERGENT_COLOR,
        "line": {"width": 0},
        "hoverinfo": "skip",
        "name": "diverges",
    }
    found = [common | beyond] if (edge < alphas[-1]).any() else []
    for limit, name, line in (
        (calm, "swings beyond", {"color": theme.NEUTRAL, "width": 1.5, "dash": "dot"}),
        (edge, "edge of stability", {"color": theme.ALERT, "width": 2.5}),
    ):
        words = f"{name}: η {labels.hover_number('x')} at β {labels.hover_number('y')}<extra></extra>"
        # Plotly leaves a line out between points of which one is not a number.
        seen = np.where((limit >= alphas[0]) & (limit <= alphas[-1]), limit, np.nan)
        found.append(common | {"x": f4(seen), "y": f4(betas), "line": line, "name": name, "hovertemplate": words})
    found[-2]["showlegend"] = True
    return found


def _best_setting(phase: Mapping[str, np.ndarray]) -> dict:
    alpha, beta, rate = np.asarray(phase["best"], float)
    place = f"η {labels.number(alpha, 4)}, β {labels.number(beta, 4)}"
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": f4([alpha]),
        "y": f4([beta]),
        "marker": {"symbol": "star", "size": 17, "color": theme.HALO, "line": {"color": theme.NEUTRAL, "width": 1.2}},
        "text": [f"best: {labels.number(rate, 4)}"],
        "textposition": "middle left",
        "name": "fastest setting",
        "hovertemplate": f"fastest setting: {place}<br>{_rate_text(rate)}<extra></extra>",
        "showlegend": False,
        "cliponaxis": False,
    }


def _invalid_theory_note(conditions: str) -> dict:
    """The note that theory does not hold for the race."""
    return layout.corner_note("<br>".join(["theory does not hold for this race:", *conditions.split(" · ")]))


def _mark(
    optimizer: PhasePoint,
    index: int,
    phase: Mapping[str, np.ndarray],
    alphas: np.ndarray,
    betas: np.ndarray,
    conditions: str,
) -> dict:
    """One optimizer with its name in the legend."""
    alpha, beta, nesterov = float(optimizer["alpha"]), float(optimizer["beta"]), bool(optimizer.get("nesterov", False))
    # Without momentum both methods are one.
    own = beta == 0 or nesterov == bool(phase.get("nesterov", False))
    x, y = np.clip(alpha, alphas[0], alphas[-1]), np.clip(beta, betas[0], betas[-1])
    inside = x == alpha and y == beta
    predicted = optimizer.get("predicted")
    if predicted is None and own and inside and not conditions:
        predicted = phase["rate"][np.abs(betas - beta).argmin(), np.abs(alphas - alpha).argmin()]
    method = _METHODS[nesterov] if beta else "no momentum"
    words = [
        f"<b>{optimizer['name']}</b> ({method}{'' if own else ': the map is of the other method'})",
        f"η {labels.number(alpha, 4)}, β {labels.number(beta, 4)}",
        f"predicted: {_rate_text(predicted) if not conditions else f'nothing, theory does not hold with {conditions}'}",
        f"measured: {_rate_text(optimizer.get('measured'))}",
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": f4([x]),
        "y": f4([y]),
        "marker": {
            "symbol": _outside_symbol(alpha - x, beta - y) if not inside else "circle" if own else "diamond",
            "size": 11,
            "color": theme.optimizer_color(optimizer.get("color", index)),
            "line": {"color": theme.HALO, "width": 1.2},
        },
        "name": optimizer["name"],
        "hovertemplate": "<br>".join(words) + "<extra></extra>",
        "showlegend": True,
        "cliponaxis": False,
    }


def _divergence_label(phase: Mapping[str, np.ndarray], right: float, log_x: bool) -> list[dict]:
    """The words beside the edge, upright at the end where there is more room beyond it."""
    edge = np.asarray(phase["stability_limit"], float)
    if edge.min() >= right:
        return []
    top = bool(edge[-1] < edge[0])
    beside = edge[round((len(edge) - 1) * (0.4 if top else 0.6))]
    room = beside < 0.85 * right
    x = beside if room else right
    return [
        {
            "text": "diverges beyond this line",
            "textangle": -90,
            "x": float(np.log10(x) if log_x else x),
            "xanchor": "left" if room else "right",
            "xshift": 4 if room else -1,
            "y": 0.98 if top else 0.03,
            "yref": "paper",
            "yanchor": "top" if top else "bottom",
            "showarrow": False,
        }
    ]


def _outside_symbol(right: float, up: float) -> str:
    """The symbol of a mark that lies outside of the map in this direction."""
    if right:
        return "triangle-right" if right > 0 else "triangle-left"
    return "triangle-up" if up > 0 else "triangle-down"


def _rate_text(rate: float | None) -> str:
    """A rate in words; "not known" where it is missing or NaN."""
    known = rate is not None and rate == rate
    return f"keeps {labels.number(float(rate), 4)} of the error a step" if known else "not known"


def _is_log_spaced(values: np.ndarray) -> bool:
    """Whether the middle one is nearer to the geometric than to the arithmetic mean of the ends."""
    low, middle, high = values[0], values[len(values) // 2], values[-1]
    return bool(low > 0 and abs(middle - np.sqrt(low * high)) < abs(middle - (low + high) / 2))
