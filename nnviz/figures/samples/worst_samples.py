"""Single samples: those with the largest loss, and predictions against targets."""

from collections.abc import Mapping

import numpy as np

from nnviz.figures.kit import labels, layout, png_images, tables, theme
from nnviz.figures.kit.layout import f4, i4

MAX_SAMPLES = 15
_TITLE = "Worst test samples: true → predicted"
_HELP = "Test samples with the highest loss, in descending order."


def worst_samples(arrays: Mapping[str, np.ndarray], data: Mapping[str, np.ndarray]) -> dict:
    """The test samples with the largest loss of the run, at most 15: as images, or as rows of features.

    `arrays` is the snapshot worst: inputs (k, d) or (k, 1, height, width), true (k,), predicted (k,), loss (k,);
    classes or numbers. Features are colored by their distance from the mean of all data in standard deviations.
    """
    if not arrays or not data or len(arrays.get("loss", ())) == 0:
        return layout.empty(_TITLE, _HELP)
    inputs, loss = np.asarray(arrays["inputs"], float)[:MAX_SAMPLES], np.asarray(arrays["loss"], float)[:MAX_SAMPLES]
    true, predicted = (
        _target_texts(arrays["true"], data)[:MAX_SAMPLES],
        _target_texts(arrays["predicted"], data)[:MAX_SAMPLES],
    )
    if inputs.ndim == 4:
        figure = _image_grid(inputs[:, 0], true, predicted, loss)
    else:
        figure = _feature_heatmap(inputs, true, predicted, loss, data)
    figure["layout"]["meta"]["table"] = tables.with_trace_references([_table(arrays, data)], figure["data"])
    return figure


def _table(arrays: Mapping[str, np.ndarray], data: Mapping[str, np.ndarray]) -> tables.Part:
    """A row per feature or pixel of each sample: rank, true, predicted, loss, and the value in its unit."""
    inputs = labels.unstandardized_inputs(data, np.asarray(arrays["inputs"])[:MAX_SAMPLES])
    names = [*labels.class_names(data, len(data["class_names"])), "NaN"] if len(data.get("class_names", ())) else []
    down = {"rank": np.arange(len(inputs)) + 1}
    for name in ("true", "predicted"):
        values = np.asarray(arrays[name])[:MAX_SAMPLES]
        down[name] = [names[int(i)] for i in values] if names else labels.unstandardized_targets(data, values)
    down["loss"] = np.asarray(arrays["loss"])[:MAX_SAMPLES]
    if inputs.ndim == 4:
        pixels = inputs[:, 0].reshape(len(inputs), -1)
        row, column = np.divmod(np.arange(pixels.shape[1]), inputs.shape[3])
        return tables.grid(down, {"row": row, "column": column}, {"pixel": pixels})
    return tables.grid(down, {"feature": labels.feature_names(data, inputs.shape[1])}, {"value": inputs})


def predictions_against_targets(
    arrays: Mapping[str, np.ndarray],
    data: Mapping[str, np.ndarray],
    *,
    title: str = "Predicted vs. true (test)",
) -> dict:
    """Predictions (n,) against targets (n,) of the test set in their original unit, with the diagonal of equality."""
    help = "A perfect prediction lies on the diagonal; a horizontal cloud means that only the mean was learned."
    if not arrays or not data or len(arrays.get("true", ())) == 0:
        return layout.empty(title, help)
    true, predicted = (
        f4(labels.unstandardized_targets(data, np.asarray(arrays[n], float))) for n in ("true", "predicted")
    )
    finite = np.concatenate([true, predicted[np.isfinite(predicted)]])
    margin = 0.05 * float(np.ptp(finite)) or 1.0
    ends = [float(finite.min()) - margin, float(finite.max()) + margin]
    diagonal = {"type": "line", "x0": ends[0], "y0": ends[0], "x1": ends[1], "y1": ends[1], "layer": "below"}
    return layout.figure(
        [
            {
                "type": "scatter",
                "mode": "markers",
                "x": true,
                "y": predicted,
                "marker": {"color": theme.with_alpha(theme.SPLITS["test"], 0.65), "size": 6},
                "hovertemplate": f"true {labels.hover_number('x')}, predicted {labels.hover_number('y')}"
                "<extra></extra>",
                "showlegend": False,
            }
        ],
        title=title,
        help=help,
        x=layout.axis("true", range=ends, constrain="domain"),
        y=layout.axis("predicted", range=ends, scaleanchor="x", constrain="domain"),
        table=[tables.rows({"true": true, "predicted": predicted})],
        shapes=[diagonal | {"line": {"dash": "dash", "width": 1.5}}],
    )


def _target_texts(values: np.ndarray, data: Mapping[str, np.ndarray]) -> list[str]:
    """Targets as text: the class's name, or the number in its original unit."""
    if not len(data.get("class_names", ())):
        return [
            labels.compact_number(value, 3) for value in labels.unstandardized_targets(data, np.asarray(values, float))
        ]
    names = labels.class_names(data, len(data["class_names"]))
    # −1: the outputs are NaN and predict no class.
    return [labels.shorten([*names, "NaN"][int(value)].removeprefix("class "), 11) for value in values]


