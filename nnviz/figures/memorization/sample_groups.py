"""Training samples with correct and with replaced labels, and what is known of each."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from nnviz.figures.kit import labels, layout, tables, theme

Arrays = Mapping[str, np.ndarray]
CORRECT, REPLACED = "correct labels", "replaced labels"
COLORS = {"all samples": theme.POSITIVE, CORRECT: theme.POSITIVE, REPLACED: theme.ALERT}


class Group(NamedTuple):
    """Some of the training samples: its name, its color and which they are (n,)."""

    name: str
    color: str
    members: np.ndarray


def nothing(title: str, help: str, data: Arrays) -> dict:
    """An empty figure that says why it is empty."""
    if data and not len(data["class_names"]):
        return layout.empty(title, help, "no classes: predictions of numbers are not right or wrong")
    return layout.empty(title, help)


def groups(data: Arrays) -> list[Group]:
    """Samples with correct and with replaced labels, all together where there is no label noise."""
    replaced = is_replaced(data)
    parts = {CORRECT: ~replaced, REPLACED: replaced} if replaced.any() else {"all samples": ~replaced}
    return [Group(name, COLORS[name], members) for name, members in parts.items() if members.any()]


def is_replaced(data: Arrays) -> np.ndarray:
    """Which training samples (n,) have another label than their class."""
    train = ~np.asarray(data["test"], bool)
    targets = np.asarray(data["targets"])[train]
    return (
        targets != np.asarray(data["true_classes"])[train] if "true_classes" in data else np.zeros(len(targets), bool)
    )


def training_labels(data: Arrays) -> tuple[list[str], list[str]]:
    """Label, and class before label noise, of each training sample, by name."""
    train = ~np.asarray(data["test"], bool)
    names = labels.class_names(data, len(data["class_names"]))
    targets = np.asarray(data["targets"])[train]
    true = np.asarray(data["true_classes"])[train] if "true_classes" in data else targets
    return [names[int(i)] for i in targets], [names[int(i)] for i in true]


def hovers(arrays: Arrays, data: Arrays) -> list[str]:
    """What there is to say of each training sample."""
    found = []
    for label, true, first, since, forgotten in zip(
        *training_labels(data), arrays["first_learned"], arrays["learned_since"], arrays["forgotten"], strict=True
    ):
        words = [f"label {label}" if label == true else f"label {label}, true class {true}"]
        words.append("never learned" if first < 0 else f"first learned at step {first:,}")
        if since >= 0:
            words.append(f"learned since step {since:,}")
        elif first >= 0:
            words.append("wrong now")
        found.append("<br>".join([*words, f"forgotten {times(int(forgotten))}"]))
    return found


def times(count: int) -> str:
    """A count in words: "never", "once", "7 times"."""
    return {0: "never", 1: "once"}.get(count, f"{count} times")


def table(arrays: Arrays, data: Arrays, rows: np.ndarray) -> list[tables.Part]:
    """A row per training sample at the places `rows`: label, true class, and what was counted; −1 for never."""
    label, true = training_labels(data)
    columns = {"sample": rows, "label": [label[i] for i in rows], "true_class": [true[i] for i in rows]}
    counted = {name: np.asarray(arrays[name])[rows] for name in ("first_learned", "learned_since", "forgotten")}
    return [tables.rows(columns | counted)]
