"""What a run says of itself: scalars and snapshots, the waist between the engine and everything that shows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from typing import NamedTuple

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
