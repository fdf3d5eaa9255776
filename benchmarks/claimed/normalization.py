"""The examples of the page on normalization."""

import math
from collections.abc import Callable
from functools import partial

import torch

from benchmarks.claimed.claim import Claim
from benchmarks.claimed.training import trained
from nnviz.engine.normalization.norm_values import norm_values
from nnviz.presets.normalization import EXAMPLES
from nnviz.spec.jobs import Training

JOBS = {preset.title: preset.jobs for preset in EXAMPLES}
SIGMOID = "Deep sigmoid network"


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
)

WITHOUT_CLAIM = {SIGMOID: ("Twelve sigmoid layers.",)}
"""Sentences about settings, theory, or what to look at, which no measurement could contradict."""
