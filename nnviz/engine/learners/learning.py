"""The interface of learners to the training loop."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from nnviz.engine.snapshots.memorization import Classified
from nnviz.records import Metric, Record

NO_CONTEXT: AbstractContextManager[None] = nullcontext()


class Learning(Protocol):
    """A learner with its modules and optimizers, as the loop trains it."""

    modules: Mapping[str, nn.Module]
    """By root: the first part of every site. May be empty."""
    optimizers: Mapping[str, torch.optim.Optimizer]
    """By any key. A parameter is measured when an optimizer that owns it makes a step."""
    objectives: Sequence[tuple[str, str]]
    """(quantity, site) of what `step` returns that must stay finite: where one does not, the run has diverged."""
    metric: Metric | None
    """The scalar of `evaluate` that represents a run in a list; None where there is none."""
    steps_per_epoch: int | None
    """None where there are no epochs."""
    work: int
    """Multiply-adds per step, roughly; decides the number of threads."""

    def begin(self) -> list[Record]:
        """Records of step 0 alone: the data, the theory. The loop records the layers of `modules`."""

    def step(self, number: int) -> Mapping[tuple[str, str], Tensor]:
        """One step, the `number`-th (1-based); 0-d tensors by (quantity, site), which may differ from step to step."""

    def evaluate(self, step: int, context: AbstractContextManager[None] = NO_CONTEXT) -> Iterator[Record]:
        """Losses and metrics in evaluation mode, and snapshots. `context` is entered for one forward pass on training
        samples, always the same ones."""

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next step depends on, except the job and the step number."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Loads a state; the optimizers' settings stay those of the job."""


@runtime_checkable
class HasAverages(Protocol):
    """A learner that keeps averages of its networks' weights."""

    averages: Mapping[str, nn.Module]
    """By name; they are saved with the weights of `modules`."""


@runtime_checkable
class CanBeBrief(Protocol):
    """A learner with pictures that take longer than the rest of an evaluation."""

    is_brief: bool
    """Whether the next evaluation leaves them out; the loop says so, but for the first, the last, and where a run
    pauses, for all except every `full_every`-th."""
    full_every: int


@runtime_checkable
class Classifies(Protocol):
    """A learner that may have classes to tell apart."""

    def classified(self) -> Classified | None:
        """The training samples as they were classified at the last evaluation; None where there are no classes."""


@runtime_checkable
class HasUntrainedPass(Protocol):
    """A learner that can do its first step without the updates, so that probes sample the untrained network at step
    0."""

    def untrained_pass(self) -> Iterator[str]:
        """The forward and backward passes of step 1, in training mode; yields an optimizer's key where it would
        make its update, with the gradients as it would see them. The loop restores what the passes change: the
        learner's state (with buffers of batch norm), PyTorch's own random state, and gradients."""
