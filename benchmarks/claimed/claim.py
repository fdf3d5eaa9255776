"""A sentence of an example, and the measurement that confirms it."""

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Claim:
    """`quote`, from the text of the example `title` on `page`, holds where `measure(seed)` lies in [low, high].

    `what` describes the measurement; `seeds` is the number of seeds from 0, which is the example's own (1 where nothing
    is random and the sentence is about that case alone); `min_fraction` is the fraction of seeds for which it must
    hold.
    """

    page: str
    title: str
    quote: str
    what: str
    measure: Callable[[int], float]
    low: float = -math.inf
    high: float = math.inf
    seeds: int = 5
    min_fraction: float = 1.0

    def holds(self, value: float) -> bool:
        """Whether a measured value confirms the sentence."""
        return self.low <= value <= self.high
