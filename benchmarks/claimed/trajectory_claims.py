"""Races of examples, from starts beside their own."""

from functools import lru_cache

import numpy as np

from nnviz.engine.trajectories.trajectory_run import TrajectoryRun
from nnviz.presets.optimizers import EXAMPLES
from nnviz.spec.trajectories import Trajectories, TrajectorySpec

JOBS = {preset.title: preset.jobs[0] for preset in EXAMPLES}
BESIDE = {"Saddle point": (0.1, 0.005)}
"""Deviation of other starts, in x and y, where it is not a tenth in both."""


def job(title: str, seed: int, **changes: object) -> Trajectories:
    """The race of an example: its own for seed 0, else under another noise and from a start beside it."""
    own = JOBS[title]
    if seed:
        x, y = np.random.default_rng(seed).normal(own.start, BESIDE.get(title, 0.1))
        changes = {"seed": own.seed + seed, "x": float(x), "y": float(y), **changes}
    return own.model_copy(update=changes)


@lru_cache(maxsize=64)
def raced(chosen: Trajectories) -> dict[str, np.ndarray]:
    """The arrays of the whole race; see `Race`."""
    return _last(chosen, "trajectories")


@lru_cache(maxsize=64)
def basins(chosen: Trajectories) -> np.ndarray:
    """The minimum that each start of the grid leads to, −1 for none: (optimizers, grid, grid)."""
    return _last(chosen, "basins")["minimum"]


def _last(chosen: Trajectories, quantity: str) -> dict[str, np.ndarray]:
    return [r for records in TrajectoryRun(chosen) for r in records if r.quantity == quantity][-1].arrays


def place(chosen: Trajectories, **wanted: object) -> int:
    """The optimizer whose method is so."""
    methods = [optimizer.method for optimizer in chosen.optimizers]
    return next(i for i, m in enumerate(methods) if all(getattr(m, k, None) == v for k, v in wanted.items()))


def alone(chosen: Trajectories, method: object) -> Trajectories:
    """The race with one optimizer only."""
    return chosen.model_copy(update={"optimizers": (TrajectorySpec(method=method),)})
