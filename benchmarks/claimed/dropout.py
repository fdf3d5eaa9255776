"""The examples of the page on dropout and overfitting."""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from benchmarks.claimed.claim import Claim
from benchmarks.claimed.training import Trained, trained
from nnviz.engine import run as run_job
from nnviz.engine.learners.supervised import SupervisedLearning
from nnviz.engine.models import thinned_networks
from nnviz.presets.dropout import EXAMPLES
from nnviz.spec.base import replace_many
from nnviz.spec.early_stopping import NoEarlyStopping
from nnviz.spec.probes import Memorization

JOBS = {preset.title: preset.jobs for preset in EXAMPLES}
OVERFITTING, CAPACITY, SIZE, REGRESSION = "Overfitting", "Capacity", "Data size", "Regression"
SCALING, UNCERTAINTY, DIGITS, LABELS = "Weight scaling", "Uncertainty", "Uncertain digits", "Wrong labels"


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


def loss_ratio(title: str, side: str, seed: int, other: str) -> float:
    """Test loss at the end over that of another variant."""
    return run(title, side, seed).last["test loss"] / run(title, other, seed).last["test loss"]


def gap(title: str, side: str, seed: int, other: str) -> float:
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


def train_loss(title: str, side: str, seed: int) -> float:
    """Training loss at the end."""
    return run(title, side, seed).last["train loss"]


@lru_cache(maxsize=32)
def thinned(title: str, seed: int) -> tuple[Tensor, Tensor]:
    """Probabilities of the test samples by each thinned network and, last, by weight scaling (K + 1, n, classes); their
    classes."""
    learning: SupervisedLearning = run(title, "A", seed).learning
    learning.network.eval()
    x, y = learning.parts["test"]
    outputs, _ = thinned_networks.outputs(learning.network, learning.dropouts, learning.of_dropout.factors, x)
    return outputs.softmax(2).double(), y


def spread_of_errors(seed: int) -> float:
    """Mean standard deviation over masks on test samples that are classified wrong, over that on the others."""
    p, y = thinned(UNCERTAINTY, seed)
    std, wrong = p[:-1].std(0, correction=0)[:, 0], p[-1].argmax(1) != y
    return float(std[wrong].mean() / std[~wrong].mean())


def mean_against_scaling(seed: int) -> float:
    """Test loss of the mean probability over masks over that of weight scaling."""
    p, y = thinned(UNCERTAINTY, seed)
    mean, scaled = (float(q.gather(1, y[:, None]).log().mean()) for q in (p[:-1].mean(0), p[-1]))
    return mean / scaled


