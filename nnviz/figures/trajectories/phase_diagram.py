"""Convergence rate of gradient descent on a quadratic over learning rate and momentum."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np

from nnviz.figures.kit import labels, layout, tables, theme
from nnviz.figures.kit.layout import f4
from nnviz.figures.kit.log_axis import logarithmic

# Bounds of the color bands: on an ill-conditioned quadratic all rates are close to 1.
RATE_BANDS = (0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 1)
# Opacity of the slowest and of the fastest band.
MIN_OPACITY, MAX_OPACITY = 0.06, 0.9
DIVERGENT_COLOR = theme.with_alpha(theme.NEUTRAL, 0.34)
_METHODS = ("heavy ball", "Nesterov")
_HELP = (
    "Color: the asymptotic error factor per step, stronger for faster convergence; the star is the optimal setting. "
    "Between the dotted and the solid line the path oscillates; beyond the solid line it diverges."
)
_INVALID_THEORY = "The theory assumes exact gradients and a constant learning rate; it does not apply here: {}."


class PhasePoint(TypedDict, total=False):
    """An optimizer's setting. `color` is an index; `predicted` and `measured` are error factors per step.

    `alpha` (learning rate), `beta` (momentum) and `name` are required. Without `predicted`, the rate at the nearest
    grid point is used if the optimizer has the diagram's method and the theory applies.
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
    """The convergence rate over learning rate (x) and momentum (y), with the stability limit and the optimizers.

    `phase` has alphas (A,) and betas (B,), both ascending; rate (B, A), the error factor per step, ≥ 1 diverges;
    stability_limit (B,) and monotone_limit (B,), learning rates; best (3,): learning rate, momentum and rate; nesterov
    (). Optimizers of the other method are diamonds, those outside the diagram triangles at its edge. `conditions` are
    the settings that the theory does not cover ("gradient noise σ = 1"): then nothing is predicted. `log_x` None:
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
    """The rate over the plane, the two limits, the optimal setting, the optimizers' predicted and measured rates."""
    alpha, beta, rate = (float(value) for value in phase["best"])
    parts = [
        tables.grid({"kind": "rate", "momentum": betas}, {"learning_rate": alphas}, {"rate": phase["rate"]}),
        *(
            tables.rows({"kind": kind, "momentum": betas, "learning_rate": phase[name]})
            for kind, name in (("stability limit", "stability_limit"), ("monotone limit", "monotone_limit"))
        ),
        tables.rows({"kind": "best", "momentum": [beta], "learning_rate": alpha, "rate": rate}),
    ]
    for optimizer in optimizers:
        rates = {
            f"{name}_rate": optimizer[name] for name in ("predicted", "measured") if optimizer.get(name) is not None
        }
        setting = {"momentum": [optimizer["beta"]], "learning_rate": optimizer["alpha"]}
        parts.append(tables.rows({"kind": "optimizer", "optimizer": optimizer["name"], **setting, **rates}))
    return parts


def color_position(rate: np.ndarray | Sequence[float]) -> np.ndarray:
    """The position of a rate on the color scale: 0 for rate 1, 1 for rate 0, all `RATE_BANDS` equally high."""
    return 1 - np.interp(rate, RATE_BANDS, np.linspace(0, 1, len(RATE_BANDS)))


def _rate_heatmap(alphas: np.ndarray, betas: np.ndarray, rate: np.ndarray) -> dict:
    count = len(RATE_BANDS) - 1
    colors = [
        theme.with_alpha(theme.MEASURES["gradient"], alpha) for alpha in np.linspace(MIN_OPACITY, MAX_OPACITY, count)
    ]
    bar = theme.colorbar(
        "error factor per step",
        tickvals=color_position(RATE_BANDS).tolist(),
        ticktext=[f"{edge:g}" for edge in RATE_BANDS],
    )
    setting = f"η {labels.hover_number('x')}, β {labels.hover_number('y')}"
    hover = f"{setting}<br>error factor per step {labels.hover_number('customdata')}"
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
        "hovertemplate": f"{hover}<extra></extra>",
        "name": "rate",
    }


def _limit_lines(phase: Mapping[str, np.ndarray], alphas: np.ndarray, betas: np.ndarray) -> list[dict]:
    """The divergent region, the stability limit, and the limit of monotone convergence."""
    stability, monotone = (np.asarray(phase[name], float) for name in ("stability_limit", "monotone_limit"))
    right = np.full(2, alphas[-1])
    common = {"type": "scatter", "mode": "lines", "showlegend": False}
    divergent = {
        "x": f4(np.concatenate([np.clip(stability, alphas[0], alphas[-1]), right])),
        "y": f4(np.concatenate([betas, betas[[-1, 0]]])),
        "fill": "toself",
        "fillcolor": DIVERGENT_COLOR,
        "line": {"width": 0},
        "hoverinfo": "skip",
        "name": "diverges",
    }
    traces = [common | divergent] if (stability < alphas[-1]).any() else []
    for limit, name, line in (
        (monotone, "oscillates above this line", {"color": theme.NEUTRAL, "width": 1.5, "dash": "dot"}),
        (stability, "stability limit", {"color": theme.ALERT, "width": 2.5}),
    ):
        hover = f"{name}: η {labels.hover_number('x')} at β {labels.hover_number('y')}<extra></extra>"
        # NaN interrupts the line outside of the diagram.
        visible = np.where((limit >= alphas[0]) & (limit <= alphas[-1]), limit, np.nan)
        traces.append(common | {"x": f4(visible), "y": f4(betas), "line": line, "name": name, "hovertemplate": hover})
    traces[-2]["showlegend"] = True
    return traces


