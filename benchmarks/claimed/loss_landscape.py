"""The examples of the page on the loss landscape."""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np

from benchmarks.claimed.claim import Claim
from nnviz.engine.landscape.landscape_evaluation import LandscapeEvaluation
from nnviz.presets.loss_landscape import EXAMPLES
from nnviz.spec import activations as a
from nnviz.spec.base import replace_many
from nnviz.spec.landscapes import Curvature, Landscape, Line, PathPlane, RandomPlane, View

JOBS = {preset.title: preset.jobs for preset in EXAMPLES}
PATH_EXAMPLE, EDGE, SKIP, NORM = "Training trajectory", "Edge of stability", "Skip connections", "Batch norm"
ADAM = "Edge of stability, Adam"
TWO, WIDE, BATCHES = "Two solutions", "Wide and narrow", "Large and small batches"

PATH = PathPlane(resolution=9)
PLANE = RandomPlane(resolution=33)
ENDS = Curvature(points=2, eigenvalues=1, probes=2)
CURVE, SIXTH = (ENDS.model_copy(update={"points": n}) for n in (41, 6))
"""Views as small as the claims allow."""
TANH = {"learner__model__activation": a.Tanh()}


def job(title: str, side: str, seed: int, view: View, **changes: Any) -> Landscape:
    """Variant A or B of an example, for another seed, with one view only."""
    own = JOBS[title]["AB".index(side)]
    changed = {f"network.{name.replace('__', '.')}": value for name, value in changes.items()}
    return replace_many(own.model_copy(update={"views": (view,)}), {"network.seed": seed, **changed})


@lru_cache(maxsize=128)
def last_arrays(chosen: Landscape) -> dict[str, dict[str, np.ndarray]]:
    """The last arrays of each name."""
    return {r.quantity: r.arrays for records in LandscapeEvaluation(chosen) for r in records}


def path(title: str, name: str, seed: int) -> float:
    """The sum of this array of the trajectory's variance view."""
    return float(np.sum(last_arrays(job(title, "A", seed, PATH))["path"][name]))


def sharpness(title: str, side: str, seed: int, view: View = ENDS, **changes: Any) -> np.ndarray:
    """The largest eigenvalue over training."""
    return last_arrays(job(title, side, seed, view, **changes))["curvature"]["eigenvalues"][:, 0]


def fall(title: str, side: str, seed: int) -> float:
    """How many times lower the training loss is at the end."""
    losses = last_arrays(job(title, side, seed, ENDS))["training"]["train_loss"]
    return float(losses[0] / losses[-1])


def accuracy(title: str, side: str, seed: int) -> float:
    """On test data at the end."""
    return float(last_arrays(job(title, side, seed, ENDS))["training"]["test_accuracy"][-1])


def plane(title: str, side: str, seed: int, **changes: Any) -> np.ndarray:
    """Training loss (33, 33) over a random plane, of the seed's own directions."""
    view = PLANE.model_copy(update={"seed": seed})
    return last_arrays(job(title, side, seed, view, **changes))["plane"]["train_loss"]


def count_local_minima(losses: np.ndarray) -> int:
    """The number of points of a plane with a lower loss than all eight neighbors."""
    n = len(losses) - 1
    around = [losses[1 + i : n + i, 1 + j : n + j] for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]
    return int((losses[1:-1, 1:-1] < np.min(around, axis=0)).sum())


