"""What a network has learned, in the picture that fits its data."""

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
    """The decision surface or the fitted curve for one or two inputs; for more the confusion matrix, or predicted
    against true. `snapshot` gives a run's arrays by quantity, empty where it has none."""
    data = snapshot("data")
    if grid := snapshot("decision_grid"):
        return decision_surface(grid, data, style=style)
    if curve := snapshot("regression_curve"):
        return regression_curve(curve, data)
    if counts := snapshot("confusion"):
        return confusion_matrix(counts, data)
    if pairs := snapshot("fit"):
        return predictions_against_targets(pairs, data)
    title, help = "Outcome", "Predictions for the test samples."
    if data and not np.any(data["test"]):
        return empty(title, help, "no test samples: lower the training fraction")
    return empty(title, help)


def worst_samples_of_run(snapshot: Callable[[str], Arrays]) -> dict | None:
    """The test samples with the largest loss; None for one or two inputs, where the surface shows them."""
    samples = snapshot("worst")
    return worst_samples(samples, snapshot("data")) if samples else None


def metric(
    frame: pd.DataFrame, data: Arrays, *, resume_marks: Sequence[tuple[int, str]] = (), smooth: float = 0.0
) -> dict:
    """Accuracy of a classifier, R² of a regression, with the reason where a part has none; `data` is the snapshot."""
    recorded = "r_squared" if data and not len(data["class_names"]) else "accuracy"
    return curves(frame, recorded, resume_marks=resume_marks, missing=missing_reasons(data, recorded), smooth=smooth)


def missing_reasons(data: Arrays, quantity: str) -> dict[str, str]:
    """Why "train" or "test" has no values of "loss", "accuracy" or "r_squared", where it has none."""
    if not data:
        return {}
    test, targets = np.asarray(data["test"], bool), np.asarray(data["targets"])
    found = {}
    for name, part in (("train", targets[~test]), ("test", targets[test])):
        if len(part) == 0:
            found[name] = "no samples"
        elif quantity == "r_squared" and len(part) == 1:
            found[name] = "R² needs at least two samples"
        elif quantity == "r_squared" and (part == part[0]).all():
            found[name] = "all targets are equal"
    return found
