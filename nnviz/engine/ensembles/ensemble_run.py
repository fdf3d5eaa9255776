"""A running ensemble: all members make each step together."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from nnviz.engine import checkpoints
from nnviz.engine.attachments import ReadFile, no_files
from nnviz.engine.early_stopping import EarlyStopper
from nnviz.engine.ensembles.stacked_learning import StackedLearning
from nnviz.engine.running_job import RunningJob
from nnviz.records import Metric, Record, Scalar, scalars_of_members
from nnviz.spec.early_stopping import Patience
from nnviz.spec.ensembles import Ensemble


class EnsembleRun(RunningJob):
    """A running Ensemble job: each `next` is one step of all members.

    A member whose batch loss is not finite has diverged, and that loss is its last record; one that stops early has its
    last records at that step. The others go on.
    """

    def __init__(self, job: Ensemble, checkpoint: bytes | None = None, read_file: ReadFile = no_files) -> None:
        super().__init__(job, job.work)
        self.learning = StackedLearning(job, self.device, read_file)
        self.step = 0
        self.members = list(range(job.members))
        """Those that have not diverged and not stopped."""
        stopping = job.early_stopping
        self._stoppers = [EarlyStopper(stopping, {}) for _ in self.members if isinstance(stopping, Patience)]
        self._evaluated = -1
        if checkpoint is not None:
            self._resume(checkpoint)
        # Reading losses waits for the device: except on the CPU, those of several steps are read at once.
        self._flush_every = 1 if self.device.type == "cpu" else 50
        self._losses: list[tuple[int, Tensor]] = []
        self._records: list[Record] = []

    def _resume(self, checkpoint: bytes) -> None:
        self.step, state = checkpoints.unpack(checkpoint, self.job.kind, self.job.steps, self.device)
        try:
            self.learning.load_state_dict(state["learning"])
            self.members, self._evaluated = list(state["members"]), state["evaluated"]
            for stopper, counted in zip(self._stoppers, state["stoppers"], strict=True):
                stopper.load_state_dict(counted, is_other_job=False)
        except Exception as error:  # torch raises many types for a shape that differs
            raise checkpoints.refusal(error) from None

    @property
    def info(self) -> dict[str, Any]:
        """The machine, the job, the number of parameters of a member, and steps per epoch."""
        parameters = self.learning.network.parameters.shape[1]
        return super().info | {"parameters": parameters, "steps_per_epoch": self.job.steps_per_epoch}

    @property
    def metric(self) -> Metric:
        """That of the members."""
        return self.learning.metric

    @property
    def is_flushed(self) -> bool:
        """Whether all losses have been returned."""
        return not self._losses

    def _advance(self) -> list[Record]:
        self._begin()
        number = self.step + 1
        if not self.members:
            self.step = number
            return self._take_records()
        self._losses.append((number, self.learning.step(number)))
        self.step = number
        is_evaluated = number % self.job.evaluate_every == 0 or number == self.job.steps
        if is_evaluated or number in (self.until, self.job.steps) or number % self._flush_every == 0:
            self._flush()
        if is_evaluated:
            self._evaluate()
        return self._take_records()

    def _evaluate_now(self) -> list[Record]:
        self._flush()
        self._evaluate()
        return self._take_records()

    def unreturned_records(self) -> list[Record]:
        """Losses that were measured and not returned."""
        self._flush()
        return self._take_records()

    def _begin(self) -> None:
        if self.step == 0:
            self._evaluate()

    def _evaluate(self) -> None:
        if self._evaluated != self.step:
            self._evaluated = self.step
            found = list(self.learning.evaluate(self.step, self.members))
            self._records += found
            if self._stoppers and self.step % self.job.evaluate_every == 0:
                self._count(found)

    def _count(self, evaluated: Sequence[Scalar]) -> None:
        """Takes an evaluation into account; members that have stopped are left out from then on."""
        for member in self.members:
            own = [record for record in evaluated if record.member == member]
            counted = self._stoppers[member].count(self.step, own)
            self._records += [record._replace(member=member) for record in counted]
        self.members = [member for member in self.members if not self._stoppers[member].is_due]

    def _flush(self) -> None:
        """Batch losses as records; members that have diverged are left out from then on."""
        if not self._losses:
            return
        losses, self._losses = self._losses, []
        for (step, _), values in zip(losses, torch.stack([found for _, found in losses]).tolist(), strict=True):
            own = values if len(self.members) == len(values) else [values[member] for member in self.members]
            self._records += scalars_of_members(step, "loss", own, "batch", self.members)
            if not math.isfinite(sum(values)):
                self.members = [member for member in self.members if math.isfinite(values[member])]

    def _take_records(self) -> list[Record]:
        records, self._records = self._records, []
        return records

    def _state(self) -> Mapping[str, Any]:
        stoppers = [stopper.state_dict() for stopper in self._stoppers]
        learning = self.learning.state_dict()
        return {"learning": learning, "members": self.members, "evaluated": self._evaluated, "stoppers": stoppers}
