"""Races of examples, from starts beside their own."""

from functools import lru_cache

import numpy as np

from nnviz.engine.descent.race import Race
from nnviz.presets.optimizers import EXAMPLES
from nnviz.spec.descent import Descent, Racer

JOBS = {preset.title: preset.jobs[0] for preset in EXAMPLES}
BESIDE = {"A saddle is no minimum": (0.1, 0.005)}
"""Deviation of other starts, in x and y, where it is not a tenth in both."""


def job(title: str, seed: int, **changes: object) -> Descent:
    """The race of an example: its own for seed 0, else under another noise and from a start beside it."""
    own = JOBS[title]
    if seed:
        x, y = np.random.default_rng(seed).normal(own.start, BESIDE.get(title, 0.1))
        changes = {"seed": own.seed + seed, "x": float(x), "y": float(y), **changes}
    return own.model_copy(update=changes)


@lru_cache(maxsize=64)
def raced(chosen: Descent) -> dict[str, np.ndarray]:
    """The arrays of the whole race; see `Race`."""
    return _last(chosen, "race")


@lru_cache(maxsize=64)
def basins(chosen: Descent) -> np.ndarray:
    """The minimum that each start of the grid leads to, −1 for none: (racers, grid, grid)."""
    return _last(chosen, "basins")["minimum"]


def _last(chosen: Descent, quantity: str) -> dict[str, np.ndarray]:
    return [r for records in Race(chosen) for r in records if r.quantity == quantity][-1].arrays


def place(chosen: Descent, **wanted: object) -> int:
    """The racer whose method is so."""
    methods = [racer.method for racer in chosen.racers]
    return next(i for i, m in enumerate(methods) if all(getattr(m, k, None) == v for k, v in wanted.items()))


def alone(chosen: Descent, method: object) -> Descent:
    """The race with one racer only."""
    return chosen.model_copy(update={"racers": (Racer(method=method),)})
