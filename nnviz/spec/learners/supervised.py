"""A network fits targets."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from nnviz.spec.augmentation import Augmentation, NoAugmentation, RandomShift
from nnviz.spec.base import Spec, label, options
from nnviz.spec.clipping import Clipping, NoClipping
from nnviz.spec.data import Data, Moons
from nnviz.spec.losses import BinaryCrossEntropy, CrossEntropy, Loss
from nnviz.spec.models import MLP, Model, Size
from nnviz.spec.optimizers import SGD, Optimizer, can_be_scheduled
from nnviz.spec.resuming import RESUMABLE
from nnviz.spec.schedules import ConstantRate, Schedule
from nnviz.spec.shapes import is_image, numbers, words

Penalty = Annotated[float, Field(ge=0, le=1)]


class Supervised(Spec):
    """A network fits targets by gradient descent on mini-batches."""

    model_config = ConfigDict(title="Supervised")
    kind: Literal["supervised"] = "supervised"
    data: Data = Moons()
    model: Model = Field(MLP(), title="network")
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
    augmentation: Augmentation = Field(NoAugmentation(), json_schema_extra=RESUMABLE)
    batch_size: int = Field(
        32,
        ge=1,
        le=20_000,
        description="Mini-batch size; at or above the training-set size: full batch.",
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
                f"learner.schedule must be constant with {self.optimizer.kind}: after its first step it does not "
                f"depend on the learning rate; got {self.schedule.kind}, choose constant or another optimizer"
            )
        least = self.model.least_batch
        if self.batch_size < least:
            raise ValueError(f"learner.batch_size must be at least {least} with batch norm, got {self.batch_size}")
        if self.train_size < least:
            raise ValueError(
                f"learner.data.train_fraction must leave at least {least} training samples"
                f"{' with batch norm' if least > 1 else ''}, got {self.data.train_fraction:g} of "
                f"{self.data.points}"
            )
        return self

    @model_validator(mode="after")
    def _shapes_fit(self) -> "Supervised":
        if isinstance(self.augmentation, RandomShift) and not is_image(self.data.shape):
            raise ValueError(
                f"learner.augmentation must be none or noise with {self.data.kind}, whose inputs are no images, got "
                f"{self.augmentation.kind}"
            )
        if not self.model.accepts(self.data.shape):
            raise ValueError(
                f"learner.model must accept the data: {label(type(self.model))} takes {self.model.takes}, "
                f"{self.data.kind} has {words(self.data.shape)}; choose another model or other data"
            )
        found = self.model.output_shape(self.data.shape, self.outputs)
        if found != (self.outputs,):
            raise ValueError(
                f"learner.model must give {words((self.outputs,))} for each sample, {label(type(self.model))} gives "
                f"{words(found)}; choose another model"
            )
        return self

    def fitting(self, name: str, chosen: Mapping[str, Any]) -> list[str] | None:
        """Losses that fit the data, the one to start with first; schedules that the optimizer heeds; models that accept
        the data; augmentation that its shape has."""
        if name == "schedule":
            kinds = options(type(self).model_fields["optimizer"].annotation)
            optimizer = kinds[chosen.get("optimizer", {}).get("kind", self.optimizer.kind)]
            return None if can_be_scheduled(optimizer()) else ["constant"]
        if name not in ("loss", "model", "augmentation"):
            return None
        data = options(type(self).model_fields["data"].annotation)[chosen.get("data", {}).get("kind", self.data.kind)]
        if name == "augmentation":
            return None if is_image(data.shape) else ["none", "noise"]
        if name == "model":
            models = options(type(self).model_fields["model"].annotation)
            found = [kind for kind, model in models.items() if model.accepts(data.shape)]
            return None if len(found) == len(models) else found
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
        return round(self.data.points * self.data.train_fraction)

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

    @property
    def snapshots(self) -> tuple[str, ...]:
        """Pictures that are taken at each evaluation: what the network predicts over all inputs where these are one or
        two numbers, else for the test samples."""
        diagram = ("network",) if self.model.has_diagram else ()
        if self.data.shape == (1,):
            return (*diagram, "regression_curve")
        if self.data.shape == (2,):
            return (*diagram, "decision_grid")
        return (*diagram, "confusion" if self.data.classes else "fit", "worst")

    # -- its size, as `estimates.of_training` asks for it

    @property
    def size(self) -> Size:
        """Of the network."""
        return self.model.size(self.data.shape, self.outputs)

    @property
    def work(self) -> int:
        """Multiply-adds of a step, which decide the number of threads."""
        return self.size.work * min(self.batch_size, self.train_size)

    @property
    def samples(self) -> int:
        """How many go through the network at once: a batch, an evaluation, or the points of a picture."""
        return max(min(self.batch_size, self.train_size), min(1024, self.data.points), 2500)

    @property
    def data_bytes(self) -> int:
        """Bytes of its data, and of a copy by parts."""
        return 2 * 4 * self.data.points * numbers(self.data.shape)

    @property
    def picture(self) -> int:
        """Bytes of its pictures at an evaluation, the network's diagram not counted."""
        return 50 * 50 * max(1, self.data.classes) * 2
