"""Statistics and histograms of activations and pre-activations."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from nnviz.engine.watch import Trace
from nnviz.records import Record, Scalar, Snapshot

BINS = 64
PERCENTILES = (5, 25, 50, 75, 95)


class Activations:
    """Mean, deviation, percentiles and 64 even bins of the sampled entries of every layer; dead and saturated shares.

    The device only gathers the samples and each unit's extremes over the batch; sorting them, all layers at once, comes
    later on the CPU.
    """

    needs = frozenset({"gradients", "activations"})

    def __init__(self, every: int) -> None:
        self.every = every
        self.sites: list[str] = []
        self._flat: list[tuple[tuple[float, float], tuple[float, float]]] = []
        # The last batch of an epoch may be smaller.
        self._sizes: dict[int, list[tuple[int, int]]] = {}

    def measure(self, trace: Trace) -> tuple[Tensor, ...]:
        """For each layer pre-activations and activations sampled (entries,), smallest and largest pre-activation of
        each unit (2, units); all in one row, to be moved once."""
        kept = list(trace.activations.values())
        if not kept:
            return ()
        self.sites = list(trace.activations)
        self._flat = [(k.tails.dead, k.tails.saturated) for k in kept]
        self._sizes[trace.step] = [(len(k.sample_in), len(k.lowest)) for k in kept]
        return (torch.cat([t for k in kept for t in (k.sample_in, k.sample_out, k.lowest, k.highest)]),)

    def records(self, step: int, measured: Sequence[np.ndarray]) -> list[Record]:
        """Scalars by layer, and the two histograms."""
        if not measured:
            return []
        row, at = measured[0], 0
        inputs, outputs, said = [], [], []
        sizes = self._sizes.pop(step)
        for site, (n, units), (dead, saturated) in zip(self.sites, sizes, self._flat, strict=True):
            x, y, low, high = np.split(row[at : at + 2 * n + 2 * units], [n, 2 * n, 2 * n + units])
            at += 2 * n + 2 * units
            dead_share = float(((high <= dead[0]) | (low >= dead[1])).mean())
            saturated_share = float(((x <= saturated[0]) | (x >= saturated[1])).mean())
            said += [
                Scalar(step, "dead_share", dead_share, site),
                Scalar(step, "saturated_share", saturated_share, site),
            ]
            inputs.append(x)
            outputs.append(y)
        for name, samples in (("activation", outputs), ("preactivation", inputs)):
            ordered = [np.sort(s) for s in samples]
            for site, values in zip(self.sites, ordered, strict=True):
                said += [Scalar(step, f"{name}_{what}", v, site) for what, v in _statistics(values).items()]
            said.append(Snapshot(step, f"{name}_histogram", even_bins(self.sites, ordered)))
        return said


def _statistics(ordered: np.ndarray) -> dict[str, float]:
    """Mean, deviation and linearly interpolated percentiles of sorted values; in float64, since deep sigmoids differ by
    1e-8 from one sample to the next."""
    values = ordered.astype(np.float64)
    place = np.array(PERCENTILES) / 100 * (len(values) - 1)
    percentiles = np.interp(place, np.arange(len(values)), values)
    named = {f"p{p:02d}": float(v) for p, v in zip(PERCENTILES, percentiles, strict=True)}
    with np.errstate(invalid="ignore"):  # the last samples of a run that diverges are not finite
        return {"mean": float(values.mean()), "std": float(values.std()), **named}


def even_bins(sites: Sequence[str], ordered: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Sorted samples, one array a layer, as counts (layers, BINS) between each layer's smallest and largest value.

    What is not finite is left out. A layer whose values are all the same has them in its first bin.
    """
    low, high = np.zeros(len(sites), np.float32), np.zeros(len(sites), np.float32)
    counts = np.zeros((len(sites), BINS), np.int32)
    for i, values in enumerate(ordered):
        finite = values[np.isfinite(values)]
        if not len(finite):
            continue
        low[i], high[i] = finite[0], finite[-1]
        inner = np.linspace(float(finite[0]), float(finite[-1]), BINS + 1)[1:-1]
        edges = np.concatenate([[0], np.searchsorted(finite, inner, side="left"), [len(finite)]])
        if finite[0] == finite[-1]:
            edges[1:] = len(finite)
        counts[i] = np.diff(edges)
    return {"sites": np.array(sites, dtype=str), "low": low, "high": high, "counts": counts}
