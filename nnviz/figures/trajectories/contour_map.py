"""The surface that optimizers go down, seen from above, with their paths on it."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from nnviz.figures.kit import colorscale, labels, layout, tables, theme
from nnviz.figures.kit.layout import f4, i4
from nnviz.figures.trajectories import critical_point_marks, trajectory_lines
from nnviz.figures.trajectories.update_arrows import update_arrows

# How much is left of the other paths where one optimizer's step is taken apart.
DIMMED_OPACITY = 0.35
_HELP = (
    "Stronger color is higher ground; each line is a method's path from the open ring, its mark where it is at the "
    "chosen step; stars are the lowest minima in view, dots other minima, crosses saddles, triangles maxima."
)
_UPDATE_HELP = (
    "The arrows take one step apart: against the gradient, against what is remembered of gradients, and where the "
    "method goes in the end."
)

Arrays = Mapping[str, np.ndarray]


def contour_map(
    surface: Arrays,
    trajectories: Arrays,
    names: Sequence[str],
    *,
    log: bool | None = False,
    note: str = "",
    chosen: int | None = None,
    words: Mapping[str, str] | None = None,
    hidden: Collection[int] = (),
) -> dict:
    """The surface from above with the optimizers' paths, all steps at once: the browser cuts them at the chosen one.

    `surface` has x and y (k,), z (k, k) by row of y, and what is level, as `level_points` draws it; `race` has
    points (optimizers, steps + 1, 2), heights, gone, and parts of the steps (optimizers, steps, 2). `log` colors
    by the logarithm above the lowest height, None where that shows more. `note` is printed on the picture. `chosen` is
    the optimizer whose step is drawn as arrows, and `words` say what it remembers ("first moment m"); those `hidden`
    are in the legend alone. The axes stay those of the surface.
    """
    title, help = (
        "Surface and paths",
        (_HELP if chosen is None else _UPDATE_HELP) + critical_point_marks.left_out_text(surface),
    )
    if not surface:
        return layout.empty(title, help)
    x, y, z = (np.asarray(surface[name], float) for name in "xyz")
    scale = colorscale.value_scale(z, log)
    traces = [_hover_heatmap(x, y, z), colorscale.colorbar(scale, "f(x, y)"), *critical_point_marks.traces(surface)]
    count = len(trajectories["points"]) if trajectories else 0
    dots = (
        0
        < sum(trajectory_lines.last_step(trajectories, i) + 1 for i in range(count))
        <= trajectory_lines.MAX_DOTTED_POINTS
    )
    for i in range(count):
        parts = _path(trajectories, i, names, dots, 7 if i == chosen else 11)
        dim = {"opacity": DIMMED_OPACITY} if chosen not in (None, i) else {}
        traces += [trace | trajectory_lines.legend_group(i, hidden) | dim for trace in parts]
    if count and chosen is not None and 0 <= chosen < count and chosen not in hidden:
        traces += update_arrows(trajectories, chosen, (float(np.ptp(x)), float(np.ptp(y))), words)
    found = layout.figure(
        [*traces, *([_start_mark(trajectories)] if count else [])],
        title=title,
        help=help,
        x=layout.axis("x", range=[float(x[0]), float(x[-1])], showgrid=False),
        y=layout.axis("y", range=[float(y[0]), float(y[-1])], showgrid=False),
        table=[
            tables.grid({"kind": "surface", "y": surface["y"]}, {"x": surface["x"]}, {"f": surface["z"]}),
            *(
                trajectory_lines.table(trajectories, i, names, _drawn_finite_steps(trajectories, i))
                for i in range(count)
            ),
            *critical_point_marks.table(surface),
        ],
        images=[colorscale.contour_image(x, y, z, scale)],
        annotations=[layout.corner_note(note)] if note else [],
        **trajectory_lines.legend(count if chosen is None else count + 3),
    )
    found["layout"]["meta"]["reveals"] = True
    if count:
        place = (float(value) for value in trajectories["points"][0, 0])
        found["layout"]["meta"]["pick"] = {"name": "start", **dict(zip("xy", place, strict=True))}
    return found


def _drawn_finite_steps(trajectories: Arrays, optimizer: int) -> np.ndarray:
    """The steps of an optimizer that are drawn and at which it is somewhere."""
    steps = trajectory_lines.drawn_steps(trajectories, optimizer)
    return steps[np.isfinite(np.asarray(trajectories["points"][optimizer])[steps]).all(1)]


def _hover_heatmap(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> dict:
    """An invisible heatmap of every second place that says its height."""
    return {
        "type": "heatmap",
        "x": f4(x[::2]),
        "y": f4(y[::2]),
        "z": f4(np.where(np.isfinite(z), z, np.nan)[::2, ::2]),
        "opacity": 0,
        "showscale": False,
        "name": "f",
        "hovertemplate": f"{labels.HOVER_POINT}<br>f {labels.hover_number('z')}<extra></extra>",
    }


def _path(trajectories: Arrays, optimizer: int, names: Sequence[str], dots: bool, size: int) -> list[dict]:
    """The line up to the chosen step, and the mark at it."""
    steps = trajectory_lines.drawn_steps(trajectories, optimizer)
    name = trajectory_lines.name_with_exit(names, trajectories, optimizer)
    color = theme.optimizer_color(optimizer)
    points = np.asarray(trajectories["points"][optimizer], float)[steps]
    where = f"{labels.HOVER_POINT}<br>f {labels.hover_number('customdata')}"
    common = {
        "type": "scatter",
        "x": f4(points[:, 0]),
        "y": f4(points[:, 1]),
        "text": i4(steps),
        "customdata": f4(np.asarray(trajectories["values"][optimizer], float)[steps]),
        "name": name,
        "hovertemplate": f"<b>{name}</b>, step %{{text}}<br>{where}<extra></extra>",
    }
    line = {
        "mode": "lines+markers" if dots else "lines",
        "line": {"color": color, "width": 2},
        "marker": {"size": 4, "color": color},
        "uid": f"path{optimizer}",
        "meta": {"steps": i4(steps), "show": "until"},
        "showlegend": True,
    }
    shape = {
        "symbol": trajectory_lines.marker_symbol(optimizer),
        "size": size,
        "color": color,
        "line": {"color": theme.HALO, "width": 1.5},
    }
    mark = {
        "mode": "markers",
        "marker": shape,
        "uid": f"mark{optimizer}",
        "meta": {"steps": i4(steps), "show": "at"},
        "showlegend": False,
    }
    return [common | line, common | mark]


def _start_mark(trajectories: Arrays) -> dict:
    """The ring around the place where all start."""
    x, y = np.asarray(trajectories["points"][0, 0], float)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": f4([x]),
        "y": f4([y]),
        "marker": {"symbol": "circle-open", "size": 15, "color": theme.MARKER_OUTLINE, "line": {"width": 2.2}},
        "name": "start",
        "uid": "start",
        "hovertemplate": f"start (drag or click to move it)<br>{labels.HOVER_POINT}<extra></extra>",
        "showlegend": False,
    }
