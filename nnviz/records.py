"""What a run says of itself: scalars, snapshots, and how it diverged; what passes from the engine to what shows it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import partial
from itertools import repeat
from typing import Any, NamedTuple, Self

import numpy as np


class Scalar(NamedTuple):
    """One number at one step.

    `quantity` says what ("loss", "gradient_norm"), `site` says where ("train", "model.linear3.weight"), `member` says
    which of several runs trained at once. A named tuple, since hundreds are made at every sampled step.
    """

    step: int
    quantity: str
    value: float
    site: str = ""
    member: int = 0


def scalars(steps: Iterable[int], quantity: str, values: Iterable[float], sites: Iterable[str]) -> Iterable[Scalar]:
    """One quantity at many steps and sites, taken along each other."""
    # Calling Scalar for each takes four times as long, which counts while a network trains.
    return map(_SCALAR, zip(steps, repeat(quantity), values, sites, repeat(0)))


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
    """The scalar that stands for a run in a line about it."""

    quantity: str
    site: str | None
    """None: the best of all its sites."""
    label: str
    """For people: "test accuracy"."""
    higher_is_better: bool
    is_share: bool = False
    """Whether it is a share from 0 to 1, told in percent."""

    def best(self, values: Iterable[float | None]) -> float | None:
        """The best of values of one step; None where there is no number among them."""
        numbers = [value for value in values if value is not None and value == value]
        return (max if self.higher_is_better else min)(numbers, default=None)


class Cause(StrEnum):
    """What was no finite number first."""

    OUTPUT = "output"
    """Of a module, in a forward pass."""
    OBJECTIVE = "objective"
    """Though all outputs were finite."""
    GRADIENT = "gradient"
    """Of a parameter."""
    PARAMETER = "parameter"
    """After its update."""
    ZERO_BY_ZERO = "zero_by_zero"
    """A parameter whose update was 0/0: ε = 0 and the gradient is zero."""


_FIRST = {
    Cause.OUTPUT: "output of {site}",
    Cause.OBJECTIVE: "the {site}",
    Cause.GRADIENT: "gradient of {site}",
    Cause.PARAMETER: "{site} after its update",
    Cause.ZERO_BY_ZERO: "{site} after its update, which is 0/0: ε = 0 and the gradient is zero",
}


@dataclass(frozen=True, slots=True)
class Culprit:
    """The first thing that was not finite. `site` is a module, a parameter, or an objective such as "loss"."""

    cause: Cause
    site: str

    def __str__(self) -> str:
        return _FIRST[self.cause].format(site=self.site)


@dataclass(frozen=True, slots=True)
class Divergence:
    """An objective that was no longer finite at `step`, where its value was "nan" or "inf".

    `culprit` was the first thing that was not finite, in step `since`; `last_good` is the last step at which loss and
    weights were finite.
    """

    step: int
    objective: str
    value: str
    culprit: Culprit
    since: int
    last_good: int

    def __str__(self) -> str:
        verb = "stopped" if self.culprit.cause is Cause.ZERO_BY_ZERO else "diverged"
        at = "" if self.since == self.step else f" at step {self.since}"
        return f"{verb} at step {self.step}: {self.objective} is {self.value}; first non-finite: {self.culprit}{at}"

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)

    @classmethod
    def parse(cls, plain: dict[str, Any]) -> Self:
        """What `plain` gave. Raises KeyError, TypeError or ValueError for anything else."""
        culprit = Culprit(Cause(plain["culprit"]["cause"]), plain["culprit"]["site"])
        return cls(**{**plain, "culprit": culprit})
