"""The cost of measuring normalization layers: a 64-256×6-10 network with batch norm on digits, as the page trains it.

    python -m benchmarks.norms [--rounds 5] [--steps 1000]

Each round trains the same job without and with the probes `norms` and `gradient_line`, besides those of the page; the
ratios printed are medians over the rounds.
"""

import argparse
import statistics
import time

from nnviz.engine import run
from nnviz.presets.normalization import DEFAULT, PROBES
from nnviz.spec.base import replace_many
from nnviz.spec.jobs import Training

CASES = {"without": PROBES[:-2], "norms": PROBES[:-1], "norms and gradient line": PROBES}


def seconds(job: Training) -> float:
    """The time on the processor of a training."""
    with run(job) as running:
        running.evaluate_now()
        started = time.process_time()
        for _ in running:
            pass
        return time.process_time() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=1000)
    args = parser.parse_args()
    job = replace_many(DEFAULT, {"learner.model.depth": 6, "learner.model.width": 256, "steps": args.steps})
    times: dict[str, list[float]] = {name: [] for name in CASES}
    for round_number in range(args.rounds):
        for name in list(CASES)[:: 1 if round_number % 2 else -1]:
            times[name].append(seconds(job.model_copy(update={"probes": CASES[name]})))
    print(f"without: {statistics.median(times['without']) / args.steps * 1e6:.0f} µs per step")
    for name in list(CASES)[1:]:
        ratios = sorted(a / b for a, b in zip(times[name], times["without"], strict=True))
        print(f"{name}: {statistics.median(ratios):.3f}× (rounds {ratios[0]:.3f} to {ratios[-1]:.3f})")


if __name__ == "__main__":
    main()
