"""The examples of the page on normalization."""

import math
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any

import numpy as np
import torch

from benchmarks.claimed.claim import Claim
from benchmarks.claimed.training import start, trained
from nnviz.engine.normalization.batch_statistics import batch_norms, with_batch_statistics
from nnviz.engine.normalization.gradient_line import along_gradient, under_scaling
from nnviz.engine.normalization.mode_gaps import relative_gap
from nnviz.engine.normalization.norm_values import dead_certificate, norm_values
from nnviz.presets.normalization import EXAMPLES
from nnviz.spec.jobs import Training

JOBS = {preset.title: preset.jobs for preset in EXAMPLES}
SIGMOID, FOUR, TWO = "Deep sigmoid network", "Four norms", "Mini-batches of two"
PLACE, MOMENTUM, LINE = "Before or after the activation", "Momentum", "Loss along the gradient"
DEAD = "Units that cannot recover"


def job(title: str, side: str) -> Training:
    """A variant of an example."""
    return JOBS[title]["ABCDEFGH".index(side)]


def accuracy(title: str, side: str, seed: int, step: int = 600) -> float:
    """Test accuracy after `step` steps, a multiple of 50."""
    return trained(job(title, side), seed).evaluated[step]["test accuracy"]


def lowest_loss(title: str, side: str, seed: int) -> float:
    """The lowest training loss of all evaluations over that of a uniform guess among ten classes."""
    return float(trained(job(title, side), seed).over_steps("train loss").min()) / math.log(10)


def spread_ratio(seed: int) -> float:
    """Before the last norm of the network with layer norm: the spread over samples over the spread over units."""
    learning = trained(job(SIGMOID, "C"), seed).learning
    arrays = norm_values(learning.network.eval(), learning.train[0][:64])
    learning.network.train()
    x = torch.from_numpy(arrays[f"input_{len(arrays['sites']) - 1}"])
    return float(x.std(0).mean() / x.std(1).mean())


def nan_step(seed: int) -> float:
    """The number of the first loss that is not finite, or infinity."""
    losses = trained(job(FOUR, "A"), seed).batch_losses
    return float(len(losses)) if not math.isfinite(losses[-1]) else math.inf


def largest_output_change(seed: int) -> float:
    """The change of outputs as the weights of a layer are multiplied by ten, the largest of four norms."""
    found = []
    for side in "BCDE":
        learning = trained(job(FOUR, side), seed).learning
        x, y = learning.batch(1)
        learning.network.eval()
        found.append(under_scaling(learning.network, learning.loss, x, y, "linear5")["output_change"][-1])
        learning.network.train()
    return max(found)


def mode_gap(side: str, seed: int) -> float:
    """The gap between the modes at the end, with a mini-batch of the run's size."""
    learning = trained(job(TWO, side), seed).learning
    x = learning.train[0][: learning.spec.batch_size * (32 if side == "B" else 1)]
    with torch.no_grad():
        learning.network.eval()
        reference = learning.network(x)
        with with_batch_statistics(learning.network, learning.spec.batch_size):
            outputs = learning.network(x)
        learning.network.train()
    return relative_gap(outputs, reference)


def loss_difference(seed: int) -> float:
    """The largest difference of a mini-batch's loss between the momenta."""
    losses = [trained(job(MOMENTUM, side), seed).batch_losses for side in "ABC"]
    return max(abs(a - b) + abs(a - c) for a, b, c in zip(*losses, strict=True))


@lru_cache(maxsize=32)
def lines(side: str, seed: int) -> Mapping[str, Any]:
    """Medians over every tenth step along the gradient: range of the loss, change of the gradient, smoothness; and all
    of the smoothness."""
    learning, found = start(job(LINE, side), seed), []
    for step in range(0, 300, 10):
        learning.network.eval()
        x, y = learning.batch(step + 1)
        found.append(along_gradient(learning.network, learning.loss, x, y, learning.learning_rate(step + 1)))
        learning.network.train()
        for number in range(step + 1, step + 11):
            learning.step(number)
    return {
        "range": float(np.median([np.ptp(one["loss"]) for one in found])),
        "change": float(np.median([one["gradient_change"].max() for one in found])),
        "smoothness": float(np.median([one["smoothness"].max() for one in found])),
        "all": np.array([one["smoothness"].max() for one in found]),
    }


def line_ratio(what: str, seed: int) -> float:
    """Without over with batch norm."""
    return lines("A", seed)[what] / lines("B", seed)[what]


@lru_cache(maxsize=16)
def dead_units(seed: int) -> Mapping[int, frozenset[tuple[int, int]]]:
    """The units with a certificate after 200 and 400 steps."""
    learning, found = start(job(DEAD, "A"), seed), {}
    for number in range(1, 401):
        learning.step(number)
        if number % 200 == 0:
            certificates = [dead_certificate(norm, 4)[2] for norm in batch_norms(learning.network).values()]
            found[number] = frozenset(
                (layer, unit)
                for layer, part in enumerate(certificates)
                for unit in (part <= 0).nonzero()[:, 0].tolist()
            )
    return found


def _claim(title: str, quote: str, what: str, measure: Callable[[int], float], **limits: float) -> Claim:
    return Claim("Normalization", title, quote, what, measure, **limits)


