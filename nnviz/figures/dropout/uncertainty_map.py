"""The spread of predictions over dropout masks, over one or two inputs."""

from collections.abc import Mapping

import numpy as np

from nnviz.figures.dropout.dropout_activations import masks_in_words
from nnviz.figures.kit import labels, layout, tables, theme
from nnviz.figures.kit.layout import f4
from nnviz.figures.samples import data_points
from nnviz.figures.samples.class_boundaries import class_boundaries

SHOWN = {"std": "standard deviation", "information": "mutual information", "mean": "mean over masks"}
"""What may be drawn of the predictions over masks."""

TITLE = "Uncertainty: spread over dropout masks"
HELP = (
    "Dropout is left on for predictions (Monte-Carlo dropout; Gal & Ghahramani, 2016): each mask gives another network."
)
_HELPS = {
    "std": " Color: standard deviation over {masks} of the probability of the class predicted by their mean. ",
    "information": " Color: mutual information of class and mask over {masks}, in bits: how much the networks "
    "disagree, without what each of them is unsure of. ",
    "mean": " Color: class predicted by the mean over {masks}, stronger for higher probability. ",
}
_LINES = "Line: boundary of the mean prediction; dotted: of weight scaling. Filled points are training samples."
_REGRESSION = {
    "std": " Color: standard deviation of the prediction over {masks}. Filled points are training samples.",
    "mean": " Color: mean prediction over {masks}.",
}
_BAND = " Line: mean over {masks}; bands: one and two standard deviations; dotted: weight scaling."


def uncertainty_map(arrays: Mapping[str, np.ndarray], data: Mapping[str, np.ndarray], *, show: str = "std") -> dict:
    """The spread of predictions over the plane of two inputs, with the data.

    `arrays` is the snapshot uncertainty: x, y (side,), mean, std and scaled (side, side, classes or 1), information
    (side, side) where there are classes. Color scales are the same for all networks: up to a standard deviation of ½,
    the largest a probability can have, and to half of the largest information.
    """
    if show not in SHOWN:
        raise ValueError(f"uncertainty_map: show must be one of {', '.join(SHOWN)}, got {show!r}")
    if not arrays or not data:
        return layout.empty(TITLE, HELP)
    x, y, mean = (np.asarray(arrays[name], float) for name in ("x", "y", "mean"))
    count = mean.shape[-1]
    classes = labels.class_names(data, count) if count > 1 else []
    if classes:
        surface = _classes(arrays, mean, show, len(classes))
        points = data_points.by_class(data, classes)
        line = {"color": theme.MARKER_OUTLINE, "width": 1.6}
        lines = [
            class_boundaries(mean, x, y, line),
            class_boundaries(np.asarray(arrays["scaled"], float), x, y, line | {"dash": "dot"}),
        ]
        help = HELP + _HELPS[show] + _LINES
    else:
        show = "std" if show == "information" else show
        surface = _numbers(arrays, data, show)
        colors = {"colorscale": theme.colorscale(), "cmin": float(np.min(data["targets"]))}
        points = data_points.by_value(data, colors | {"cmax": float(np.max(data["targets"]))})
        lines, help = [], HELP + _REGRESSION[show]
    surface |= {"type": "heatmap", "x": f4(x), "y": f4(y), "zsmooth": "best"}
    across, along = labels.feature_names(data, 2)
    cells: dict[str | tuple[str, ...], np.ndarray] = {
        tuple(f"{name} p({c})" for c in classes) or name: arrays[name] if classes else arrays[name][..., 0]
        for name in ("mean", "std")
    }
    if classes:
        cells["information"] = arrays["information"]
    return layout.figure(
        [surface, *(line for both in lines for line in both), *points],
        title=TITLE,
        help=help.format(masks=masks_in_words(arrays)),
        x=layout.axis(across, range=[float(x[0]), float(x[-1])], constrain="domain", showgrid=False),
        y=layout.axis(along, range=[float(y[0]), float(y[-1])], constrain="domain", showgrid=False, scaleanchor="x"),
        table=[tables.grid({"part": "grid", "y": y}, {"x": x}, cells), *data_points.table(data)],
        annotations=data_points.count_note(data),
        legend={"x": 0.5, "xanchor": "center"},
    )


