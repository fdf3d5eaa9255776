"""The examples of the page on gradient flow."""

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.claimed.claim import Claim
from benchmarks.claimed.training import factor, start, trained, unit_statistics, untrained
from nnviz.presets.gradient_flow import EXAMPLES
from nnviz.spec.jobs import Training

JOBS = {preset.title: preset.jobs for preset in EXAMPLES}
CHANCE = math.log(10)
"""The cross-entropy of a uniform guess among ten classes."""

VANISHING, EXPLODING, HE = "Vanishing", "Exploding", "He initialization"
NORM, CLIPPING, SKIP = "Batch norm with sigmoid", "Gradient clipping", "Skip connections"


def job(title: str, side: str) -> Training:
    """Variant A or B of an example."""
    return JOBS[title]["AB".index(side)]


def signal(title: str, side: str, seed: int) -> float:
    """Factor per layer on the backpropagated signal."""
    return factor(untrained(job(title, side), seed)["signal_rms"][::-1])


def activation(title: str, side: str, seed: int) -> float:
    """Factor per layer on the activations."""
    return factor(untrained(job(title, side), seed)["activation_rms"])


def accuracy(title: str, side: str, seed: int, step: int) -> float:
    """Test accuracy after `step` steps, a multiple of 50."""
    return trained(job(title, side), seed).evaluated[step]["test accuracy"]


def loss(title: str, side: str, seed: int, step: int) -> float:
    """Mean batch loss of the last 20 of `step` steps over the loss of a uniform guess."""
    return sum(trained(job(title, side), seed).batch_losses[step - 20 : step]) / 20 / CHANCE


def first_layer(seed: int) -> float:
    """Backward signal in the first layer over that in the last hidden one."""
    found = untrained(job(VANISHING, "A"), seed)["signal_rms"]
    return float(found[0] / found[-1])


def commonest_class_fraction(seed: int) -> float:
    """Smallest fraction of test samples in the most frequent predicted class, from step 50 on."""
    return float(trained(job(VANISHING, "A"), seed).over_steps("test commonest")[1:].min())


def steps_to_nan(title: str, side: str, seed: int) -> float:
    """The step whose loss is not finite, or infinity."""
    losses = trained(job(title, side), seed).batch_losses
    return float(len(losses)) if not math.isfinite(losses[-1]) else math.inf


def loss_jump(title: str, seed: int) -> float:
    """The second loss over the first."""
    losses = trained(job(title, "A"), seed).batch_losses
    return losses[1] / losses[0]


def max_saturated_fraction(side: str, seed: int) -> float:
    """Largest fraction of saturated values in a layer, before or after training."""
    networks = (start(job(NORM, side), seed), trained(job(NORM, side), seed).learning)
    return max(float(unit_statistics(network)["saturated_fraction"].max()) for network in networks)


def spread(side: str, seed: int) -> np.ndarray:
    """Spread of pre-activations between samples after training, over the layers."""
    return unit_statistics(trained(job(NORM, side), seed).learning)["preactivation_spread"]


def recovery(seed: int) -> float:
    """Training loss at the end over the first batch loss."""
    found = trained(job(CLIPPING, "B"), seed)
    return found.last["train loss"] / found.batch_losses[0]


def _claim(title: str, quote: str, what: str, measure: Callable[[int], float], **limits: float) -> Claim:
    return Claim("Gradient flow", title, quote, what, measure, **limits)


