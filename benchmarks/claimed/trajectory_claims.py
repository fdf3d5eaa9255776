"""Runs the jobs of the optimizer examples, also from other starts."""

from functools import lru_cache

import numpy as np

from nnviz.engine.trajectories.trajectory_run import TrajectoryRun
from nnviz.presets.optimizers import EXAMPLES
from nnviz.spec.trajectories import Trajectories, TrajectorySpec

JOBS = {preset.title: preset.jobs[0] for preset in EXAMPLES}
START_DEVIATION = {"Saddle point": (0.1, 0.005)}
"""Standard deviation of other starts in x and y, where it is not 0.1."""


def job(title: str, seed: int, **changes: object) -> Trajectories:
    """The job of an example: its own for seed 0, else with another noise and from a start near its own."""
    own = JOBS[title]
    if seed:
        x, y = np.random.default_rng(seed).normal(own.start, START_DEVIATION.get(title, 0.1))
        changes = {"seed": own.seed + seed, "x": float(x), "y": float(y), **changes}
    return own.model_copy(update=changes)


@lru_cache(maxsize=64)
def trajectory_arrays(chosen: Trajectories) -> dict[str, np.ndarray]:
    """The arrays of the whole run; see `TrajectoryRun`."""
    return _last(chosen, "trajectories")


@lru_cache(maxsize=64)
def basins(chosen: Trajectories) -> np.ndarray:
    """The minimum that each start of the grid converges to, −1 for none: (optimizers, grid, grid)."""
    return _last(chosen, "basins")["minimum"]


def _last(chosen: Trajectories, quantity: str) -> dict[str, np.ndarray]:
    return [r for records in TrajectoryRun(chosen) for r in records if r.quantity == quantity][-1].arrays


def optimizer_index(chosen: Trajectories, **fields: object) -> int:
    """The index of the optimizer whose method has these fields."""
    methods = [optimizer.method for optimizer in chosen.optimizers]
    return next(i for i, m in enumerate(methods) if all(getattr(m, k, None) == v for k, v in fields.items()))


def only_optimizer(chosen: Trajectories, method: object) -> Trajectories:
    """The job with one optimizer only."""
    return chosen.model_copy(update={"optimizers": (TrajectorySpec(method=method),)})
