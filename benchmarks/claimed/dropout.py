"""The examples of the page on dropout and overfitting."""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np

from benchmarks.claimed.claim import Claim
from benchmarks.claimed.training import Trained, trained
from nnviz.engine import run as run_job
from nnviz.engine.learners.supervised import SupervisedLearning
from nnviz.presets.dropout import EXAMPLES
from nnviz.spec.base import replace_many
from nnviz.spec.early_stopping import NoEarlyStopping
from nnviz.spec.probes import Memorization

JOBS = {preset.title: preset.jobs for preset in EXAMPLES}
OVERFITTING, SCALING, LABELS = "Overfitting", "Weight scaling", "Wrong labels"


class Memorized(NamedTuple):
    """Which training samples have a wrong label (n,), the step at which each was learned (n,), −1 for never, how often
    it was forgotten (n,), and accuracies at every evaluation by site."""

    is_wrong: np.ndarray
    first_learned: np.ndarray
    forgotten: np.ndarray
    over_steps: dict[str, list[float]]


def run(title: str, side: str, seed: int) -> Trained:
    """A variant of an example; early stopping is read off the whole run."""
    job = replace_many(JOBS[title]["ABCDEFGH".index(side)], {"early_stopping": NoEarlyStopping()})
    return trained(job, seed, every=10)


def rise(title: str, side: str, seed: int) -> float:
    """Test loss at the end over its lowest."""
    found = run(title, side, seed)
    return float(found.last["test loss"] / found.over_steps("test loss").min())


def loss_ratio(title: str, side: str, seed: int, other: str = "A") -> float:
    """Test loss at the end over that of another variant."""
    return run(title, side, seed).last["test loss"] / run(title, other, seed).last["test loss"]


def gap(title: str, side: str, seed: int, other: str = "A") -> float:
    """Test loss minus training loss at the end, over that of another variant."""
    first, second = (run(title, each, seed).last for each in (side, other))
    return (first["test loss"] - first["train loss"]) / (second["test loss"] - second["train loss"])


def stopped_rise(title: str, side: str, seed: int) -> float:
    """Test loss of the weights that early stopping keeps, over the lowest of the whole run."""
    losses = run(title, side, seed).over_steps("test loss")
    patience, best = JOBS[title]["ABCDEFGH".index(side)].early_stopping.patience, 0
    for place, loss in enumerate(losses):
        if loss < losses[best]:
            best = place
        if place - best >= patience:
            break
    return float(losses[best] / losses.min())


def scaling_gap(side: str, seed: int) -> float:
    """Largest difference of a true class's probability by weight scaling and by the geometric mean over all masks."""
    learning: SupervisedLearning = run(SCALING, side, seed).learning
    learning.network.eval()
    averages = next(r.arrays for r in learning.of_dropout.predictions(0) if r.quantity == "mask_averages")
    assert averages["all_masks"]
    return float(abs(averages["weight_scaling"] - averages["geometric_mean"]).max())


@lru_cache(maxsize=16)
def memorized(side: str, seed: int) -> Memorized:
    """What a variant of the example with wrong labels records of its samples."""
    job = replace_many(JOBS[LABELS]["AB".index(side)], {"seed": seed, "probes": (Memorization(),), "device": "cpu"})
    records = [record for new in run_job(job) for record in new]
    data = next(r.arrays for r in records if r.quantity == "data")
    counted = [r.arrays for r in records if r.quantity == "memorization"][-1]
    over_steps: dict[str, list[float]] = {}
    for r in records:
        if r.quantity in ("accuracy_by_label", "accuracy"):
            over_steps.setdefault(r.site, []).append(r.value)
    is_wrong = (data["targets"] != data["true_classes"])[~data["test"]]
    return Memorized(is_wrong, counted["first_learned"], counted["forgotten"], over_steps)


def half_learned(is_wrong: bool, seed: int) -> float:
    """The step by which half of the samples with correct or wrong labels have been learned in A."""
    found = memorized("A", seed)
    first = found.first_learned[found.is_wrong == is_wrong].astype(float)
    return float(np.median(np.where(first < 0, np.inf, first)))


def _claim(title: str, quote: str, what: str, measure: Callable[[int], float], **limits: float) -> Claim:
    return Claim("Dropout & overfitting", title, quote, what, measure, **limits)


CLAIMS = (
    _claim(
        OVERFITTING,
        "the test loss ends at four times its minimum or more",
        "test loss of A at the end over its lowest",
        partial(rise, OVERFITTING, "A"),
        low=4,
    ),
    _claim(
        OVERFITTING,
        "Dropout (B) halves the gap between train and test loss in four of five seeds",
        "gap of B over that of A",
        partial(gap, OVERFITTING, "B"),
        high=0.5,
        min_fraction=0.8,
    ),
    *(
        _claim(
            OVERFITTING,
            "L2 (C) and L1 (D) keep the test loss below half of that of A",
            f"test loss of {side} at the end over that of A",
            partial(loss_ratio, OVERFITTING, side),
            high=0.5,
        )
        for side in "CD"
    ),
    _claim(
        OVERFITTING,
        "early stopping (E) ends near the minimum of A",
        "test loss of E over the lowest of A",
        partial(stopped_rise, OVERFITTING, "E"),
        high=1.1,
    ),
    _claim(
        OVERFITTING,
        "Most of all helps what one rarely has: eight times the data (F).",
        "test loss of F at the end over the lowest of B, C, D",
        lambda seed: max(loss_ratio(OVERFITTING, "F", seed, other) for other in "BCD"),
        high=1,
    ),
    _claim(
        SCALING,
        "weight scaling is exactly the normalized geometric mean over all masks",
        "largest difference of a probability in A (float32)",
        partial(scaling_gap, "A"),
        high=1e-5,
    ),
    _claim(
        SCALING,
        "some probabilities differ by 0.02 or more",
        "largest difference of a probability in B",
        partial(scaling_gap, "B"),
        low=0.02,
    ),
    _claim(
        LABELS,
        "half of the right labels are learned by step 50",
        "median step of A's correct labels",
        partial(half_learned, False),
        high=50,
    ),
    _claim(
        LABELS,
        "half of the wrong ones not before step 150",
        "median step of A's wrong labels",
        partial(half_learned, True),
        low=150,
    ),
    _claim(
        LABELS,
        "In between at least 75% of the wrongly labeled are taken for what they are",
        "highest accuracy of A on wrongly labeled samples by their true class",
        lambda seed: max(memorized("A", seed).over_steps["replaced_labels_by_true_class"]),
        low=0.75,
    ),
    _claim(
        LABELS,
        "at the end 95% of the wrong labels or more are known by heart",
        "accuracy of A on wrong labels at the end",
        lambda seed: memorized("A", seed).over_steps["replaced_labels"][-1],
        low=0.95,
    ),
    _claim(
        LABELS,
        "With dropout (B) at most 30% are",
        "accuracy of B on wrong labels at the end",
        lambda seed: memorized("B", seed).over_steps["replaced_labels"][-1],
        high=0.3,
    ),
    _claim(
        LABELS,
        "the test accuracy ends higher",
        "test accuracy of B minus that of A at the end",
        lambda seed: memorized("B", seed).over_steps["test"][-1] - memorized("A", seed).over_steps["test"][-1],
        low=0.001,
    ),
)

WITHOUT_CLAIM = {
    OVERFITTING: ("Forty noisy training points and two layers of 64 units.",),
    SCALING: ("Eight units can be dropped in 2⁸ = 256 ways, and all of them are computed.",),
    LABELS: ("A fifth of 450 training digits have a wrong label.",),
}
"""Sentences about settings, which no measurement could contradict."""
