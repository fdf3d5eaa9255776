"""Norms of gradients, weights and updates."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from nnviz.engine.watch import Trace
from nnviz.records import Record, Scalar


class Norms:
    """L2 norms, exact over all entries, of each parameter's gradient as the optimizer sees it, the parameter before the
    update, and the update; the ratio of update to parameter; the gradient's norm over all parameters."""

    needs = frozenset({"gradients", "before"})

    def __init__(self, every: int, sites: Sequence[str]) -> None:
        self.every, self.sites = every, list(sites)

    def measure(self, trace: Trace) -> tuple[Tensor, ...]:
        """Gradient, weight and update norms in one row (3 · parameters,)."""
        gradients = torch._foreach_norm(trace.gradients)
        weights = torch._foreach_norm(trace.before)
        torch._foreach_sub_(trace.before, [p.detach() for p in trace.parameters])
        return (torch.stack([*gradients, *weights, *torch._foreach_norm(trace.before)]),)

    def records(self, step: int, measured: Sequence[np.ndarray]) -> list[Record]:
        """gradient_norm, weight_norm, update_norm and update_ratio of each parameter, gradient_norm_total."""
        gradients, weights, updates = measured[0].astype(np.float64).reshape(3, -1)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = np.where(weights > 0, updates / weights, np.nan)
        said: list[Record] = []
        columns = (("gradient_norm", gradients), ("weight_norm", weights), ("update_norm", updates))
        for quantity, values in (*columns, ("update_ratio", ratios)):
            said += [
                Scalar(step, quantity, v, site)
                for site, v in zip(self.sites, values.tolist(), strict=True)
                if quantity != "update_ratio" or v == v  # no ratio to a parameter that is all zeros
            ]
        total = float(np.sqrt(np.square(gradients).sum()))
        return [*said, Scalar(step, "gradient_norm_total", total, "after_clipping")]
