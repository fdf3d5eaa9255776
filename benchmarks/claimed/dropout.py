"""The examples of the page on dropout and overfitting."""

from collections.abc import Callable
from functools import partial

from benchmarks.claimed.claim import Claim
from benchmarks.claimed.training import Trained, trained
from nnviz.engine.learners.supervised import SupervisedLearning
from nnviz.presets.dropout import EXAMPLES
from nnviz.spec.base import replace_many
from nnviz.spec.early_stopping import NoEarlyStopping

JOBS = {preset.title: preset.jobs for preset in EXAMPLES}
OVERFITTING, SCALING = "Overfitting", "Weight scaling"


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
)

WITHOUT_CLAIM = {
    OVERFITTING: ("Forty noisy training points and two layers of 64 units.",),
    SCALING: ("Eight units can be dropped in 2⁸ = 256 ways, and all of them are computed.",),
}
"""Sentences about settings, which no measurement could contradict."""
