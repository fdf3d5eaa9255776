"""The signal that backpropagation carries."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from nnviz.engine.norms import norms
from nnviz.engine.watch import Sample, Trace
from nnviz.records import Record, Scalar


class Signal:
    """Root mean square, over samples and units, of the derivative of a sample's loss in each layer's output.

    The loss of a step is the mean over the batch, so its derivative is multiplied by the batch's size."""

    needs = frozenset({"gradients", "signals"})

    def __init__(self, every: int) -> None:
        self.every = every
        self.sites: list[str] = []

    def measure(self, trace: Trace) -> tuple[Tensor, ...]:
        """One row (layers,)."""
        # Backpropagation meets the layers last to first.
        self.sites = list(reversed(trace.signals))
        signals = [trace.signals[s] for s in self.sites]
        found = norms(signals)
        if signals:
            torch._foreach_mul_(found.unbind(), [len(g) / g.numel() ** 0.5 for g in signals])
        return (found,)

    def records(self, samples: Sequence[Sample]) -> list[Record]:
        """signal_rms of each layer."""
        return [
            Scalar(step, "signal_rms", value, site)
            for step, (row,) in samples
            for site, value in zip(self.sites, row.astype(np.float64).tolist(), strict=True)
        ]
