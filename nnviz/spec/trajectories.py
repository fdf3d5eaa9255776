"""Trajectories: optimizers minimize a function of two variables from one start, under the same gradient noise."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from nnviz.spec.base import Spec, label, name_of, options
from nnviz.spec.base_job import BaseJob
from nnviz.spec.clipping import Clipping, NoClipping
from nnviz.spec.estimates import Estimate
from nnviz.spec.number_format import format_number
from nnviz.spec.optimizers import SGD, Adam, RMSprop, can_be_scheduled
from nnviz.spec.point_optimizers import Method
from nnviz.spec.schedules import ConstantRate, Schedule
from nnviz.spec.surfaces import AnySurface, Ravine

MAX_OPTIMIZERS = 12


class TrajectorySpec(Spec):
    """One point and what moves it."""

    method: Method = SGD()

    @property
    def name(self) -> str:
        """The method, its learning rate, and what else is not as by default: "Adam η=0.3, β₁=0.5"."""
        return self.named(self.settings)

    def named(self, settings: Collection[str]) -> str:
        """The method and some of its settings, in words."""
        return " ".join([label(type(self.method)), ", ".join(map(self._words, settings))]).strip()

    @property
    def settings(self) -> list[str]:
        """The fields that a name gives: the learning rate, and what else is not as by default."""
        fields = type(self.method).model_fields.items()
        return [
            name
            for name, field in fields
            if name == "lr" or (name != "kind" and getattr(self.method, name) != field.default)
        ]

    def _words(self, name: str) -> str:
        value = getattr(self.method, name)
        words = "η" if name == "lr" else name_of(type(self.method).model_fields[name], name)
        return words if value is True else f"no {words}" if value is False else f"{words}={format_number(value)}"


def short_names(optimizers: Sequence[TrajectorySpec]) -> list[str]:
    """Methods with only those settings that tell them apart ("SGD", "SGD momentum=0.9", "Adam"), and with their
    number in the list where nothing does."""
    names = [_shortest_name(optimizer, optimizers) for optimizer in optimizers]
    return [name if names.count(name) == 1 else f"{name} ({number})" for number, name in enumerate(names, 1)]


def _shortest_name(optimizer: TrajectorySpec, optimizers: Sequence[TrajectorySpec]) -> str:
    alike = [other for other in optimizers if type(other.method) is type(optimizer.method)]
    for told in (set(), {name for other in alike for name in other.settings} - {"lr"}):
        names = {other.named([name for name in other.settings if name in told]) for other in alike}
        if len(names) == len(alike):
            return optimizer.named([name for name in optimizer.settings if name in told])
    return optimizer.name


class Trajectories(BaseJob):
    """Optimizers on a function of two variables."""

    kind: Literal["trajectories"] = "trajectories"
    surface: AnySurface = Ravine()
    x: float | None = Field(
        None,
        ge=-1e6,
        le=1e6,
        title="start x",
        description="Start of all optimizers; empty: the default start of the surface.",
    )
    y: float | None = Field(
        None,
        ge=-1e6,
        le=1e6,
        title="start y",
        description="Start of all optimizers; empty: the default start of the surface.",
    )
    optimizers: tuple[TrajectorySpec, ...] = Field(
        (
            TrajectorySpec(method=SGD(lr=0.95)),
            TrajectorySpec(method=SGD(lr=0.1, momentum=0.9)),
            TrajectorySpec(method=RMSprop(lr=0.1)),
            TrajectorySpec(method=Adam(lr=0.3)),
        ),
        min_length=1,
        max_length=MAX_OPTIMIZERS,
        description="Optimizers that run side by side, up to 12; several may be of the same kind.",
    )
    steps: int = Field(200, ge=1, le=20_000, description="Steps per optimizer.", json_schema_extra={"log": True})
    noise: float = Field(
        0.0,
        ge=0,
        le=100,
        title="gradient noise σ",
        description="Standard deviation of Gaussian noise added to each entry of the gradient, the same for all "
        "optimizers; models mini-batch noise.",
        json_schema_extra={"log": True},
    )
    clipping: Clipping = NoClipping()
    schedule: Schedule = ConstantRate()
    grid: int = Field(
        0,
        ge=0,
        le=60,
        title="basin map",
        description="Grid of N × N starts, each run to the end with every optimizer; 0: off.",
    )
    seed: int = Field(
        0, ge=0, le=2**31 - 1, description="Random seed of the gradient noise and of the gradient-free optimizers."
    )

    parent: ClassVar[None] = None
    device: ClassVar[str] = "cpu"
    retention: ClassVar = "moment"
    shows: ClassVar[str] = "trajectories"

    @property
    def subject(self) -> str:
        """Views of the loss landscape."""
        return self.surface.model_dump_json()

    @model_validator(mode="after")
    def _a_grid_has_two_sides(self) -> "Trajectories":
        if self.grid == 1:
            raise ValueError("Trajectories.grid must be 0 or at least 2, got 1")
        return self

    @model_validator(mode="after")
    def _all_heed_the_schedule(self) -> "Trajectories":
        deaf = next((r.method for r in self.optimizers if not can_be_scheduled(r.method)), None)
        if deaf and not isinstance(self.schedule, ConstantRate):
            raise ValueError(
                f"Trajectories.schedule must be constant with {deaf.kind} among the optimizers: after its first step "
                f"it does not depend on the learning rate; got {self.schedule.kind}, choose constant or remove "
                f"{deaf.kind}"
            )
        return self

    def fitting(self, name: str, chosen: Mapping[str, Any]) -> list[str] | None:
        """Schedules that all methods heed."""
        if name != "schedule":
            return None
        kinds = options(TrajectorySpec.model_fields["method"].annotation)
        methods = [kinds[r["method"]["kind"]]() for r in chosen.get("optimizers", ())] or [
            r.method for r in self.optimizers
        ]
        return None if all(map(can_be_scheduled, methods)) else ["constant"]

    @property
    def start(self) -> tuple[float, float]:
        """Where all optimizers start."""
        x, y = self.surface.start
        return (x if self.x is None else self.x, y if self.y is None else self.y)

    @property
    def unrated(self) -> "Trajectories":
        """The job with all learning rates 1, to compare jobs apart from their rates."""
        return self.rated([1.0] * len(self.optimizers))

    def rated(self, rates: Sequence[float | None]) -> "Trajectories":
        """The job with these learning rates; None, or a method without a rate, leaves the optimizer unchanged."""
        optimizers = [
            r.model_copy(update={"method": r.method.model_copy(update={"lr": rate})})
            if rate is not None and "lr" in type(r.method).model_fields
            else r
            for r, rate in zip(self.optimizers, rates, strict=True)
        ]
        return self.model_copy(update={"optimizers": tuple(optimizers)})

    @property
    def conditions(self) -> str:
        """Noise, clipping and schedule in words, where there are any."""
        found = []
        if self.noise:
            found.append(f"gradient noise σ = {self.noise:g}")
        if self.clipping.words:
            found.append(self.clipping.words)
        if not isinstance(self.schedule, ConstantRate):
            found.append(f"learning rate scheduled: {self.schedule.kind.replace('_', ' ')}")
        return " · ".join(found)

    def estimate(self) -> Estimate:
        """Points, values and parts of every optimizer at every step, for each snapshot."""
        path = len(self.optimizers) * self.steps * (4 * 8 + 4 * 2 * 4)
        basins = len(self.optimizers) * self.grid**2 * 200
        pictures = 2 + (self.steps // 500).bit_length()
        return Estimate(2 * len(self.optimizers), training_bytes=20 * path + basins, snapshot_bytes=pictures * path)


class RateSearch(BaseJob):
    """Learning-rate search: each optimizer is run with the same logarithmically spaced learning rates."""

    kind: Literal["rate_search"] = "rate_search"
    trajectories: Trajectories = Field(
        Trajectories(), description="The trajectories that are repeated; their own learning rates are ignored."
    )
    rates: int = Field(31, ge=2, le=200, description="Number of learning rates per optimizer.")
    low: float = Field(1e-4, gt=0, lt=10, description="Smallest learning rate.")
    high: float = Field(10.0, gt=0, le=10, description="Largest learning rate.")

    parent: ClassVar[None] = None
    device: ClassVar[str] = "cpu"
    retention: ClassVar = "cache"
    shows: ClassVar[str] = "rate_search"
    counts: ClassVar[str] = "optimizers"

    called: ClassVar[str] = "Learning rates"

    @property
    def subject(self) -> str:
        """Views of the loss landscape."""
        return self.trajectories.subject

    def stage(self, done: int) -> str:
        """The progress after `done` steps."""
        return f"learning rates: {done} of {self.steps} optimizers"

    def belongs_to(self, job: Spec) -> bool:
        """Whether it is for a job that differs in learning rates at most."""
        return isinstance(job, Trajectories) and self.trajectories.unrated == job.unrated

    @model_validator(mode="after")
    def _rates_in_order(self) -> "RateSearch":
        if not self.low < self.high:
            raise ValueError(f"RateSearch.high must be above low = {self.low:g}, got {self.high:g}")
        return self

    @property
    def seed(self) -> int:
        """The seed of the trajectories."""
        return self.trajectories.seed

    @property
    def steps(self) -> int:
        """One for each optimizer."""
        return len(self.trajectories.optimizers)

    def estimate(self) -> Estimate:
        """All learning rates of an optimizer at once; the final values."""
        size = len(self.trajectories.optimizers) * self.rates
        return Estimate(2 * size, training_bytes=size * 2000, snapshot_bytes=self.steps * size * 8)
