"""The backpropagated signal."""

from collections.abc import Sequence
from itertools import repeat

import numpy as np
from torch import Tensor

from nnviz.engine.capture import Pass, PassSample
from nnviz.engine.tensor_norms import norms
from nnviz.records import Record, scalars


class Signal:
    """Root mean square, over samples and units, of the derivative of a sample's loss with respect to each layer's
    pre-activation: the layer's output, after batch norm where there is one; of the last layer, the network's output.

    The loss of a step is the mean over the batch, so its derivative is multiplied by the batch's size."""

    needs = frozenset({"signals"})

    def __init__(self, every: int) -> None:
        self.every = every

    def measure(self, passes: Sequence[Pass]) -> Tensor:
        """(passes,)."""
        return norms([use.signal for use in passes])

    def records(self, samples: Sequence[PassSample]) -> list[Record]:
        """signal_rms of each layer and pass."""
        records: list[Record] = []
        for step, places, row in samples:
            factors = np.array([place.shape[0] / place.shape.numel() ** 0.5 for place in places])
            found = row.astype(np.float64) * factors
            records += scalars(repeat(step), "signal_rms", found.tolist(), [p.site + p.tag for p in places])
        return records
