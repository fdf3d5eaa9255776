"""How many threads compute what; sums over more of them come out in another order."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from nnviz.engine import device


@contextmanager
def threads(work: int) -> Iterator[None]:
    """As many as `work` multiply-adds want; then again those that others in the process count on."""
    before = torch.get_num_threads()
    device.set_threads(work)
    try:
        yield
    finally:
        torch.set_num_threads(before)
