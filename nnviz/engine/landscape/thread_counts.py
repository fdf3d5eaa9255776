"""Numbers of threads for parts of the work; sums depend on them in the last bits."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from nnviz.engine import device


@contextmanager
def threads(work: int) -> Iterator[None]:
    """Sets the number of threads for `work` multiply-adds, and restores it at the end."""
    before = torch.get_num_threads()
    device.set_threads(work)
    try:
        yield
    finally:
        torch.set_num_threads(before)
