"""The data as points: train filled, test as open circles."""

from collections.abc import Mapping, Sequence

import numpy as np

from nnviz.figures.kit import labels, layout, tables, theme
from nnviz.figures.kit.labels import hover_number
from nnviz.figures.kit.layout import f4

MAX_POINTS = 2000
TEST_SYMBOL = "circle-open"


def drawn_indices(count: int) -> np.ndarray:
    """Evenly spaced indices of at most 2,000 of `count` points."""
    return np.arange(count) if count <= MAX_POINTS else np.linspace(0, count - 1, MAX_POINTS).astype(int)


def count_note(data: Mapping[str, np.ndarray]) -> list[dict]:
    """A corner note on how many points are drawn, if not all are."""
    count = len(data["targets"])
    return [layout.corner_note(f"{MAX_POINTS:,} of {count:,} points drawn")] if count > MAX_POINTS else []


def by_class(data: Mapping[str, np.ndarray], classes: Sequence[str]) -> list[dict]:
    """Two-dimensional inputs: train points in one trace per class, test points in one."""
    inputs, test = np.asarray(data["inputs"], float), np.asarray(data["test"], bool)
    targets = np.asarray(data["targets"]).astype(int)
    rows = drawn_indices(len(targets))
    size = _size(len(rows))
    traces = []
    for i, name in enumerate(classes):
        marker = {"color": theme.class_color(i), "size": size, "line": {"color": theme.HALO, "width": 0.7}}
        # Many classes: only their numbers fit into the legend.
        short = name.removeprefix("class ") if len(classes) > 4 else name
        trace = _trace(inputs, rows[(targets[rows] == i) & ~test[rows]], labels.shorten(short, 12), marker)
        traces.append(
            trace | {"hovertemplate": f"{name}, train<br>{hover_number('x')}, {hover_number('y')}<extra></extra>"}
        )
    rings = rows[test[rows]]
    colors = [theme.class_color(i) for i in targets[rings]]
    trace = _trace(inputs, rings, "test", _ring(colors, size)) | {"text": [classes[i] for i in targets[rings]]}
    traces.append(
        trace
        | {
            "hovertemplate": f"%{{text}}, test<br>{hover_number('x')}, {hover_number('y')}<extra></extra>",
            "showlegend": False,
        }
    )
    return [*traces, _legend("test", _ring(theme.NEUTRAL, size))]


def by_value(data: Mapping[str, np.ndarray], colors: Mapping[str, object]) -> list[dict]:
    """Two-dimensional inputs of a regression, colored by target; `colors` is the marker's colorscale, cmin and cmax."""
    inputs, test = np.asarray(data["inputs"], float), np.asarray(data["test"], bool)
    targets = np.asarray(data["targets"], float)
    rows = drawn_indices(len(targets))
    size = _size(len(rows))
    traces = []
    for chosen, name, symbol in ((~test, "train", "circle"), (test, "test", "diamond")):
        part = rows[chosen[rows]]
        marker = {"symbol": symbol, "size": size, "line": {"color": theme.HALO, "width": 0.8}}
        trace = _trace(inputs, part, name, marker | {"color": f4(targets[part]), **colors})
        hover = f"target {hover_number('marker.color')} ({name})<extra></extra>"
        traces.append(trace | {"hovertemplate": hover, "showlegend": False})
        traces.append(_legend(name, {"symbol": symbol, "size": size, "color": theme.NEUTRAL}))
    return traces


def on_curve(data: Mapping[str, np.ndarray]) -> list[dict]:
    """Targets over a one-dimensional input."""
    points = np.stack([np.asarray(data["inputs"], float)[:, 0], np.asarray(data["targets"], float)], axis=1)
    test = np.asarray(data["test"], bool)
    rows = drawn_indices(len(points))
    size = _size(len(rows))
    traces = []
    for chosen, name in ((~test, "train"), (test, "test")):
        color = theme.SPLITS[name]
        marker = _ring(color, size) if name == "test" else {"color": color, "size": size, "opacity": 0.65}
        trace = _trace(points, rows[chosen[rows]], name, marker)
        traces.append(trace | {"hovertemplate": f"{name}: {hover_number('y')} at {hover_number('x')}<extra></extra>"})
    return traces


def table(data: Mapping[str, np.ndarray]) -> list[tables.Part]:
    """The drawn points: part (train or test), inputs x and y or x alone, and class or target."""
    inputs, test, targets = np.asarray(data["inputs"]), np.asarray(data["test"], bool), np.asarray(data["targets"])
    rows = drawn_indices(len(targets))
    names = [str(name) for name in data.get("class_names", ())]
    parts = []
    for chosen, part in ((~test, "train"), (test, "test")):
        selected = rows[chosen[rows]]
        columns = {"part": part, **dict(zip("xy", inputs[selected].T, strict=False))}
        target = {"class": [names[int(i)] for i in targets[selected]]} if names else {"target": targets[selected]}
        parts.append(tables.rows(columns | target))
    return parts


def _size(count: int) -> float:
    return 6.5 if count <= 400 else 5.0


def _ring(color: str | list[str], size: float) -> dict:
    return {"symbol": TEST_SYMBOL, "color": color, "size": size + 1, "line": {"width": 1.6}}


def _trace(points: np.ndarray, rows: np.ndarray, name: str, marker: dict) -> dict:
    x, y = f4(points[rows, 0]), f4(points[rows, 1])
    return {"type": "scatter", "mode": "markers", "x": x, "y": y, "name": name, "marker": marker}


def _legend(name: str, marker: dict) -> dict:
    """A legend entry without data points."""
    return {"type": "scatter", "mode": "markers", "x": [None], "y": [None], "name": name, "marker": marker}
