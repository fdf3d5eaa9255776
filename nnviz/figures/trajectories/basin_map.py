"""Basins of attraction of one optimizer: which minimum each start converges to, and after how many steps."""

from collections.abc import Mapping

import numpy as np

from nnviz.figures.kit import labels, layout, tables, theme
from nnviz.figures.kit.layout import f4
from nnviz.figures.trajectories import critical_point_marks, trajectory_lines

# Minima with a color of their own; others share one.
MAX_COLORED_MINIMA = 11
# Opacity of the starts that converge fastest and slowest, and the number of levels between them.
MAX_OPACITY, MIN_OPACITY, OPACITY_LEVELS = 0.95, 0.3, 6
UNREACHED_OPACITY = 0.3
_HELP = (
    "Each cell is a start; its color is the minimum that the optimizer converges to, stronger for fewer steps. Gray "
    "cells reach none."
)
_STEPS_HELP = "Number of steps from each start until the optimizer stays at a minimum. Gray cells reach none."

_HOVER_START = f"from {labels.HOVER_POINT}"

Arrays = Mapping[str, np.ndarray]


def basin_map(basins: Arrays, index: int, name: str) -> dict:
    """The minimum that optimizer `index` converges to from each start, in its color, fainter for more steps.

    `basins` has x and y (k,), minima (m, 2), and minimum and steps (optimizers, k, k) with rows along y, −1 for none.
    With more than twelve minima those with the smallest basins share a color.
    """
    title = f"Basins of attraction of {name}" if name else "Basins of attraction"
    if not basins or not 0 <= index < len(basins["minimum"]):
        return layout.empty(title, _HELP, "waiting for the first result")
    reached, steps = np.asarray(basins["minimum"][index]), np.asarray(basins["steps"][index])
    minima, all_names = _minima(basins), _minimum_names(basins)
    counts = np.bincount(reached[reached >= 0], minlength=len(all_names))
    order = np.argsort(-counts, kind="stable")
    own = order if len(order) <= MAX_COLORED_MINIMA + 1 else order[:MAX_COLORED_MINIMA]
    color = np.full(len(all_names), len(own))  # the number of each minimum's color
    color[own] = np.arange(len(own))
    shades = [theme.optimizer_color(i) for i in range(len(own))] + [theme.OTHER_MINIMA]
    names = [all_names[i] for i in own] + (["other minima"] if len(own) < len(all_names) else [])
    fractions = [counts[color == i].sum() / reached.size for i in range(len(names))]
    missing = float((reached < 0).mean())
    entries = [_legend_entry(names[i], fractions[i], shades[i]) for i in range(len(names)) if fractions[i]]
    if missing:
        entries.append(_legend_entry("no minimum", missing, theme.with_alpha(theme.NEUTRAL, UNREACHED_OPACITY)))
    return layout.figure(
        [
            _unreached_cells(basins, reached < 0),
            _basin_cells(basins, reached, steps, color, shades),
            *entries,
            *_minimum_curves(basins),
            _minimum_marks(minima),
        ],
        title=title,
        help=_HELP,
        table=[_table(basins, {("minimum_x", "minimum_y", "steps"): _reached_minima(basins, reached, steps)})],
        **_axes(basins),
        **trajectory_lines.legend(len(entries)),
    )


