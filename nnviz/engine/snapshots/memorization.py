"""When each training sample is learned and forgotten, over the evaluations of a run."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from nnviz.records import Record, Scalar, Snapshot


class Classified(NamedTuple):
    """The training samples at an evaluation: predicted class (n,), −1 where an output is NaN; label (n,); and under
    label noise the class before it (n,)."""

    predicted: Tensor
    labels: Tensor
    true_classes: Tensor | None


class SampleCounter:
    """For each training sample (n,) since step 0, as its label says, right or wrong: the step at which it was first
    classified correctly, the step since which it has been at every evaluation, and how often it was forgotten: correct
    at one evaluation and wrong at the next (Toneva et al., 2019, arXiv:1812.05159, who count at each update that the
    sample is part of)."""

    def __init__(self) -> None:
        self._counted = -1
        self._first = self._since = self._forgotten = np.empty(0, np.int32)

    def count(self, step: int, classified: Classified) -> list[Record]:
        """Takes in the evaluation of a step, once. A snapshot with first_learned (n,) and learned_since (n,), −1 where
        never and where not now, and forgotten (n,); under label noise the accuracy of samples with correct and with
        replaced labels apart."""
        if step <= self._counted:
            return []
        predicted, labels = classified.predicted.cpu().numpy(), classified.labels.cpu().numpy()
        is_correct = predicted == labels
        if self._counted < 0:
            self._first = self._since = np.full(len(labels), -1, np.int32)
            self._forgotten = np.zeros(len(labels), np.int32)
        self._counted = step
        was_correct = self._since >= 0
        self._first = np.where(is_correct & (self._first < 0), step, self._first).astype(np.int32)
        self._forgotten = self._forgotten + (was_correct & ~is_correct)
        self._since = np.where(is_correct, np.where(was_correct, self._since, step), -1).astype(np.int32)
        arrays = {"first_learned": self._first, "learned_since": self._since, "forgotten": self._forgotten}
        return [Snapshot(step, "memorization", arrays), *_accuracies(step, classified, predicted, is_correct)]

    def state_dict(self) -> dict[str, Any]:
        """All that a resumed run needs to go on counting."""
        arrays = {"first": self._first, "since": self._since, "forgotten": self._forgotten}
        return {"counted": self._counted} | {name: torch.from_numpy(array) for name, array in arrays.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Loads a state."""
        self._counted = state["counted"]
        self._first, self._since, self._forgotten = (state[n].cpu().numpy() for n in ("first", "since", "forgotten"))


def _accuracies(step: int, classified: Classified, predicted: np.ndarray, is_correct: np.ndarray) -> list[Record]:
    """Of samples with correct labels, and of those with replaced ones by the label and by the true class."""
    if classified.true_classes is None:
        return []
    true_classes = classified.true_classes.cpu().numpy()
    replaced = true_classes != classified.labels.cpu().numpy()
    parts = {
        "correct_labels": is_correct[~replaced],
        "replaced_labels": is_correct[replaced],
        "replaced_labels_by_true_class": (predicted == true_classes)[replaced],
    }
    return [Scalar(step, "accuracy_by_label", float(part.mean()), site) for site, part in parts.items() if len(part)]