def errors_of_uncertain(seed: int) -> float:
    """Error rate among the tenth of the test samples with the largest mutual information, over that of all."""
    p, y = thinned(DIGITS, seed)
    entropy = torch.special.entr(p[:-1]).sum(-1).mean(0)
    information = torch.special.entr(p[:-1].mean(0)).sum(-1) - entropy
    wrong = (p[-1].argmax(1) != y).double()
    return float(wrong[information.argsort(descending=True)[: len(y) // 10]].mean() / wrong.mean())


def _claim(title: str, quote: str, what: str, measure: Callable[[int], float], **limits: float) -> Claim:
    return Claim("Dropout & overfitting", title, quote, what, measure, **limits)


CLAIMS = (
    _claim(
        OVERFITTING,
        "the test loss ends at three times its minimum or more",
        "test loss of A at the end over its lowest",
        partial(rise, OVERFITTING, "A"),
        low=3,
    ),
    _claim(
        OVERFITTING,
        "Dropout (B) shrinks the gap between train and test loss",
        "gap of B at the end over that of A",
        partial(gap, OVERFITTING, "B", other="A"),
        high=0.95,
    ),
    *(
        _claim(
            OVERFITTING,
            "With L2 (C), L1 (D), input noise (F) or 4 units (G) the test loss ends below 70% of that of A",
            f"test loss of {side} at the end over that of A",
            partial(loss_ratio, OVERFITTING, side, other="A"),
            high=0.7,
        )
        for side in "CDFG"
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
        "Most of all helps eight times the data (H).",
        "test loss of H at the end over the lowest of B, C, D, F, G",
        lambda seed: max(loss_ratio(OVERFITTING, "H", seed, other) for other in "BCDFG"),
        high=1,
    ),
    _claim(
        CAPACITY,
        "its training loss ends at 1.5 times that of 16 units (C) or more",
        "training loss of A at the end over that of C",
        lambda seed: train_loss(CAPACITY, "A", seed) / train_loss(CAPACITY, "C", seed),
        low=1.5,
    ),
    _claim(
        CAPACITY,
        "With 256 (D) the training loss falls below 0.1",
        "training loss of D at the end",
        partial(train_loss, CAPACITY, "D"),
        high=0.1,
    ),
    _claim(
        CAPACITY,
        "the test loss ends at twice that of 16 units (C) or more",
        "test loss of D at the end over that of C",
        partial(loss_ratio, CAPACITY, "D", other="C"),
        low=2,
    ),
    *(
        _claim(
            SIZE,
            "The gap between train and test loss shrinks with every step from A to C",
            f"gap of {more} at the end over that of {fewer}",
            partial(gap, SIZE, more, other=fewer),
            high=0.95,
        )
        for fewer, more in ("AB", "BC")
    ),
    _claim(
        SIZE,
        "the training loss rises",
        "training loss at the end, least ratio of B to A and C to B",
        lambda seed: min(train_loss(SIZE, b, seed) / train_loss(SIZE, a, seed) for a, b in ("AB", "BC")),
        low=1,
    ),
    _claim(
        REGRESSION,
        "the training loss falls below 0.03",
        "training loss of A at the end",
        partial(train_loss, REGRESSION, "A"),
        high=0.03,
    ),
    _claim(
        REGRESSION,
        "the test loss rises again to 1.2 times its minimum or more",
        "test loss of A at the end over its lowest",
        partial(rise, REGRESSION, "A"),
        low=1.2,
    ),
    *(
        _claim(
            REGRESSION,
            "With dropout (B) it ends below that of A, and below that with L2 (C).",
            f"test loss of B at the end over that of {other}",
            partial(loss_ratio, REGRESSION, "B", other=other),
            high=1,
        )
        for other in "AC"
    ),
    _claim(
        REGRESSION,
        "With two moons L2 is the stronger of the two.",
        "test loss with dropout at the end over that with L2, two moons",
        partial(loss_ratio, OVERFITTING, "B", other="C"),
        low=1,
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
    _claim(
        UNCERTAINTY,
        "their spread is 1.2 times that on the others or more",
        "mean standard deviation over masks, wrong test points over right ones",
        spread_of_errors,
        low=1.2,
    ),
    _claim(
        UNCERTAINTY,
        "The mean of their probabilities has a lower test loss than weight scaling",
        "test loss of the mean over masks over that of weight scaling",
        mean_against_scaling,
        high=1,
    ),
    _claim(
        DIGITS,
        "errors are 1.5 times as frequent as among all or more",
        "error rate among the most uncertain tenth over that of all",
        errors_of_uncertain,
        low=1.5,
    ),
)

WITHOUT_CLAIM = {
    OVERFITTING: ("Forty noisy points, two layers of 64 units.",),
    CAPACITY: ("The same forty points, layers of 1, 4, 16 and 256 units.",),
    SIZE: ("The same network on 20, 120 and 320 training points of 400.",),
    REGRESSION: ("Ten measurements of 133 patients; predicting the mean has a test loss of about 1.",),
    SCALING: ("Eight units can be dropped in 2⁸ = 256 ways, and all of them are computed.",),
    LABELS: ("A fifth of 450 training digits have a wrong label.",),
    UNCERTAINTY: ("Thirty masks are thirty networks, and the color is how much they disagree.",),
    DIGITS: (
        "A hundred training digits, dropout 0.5.",
        "The whiskers are the spread of each class's probability over the masks.",
    ),
}
"""Sentences about settings or what is drawn, which no measurement could contradict."""
