"""Many trainings as one ensemble, against the same trainings one after another in eager PyTorch.

    python benchmarks/ensembles.py [--members 64] [--rounds 7] [--steps 100]

Members have a seed and a learning rate of their own. An eager step is a mini-batch, a module, a loss, torch's
optimizer and `loss.item()`; an ensemble's step is that of its run, records included. Both alternate, and
the ratios printed are medians over the rounds of the time of a step of one training, by the wall clock and by the CPU
time of this process, which other processes do not lengthen.
"""

import argparse
import gc
import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch

from nnviz.engine import device, models, run
from nnviz.engine.ensembles.stacked_learning import StackedLearning
from nnviz.engine.losses import build as build_loss
from nnviz.engine.optim import optimizers
from nnviz.engine.randomness import generator
from nnviz.spec.data import Digits, Moons
from nnviz.spec.ensembles import Ensemble
from nnviz.spec.learners import Supervised
from nnviz.spec.losses import BinaryCrossEntropy
from nnviz.spec.models import MLP
from nnviz.spec.models.mlp import Hidden
from nnviz.spec.optimizers import SGD, Adam

SMALL = Supervised(data=Moons(), model=MLP(hidden=(Hidden(),) * 3), loss=BinaryCrossEntropy(), batch_size=10)
DIGITS = Supervised(data=Digits(), model=MLP(hidden=(Hidden(width=32),) * 2), batch_size=32)
CASES = {
    "2-8-8-8-1, batch 10, SGD with momentum": SMALL.model_copy(update={"optimizer": SGD(lr=0.1, momentum=0.9)}),
    "2-8-8-8-1, batch 10, Adam": SMALL.model_copy(update={"optimizer": Adam()}),
    "64-32-32-10 on digits, batch 32, SGD with momentum": DIGITS.model_copy(
        update={"optimizer": SGD(lr=0.05, momentum=0.9)}
    ),
    "64-32-32-10 on digits, batch 32, Adam": DIGITS.model_copy(update={"optimizer": Adam()}),
}


class Seconds(NamedTuple):
    """Of a step of one training."""

    wall: float
    cpu: float


def timed(work: Callable[[], object], steps: int) -> Seconds:
    """What so many steps of one training take, each."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Seconds((time.perf_counter() - wall) / steps, (time.process_time() - cpu) / steps)


def job(learner: Supervised, members: int, steps: int, device: str = "cpu") -> Ensemble:
    """Members with learning rates from half to twice the optimizer's; no evaluation but the first and the last."""
    rates = tuple(learner.optimizer.lr * 4 ** (i / max(1, members - 1) - 0.5) for i in range(members))
    return Ensemble(learner=learner, members=members, rates=rates, steps=steps, evaluate_every=1_000_000, device=device)


class Eager:
    """Some members as single trainings in eager PyTorch, on the ensemble's mini-batches."""

    def __init__(self, ensemble: Ensemble, learning: StackedLearning, members: Sequence[int]) -> None:
        learner, self.members = ensemble.learner, members
        self.size, self.losses = learner.batch_size, []
        self.steps_per_epoch = learner.steps_per_epoch
        self.loss = build_loss(learner.loss, learner.data.classes, learner.outputs)
        self.networks, self.optimizers, self.data = [], [], []
        x, y = learning.parts["train"]
        for member in members:
            network = models.build(learner.model, learner.data.shape, learner.outputs, ensemble.seeds[member])
            optimizer = learner.optimizer.model_copy(update={"lr": ensemble.rates[member]})
            self.networks.append(network.to(learning.device))
            self.optimizers.append(optimizers.build(optimizer, network.parameters()))
            self.data.append((x[member].T.contiguous(), y[member].contiguous(), ensemble.seeds[member]))

    def train(self, first: int, steps: int) -> None:
        """Each member, one after another."""
        for network, optimizer, (x, y, seed) in zip(self.networks, self.optimizers, self.data, strict=True):
            order = None
            for number in range(first, first + steps):
                epoch, position = divmod(number, self.steps_per_epoch)
                if order is None or position == 0:
                    order = torch.randperm(len(x), generator=generator(seed, "batches", epoch)).to(x.device)
                index = order[position * self.size : (position + 1) * self.size]
                optimizer.zero_grad()
                loss = self.loss(network(x[index]), y[index])
                loss.backward()
                optimizer.step()
                self.losses.append(loss.item())


def compare(learner: Supervised, members: int, rounds: int, steps: int, eager: int, device: str = "cpu") -> None:
    """Prints the times of a case; `eager` members are also trained alone."""
    ensemble = job(learner, members, (rounds + 1) * steps, device)
    running = run(ensemble)
    # A few members do for the eager time of a step, which is that of any other.
    alone = Eager(ensemble, running.learning, range(0, members, max(1, members // eager)))
    found: list[tuple[Seconds, Seconds]] = []
    for round_number in range(rounds + 1):
        done = round_number * steps
        work: dict[str, tuple[Callable[[], object], int]] = {
            "eager": (lambda done=done: alone.train(done, steps), len(alone.members) * steps),
            "ensemble": (lambda: [next(running) for _ in range(steps)], members * steps),
        }
        names = list(work) if round_number % 2 else list(reversed(work))
        taken = {name: timed(*work[name]) for name in names}
        if round_number:  # the first warms up
            found.append((taken["eager"], taken["ensemble"]))
    for clock, label in (("cpu", "CPU time"), ("wall", "wall clock")):
        single, together = (statistics.median(getattr(pair[i], clock) for pair in found) * 1e6 for i in (0, 1))
        ratios = sorted(getattr(one, clock) / max(1e-12, getattr(other, clock)) for one, other in found)
        print(
            f"  {label}: eager {single:.0f} µs, ensemble {together:.1f} µs a step of one training: "
            f"{statistics.median(ratios):.1f}× (rounds {ratios[0]:.1f} to {ratios[-1]:.1f})"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--eager", type=int, default=8, help="members that are also trained alone, in eager PyTorch")
    args = parser.parse_args()
    device.set_threads(0)
    gc.collect()
    gc.freeze()  # as a worker does
    for name, learner in CASES.items():
        print(f"{args.members} × {name}")
        compare(learner, args.members, args.rounds, args.steps, args.eager)


if __name__ == "__main__":
    main()
