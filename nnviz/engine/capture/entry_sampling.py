"""Some entries of a tensor, so that every row and every column is met equally often."""

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import count
from typing import NamedTuple

import torch
from torch import Tensor

RUN = 8
"""Entries of a run: half a line of a processor's cache. Entries taken one by one from a large tensor that is not in the
cache any more take as long as the whole tensor."""


def evenly(tensor: Tensor, at_most: int = 1024) -> Tensor:
    """Up to `at_most` entries, (entries,), every row and every column met equally often. May share memory with the
    tensor: copy it where that may change."""
    entries = tensor.numel()
    if entries <= at_most:
        return tensor.reshape(-1)
    stride = _stride(entries, entries // tensor.shape[0], at_most)
    if stride is None:
        return tensor.reshape(-1).index_select(0, _places(tensor.shape[0], entries, at_most, tensor.device))
    if tensor.is_contiguous():  # one call in place of two, which counts with hundreds of tensors
        return tensor.as_strided(((entries - 1) // stride + 1,), (stride,))
    return tensor.reshape(-1)[::stride]


@lru_cache(maxsize=512)
def _stride(entries: int, columns: int, at_most: int) -> int | None:
    # A stride that shares a factor with the row meets some columns again and again and others never. None if the next
    # one that does not would leave too few.
    stride = next(n for n in count(-(-entries // at_most)) if math.gcd(n, columns) == 1)
    return stride if entries / stride > 0.9 * at_most else None


@lru_cache(maxsize=512)
def _places(rows: int, entries: int, at_most: int, device: torch.device) -> Tensor:
    # With a count that shares no factor with the rows, the i-th entry's place in its row, i · rows / count mod 1, takes
    # every value k / count once.
    count = next(n for n in range(at_most, 0, -1) if math.gcd(n, rows) == 1)
    return (torch.arange(count) * entries // count).to(device)


class Runs(NamedTuple):
    """Where the runs of a sample are."""

    count: int
    stride: int

    @property
    def entries(self) -> int:
        """How many entries the sample has."""
        return self.count * RUN

    def of(self, tensor: Tensor) -> Tensor:
        """The sample, (runs, 8). May share memory with the tensor."""
        flat = tensor if tensor.is_contiguous() else tensor.contiguous()
        return flat.as_strided((self.count, RUN), (self.stride, 1))


def in_runs(shape: Sequence[int], at_most: int = 2048) -> Runs:
    """Up to `at_most` entries of a tensor that has many more, in runs of 8 that lie side by side."""
    entries = math.prod(shape)
    columns = entries // shape[0]
    # As above: the runs begin at all columns that a multiple of 8 can come to.
    own = columns // math.gcd(columns, RUN)
    runs = entries // RUN
    stride = next(n for n in count(-(-runs * RUN // at_most)) if math.gcd(n, own) == 1)
    return Runs((runs - 1) // stride + 1, stride * RUN)
