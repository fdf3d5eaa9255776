"""Learners: what one training step is."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from nnviz.spec.base import Spec, options
from nnviz.spec.clipping import Clipping, NoClipping
from nnviz.spec.data import Data, Moons
from nnviz.spec.losses import BinaryCrossEntropy, CrossEntropy, Loss
from nnviz.spec.models import MLP, Model
from nnviz.spec.optimizers import SGD, Optimizer, can_be_scheduled
from nnviz.spec.resuming import RESUMABLE
from nnviz.spec.schedules import ConstantRate, Schedule

Penalty = Annotated[float, Field(ge=0, le=1)]


class Supervised(Spec):
    """A network fits targets by gradient descent on mini-batches."""

    model_config = ConfigDict(title="Supervised")
    kind: Literal["supervised"] = "supervised"
    data: Data = Moons()
    model: Model = MLP()
    loss: Loss = CrossEntropy()
    optimizer: Optimizer = Field(SGD(), json_schema_extra={"resumable": "settings"})
    schedule: Schedule = Field(ConstantRate(), json_schema_extra=RESUMABLE)
    clipping: Clipping = Field(NoClipping(), json_schema_extra=RESUMABLE)
    l1: Penalty = Field(
        0.0,
        title="L1",
        description="Adds L1 · Σ|w| over the weights (not the biases) to the loss.",
        json_schema_extra={"log": True} | RESUMABLE,
    )
    l2: Penalty = Field(
        0.0,
        title="L2",
        description="Adds L2 · ½Σw² over the weights (not the biases) to the loss.",
        json_schema_extra={"log": True} | RESUMABLE,
    )
    batch_size: int = Field(
        32,
        ge=1,
        le=20_000,
        description="Samples a step; more than there are means all of them.",
        json_schema_extra=RESUMABLE,
    )

    @model_validator(mode="after")
    def _fits_together(self) -> "Supervised":
        target = "classes" if self.data.classes else "numbers"
        if target not in self.loss.fits:
            raise ValueError(
                f"learner.loss must fit the data: {self.data.kind} has {target} as targets, got {self.loss.kind}; "
                f"choose {'cross_entropy or binary_cross_entropy' if self.data.classes else 'mse, mae, rmse or huber'}"
            )
        if not (isinstance(self.schedule, ConstantRate) or can_be_scheduled(self.optimizer)):
            raise ValueError(
                f"learner.schedule must be constant with {self.optimizer.kind}: its steps after the first do not "
                f"depend on the learning rate; got {self.schedule.kind}, choose constant or another optimizer"
            )
        if self.model.batch_norm and self.batch_size < 2:
            raise ValueError(f"learner.batch_size must be at least 2 with batch norm, got {self.batch_size}")
        if self.train_size < (least := 1 + self.model.batch_norm):
            raise ValueError(
                f"learner.data.train_share must leave at least {least} training samples"
                f"{' with batch norm' if self.model.batch_norm else ''}, got {self.data.train_share:g} of "
                f"{self.data.points}"
            )
        return self

    def fitting(self, name: str, chosen: Mapping[str, Any]) -> list[str] | None:
        """Losses that fit the data, the one to start with first; schedules that the optimizer heeds."""
        if name == "schedule":
            kinds = options(type(self).model_fields["optimizer"].annotation)
            optimizer = kinds[chosen.get("optimizer", {}).get("kind", self.optimizer.kind)]
            return None if can_be_scheduled(optimizer()) else ["constant"]
        if name != "loss":
            return None
        data = options(type(self).model_fields["data"].annotation)[chosen.get("data", {}).get("kind", self.data.kind)]
        target, first = ("numbers", "mse") if data.classes == 0 else ("classes", "cross_entropy")
        kinds = options(type(self).model_fields["loss"].annotation)
        return sorted((k for k, loss in kinds.items() if target in loss.fits), key=lambda k: k != first)

    @property
    def outputs(self) -> int:
        """Units of the output layer: one a class under cross-entropy and for three classes or more, else one."""
        if isinstance(self.loss, CrossEntropy) or self.data.classes > 2:
            return self.data.classes
        return 1

    @property
    def train_size(self) -> int:
        """Samples in the training part."""
        return round(self.data.points * self.data.train_share)

    @property
    def steps_per_epoch(self) -> int:
        """Mini-batches in one pass over the training part; a last batch of a single sample is left out."""
        size = min(self.batch_size, self.train_size)
        full, rest = divmod(self.train_size, size)
        return full + (rest > 1 or (rest == 1 and size == 1))

    @property
    def has_probabilities(self) -> bool:
        """Whether the outputs are logits of a probability model."""
        return isinstance(self.loss, CrossEntropy | BinaryCrossEntropy)


Learner = Annotated[Supervised, Field()]
