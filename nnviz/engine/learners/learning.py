"""What the loop knows of a learner: the role that every learner plays."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from nnviz.records import Metric, Record

NOBODY: AbstractContextManager[None] = nullcontext()


class Learning(Protocol):
    """A learner under way."""

    modules: Mapping[str, nn.Module]
    """By root: the first part of every site. May be empty."""
    optimizers: Mapping[str, torch.optim.Optimizer]
    """By any key. A parameter is measured when an optimizer that owns it makes a step."""
    objectives: Sequence[tuple[str, str]]
    """(quantity, site) of what `step` returns that must stay finite: where one does not, the run has diverged."""
    metric: Metric | None
    """The scalar of `evaluate` by which runs are told apart in a list; None where there is none."""
    steps_per_epoch: int | None
    """None where there are no epochs."""
    work: int
    """About how many multiply-adds a step takes, which decides the number of threads."""

    def begin(self) -> list[Record]:
        """What is said once, at step 0: the data, the theory. The layers of `modules` are said by the loop."""

    def step(self, number: int) -> Mapping[tuple[str, str], Tensor]:
        """One step, the `number`-th (1-based); 0-d tensors by (quantity, site), which may differ from step to step."""

    def evaluate(self, step: int, watching: AbstractContextManager[None] = NOBODY) -> Iterator[Record]:
        """Losses and metrics in evaluation mode, and pictures. `watching` is entered for one forward pass on training
        samples, always the same ones."""

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next step depends on, but for the job and the step's number."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes a state up; optimizer settings stay those of the job."""


@runtime_checkable
class HasUntrainedPass(Protocol):
    """A learner that can do its first step without the updates, so that the untrained network is seen at step 0."""

    def untrained_pass(self) -> Iterator[str]:
        """The forward and backward passes of step 1, in training mode; yields an optimizer's key wherever that would
        update, when the gradients are as it would see them. The loop puts back what the passes change: the learner's
        state (buffers of batch norm among it), PyTorch's own random state, and gradients."""
