"""Histograms of gradients and weights by power of two."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from nnviz.engine.watch import Sample, Trace, evenly
from nnviz.records import Record, Snapshot

SAMPLED = 2048
EXPONENTS = 512
"""A float32's sign and exponent bits: 256 powers of two on either side of zero."""


class Histograms:
    """Gradients and weights by power of two, in bins that are the same for every layer, step and run."""

    needs = frozenset({"gradients"})

    def __init__(self, every: int, sites: Sequence[str]) -> None:
        self.every, self.sites = every, list(sites)
        self._rows: Tensor | None = None

    def measure(self, trace: Trace) -> tuple[Tensor, ...]:
        """Counts (2 · parameters, 512), gradients before weights, in one bincount: the top nine bits of a float32 are
        its sign and its power of two."""
        tensors = [evenly(t.detach(), SAMPLED) for t in (*trace.gradients, *trace.parameters)]
        if self._rows is None:
            rows = torch.arange(len(tensors), dtype=torch.int32) * EXPONENTS
            self._rows = rows.repeat_interleave(torch.tensor([len(t) for t in tensors])).to(tensors[0].device)
        bits = torch.cat(tensors).float().view(torch.int32)
        index = bits.bitwise_right_shift_(23).bitwise_and_(EXPONENTS - 1).add_(self._rows)
        return (torch.bincount(index, minlength=len(tensors) * EXPONENTS),)

    def records(self, samples: Sequence[Sample]) -> list[Record]:
        """gradient_histogram and weight_histogram."""
        said: list[Record] = []
        for step, (counts,) in samples:
            gradients, weights = counts.reshape(2, len(self.sites), EXPONENTS)
            said += [
                Snapshot(step, "gradient_histogram", exponent_arrays(self.sites, gradients)),
                Snapshot(step, "weight_histogram", exponent_arrays(self.sites, weights)),
            ]
        return said


def exponent_arrays(sites: Sequence[str], counts: np.ndarray) -> dict[str, np.ndarray]:
    """Raw counts (parameters, 512) as a histogram: the exponents that occur, and counts by sign.

    Bin 0 holds zero and what is below 2^−126, bin 255 infinities and nan.
    """
    positive, negative = counts[:, :256], counts[:, 256:]
    used = np.flatnonzero((positive + negative)[:, 1:255].any(0)) + 1
    span = slice(used[0], used[-1] + 1) if len(used) else slice(0, 0)
    return {
        "sites": np.array(sites, dtype=str),
        "zero": positive[:, 0] + negative[:, 0],
        "nonfinite": positive[:, 255] + negative[:, 255],
        "exponents": np.arange(256, dtype=np.int16)[span] - 127,
        "negative": negative[:, span].astype(np.int32),
        "positive": positive[:, span].astype(np.int32),
    }
