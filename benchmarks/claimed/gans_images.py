"""The examples of the page on GANs of images."""

from functools import lru_cache, partial

from benchmarks.claimed.claim import Claim
from benchmarks.claimed.gans import measured
from nnviz.presets.gans_images import EXAMPLES
from nnviz.spec.jobs import Training

DIGITS, LARGER, SHAPES, VARIANTS, UNLABELED = (preset.title for preset in EXAMPLES)
JOBS = {preset.title: preset.jobs for preset in EXAMPLES}
UNTIL = 300
"""Steps that most sentences are about; without a schedule the later ones make no difference to them."""


@lru_cache(maxsize=64)
def job(title: str, side: str, seed: int, steps: int) -> Training:
    """The job of an example, by the letter that it has on the page, with another seed and only so many steps."""
    chosen = JOBS[title]["ABCD".index(side)]
    return chosen.model_copy(update={"seed": seed, "steps": steps, "evaluate_every": steps, "probes": ()})


def value(title: str, side: str, quantity: str, seed: int, steps: int = UNTIL) -> float:
    """A quantity at a step."""
    return measured(job(title, side, seed, steps))[quantity, steps]


def relative_diversity(seed: int) -> float:
    """That of the generated images over that of the real ones."""
    found = measured(job(LARGER, "A", seed, UNTIL))
    return found["diversity", UNTIL] / found["diversity of real", 0]


def faster(seed: int) -> float:
    """By how much the fraction of confident images at the higher rate is larger."""
    of = partial(value, UNLABELED, quantity="confident_fraction", seed=seed)
    return of("B") - of("A")


_claim = partial(Claim, "GAN images")

CLAIMS = (
    _claim(
        DIGITS,
        "By step 300 a classifier that was trained on real digits assigns nine of ten images to the requested class",
        "fraction at step 300",
        partial(value, DIGITS, "A", "label_accuracy"),
        low=0.9,
    ),
    _claim(
        LARGER,
        "By step 300 nine of ten images are assigned to the requested class",
        "fraction at step 300",
        partial(value, LARGER, "A", "label_accuracy"),
        low=0.9,
    ),
    _claim(
        LARGER,
        "they vary less within a class than real ones",
        "diversity over that of real images at step 300",
        relative_diversity,
        high=0.95,
    ),
    _claim(
        SHAPES,
        "At step 600 fewer than nine of ten images are assigned to the requested class",
        "fraction at step 600",
        partial(value, SHAPES, "A", "label_accuracy", steps=600),
        high=0.9,
    ),
    _claim(
        VARIANTS,
        "At step 300 B covers at most two of ten classes",
        "classes covered at step 300",
        partial(value, VARIANTS, "B", "classes_covered"),
        high=2,
    ),
    _claim(
        VARIANTS,
        "the classifier is confident (p > 0.9) in less than a third of its images",
        "fraction of D with p > 0.9 at step 300",
        partial(value, VARIANTS, "D", "confident_fraction"),
        high=1 / 3,
    ),
    _claim(
        UNLABELED,
        "At step 300 the classifier is confident (p > 0.9) in more of B's images than of A's",
        "fraction with p > 0.9 at step 300, B − A",
        faster,
        low=0.005,
    ),
)

WITHOUT_CLAIM: dict[str, tuple[str, ...]] = {
    DIGITS: (
        "Each column is one class, each row one noise vector, the same at all steps.",
        "Drag the time slider back to see how the strokes take shape.",
    ),
    LARGER: ("The same digits, interpolated to 16 × 16 pixels, and a layer more in both networks.",),
    SHAPES: (
        "Triangles, parallelograms and ellipses of any place, size and color: images of a class have far less in "
        "common than digits.",
    ),
    VARIANTS: (
        "The same data, noise and seed: the networks as published (A), without batch norm (B), with interpolation and "
        "max pooling in place of strides (C), with initial weights ten times as large (D).",
    ),
    UNLABELED: (
        "Neither network is told the class: DCGAN with the published learning rate of 0.0002 (A), with 0.001 (B), and "
        "a pair of fully connected networks (C).",
        "Look for images between two digits: without labels nothing rules them out.",
    ),
}
"""Sentences that say what is set, and nothing that training could contradict."""
