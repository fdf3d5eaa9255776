"""Norms of gradients."""

from collections.abc import Sequence
from itertools import repeat

import numpy as np
from torch import Tensor

from nnviz.engine.norms import norms
from nnviz.engine.watch import Sample, Trace
from nnviz.records import Record, Scalar, scalars


class GradientNorms:
    """L2 norm, over all entries, of each parameter's gradient as the optimizer sees it, and over all parameters."""

    needs = frozenset({"gradients"})

    def __init__(self, every: int, sites: Sequence[str]) -> None:
        self.every, self.sites = every, list(sites)

    def measure(self, trace: Trace) -> tuple[Tensor, ...]:
        """One row (parameters,)."""
        return (norms(trace.gradients),)

    def records(self, samples: Sequence[Sample]) -> list[Record]:
        """gradient_norm of each parameter and gradient_norm_total after clipping."""
        said: list[Record] = []
        for step, (row,) in samples:
            found = row.astype(np.float64)
            said += scalars(repeat(step), "gradient_norm", found.tolist(), self.sites)
            total = float(np.sqrt(np.square(found).sum()))
            said.append(Scalar(step, "gradient_norm_total", total, "after_clipping"))
        return said