def basin_arrival_steps(basins: Arrays, index: int, name: str) -> dict:
    """The number of steps of optimizer `index` from each start to its minimum."""
    title = f"Steps of {name} to convergence" if name else "Steps to convergence"
    if not basins or not 0 <= index < len(basins["steps"]):
        return layout.empty(title, _STEPS_HELP, "waiting for the first result")
    steps = np.asarray(basins["steps"][index], float)
    arrival_steps = steps[steps >= 0]
    log = bool(len(arrival_steps)) and arrival_steps.max() > 20 * max(float(np.median(arrival_steps)), 1)
    shown = np.where(steps >= 0, np.log10(1 + np.maximum(steps, 0)) if log else steps, np.nan)
    top = float(np.nanmax(shown)) if len(arrival_steps) else 1.0
    ticks = {}
    if log:
        powers = [0, *(10**p for p in range(int(top) + 1))]
        ticks = {"tickvals": np.log10(1 + np.array(powers)).tolist(), "ticktext": [str(power) for power in powers]}
    reached = _heatmap(basins) | {
        "z": f4(shown),
        "customdata": f4(np.where(steps >= 0, steps, np.nan)),
        "zmin": 0,
        "zmax": max(top, 1e-3),
        "colorscale": theme.from_transparent(theme.MEASURES["weight"], 0.95),
        "colorbar": theme.colorbar("steps", **ticks),
        "name": "steps",
        "hovertemplate": f"{_HOVER_START}<br>%{{customdata}} steps<extra></extra>",
    }
    return layout.figure(
        [_unreached_cells(basins, steps < 0), reached, *_minimum_curves(basins), _minimum_marks(_minima(basins))],
        title=title,
        help=_STEPS_HELP,
        table=[_table(basins, {"steps": np.where(steps >= 0, steps, np.nan)})],
        **_axes(basins),
    )


def _table(basins: Arrays, cells: Mapping[str | tuple[str, ...], np.ndarray]) -> tables.Part:
    """A row per start; NaN where it reaches no minimum."""
    return tables.grid({"y": basins["y"]}, {"x": basins["x"]}, cells)


def _axes(basins: Arrays) -> dict:
    """Axes that end at the edges of the cells."""
    axes = {}
    for name in "xy":
        values = np.asarray(basins[name], float)
        half = (values[1] - values[0]) / 2
        ends = [float(values[0] - half), float(values[-1] + half)]
        axes[name] = layout.axis(name, range=ends, showgrid=False)
    return axes


def _minima(basins: Arrays) -> np.ndarray:
    return np.asarray(basins["minima"], float).reshape(-1, 2)


def _heatmap(basins: Arrays) -> dict:
    return {"type": "heatmap", "x": f4(basins["x"]), "y": f4(basins["y"])}


def _unreached_cells(basins: Arrays, missing: np.ndarray) -> dict:
    """The cells from which no minimum is reached."""
    gray = theme.with_alpha(theme.NEUTRAL, UNREACHED_OPACITY)
    return _heatmap(basins) | {
        "z": f4(np.where(missing, 0, np.nan)),
        "colorscale": [[0, gray], [1, gray]],
        "showscale": False,
        "name": "no minimum",
        "hovertemplate": f"{_HOVER_START}<br>reaches no minimum<extra></extra>",
    }


