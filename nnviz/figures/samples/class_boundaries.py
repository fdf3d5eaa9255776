"""Lines between the regions of the input plane in which a network predicts each class."""

from collections.abc import Mapping

import numpy as np

from nnviz.figures.kit.layout import f4


def class_boundaries(scores: np.ndarray, x: np.ndarray, y: np.ndarray, line: Mapping[str, object]) -> list[dict]:
    """Zero contours of each class's score minus the largest of the others; `scores` is (y, x, classes), `line` how they
    are drawn. With two classes there is one contour."""
    count = scores.shape[-1]
    traces = []
    for i in range(1 if count == 2 else count):
        others = np.delete(scores, i, axis=-1).max(-1)
        traces.append(
            {
                "type": "contour",
                "x": f4(x),
                "y": f4(y),
                "z": f4(scores[..., i] - others),
                "contours": {"start": 0, "end": 0, "size": 1, "coloring": "none", "showlines": True},
                "line": dict(line),
                "showscale": False,
                "hoverinfo": "skip",
                "showlegend": False,
            }
        )
    return traces