def _best_setting(phase: Mapping[str, np.ndarray]) -> dict:
    alpha, beta, rate = np.asarray(phase["best"], float)
    setting = f"η {labels.number(alpha, 4)}, β {labels.number(beta, 4)}"
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": f4([alpha]),
        "y": f4([beta]),
        "marker": {"symbol": "star", "size": 17, "color": theme.HALO, "line": {"color": theme.NEUTRAL, "width": 1.2}},
        "text": [f"optimum: {labels.number(rate, 4)}"],
        "textposition": "middle left",
        "name": "optimal setting",
        "hovertemplate": f"optimal setting: {setting}<br>{_rate_text(rate)}<extra></extra>",
        "showlegend": False,
        "cliponaxis": False,
    }


def _invalid_theory_note(conditions: str) -> dict:
    """The note that the theory does not apply."""
    return layout.corner_note("<br>".join(["theory does not apply:", *conditions.split(" · ")]))


def _mark(
    optimizer: PhasePoint,
    index: int,
    phase: Mapping[str, np.ndarray],
    alphas: np.ndarray,
    betas: np.ndarray,
    conditions: str,
) -> dict:
    """The marker of one optimizer."""
    alpha, beta, nesterov = float(optimizer["alpha"]), float(optimizer["beta"]), bool(optimizer.get("nesterov", False))
    # Without momentum both methods are the same.
    is_same_method = beta == 0 or nesterov == bool(phase.get("nesterov", False))
    x, y = np.clip(alpha, alphas[0], alphas[-1]), np.clip(beta, betas[0], betas[-1])
    inside = x == alpha and y == beta
    predicted = optimizer.get("predicted")
    if predicted is None and is_same_method and inside and not conditions:
        predicted = phase["rate"][np.abs(betas - beta).argmin(), np.abs(alphas - alpha).argmin()]
    method = _METHODS[nesterov] if beta else "no momentum"
    hover = [
        f"<b>{optimizer['name']}</b> ({method}{'' if is_same_method else ', unlike this diagram'})",
        f"η {labels.number(alpha, 4)}, β {labels.number(beta, 4)}",
        f"predicted: {_rate_text(predicted) if not conditions else f'no, theory does not apply with {conditions}'}",
        f"measured: {_rate_text(optimizer.get('measured'))}",
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": f4([x]),
        "y": f4([y]),
        "marker": {
            "symbol": _outside_symbol(alpha - x, beta - y) if not inside else "circle" if is_same_method else "diamond",
            "size": 11,
            "color": theme.optimizer_color(optimizer.get("color", index)),
            "line": {"color": theme.HALO, "width": 1.2},
        },
        "name": optimizer["name"],
        "hovertemplate": "<br>".join(hover) + "<extra></extra>",
        "showlegend": True,
        "cliponaxis": False,
    }


def _divergence_label(phase: Mapping[str, np.ndarray], right: float, log_x: bool) -> list[dict]:
    """The label of the divergent region, along the stability limit at the end with more room."""
    limit = np.asarray(phase["stability_limit"], float)
    if limit.min() >= right:
        return []
    is_at_top = bool(limit[-1] < limit[0])
    beside = limit[round((len(limit) - 1) * (0.4 if is_at_top else 0.6))]
    fits = beside < 0.85 * right
    x = beside if fits else right
    return [
        {
            "text": "diverges above this learning rate",
            "textangle": -90,
            "x": float(np.log10(x) if log_x else x),
            "xanchor": "left" if fits else "right",
            "xshift": 4 if fits else -1,
            "y": 0.98 if is_at_top else 0.03,
            "yref": "paper",
            "yanchor": "top" if is_at_top else "bottom",
            "showarrow": False,
        }
    ]


def _outside_symbol(right: float, up: float) -> str:
    """The marker symbol of a setting outside of the diagram in this direction."""
    if right:
        return "triangle-right" if right > 0 else "triangle-left"
    return "triangle-up" if up > 0 else "triangle-down"


def _rate_text(rate: float | None) -> str:
    """An error factor as text; "unknown" where it is missing or NaN."""
    is_known = rate is not None and rate == rate
    return f"error factor per step {labels.number(float(rate), 4)}" if is_known else "unknown"


def _is_log_spaced(values: np.ndarray) -> bool:
    """Whether the middle value is nearer to the geometric than to the arithmetic mean of the ends."""
    low, middle, high = values[0], values[len(values) // 2], values[-1]
    return bool(low > 0 and abs(middle - np.sqrt(low * high)) < abs(middle - (low + high) / 2))
