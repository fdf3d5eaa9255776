"""The examples of the playground."""

import copy
import math
from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from benchmarks.claimed.claim import Claim
from benchmarks.claimed.training import trained
from nnviz.presets.playground import EXAMPLES
from nnviz.spec import activations as a
from nnviz.spec.base import replace_many
from nnviz.spec.models import Hidden

JOBS = {preset.title: preset.jobs[0] for preset in EXAMPLES}
LINE, XOR, SPIRALS = "XOR, one layer", "XOR, hidden layer", "Spirals"
OVERFITTING, CURVE, DIGITS = "Overfitting", "Curve fitting", "Digits"


def best_line(seed: int) -> float:
    """The best training accuracy at any evaluation."""
    return float(trained(JOBS[LINE], seed).over_steps("train accuracy").max())


def last_line(seed: int) -> float:
    return trained(JOBS[LINE], seed).last["train accuracy"]


def neurons(width: int, seed: int) -> float:
    """Training accuracy at the end with so many hidden neurons."""
    hidden = (Hidden(width=width, activation=a.Tanh()),)
    return trained(replace_many(JOBS[XOR], {"learner.model.hidden": hidden}), seed, every=3000).last["train accuracy"]


def class_changes(steps: int, seed: int) -> float:
    """How often the class changes on the way from the center to the farthest sample; mean over 120 directions."""
    learning = trained(JOBS[SPIRALS], seed, steps, every=steps).learning
    angle = torch.arange(120) * 2 * math.pi / 120
    radius = torch.linspace(0.1, 1, 30)[:, None] * learning.train[0].norm(dim=1).max()
    points = torch.stack([radius * angle.cos(), radius * angle.sin()], 2)
    with torch.no_grad():
        classes = learning.network.eval()(points.flatten(0, 1)).argmax(1).view(30, 120)
    return float((classes[1:] != classes[:-1]).sum(0).float().mean())


def train_loss_ratio(seed: int) -> float:
    """Training loss at the end over that at the step where the test loss is lowest."""
    found = trained(JOBS[OVERFITTING], seed)
    return float(found.last["train loss"] / found.over_steps("train loss")[found.over_steps("test loss").argmin()])


def test_loss_rise(seed: int) -> float:
    """Test loss at the end over its lowest."""
    found = trained(JOBS[OVERFITTING], seed)
    return float(found.last["test loss"] / found.over_steps("test loss").min())


def penalty_ratio(seed: int) -> float:
    """Test loss at the end with L2 0.01 over that without."""
    penalized = replace_many(JOBS[OVERFITTING], {"learner.l2": 0.01})
    return trained(penalized, seed).last["test loss"] / trained(JOBS[OVERFITTING], seed).last["test loss"]


def kinks(seed: int) -> np.ndarray:
    """Where the fitted curve bends over the range of the data."""
    learning = trained(JOBS[CURVE], seed, every=4000).learning
    inputs, network = learning.train[0].double(), copy.deepcopy(learning.network).double().eval()
    x = torch.linspace(float(inputs.min()), float(inputs.max()), 8001, dtype=torch.float64)
    with torch.no_grad():
        slopes = network(x[:, None])[:, 0].diff() / (x[1] - x[0])
    places = x[1:-1][slopes.diff().abs() > 0.02]
    # A bend between two points of the grid may show at both.
    return places[places.diff(prepend=x[:1] - 1) > 1.5 * (x[1] - x[0])].numpy()


def kink_count(seed: int) -> float:
    """How many the curve ends with."""
    return float(len(kinks(seed)))


def fraction_near_extrema(seed: int) -> float:
    """Fraction of them within 0.1 of a turning point of the sine, which would be 0.4 if they lay evenly."""
    return float((np.abs(np.abs(kinks(seed))[:, None] - [0.25, 0.75]).min(1) < 0.1).mean())


def _claim(title: str, quote: str, what: str, measure: Callable[[int], float], **limits: float) -> Claim:
    return Claim("Playground", title, quote, what, measure, **limits)


CLAIMS = (
    _claim(
        LINE,
        "the accuracy ends between 30% and 70%",
        "training accuracy at the end",
        last_line,
        low=0.3,
        high=0.7,
        seeds=10,
    ),
    _claim(LINE, "never exceeds 75% on a balanced set", "highest training accuracy", best_line, high=0.75),
    _claim(
        XOR,
        "the training accuracy ends at 97% or more",
        "training accuracy at the end",
        partial(neurons, 4),
        low=0.97,
        seeds=10,
    ),
    _claim(
        XOR,
        "With only two hidden neurons no initialization gets above 90%",
        "training accuracy at the end",
        partial(neurons, 2),
        high=0.9,
        seeds=10,
    ),
    _claim(
        SPIRALS,
        "the decision surface starts as three sectors",
        "class changes from the center outward, step 100",
        partial(class_changes, 100),
        high=0.6,
        seeds=10,
    ),
    _claim(
        SPIRALS,
        "begins to curl only in the next two hundred",
        "class changes from the center outward, step 300",
        partial(class_changes, 300),
        low=0.8,
    ),
    _claim(
        OVERFITTING,
        "The training loss keeps falling",
        "training loss at the end over that where the test loss is lowest",
        train_loss_ratio,
        high=0.1,
    ),
    _claim(
        OVERFITTING,
        "the test loss rises again to several times its minimum",
        "test loss at the end over its lowest",
        test_loss_rise,
        low=3,
    ),
    _claim(
        OVERFITTING,
        "the class boundary bends until every training point is on the right side",
        "training accuracy at the end",
        lambda seed: trained(JOBS[OVERFITTING], seed).last["train accuracy"],
        low=1,
    ),
    _claim(
        OVERFITTING,
        "Then try L2 0.01: the final test loss drops to less than a third.",
        "test loss at the end, with over without",
        penalty_ratio,
        high=1 / 3,
    ),
    _claim(
        CURVE,
        "in the end the curve has 15 to 30 kinks",
        "kinks",
        kink_count,
        low=15,
        high=30,
        seeds=10,
    ),
    _claim(
        CURVE,
        "They are spread over the whole input range: one third to two thirds of them lie in the 40% of it nearest to "
        "the curve's extrema.",
        "fraction within 0.1 of an extremum (uniform: 0.4)",
        fraction_near_extrema,
        low=0.33,
        high=0.67,
        seeds=10,
    ),
    _claim(
        DIGITS,
        "in the end all training digits are classified correctly",
        "training accuracy",
        lambda seed: trained(JOBS[DIGITS], seed, every=2000).last["train accuracy"],
        low=1,
    ),
    _claim(
        DIGITS,
        "96% or more of the test digits",
        "test accuracy",
        lambda seed: trained(JOBS[DIGITS], seed, every=2000).last["test accuracy"],
        low=0.96,
    ),
)

WITHOUT_CLAIM = {
    XOR: ("In the small maps each hidden neuron is one soft line, and the output layer adds them up.",),
    SPIRALS: ("Three interleaved arms need curved class boundaries.",),
    OVERFITTING: ("Forty noisy training points and far too many weights.",),
    CURVE: ("Switch to tanh for a smooth curve.",),
    DIGITS: (
        "Read the confusion matrix by rows, and look at the test digits with the highest loss: a person would get some "
        "of them wrong too.",
    ),
}
"""Sentences about settings, or what to do or to look at, which no measurement could contradict."""
