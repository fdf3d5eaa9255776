"""What is measured at evaluations, on passes of its own."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from nnviz.engine import losses
from nnviz.engine.learners.supervised import SupervisedLearning
from nnviz.engine.normalization import gradient_line, mode_gaps, norm_values
from nnviz.engine.normalization.batch_statistics import BatchNorm, batch_norms
from nnviz.engine.snapshots.module_layers import is_activation
from nnviz.records import Record, Scalar, Snapshot, scalars
from nnviz.spec import probes as spec
from nnviz.spec.jobs import Training
from nnviz.spec.norms import CURVE_UNITS

MOST_SAMPLES = 256
"""Of the training part that a pass takes."""

ROOT = "model"


class Observer(Protocol):
    """Measures a learner at evaluations; the training has the same bits with and without it."""

    def after_step(self) -> None:
        """The learner has done a step."""

    def records(self, step: int, is_last: bool) -> Iterable[Record]:
        """What is measured at an evaluation, in evaluation mode; `is_last` where the run ends or pauses."""

    def state_dict(self) -> dict[str, Any]:
        """What later records depend on, besides the learner's state."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Loads a state, or {} of a run that was not observed."""


def build(job: Training, learning: object) -> dict[str, Observer]:
    """The observers of a job by kind; none of a learner that is not supervised."""
    if not isinstance(learning, SupervisedLearning):
        return {}
    found: dict[str, Observer] = {}
    for probe in job.probes:
        match probe:
            case spec.Norms(every=every):
                found[probe.kind] = NormObserver(learning, Schedule(job.evaluate_every, every))
            case spec.GradientLine(every=every):
                found[probe.kind] = LineObserver(learning, Schedule(job.evaluate_every, every))
    return found


class Schedule(NamedTuple):
    """At which evaluations something is measured."""

    evaluate_every: int
    every: int
    """Steps between two measurements, as far as evaluations come as often."""

    def is_due(self, step: int) -> bool:
        """Whether `every` more steps have been done since an evaluation before."""
        return step == 0 or step // self.every > (step - self.evaluate_every) // self.every

    def is_rare(self, step: int) -> bool:
        """At evaluations 64, 1024, …"""
        number = step // self.evaluate_every
        return number > 4 and number & (number - 1) == 0 and number.bit_length() % 4 == 3


