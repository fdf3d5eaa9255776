"""A sentence of an example, and the number that it stands or falls with."""

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Claim:
    """`quote`, from the text of the example `title` on `page`, holds where `measure(seed)` lies in [low, high].

    `what` says in words what is measured; `seeds` how many are tried, 0 first, which is the example's own (one where
    nothing is random and the sentence is about that very case); `enough` which share of them must bear the claim out.
    """

    page: str
    title: str
    quote: str
    what: str
    measure: Callable[[int], float]
    low: float = -math.inf
    high: float = math.inf
    seeds: int = 5
    enough: float = 1.0

    def holds(self, value: float) -> bool:
        """Whether a measured value bears the sentence out."""
        return self.low <= value <= self.high
