"""Records of a run: scalars, snapshots, and how it diverged; written by the engine, read by figures."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import partial
from itertools import repeat
from typing import Any, NamedTuple, Self

import numpy as np


class Scalar(NamedTuple):
    """One number at one step.

    `quantity` is what was measured ("loss", "gradient_norm"), `site` where ("train", "model.linear3.weight"), `member`
    the index among several runs or optimizers of one job. A named tuple for speed: a sampled step makes hundreds.
    """

    step: int
    quantity: str
    value: float
    site: str = ""
    member: int = 0


def scalars(steps: Iterable[int], quantity: str, values: Iterable[float], sites: Iterable[str]) -> Iterable[Scalar]:
    """Scalars of one quantity from parallel sequences of steps, values and sites."""
    # Calling Scalar for each takes four times as long.
    return map(_SCALAR, zip(steps, repeat(quantity), values, sites, repeat(0)))


def scalars_of_members(
    step: int, quantity: str, values: Iterable[float], site: str, members: Iterable[int]
) -> Iterable[Scalar]:
    """Scalars of one quantity at one site and step from parallel sequences of values and members."""
    return map(_SCALAR, zip(repeat(step), repeat(quantity), values, repeat(site), members))


_SCALAR = partial(tuple.__new__, Scalar)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Named arrays at one step: a histogram of every layer, a decision grid, the weights for the diagram.

    Arrays are numeric, boolean or unicode; never objects, never tensors.
    """

    step: int
    quantity: str
    arrays: Mapping[str, np.ndarray]
    site: str = ""


Record = Scalar | Snapshot

COLUMNS = ("step", "quantity", "site", "value", "member")
"""The columns of a frame of scalars."""


class Metric(NamedTuple):
    """The scalar that represents a run in lists."""

    quantity: str
    site: str | None
    """None: the best of all its sites."""
    label: str
    """As displayed: "test accuracy"."""
    higher_is_better: bool
    is_fraction: bool = False
    """Whether it is a fraction from 0 to 1, displayed in percent."""

    def best(self, values: Iterable[float | None]) -> float | None:
        """The best of values of one step; None where there is no number among them."""
        numbers = [value for value in values if value is not None and value == value]
        return (max if self.higher_is_better else min)(numbers, default=None)


class Cause(StrEnum):
    """What was not finite first."""

    OUTPUT = "output"
    """The output of a module in a forward pass."""
    OBJECTIVE = "objective"
    """An objective, with all outputs finite."""
    GRADIENT = "gradient"
    """The gradient of a parameter."""
    PARAMETER = "parameter"
    """A parameter after its update."""
    ZERO_BY_ZERO = "zero_by_zero"
    """A parameter whose update was 0/0: ε = 0 and the gradient is zero."""


_DESCRIPTIONS = {
    Cause.OUTPUT: "output of {site}",
    Cause.OBJECTIVE: "the {site}",
    Cause.GRADIENT: "gradient of {site}",
    Cause.PARAMETER: "{site} after its update",
    Cause.ZERO_BY_ZERO: "{site} after its update, which is 0/0: ε = 0 and the gradient is zero",
}


@dataclass(frozen=True, slots=True)
class NonFinite:
    """The first thing that was not finite. `site` is a module, a parameter, or an objective such as "loss"."""

    cause: Cause
    site: str

    def __str__(self) -> str:
        return _DESCRIPTIONS[self.cause].format(site=self.site)


@dataclass(frozen=True, slots=True)
class Divergence:
    """An objective that was no longer finite at `step`, where its value was "nan" or "inf".

    `nonfinite` was the first thing that was not finite, in step `since`; `last_good` is the last step at which loss and
    weights were finite.
    """

    step: int
    objective: str
    value: str
    nonfinite: NonFinite
    since: int
    last_good: int

    def __str__(self) -> str:
        verb = "stopped" if self.nonfinite.cause is Cause.ZERO_BY_ZERO else "diverged"
        at = "" if self.since == self.step else f" at step {self.since}"
        return f"{verb} at step {self.step}: {self.objective} is {self.value}; first non-finite: {self.nonfinite}{at}"

    def as_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def parse(cls, values: dict[str, Any]) -> Self:
        """The inverse of `as_json`. Raises KeyError, TypeError or ValueError for anything else."""
        nonfinite = NonFinite(Cause(values["nonfinite"]["cause"]), values["nonfinite"]["site"])
        return cls(**{**values, "nonfinite": nonfinite})


@dataclass(frozen=True, slots=True)
class EarlyStop:
    """The end of a run at `step`, before its last one: its test loss had not improved for `evaluations` evaluations
    since `best_step`, where it was `best_loss`."""

    step: int
    best_step: int
    best_loss: float
    evaluations: int

    def __str__(self) -> str:
        return (
            f"stopped early at step {self.step}: the test loss has not improved for {self.evaluations} evaluations; "
            f"its weights are those of the best step, {self.best_step}"
        )

    def as_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)
