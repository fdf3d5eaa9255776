"""Ensembles: the same training from many seeds, all in one process."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from nnviz.spec.base import Spec, SpecError, label
from nnviz.spec.base_job import BaseJob
from nnviz.spec.dropouts import NoDropout, StandardDropout
from nnviz.spec.early_stopping import EarlyStopping, NoEarlyStopping
from nnviz.spec.estimates import Estimate, of_training
from nnviz.spec.learners import Supervised
from nnviz.spec.models import MLP, DeepMLP
from nnviz.spec.norms import BatchNorm, GroupNorm, LayerNorm, NoNorm, RMSNorm
from nnviz.spec.optimizers import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    NAdam,
    RAdam,
    RMSprop,
    Rprop,
)

MOST_MEMBERS = 256

MODELS = (MLP, DeepMLP)
OPTIMIZERS = (SGD, Adagrad, Adadelta, RMSprop, Adam, AdamW, NAdam, RAdam, Adamax, Rprop)
NORMS = (NoNorm, BatchNorm, LayerNorm, GroupNorm, RMSNorm)
DROPOUTS = (NoDropout, StandardDropout)

Rate = Annotated[float, Field(gt=0, le=10, description="Learning rate of a member.")]


class Ensemble(BaseJob):
    """The same training from many seeds at once, as one network whose parameters have a further axis.

    Member i has the seed `seed` + i, and with it the data, the split, the initial weights, the mini-batches and the
    dropout masks of a single training with that seed. Losses and metrics alone are recorded. A member is not found as
    a single run and cannot be continued: `member` gives the job that trains it alone.
    """

    kind: Literal["ensemble"] = "ensemble"
    learner: Supervised = Supervised()
    members: int = Field(8, ge=1, le=MOST_MEMBERS, description="Number of trainings, each with a seed of its own.")
    rates: tuple[Rate, ...] = Field(
        (),
        max_length=MOST_MEMBERS,
        title="learning rates",
        description="A learning rate for each member; empty: the optimizer's for all.",
    )
    steps: int = Field(
        1000,
        ge=1,
        le=1_000_000,
        description="Number of training steps (mini-batches).",
        json_schema_extra={"log": True},
    )
    evaluate_every: int = Field(
        10, ge=1, le=1_000_000, title="steps between evaluations", description="Steps from one evaluation to the next."
    )
    early_stopping: EarlyStopping = NoEarlyStopping()
    seed: int = Field(0, ge=0, le=2**31 - 1 - MOST_MEMBERS, description="Random seed of the first member.")
    device: str = Field(
        "auto",
        pattern=r"^(auto|cpu|mps|cuda(:\d{1,2})?)$",
        description="auto (CUDA, then MPS, then CPU), cpu, mps, cuda or cuda:1.",
    )

    parent: ClassVar[None] = None
    retention: ClassVar = "cache"
    has_pictures: ClassVar[bool] = False
    called: ClassVar[str] = "Seeds"

    @model_validator(mode="after")
    def _can_be_stacked(self) -> "Ensemble":
        if reason := unstackable(self.learner):
            raise ValueError(f"Ensemble.{reason}")
        return self

    @model_validator(mode="after")
    def _has_a_test_loss(self) -> "Ensemble":
        if self.early_stopping.kind != "none" and self.learner.train_size == self.learner.data.points:
            raise ValueError(
                f"Ensemble.early_stopping must be none without test samples, got {self.early_stopping.kind}; use more "
                "samples or a smaller training fraction"
            )
        return self

    @model_validator(mode="after")
    def _a_rate_for_each(self) -> "Ensemble":
        if self.rates and len(self.rates) != self.members:
            raise ValueError(
                f"Ensemble.rates must be empty or have a learning rate for each of the {self.members} members, got "
                f"{len(self.rates)}"
            )
        return self

    @property
    def seeds(self) -> range:
        """The seed of each member."""
        return range(self.seed, self.seed + self.members)

    @property
    def learning_rates(self) -> tuple[float, ...]:
        """That of each member, before the schedule."""
        return self.rates or (self.learner.optimizer.lr,) * self.members

    @property
    def steps_per_epoch(self) -> int:
        """As its learner says."""
        return self.learner.steps_per_epoch

    @property
    def work(self) -> int:
        """Multiply-adds of a step of all members."""
        return self.members * self.learner.work

    def member(self, index: int) -> dict[str, Any]:
        """The fields of the Training that trains a member alone."""
        optimizer = self.learner.optimizer.model_copy(update={"lr": self.learning_rates[index]})
        return {
            "learner": self.learner.model_copy(update={"optimizer": optimizer}),
            "steps": self.steps,
            "evaluate_every": self.evaluate_every,
            "early_stopping": self.early_stopping,
            "seed": self.seeds[index],
            "device": self.device,
        }

    def belongs_to(self, job: Spec) -> bool:
        """Whether it is of the seeds of that training."""
        if getattr(job, "kind", "") != "training" or unstackable(job.learner):
            return False
        return ensemble_of(job, self.members) == self

    def estimate(self) -> Estimate:
        """What one training needs, times the members; data are held a third time, in the order of an epoch. File: a
        loss a step and four numbers an evaluation for each member, and the last checkpoints."""
        one = of_training(self.learner, self.steps, self.steps)
        evaluations = self.steps // self.evaluate_every + 2
        return Estimate(
            parameters=one.parameters,
            training_bytes=self.members * (one.training_bytes + self.learner.data_bytes),
            snapshot_bytes=self.members * ((self.steps + 4 * evaluations) * 40 + one.parameters * 4 * 3 * 2),
        )


def unstackable(learner: Spec) -> str:
    """Why trainings of this learner cannot be stacked: the field, the rule, the value and what to do; "" where they
    can."""
    if not isinstance(learner, Supervised):
        return f"learner must be Supervised, got {label(type(learner))}; train it seed by seed"
    parts = {
        "model": (learner.model, MODELS),
        "optimizer": (learner.optimizer, OPTIMIZERS),
        "model.norm": (learner.model.norm, NORMS),
        "model.dropout": (learner.model.dropout, DROPOUTS),
    }
    for path, (chosen, kinds) in parts.items():
        if not isinstance(chosen, kinds):
            known = ", ".join(label(kind) for kind in kinds)
            return (
                f"learner.{path} must be one of those whose trainings can be stacked ({known}), got "
                f"{label(type(chosen))}; choose another or train it seed by seed"
            )
    return ""


def ensemble_of(training: BaseJob, members: int) -> Ensemble:
    """As many seeds of a training, from its own on. Raises SpecError for one that cannot be stacked."""
    if reason := unstackable(training.learner):
        raise SpecError(f"Ensemble.{reason}")
    names = ("learner", "steps", "evaluate_every", "early_stopping", "seed", "device")
    return Ensemble.parse({name: getattr(training, name) for name in names} | {"members": members})
