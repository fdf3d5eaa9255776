"""Figures of predictions chosen by the kind of data, from a run's snapshots."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from nnviz.figures.kit.layout import empty
from nnviz.figures.samples.confusion_matrix import confusion_matrix
from nnviz.figures.samples.decision_surface import decision_surface, regression_curve
from nnviz.figures.samples.worst_samples import predictions_against_targets, worst_samples
from nnviz.figures.training.curves import curves

Arrays = Mapping[str, np.ndarray]


def predictions(snapshot: Callable[[str], Arrays], *, style: str = "soft") -> dict:
    """Decision surface or fitted curve for one or two inputs, else confusion matrix or predictions against targets.

    `snapshot` gives a run's arrays by quantity, empty if it has none.
    """
    data = snapshot("data")
    if grid := snapshot("decision_grid"):
        return decision_surface(grid, data, style=style)
    if curve := snapshot("regression_curve"):
        return regression_curve(curve, data)
    if counts := snapshot("confusion"):
        return confusion_matrix(counts, data)
    if pairs := snapshot("fit"):
        return predictions_against_targets(pairs, data)
    title, help = "Predictions", "Predictions for the test samples."
    if data and not np.any(data["test"]):
        return empty(title, help, "no test samples: lower the training fraction")
    return empty(title, help)


def worst_samples_of_run(snapshot: Callable[[str], Arrays]) -> dict | None:
    """The test samples with the largest loss; None for one or two inputs, where the decision surface shows them."""
    samples = snapshot("worst")
    return worst_samples(samples, snapshot("data")) if samples else None


def metric(
    frame: pd.DataFrame, data: Arrays, *, resume_marks: Sequence[tuple[int, str]] = (), smooth: float = 0.0
) -> dict:
    """Accuracy of a classifier or R² of a regression over the steps; `data` is the snapshot of that name."""
    quantity = "r_squared" if data and not len(data["class_names"]) else "accuracy"
    return curves(frame, quantity, resume_marks=resume_marks, missing=missing_reasons(data, quantity), smooth=smooth)


def missing_reasons(data: Arrays, quantity: str) -> dict[str, str]:
    """Why "train" or "test" has no values of "loss", "accuracy" or "r_squared", by split."""
    if not data:
        return {}
    test, targets = np.asarray(data["test"], bool), np.asarray(data["targets"])
    reasons = {}
    for name, part in (("train", targets[~test]), ("test", targets[test])):
        if len(part) == 0:
            reasons[name] = "no samples"
        elif quantity == "r_squared" and len(part) == 1:
            reasons[name] = "R² needs at least two samples"
        elif quantity == "r_squared" and (part == part[0]).all():
            reasons[name] = "all targets are equal"
    return reasons
