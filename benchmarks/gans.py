"""What watching a GAN costs, how long a step takes, and what variants in lock-step cost.

    python benchmarks/gans.py [--rounds 7]

Prints, all on one thread: the default job of the page, with its probes and pictures, against the bare learner, and
the same with all probes at every tenth step (medians over rounds that alternate); milliseconds a step with networks of
one hidden layer of 14 units and batches of 150, as GAN Lab has them by default; four learners that take turns step by
step against one alone.
"""

import argparse
import gc
import statistics
import time
from collections.abc import Callable, Sequence

import torch

from nnviz.engine import learners, run
from nnviz.presets import gans
from nnviz.spec.activations import ReLU
from nnviz.spec.jobs import Training
from nnviz.spec.learners import Adversarial
from nnviz.spec.models import MLP, Hidden
from nnviz.spec.probes import Probe

STEPS = 200
"""In a round: the pictures of two evaluations, of which one has the costly ones."""

FOREVER = 1_000_000
SMALL = MLP(hidden=(Hidden(width=14, activation=ReLU()),))
GAN_LAB = Adversarial(generator=SMALL, discriminator=SMALL, batch_size=150)


def bare(learner: Adversarial, seed: int = 0) -> Callable[[], object]:
    """A function that does the learner's next step."""
    learning = learners.build(learner, seed, FOREVER, torch.device("cpu"))
    numbers = iter(range(1, FOREVER))
    return lambda: learning.step(next(numbers))


def watched(probes: Sequence[Probe]) -> Callable[[], object]:
    """The page's default job with these probes, as a run does it."""
    changes = {"steps": FOREVER, "device": "cpu", "probes": tuple(probes)}
    under_way = run(gans.DEFAULT.model_copy(update=changes))
    return lambda: next(under_way)


def seconds(step: Callable[[], object], steps: int) -> float:
    """CPU time of so many steps: what else runs on the machine does not count."""
    started = time.thread_time()
    for _ in range(steps):
        step()
    return time.thread_time() - started


def _spread(times: list[float]) -> str:
    return f"{min(times) * 1e3:.2f} ms a step at best, {statistics.median(times) * 1e3:.2f} in the median"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    plain, small = bare(Adversarial()), bare(GAN_LAB)
    seen = {"as on the page": watched(gans.DEFAULT.probes), "all probes every 10 steps": watched(Training().probes)}
    variants = [bare(Adversarial(), seed) for seed in range(4)]
    gc.collect()
    gc.freeze()  # as a worker does
    for step in (plain, *seen.values(), small, *variants):
        seconds(step, STEPS)  # the first ones warm up
    together, alone, of_small = [], [], []
    watching: dict[str, list[float]] = {words: [] for words in seen}
    for _ in range(rounds):
        one = seconds(plain, STEPS)
        for words, step in seen.items():
            watching[words].append(seconds(step, STEPS) / one)
        alone.append(one / STEPS)
        of_small.append(seconds(small, STEPS) / STEPS)
        four = seconds(lambda: [step() for step in variants], STEPS)
        together.append(four / seconds(plain, STEPS))
    print(f"default networks: {_spread(alone)}")
    for words, ratios in watching.items():
        median, low, high = statistics.median(ratios), min(ratios), max(ratios)
        print(f"with probes and pictures, {words}: {median:.3f}× bare (rounds {low:.3f} to {high:.3f})")
    print(f"GAN Lab's networks: {_spread(of_small)}")
    print(f"four variants in lock-step: {statistics.median(together):.2f}× one")


if __name__ == "__main__":
    main()
