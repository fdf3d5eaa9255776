"""Statistics and histograms of activations and pre-activations."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from nnviz.engine.capture import Pass, PassSample
from nnviz.records import Record, Snapshot, scalars

BINS = 64
PERCENTILES = (5, 25, 50, 75, 95)


class Activations:
    """Mean, deviation, percentiles and 64 even bins of the sampled entries of every layer.

    The device only gathers the samples; they are sorted later on the CPU, all layers and steps at once.
    """

    needs = frozenset({"activations"})

    def __init__(self, every: int) -> None:
        self.every = every

    def measure(self, passes: Sequence[Pass]) -> Tensor:
        """The samples of all layers in one row, for one transfer."""
        return torch.cat([use.samples for use in passes]).float()  # NumPy has no bfloat16

    def records(self, samples: Sequence[PassSample]) -> list[Record]:
        """Scalars by layer and pass, and of each root and pass the two histograms."""
        steps = [sample.step for sample in samples for _ in sample.places]
        places = [place for sample in samples for place in sample.places]
        sites = [place.site + place.tag for place in places]
        bins = {name: _empty_bins(len(places)) for name in ("activation", "preactivation")}
        records: list[Record] = []
        for entries, at, rows in _by_size(samples):
            x, y = rows[:, :entries], rows[:, entries:]
            # In float64, since in deep sigmoid networks samples differ by 1e-8 only.
            ordered = np.sort(np.concatenate([y, x]), axis=1).astype(np.float64)
            n = len(y)
            found = {}
            for what, values in _statistics(ordered).items():
                found["activation_" + what], found["preactivation_" + what] = values[:n], values[n:]
            for array, counted in even_bins(ordered).items():
                bins["activation"][array][at], bins["preactivation"][array][at] = counted[:n], counted[n:]
            at_steps, at_sites = [steps[i] for i in at], [sites[i] for i in at]
            for quantity, values in found.items():
                records += scalars(at_steps, quantity, values.tolist(), at_sites)
        groups: dict[tuple[int, str], list[int]] = {}
        for i, (step, place) in enumerate(zip(steps, places, strict=True)):
            groups.setdefault((step, place.root + place.tag), []).append(i)
        for name, arrays in bins.items():
            for (step, site), members in groups.items():
                names = np.array([places[i].site for i in members], dtype=str)
                stacked = {key: array[members] for key, array in arrays.items()}
                records.append(Snapshot(step, f"{name}_histogram", {"sites": names, **stacked}, site))
        return records


def _by_size(samples: Sequence[PassSample]) -> Iterator[tuple[int, list[int], np.ndarray]]:
    """Passes of equal size, of all steps: (entries, their indices among all passes, rows). Few large calls are
    faster than many small ones."""
    groups: dict[int, tuple[list[int], list[np.ndarray]]] = {}
    i = 0
    for _, places, row in samples:
        begin = 0
        for place in places:
            at, rows = groups.setdefault(place.entries, ([], []))
            at.append(i)
            rows.append(row[begin : begin + 2 * place.entries])
            begin += 2 * place.entries
            i += 1
    for entries, (at, rows) in groups.items():
        yield entries, at, np.stack(rows)


def _statistics(values: np.ndarray) -> dict[str, np.ndarray]:
    """Mean, deviation and linearly interpolated percentiles of each sorted row (layers, entries), each (layers,)."""
    place = np.array(PERCENTILES) / 100 * (values.shape[1] - 1)
    below = place.astype(int)
    above = np.minimum(below + 1, values.shape[1] - 1)
    with np.errstate(invalid="ignore"):  # the last samples of a run that diverges are not finite
        fraction = place - below
        # Where a percentile is exactly an entry, the next one must not count: it may be infinite.
        step = np.where(fraction > 0, values[:, above] - values[:, below], 0) * fraction
        found = values[:, below] + step
        moments = {"mean": values.mean(1), "std": values.std(1)}
    return moments | {f"p{p:02d}": found[:, i] for i, p in enumerate(PERCENTILES)}


def _empty_bins(rows: int) -> dict[str, np.ndarray]:
    ends = np.zeros(rows, np.float32)
    return {"low": ends, "high": ends.copy(), "counts": np.zeros((rows, BINS), np.int32)}


def even_bins(values: np.ndarray) -> dict[str, np.ndarray]:
    """Sorted rows (layers, entries) of float64 as counts (layers, BINS) between each row's smallest and largest value.

    Values that are not finite are not counted. A row of equal values has them in its first bin.
    """
    low, high = values[:, 0], values[:, -1]
    is_finite = np.isfinite(low) & np.isfinite(high)  # sorted, with nan last: then all are
    finite: np.ndarray | slice = slice(None)
    if not is_finite.all():
        finite = np.isfinite(values)
        low = np.min(values, axis=1, where=finite, initial=np.inf)
        high = np.max(values, axis=1, where=finite, initial=-np.inf)
        low, high = (np.where(finite.any(1), ends, 0) for ends in (low, high))
    scale = np.divide(BINS, high - low, out=np.zeros(len(values)), where=high > low)
    with np.errstate(invalid="ignore"):  # where they are not finite
        place = np.minimum((values - low[:, None]) * scale[:, None], BINS - 1)
    place += np.arange(0, len(values) * BINS, BINS)[:, None]
    counts = np.bincount(place[finite].ravel().astype(np.intp), minlength=len(values) * BINS)
    return {
        "low": low.astype(np.float32),
        "high": high.astype(np.float32),
        "counts": counts.reshape(-1, BINS).astype(np.int32),
    }
