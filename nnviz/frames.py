"""Functions between records read from a run file and figures: selection, tables, averages, thinning.

A frame has the columns of `nnviz.records.COLUMNS`: step, quantity, site, value, member.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd


def select(frame: pd.DataFrame, quantity: str, sites: Iterable[str] | None = None) -> pd.DataFrame:
    """The rows of one quantity, and of the given sites; an empty frame stays empty."""
    if frame is None or len(frame) == 0:
        return pd.DataFrame({"step": [], "quantity": [], "site": [], "value": [], "member": []})
    rows = _rows(frame, quantity)
    if sites is not None:
        rows = rows[frame["site"].iloc[rows].isin(list(sites)).to_numpy()]
    return frame if len(rows) == len(frame) else frame.iloc[rows]


def _rows(frame: pd.DataFrame, quantity: str) -> np.ndarray:
    """Indices of one quantity's rows; numpy compares Python strings twice as fast as pandas."""
    column = frame["quantity"]
    if isinstance(column.dtype, pd.CategoricalDtype):
        return np.flatnonzero(column.cat.codes.to_numpy() == column.cat.categories.get_indexer([quantity])[0])
    return np.flatnonzero(column.to_numpy() == quantity)


def _codes(column: pd.Series, rows: np.ndarray) -> tuple[np.ndarray, Sequence[str]]:
    """The values of these rows as codes, and the unique values."""
    if not isinstance(column.dtype, pd.CategoricalDtype):
        return pd.factorize(column.to_numpy()[rows])
    codes = column.cat.codes.to_numpy()[rows]
    used = np.flatnonzero(np.bincount(codes, minlength=len(column.cat.categories)))
    compact = np.zeros(len(column.cat.categories), int)
    compact[used] = np.arange(len(used))
    return compact[codes], column.cat.categories[used]


def moving_average(values: np.ndarray, weight: float) -> np.ndarray:
    """Exponential moving average of values (S,) or of every column of (S, L), with bias correction.

    sₜ = Σᵢ wᵗ⁻ⁱ xᵢ / Σᵢ wᵗ⁻ⁱ with `weight` w in [0, 1): the first value is the first measurement, as with the
    correction of Adam (Kingma & Ba, 2015). 0 changes nothing. Values that are not finite become NaN, and are not
    averaged.
    """
    if not 0 <= weight < 1:
        raise ValueError(f"moving_average: weight must be in [0, 1), got {weight}")
    finite = np.where(np.isfinite(values), values, np.nan)
    columns = pd.DataFrame(finite.reshape(len(finite), -1))
    averaged = columns.ewm(alpha=1 - weight, adjust=True, ignore_na=True).mean().to_numpy().reshape(finite.shape)
    return np.where(np.isnan(finite), np.nan, averaged)


