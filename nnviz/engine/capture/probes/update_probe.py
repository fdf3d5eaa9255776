"""Norms of weights and of their updates."""

from collections.abc import Sequence
from itertools import repeat

import numpy as np
import torch
from torch import Tensor

from nnviz.engine.capture import Update, UpdateSample
from nnviz.engine.tensor_norms import norms
from nnviz.records import Record, scalars


class Updates:
    """L2 norms, exact over all entries, of each parameter before the update and of the update; their ratio."""

    needs = frozenset({"gradients", "before"})

    def __init__(self, every: int) -> None:
        self.every = every

    def measure(self, update: Update) -> Tensor:
        """Weight norms and update norms, (parameters, 2)."""
        weights = norms(update.before)
        torch._foreach_sub_(update.before, update.parameters)
        return torch.stack([weights, norms(update.before)], 1)

    def records(self, samples: Sequence[UpdateSample]) -> list[Record]:
        """weight_norm, update_norm and update_ratio of each parameter; no ratio for a parameter that is all zeros,
        and at step 0, which has no update, the weight norms alone."""
        records: list[Record] = []
        for step, layout, values in samples:
            weights, updates = values.astype(np.float64).T
            records += scalars(repeat(step), "weight_norm", weights.tolist(), layout.sites)
            if step == 0:
                continue
            moving = np.flatnonzero(weights > 0)
            ratios = updates[moving] / weights[moving]
            records += scalars(repeat(step), "update_norm", updates.tolist(), layout.sites)
            sites = [layout.sites[i] for i in moving.tolist()]
            records += scalars(repeat(step), "update_ratio", ratios.tolist(), sites)
        return records
