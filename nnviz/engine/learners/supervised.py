"""Supervised learning on mini-batches."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn

from nnviz.engine import augmentation, data, losses, models
from nnviz.engine.attachments import ReadFile, no_files
from nnviz.engine.learners.learning import NO_CONTEXT
from nnviz.engine.optim import clipping, optimizers, schedules
from nnviz.engine.randomness import generator
from nnviz.engine.snapshots import supervised_snapshots
from nnviz.engine.snapshots.dropout_snapshots import DropoutSnapshots
from nnviz.engine.snapshots.memorization import Classified
from nnviz.engine.theory import signal_propagation
from nnviz.records import Metric, Record, Scalar, Snapshot
from nnviz.spec import learners as spec

EVALUATION_BATCH = 1024
"""Samples in one forward pass of an evaluation, which bounds the memory. Units are measured on the first such batch of
the training part, whose order is random and decided by the seed."""


class SupervisedLearning:
    """A network in training; see `Learning`. Batches and dropout masks depend on the seed and the step number alone, so
    that runs of different models see the same batches, and a run resumes from any step without a generator's state."""

    objectives = (("loss", "batch"),)
    is_brief = False
    full_every = 1

    def __init__(
        self,
        learner: spec.Supervised,
        seed: int,
        steps: int,
        device: torch.device,
        weights_seed: int | None = None,
        read_file: ReadFile = no_files,
    ) -> None:
        """`seed` decides everything, or with a `weights_seed` the data alone."""
        self.spec, self.steps, self.device = learner, steps, device
        self.seed = seed if weights_seed is None else weights_seed
        self.steps_per_epoch = learner.steps_per_epoch
        self.data = data.build(learner.data, seed, read_file)
        network = models.build(learner.model, learner.data.shape, learner.outputs, self.seed)
        self.network = network.to(device)
        self.modules: Mapping[str, nn.Module] = {"model": self.network}
        self.work = learner.work
        self.loss = losses.build(learner.loss, learner.data.classes, learner.outputs)
        self.parameters = list(self.network.parameters())
        self.weights = [p for p in self.parameters if p.dim() > 1]
        self.optimizer = optimizers.build(learner.optimizer, self.parameters)
        self.optimizers: Mapping[str, torch.optim.Optimizer] = {"model": self.optimizer}
        on_device = self.data.to(device)
        self.train = on_device.part(test=False)
        self.parts = {"train": self.train, "test": on_device.part(test=True)}
        self.augment = augmentation.build(learner.augmentation, self.data, self.seed)
        self.dropouts = models.dropouts.find(self.network)
        for dropout in self.dropouts:
            dropout.generator = torch.Generator(device=device)
        self.of_dropout = None
        if self.dropouts:
            self.of_dropout = DropoutSnapshots(learner, self.network, self.parts, self.data.inputs, self.seed)
            self.full_every = self.of_dropout.every
        self._train_outputs: Tensor | None = None
        self._epoch, self._order = -1, torch.empty(0)

    @property
    def metric(self) -> Metric:
        """Accuracy or R² on the test part, the loss where the test part is too small for that."""
        _, y = self.parts["test"]
        if len(y) == 0:
            return Metric("loss", "train", "train loss", higher_is_better=False)
        if self.spec.data.classes:
            return Metric("accuracy", "test", "test accuracy", higher_is_better=True, is_fraction=True)
        if r_squared(y, y) is not None:
            return Metric("r_squared", "test", "test R²", higher_is_better=True)
        return Metric("loss", "test", "test loss", higher_is_better=False)

    def begin(self) -> list[Record]:
        """The data, and the theory of the network at initialization or the reason why there is none."""
        x, y = (t.cpu() for t in self.batch(1))
        predicted = signal_propagation.at_initialization(self.spec, x, y, self.loss, self.seed)
        return [Snapshot(0, "data", self.data.arrays()), Snapshot(0, "theory", predicted, "model")]

    def batch(self, number: int) -> tuple[Tensor, Tensor]:
        """Inputs and targets of update `number` (1-based): each epoch visits the training part in a new order."""
        epoch, position = divmod(number - 1, self.steps_per_epoch)
        n = len(self.train[0])
        if epoch != self._epoch:
            self._epoch = epoch
            self._order = torch.randperm(n, generator=generator(self.seed, "batches", epoch)).to(self.device)
        size = min(self.spec.batch_size, n)
        index = self._order[position * size : (position + 1) * size]
        return self.train[0][index], self.train[1][index]

    def step(self, number: int) -> Mapping[tuple[str, str], Tensor]:
        """One update. The loss is that of the batch in training mode, without the penalties."""
        rate = self.learning_rate(number)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        measured = self._pass(number)
        self.optimizer.step()
        return measured

    def untrained_pass(self) -> Iterator[str]:
        """Step 1 without its update."""
        self._pass(1)
        yield "model"

    def _pass(self, number: int) -> dict[tuple[str, str], Tensor]:
        """Forward and backward pass of update `number`, clipping included; what `step` returns."""
        models.dropouts.reset(self.dropouts, self.seed, number)
        x, y = self.batch(number)
        if self.augment is not None:
            x = self.augment(x, number)
        self.network.train()
        self.optimizer.zero_grad()
        loss = self.loss(self.network(x), y)
        (loss + self._penalty() if self.spec.l1 or self.spec.l2 else loss).backward()
        measured = {("loss", "batch"): loss.detach()}
        norm = clipping.clip(self.spec.clipping, self.parameters)
        if norm is not None:
            measured["gradient_norm_unclipped", "model"] = norm
        return measured

    def learning_rate(self, number: int) -> float:
        """The rate that update `number` (1-based) uses."""
        return self.spec.optimizer.lr * schedules.factor(self.spec.schedule, number - 1, self.steps)

    def _penalty(self) -> Tensor:
        total = torch.zeros((), device=self.device)
        for weight in self.weights:
            if self.spec.l1:
                total = total + self.spec.l1 * weight.abs().sum()
            if self.spec.l2:
                total = total + self.spec.l2 / 2 * weight.square().sum()
        return total

    @torch.no_grad()
    def evaluate(self, step: int, context: AbstractContextManager[None] = NO_CONTEXT) -> Iterator[Record]:
        """Loss and accuracy or R² on all training and all test samples, both in evaluation mode; snapshots. Measures
        that need more samples than a part has are omitted."""
        self.network.eval()
        outputs = {"test": torch.empty(0)}
        for name, (x, y) in self.parts.items():
            if len(x) == 0:
                continue
            outputs[name] = self.outputs(x, context if name == "train" else NO_CONTEXT)
            yield Scalar(step, "loss", float(self.loss(outputs[name], y)), name)
            if self.spec.data.classes:
                yield Scalar(step, "accuracy", float(losses.accuracy(self.spec.loss, outputs[name], y)), name)
            elif (explained := r_squared(outputs[name][:, 0], y)) is not None:
                yield Scalar(step, "r_squared", explained, name)
        self._train_outputs = outputs.get("train")
        yield Scalar(step, "learning_rate", self.learning_rate(max(1, step)), "model")
        yield from supervised_snapshots.draw(
            step, self.spec, self.network, self.data, (*self.parts["test"], outputs["test"])
        )
        if self.of_dropout is not None:
            yield self.of_dropout.masks(step, len(self.batch(max(1, step))[0]))
            if not self.is_brief:
                yield from self.of_dropout.predictions(step)
        self.network.train()

    def classified(self) -> Classified | None:
        """The training samples as they were classified at the last evaluation; None for a regression."""
        if self._train_outputs is None or not self.spec.data.classes:
            return None
        true_classes = self.data.true_classes
        if true_classes is not None:
            true_classes = true_classes[~self.data.test]
        return Classified(losses.predicted(self.spec.loss, self._train_outputs), self.train[1], true_classes)

    def outputs(self, x: Tensor, context: AbstractContextManager[None] = NO_CONTEXT) -> Tensor:
        """The network's outputs for x (n, …), batch by batch; `context` is entered for the first batch."""
        with context:
            first = self.network(x[:EVALUATION_BATCH])
        return torch.cat(
            [first, *(self.network(part) for part in x[EVALUATION_BATCH:].split(EVALUATION_BATCH) if len(part))]
        )

    def state_dict(self) -> dict[str, Any]:
        """The network's and the optimizer's state."""
        return {"model": self.network.state_dict(), "optimizer": self.optimizer.state_dict()["state"]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Loads the weights and the optimizer's state; the learning rate and other settings stay the job's.

        The state of another kind of optimizer is dropped.
        """
        self.network.load_state_dict(state["model"])
        keys = optimizers.state_keys(self.spec.optimizer)
        loaded = state["optimizer"] if all(set(s) == keys for s in state["optimizer"].values()) else {}
        self.optimizer.load_state_dict({"state": loaded, "param_groups": self.optimizer.state_dict()["param_groups"]})


def r_squared(predicted: Tensor, targets: Tensor) -> float | None:
    """The fraction of the variance of targets (n,) that predictions (n,) explain; None where targets do not vary."""
    if len(targets) < 2 or bool((targets == targets[0]).all()):
        return None
    total = (targets - targets.mean()).square().sum()
    return float(1 - (predicted - targets).square().sum() / total)
