"""Trains the networks of examples with other seeds."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from nnviz.engine import learners, run
from nnviz.engine.capture.probes import UnitStatistics
from nnviz.engine.learners.supervised import SupervisedLearning
from nnviz.records import Scalar
from nnviz.spec.jobs import Training


@dataclass(frozen=True)
class Trained:
    """A network after its training, or when its loss was no longer finite."""

    learning: SupervisedLearning
    batch_losses: tuple[float, ...]
    """One per step; the last may not be finite."""
    evaluated: dict[int, dict[str, float]]
    """By step: the results of `evaluate`, such as "test loss"."""

    @property
    def last(self) -> dict[str, float]:
        """The last evaluation."""
        return self.evaluated[max(self.evaluated)]

    def over_steps(self, name: str) -> np.ndarray:
        """One measure at every evaluation."""
        return np.array([values[name] for values in self.evaluated.values()])


@lru_cache(maxsize=256)
def trained(job: Training, seed: int, steps: int = 0, every: int = 50) -> Trained:
    """The job's network for another seed after `steps` steps (0: all), evaluated every `every` steps."""
    learning = start(job, seed)
    steps = steps or job.steps
    found, losses = {0: evaluate(learning)}, []
    for number in range(1, steps + 1):
        losses.append(float(learning.step(number)["loss", "batch"]))
        if not math.isfinite(losses[-1]):
            break
        if number % every == 0 or number == steps:
            found[number] = evaluate(learning)
    return Trained(learning, tuple(losses), found)


def start(job: Training, seed: int) -> SupervisedLearning:
    """The same network before training."""
    return learners.build(job.learner, seed, job.steps, torch.device("cpu"))


@torch.no_grad()
def evaluate(learning: SupervisedLearning) -> dict[str, float]:
    """On both parts, in evaluation mode: loss, accuracy, and the fraction of samples in the most frequent predicted
    class."""
    found = {}
    network = learning.network.eval()
    for part, (x, y) in learning.parts.items():
        outputs = network(x)
        found[f"{part} loss"] = float(learning.loss(outputs, y))
        if learning.spec.data.classes:
            classes = outputs.argmax(1)
            found[f"{part} accuracy"] = float((classes == y).float().mean())
            found[f"{part} commonest"] = float(classes.bincount().max()) / len(y)
    network.train()
    return found


@torch.no_grad()
def unit_statistics(learning: SupervisedLearning) -> dict[str, np.ndarray]:
    """Statistics of the units as an evaluation records them, over the hidden layers; see `UnitStatistics`."""
    units = UnitStatistics({m: name for name, m in learning.network.named_children() if name.startswith("activation")})
    with units:
        learning.network.eval()(learning.train[0][:1024])
    learning.network.train()
    found: dict[str, list[float]] = {}
    for record in units.records(0):
        found.setdefault(record.quantity, []).append(record.value)
    return {quantity: np.array(values) for quantity, values in found.items()}


@lru_cache(maxsize=64)
def untrained(job: Training, seed: int) -> dict[str, np.ndarray]:
    """Values of the probes at step 0, over the hidden layers: activation_rms, signal_rms, gradient_norm."""
    with run(job.model_copy(update={"seed": seed})) as running:
        records = [r for r in running.evaluate_now() if isinstance(r, Scalar)]
    layers = range(1, len(job.learner.model.hidden) + 1)
    values = {(r.quantity, r.site): r.value for r in records}
    statistics = [[values[f"activation_{part}", f"model.activation{i}"] for part in ("mean", "std")] for i in layers]
    return {
        "activation_rms": np.array([math.hypot(*pair) for pair in statistics]),
        "signal_rms": np.array([values["signal_rms", f"model.linear{i}"] for i in layers]),
        "gradient_norm": np.array([values["gradient_norm", f"model.linear{i}.weight"] for i in layers]),
    }


def factor(values: np.ndarray) -> float:
    """The factor per layer, from the first to the last, as a geometric mean."""
    return float((values[-1] / values[0]) ** (1 / (len(values) - 1)))
