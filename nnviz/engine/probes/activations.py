"""Statistics and histograms of activations and pre-activations."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from nnviz.engine.watch import Sample, Trace
from nnviz.records import Record, Snapshot, scalars

BINS = 64
PERCENTILES = (5, 25, 50, 75, 95)
Place = tuple[np.ndarray, np.ndarray]
"""Places of steps, and of layers."""


class Activations:
    """Mean, deviation, percentiles and 64 even bins of the sampled entries of every layer.

    The device only gathers the samples; sorting them, all layers and steps at once, comes later on the CPU.
    """

    needs = frozenset({"gradients", "activations"})

    def __init__(self, every: int) -> None:
        self.every = every
        self.sites: list[str] = []
        # The last batch of an epoch may be smaller.
        self._entries: dict[int, list[int]] = {}

    def measure(self, trace: Trace) -> tuple[Tensor, ...]:
        """What is kept of all layers in one row, to be moved once."""
        kept = list(trace.activations.values())
        if not kept:
            return ()
        if not self.sites:
            self.sites = list(trace.activations)
        self._entries[trace.step] = [k.entries for k in kept]
        return (torch.cat([k.row for k in kept]),)

    def records(self, samples: Sequence[Sample]) -> list[Record]:
        """Scalars by layer, and the two histograms."""
        said: list[Record] = []
        steps = [step for step, measured in samples if measured]
        shape = (len(steps), len(self.sites))
        bins = {name: _empty_bins(shape) for name in ("activation", "preactivation")}
        for entries, at, rows in self._by_size(samples):
            at_steps, at_sites = [steps[s] for s in at[0]], [self.sites[layer] for layer in at[1]]
            x, y = rows[:, :entries], rows[:, entries:]
            found = {}
            # In float64, since deep sigmoids differ by 1e-8 from one sample to the next.
            ordered = np.sort(np.concatenate([y, x]), axis=1).astype(np.float64)
            n = len(y)
            for what, values in _statistics(ordered).items():
                found["activation_" + what], found["preactivation_" + what] = values[:n], values[n:]
            for array, counted in even_bins(ordered).items():
                bins["activation"][array][at], bins["preactivation"][array][at] = counted[:n], counted[n:]
            for quantity, values in found.items():
                said += scalars(at_steps, quantity, values.tolist(), at_sites)
        sites = np.array(self.sites, dtype=str)
        for name, arrays in bins.items():
            said += [
                Snapshot(step, f"{name}_histogram", {"sites": sites, **{key: a[i] for key, a in arrays.items()}})
                for i, step in enumerate(steps)
            ]
        return said

    def _by_size(self, samples: Sequence[Sample]) -> Iterator[tuple[int, Place, np.ndarray]]:
        """Layers of equal size, of all steps: (entries, places, rows). The cost is in the number of calls."""
        groups: dict[int, list[tuple[int, int, np.ndarray]]] = {}
        for s, (step, (row,)) in enumerate((step, measured) for step, measured in samples if measured):
            begin = 0
            for layer, entries in enumerate(self._entries.pop(step)):
                groups.setdefault(entries, []).append((s, layer, row[begin : begin + 2 * entries]))
                begin += 2 * entries
        for entries, group in groups.items():
            s, layers, rows = zip(*group, strict=True)
            yield entries, (np.array(s), np.array(layers)), np.stack(rows)


def _statistics(values: np.ndarray) -> dict[str, np.ndarray]:
    """Mean, deviation and linearly interpolated percentiles of each sorted row (layers, entries), each (layers,)."""
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


def _empty_bins(shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    ends = np.zeros(shape, np.float32)
    return {"low": ends, "high": ends.copy(), "counts": np.zeros((*shape, BINS), np.int32)}


def even_bins(values: np.ndarray) -> dict[str, np.ndarray]:
    """Sorted rows (layers, entries) of float64 as counts (layers, BINS) between each row's smallest and largest value.

    What is not finite is left out. A row whose values are all the same has them in its first bin.
    """
    low, high = values[:, 0], values[:, -1]
    is_finite = np.isfinite(low) & np.isfinite(high)  # sorted, with nan last: then all are
    kept: np.ndarray | slice = slice(None)
    if not is_finite.all():
        kept = np.isfinite(values)
        low = np.min(values, axis=1, where=kept, initial=np.inf)
        high = np.max(values, axis=1, where=kept, initial=-np.inf)
        low, high = (np.where(kept.any(1), ends, 0) for ends in (low, high))
    scale = np.divide(BINS, high - low, out=np.zeros(len(values)), where=high > low)
    with np.errstate(invalid="ignore"):  # where they are not finite
        place = np.minimum((values - low[:, None]) * scale[:, None], BINS - 1)
    place += np.arange(0, len(values) * BINS, BINS)[:, None]
    counts = np.bincount(place[kept].ravel().astype(np.intp), minlength=len(values) * BINS)
    return {
        "low": low.astype(np.float32),
        "high": high.astype(np.float32),
        "counts": counts.reshape(-1, BINS).astype(np.int32),
    }
