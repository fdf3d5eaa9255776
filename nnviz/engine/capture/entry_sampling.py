"""Samples of a tensor's entries in which all rows and all columns occur equally often."""

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import count
from typing import NamedTuple

import torch
from torch import Tensor

BLOCK = 8
"""Adjacent entries in a block: half a cache line. Single entries of a large tensor that is not in the cache take as
long to read as the whole tensor."""


def evenly(tensor: Tensor, at_most: int = 1024) -> Tensor:
    """Up to `at_most` entries, (entries,), in which all rows and all columns occur equally often. May share memory
    with the tensor: copy it if the tensor may change."""
    entries = tensor.numel()
    if entries <= at_most:
        return tensor.reshape(-1)
    stride = _stride(entries, entries // tensor.shape[0], at_most)
    if stride is None:
        return tensor.reshape(-1).index_select(0, _places(tensor.shape[0], entries, at_most, tensor.device))
    if tensor.is_contiguous():  # one call instead of two: faster for hundreds of tensors
        return tensor.as_strided(((entries - 1) // stride + 1,), (stride,))
    return tensor.reshape(-1)[::stride]


@lru_cache(maxsize=512)
def _stride(entries: int, columns: int, at_most: int) -> int | None:
    # A stride with a common factor with the row length visits some columns only. None if the next one without would
    # give too few entries.
    stride = next(n for n in count(-(-entries // at_most)) if math.gcd(n, columns) == 1)
    return stride if entries / stride > 0.9 * at_most else None


@lru_cache(maxsize=512)
def _places(rows: int, entries: int, at_most: int, device: torch.device) -> Tensor:
    # With a count that shares no factor with the rows, the i-th entry's place in its row, i · rows / count mod 1, takes
    # every value k / count once.
    count = next(n for n in range(at_most, 0, -1) if math.gcd(n, rows) == 1)
    return (torch.arange(count) * entries // count).to(device)


class Blocks(NamedTuple):
    """The blocks of a sample, at equal strides."""

    count: int
    stride: int

    @property
    def entries(self) -> int:
        """How many entries the sample has."""
        return self.count * BLOCK

    def of(self, tensor: Tensor) -> Tensor:
        """The sample, (blocks, 8). May share memory with the tensor."""
        flat = tensor if tensor.is_contiguous() else tensor.contiguous()
        return flat.as_strided((self.count, BLOCK), (self.stride, 1))


def in_blocks(shape: Sequence[int], at_most: int = 2048) -> Blocks:
    """Up to `at_most` entries of a tensor that has many more, in blocks of 8 adjacent entries."""
    entries = math.prod(shape)
    columns = entries // shape[0]
    # As above: the blocks begin at all columns that a multiple of 8 can reach.
    reachable = columns // math.gcd(columns, BLOCK)
    blocks = entries // BLOCK
    stride = next(n for n in count(-(-blocks * BLOCK // at_most)) if math.gcd(n, reachable) == 1)
    return Blocks((blocks - 1) // stride + 1, stride * BLOCK)