CLAIMS = (
    _claim(
        VANISHING,
        "each layer (A) passes on less than a quarter of the gradient signal",
        "factor per layer",
        partial(signal, VANISHING, "A"),
        low=0.2,
        high=0.25,
    ),
    _claim(
        VANISHING,
        "about 10⁻¹² of it reaches the first of twenty layers",
        "signal, first layer over last",
        first_layer,
        low=3e-13,
        high=3e-12,
    ),
    _claim(
        VANISHING,
        "ReLU with He initialization (B) preserves it",
        "factor per layer",
        partial(signal, VANISHING, "B"),
        low=0.95,
        high=1.05,
    ),
    _claim(
        VANISHING,
        "A predicts the same class for all samples and stays there",
        "fraction of the most common class from step 50 on, at the least",
        commonest_class_fraction,
        low=1,
    ),
    _claim(
        VANISHING,
        "after 200 steps B has a test accuracy of 40% or more",
        "accuracy of B",
        partial(accuracy, VANISHING, "B", step=200),
        low=0.4,
        seeds=10,
    ),
    _claim(
        EXPLODING,
        "each layer multiplies activations in the forward pass by about 1.3",
        "activations, factor per layer",
        partial(activation, EXPLODING, "A"),
        low=1.2,
        high=1.4,
    ),
    _claim(
        EXPLODING,
        "and the gradient signal in the backward pass",
        "signal, factor per layer",
        partial(signal, EXPLODING, "A"),
        low=1.2,
        high=1.4,
    ),
    _claim(
        EXPLODING,
        "The first step is far too long",
        "second loss over first",
        partial(loss_jump, EXPLODING),
        low=1e6,
    ),
    _claim(
        EXPLODING,
        "at the third step the loss is NaN",
        "step of the first loss that is not finite",
        partial(steps_to_nan, EXPLODING, "A"),
        low=3,
        high=3,
    ),
    _claim(
        EXPLODING,
        "With He initialization (B) all layers have the same scale",
        "activations, factor per layer",
        partial(activation, EXPLODING, "B"),
        low=0.9,
        high=1.1,
    ),
    _claim(
        HE,
        "the second moment falls by a factor of 6 per layer",
        "factor per layer (1/6 = 0.167)",
        lambda seed: activation(HE, "A", seed) ** 2,
        low=0.15,
        high=0.19,
    ),
    _claim(
        HE,
        "A never gets below the loss of random guessing",
        "loss of the last steps over ln 10",
        partial(loss, HE, "A", step=600),
        low=0.99,
    ),
    _claim(
        HE,
        "The factor of 2 in He initialization (B) compensates for the lost half",
        "second moment, factor per layer",
        lambda seed: activation(HE, "B", seed) ** 2,
        low=0.85,
        high=1.15,
    ),
    _claim(
        HE,
        "thirty layers learn, if slowly",
        "test accuracy of B after 600 steps",
        partial(accuracy, HE, "B", step=600),
        low=0.15,
        high=0.7,
        seeds=10,
    ),
    _claim(
        NORM,
        "No sigmoid saturates in either",
        "largest saturated fraction of a layer, before and after training",
        lambda seed: max(max_saturated_fraction(side, seed) for side in "AB"),
        high=0.01,
    ),
    _claim(
        NORM,
        "the spread of pre-activations across samples falls by a factor of 4 per layer",
        "factor per layer over the first ten",
        lambda seed: factor(spread("A", seed)[:10]),
        low=0.2,
        high=0.27,
    ),
    _claim(
        NORM,
        "down to float32 rounding errors: the last layers get the same input for every sample",
        "spread in the last layer",
        lambda seed: float(spread("A", seed)[-1]),
        high=1e-7,
    ),
    _claim(
        NORM,
        "Batch norm sets it to about 1 in every layer, once its running statistics have converged",
        "largest deviation from 1 over the layers",
        lambda seed: float(np.abs(spread("B", seed) - 1).max()),
        high=0.25,
    ),
    _claim(
        NORM,
        "and B learns",
        "test accuracy of B after 600 steps",
        partial(accuracy, NORM, "B", step=600),
        low=0.9,
    ),
    _claim(
        CLIPPING,
        "Without clipping (A) a single step destroys the network",
        "second loss over first",
        partial(loss_jump, CLIPPING),
        low=1e6,
    ),
    _claim(
        CLIPPING,
        "the network recovers: its loss falls from hundreds to less than 1",
        "training loss at the end over the first",
        recovery,
        high=0.02,
    ),
    _claim(
        SKIP,
        "In A the gradient signal shrinks by a factor of 1/√3 = 0.58 per layer in the backward pass",
        "factor per layer",
        partial(signal, SKIP, "A"),
        low=0.54,
        high=0.6,
    ),
    _claim(
        SKIP,
        "the network learns at once",
        "test accuracy of B after 100 steps",
        partial(accuracy, SKIP, "B", step=100),
        low=0.85,
    ),
    _claim(
        SKIP,
        "A is still at chance level after 100 steps",
        "loss of steps 81 to 100 over ln 10",
        partial(loss, SKIP, "A", step=100),
        low=0.97,
    ),
)

WITHOUT_CLAIM = {
    HE: (
        "ReLU sets half of the signal to zero.",
        "Dashed: theory for infinite width.",
        "Gray: range of 90% of untrained networks of this shape.",
    ),
    NORM: ("Twenty sigmoid layers without (A) and with batch norm (B).",),
    CLIPPING: ("The same overly large weights in both.",),
    SKIP: ("Thirty tanh layers with the classic small weights, without (A) and with skip connections (B).",),
}
"""Sentences about settings, theory, or what to look at, which no measurement could contradict."""
