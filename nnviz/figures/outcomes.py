"""What a network has learned, in the picture that fits its data."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from nnviz.figures.boundaries import decision_surface, regression_curve
from nnviz.figures.confusion import confusion
from nnviz.figures.curves import curves
from nnviz.figures.layout import empty
from nnviz.figures.samples import fit, worst

Arrays = Mapping[str, np.ndarray]


def outcome(snapshot: Callable[[str], Arrays], *, style: str = "soft") -> dict:
    """The decision surface or the fitted curve for one or two inputs; for more the confusion matrix, or predicted
    against true. `snapshot` gives a run's arrays by quantity, empty where it has none."""
    data = snapshot("data")
    if grid := snapshot("decision_grid"):
        return decision_surface(grid, data, style=style)
    if curve := snapshot("regression_curve"):
        return regression_curve(curve, data)
    if counts := snapshot("confusion"):
        return confusion(counts, data)
    if pairs := snapshot("fit"):
        return fit(pairs)
    return empty("Outcome", "What the network predicts.")


def worst_samples(snapshot: Callable[[str], Arrays]) -> dict | None:
    """The test samples with the largest loss; None for one or two inputs, where the surface shows them."""
    samples = snapshot("worst")
    return worst(samples, snapshot("data")) if samples else None


def metric(frame: pd.DataFrame, *, forks: Sequence[tuple[int, str]] = ()) -> dict:
    """Accuracy of a classifier, R² of a regression: whichever was recorded."""
    recorded = "r_squared" if len(frame) and (frame["quantity"] == "r_squared").any() else "accuracy"
    return curves(frame, recorded, forks=forks)
