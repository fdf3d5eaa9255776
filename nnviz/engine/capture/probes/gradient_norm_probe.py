"""Norms of gradients."""

from collections.abc import Sequence
from itertools import repeat

import numpy as np
from torch import Tensor

from nnviz.engine.capture import Update, UpdateSample
from nnviz.engine.tensor_norms import norms
from nnviz.records import Record, Scalar, scalars


class GradientNorms:
    """L2 norm, over all entries, of each parameter's gradient as the optimizer sees it, and over all parameters."""

    needs = frozenset({"gradients"})

    def __init__(self, every: int) -> None:
        self.every = every

    def measure(self, update: Update) -> Tensor:
        """(parameters,)."""
        return norms(update.gradients)

    def records(self, samples: Sequence[UpdateSample]) -> list[Record]:
        """gradient_norm of each parameter, and gradient_norm_total of each root, after clipping."""
        records: list[Record] = []
        for step, layout, values in samples:
            found = values.astype(np.float64)
            records += scalars(repeat(step), "gradient_norm", found.tolist(), layout.sites)
            for root, rows, _ in layout.groups:
                total = float(np.sqrt(np.square(found[rows]).sum()))
                records.append(Scalar(step, "gradient_norm_total", total, root))
        return records
