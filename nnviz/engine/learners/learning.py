"""What the loop knows of a learner: the role that every learner plays."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from nnviz.records import Record

NOBODY: AbstractContextManager[None] = nullcontext()


class Learning(Protocol):
    """A learner under way."""

    modules: Mapping[str, nn.Module]
    optimizers: Mapping[str, torch.optim.Optimizer]
    steps_per_epoch: int

    def begin(self) -> list[Record]:
        """What is said once, at step 0: the data, the layers, the theory."""

    def step(self, number: int) -> Mapping[tuple[str, str], Tensor]:
        """One update, the `number`-th (1-based); 0-d tensors by (quantity, site), among them ("loss", "batch")."""

    def evaluate(self, step: int, watching: AbstractContextManager[None] = NOBODY) -> Iterator[Record]:
        """Losses and metrics in evaluation mode, and pictures. `watching` is entered for one forward pass on training
        samples, always the same ones."""

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next step depends on, but for the job and the step's number."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes a state up; optimizer settings stay those of the job."""
