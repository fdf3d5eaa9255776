"""Watches the test loss, keeps the best weights, and says when a run is to end."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from torch import nn

from nnviz.engine.checkpoints import copied
from nnviz.records import EarlyStop, Record, Scalar
from nnviz.spec.early_stopping import Patience


class EarlyStopper:
    """The lowest test loss of a run so far, the weights that had it, and the evaluations since.

    The first evaluation is the best so far whatever its value; a tie, a NaN and an infinite loss are no improvement.
    """

    def __init__(self, spec: Patience, modules: Mapping[str, nn.Module]) -> None:
        self._spec, self._modules = spec, modules
        self.best_step, self.best_loss, self.evaluations, self._counted = -1, math.nan, 0, -1
        self.best_weights: dict[str, dict[str, Any]] = {}
        """State dicts by root; empty before the first evaluation."""

    @property
    def is_due(self) -> bool:
        """Whether the run is to end."""
        return self.evaluations >= self._spec.patience

    def count(self, step: int, records: Iterable[Record]) -> list[Record]:
        """Takes in the evaluation of a step, once; the best step and its loss as records."""
        if step <= self._counted:
            return []
        self._counted = step
        loss = next(r.value for r in records if isinstance(r, Scalar) and (r.quantity, r.site) == ("loss", "test"))
        if self._is_better(loss):
            self.best_step, self.best_loss, self.evaluations = step, loss, 0
            self.best_weights = {root: copied(module.state_dict()) for root, module in self._modules.items()}
        else:
            self.evaluations += 1
        return [
            Scalar(step, "best_step", float(self.best_step), "test"),
            Scalar(step, "best_loss", self.best_loss, "test"),
        ]

    def stop(self, step: int) -> EarlyStop:
        """How the run ends at this step."""
        return EarlyStop(step, self.best_step, self.best_loss, self.evaluations)

    def state_dict(self) -> dict[str, Any]:
        """All that a resumed run needs to stop at the same step."""
        return {
            "counted": self._counted,
            "step": self.best_step,
            "loss": self.best_loss,
            "evaluations": self.evaluations,
            "weights": self.best_weights,
        }

    def load_state_dict(self, state: Mapping[str, Any], *, is_other_job: bool) -> None:
        """Loads a state. A job that resumes another's run after its patience, or its own, was over counts anew."""
        names = ("counted", "step", "loss", "evaluations", "weights")
        self._counted, self.best_step, self.best_loss, self.evaluations, self.best_weights = (state[n] for n in names)
        if is_other_job and self.is_due:
            self.evaluations = 0

    def _is_better(self, loss: float) -> bool:
        if self.best_step < 0:
            return True
        if math.isnan(self.best_loss) or math.isinf(self.best_loss):
            return math.isfinite(loss)
        return loss < self.best_loss - self._spec.least_improvement
