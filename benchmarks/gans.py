"""What watching a GAN costs, how long a step takes, and what variants in lock-step cost.

    python benchmarks/gans.py [--rounds 7]

Prints three figures, all on one thread: the default networks with all probes and pictures against the bare learner
(medians over rounds that alternate); milliseconds a step with networks of one hidden layer of 14 units and batches of
150, as GAN Lab has them by default; four learners that take turns step by step against one alone.
"""

import argparse
import gc
import statistics
import time
from collections.abc import Callable

import torch

from nnviz.engine import learners, run
from nnviz.spec.activations import ReLU
from nnviz.spec.jobs import Training
from nnviz.spec.learners import Adversarial
from nnviz.spec.models import MLP, Hidden

EVALUATE_EVERY = 100
FOREVER = 1_000_000
SMALL = MLP(hidden=(Hidden(width=14, activation=ReLU()),))
GAN_LAB = Adversarial(generator=SMALL, discriminator=SMALL, batch_size=150)


def bare(learner: Adversarial, seed: int = 0) -> Callable[[], object]:
    """A function that does the learner's next step."""
    learning = learners.build(learner, seed, FOREVER, torch.device("cpu"))
    numbers = iter(range(1, FOREVER))
    return lambda: learning.step(next(numbers))


def watched(learner: Adversarial) -> Callable[[], object]:
    """The same with probes and pictures, as a run does it."""
    job = Training(learner=learner, steps=FOREVER, evaluate_every=EVALUATE_EVERY, device="cpu")
    under_way = run(job)
    return lambda: next(under_way)


def seconds(step: Callable[[], object], steps: int) -> float:
    """CPU time of so many steps: what else runs on the machine does not count."""
    begun = time.thread_time()
    for _ in range(steps):
        step()
    return time.thread_time() - begun


def _spread(times: list[float]) -> str:
    return f"{min(times) * 1e3:.2f} ms a step at best, {statistics.median(times) * 1e3:.2f} in the median"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    plain, seen, small = bare(Adversarial()), watched(Adversarial()), bare(GAN_LAB)
    variants = [bare(Adversarial(), seed) for seed in range(4)]
    gc.collect()
    gc.freeze()  # as a worker does
    for step in (plain, seen, small, *variants):
        seconds(step, EVALUATE_EVERY)  # the first ones warm up
    watching, together, alone, of_small = [], [], [], []
    for _ in range(rounds):
        one = seconds(plain, EVALUATE_EVERY)
        watching.append(seconds(seen, EVALUATE_EVERY) / one)
        alone.append(one / EVALUATE_EVERY)
        of_small.append(seconds(small, EVALUATE_EVERY) / EVALUATE_EVERY)
        four = seconds(lambda: [step() for step in variants], EVALUATE_EVERY)
        together.append(four / seconds(plain, EVALUATE_EVERY))
    low, high = min(watching), max(watching)
    print(f"default networks: {_spread(alone)}")
    print(f"with probes and pictures: {statistics.median(watching):.3f}× bare (rounds {low:.3f} to {high:.3f})")
    print(f"GAN Lab's networks: {_spread(of_small)}")
    print(f"four variants in lock-step: {statistics.median(together):.2f}× one")


if __name__ == "__main__":
    main()
