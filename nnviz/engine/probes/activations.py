"""Statistics of activations and pre-activations."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from nnviz.engine.activations import derivative, steepest
from nnviz.engine.watch import Trace
from nnviz.records import Record, Scalar

SAMPLED = 1024
"""Entries of a layer, evenly spread, that percentiles are taken of."""

PERCENTILES = (5, 25, 50, 75, 95)
DEAD = 1e-3
SATURATED = 0.05

COLUMNS = (
    *(f"{what}_{s}" for what in ("activation", "preactivation") for s in ("mean", "std")),
    "dead_share",
    "saturated_share",
    *(f"{what}_p{p:02d}" for what in ("activation", "preactivation") for p in PERCENTILES),
)


class Activations:
    """Mean, deviation, percentiles; the share of dead units (|φ′| < 0.001 on every sample of the batch) and of
    saturated entries (|φ′| below a twentieth of its largest value)."""

    needs = frozenset({"gradients", "activations"})

    def __init__(self, every: int) -> None:
        self.every = every
        self.sites: list[str] = []
        self._steepest: dict[int, float] = {}

    def measure(self, trace: Trace) -> tuple[Tensor, ...]:
        """One row (len(COLUMNS),) a layer, layers of equal shape and function measured together."""
        self.sites = list(trace.activations)
        rows: dict[str, Tensor] = {}
        for group in _groups(trace).values():
            module = trace.activations[group[0]][0]
            x = torch.stack([trace.activations[s][1] for s in group])
            y = torch.stack([trace.activations[s][2] for s in group])
            slope = derivative(module, x).abs_()
            saturated = slope < SATURATED * self._steepest_of(module)
            dead = (slope < DEAD).all(1)
            columns = [*_mean_std(y), *_mean_std(x), dead.float().mean(1), saturated.float().mean((1, 2))]
            values = torch.cat([torch.stack(columns, 1), _percentiles(y), _percentiles(x)], 1)
            rows.update(zip(group, values, strict=True))
        return (torch.stack([rows[s] for s in self.sites]),) if rows else ()

    def _steepest_of(self, module: nn.Module) -> float:
        if id(module) not in self._steepest:
            self._steepest[id(module)] = steepest(module)
        return self._steepest[id(module)]

    def records(self, step: int, measured: Sequence[np.ndarray]) -> list[Record]:
        """One scalar for each of COLUMNS and each activation."""
        return [
            Scalar(step, quantity, value, site)
            for table in measured
            for site, row in zip(self.sites, table.astype(np.float64).tolist(), strict=True)
            for quantity, value in zip(COLUMNS, row, strict=True)
        ]


def _groups(trace: Trace) -> dict[object, list[str]]:
    """Sites that one call can measure: same function (without parameters of its own) and same shape."""
    groups: dict[object, list[str]] = {}
    for site, (module, x, _) in trace.activations.items():
        alone = site if any(True for _ in module.parameters()) else ""
        groups.setdefault((type(module), module.extra_repr(), x.shape, alone), []).append(site)
    return groups


def _mean_std(values: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation of each layer of (layers, batch, units). Centered first: deep sigmoids differ by 1e-8."""
    flat = values.flatten(1)
    mean = flat.mean(1, keepdim=True)
    return mean[:, 0], torch.linalg.vector_norm(flat - mean, dim=1) / flat.shape[1] ** 0.5


def _percentiles(values: Tensor) -> Tensor:
    """(layers, len(PERCENTILES)) of evenly spread entries, linearly interpolated as numpy does."""
    flat = values.flatten(1)
    # A stride that shares no factor with the width walks over all units.
    stride = max(1, flat.shape[1] // SAMPLED) | 1
    ordered = flat[:, ::stride][:, :SAMPLED].sort(1).values
    place = torch.tensor(PERCENTILES, device=flat.device) / 100 * (ordered.shape[1] - 1)
    low = place.floor().long()
    high = (low + 1).clamp_max(ordered.shape[1] - 1)
    return torch.lerp(ordered[:, low], ordered[:, high], (place - low).expand(len(flat), -1))