def thin_indices(values: np.ndarray, n: int) -> np.ndarray:
    """Which of `values` (S,) or (S, series) to draw, in order: (≤ n,) or (≤ n, series) indices into the first axis.

    The series are cut into (n − 2) / 2 intervals and the smallest and largest value of each stay, so that no spike is
    lost; the first and the last stay too. In the two-dimensional case an index may occur twice.
    """
    if n < 4:
        raise ValueError(f"thin_indices: n must be at least 4, got {n}")
    length = len(values)
    columns = values.reshape(length, -1)
    if length <= n:
        picked = np.repeat(np.arange(length)[:, None], columns.shape[1], axis=1)
        return picked[:, 0] if values.ndim == 1 else picked
    intervals = (n - 2) // 2
    size = -(-length // intervals)
    intervals = -(-length // size)
    padded = np.pad(columns, ((0, intervals * size - length), (0, 0)), mode="edge").reshape(intervals, size, -1)
    missing = np.isnan(padded)
    offsets = np.arange(intervals)[:, None] * size
    low = np.where(missing, np.inf, padded).argmin(1) + offsets
    high = np.where(missing, -np.inf, padded).argmax(1) + offsets
    ends = np.array([[0], [length - 1]]).repeat(columns.shape[1], axis=1)
    picked = np.sort(np.minimum(np.concatenate([ends, low, high]), length - 1), axis=0)
    return np.unique(picked[:, 0]) if values.ndim == 1 else picked


class Table(NamedTuple):
    """One quantity at several sites: a row per step, a column per site."""

    steps: np.ndarray  # (S,) increasing
    sites: list[str]  # (L,)
    values: np.ndarray  # (S, L), NaN where nothing was recorded
    recorded: np.ndarray  # (S, L) bool: a recorded NaN differs from no record

    def at(self, step: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The latest value of each site at or before `step` (None: of all), and whether it has one: two arrays (L,)."""
        rows = len(self.steps) if step is None else int(np.searchsorted(self.steps, step, side="right"))
        if rows == 0:
            return np.full(len(self.sites), np.nan), np.zeros(len(self.sites), bool)
        known = self.recorded[:rows]
        latest = rows - 1 - known[::-1].argmax(0)
        return self.values[latest, np.arange(len(self.sites))], known.any(0)


def table(frame: pd.DataFrame, quantity: str, choose: Callable[[Iterable[str]], list[str]] | None = None) -> Table:
    """The rows of one quantity as a table; `choose` picks and orders the sites (None: all, by name).

    Several members are averaged; of rows with equal step, site and member the last one counts.
    """
    if frame is None or len(frame) == 0:
        return Table(np.empty(0, np.int64), [], np.empty((0, 0)), np.empty((0, 0), bool))
    rows = _rows(frame, quantity)
    codes, found = _codes(frame["site"], rows)
    sites = (choose or sorted)([str(site) for site in found])
    place = {site: i for i, site in enumerate(sites)}
    column = np.array([place.get(site, -1) for site in found], int)[codes]
    if (column < 0).any():
        rows, column = rows[column >= 0], column[column >= 0]
    steps, row = _places(frame["step"].to_numpy()[rows])
    values, member = frame["value"].to_numpy()[rows], frame["member"].to_numpy()[rows]
    shape = (len(steps), len(sites))
    members = np.unique(member) if len(member) and (member != member[0]).any() else [None]
    total, known = np.zeros(shape), np.zeros(shape, int)
    for one in members:
        mine = slice(None) if one is None else member == one
        layer = np.full(shape, np.nan)
        layer[row[mine], column[mine]] = values[mine]
        is_recorded = np.zeros(shape, bool)
        is_recorded[row[mine], column[mine]] = True
        total += np.where(is_recorded, layer, 0.0)
        known += is_recorded
    with np.errstate(invalid="ignore"):
        return Table(steps, sites, np.where(known > 0, total / np.maximum(known, 1), np.nan), known > 0)


class Bands(NamedTuple):
    """One quantity at one site over several members: a value per step."""

    steps: np.ndarray  # (S,) increasing
    mean: np.ndarray  # (S,) over the members with a finite value
    low: np.ndarray  # (S,) their lowest
    high: np.ndarray  # (S,) their highest
    count: np.ndarray  # (S,) int: how many they are


def over_members(frame: pd.DataFrame, quantity: str, site: str) -> Bands:
    """Mean, lowest and highest value over the members at each step, and of how many; steps at which no member has a
    finite value are left out. Of rows with equal step and member the last one counts."""
    rows = select(frame, quantity, [site])
    steps, row = _places(rows["step"].to_numpy())
    _, column = np.unique(rows["member"].to_numpy(), return_inverse=True)
    values = np.full((len(steps), column.max(initial=-1) + 1), np.nan)
    values[row, column] = rows["value"].to_numpy()
    finite = np.isfinite(values)
    kept = finite.any(1)
    values, finite = values[kept], finite[kept]
    count = finite.sum(1)
    mean = np.where(finite, values, 0.0).sum(1) / count
    low, high = (
        np.where(finite, values, np.inf).min(1, initial=np.inf),
        np.where(finite, values, -np.inf).max(1, initial=-np.inf),
    )
    return Bands(steps[kept], mean, low, high, count)


def _places(steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The unique steps in order, and each row's index among them; rows that are sorted, as recorded, are not sorted
    again."""
    if len(steps) == 0:
        return steps.astype(np.int64), np.empty(0, np.int64)
    change = np.diff(steps)
    if (change < 0).any():
        return np.unique(steps, return_inverse=True)
    starts = np.concatenate([[0], np.flatnonzero(change) + 1])
    return steps[starts], np.concatenate([[0], np.cumsum(change > 0)])


def percentiles(low: np.ndarray, high: np.ndarray, counts: np.ndarray, fractions: Sequence[float]) -> np.ndarray:
    """Percentiles (L, fractions) read from histograms of equal bins: `low`, `high` (L,), `counts` (L, bins).

    Exact up to a bin's width: values are taken as uniform within their bin. NaN for an empty row.
    """
    answer = np.full((len(counts), len(fractions)), np.nan)
    for i, row in enumerate(np.asarray(counts, float)):
        if row.sum() > 0 and np.isfinite(low[i]) and np.isfinite(high[i]):
            cumulative = np.concatenate([[0], np.cumsum(row)]) / row.sum()
            answer[i] = np.interp(fractions, cumulative, np.linspace(low[i], high[i], len(row) + 1))
    return answer


class Place(NamedTuple):
    """The row of the snapshot `layers` for a path."""

    rank: int
    kind: str
    parameter: str
    label: str
    tick: str
    layer: int


class Layers:
    """The layers of one or several roots, from their snapshots `layers`: order, kind and label of all sites.

    A named pass or update ("model.linear1#real", "model.linear1.weight#2") belongs to the layer of the part before "#".
    With several roots, labels include the root. A site in no snapshot is last, and its label is its path.
    """

    def __init__(self, roots: Mapping[str, Mapping[str, np.ndarray]]) -> None:
        """The arrays of each root, {} for one that has none yet."""
        self.sites: list[str] = []
        """Of the layers, in the order of the forward pass; so are what follows."""
        self.activations: list[str] = []
        self.fan_in: list[int] = []
        self.fan_out: list[int] = []
        self._places: dict[str, Place] = {}
        found = {root: arrays for root, arrays in roots.items() if arrays}
        for root, arrays in found.items():
            columns = [arrays[name].tolist() for name in ("places", "kinds", "parameters", "labels", "ticks", "layers")]
            first = len(self.sites)
            for path, kind, parameter, label, tick, layer in zip(*columns, strict=True):
                if len(found) > 1 and path != root:
                    label, tick = f"{root}, {label}", f"{root} {tick}"
                layer = layer if layer < 0 else first + layer
                self._places[path] = Place(len(self._places), kind, parameter, label, tick, layer)
            self.sites += arrays["sites"].tolist()
            self.activations += arrays["activations"].tolist()
            self.fan_in += arrays["fan_in"].tolist()
            self.fan_out += arrays["fan_out"].tolist()

    def order(self, sites: Iterable[str]) -> list[str]:
        """Unique sites in the order of the forward pass; unknown sites come last, in the given order."""
        unknown = len(self._places)

        def rank(site: str) -> int:
            place = self.find(site)
            return place.rank if place else unknown

        return sorted(dict.fromkeys(sites), key=rank)

    def find(self, site: str) -> Place | None:
        """The row of a site, whatever its pass; None if it is unknown."""
        return self._places.get(site.partition("#")[0])

    def place(self, site: str) -> int:
        """The index of the layer that a site belongs to, −1 for none."""
        place = self.find(site)
        return place.layer if place else -1

    def label(self, site: str) -> str:
        """The label of a site: "layer 3" for the layer, its parameters or its activation, "norm 3", "output (real)"."""
        place = self.find(site)
        return f"{place.label}{_pass(site)}" if place else site

    def tick(self, site: str) -> str:
        """The same on an axis of layers: "3", "norm 3", "out (real)"."""
        place = self.find(site)
        return f"{place.tick}{_pass(site)}" if place else site

    def owner(self, site: str) -> str:
        """The site of the layer that a site belongs to, in the same pass; the site itself where there is none."""
        layer, (_, mark, name) = self.place(site), site.partition("#")
        return site if layer < 0 else f"{self.sites[layer]}{mark}{name}"

    def one_per_layer(self, sites: Iterable[str], role: str) -> list[str]:
        """Sites in order; of parameters only the `role` ("weight", "bias") of the layers themselves."""

        def is_kept(site: str) -> bool:
            place = self.find(site)
            if place is None or not place.parameter:
                return True
            path = site.partition("#")[0]
            return place.parameter == role and place.layer >= 0 and path == f"{self.sites[place.layer]}.{role}"

        return [site for site in self.order(sites) if is_kept(site)]


def _pass(site: str) -> str:
    """The pass of a site such as "critic.linear1#real#2", in brackets: " (real 2)"."""
    names = site.partition("#")[2].replace("#", " ")
    return f" ({names})" if names else ""
