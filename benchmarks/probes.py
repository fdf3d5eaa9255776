"""The cost of probes: a 64-256×6-10 network on digits, without and with probes, alternating in one run.

    python benchmarks/probes.py [--rounds 15] [--steps 200]

Bare is the same learner with no Watch at all. Each round times all three for the same updates; the ratios printed are
medians over the rounds of (watched / bare in that round).
"""

import argparse
import gc
import statistics
import time

import torch

from nnviz.engine import device, learners
from nnviz.engine.capture import Watch, probes
from nnviz.spec import probes as spec
from nnviz.spec.activations import ReLU
from nnviz.spec.data import Digits
from nnviz.spec.learners import Supervised
from nnviz.spec.models import DeepMLP

LEARNER = Supervised(data=Digits(), model=DeepMLP(depth=6, width=256, activation=ReLU()), batch_size=64)

WATCHED = {
    "bare": None,
    "everything every 10 steps": [
        spec.GradientNorms(every=10),
        spec.Updates(every=10),
        spec.Activations(every=10),
        spec.Signal(every=10),
        spec.Histograms(every=10),
    ],
    "gradient norms every step, the rest every 10": [
        spec.GradientNorms(every=1),
        spec.Updates(every=10),
        spec.Activations(every=10),
        spec.Signal(every=10),
        spec.Histograms(every=10),
    ],
}


def prepare(watched: list[spec.Probe] | None, device: str = "cpu") -> tuple[learners.Learning, Watch | None]:
    """A learner and, unless bare, the watch on it."""
    learning = learners.build(LEARNER, 0, 10**6, torch.device(device))
    if watched is None:
        return learning, None
    return learning, Watch(learning.modules, learning.optimizers, [probes.build(p) for p in watched]).__enter__()


def seconds(learning: learners.Learning, watch: Watch | None, first: int, steps: int) -> float:
    """Time of `steps` updates; samples are turned into records every 50 steps, as a run does at the latest."""
    started = time.perf_counter()
    for number in range(first + 1, first + steps + 1):
        if watch is None:
            learning.step(number)
            continue
        with watch.step(number):
            learning.step(number)
        if number % 50 == 0:
            watch.flush()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--steps", type=int, default=200)
    args = parser.parse_args()
    device.set_threads(0)
    cases = {name: prepare(watched) for name, watched in WATCHED.items()}
    gc.collect()
    gc.freeze()  # as a worker does
    times: dict[str, list[float]] = {name: [] for name in cases}
    for round_number in range(args.rounds + 1):
        names = list(cases)
        for name in names if round_number % 2 else reversed(names):
            taken = seconds(*cases[name], round_number * args.steps, args.steps)
            if round_number:  # the first warms up
                times[name].append(taken)
    print(
        f"bare: {statistics.median(times['bare']) / args.steps * 1e6:.0f} µs per step (median of {args.rounds} rounds)"
    )
    for name in cases:
        if name != "bare":
            ratios = sorted(a / b for a, b in zip(times[name], times["bare"], strict=True))
            print(f"{name}: {statistics.median(ratios):.3f}× bare (rounds {ratios[0]:.3f} to {ratios[-1]:.3f})")


if __name__ == "__main__":
    main()
