"""Jobs: everything that decides what a run will be, as one value."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from nnviz.spec.base import Spec, SpecError, fingerprint, options
from nnviz.spec.base_job import BaseJob
from nnviz.spec.early_stopping import EarlyStopping, NoEarlyStopping
from nnviz.spec.ensembles import Ensemble
from nnviz.spec.estimates import Estimate, of_training
from nnviz.spec.landscapes import Landscape
from nnviz.spec.learners import Learner, Supervised
from nnviz.spec.probes import Activations, GradientNorms, Histograms, Probe, Signal, Updates
from nnviz.spec.resuming import RESUMABLE
from nnviz.spec.trajectories import RateSearch, Trajectories


class Parent(Spec):
    """The run that a run was resumed from, and the step at which it was."""

    run: str = Field(max_length=100, description="Identifier of the run.")
    step: int = Field(ge=0, le=1_000_000, description="Steps that the parent had done.")


def shown_as(kind: str, learner: str | None) -> str:
    """What pages tell a job of this kind, with this kind of learner, apart by."""
    return kind if learner in (None, "supervised") else f"{learner} {kind}"


class Training(BaseJob):
    """A learner trains for a number of steps while probes watch."""

    kind: Literal["training"] = "training"
    learner: Learner = Supervised()
    probes: tuple[Probe, ...] = Field(
        (GradientNorms(), Updates(), Activations(), Signal(), Histograms()),
        max_length=20,
        description="What is measured.",
    )
    steps: int = Field(
        3000,
        ge=1,
        le=1_000_000,
        description="Number of training steps (mini-batches).",
        json_schema_extra={"log": True} | RESUMABLE,
    )
    evaluate_every: int = Field(
        10, ge=1, le=1_000_000, title="steps between evaluations", description="Steps from one evaluation to the next."
    )
    early_stopping: EarlyStopping = Field(NoEarlyStopping(), json_schema_extra=RESUMABLE)
    seed: int = Field(
        0,
        ge=0,
        le=2**31 - 1,
        description="Random seed of the data, the initial weights, the mini-batches and the dropout masks.",
    )
    device: str = Field(
        "auto",
        pattern=r"^(auto|cpu|mps|cuda(:\d{1,2})?)$",
        description="auto (CUDA, then MPS, then CPU), cpu, mps, cuda or cuda:1.",
    )
    parent: Parent | None = Field(None, description="The run that this one was resumed from.")

    retention: ClassVar = "history"
    has_weights: ClassVar[bool] = True

    @model_validator(mode="after")
    def _has_a_test_loss(self) -> "Training":
        if not self.keeps_best:
            return self
        if not isinstance(self.learner, Supervised):
            raise ValueError(
                f"Training.early_stopping must be none with the learner {self.learner.kind}, which has no test loss, "
                f"got {self.early_stopping.kind}"
            )
        if self.learner.train_size == self.learner.data.points:
            raise ValueError(
                f"Training.early_stopping must be none without test samples, got {self.early_stopping.kind}; use more "
                "samples or a smaller training fraction"
            )
        return self

    @property
    def keeps_best(self) -> bool:
        """Whether its final weights are those of the step with the lowest test loss."""
        return not isinstance(self.early_stopping, NoEarlyStopping)

    def fitting(self, name: str, _chosen: Mapping[str, Any]) -> list[str] | None:
        """Without a test loss there is no early stopping."""
        return ["none"] if name == "early_stopping" and not isinstance(self.learner, Supervised) else None

    @property
    def steps_per_epoch(self) -> int | None:
        """As its learner says."""
        return self.learner.steps_per_epoch

    @property
    def shown_as(self) -> str:
        return shown_as(self.kind, self.learner.kind)

    def estimate(self) -> Estimate:
        """What training will need."""
        return of_training(self.learner, self.steps, self.evaluate_every, self.probes)


Job = Annotated[Training | Trajectories | RateSearch | Landscape | Ensemble, Field(discriminator="kind")]
TEXT_LIMIT = 200_000
"""The largest job has a tenth of it; a million wrong items take pydantic ten seconds to count."""

MOST = 8
"""Jobs of a set: what is shown side by side, or trains in lock-step."""


def load(text: str | bytes) -> Job:
    """The job in a JSON text; raises SpecError with one clear line."""
    jobs = load_set(text)
    if len(jobs) > 1:
        raise SpecError(f"one job is expected here, got a set of {len(jobs)}: take one out of its list of jobs")
    return jobs[0]


def load_set(text: str | bytes) -> tuple[Job, ...]:
    """The jobs in a JSON text: {"kind": "set", "jobs": [...]}, or a job alone as a set of one.

    Raises SpecError with one clear line.
    """
    if len(text) > TEXT_LIMIT:
        raise SpecError(f"a job must have at most {TEXT_LIMIT:,} characters, got {len(text):,}")
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SpecError(f"the job is not JSON: {error}") from None
    if not (isinstance(plain, dict) and plain.get("kind") == "set"):
        return (_job(plain),)
    if unknown := plain.keys() - {"kind", "jobs"}:
        raise SpecError(f"a set has the fields kind and jobs, got {', '.join(sorted(unknown))}")
    listed = plain.get("jobs")
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST:
        got = f"{len(listed)} of them" if isinstance(listed, list) else type(listed).__name__
        raise SpecError(f"the jobs of a set must be a list of 1 to {MOST} jobs, got {got}")
    jobs = tuple(_job(item, f"job {number} of the set: ") for number, item in enumerate(listed, 1))
    for number, job in enumerate(jobs, 1):
        if type(job) is not type(jobs[0]):
            raise SpecError(f"jobs of a set must be of one kind; job 1 is {jobs[0].kind}, job {number} {job.kind}")
    return jobs


def _job(plain: object, which: str = "") -> Job:
    if not isinstance(plain, dict):
        raise SpecError(f"{which}a job must be a JSON object, got {type(plain).__name__}")
    kinds = options(Job)
    kind = plain.get("kind", "training")
    if not isinstance(kind, str) or kind not in kinds:
        raise SpecError(f"{which}a job's kind must be one of {', '.join(kinds)}, got {kind!r}")
    try:
        return kinds[kind].parse(plain)
    except SpecError as error:
        raise SpecError(f"{which}{error}") from None


def dump(job: Job) -> str:
    """The job as indented JSON with every field, so that it still means the same when defaults change."""
    return _text(job.model_dump(mode="json"))


def dump_set(jobs: Sequence[Job]) -> str:
    """Jobs as `load_set` reads them; one alone as `dump` writes it."""
    if len(jobs) == 1:
        return dump(jobs[0])
    return _text({"kind": "set", "jobs": [job.model_dump(mode="json") for job in jobs]})


def _text(plain: object) -> str:
    return json.dumps(plain, indent=2, ensure_ascii=False)


__all__ = [
    "MOST",
    "Ensemble",
    "Estimate",
    "Job",
    "Landscape",
    "Parent",
    "RateSearch",
    "SpecError",
    "Training",
    "Trajectories",
    "dump",
    "dump_set",
    "fingerprint",
    "load",
    "load_set",
]
