"""What the network says at every point of its input space, with the data on it."""

from collections.abc import Mapping

import numpy as np

from nnviz.figures import images, labels, layout, theme
from nnviz.figures.layout import f4

POINTS = 2000
_HELP = (
    "Filled points were trained on, rings are test points; the color is the class the network "
    "prefers there, the stronger the surer it is."
)
_BORDERS_HELP = "Lines are where the network changes its mind: on either side another class is the likeliest."
_REGRESSION_HELP = (
    "The background is the prediction, points are the data on the same scale: a point that stands out is a large error."
)


def decision_surface(
    grid: Mapping[str, np.ndarray], data: Mapping[str, np.ndarray], *, style: str = "soft", title: str | None = None
) -> dict:
    """The prediction over a two-dimensional input plane, with at most 2,000 data points.

    `grid` is the snapshot decision_grid: x (G,), y (G,) and probabilities (G, G, C) or prediction (G, G), rows along y.
    Classification with `style` "soft": each place in its likeliest class's color, more opaque the surer; "borders":
    lines between the classes alone. Regression: a heatmap on a scale fixed by the targets.
    """
    if style not in ("soft", "borders"):
        raise ValueError(f"decision_surface: style must be 'soft' or 'borders', got {style!r}")
    regression = "prediction" in grid if grid else False
    title = title or ("Prediction" if regression else "Decision surface")
    help = _REGRESSION_HELP if regression else _BORDERS_HELP if style == "borders" else _HELP
    if not grid or not data:
        return layout.empty(title, help)
    x, y = np.asarray(grid["x"], float), np.asarray(grid["y"], float)
    half_x, half_y = (x[1] - x[0]) / 2, (y[1] - y[0]) / 2
    names = _feature_names(data, 2)
    pictures = []
    if regression:
        traces = _regression(grid, data, x, y)
    else:
        probabilities = np.asarray(grid["probabilities"], np.float32)
        classes = class_names(data, probabilities.shape[-1])
        if style == "soft":
            pictures = [_soft(probabilities, x, y, half_x, half_y)]
        traces = [_hover(probabilities, x, y, classes)]
        traces += _borders(probabilities, x, y) if style == "borders" else []
        traces += _class_points(data, classes)
    return layout.figure(
        traces,
        title=title,
        help=help,
        x=layout.axis(
            names[0], range=[x[0] - half_x, x[-1] + half_x], constrain="domain", showgrid=False, constraintoward="left"
        ),
        y=layout.axis(
            names[1], range=[y[0] - half_y, y[-1] + half_y], scaleanchor="x", constrain="domain", showgrid=False
        ),
        images=pictures,
        legend={"orientation": "v", "x": 1.01, "y": 1, "yanchor": "top", "xanchor": "left"},
    )


def regression_curve(
    curve: Mapping[str, np.ndarray], data: Mapping[str, np.ndarray], *, title: str = "Fitted curve"
) -> dict:
    """The prediction over a one-dimensional input: `curve` has x (G,) and prediction (G,). The axes are the data's."""
    help = "The line is what the network predicts; filled points were trained on, rings are test points."
    if not curve or not data:
        return layout.empty(title, help)
    inputs, targets, test = (
        np.asarray(data["inputs"])[:, 0],
        np.asarray(data["targets"]),
        np.asarray(data["test"], bool),
    )
    low, high = float(targets.min()), float(targets.max())
    margin = 0.15 * (high - low) or 1.0
    some = _some(len(targets))
    traces = []
    for chosen, name, marker in (
        (~test, "train", {"color": theme.SPLITS["train"], "opacity": 0.6}),
        (test, "test", {"color": theme.SPLITS["test"], "symbol": "circle-open", "line": {"width": 1.5}}),
    ):
        rows = some[chosen[some]]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": f4(inputs[rows]),
                "y": f4(targets[rows]),
                "name": name,
                "marker": {"size": 6 if len(some) <= 300 else 4} | marker,
                "hovertemplate": f"{name}: %{{y:.3g}} at %{{x:.3g}}<extra></extra>",
            }
        )
    traces.append(
        {
            "type": "scatter",
            "mode": "lines",
            "x": f4(curve["x"]),
            "y": f4(curve["prediction"]),
            "name": "prediction",
            "line": {"color": theme.POSITIVE, "width": 3},
            "hovertemplate": "prediction %{y:.3g} at %{x:.3g}<extra></extra>",
        }
    )
    x = np.asarray(curve["x"], float)
    return layout.figure(
        traces,
        title=title,
        help=help,
        x=layout.axis(_feature_names(data, 1)[0], range=[float(x.min()), float(x.max())]),
        y=layout.axis("target", range=[low - margin, high + margin]),
    )


def class_names(data: Mapping[str, np.ndarray], count: int) -> list[str]:
    """The names of the classes, or "class 0" … where the data has none."""
    names = [str(name) for name in data.get("class_names", ())]
    return names if len(names) == count else [f"class {i}" for i in range(count)]


def _feature_names(data: Mapping[str, np.ndarray], count: int) -> list[str]:
    names = [str(name) for name in data.get("feature_names", ())]
    return names if len(names) == count else ["x₁", "x₂"][:count]


def _some(count: int) -> np.ndarray:
    """Evenly spaced indices of at most 2,000 of `count` points."""
    return np.arange(count) if count <= POINTS else np.linspace(0, count - 1, POINTS).astype(int)


