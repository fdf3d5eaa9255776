"""Grids of images: generated and real samples, interpolations, and samples with their nearest real images."""

from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np

from nnviz.figures.images.image_sheet import COLUMNS, data_uri
from nnviz.figures.kit import labels, layout, png_images, tables, theme

Arrays = Mapping[str, np.ndarray]

EDGE = 6
"""Pixels of the card around the images."""
LABEL = 20
"""Pixels of a line of labels."""

_GENERATED_HELP = (
    "Generated images from the same noise at every step{columns}. The generator is the averaged one where an EMA is on."
)
_REAL_HELP = "Images of the data set{columns}, as the discriminator sees them."
_INTERPOLATION_HELP = (
    "Each row goes in equal steps from one noise vector to another, of normal noise along an arc (White, 2016, "
    "arXiv:1609.04468). Gradual changes suggest that images are not memorized."
)
_NEAREST_HELP = (
    "Above: generated images. Below each: the image of the data set that is nearest by the root mean square of the "
    "differences of pixels in [−1, 1], and that distance. Memorized images have a distance near 0; for comparison, the "
    "typical distance between a real image and its nearest other real image."
)


def sample_grid(grid: Arrays, class_names: Sequence[str] = ()) -> dict:
    """Generated `images` (n, h, w, channels) uint8 in rows of ten; with `labels` (n,), the classes asked for, the names
    of those over the columns."""
    columns = ", one column per class" if "labels" in grid else ""
    return _grid(grid, class_names, "Generated images", _GENERATED_HELP.format(columns=columns))


def real_grid(real: Arrays, columns: int = COLUMNS) -> dict:
    """The same of real images, with `class_names` where they have labels, and `notes` (n,) on files that were skipped.
    With more columns than ten a strip of two rows."""
    labeled = "labels" in real
    help = _REAL_HELP.format(columns=", sorted by class" if labeled else "")
    names = [str(name) for name in real.get("class_names", ())]
    if real and columns > COLUMNS:
        chosen = _strip(np.asarray(real["labels"]) if labeled else np.arange(len(real["images"])), columns)
        real = dict(real) | {name: np.asarray(real[name])[chosen] for name in ("images", "labels") if name in real}
    figure = _grid(real, names, "Real images", help, columns)
    if notes := [str(note) for note in real.get("notes", ())]:
        figure["layout"]["meta"]["help"] += f" Skipped files: {'; '.join(notes)}."
        _add_line(figure, f"{len(notes)} file{'s' * (len(notes) > 1)} skipped: see ?")
    return figure