def uncertainty_band(arrays: Mapping[str, np.ndarray], data: Mapping[str, np.ndarray]) -> dict:
    """Mean and spread of the predictions over one input, with the data: `arrays` has x (points,), mean, std and scaled
    (points, 1)."""
    if not arrays or not data:
        return layout.empty(TITLE, HELP + _BAND.format(masks="many masks"))
    x = f4(arrays["x"])
    mean, std, scaled = (np.asarray(arrays[name], float)[:, 0] for name in ("mean", "std", "scaled"))
    color = theme.POSITIVE
    traces = []
    for width, alpha in ((2, 0.14), (1, 0.22)):
        edge = {"type": "scatter", "mode": "lines", "x": x, "line": {"width": 0}, "hoverinfo": "skip"}
        traces.append(edge | {"y": f4(mean - width * std), "showlegend": False})
        fill = {"fill": "tonexty", "fillcolor": theme.with_alpha(color, alpha), "name": f"± {width} std"}
        traces.append(edge | {"y": f4(mean + width * std)} | fill)
    line = {"type": "scatter", "mode": "lines", "x": x}
    hover = f"{labels.hover_number('y')} at {labels.hover_number('x')}<extra></extra>"
    traces += [
        *data_points.on_curve(data),
        line
        | {"y": f4(mean), "name": "mean", "line": {"color": color, "width": 2.5}, "hovertemplate": f"mean {hover}"},
        line
        | {
            "y": f4(scaled),
            "name": "weight scaling",
            "line": {"color": theme.NEGATIVE, "width": 1.8, "dash": "dot"},
            "hovertemplate": f"weight scaling {hover}",
        },
    ]
    targets = np.asarray(data["targets"], float)
    margin = 0.3 * float(np.ptp(targets)) or 1.0
    columns = {"part": "curve", "x": arrays["x"], "mean": mean, "std": std, "weight_scaling": scaled}
    return layout.figure(
        traces,
        title=TITLE,
        help=(HELP + _BAND).format(masks=masks_in_words(arrays)),
        x=layout.axis(labels.feature_names(data, 1)[0], range=[float(x.min()), float(x.max())]),
        y=layout.axis("target", range=[float(targets.min()) - margin, float(targets.max()) + margin]),
        table=[tables.rows(columns), *data_points.table(data)],
        annotations=data_points.count_note(data),
    )


def _classes(arrays: Mapping[str, np.ndarray], mean: np.ndarray, show: str, count: int) -> dict:
    """The colored surface of a classifier."""
    predicted = mean.argmax(-1)
    if show == "mean":
        z = mean[..., 1] if count == 2 else np.take_along_axis(mean, predicted[..., None], -1)[..., 0]
        scale = theme.diverging(0.6) if count == 2 else theme.from_transparent(theme.UNCERTAINTY, 0.6)
        title = "p(class 1)" if count == 2 else "p"
        return {"z": f4(z), "zmin": 0 if count == 2 else 1 / count, "zmax": 1, "colorscale": scale} | _bar(title)
    if show == "std":
        z = np.take_along_axis(np.asarray(arrays["std"], float), predicted[..., None], -1)[..., 0]
        high, title = 0.5, "std"
    else:
        z = np.asarray(arrays["information"], float)
        high, title = float(np.log2(count)) / 2, "bits"
    return {"z": f4(z), "zmin": 0, "zmax": high, "colorscale": theme.from_transparent(theme.UNCERTAINTY)} | _bar(title)


def _numbers(arrays: Mapping[str, np.ndarray], data: Mapping[str, np.ndarray], show: str) -> dict:
    """The colored surface of a regression."""
    z = np.asarray(arrays[show], float)[..., 0]
    low, high = float(np.min(data["targets"])), float(np.max(data["targets"]))
    if show == "mean":
        return {"z": f4(z), "zmin": low, "zmax": high, "colorscale": theme.colorscale()} | _bar("mean")
    return {
        "z": f4(z),
        "zmin": 0,
        "zmax": (high - low) / 4,
        "colorscale": theme.from_transparent(theme.UNCERTAINTY),
    } | _bar("std")


def _bar(title: str) -> dict:
    hover = f"{title} {labels.hover_number('z')}<extra></extra>"
    return {"colorbar": theme.colorbar(title), "hovertemplate": hover}