def _soft(probabilities: np.ndarray, x: np.ndarray, y: np.ndarray, half_x: float, half_y: float) -> dict:
    count = probabilities.shape[-1]
    winner, best = probabilities.argmax(-1), np.nan_to_num(probabilities.max(-1))
    sure = np.clip((best - 1 / count) / (1 - 1 / count), 0, 1) if count > 1 else best
    palette, levels = images.class_palette([theme.class_color(i) for i in range(count)], alpha=0.6)
    pixels = (winner * levels + (sure * (levels - 1)).round()).astype(np.uint8)
    width, height = x[-1] - x[0] + 2 * half_x, y[-1] - y[0] + 2 * half_y
    return images.placed(images.png(pixels[::-1], palette), x[0] - half_x, y[-1] + half_y, width, height)


def _hover(probabilities: np.ndarray, x: np.ndarray, y: np.ndarray, classes: list[str]) -> dict:
    """An invisible heatmap of at most about forty by forty places that says every class's probability."""
    every = max(1, round(len(x) / 40))
    part = np.nan_to_num(probabilities[::every, ::every])
    lines = [f"{labels.shorten(name, 18)} %{{customdata[{i}]}} %" for i, name in enumerate(classes)]
    return {
        "type": "heatmap",
        "x": f4(x[::every]),
        "y": f4(y[::every]),
        "z": part.argmax(-1).astype(np.uint8),
        "customdata": (100 * part).round().astype(np.uint8),
        "opacity": 0,
        "showscale": False,
        "hovertemplate": "<br>".join(lines) + "<extra></extra>",
    }


def _borders(probabilities: np.ndarray, x: np.ndarray, y: np.ndarray) -> list[dict]:
    """Where a class overtakes all others: the zero line of log p − log max p of the others.

    Logarithms are nearly linear between places of the grid, probabilities are not.
    """
    logs = np.log(np.maximum(np.nan_to_num(probabilities), 6e-8))
    count = logs.shape[-1]
    traces = []
    for i in range(1 if count == 2 else count):
        others = np.delete(logs, i, axis=-1).max(-1)
        traces.append(
            {
                "type": "contour",
                "x": f4(x),
                "y": f4(y),
                # Thousandths in two bytes: |log ratio| is at most 17.
                "z": (1000 * (logs[..., i] - others)).round().astype(np.int16),
                "contours": {"start": 0, "end": 0, "size": 1, "coloring": "none", "showlines": True},
                "line": {"color": theme.NEUTRAL, "width": 2, "smoothing": 0.6},
                "showscale": False,
                "hoverinfo": "skip",
                "showlegend": False,
            }
        )
    return traces


def _class_points(data: Mapping[str, np.ndarray], classes: list[str]) -> list[dict]:
    """Train points filled, a trace a class; test points as rings, one trace."""
    inputs, targets = np.asarray(data["inputs"], float), np.asarray(data["targets"]).astype(int)
    test = np.asarray(data["test"], bool)
    some = _some(len(targets))
    size = 6.5 if len(some) <= 400 else 4.5
    traces = []
    for i, name in enumerate(classes):
        rows = some[(targets[some] == i) & ~test[some]]
        traces.append(
            _points(inputs, rows, labels.shorten(name, 14))
            | {
                "marker": {"color": theme.class_color(i), "size": size, "line": {"color": theme.HALO, "width": 0.8}},
                "hovertemplate": f"{name} (train)<br>%{{x:.3g}}, %{{y:.3g}}<extra></extra>",
            }
        )
    rows = some[test[some]]
    if len(rows):
        traces.append(
            _points(inputs, rows, "test")
            | {
                "marker": {
                    "symbol": "circle-open",
                    "color": [theme.class_color(i) for i in targets[rows]],
                    "size": size + 1,
                    "line": {"width": 1.6},
                },
                "text": [classes[i] if 0 <= i < len(classes) else "" for i in targets[rows]],
                "hovertemplate": "%{text} (test)<br>%{x:.3g}, %{y:.3g}<extra></extra>",
                "showlegend": False,
            }
        )
        ring = {"symbol": "circle-open", "color": theme.NEUTRAL, "size": size + 1, "line": {"width": 1.6}}
        traces.append({"type": "scatter", "mode": "markers", "x": [None], "y": [None], "name": "test", "marker": ring})
    return traces


def _regression(
    grid: Mapping[str, np.ndarray], data: Mapping[str, np.ndarray], x: np.ndarray, y: np.ndarray
) -> list[dict]:
    inputs, targets = np.asarray(data["inputs"], float), np.asarray(data["targets"], float)
    test = np.asarray(data["test"], bool)
    some = _some(len(targets))
    low, high = float(targets.min()), float(targets.max())
    colors = {"colorscale": theme.scale(), "cmin": low, "cmax": high}
    traces = [
        {
            "type": "heatmap",
            "x": f4(x),
            "y": f4(y),
            "z": f4(grid["prediction"]),
            "zmin": low,
            "zmax": high,
            "colorscale": theme.scale(),
            "zsmooth": "fast",
            "colorbar": theme.colorbar("target"),
            "hovertemplate": "prediction %{z:.3g}<extra></extra>",
        }
    ]
    for chosen, name, symbol in ((~test, "train", "circle"), (test, "test", "diamond")):
        rows = some[chosen[some]]
        traces.append(
            _points(inputs, rows, name)
            | {
                "marker": {
                    "color": f4(targets[rows]),
                    "symbol": symbol,
                    "size": 6.5,
                    "line": {"color": theme.HALO, "width": 1},
                }
                | colors,
                "hovertemplate": f"target %{{marker.color:.3g}} ({name})<extra></extra>",
                "showlegend": False,
            }
        )
    return traces


def _points(inputs: np.ndarray, rows: np.ndarray, name: str) -> dict:
    return {"type": "scatter", "mode": "markers", "x": f4(inputs[rows, 0]), "y": f4(inputs[rows, 1]), "name": name}