class LineObserver:
    """See `gradient_line.along_gradient`; of the mini-batch of the next step."""

    def __init__(self, learning: SupervisedLearning, schedule: Schedule) -> None:
        self.learning, self.schedule = learning, schedule

    def after_step(self) -> None:
        """Nothing."""

    def records(self, step: int, is_last: bool) -> Iterator[Record]:
        """The snapshot gradient_line, and what a curve shows of it."""
        if not (is_last or self.schedule.is_due(step)):
            return
        learning = self.learning
        x, y = learning.batch(step + 1)
        rate = learning.learning_rate(step + 1)
        found = gradient_line.along_gradient(learning.network, learning.loss, x, y, rate)
        yield Snapshot(step, "gradient_line", found, ROOT)
        yield Scalar(step, "line_loss_low", float(found["loss"].min()), ROOT)
        yield Scalar(step, "line_loss_high", float(found["loss"].max()), ROOT)
        yield Scalar(step, "line_loss_range", float(np.ptp(found["loss"])), ROOT)
        yield Scalar(step, "line_gradient_change", float(found["gradient_change"].max()), ROOT)
        yield Scalar(step, "line_smoothness", float(found["smoothness"].max()), ROOT)

    def state_dict(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Nothing."""


class NormObserver:
    """Normalization layers: statistics at every evaluation, values where they are due, gaps between training and
    evaluation mode, which take longest, at a few evaluations."""

    def __init__(self, learning: SupervisedLearning, schedule: Schedule) -> None:
        self.learning, self.schedule = learning, schedule
        self.network = learning.network
        n = len(learning.train[0])
        self.size = min(learning.spec.batch_size, n)
        self.x, self.y = (t[:MOST_SAMPLES] for t in learning.train)
        self.replay = mode_gaps.AveragesReplay(self.network)
        self.activated = _activated(self.network)
        self.curves = {n: m for n, m in norm_values.shown(self.network).items() if isinstance(m, BatchNorm)}

    def after_step(self) -> None:
        """Follows the running averages."""
        self.replay.after_step()

    def records(self, step: int, is_last: bool) -> Iterator[Record]:
        """The snapshots norm_values and norm_units, curves of statistics, and rarely norm_batch_sizes, norm_momenta and
        norm_scaling."""
        yield from self._statistics(step)
        if is_last or self.schedule.is_due(step):
            values = norm_values.norm_values(self.network, self.x[: self.size])
            yield Snapshot(step, "norm_values", values, ROOT)
            yield Scalar(step, "mode_gap", _gap(values), ROOT)
            yield Snapshot(step, "norm_units", self._units(), ROOT)
        if is_last or self.schedule.is_rare(step):
            yield from self._costly(step)

    def _costly(self, step: int) -> Iterator[Record]:
        sizes = mode_gaps.over_batch_sizes(self.network, self.x, self._measured)
        sizes["single_sample"] = np.array(self._single_sample())
        yield Snapshot(step, "norm_batch_sizes", sizes, ROOT)
        momenta = self.replay.over_momenta(self.network, self.x, min(self.size, len(self.x)), self._measured)
        yield Snapshot(step, "norm_momenta", momenta or {"momenta": np.empty(0)}, ROOT)
        linear = [name for name, m in self.network.named_children() if isinstance(m, nn.Linear)]
        x, y = self.learning.batch(step + 1)
        scaling = gradient_line.under_scaling(self.network, self.learning.loss, x, y, linear[(len(linear) - 1) // 2])
        yield Snapshot(step, "norm_scaling", scaling, ROOT)

    @torch.no_grad()
    def _single_sample(self) -> float:
        """In evaluation mode the largest change of an output where each of three samples is a batch of its own."""
        few = self.x[:3]
        alone = torch.cat([self.network(one[None]) for one in few])
        return float((alone - self.network(few)).abs().max())

    def _measured(self, outputs: Tensor) -> tuple[float, float]:
        learning, y = self.learning, self.y[: len(outputs)]
        accuracy = losses.accuracy(learning.spec.loss, outputs, y) if learning.spec.data.classes else np.nan
        return float(learning.loss(outputs, y)), float(accuracy)

    def _statistics(self, step: int) -> Iterator[Record]:
        """Statistics of the last mini-batch and the running averages of the first units, at sites such as
        "model.norm2#5"; variances are unbiased, as the running ones are."""
        if not self.curves:
            return
        batch = self.replay.of_batch()
        found = {"running_mean": [n.running_mean for n in self.curves.values()]}
        found["running_var"] = [n.running_var for n in self.curves.values()]
        if batch:
            found["batch_mean"], found["batch_var"] = zip(*(batch[n] for n in self.curves.values()), strict=True)
        for quantity, tensors in found.items():
            cut = [t[:CURVE_UNITS] for t in tensors]
            sites = [f"{ROOT}.{n}#{u}" for n, t in zip(self.curves, cut, strict=True) for u in range(1, len(t) + 1)]
            yield from scalars([step] * len(sites), quantity, torch.cat(cut).tolist(), sites)

    def _units(self) -> dict[str, np.ndarray]:
        """For each unit of a batch norm with scale and shift before an activation: `site`, `unit` from 1, `gamma`,
        `beta`, `certificate` and `is_relu`, whether a certificate of at most 0 means that it is dead; `n`, the largest
        batch."""
        columns: dict[str, list[np.ndarray]] = {name: [] for name in ("site", "unit", "gamma", "beta", "certificate")}
        columns["is_relu"] = []
        for name, norm in batch_norms(self.network).items():
            if norm.weight is None or name not in self.activated:
                continue
            parts = norm_values.dead_certificate(norm, self.size)
            count = norm.num_features
            columns["site"].append(np.full(count, f"{ROOT}.{name}"))
            columns["unit"].append(np.arange(1, count + 1))
            columns["is_relu"].append(np.full(count, self.activated[name]))
            for key, part in zip(("gamma", "beta", "certificate"), parts, strict=True):
                columns[key].append(part.cpu().numpy())
        joined = {name: np.concatenate(parts) for name, parts in columns.items() if parts}
        return joined | {"n": np.array(self.size)}

    def state_dict(self) -> dict[str, Any]:
        """Of the replayed averages."""
        return self.replay.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Of the replayed averages."""
        self.replay.load_state_dict(state)


def _activated(network: nn.Module) -> dict[str, bool]:
    """Names of norms that are followed by an activation, and whether that is ReLU."""
    children = list(network.named_children())
    return {
        name: isinstance(after, nn.ReLU)
        for (name, _), (_, after) in pairwise(children)
        if name.startswith("norm") and is_activation(after)
    }


def _gap(values: Mapping[str, np.ndarray]) -> float:
    trained, evaluated = (torch.from_numpy(values[name]) for name in ("train_outputs", "eval_outputs"))
    return mode_gaps.relative_gap(trained, evaluated)
