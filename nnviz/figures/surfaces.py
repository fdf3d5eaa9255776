"""The surface that racers go down, seen from above, with their paths on it."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from nnviz.figures import labels, layout, level_points, racers, relief, tables, theme
from nnviz.figures.arrows import step_arrows
from nnviz.figures.layout import f4, i4

# How much is left of the other paths where one racer's step is taken apart.
DIM = 0.35
_HELP = (
    "Stronger color is higher ground; each line is a method's path from the open ring, its mark where it is at the "
    "chosen step; stars are the lowest minima in view, dots other minima, crosses saddles, triangles maxima."
)
_STEP_HELP = (
    "The arrows take one step apart: against the gradient, against what is remembered of gradients, and where the "
    "method goes in the end."
)

Arrays = Mapping[str, np.ndarray]


def contour_map(
    surface: Arrays,
    race: Arrays,
    names: Sequence[str],
    *,
    log_height: bool | None = False,
    note: str = "",
    chosen: int | None = None,
    words: Mapping[str, str] | None = None,
    hidden: Collection[int] = (),
) -> dict:
    """The surface from above with the racers' paths, all steps at once: the browser cuts them at the chosen one.

    `surface` has x and y (k,), z (k, k) by row of y, and what is level, as `level_points` draws it; `race` has
    points (racers, steps + 1, 2), heights, gone, and parts of the steps (racers, steps, 2). `log_height` colors by the
    logarithm above the lowest height, None where that shows more. `note` is printed on the picture. `chosen` is the
    racer whose step is drawn as arrows, and `words` say what it remembers ("first moment m"); those `hidden` are in the
    legend alone. The axes stay those of the surface.
    """
    title, help = "Surface and paths", (_HELP if chosen is None else _STEP_HELP) + level_points.words(surface)
    if not surface:
        return layout.empty(title, help)
    x, y, z = (np.asarray(surface[name], float) for name in "xyz")
    scale = relief.scale(z, log_height)
    traces = [_heights(x, y, z), relief.colorbar(scale, "f(x, y)"), *level_points.traces(surface)]
    count = len(race["points"]) if race else 0
    dots = 0 < sum(racers.last_step(race, i) + 1 for i in range(count)) <= racers.DOTS
    for i in range(count):
        parts = _path(race, i, names, dots, 7 if i == chosen else 11)
        dim = {"opacity": DIM} if chosen not in (None, i) else {}
        traces += [trace | racers.group(i, hidden) | dim for trace in parts]
    if count and chosen is not None and 0 <= chosen < count and chosen not in hidden:
        traces += step_arrows(race, chosen, (float(np.ptp(x)), float(np.ptp(y))), words)
    found = layout.figure(
        [*traces, *([_start(race)] if count else [])],
        title=title,
        help=help,
        x=layout.axis("x", range=[float(x[0]), float(x[-1])], showgrid=False),
        y=layout.axis("y", range=[float(y[0]), float(y[-1])], showgrid=False),
        table=[
            tables.grid({"kind": "surface", "y": surface["y"]}, {"x": surface["x"]}, {"f": surface["z"]}),
            *(racers.table(race, i, names, _drawn(race, i)) for i in range(count)),
            *level_points.table(surface),
        ],
        images=[relief.picture(x, y, z, scale)],
        annotations=[layout.corner(note)] if note else [],
        **racers.legend(count if chosen is None else count + 3),
    )
    found["layout"]["meta"]["reveals"] = True
    if count:
        place = (float(value) for value in race["points"][0, 0])
        found["layout"]["meta"]["pick"] = {"name": "start", **dict(zip("xy", place, strict=True))}
    return found


def _drawn(race: Arrays, racer: int) -> np.ndarray:
    """The steps of a racer that are drawn and at which it is somewhere."""
    steps = racers.kept_steps(race, racer)
    return steps[np.isfinite(np.asarray(race["points"][racer])[steps]).all(1)]


def _heights(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> dict:
    """An invisible heatmap of every second place that says its height."""
    return {
        "type": "heatmap",
        "x": f4(x[::2]),
        "y": f4(y[::2]),
        "z": f4(np.where(np.isfinite(z), z, np.nan)[::2, ::2]),
        "opacity": 0,
        "showscale": False,
        "name": "f",
        "hovertemplate": f"x {labels.shown('x')}, y {labels.shown('y')}<br>f {labels.shown('z')}<extra></extra>",
    }


def _path(race: Arrays, racer: int, names: Sequence[str], dots: bool, size: int) -> list[dict]:
    """The line up to the chosen step, and the mark at it."""
    steps = racers.kept_steps(race, racer)
    name = racers.called(names, race, racer)
    color = theme.racer_color(racer)
    points = np.asarray(race["points"][racer], float)[steps]
    where = f"x {labels.shown('x')}, y {labels.shown('y')}<br>f {labels.shown('customdata')}"
    common = {
        "type": "scatter",
        "x": f4(points[:, 0]),
        "y": f4(points[:, 1]),
        "text": i4(steps),
        "customdata": f4(np.asarray(race["heights"][racer], float)[steps]),
        "name": name,
        "hovertemplate": f"<b>{name}</b>, step %{{text}}<br>{where}<extra></extra>",
    }
    line = {
        "mode": "lines+markers" if dots else "lines",
        "line": {"color": color, "width": 2},
        "marker": {"size": 4, "color": color},
        "uid": f"path{racer}",
        "meta": {"steps": i4(steps), "show": "until"},
        "showlegend": True,
    }
    shape = {"symbol": racers.symbol(racer), "size": size, "color": color, "line": {"color": theme.HALO, "width": 1.5}}
    mark = {
        "mode": "markers",
        "marker": shape,
        "uid": f"mark{racer}",
        "meta": {"steps": i4(steps), "show": "at"},
        "showlegend": False,
    }
    return [common | line, common | mark]


def _start(race: Arrays) -> dict:
    """The ring around the place where all start."""
    x, y = np.asarray(race["points"][0, 0], float)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": f4([x]),
        "y": f4([y]),
        "marker": {"symbol": "circle-open", "size": 15, "color": theme.INK, "line": {"width": 2.2}},
        "name": "start",
        "uid": "start",
        "hovertemplate": f"start (drag or click to move it)<br>x {labels.shown('x')}, y {labels.shown('y')}"
        "<extra></extra>",
        "showlegend": False,
    }
