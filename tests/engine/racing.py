"""Short races and what they said."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnviz.engine.descent.race import Race
from nnviz.records import Record
from nnviz.spec.descent import Descent, Racer
from nnviz.spec.methods import Method


def job(surface: Any, methods: Sequence[Method], **changes: Any) -> Descent:
    """A race of these methods, from the surface's own start."""
    start = dict(zip("xy", surface.start, strict=True))
    return Descent(surface=surface, racers=tuple(Racer(method=m) for m in methods), **{**start, **changes})


def said(race: Race) -> list[Record]:
    """Everything that is left for a race to say."""
    return [record for records in race for record in records]


def race(chosen: Descent) -> dict[str, np.ndarray]:
    """The arrays of the whole race."""
    return last(said(Race(chosen)), "race")


def last(records: Sequence[Record], quantity: str) -> Any:
    """The last picture of that name."""
    return [r for r in records if r.quantity == quantity][-1].arrays
