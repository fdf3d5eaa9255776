"""Histograms of all layers at once."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from nnviz.engine.watch import Trace
from nnviz.records import Record, Snapshot

SAMPLED = 2048
BINS = 64
EXPONENTS = 512
"""A float32's sign and exponent bits: 256 powers of two on either side of zero."""


class Histograms:
    """Activations and pre-activations in 64 even bins between the smallest and largest of 2,048 entries a layer;
    weights and gradients by power of two, all entries counted, in bins that are the same everywhere."""

    needs = frozenset({"gradients", "activations"})

    def __init__(self, every: int, sites: Sequence[str]) -> None:
        self.every, self.sites = every, list(sites)
        self.activation_sites: list[str] = []
        self._rows: Tensor | None = None

    def measure(self, trace: Trace) -> tuple[Tensor, ...]:
        """Power-of-two counts of gradients and weights (parameters, 512), then low, high and counts of activations and
        pre-activations."""
        measured = [self._by_exponent(trace.gradients), self._by_exponent([p.detach() for p in trace.parameters])]
        self.activation_sites = list(trace.activations)
        if trace.activations:
            measured += _even_bins([y for _, _, y in trace.activations.values()])
            measured += _even_bins([x for _, x, _ in trace.activations.values()])
        return tuple(measured)

    def _by_exponent(self, tensors: Sequence[Tensor]) -> Tensor:
        """Counts (tensors, 512) in one bincount: the top nine bits of a float32 are its sign and its power of two."""
        if self._rows is None or self._rows.device != tensors[0].device:
            rows = torch.arange(len(tensors), dtype=torch.int32) * EXPONENTS
            sizes = torch.tensor([t.numel() for t in tensors])
            self._rows = rows.repeat_interleave(sizes).to(tensors[0].device)
        bits = torch.cat([t.flatten() for t in tensors]).float().view(torch.int32)
        index = bits.bitwise_right_shift_(23).bitwise_and_(EXPONENTS - 1).add_(self._rows)
        return torch.bincount(index, minlength=len(tensors) * EXPONENTS).reshape(-1, EXPONENTS)

    def records(self, step: int, measured: Sequence[np.ndarray]) -> list[Record]:
        """gradient_histogram, weight_histogram and, where there are activations, theirs."""
        gradients, weights, *rest = measured
        said: list[Record] = [
            Snapshot(step, "gradient_histogram", exponent_arrays(self.sites, gradients)),
            Snapshot(step, "weight_histogram", exponent_arrays(self.sites, weights)),
        ]
        sites = np.array(self.activation_sites, dtype=str)
        for quantity, (low, high, counts) in zip(
            ("activation_histogram", "preactivation_histogram"), (rest[:3], rest[3:]) if rest else (), strict=False
        ):
            said.append(
                Snapshot(step, quantity, {"sites": sites, "low": low, "high": high, "counts": counts.astype(np.int32)})
            )
        return said


def exponent_arrays(sites: Sequence[str], counts: np.ndarray) -> dict[str, np.ndarray]:
    """Raw counts (parameters, 512) as a histogram: the exponents that occur, and counts by sign.

    Bin 0 holds zero and what is below 2^−126, bin 255 infinities and nan.
    """
    positive, negative = counts[:, :256], counts[:, 256:]
    used = np.flatnonzero((positive + negative)[:, 1:255].any(0)) + 1
    span = np.arange(used[0], used[-1] + 1) if len(used) else np.arange(0)
    return {
        "sites": np.array(sites, dtype=str),
        "zero": positive[:, 0] + negative[:, 0],
        "nonfinite": positive[:, 255] + negative[:, 255],
        "exponents": (span - 127).astype(np.int16),
        "negative": negative[:, span].astype(np.int32),
        "positive": positive[:, span].astype(np.int32),
    }


def _even_bins(layers: Sequence[Tensor]) -> list[Tensor]:
    """low (layers,), high (layers,), counts (layers, 64) of up to 2,048 evenly spread entries of each layer."""
    samples = [t.flatten()[:: max(1, t.numel() // SAMPLED) | 1][:SAMPLED] for t in layers]
    if len({len(s) for s in samples}) == 1:
        return _bin(torch.stack(samples))
    parts = [_bin(s[None]) for s in samples]
    return [torch.cat(column) for column in zip(*parts, strict=True)]


def _bin(samples: Tensor) -> list[Tensor]:
    """The same for (layers, n): one scaling and one bincount. What is not finite is left out of the counts."""
    finite = samples.isfinite()
    low = samples.where(finite, torch.inf).amin(1)
    high = samples.where(finite, -torch.inf).amax(1)
    width = (high - low).clamp_min(torch.finfo(samples.dtype).tiny)
    place = ((samples - low[:, None]) / width[:, None] * BINS).nan_to_num(0).clamp(0, BINS - 1).long()
    # One bin more than shown takes what is not finite.
    place = place.where(finite, BINS) + torch.arange(len(samples), device=samples.device)[:, None] * (BINS + 1)
    counts = torch.bincount(place.flatten(), minlength=len(samples) * (BINS + 1)).reshape(-1, BINS + 1)[:, :BINS]
    return [low, high, counts]
