"""Landscapes: the surface that a network's loss is over its weights, around where training ended and along its way."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field, model_validator

from nnviz.spec.base import Spec, fingerprint, label
from nnviz.spec.base_job import BaseJob
from nnviz.spec.estimates import Estimate, of_training
from nnviz.spec.learners import Supervised

SAVED_STATES = 61
"""Saved states of a training, evenly spaced over its steps, with the first and the last."""

Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]
Fineness = Annotated[int, Field(ge=9, le=201)]


class TrainingPhase(Spec):
    """Training that came before, under other settings: as far as step `until`, where the next went on."""

    learner: Supervised
    steps: int = Field(ge=1, le=1_000_000, description="Planned number of steps, on which schedules depend.")
    seed: Seed = Field(description="Random seed of the initial weights, the mini-batches and the dropout masks.")
    until: int = Field(ge=0, le=1_000_000, description="Step at which the next phase resumed.")
    weights_seed: int | None = Field(
        None, ge=0, le=2**31 - 1, description="Random seed of all but the data; empty: the seed above."
    )

    @model_validator(mode="after")
    def _within_its_steps(self) -> "TrainingPhase":
        if self.until > self.steps:
            raise ValueError(f"TrainingPhase.until must be at most steps = {self.steps}, got {self.until}")
        return self


class TrainedModel(Spec):
    """A network and how it is trained; it is trained again to be looked at, from the same seed to the same weights."""

    learner: Supervised = Supervised()
    steps: int = Field(
        1000,
        ge=1,
        le=1_000_000,
        description="Number of training steps (mini-batches).",
        json_schema_extra={"log": True},
    )
    step: int | None = Field(
        None,
        ge=0,
        le=1_000_000,
        title="at step",
        description="Training step at which the network is evaluated; empty: the last one.",
    )
    seed: Seed = Field(
        0, description="Random seed of the data, the initial weights, the mini-batches and the dropout masks."
    )
    weights_seed: int | None = Field(
        None,
        ge=0,
        le=2**31 - 1,
        title="model seed",
        description="Random seed of initial weights, mini-batches and dropout masks, on the same data; empty: the "
        "seed above.",
    )
    before: tuple[TrainingPhase, ...] = Field(
        (), max_length=100, description="Training phases that this one was resumed from."
    )

    @model_validator(mode="after")
    def _in_order(self) -> "TrainedModel":
        if self.step is not None and self.step > self.steps:
            raise ValueError(f"TrainedModel.step must be at most steps = {self.steps}, got {self.step}")
        ends = [0, *(phase.until for phase in self.before), self.at]
        if ends != sorted(ends):
            raise ValueError(
                f"TrainedModel.before must have steps in ascending order up to {self.at}, got {ends[1:-1]}"
            )
        return self

    @property
    def at(self) -> int:
        """The step at which it is looked at."""
        return self.steps if self.step is None else self.step

    @property
    def phases(self) -> tuple[TrainingPhase, ...]:
        """All of the training, in order."""
        last = TrainingPhase(
            learner=self.learner, steps=self.steps, seed=self.seed, until=self.at, weights_seed=self.weights_seed
        )
        return (*self.before, last)


class RandomPlane(Spec):
    """Loss on the plane through the trained weights that two random filter-normalized directions span (Li et al., 2018,
    arXiv:1712.09913)."""

    model_config = ConfigDict(title="Random plane")
    kind: Literal["plane"] = "plane"
    shows: ClassVar[str] = "plane"
    span: float = Field(
        1.0, gt=0, le=10, description="Half-width of the plane; at 1 each filter is moved by its own norm."
    )
    resolution: Fineness = Field(41, description="Points along each side.")
    seed: Seed = Field(0, title="direction seed", description="Random seed of the directions.")
    vectors: bool = Field(
        False,
        title="move biases",
        description="Also move biases and batch norm's scale and shift, each as one filter. Off, as in the paper: they "
        "are not moved.",
    )

    @property
    def units(self) -> int:
        """Points to evaluate."""
        return self.resolution**2


class RandomLines(Spec):
    """Loss along straight lines through the trained weights in random filter-normalized directions (Li et al., 2018,
    arXiv:1712.09913)."""

    model_config = ConfigDict(title="Random lines")
    kind: Literal["lines"] = "lines"
    shows: ClassVar[str] = "lines"
    count: int = Field(5, ge=1, le=20, title="lines", description="Number of directions.")
    span: float = Field(
        1.0, gt=0, le=10, description="Half-length of the lines; at 1 each filter is moved by its own norm."
    )
    resolution: Fineness = Field(65, description="Points along each line.")
    seed: Seed = Field(0, title="direction seed", description="Random seed of the directions.")
    vectors: bool = Field(
        False,
        title="move biases",
        description="Also move biases and batch norm's scale and shift, each as one filter. Off, as in the paper: "
        "they are not moved.",
    )

    @property
    def units(self) -> int:
        """Points to evaluate."""
        return self.count * self.resolution


class PathPlane(Spec):
    """Loss on the plane of the first two principal components of the training trajectory (Li et al., 2018,
    arXiv:1712.09913, section 7)."""

    model_config = ConfigDict(title="Training trajectory (PCA plane)")
    kind: Literal["path"] = "path"
    shows: ClassVar[str] = "path_plane"
    margin: float = Field(0.25, ge=0, le=5, description="Margin around the trajectory, as a fraction of its extent.")
    resolution: Fineness = Field(41, description="Points along each side.")

    @property
    def units(self) -> int:
        """Points to evaluate."""
        return self.resolution**2


class Line(Spec):
    """Loss along the linear interpolation between two trained networks (Goodfellow et al., 2015, arXiv:1412.6544): the
    networks compared, else the same network trained on the same data with another model seed."""

    model_config = ConfigDict(title="Line between two networks")
    kind: Literal["line"] = "line"
    shows: ClassVar[str] = "line"
    seed: Seed = Field(
        1,
        title="seed of the second network",
        description="Model seed of the second network, unless two networks are compared.",
    )
    margin: float = Field(
        0.25, ge=0, le=5, description="How far the line extends beyond both ends, as a fraction of its length."
    )
    resolution: Fineness = Field(97, description="Points along the line.")

    @property
    def units(self) -> int:
        """Points to evaluate."""
        return self.resolution


class Curvature(Spec):
    """Largest eigenvalues of the Hessian of the loss (Lanczos) and its trace (Hutchinson) during training, with the
    stability limit of the learning rate (Cohen et al., 2021, arXiv:2103.00065)."""

    kind: Literal["curvature"] = "curvature"
    shows: ClassVar[str] = "curvature"
    points: int = Field(
        21,
        ge=2,
        le=SAVED_STATES,
        title="steps evaluated",
        description="Number of training steps, evenly spaced, at which the curvature is computed.",
    )
    eigenvalues: int = Field(3, ge=1, le=20, description="Number of eigenvalues, from the largest down.")
    probes: int = Field(
        20,
        ge=2,
        le=1000,
        title="random vectors",
        description="Number of random vectors for the estimate of the trace.",
    )
    seed: Seed = Field(
        0,
        title="vector seed",
        description="Random seed of the vectors for the trace and of the start vectors of the Lanczos method.",
    )

    @property
    def units(self) -> int:
        """Something like the cost of a point of a plane, for each."""
        return self.points * 100


View = Annotated[RandomPlane | RandomLines | PathPlane | Line | Curvature, Field(discriminator="kind")]


class Landscape(BaseJob):
    """Loss landscape of a trained network."""

    kind: Literal["landscape"] = "landscape"
    network: TrainedModel = TrainedModel()
    other: TrainedModel | None = Field(
        None, description="Second network of the line; empty: the same network with another model seed."
    )
    views: tuple[View, ...] = Field(
        (RandomPlane(), PathPlane(), Curvature()), max_length=5, description="Views of the loss landscape."
    )
    samples: int = Field(
        1000,
        ge=10,
        le=1000,
        title="evaluation samples",
        description="Maximum number of training samples, and of test samples, over which the loss is evaluated; always "
        "the same ones.",
        json_schema_extra={"log": True},
    )
    device: str = Field(
        "auto",
        pattern=r"^(auto|cpu|mps|cuda(:\d{1,2})?)$",
        description="auto (CUDA, then MPS, then CPU), cpu, mps, cuda or cuda:1.",
    )

    parent: ClassVar[None] = None
    retention: ClassVar = "cache"
    counts: ClassVar[str] = "steps and points"

    @model_validator(mode="after")
    def _each_once(self) -> "Landscape":
        if not self.views:
            raise ValueError(
                "Landscape.views must have at least one view, got none: select at least one view, such as Random plane"
            )
        kinds = [view.kind for view in self.views]
        if len(set(kinds)) < len(kinds):
            raise ValueError(f"Landscape.views must be of different kinds, got {', '.join(kinds)}")
        return self

    @property
    def shows(self) -> str:
        """The snapshot without which there is nothing to see of its first view."""
        return self.views[0].shows

    @property
    def subject(self) -> str:
        """What is looked at, whatever the views."""
        return fingerprint(self.network)

    @property
    def called(self) -> str:
        """What the run of a part is called."""
        return label(type(self.views[0]))

    def stage(self, done: int) -> str:
        """What is done after so many steps."""
        training = sum(network.at for network in self.networks)
        if done < training:
            return f"training the network, step {done:,} of {training:,}"
        return f"{self.called}: {(done - training) / max(1, self.views[0].units):.0%}"

    def parts(self, jobs: Sequence["Landscape"] = (), place: int = 0) -> dict[str, "Landscape"]:
        """A job for each view by its kind, so that what has been seen once is there again when the form comes back to
        it. Of several networks each but the first has the line that leads to it from the first."""
        found = {}
        for view in self.views:
            if not isinstance(view, Line):
                found[view.kind] = self.model_copy(update={"views": (view,), "other": None})
            elif len(jobs) < 2:
                found[view.kind] = self.model_copy(update={"views": (view,)})
            elif place:
                found[view.kind] = jobs[0].model_copy(update={"views": (view,), "other": self.network})
        return found

    @property
    def networks(self) -> tuple[TrainedModel, ...]:
        """Those to train: the second only where a line leads to it."""
        line = next((view for view in self.views if isinstance(view, Line)), None)
        if line is None:
            return (self.network,)
        if self.other is not None:
            return (self.network, self.other)
        # From other initial weights, whatever came first.
        before = tuple(phase.model_copy(update={"weights_seed": line.seed}) for phase in self.network.before)
        return (self.network, self.network.model_copy(update={"weights_seed": line.seed, "before": before}))

    @property
    def seed(self) -> int:
        """That of the network."""
        return self.network.seed

    @property
    def steps(self) -> int:
        """Progress: steps of training and points to evaluate."""
        return sum(network.at for network in self.networks) + sum(view.units for view in self.views)

    def estimate(self) -> Estimate:
        """Memory: training, its saved states, in float32 and three times in float64 while their plane is
        found, and the vectors of the Lanczos method. File: each picture once in full and a third more for coarse ones.
        """
        trained = [of_training(network.learner, network.steps, network.steps) for network in self.networks]
        weights = max(of.parameters for of in trained)
        pictures = sum(view.units for view in self.views) * 4 * 8 * 4 // 3
        return Estimate(
            parameters=trained[0].parameters,
            training_bytes=sum(of.training_bytes for of in trained)
            + weights * SAVED_STATES * (len(trained) * 4 + 3 * 8),
            snapshot_bytes=pictures + 2 * SAVED_STATES * 20 * 8,
        )
