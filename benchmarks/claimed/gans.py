"""The examples of the page on GANs."""

from functools import lru_cache, partial

from benchmarks.claimed.claim import Claim
from nnviz.engine import run
from nnviz.presets.gans import EXAMPLES
from nnviz.records import Scalar
from nnviz.spec.jobs import Parent, Training
from nnviz.spec.optimizers import Adam
from nnviz.spec.probes import GradientNorms

COLLAPSE, HEALTHY, RATES, NOISE, OBJECTIVES, STRONG = (preset.title for preset in EXAMPLES)
JOBS = {preset.title: preset.jobs for preset in EXAMPLES}


def job(title: str, side: str, seed: int) -> Training:
    """The job of an example, by the letter that it has on the page, with another seed."""
    return JOBS[title]["ABCD".index(side)].model_copy(update={"seed": seed, "probes": ()})


@lru_cache(maxsize=64)
def measured(chosen: Training) -> dict[tuple[str, int], float]:
    """What is measured of the generated samples, by quantity and step; of real samples the discriminator's output."""
    with run(chosen) as running:
        return recorded(running)


def recorded(running: object, also: str = "") -> dict[tuple[str, int], float]:
    """The same of a run under way, and what is measured at the site `also`."""
    found = {}
    for records in running:
        for r in records:
            if isinstance(r, Scalar) and r.site in ("generated", "real", also):
                found[f"{r.quantity} of real" if r.site == "real" else r.quantity, r.step] = r.value
    return found


def value(title: str, side: str, quantity: str, step: int, seed: int) -> float:
    """A quantity at a step."""
    return measured(job(title, side, seed))[quantity, step]


@lru_cache(maxsize=8)
def repaired(seed: int) -> dict[tuple[str, int], float]:
    """What is measured after the collapsed run has been continued with the discriminator's rate at 0.001."""
    before = job(COLLAPSE, "A", seed)
    with run(before) as running:
        recorded(running)
        saved = running.checkpoint()
    learner = before.learner.model_copy(update={"discriminator_optimizer": Adam(lr=1e-3, beta1=0.5, beta2=0.999)})
    after = before.model_copy(
        update={"learner": learner, "steps": 3000, "parent": Parent(run="before", step=before.steps)}
    )
    with run(after, saved) as running:
        return recorded(running)


@lru_cache(maxsize=32)
def strong(side: str, seed: int) -> dict[tuple[str, int], float]:
    """What is measured against the strong discriminator; also the generator's gradient norm."""
    chosen = job(STRONG, side, seed).model_copy(update={"probes": (GradientNorms(every=20),)})
    with run(chosen) as running:
        return recorded(running, also="generator")


def spread(seed: int) -> float:
    """Largest minus smallest divergence of minimax from the data at step 500 over four seeds."""
    ends = [strong("A", s)["jensen_shannon", 500] for s in range(seed, seed + 4)]
    return max(ends) - min(ends)


def modes(title: str, side: str, step: int) -> partial:
    """How many of the modes are covered at a step."""
    return partial(value, title, side, "modes_covered", step)


_claim = partial(Claim, "GANs")

CLAIMS = (
    _claim(
        COLLAPSE,
        "at the end at most one of eight modes is covered",
        "modes covered at step 2,000",
        modes(COLLAPSE, "A", 2000),
        high=1,
    ),
    _claim(
        COLLAPSE,
        "within 500 steps at least seven modes are covered",
        "modes covered at step 2,500",
        lambda seed: repaired(seed)["modes_covered", 2500],
        low=7,
    ),
    _claim(HEALTHY, "all eight modes are covered by step 500", "modes at step 500", modes(HEALTHY, "A", 500), low=8),
    _claim(
        HEALTHY,
        "by step 2,000 three quarters or more of the samples are within 3σ of a center",
        "fraction of samples at step 2,000",
        partial(value, HEALTHY, "A", "high_quality_fraction", 2000),
        low=0.75,
    ),
    _claim(
        HEALTHY,
        "its mean output for real samples is between 0.4 and 0.65",
        "mean output at step 2,000",
        partial(value, HEALTHY, "A", "discriminator_output of real", 2000),
        low=0.4,
        high=0.65,
    ),
    _claim(RATES, "A covers at most one mode in the end", "modes at step 2,000", modes(RATES, "A", 2000), high=1),
    _claim(
        RATES,
        "C and D all eight",
        "the smaller number of modes of both at step 2,000",
        lambda seed: min(value(RATES, side, "modes_covered", 2000, seed) for side in "CD"),
        low=8,
    ),
    _claim(
        OBJECTIVES,
        "At step 1,000 A and C cover all eight modes",
        "the smaller number of modes of A and C at step 1,000",
        lambda seed: min(value(OBJECTIVES, side, "modes_covered", 1000, seed) for side in "AC"),
        low=8,
    ),
    _claim(OBJECTIVES, "B at least seven", "modes at step 1,000", modes(OBJECTIVES, "B", 1000), low=7),
    _claim(
        OBJECTIVES,
        "at step 1,000 it covers at most three",
        "modes of D at step 1,000",
        modes(OBJECTIVES, "D", 1000),
        high=3,
    ),
    _claim(
        NOISE,
        "at least seven of eight modes are covered in the end",
        "modes of B at step 5,000",
        modes(NOISE, "B", 5000),
        low=7,
    ),
    _claim(
        STRONG,
        "At step 20 the generator's gradient norm is less than a thousandth with minimax (A) of that with the "
        "non-saturating objective (B)",
        "A's gradient norm over B's",
        lambda seed: strong("A", seed)["gradient_norm_total", 20] / strong("B", seed)["gradient_norm_total", 20],
        high=1e-3,
    ),
    _claim(
        STRONG,
        "At step 500 B covers one to three modes",
        "modes of B at step 500",
        lambda seed: strong("B", seed)["modes_covered", 500],
        low=1,
        high=3,
    ),
    _claim(
        STRONG,
        "A is still far from all of them",
        "Jensen–Shannon divergence of A at step 500 for the seed that is shown (1: disjoint)",
        lambda seed: strong("A", seed)["jensen_shannon", 500],
        low=0.99,
        seeds=1,
    ),
    _claim(
        STRONG,
        "whether it ever gets away from its start depends on the seed",
        "largest minus smallest of that over four seeds",
        spread,
        low=0.2,
    ),
)

WITHOUT_CLAIM: dict[str, tuple[str, ...]] = {
    RATES: (
        "The same networks, samples and noise; only the discriminator's learning rate differs: a tenth of the "
        "generator's (A), three tenths (B), equal (C), three times as large (D).",
    ),
    OBJECTIVES: (
        "The same ring, networks, samples and noise under four objectives: non-saturating (A), least squares (B), "
        "hinge (C), Wasserstein with gradient penalty (D).",
    ),
    STRONG: ("The discriminator makes ten updates for each of the generator's, at thirty times its learning rate.",),
    NOISE: ("A tight ring, σ = 0.02, both learning rates falling to 0 by a cosine schedule.",),
}
"""Sentences that say what is set, and nothing that training could contradict."""
