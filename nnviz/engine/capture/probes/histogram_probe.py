"""Histograms of gradients and weights by power of two."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from nnviz.engine.capture import Update, UpdateSample
from nnviz.engine.capture.entry_sampling import Blocks, evenly, in_blocks
from nnviz.records import Record, Snapshot

MAX_ENTRIES = 2048
BLOCKS_ABOVE = 8 * MAX_ENTRIES
"""Tensors with more entries are sampled in blocks; smaller ones would give too few blocks."""
EXPONENTS = 513
"""A float32's sign and exponent bits, 256 powers of two on either side of zero; and zero itself."""


class Histograms:
    """Gradients and weights by power of two, in bins that are the same for every layer, step and run."""

    needs = frozenset({"gradients"})

    def __init__(self, every: int) -> None:
        self.every = every
        self._sampling: dict[str, _Sampling] = {}

    def measure(self, update: Update) -> Tensor:
        """Counts (parameters, 2, 513), gradients before weights, in one bincount: the top nine bits of a float32 are
        its sign and its power of two."""
        tensors = [*update.gradients, *update.parameters]
        if update.optimizer not in self._sampling:
            self._sampling[update.optimizer] = _Sampling(tensors)
        sampling = self._sampling[update.optimizer]
        small = [tensors[i].reshape(-1) for i in sampling.small]
        small += [evenly(tensors[i], MAX_ENTRIES) for i in sampling.medium]
        large = [view.of(tensors[i]) for i, view in sampling.views]
        # This copies; adding 0 makes −0 and 0 the same.
        bits = torch.cat([torch.cat(large).view(-1), *small] if large else small).float().add_(0.0).view(torch.int32)
        zero = torch.eq(bits, 0, out=torch.empty_like(bits))
        # The shift keeps the sign: −256 … −1 of negative numbers, 0 … 255 of the others; zero becomes 256.
        index = bits.bitwise_right_shift_(23).add_(zero, alpha=256).add_(sampling.rows)
        counts = torch.bincount(index, minlength=len(tensors) * EXPONENTS)
        return counts.view(2, len(update.parameters), EXPONENTS).transpose(0, 1)

    def records(self, samples: Sequence[UpdateSample]) -> list[Record]:
        """gradient_histogram and weight_histogram of each root."""
        records: list[Record] = []
        for step, layout, counts in samples:
            for root, rows, sites in layout.groups:
                for column, quantity in enumerate(("gradient_histogram", "weight_histogram")):
                    records.append(Snapshot(step, quantity, exponent_arrays(sites, counts[rows, column]), root))
        return records


class _Sampling:
    """What is the same at every update of an optimizer: the sampled entries of its tensors, and the row of counts of
    each."""

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        sizes = [t.numel() for t in tensors]
        large = [i for i, size in enumerate(sizes) if size > BLOCKS_ABOVE]
        self.medium = [i for i, size in enumerate(sizes) if MAX_ENTRIES < size <= BLOCKS_ABOVE]
        self.small = [i for i, size in enumerate(sizes) if size <= MAX_ENTRIES]  # counted whole
        self.views: list[tuple[int, Blocks]] = [(i, in_blocks(tensors[i].shape, MAX_ENTRIES)) for i in large]
        counts = [view.entries for _, view in self.views] + [sizes[i] for i in self.small]
        counts += [len(evenly(tensors[i], MAX_ENTRIES)) for i in self.medium]
        rows = torch.tensor([*large, *self.small, *self.medium], dtype=torch.int32) * EXPONENTS + 256
        self.rows = rows.repeat_interleave(torch.tensor(counts)).to(tensors[0].device)


def exponent_arrays(sites: Sequence[str], counts: np.ndarray) -> dict[str, np.ndarray]:
    """Raw counts (parameters, 513) as a histogram: the range of exponents that occur, and counts by sign.

    Negative numbers come before the others, zero is last. Exponent −127 stands for all that is below 2^−126, where
    float32 has fewer and fewer digits (subnormal numbers); the bins of 255 hold infinities and nan.
    """
    negative, positive, zero = counts[:, :256], counts[:, 256:512], counts[:, 512]
    used = np.flatnonzero((positive + negative)[:, :255].any(0))
    span = slice(used[0], used[-1] + 1) if len(used) else slice(0, 0)
    return {
        "sites": np.array(sites, dtype=str),
        "zero": zero,
        "nonfinite": positive[:, 255] + negative[:, 255],
        "exponents": np.arange(256, dtype=np.int16)[span] - 127,
        "negative": negative[:, span].astype(np.int32),
        "positive": positive[:, span].astype(np.int32),
    }
