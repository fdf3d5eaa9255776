"""How many modes of a ring of eight Gaussians GANs cover, by objective and stabilizer.

    python -m benchmarks.gan_modes [--only WORD] [--seeds 5]

Prints a Markdown table as it goes: modes covered and the fraction of high-quality samples at the last step, for each
seed. All networks are the page's default: two hidden layers of 128 ReLU units each, Adam with β₁ = 0.5, β₂ = 0.999 and
learning rate 0.001, batches of 128, normal noise in two dimensions. All rows with five seeds take about half an hour of
one core. `--only` takes rows whose text contains WORD.
"""

import argparse
import datetime

import torch

from nnviz.engine import run
from nnviz.records import Scalar
from nnviz.spec.data.distributions import Ring
from nnviz.spec.gan_objectives import (
    HingeObjective,
    LeastSquares,
    Minimax,
    NonSaturating,
    WassersteinClipping,
    WassersteinPenalty,
)
from nnviz.spec.jobs import Training
from nnviz.spec.learners import Adversarial
from nnviz.spec.optimizers import Adam
from nnviz.spec.schedules import Cosine

SLOW = {"discriminator_optimizer": Adam(lr=1e-4, beta1=0.5, beta2=0.999)}
PENALTY = {
    "objective": WassersteinPenalty(weight=0.1),
    "generator_optimizer": Adam(lr=1e-3, beta1=0.5, beta2=0.9),
    "discriminator_optimizer": Adam(lr=1e-3, beta1=0.5, beta2=0.9),
}
NOISE = {"instance_noise": 0.2, "instance_noise_until": 3000}

ROWS: tuple[tuple[str, float, int, dict[str, object]], ...] = (
    ("non-saturating", 0.02, 5000, {"objective": NonSaturating()}),
    ("minimax", 0.02, 5000, {"objective": Minimax()}),
    ("least squares", 0.02, 5000, {"objective": LeastSquares()}),
    ("hinge", 0.02, 5000, {"objective": HingeObjective()}),
    ("Wasserstein, clipping 0.1", 0.02, 5000, {"objective": WassersteinClipping(limit=0.1)}),
    ("Wasserstein, penalty 0.1, β₂ 0.9", 0.02, 5000, PENALTY),
    ("the same, 5 discriminator updates", 0.02, 2000, PENALTY | {"discriminator_updates": 5}),
    ("non-saturating, instance noise 0.2 → 0 by step 3,000", 0.02, 5000, NOISE),
    ("non-saturating, cosine schedule", 0.02, 5000, {"schedule": Cosine()}),
    ("non-saturating, instance noise and cosine schedule", 0.02, 5000, NOISE | {"schedule": Cosine()}),
    ("discriminator's rate 0.0001", 0.1, 2000, SLOW),
    ("the same, spectral norm", 0.1, 2000, SLOW | {"spectral_norm": True}),
    ("the same, instance noise 0.2 → 0 by step 2,000", 0.1, 2000, SLOW | NOISE | {"instance_noise_until": 2000}),
    ("the same, unrolled 5 steps, inner rate 0.1", 0.1, 2000, SLOW | {"unrolled": 5}),
    ("the same, unrolled 5 steps, inner rate 0.0001", 0.1, 2000, SLOW | {"unrolled": 5, "unrolled_lr": 1e-4}),
)
"""What the row says, σ of the ring, steps, and what is not the default."""


def at_the_end(sigma: float, steps: int, chosen: dict[str, object], seed: int) -> tuple[int, float]:
    """Modes covered and the fraction of samples within 3σ of a center after the last step."""
    learner = Adversarial(data=Ring(sigma=sigma), **chosen)
    found = {}
    with run(
        Training(learner=learner, steps=steps, evaluate_every=steps, seed=seed, probes=(), device="cpu")
    ) as under_way:
        for records in under_way:
            found |= {r.quantity: r.value for r in records if isinstance(r, Scalar) and r.site == "generated"}
    return int(found["modes_covered"]), found["high_quality_fraction"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="rows whose text contains this")
    parser.add_argument("--seeds", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(1)
    print(f"Measured on {datetime.date.today()}.\n")
    print("| σ | setting | steps | modes covered, by seed | high-quality samples |\n|---|---|---|---|---|")
    for words, sigma, steps, chosen in ROWS:
        if args.only.lower() in words.lower():
            ends = [at_the_end(sigma, steps, chosen, seed) for seed in range(args.seeds)]
            modes, shares = zip(*ends, strict=True)
            covered = " ".join(map(str, modes))
            print(f"| {sigma:g} | {words} | {steps:,} | {covered} | {min(shares):.2f}–{max(shares):.2f} |", flush=True)


if __name__ == "__main__":
    main()