def _strip(labels: np.ndarray, columns: int) -> list[int]:
    """Places of images for two rows: where there are at most as many classes as columns, each has columns of its own;
    else the first images."""
    classes = sorted({*labels.tolist()})
    if len(classes) > columns:
        return list(range(min(2 * columns, len(labels))))
    places = {label: np.flatnonzero(labels == label).tolist() for label in classes}
    asked = [classes[i % columns * len(classes) // columns] for i in range(2 * columns)]
    return [places[label].pop(0) if len(places[label]) > 1 else places[label][0] for label in asked]


def interpolation(rows: Arrays) -> dict:
    """`images` (rows, columns, h, w, channels) uint8, each row between two noise vectors."""
    title = "Interpolation between noise vectors"
    if not rows:
        return layout.empty(title, _INTERPOLATION_HELP)
    images = np.asarray(rows["images"])
    down, across = images.shape[:2]
    index = np.arange(down * across)
    return _images(
        images.reshape(-1, *images.shape[2:]),
        across,
        [f"row {i // across + 1}, {(i % across) / max(across - 1, 1):.0%} of the way" for i in index],
        title=title,
        help=_INTERPOLATION_HELP,
        table=[
            tables.rows(
                {
                    "row": index // across + 1,
                    "column": index % across + 1,
                    "mean pixel": _mean(images.reshape(down * across, -1)),
                }
            )
        ],
    )


def nearest_real(pairs: Arrays) -> dict:
    """`generated` and `nearest` (n, h, w, channels) uint8 over each other with their `distance` (n,); `typical` (1,) is
    the median distance of a real image from its nearest other one."""
    title = "Nearest real images"
    if not pairs:
        return layout.empty(title, _NEAREST_HELP)
    generated, distance = np.asarray(pairs["generated"]), np.asarray(pairs["distance"], float)
    n = len(generated)
    names = [f"generated {i + 1}" for i in range(n)] + [
        f"nearest to {i + 1}: distance {labels.number(distance[i])}" for i in range(n)
    ]
    figure = _images(
        np.concatenate([generated, np.asarray(pairs["nearest"])]),
        n,
        names,
        title=title,
        help=_NEAREST_HELP,
        table=[tables.rows({"image": np.arange(1, n + 1), "distance": distance})],
        below=2,
    )
    figure["layout"]["annotations"] += [_under(i + 0.5, 2, f"{value:.2f}") for i, value in enumerate(distance)]
    if "typical" in pairs:
        typical = labels.number(float(np.ravel(pairs["typical"])[0]), 2)
        figure["layout"]["annotations"].append(
            _under(n / 2, 2, f"for comparison, a real image to its nearest other: {typical}", 1)
        )
    return figure


def _grid(arrays: Arrays, class_names: Sequence[str], title: str, help: str, across: int = COLUMNS) -> dict:
    if not arrays:
        return layout.empty(title, help)
    images = np.asarray(arrays["images"])
    n = len(images)
    classes = [int(label) for label in arrays.get("labels", ())]
    names = list(class_names) or [str(i) for i in range(max(classes, default=-1) + 1)]
    named = [names[label] for label in classes]
    index = np.arange(n)
    columns: dict[str, object] = {"row": index // across + 1, "column": index % across + 1}
    if named:
        columns["class"] = named
    over = _spans(classes[:across]) if classes and _is_by_column(classes, across) else []
    is_turned = any(len(names[label]) > 5 * (end - start) for label, start, end in over)
    figure = _images(
        images,
        across,
        named or [f"image {i + 1}" for i in range(n)],
        title=title,
        help=help,
        table=[tables.rows(columns | {"mean pixel": _mean(images)})],
        above=(3 if is_turned else 1) if over else 0,
        right=2 * LABEL if is_turned else 0,
    )
    figure["layout"]["annotations"] += [
        _over((start + end) / 2, labels.shorten(names[label], 14), is_turned) for label, start, end in over
    ]
    figure["layout"]["shapes"] += [_bracket(start, end) for _, start, end in over if end - start > 1]
    return figure


def _is_by_column(classes: Sequence[int], columns: int) -> bool:
    """Whether all images of a column are of one class."""
    return all(label == classes[i % columns] for i, label in enumerate(classes))


def _spans(classes: Sequence[int]) -> list[tuple[int, int, int]]:
    """The classes of the columns, with the first column of each and the one after the last."""
    found, start = [], 0
    for label, group in groupby(classes):
        end = start + len(list(group))
        found.append((label, start, end))
        start = end
    return found


def _images(
    images: np.ndarray,
    columns: int,
    names: Sequence[str],
    *,
    title: str,
    help: str,
    table: Sequence[tables.Part],
    above: int = 0,
    below: int = 0,
    right: int = 0,
) -> dict:
    """Images row by row on axes that are 1 an image, y downwards; `above` and `below` are lines of text, `right` pixels
    that those above reach beyond."""
    rows = -(-len(images) // columns)
    hidden = {"visible": False, "constrain": "domain"}
    hover = np.full(rows * columns, "", dtype=object)
    hover[: len(names)] = names
    figure = layout.figure(
        [
            {
                "type": "heatmap",
                "x": layout.f4(np.arange(columns) + 0.5),
                "y": layout.f4(np.arange(rows) + 0.5),
                "z": np.zeros((rows, columns), np.uint8),
                "text": hover.reshape(rows, columns).tolist(),
                "hovertemplate": "%{text}<extra></extra>",
                "opacity": 0,
                "showscale": False,
            }
        ],
        title=title,
        help=help,
        x={**hidden, "range": [0, columns]},
        y={**hidden, "range": [rows, 0], "scaleanchor": "x"},
        margin={"l": EDGE, "r": EDGE + right, "t": EDGE + LABEL * above, "b": EDGE + LABEL * below},
        images=[png_images.layout_image(data_uri(images, columns), 0, 0, columns, rows)],
        annotations=[],
        shapes=[],
        table=table,
    )
    # The card is as high as it takes to fill its width.
    around = 2 * EDGE + LABEL * (above + below)
    figure["layout"]["meta"]["aspect"] = {"slope": rows / columns, "more": around - (2 * EDGE + right) * rows / columns}
    return figure


def _over(x: float, text: str, is_turned: bool) -> dict:
    turned = {"textangle": -40, "xanchor": "left", "xshift": -6} if is_turned else {"xanchor": "center"}
    return _text(x, text) | {"y": 0, "yref": "y", "yanchor": "bottom", "yshift": 3} | turned


def _under(x: float, row: int, text: str, line: int = 0) -> dict:
    return _text(x, text) | {"y": row, "yref": "y", "yanchor": "top", "yshift": -LABEL * line - 1}


def _text(x: float, text: str) -> dict:
    return {"text": text, "x": x, "xref": "x", "showarrow": False, "font": {"size": theme.SMALL}, "borderpad": 0}


def _bracket(start: float, end: float) -> dict:
    """A line over the columns of one class."""
    place = {"x0": start + 0.08, "x1": end - 0.08, "xref": "x", "yref": "paper", "ysizemode": "pixel", "yanchor": 1}
    return {"type": "line", "y0": 3, "y1": 3, "line": {"color": theme.NEUTRAL, "width": 1}, **place}


def _add_line(figure: dict, text: str) -> None:
    """A line of text below the images."""
    shown = figure["layout"]
    shown["annotations"].append(_under(shown["xaxis"]["range"][1] / 2, shown["yaxis"]["range"][0], text))
    shown["margin"]["b"] += LABEL
    shown["meta"]["aspect"]["more"] += LABEL


def _mean(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1).mean(1).round(1)
