"""Short runs of optimizers on surfaces, and their records."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnviz.engine.trajectories.trajectory_run import TrajectoryRun
from nnviz.records import Record
from nnviz.spec.optimizers import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, NAdam, RAdam, RMSprop, Rprop
from nnviz.spec.point_optimizers import (
    ASGD,
    CMAES,
    LBFGS,
    Genetic,
    Method,
    Newton,
    OnePlusOneES,
    OpenES,
    UncorrectedAdam,
)
from nnviz.spec.trajectories import Trajectories, TrajectorySpec

TWELVE = [
    SGD(lr=0.002, momentum=0.9),
    Adagrad(),
    Adadelta(),
    RMSprop(momentum=0.5, centered=True),
    Adam(lr=0.1),
    UncorrectedAdam(),
    AdamW(),
    ASGD(lr=0.001),
    LBFGS(lr=0.1),
    Newton(absolute=True, lr=0.1),
    CMAES(),
    Genetic(),
]
ALL = [*TWELVE, NAdam(), RAdam(lr=0.001), Adamax(), OnePlusOneES(), OpenES(lr=0.001), SGD(lr=0.002)]
WITH_RPROP = [*ALL, Rprop()]
"""It takes no schedule."""


def job(surface: Any, methods: Sequence[Method], **changes: Any) -> Trajectories:
    """A job of these methods, from the surface's own start."""
    start = dict(zip("xy", surface.start, strict=True))
    return Trajectories(
        surface=surface, optimizers=tuple(TrajectorySpec(method=m) for m in methods), **{**start, **changes}
    )


def all_records(trajectories: TrajectoryRun) -> list[Record]:
    """All further records of a run."""
    return [record for records in trajectories for record in records]


def trajectories(chosen: Trajectories) -> dict[str, np.ndarray]:
    """The arrays of the whole run."""
    return last(all_records(TrajectoryRun(chosen)), "trajectories")


def last(records: Sequence[Record], quantity: str) -> Any:
    """The last snapshot of that quantity."""
    return [r for r in records if r.quantity == quantity][-1].arrays
