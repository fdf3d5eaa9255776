"""Norms of weights and of their updates."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from nnviz.engine.norms import norms
from nnviz.engine.watch import Sample, Trace
from nnviz.records import Record, Scalar


class Updates:
    """L2 norms, exact over all entries, of each parameter before the update and of the update; their ratio."""

    needs = frozenset({"gradients", "before"})

    def __init__(self, every: int, sites: Sequence[str]) -> None:
        self.every, self.sites = every, list(sites)

    def measure(self, trace: Trace) -> tuple[Tensor, ...]:
        """Weight norms, then update norms, in one row (2 · parameters,)."""
        weights = norms(trace.before)
        torch._foreach_sub_(trace.before, [p.detach() for p in trace.parameters])
        return (torch.cat([weights, norms(trace.before)]),)

    def records(self, samples: Sequence[Sample]) -> list[Record]:
        """weight_norm, update_norm and update_ratio of each parameter; no ratio to a parameter that is all zeros."""
        said: list[Record] = []
        for step, (row,) in samples:
            weights, updates = row.astype(np.float64).reshape(2, -1).tolist()
            for site, weight, update in zip(self.sites, weights, updates, strict=True):
                said += [Scalar(step, "weight_norm", weight, site), Scalar(step, "update_norm", update, site)]
                if weight > 0:
                    said.append(Scalar(step, "update_ratio", update / weight, site))
        return said