CLAIMS = (
    _claim(
        SIGMOID,
        "Without normalization (A) the loss stays at that of random guessing",
        "lowest training loss of A over ln 10",
        partial(lowest_loss, SIGMOID, "A"),
        low=0.99,
    ),
    _claim(
        SIGMOID,
        "with batch norm (B) the test accuracy gets above 90%",
        "test accuracy of B at the end",
        partial(accuracy, SIGMOID, "B"),
        low=0.9,
    ),
    _claim(
        SIGMOID,
        "layer norm (C) does not help",
        "lowest training loss of C over ln 10",
        partial(lowest_loss, SIGMOID, "C"),
        low=0.99,
    ),
    _claim(
        SIGMOID,
        "In the upper layers all samples look alike",
        "spread over samples / over units before the last norm of C",
        spread_ratio,
        high=0.01,
    ),
    _claim(
        FOUR,
        "Without normalization (A) the third loss is NaN",
        "number of the first loss that is not finite",
        nan_step,
        low=3,
        high=3,
    ),
    _claim(
        FOUR,
        "the test accuracy ends at 70% or more",
        "lowest test accuracy of B to E at the end",
        lambda seed: min(accuracy(FOUR, side, seed) for side in "BCDE"),
        low=0.7,
    ),
    _claim(
        FOUR,
        "After 100 steps batch norm is ahead",
        "test accuracy of B over the best of C to E after 100 steps",
        lambda seed: accuracy(FOUR, "B", seed, 100) / max(accuracy(FOUR, side, seed, 100) for side in "CDE"),
        low=1,
        min_fraction=0.8,
    ),
    _claim(
        FOUR,
        "Weights of a layer ten times as large change the outputs by less than 5%",
        "largest relative change of B to E",
        largest_output_change,
        high=0.05,
    ),
    _claim(
        TWO,
        "In B the outputs in training and in evaluation mode differ by half of their size or more",
        "RMS difference over RMS output of B at the end",
        partial(mode_gap, "B"),
        low=0.5,
    ),
    _claim(
        TWO,
        "its test accuracy stays below 30%",
        "highest test accuracy of B",
        lambda seed: float(trained(job(TWO, "B"), seed).over_steps("test accuracy").max()),
        high=0.3,
    ),
    _claim(
        TWO,
        "C gets 70% or more from the same mini-batches",
        "test accuracy of C at the end",
        partial(accuracy, TWO, "C"),
        low=0.7,
    ),
    _claim(
        PLACE,
        "at step 50 the test accuracy of B is 3 points or more above that of A",
        "test accuracy of B − of A",
        lambda seed: accuracy(PLACE, "B", seed, 50) - accuracy(PLACE, "A", seed, 50),
        low=0.03,
    ),
    _claim(
        PLACE,
        "In the end both have 94% or more",
        "lower test accuracy at the end",
        lambda seed: min(accuracy(PLACE, side, seed) for side in "AB"),
        low=0.94,
    ),
    _claim(
        MOMENTUM,
        "All losses of mini-batches are the same to the last bit",
        "largest difference",
        loss_difference,
        high=0,
    ),
    _claim(
        MOMENTUM,
        "after 100 steps its test accuracy is 20 points or more below that of B",
        "test accuracy of B − of A after 100 steps",
        lambda seed: accuracy(MOMENTUM, "B", seed, 100) - accuracy(MOMENTUM, "A", seed, 100),
        low=0.2,
    ),
    _claim(
        MOMENTUM,
        "its training loss ends at 1.5 times that of B or more",
        "training loss of C over that of B",
        lambda seed: (
            trained(job(MOMENTUM, "C"), seed).last["train loss"] / trained(job(MOMENTUM, "B"), seed).last["train loss"]
        ),
        low=1.5,
    ),
    _claim(
        LINE,
        "the loss of A varies five times as much as that of B or more",
        "median range of A over that of B",
        partial(line_ratio, "range"),
        low=5,
    ),
    _claim(
        LINE,
        "its gradient changes four times as much",
        "median change of A over that of B",
        partial(line_ratio, "change"),
        low=4,
    ),
    _claim(
        LINE,
        "the effective smoothness differs less, by a factor of 1.3 or more",
        "median smoothness of A over that of B",
        partial(line_ratio, "smoothness"),
        low=1.3,
    ),
    _claim(
        LINE,
        "and not at every step",
        "fraction of steps at which that of A is below that of B",
        lambda seed: float((lines("A", seed)["all"] < lines("B", seed)["all"]).mean()),
        low=0.01,
    ),
    _claim(
        DEAD,
        "Within 400 steps ten or more of 160 units fall below the line",
        "units with a certificate",
        lambda seed: len(dead_units(seed)[400]),
        low=10,
    ),
    _claim(
        DEAD,
        "so none of them recovers",
        "units with a certificate at step 200 and none at step 400",
        lambda seed: len(dead_units(seed)[200] - dead_units(seed)[400]),
        high=0,
    ),
)

WITHOUT_CLAIM = {
    SIGMOID: ("Twelve sigmoid layers.",),
    FOUR: ("Ten ReLU layers whose initial weights are twice too large.",),
    TWO: (
        "Batch norm with mini-batches of 64 (A) and of 2 samples (B), layer norm with 2 (C).",
        "Of two values x̂ is ±1, whatever they are.",
    ),
    PLACE: ("Five sigmoid layers with batch norm before the activation (A), as it was published, and after it (B).",),
    MOMENTUM: ("Running averages with momentum 0.003 (A), 0.1 (B) and 1 (C).",),
    DEAD: ("A learning rate of 1 with mini-batches of 4.",),
    LINE: ("Five ReLU layers without (A) and with batch norm (B), at the same learning rate.",),
}
"""Sentences about settings, theory, or what to look at, which no measurement could contradict."""
