"""Norms of weights and of their updates."""

from collections.abc import Sequence
from itertools import repeat

import numpy as np
import torch
from torch import Tensor

from nnviz.engine.norms import norms
from nnviz.engine.watch import Sample, Trace
from nnviz.records import Record, scalars


class Updates:
    """L2 norms, exact over all entries, of each parameter before the update and of the update; their ratio."""

    needs = frozenset({"gradients", "before"})

    def __init__(self, every: int, sites: Sequence[str]) -> None:
        self.every, self.sites = every, list(sites)

    def measure(self, trace: Trace) -> tuple[Tensor, ...]:
        """Weight norms, then update norms, in one row (2 · parameters,)."""
        weights = norms(trace.before)
        torch._foreach_sub_(trace.before, trace.parameters)
        return (torch.cat([weights, norms(trace.before)]),)

    def records(self, samples: Sequence[Sample]) -> list[Record]:
        """weight_norm, update_norm and update_ratio of each parameter; no ratio to a parameter that is all zeros."""
        said: list[Record] = []
        for step, (row,) in samples:
            weights, updates = row.astype(np.float64).reshape(2, -1)
            moving = np.flatnonzero(weights > 0)
            ratios = updates[moving] / weights[moving]
            said += scalars(repeat(step), "weight_norm", weights.tolist(), self.sites)
            said += scalars(repeat(step), "update_norm", updates.tolist(), self.sites)
            said += scalars(repeat(step), "update_ratio", ratios.tolist(), [self.sites[i] for i in moving.tolist()])
        return said