def _reached_minima(basins: Arrays, reached: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """x and y of the minimum reached from each start, and the number of steps (k, k, 3); NaN for none."""
    is_reached, minima = reached >= 0, _minima(basins)
    points = np.full((len(_minimum_names(basins)) + 1, 2), np.nan)  # curves have no single point
    points[: len(minima)] = minima
    columns = [points[np.where(is_reached, reached, -1)], np.asarray(steps, float)[..., None]]
    return np.where(is_reached[..., None], np.concatenate(columns, -1), np.nan)


def _basin_cells(basins: Arrays, reached: np.ndarray, steps: np.ndarray, color: np.ndarray, shades: list[str]) -> dict:
    """The cells from which a minimum is reached: z is color · OPACITY_LEVELS + level, level 0 the fastest."""
    is_reached = reached >= 0
    minimum = np.where(is_reached, reached, 0)
    fast, slow = np.quantile(steps[is_reached], [0.05, 0.95]) if is_reached.any() else (0, 1)
    level = np.clip((steps - fast) / max(slow - fast, 1) * OPACITY_LEVELS, 0, OPACITY_LEVELS - 1).astype(int)
    count = len(shades) * OPACITY_LEVELS
    colors = [
        theme.with_alpha(shade, alpha)
        for shade in shades
        for alpha in np.linspace(MAX_OPACITY, MIN_OPACITY, OPACITY_LEVELS)
    ]
    names = _minimum_names(basins)
    number = color[minimum] if len(names) else np.zeros_like(minimum)
    point = ", ".join(labels.hover_number(f"customdata[{i}]") for i in range(2))
    hover = f"reaches ({point}) in %{{customdata[2]}} steps"
    text = {}
    if len(names) > len(_minima(basins)):
        hover = "reaches %{text} in %{customdata[2]} steps"
        text = {"text": np.where(is_reached, np.array(names)[minimum], "").tolist()}
    return (
        _heatmap(basins)
        | text
        | {
            "z": f4(np.where(is_reached, number * OPACITY_LEVELS + level, np.nan)),
            "zmin": -0.5,
            "zmax": count - 0.5,
            "colorscale": [[end / count, shade] for i, shade in enumerate(colors) for end in (i, i + 1)],
            "showscale": False,
            "customdata": f4(_reached_minima(basins, reached, steps)),
            "name": "reached",
            "hovertemplate": f"{_HOVER_START}<br>{hover}<extra></extra>",
        }
    )


def _legend_entry(name: str, fraction: float, color: str) -> dict:
    """A legend entry with the fraction of the starts."""
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [None],
        "y": [None],
        "marker": {"symbol": "square", "size": 12, "color": color},
        "name": f"{name} {100 * fraction:.0f}%" if fraction >= 0.01 else f"{name} {labels.percent(fraction)}",
        "hoverinfo": "skip",
        "showlegend": True,
    }


def _minimum_names(basins: Arrays) -> list[str]:
    """Names of all minima by index: points, then curves, then the flat region if there is one."""
    minima = _minima(basins)
    count = int(np.isnan(critical_point_marks.points(basins, "minimum_curves")).any(1).sum())
    count += len(critical_point_marks.points(basins, "minimum_curves")) > 0
    numbers = [""] if count == 1 else [f" {number + 1}" for number in range(count)]
    names = [
        *map(_format_point, minima),
        *(f"{critical_point_marks.MINIMUM_CURVE}{number}" for number in numbers[:count]),
    ]
    return [*names, critical_point_marks.FLAT_REGION] if np.max(basins["minimum"], initial=-1) >= len(names) else names


def _minimum_curves(basins: Arrays) -> list[dict]:
    """Curves of minima."""
    line = critical_point_marks.thinned_lines(critical_point_marks.points(basins, "minimum_curves"))
    style = {"type": "scatter", "mode": "lines", "x": f4(line[:, 0]), "y": f4(line[:, 1]), "showlegend": False}
    hover = {
        "name": critical_point_marks.MINIMUM_CURVE,
        "hovertemplate": f"{critical_point_marks.MINIMUM_CURVE}<extra></extra>",
    }
    pens = ({"color": theme.HALO, "width": 5}, {"color": theme.MARKER_OUTLINE, "width": 1.8})
    return [style | hover | {"line": pen} for pen in pens] if len(line) else []


def _minimum_marks(minima: np.ndarray) -> dict:
    """Circles at the minima, at a sample if they are many."""
    size = 9 if len(minima) <= MAX_COLORED_MINIMA + 1 else 4
    minima = minima[critical_point_marks.sample_indices(len(minima))]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": f4(minima[:, 0]),
        "y": f4(minima[:, 1]),
        "marker": {
            "symbol": "circle",
            "size": size,
            "color": theme.HALO,
            "line": {"color": theme.MARKER_OUTLINE, "width": 1.2},
        },
        "name": "minima",
        "showlegend": False,
        "hovertemplate": f"minimum<br>{labels.HOVER_POINT}<extra></extra>",
    }


def _format_point(point: np.ndarray) -> str:
    """A point with three digits: "(0.5, −1.2)"."""
    return "({}, {})".format(*(f"{0.0 if abs(value) < 5e-4 else value:.3g}".replace("-", "−") for value in point))