def low_loss_fraction(losses: np.ndarray, above: float = 0.5) -> float:
    """Fraction of a plane where the loss is at most `above` higher than that of the network."""
    middle = losses[len(losses) // 2, len(losses) // 2]
    return float((losses < middle + above).mean())


def ruggedness(losses: np.ndarray) -> float:
    """Mean size of second differences over that of first differences: 0 for a plane, large where it is jagged."""
    bend = np.mean([np.abs(np.diff(losses, 2, axis=k)).mean() for k in (0, 1)])
    return float(bend / np.mean([np.abs(np.diff(losses, axis=k)).mean() for k in (0, 1)]))


def at_the_edge(seed: int) -> float:
    """Median of the last tenth of the curve over 2/η."""
    return float(np.median(sharpness(EDGE, "A", seed, CURVE)[-5:]) / 10)


def adaptive_ratio(seed: int) -> np.ndarray:
    """Largest eigenvalue of the preconditioned Hessian over its limit, at every step but the first."""
    curvature = last_arrays(job(ADAM, "A", seed, CURVE))["curvature"]
    return (curvature["preconditioned"] / curvature["preconditioned_limit"])[1:]


def between(seed: int) -> np.ndarray:
    """Training loss on the line from the solution to that from other initial weights, the ends included."""
    view = Line(margin=0.0, resolution=33, seed=seed + 1)
    return last_arrays(job(TWO, "A", seed, view))["line"]["train_loss"]


def barrier(seed: int) -> float:
    """Highest loss on the line over the higher of the ends'."""
    losses = between(seed)
    return float(losses.max() / max(losses[0], losses[-1]))


def _claim(title: str, quote: str, what: str, measure: Callable[[int], float], **limits: float) -> Claim:
    return Claim("Loss landscape", title, quote, what, measure, **limits)


CLAIMS = (
    _claim(
        PATH_EXAMPLE,
        "Two principal components explain 97% or more of the variance of the trajectory",
        "variance explained by the plane of the trajectory",
        partial(path, PATH_EXAMPLE, "explained"),
        low=0.97,
    ),
    _claim(
        PATH_EXAMPLE,
        "a random plane explains less than a fifth of it",
        "the same for random directions",
        partial(path, PATH_EXAMPLE, "random_explained"),
        high=0.2,
    ),
    _claim(
        PATH_EXAMPLE,
        "Only the last point lies in the plane: the band shows the residuals of the others.",
        "points of 61 within 10⁻⁶ of it",
        lambda seed: float((last_arrays(job(PATH_EXAMPLE, "A", seed, PATH))["path"]["residuals"] < 1e-6).sum()),
        low=1,
        high=1,
    ),
    _claim(
        EDGE,
        "The largest eigenvalue rises until it reaches the stability limit 2/η",
        "first over last eigenvalue",
        lambda seed: float(sharpness(EDGE, "A", seed, CURVE)[0] / sharpness(EDGE, "A", seed, CURVE)[-1]),
        high=0.8,
    ),
    _claim(
        EDGE,
        "for nine of ten seeds, hovers there",
        "median of the last eighth over 2/η",
        at_the_edge,
        low=0.95,
        high=1.05,
        seeds=10,
        min_fraction=0.9,
    ),
    _claim(
        EDGE,
        "Divide the learning rate by three: for nine of ten seeds the eigenvalue rises above this line.",
        "last eigenvalue over 2/η = 10",
        lambda seed: float(sharpness(EDGE, "A", seed, learner__optimizer__lr=0.2 / 3)[-1] / 10),
        low=1.02,
        seeds=10,
        min_fraction=0.9,
    ),
    _claim(
        EDGE,
        "Or use batch size 8: it never reaches the limit.",
        "largest eigenvalue over 2/η",
        lambda seed: float(sharpness(EDGE, "A", seed, SIXTH, learner__batch_size=8).max() / 10),
        high=0.95,
    ),
    _claim(
        ADAM,
        "The Hessian's own largest eigenvalue stays below 1% of the limit",
        "its highest over (2 + 2β₁)/((1 − β₁)η)",
        lambda seed: float(sharpness(ADAM, "A", seed, CURVE).max() / (38 / 0.003)),
        high=0.01,
    ),
    _claim(
        ADAM,
        "that of the preconditioned Hessian P⁻¹H rises from less than a tenth of the limit",
        "at step 38, over the limit",
        lambda seed: float(adaptive_ratio(seed)[0]),
        high=0.1,
    ),
    _claim(
        ADAM,
        "until it reaches it, and stays within 15% of it",
        "median of the last eighth over the limit",
        lambda seed: float(np.median(adaptive_ratio(seed)[-5:])),
        low=0.85,
        high=1.15,
    ),
    _claim(
        SKIP,
        "A's falls by less than a factor of 4",
        "first train loss over last",
        partial(fall, SKIP, "A"),
        high=4,
    ),
    _claim(
        SKIP,
        "B's by about a factor of 1,000",
        "first train loss over last",
        partial(fall, SKIP, "B"),
        low=500,
        high=2500,
    ),
    _claim(
        SKIP,
        "The surface around A has several local minima",
        "local minima of a random plane",
        lambda seed: count_local_minima(plane(SKIP, "A", seed)),
        low=3,
    ),
    _claim(
        SKIP,
        "at the end its curvature is near the stability limit, half to three times 2/η",
        "largest eigenvalue of A over 2/η = 40",
        lambda seed: float(sharpness(SKIP, "A", seed)[-1] / 40),
        low=0.5,
        high=3,
        seeds=10,
    ),
    _claim(
        SKIP,
        "B's is less than a sixth of that",
        "largest eigenvalue, B over A",
        lambda seed: float(sharpness(SKIP, "B", seed)[-1] / sharpness(SKIP, "A", seed)[-1]),
        high=1 / 6,
    ),
    _claim(
        NORM,
        "A has hardly left a plateau with almost no gradient",
        "first train loss over last",
        partial(fall, NORM, "A"),
        high=2,
    ),
    _claim(
        NORM,
        "B has reached a bowl",
        "first train loss over last",
        partial(fall, NORM, "B"),
        low=100,
    ),
    _claim(
        NORM,
        "Where the network trains without it anyway (try tanh), batch norm does not make this bowl any wider.",
        "fraction of a random plane at most 0.5 above the center, B over A",
        lambda seed: (
            low_loss_fraction(plane(NORM, "B", seed, **TANH)) / low_loss_fraction(plane(NORM, "A", seed, **TANH))
        ),
        high=1,
    ),
    _claim(
        TWO,
        "also reaches a low loss, at another point",
        "train loss at the other end (0.69: random guessing)",
        lambda seed: float(between(seed)[-1]),
        high=0.1,
    ),
    _claim(
        TWO,
        "On the straight line between the two lies a barrier",
        "highest loss on the line over the ends'",
        barrier,
        low=3,
    ),
    _claim(
        WIDE,
        "The wide network can be perturbed far before its loss rises",
        "fraction of a random plane at most 0.5 above the center, B over A",
        lambda seed: low_loss_fraction(plane(WIDE, "B", seed)) / low_loss_fraction(plane(WIDE, "A", seed)),
        low=2,
    ),
    _claim(
        WIDE,
        "the narrow one sits in a sharp minimum, with a largest eigenvalue at least five times as large",
        "largest eigenvalue, A over B",
        lambda seed: float(sharpness(WIDE, "A", seed)[-1] / sharpness(WIDE, "B", seed)[-1]),
        low=5,
    ),
    _claim(
        BATCHES,
        "A ends in a sharper minimum, with a largest eigenvalue several times B's",
        "largest eigenvalue, A over B",
        lambda seed: float(sharpness(BATCHES, "A", seed)[-1] / sharpness(BATCHES, "B", seed)[-1]),
        low=2,
    ),
    _claim(
        BATCHES,
        "their test accuracies differ by less than one or two percentage points",
        "B's minus A's",
        lambda seed: accuracy(BATCHES, "B", seed) - accuracy(BATCHES, "A", seed),
        low=-0.02,
        high=0.02,
    ),
)

WITHOUT_CLAIM = {
    PATH_EXAMPLE: ("Drag the time slider and follow the point down the valley.",),
    EDGE: ("Full-batch gradient descent.",),
    ADAM: (
        "Full-batch Adam divides each entry of the gradient by a running root mean square P.",
        "A third of the learning rate triples the limit.",
    ),
    SKIP: ("Twenty tanh layers without (A) and with skip connections (B).",),
    NORM: ("Four sigmoid layers without (A) and with batch norm (B).",),
    WIDE: ("Three hidden layers of 4 (A) and of 64 units (B), perturbed along random filter-normalized directions.",),
    BATCHES: ("The same number of steps with full batch (A) and batch size 8 (B).",),
}
"""Sentences about settings, or what to do or to look at, which no measurement could contradict."""
