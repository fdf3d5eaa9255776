"""The signal that backpropagation carries."""

from collections.abc import Sequence
from itertools import repeat

import numpy as np
from torch import Tensor

from nnviz.engine.norms import norms
from nnviz.engine.watch import Sample, Trace
from nnviz.records import Record, scalars


class Signal:
    """Root mean square, over samples and units, of the derivative of a sample's loss in what enters each layer's
    activation: the layer's output, after batch norm where there is one; of the last layer, the network's output.

    The loss of a step is the mean over the batch, so its derivative is multiplied by the batch's size."""

    needs = frozenset({"gradients", "signals"})

    def __init__(self, every: int) -> None:
        self.every = every
        self.sites: list[str] = []
        # The last batch of an epoch may be smaller.
        self._factors: dict[int, list[float]] = {}

    def measure(self, trace: Trace) -> tuple[Tensor, ...]:
        """One row (layers,)."""
        # Backpropagation meets the layers last to first.
        self.sites = list(reversed(trace.signals))
        signals = [trace.signals[s] for s in self.sites]
        self._factors[trace.step] = [len(g) / g.numel() ** 0.5 for g in signals]
        return (norms(signals),)

    def records(self, samples: Sequence[Sample]) -> list[Record]:
        """signal_rms of each layer."""
        said: list[Record] = []
        for step, (row,) in samples:
            found = row.astype(np.float64) * self._factors.pop(step)
            said += scalars(repeat(step), "signal_rms", found.tolist(), self.sites)
        return said
