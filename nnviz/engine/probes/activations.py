"""Statistics and histograms of activations and pre-activations."""

from collections.abc import Iterator, Sequence

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
        layers = len(self.sites)
        bins = {name: _empty_bins(layers) for name in ("activation", "preactivation")}
        for rows, ordered in _by_length([*outputs, *inputs]):
            where = [("activation", i) if i < layers else ("preactivation", i - layers) for i in rows]
            for what, values in _statistics(ordered).items():
                said += [
                    Scalar(step, f"{name}_{what}", v, self.sites[i])
                    for (name, i), v in zip(where, values.tolist(), strict=True)
                ]
            for array, part in even_bins(ordered).items():
                for (name, i), row in zip(where, part, strict=True):
                    bins[name][array][i] = row
        sites = np.array(self.sites, dtype=str)
        return said + [Snapshot(step, f"{name}_histogram", {"sites": sites, **found}) for name, found in bins.items()]


def _by_length(samples: Sequence[np.ndarray]) -> Iterator[tuple[list[int], np.ndarray]]:
    """Samples of equal length stacked and sorted, (layers, entries), with the places of those layers. All layers at
    once where they can be: the cost is in the number of calls."""
    groups: dict[int, list[int]] = {}
    for i, sample in enumerate(samples):
        groups.setdefault(len(sample), []).append(i)
    for rows in groups.values():
        yield rows, np.sort(np.stack([samples[i] for i in rows]), axis=1)


def _statistics(ordered: np.ndarray) -> dict[str, np.ndarray]:
    """Mean, deviation and linearly interpolated percentiles of each sorted row (layers, entries), each (layers,); in
    float64, since deep sigmoids differ by 1e-8 from one sample to the next."""
    values = ordered.astype(np.float64)
    place = np.array(PERCENTILES) / 100 * (values.shape[1] - 1)
    below = place.astype(int)
    above = np.minimum(below + 1, values.shape[1] - 1)
    with np.errstate(invalid="ignore"):  # the last samples of a run that diverges are not finite
        share = place - below
        # Where a percentile falls on an entry the next one must not count: it may be infinite.
        step = np.where(share > 0, values[:, above] - values[:, below], 0) * share
        found = values[:, below] + step
        moments = {"mean": values.mean(1), "std": values.std(1)}
    return moments | {f"p{p:02d}": found[:, i] for i, p in enumerate(PERCENTILES)}


def _empty_bins(layers: int) -> dict[str, np.ndarray]:
    ends = np.zeros(layers, np.float32)
    return {"low": ends, "high": ends.copy(), "counts": np.zeros((layers, BINS), np.int32)}


def even_bins(ordered: np.ndarray) -> dict[str, np.ndarray]:
    """Sorted rows (layers, entries) as counts (layers, BINS) between each row's smallest and largest value.

    What is not finite is left out. A row whose values are all the same has them in its first bin.
    """
    found = _empty_bins(len(ordered))
    is_finite = np.isfinite(ordered[:, (0, -1)]).all()  # sorted, with nan last: then all are
    rows = list(ordered) if is_finite else [row[np.isfinite(row)] for row in ordered]
    ends = np.array([(row[0], row[-1]) if len(row) else (0, 0) for row in rows], np.float32)
    found["low"][:], found["high"][:] = ends.T
    edges = np.linspace(ends[:, 0].astype(np.float64), ends[:, 1].astype(np.float64), BINS + 1, axis=1)[:, 1:-1]
    cuts = np.zeros((len(rows), BINS + 1), np.int32)
    for i, (row, inner) in enumerate(zip(rows, edges, strict=True)):
        cuts[i, 1:BINS] = np.searchsorted(row, inner, side="left") if ends[i, 0] < ends[i, 1] else len(row)
        cuts[i, -1] = len(row)
    found["counts"] = np.diff(cuts, axis=1)
    return found
