"""Contour map of a function of two variables, with the paths of the optimizers."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from nnviz.figures.kit import colorscale, labels, layout, tables, theme
from nnviz.figures.kit.layout import f4, i4
from nnviz.figures.trajectories import critical_point_marks, trajectory_lines
from nnviz.figures.trajectories.update_arrows import update_arrows

# Opacity of the other paths where the update of one optimizer is shown.
DIMMED_OPACITY = 0.35
_HELP = (
    "Stronger color: larger f. Each line is an optimizer's path from the start (open circle) to its marker at the "
    "selected step. Stars: lowest minima in view; dots: other minima; crosses: saddle points; triangles: maxima."
)
_UPDATE_HELP = (
    "The arrows show one update: the negative gradient and the negative momentum, both scaled, and the update itself."
)

Arrays = Mapping[str, np.ndarray]


def contour_map(
    surface: Arrays,
    trajectories: Arrays,
    names: Sequence[str],
    *,
    log: bool | None = False,
    note: str = "",
    selected: int | None = None,
    state_names: Mapping[str, str] | None = None,
    hidden: Collection[int] = (),
) -> dict:
    """Filled contours with the optimizers' paths, all steps at once: the browser cuts them at the selected one.

    `surface` has x and y (k,), z (k, k) with rows along y, and critical points (see `critical_point_marks`);
    `trajectories` has points (optimizers, steps + 1, 2), values (optimizers, steps + 1), left_at and exit_reason
    (optimizers,), and parts of the updates (optimizers, steps, 2). `log`: colors by the logarithm above the minimum;
    None: where values are unevenly spread. `note` is printed in a corner. The update of the `selected` optimizer is
    drawn as arrows; `state_names` name its momentum ("first moment m"). Those `hidden` appear only in the legend.
    """
    title, help = (
        "Surface and trajectories",
        (_HELP if selected is None else _UPDATE_HELP) + critical_point_marks.left_out_text(surface),
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
        parts = _path(trajectories, i, names, dots, 7 if i == selected else 11)
        dim = {"opacity": DIMMED_OPACITY} if selected not in (None, i) else {}
        traces += [trace | trajectory_lines.legend_group(i, hidden) | dim for trace in parts]
    if count and selected is not None and 0 <= selected < count and selected not in hidden:
        traces += update_arrows(trajectories, selected, (float(np.ptp(x)), float(np.ptp(y))), state_names)
    figure = layout.figure(
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
        **trajectory_lines.legend(count if selected is None else count + 3),
    )
    figure["layout"]["meta"]["reveals"] = True
    if count:
        start = (float(value) for value in trajectories["points"][0, 0])
        figure["layout"]["meta"]["pick"] = {"name": "start", **dict(zip("xy", start, strict=True))}
    return figure


def _drawn_finite_steps(trajectories: Arrays, optimizer: int) -> np.ndarray:
    """The drawn steps of an optimizer that have a finite position."""
    steps = trajectory_lines.drawn_steps(trajectories, optimizer)
    return steps[np.isfinite(np.asarray(trajectories["points"][optimizer])[steps]).all(1)]


def _hover_heatmap(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> dict:
    """An invisible heatmap of every second grid point, for its hover text."""
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
    """The line up to the selected step, and the marker at it."""
    steps = trajectory_lines.drawn_steps(trajectories, optimizer)
    name = trajectory_lines.name_with_exit(names, trajectories, optimizer)
    color = theme.optimizer_color(optimizer)
    points = np.asarray(trajectories["points"][optimizer], float)[steps]
    hover = f"{labels.HOVER_POINT}<br>f {labels.hover_number('customdata')}"
    common = {
        "type": "scatter",
        "x": f4(points[:, 0]),
        "y": f4(points[:, 1]),
        "text": i4(steps),
        "customdata": f4(np.asarray(trajectories["values"][optimizer], float)[steps]),
        "name": name,
        "hovertemplate": f"<b>{name}</b>, step %{{text}}<br>{hover}<extra></extra>",
    }
    line = {
        "mode": "lines+markers" if dots else "lines",
        "line": trajectory_lines.line_style(optimizer, 2),
        "marker": {"size": 4, "color": color},
        "uid": f"path{optimizer}",
        "meta": {"steps": i4(steps), "show": "until"},
        "showlegend": True,
    }
    marker = {
        "symbol": trajectory_lines.marker_symbol(optimizer),
        "size": size,
        "color": color,
        "line": {"color": theme.HALO, "width": 1.5},
    }
    mark = {
        "mode": "markers",
        "marker": marker,
        "uid": f"mark{optimizer}",
        "meta": {"steps": i4(steps), "show": "at"},
        "showlegend": False,
    }
    return [common | line, common | mark]


def _start_mark(trajectories: Arrays) -> dict:
    """The circle at the common start."""
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
