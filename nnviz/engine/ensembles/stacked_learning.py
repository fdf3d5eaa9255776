"""Supervised learning of many members at once: see `SupervisedLearning` for a single one."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from nnviz.engine import augmentation, data, losses, models
from nnviz.engine.attachments import ReadFile, no_files
from nnviz.engine.ensembles.stacked_mlp import StackedMLP
from nnviz.engine.ensembles.stacked_optimizers import StackedOptimizer
from nnviz.engine.models import dropouts
from nnviz.engine.optim import schedules
from nnviz.engine.randomness import generator
from nnviz.records import Metric, Scalar
from nnviz.spec import clipping
from nnviz.spec.ensembles import Ensemble
from nnviz.spec.losses import MAE, MSE, RMSE, BinaryCrossEntropy, CrossEntropy, Huber, Loss
from nnviz.spec.shapes import numbers

EVALUATED_ENTRIES = 2**21
"""Entries of the widest layer in one forward pass of an evaluation, which bounds the memory."""


class StackedLearning:
    """The members of an ensemble in training.

    In exact arithmetic each is the single training with its seed: data, split, initial weights, mini-batches and
    dropout masks are the same to the bit. Sums are rounded in another order. After 50 steps of sixteen 2-8-8-8-1 on
    moons, weights, losses and metrics differ from those of single trainings by at most 1e-14 in float64, and in float32
    by at most 4e-6 (RMSprop; 4e-7 with every other optimizer). Over long trainings rounding errors grow, more so with
    optimizers that divide by a root of squared gradients.
    """

    def __init__(
        self, job: Ensemble, device: torch.device, read_file: ReadFile = no_files, dtype: torch.dtype = torch.float32
    ) -> None:
        self.job, self.spec, self.device, self.dtype = job, job.learner, device, dtype
        shape, outputs = self.spec.data.shape, self.spec.outputs
        networks = [models.build(self.spec.model, shape, outputs, seed) for seed in job.seeds]
        self.network = StackedMLP(networks, device, dtype)
        for dropout in self.network.dropouts:
            dropout.train()
            dropout.generator = torch.Generator(device=device)
        self.optimizer = StackedOptimizer(self.spec.optimizer, self.network.parameters)
        sets = [data.build(self.spec.data, seed, read_file) for seed in job.seeds]
        self.parts = {name: self._stacked([s.part(test=name == "test") for s in sets]) for name in ("train", "test")}
        """Inputs (members, inputs, samples) and targets (members, samples)."""
        of_members = zip(sets, job.seeds, strict=True)
        augments = (augmentation.build(self.spec.augmentation, found, seed) for found, seed in of_members)
        self.augments = [augment for augment in augments if augment is not None]
        self.varies = {name: _varies(y) for name, (_, y) in self.parts.items()}
        self._epoch, self._in_order = -1, self.parts["train"]
        self._factor, self._rates = 0.0, torch.empty(0)

    def _stacked(self, parts: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
        x = torch.stack([x.flatten(1).T for x, _ in parts]).to(self.device, self.dtype)
        y = torch.stack([y for _, y in parts]).to(self.device)
        return x.contiguous(), y.to(self.dtype) if y.is_floating_point() else y

    @property
    def metric(self) -> Metric:
        """The best member's accuracy or R² on the test part; the loss where the test part is too small for that."""
        if self.parts["test"][1].shape[1] == 0:
            return Metric("loss", "train", "lowest train loss", higher_is_better=False)
        if self.spec.data.classes:
            return Metric("accuracy", "test", "highest test accuracy", higher_is_better=True, is_fraction=True)
        if bool(self.varies["test"].all()):
            return Metric("r_squared", "test", "highest test R²", higher_is_better=True)
        return Metric("loss", "test", "lowest test loss", higher_is_better=False)

    def batch(self, number: int) -> tuple[Tensor, Tensor]:
        """Inputs (members, inputs, batch) of update `number` (1-based), and what outputs are compared with."""
        epoch, position = divmod(number - 1, self.spec.steps_per_epoch)
        x, y = self.parts["train"]
        n = y.shape[1]
        if epoch != self._epoch:
            orders = [torch.randperm(n, generator=generator(seed, "batches", epoch)) for seed in self.job.seeds]
            order = torch.stack(orders).to(self.device)
            self._epoch, self._in_order = (
                epoch,
                (
                    x.gather(2, order[:, None].expand_as(x)),
                    self._compared(y.gather(1, order)),
                ),
            )
        size = min(self.spec.batch_size, n)
        part = slice(position * size, (position + 1) * size)
        return self._in_order[0][..., part], self._in_order[1][..., part]

    def _compared(self, targets: Tensor) -> Tensor:
        """What outputs are compared with: targets (members, samples) as classes under cross-entropy, else as numbers
        (members, outputs, samples)."""
        if isinstance(self.spec.loss, CrossEntropy):
            return targets
        units = self.spec.outputs
        compared = losses.as_regression_targets(targets.flatten(), self.spec.data.classes, units, self.dtype)
        return compared.view(*targets.shape, units).transpose(1, 2).contiguous()

    def masks(self, number: int, samples: int) -> list[Tensor]:
        """What each dropout layer multiplies by in update `number`, (members, units, samples) each."""
        modules, found = self.network.dropouts, []
        for seed in self.job.seeds if modules else ():
            dropouts.reset(modules, seed, number)
            ones = (torch.ones(samples, units, device=self.device, dtype=self.dtype) for units in self._dropped_units)
            found.append([module(x).T for module, x in zip(modules, ones, strict=True)])
        return [torch.stack(own) for own in zip(*found, strict=True)]

    @property
    def _dropped_units(self) -> list[int]:
        """Units that go into each dropout layer."""
        model = self.spec.model
        inputs = [numbers(self.spec.data.shape)] if model.dropout.input_rate else []
        return inputs + [layer.width for layer in model.hidden if model.dropout.rate]

    def step(self, number: int) -> Tensor:
        """One update of all members; the loss of each on its batch, in training mode and without the penalties,
        (members,)."""
        x, y = self.batch(number)
        if self.augments:
            x = self._augmented(x, number)
        found = per_member(self.spec.loss, self.network(x, self.masks(number, x.shape[-1])), y)
        gradient = self._clipped(self._with_penalties(self.network.gradient(found)))
        self.optimizer.step(gradient, self.rates(number), number)
        return found.detach()

    def _augmented(self, x: Tensor, number: int) -> Tensor:
        """Inputs (members, inputs, batch), those of each member changed as in its single training."""
        batches = (one.T.reshape(-1, *self.spec.data.shape) for one in x)
        changed = [augment(batch, number) for augment, batch in zip(self.augments, batches, strict=True)]
        return torch.stack([batch.flatten(1).T for batch in changed])

    def rates(self, number: int) -> Tensor:
        """Learning rates of update `number` (1-based), (members, 1)."""
        factor = schedules.factor(self.spec.schedule, number - 1, self.job.steps)
        if factor != self._factor or not len(self._rates):
            rates = torch.tensor([rate * factor for rate in self.job.learning_rates], dtype=self.dtype)
            self._factor, self._rates = factor, rates[:, None].to(self.device)
        return self._rates

    def _with_penalties(self, gradient: Tensor) -> Tensor:
        weights, is_weight = self.network.parameters, self.network.is_weight
        if self.spec.l1:
            gradient = gradient + self.spec.l1 * is_weight * weights.sign()
        if self.spec.l2:
            gradient = gradient + self.spec.l2 * is_weight * weights
        return gradient

    def _clipped(self, gradient: Tensor) -> Tensor:
        """Each member's gradient clipped by itself."""
        match self.spec.clipping:
            case clipping.NoClipping():
                return gradient
            case clipping.ClipNorm(max_norm=max_norm):
                precise = gradient if self.device.type == "mps" else gradient.double()  # no overflow of squares
                factor = (max_norm / precise.norm(dim=1, keepdim=True)).clamp(max=1)
                return gradient * factor.to(gradient.dtype)
            case clipping.ClipValue(limit=limit):
                return gradient.clamp(-limit, limit)
        raise TypeError(f"no clipping for {self.spec.clipping!r}")

    @torch.no_grad()
    def evaluate(self, step: int, members: Sequence[int]) -> Iterator[Scalar]:
        """Loss and accuracy or R² of these members on all training and all test samples, in evaluation mode."""
        for name, (x, y) in self.parts.items():
            if y.shape[1] == 0:
                continue
            outputs = self.outputs(x)
            measured = {"loss": per_member(self.spec.loss, outputs, self._compared(y))}
            if self.spec.data.classes:
                flat = outputs.transpose(1, 2).flatten(0, 1)
                right = losses.predicted(self.spec.loss, flat).view_as(y) == y
                measured["accuracy"] = right.to(self.dtype).mean(1)
            else:
                residual, total = (outputs[:, 0] - y).square().sum(1), (y - y.mean(1, keepdim=True)).square().sum(1)
                measured["r_squared"] = 1 - residual / total
            for quantity, values in measured.items():
                found, varies = values.tolist(), self.varies[name]
                for member in members:
                    if quantity != "r_squared" or varies[member]:
                        yield Scalar(step, quantity, found[member], name, member)

    def outputs(self, x: Tensor) -> Tensor:
        """Outputs (members, outputs, samples) for x (members, inputs, samples) in evaluation mode, part by part."""
        at_once = max(1, EVALUATED_ENTRIES // (self.network.members * self.network.width))
        return torch.cat([self.network(part) for part in x.split(at_once, 2)], 2)

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next step depends on, except the job and the step number."""
        return {
            "parameters": self.network.parameters,
            "buffers": self.network.buffers,
            "optimizer": self.optimizer.state_dict(),
        }

    @torch.no_grad()
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Loads a state."""
        if state["parameters"].shape != self.network.parameters.shape:
            was, is_now = (tuple(p.shape) for p in (state["parameters"], self.network.parameters))
            raise ValueError(f"its parameters have the shape {was}, not {is_now}")
        self.network.parameters.copy_(state["parameters"])
        for name, buffer in self.network.buffers.items():
            buffer.copy_(state["buffers"][name])
        self.optimizer.load_state_dict(state["optimizer"])


def per_member(loss: Loss, outputs: Tensor, y: Tensor) -> Tensor:
    """The mean loss of each member, (members,), of outputs (members, outputs, samples); y are classes (members,
    samples) under cross-entropy, else numbers like the outputs."""
    match loss:
        case CrossEntropy(label_smoothing=smoothing):
            return F.cross_entropy(outputs, y, label_smoothing=smoothing, reduction="none").mean(1)
        case BinaryCrossEntropy():
            return F.binary_cross_entropy_with_logits(outputs, y, reduction="none").mean((1, 2))
        case MSE():
            return (outputs - y).square().mean((1, 2))
        case MAE():
            return (outputs - y).abs().mean((1, 2))
        case RMSE():
            return ((outputs - y).square().mean((1, 2)) + 1e-12).sqrt()  # as `losses.build`
        case Huber(delta=delta):
            return F.huber_loss(outputs, y, delta=delta, reduction="none").mean((1, 2))
    raise TypeError(f"no stacked loss for {loss!r}")


def _varies(targets: Tensor) -> Tensor:
    """Whether the targets (members, samples) of each member take more than one value."""
    if targets.shape[1] < 2:
        return torch.zeros(len(targets), dtype=torch.bool)
    return (targets != targets[:, :1]).any(1).cpu()