def _image_grid(pixels: np.ndarray, true: list[str], predicted: list[str], loss: np.ndarray) -> dict:
    """A grid of grayscale images with true and predicted class below each."""
    count = len(pixels)
    across = min(count, 4 if count <= 8 else 5)
    column_width, row_height = 1.25, 1.6
    low, span = float(pixels.min()), float(np.ptp(pixels)) or 1.0
    gray, palette = (255 * (pixels - low) / span).astype(np.uint8), png_images.gray_palette()
    x, y = np.arange(count) % across * column_width, -(np.arange(count) // across) * row_height
    captions = [
        f"{t} → <b>{p}</b><br>loss {labels.number(v, 2)}" for t, p, v in zip(true, predicted, loss, strict=True)
    ]
    text = {"type": "scatter", "mode": "text", "x": f4(x), "y": f4(y - 0.55), "text": captions, "hoverinfo": "skip"}
    hover = [
        f"true {t}, predicted {p}<br>loss {labels.number(v, 4)}" for t, p, v in zip(true, predicted, loss, strict=True)
    ]
    spots = {"type": "scatter", "mode": "markers", "x": f4(x), "y": f4(y), "marker": {"size": 40, "opacity": 0}}
    hidden = {"visible": False, "constrain": "domain"}
    return layout.figure(
        [
            text | {"textposition": "bottom center", "textfont": {"size": theme.SMALL}, "cliponaxis": False},
            spots | {"text": hover, "hovertemplate": "%{text}<extra></extra>"},
        ],
        title=_TITLE,
        help=_HELP,
        x=hidden | {"range": [-0.65, (across - 1) * column_width + 0.65]},
        y=hidden | {"range": [y[-1] - 1.1, 0.55], "scaleanchor": "x"},
        images=[
            png_images.layout_image(png_images.png(gray[i], palette), x[i] - 0.5, y[i] + 0.5, 1, 1)
            for i in range(count)
        ],
        showlegend=False,
        margin={"l": 2, "r": 2, "t": 2, "b": 2},
    )


def _loss_unit_note(data: Mapping[str, np.ndarray]) -> str:
    """A sentence for the help if losses are in another unit than the numbers shown."""
    return " Losses refer to the standardized targets." if float(data["target_std"]) != 1 else ""


def _feature_heatmap(
    inputs: np.ndarray, true: list[str], predicted: list[str], loss: np.ndarray, data: Mapping[str, np.ndarray]
) -> dict:
    """A row per sample, a column per feature in its original unit, colored by the standard score."""
    all_inputs = np.asarray(data["inputs"], float)
    scores = (inputs - all_inputs.mean(0)) / np.maximum(all_inputs.std(0), 1e-12)
    original = labels.unstandardized_inputs(data, inputs)
    count, across = scores.shape
    names = [str(name) for name in data.get("feature_names", ())]
    features = names if len(names) == across else [f"x{i + 1}" for i in range(across)]
    rows = [f"{t} → {p}, loss {labels.number(v, 2)}" for t, p, v in zip(true, predicted, loss, strict=True)]
    cells = {
        "type": "heatmap",
        "x": i4(range(across)),
        "y": i4(range(count)),
        "z": f4(scores),
        "zmin": -3,
        "zmax": 3,
        "colorscale": theme.diverging(0.75),
        "colorbar": theme.colorbar("σ", nticks=5),
        "xgap": 1,
        "ygap": 1,
        "text": [
            [labels.feature_with_unit(feature, value) for feature, value in zip(features, row, strict=True)]
            for row in original
        ],
        "hovertemplate": "%{text}<br>%{z:.1f} σ from the mean<extra></extra>",
    }
    few, many = across <= 6, across > 20
    numbers = {
        "type": "scatter",
        "mode": "text",
        "x": i4(np.tile(np.arange(across), count)),
        "y": i4(np.repeat(np.arange(count), across)),
        "text": [labels.compact_number(value) for value in original.ravel()],
        "textfont": {"size": theme.SMALL},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    ticks = [labels.shorten(name.split("(")[0].strip(), 14) for name in features]
    # Numbers in the cells need their unit.
    ticks = [name.replace(" ", "<br>") for name in features] if few else ticks
    return layout.figure(
        [cells, numbers] if few else [cells],
        title=_TITLE,
        help=_HELP + " Color: z-score of a feature (standard deviations from its mean)." + _loss_unit_note(data),
        x={
            "tickvals": i4(range(across)),
            "ticktext": ticks,
            "showgrid": False,
            "tickangle": 0 if few else -90 if many else -40,
            "tickfont": {"size": 0.8 * theme.SMALL if many else theme.SMALL},
        },
        y={"tickvals": i4(range(count)), "ticktext": rows, "showgrid": False, "range": [count - 0.5, -0.5]},
        margin={"b": 8, "l": 8},
    )
