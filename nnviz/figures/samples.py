"""Single samples: those the network gets most wrong, and predictions against targets."""

from collections.abc import Mapping

import numpy as np

from nnviz.figures import images, labels, layout, theme
from nnviz.figures.boundaries import class_names
from nnviz.figures.layout import f4, i4

MOST = 12
_TITLE = "Worst test samples"
_HELP = "The test samples with the largest loss, the worst first: would you have known?"


def worst(arrays: Mapping[str, np.ndarray], data: Mapping[str, np.ndarray]) -> dict:
    """The worst-classified samples, at most 12: as pictures for images, else as rows of features.

    `arrays` is the snapshot worst: inputs (k, d), true (k,), predicted (k,), loss (k,). Features are colored by how
    many standard deviations they lie from the mean of all data.
    """
    if not arrays or len(arrays.get("loss", ())) == 0:
        return layout.empty(_TITLE, _HELP)
    classes = class_names(
        data, max(len(data.get("class_names", ())), 1 + int(max(arrays["true"].max(), arrays["predicted"].max())))
    )
    names = [name.removeprefix("class ") for name in classes]
    true, predicted = (np.asarray(arrays[key], int)[:MOST] for key in ("true", "predicted"))
    loss = np.asarray(arrays["loss"], float)[:MOST]
    inputs = np.asarray(arrays["inputs"], float)[:MOST]
    shape = [int(n) for n in data.get("image_shape", ())]
    captions = [
        (f"true {names[t]} → predicted {names[p]}", f"loss {labels.number(value, 2)}")
        for t, p, value in zip(true, predicted, loss, strict=True)
    ]
    if len(shape) == 2:
        return _pictures(
            inputs.reshape(-1, *shape),
            captions,
            [(names[t], names[p]) for t, p in zip(true, predicted, strict=True)],
            loss,
        )
    return _features(inputs, captions, data)


def fit(arrays: Mapping[str, np.ndarray], *, title: str = "Predicted against true (test)") -> dict:
    """Predictions (n,) against targets (n,) of the test set, with the diagonal on which they would be equal."""
    help = "A perfect network puts every point on the diagonal; a cloud around a level line has learned only the mean."
    if not arrays or len(arrays.get("true", ())) == 0:
        return layout.empty(title, help)
    true, predicted = f4(arrays["true"]), f4(arrays["predicted"])
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
                "marker": {"color": theme.faded(theme.SPLITS["test"], 0.65), "size": 6},
                "hovertemplate": "true %{x:.3g}, predicted %{y:.3g}<extra></extra>",
                "showlegend": False,
            }
        ],
        title=title,
        help=help,
        x=layout.axis("true", range=ends, constrain="domain"),
        y=layout.axis("predicted", range=ends, scaleanchor="x", constrain="domain"),
        shapes=[diagonal | {"line": {"dash": "dash", "width": 1.5}}],
    )


def _pictures(
    pixels: np.ndarray, captions: list[tuple[str, str]], pairs: list[tuple[str, str]], loss: np.ndarray
) -> dict:
    """A grid of gray pictures with what each is and was taken for below it."""
    count = len(pixels)
    across = min(count, 6 if count > 8 else 4)
    down = -(-count // across)
    low, span = float(pixels.min()), float(np.ptp(pixels)) or 1.0
    gray = (255 * (pixels - low) / span).astype(np.uint8)
    palette = images.gray_palette()
    pictures, x, y = [], [], []
    for i in range(count):
        column, row = i % across, i // across
        x.append(column * 1.25)
        y.append(-row * 1.7)
        pictures.append(images.placed(images.png(gray[i], palette), x[-1] - 0.5, y[-1] + 0.5, 1, 1))
    text = [f"{t} → <b>{p}</b><br>loss {labels.number(value, 2)}" for (t, p), value in zip(pairs, loss, strict=True)]
    hidden = {"visible": False, "constrain": "domain"}
    return layout.figure(
        [
            {
                "type": "scatter",
                "mode": "text",
                "x": f4(x),
                "y": f4(np.array(y) - 0.54),
                "text": text,
                "textposition": "bottom center",
                "textfont": {"size": theme.SMALL},
                "hoverinfo": "skip",
                "cliponaxis": False,
            },
            {
                "type": "scatter",
                "mode": "markers",
                "x": f4(x),
                "y": f4(y),
                "marker": {"size": 40, "opacity": 0},
                "text": [f"{first}<br>{second}" for first, second in captions],
                "hovertemplate": "%{text}<extra></extra>",
            },
        ],
        title=f"{_TITLE}: true → predicted",
        help=_HELP,
        x=hidden | {"range": [-0.65, (across - 1) * 1.25 + 0.65]},
        y=hidden | {"range": [-(down - 1) * 1.7 - 1.25, 0.55], "scaleanchor": "x"},
        images=pictures,
        showlegend=False,
        margin={"l": 2, "r": 2, "t": 2, "b": 2},
    )


def _features(inputs: np.ndarray, captions: list[tuple[str, str]], data: Mapping[str, np.ndarray]) -> dict:
    """A row a sample, a column a feature, colored by its distance from the mean in standard deviations."""
    everything = np.asarray(data["inputs"], float)
    scaled = (inputs - everything.mean(0)) / np.maximum(everything.std(0), 1e-12)
    features = [str(name) for name in data.get("feature_names", ())] or [f"x{i + 1}" for i in range(inputs.shape[1])]
    count, across = scaled.shape
    rows = [f"{first.replace('predicted ', '').removeprefix('true ')}, {second}" for first, second in captions]
    few = across <= 8
    traces = [
        {
            "type": "heatmap",
            "x": i4(range(across)),
            "y": i4(range(count)),
            "z": f4(scaled),
            "zmin": -3,
            "zmax": 3,
            "colorscale": theme.diverging(0.75),
            "colorbar": theme.colorbar("σ"),
            "xgap": 1,
            "ygap": 1,
            "customdata": f4(inputs),
            "text": [[f"{rows[i]}<br>{name}" for name in features] for i in range(count)],
            "hovertemplate": "%{text} %{customdata:.3g} (%{z:.1f} σ from the mean)<extra></extra>",
        }
    ]
    if few:
        traces.append(
            {
                "type": "scatter",
                "mode": "text",
                "x": i4(np.tile(np.arange(across), count)),
                "y": i4(np.repeat(np.arange(count), across)),
                "text": [labels.number(value, 2) for value in inputs.ravel()],
                "textfont": {"size": theme.SMALL},
                "hoverinfo": "skip",
                "showlegend": False,
            }
        )
    ticks = [labels.shorten(name, 14) for name in features]
    return layout.figure(
        traces,
        title=f"{_TITLE}: true → predicted",
        help=_HELP,
        x={"tickvals": i4(range(across)), "ticktext": ticks, "showgrid": False, "tickangle": 0 if across <= 4 else -40},
        y={"tickvals": i4(range(count)), "ticktext": rows, "showgrid": False, "autorange": "reversed"},
    )
