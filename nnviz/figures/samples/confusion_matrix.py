"""The confusion matrix."""

from collections.abc import Mapping

import numpy as np

from nnviz.figures.kit import labels, layout, tables, theme
from nnviz.figures.kit.layout import f4, i4


def confusion_matrix(
    arrays: Mapping[str, np.ndarray], data: Mapping[str, np.ndarray], *, title: str = "Confusion matrix (test)"
) -> dict:
    """Counts (C, C), a row per true class, colored by the fraction of the row: blue correct, orange wrong.

    The color follows the square root of the fraction, so that a single error in fifty is visible. Zeros are blank.
    """
    help = "Rows: true class of the test samples. Columns: predicted class. Off-diagonal entries are errors."
    if not arrays or len(arrays.get("counts", ())) == 0:
        return layout.empty(title, help)
    counts = np.asarray(arrays["counts"], int)
    total = len(counts)
    classes = labels.class_names(data or {}, total)
    names = [labels.shorten(name.removeprefix("class "), 12) for name in classes]
    unknown = int(np.sum(data["test"])) - int(counts.sum()) if data else 0
    note = f"{unknown} samples are not counted: their outputs are NaN"
    fraction = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    signed = np.where(np.eye(total, dtype=bool), 1, -1) * np.sqrt(fraction)
    rows, columns = np.nonzero(counts)
    return layout.figure(
        [
            {
                "type": "heatmap",
                "x": i4(range(total)),
                "y": i4(range(total)),
                "z": f4(signed),
                "zmin": -1,
                "zmax": 1,
                "colorscale": theme.diverging(0.75),
                "showscale": False,
                "xgap": 1,
                "ygap": 1,
                "customdata": f4(np.stack([counts, 100 * fraction], axis=-1)),
                "text": [[f"true {true}, predicted {predicted}" for predicted in names] for true in names],
                "hovertemplate": "%{text}: %{customdata[0]:.0f}<br>%{customdata[1]:.1f}% of the class<extra></extra>",
            },
            {
                "type": "scatter",
                "mode": "text",
                "x": i4(columns),
                "y": i4(rows),
                "text": [str(count) for count in counts[rows, columns]],
                "textfont": {"size": theme.SIZE if total <= 5 else theme.SMALL},
                "hoverinfo": "skip",
                "showlegend": False,
            },
        ],
        title=title,
        help=help,
        table=[tables.grid({"true": classes}, {"predicted": classes}, {"count": counts})],
        x=layout.axis(
            "predicted", tickvals=i4(range(total)), ticktext=names, showgrid=False, range=[-0.5, total - 0.5]
        ),
        annotations=[layout.corner_note(note)] if unknown > 0 else [],
        y=layout.axis("true", tickvals=i4(range(total)), ticktext=names, showgrid=False, range=[total - 0.5, -0.5]),
    )
