"""A run's scalars in memory, in columns: what has been put together once is only added to."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nnviz.records import COLUMNS

if TYPE_CHECKING:  # a worker reads no frames, and pandas takes a third of a second to import
    import pandas as pd

ROW = np.dtype([("id", "i8"), ("step", "i8"), ("name", "i8"), ("value", "f8")])


class Series:
    """Rows of one quantity at one site, in columns that grow by doubling."""

    def __init__(self) -> None:
        self.size = 0
        self._rows = np.empty((2, 64), dtype=np.int64)  # (row id, step) × rows
        self._values = np.empty(64)

    def append(self, rows: np.ndarray) -> None:
        """Take `rows` of dtype ROW at the end."""
        size = self.size + len(rows)
        if size > len(self._values):
            capacity = max(size, 2 * len(self._values))
            larger = np.empty((2, capacity), dtype=np.int64)
            larger[:, : self.size] = self._rows[:, : self.size]
            self._rows, self._values = (
                larger,
                np.concatenate([self._values[: self.size], np.empty(capacity - self.size)]),
            )
        self._rows[0, self.size : size] = rows["id"]
        self._rows[1, self.size : size] = rows["step"]
        self._values[self.size : size] = rows["value"]
        self.size = size

    def since(self, start: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(row ids, steps, values) from the row `start` on, each (size − start,)."""
        rows, steps = self._rows[:, start : self.size]
        return rows, steps, self._values[start : self.size]


class Selection:
    """The frame of some quantities at some sites, which grows with the run."""

    def __init__(self, quantities: Sequence[str], sites: Sequence[str] | None) -> None:
        self._quantities, self._sites = set(quantities), None if sites is None else set(sites)
        self._last_row = -1
        self._rows_read: dict[int, int] = {}  # rows taken of each series
        # The two columns of text are held as numbers of words: comparing and grouping text costs most of a figure.
        self._columns = [np.zeros(0, dtype=kind) for kind in (np.int64, np.int32, np.int32, np.float64, np.int64)]
        self._words: tuple[dict[str, int], dict[str, int]] = ({}, {})
        self._frame: pd.DataFrame | None = None

    def frame(
        self, last_row: int, names: Mapping[int, tuple[str, str, int]], series: Mapping[int, Series]
    ) -> "pd.DataFrame":
        """Steps, quantities, sites (both categorical), values and members in the order recorded; `last_row` is the last
        row there is."""
        import pandas as pd

        if self._frame is None or last_row != self._last_row:
            self._last_row = last_row
            self._grow(names, series)
            self._frame = self._put_together()
        copies_on_write = int(pd.__version__.split(".")[0]) >= 3
        return self._frame.copy(deep=not copies_on_write)

    def _grow(self, names: Mapping[int, tuple[str, str, int]], series: Mapping[int, Series]) -> None:
        keys, parts = [], []
        for name, key in names.items():
            if name in series and self._matches(key):
                keys.append(key)
                parts.append(series[name].since(self._rows_read.get(name, 0)))
                self._rows_read[name] = series[name].size
        if parts:
            rows, steps, values = (np.concatenate(column) for column in zip(*parts, strict=True))
            series_index = np.repeat(np.arange(len(parts)), [len(part[0]) for part in parts])
            if len(parts) > 1:
                order = np.argsort(rows, kind="stable")
                series_index, steps, values = series_index[order], steps[order], values[order]
            quantities, sites = (
                np.array([words.setdefault(key[i], len(words)) for key in keys], dtype=np.int32)
                for i, words in enumerate(self._words)
            )
            members = np.array([key[2] for key in keys], dtype=np.int64)
            new = (steps, quantities.take(series_index), sites.take(series_index), values, members.take(series_index))
            self._columns = [np.concatenate(pair) for pair in zip(self._columns, new, strict=True)]

    def _put_together(self) -> "pd.DataFrame":
        import pandas as pd

        steps, quantities, sites, values, members = self._columns
        texts = [
            pd.Categorical.from_codes(codes, categories=pd.Index(list(words), dtype=object))
            for codes, words in zip((quantities, sites), self._words, strict=True)
        ]
        columns = (steps, *texts, values, members)
        # copy=False leaves the columns apart; putting like to like costs three times the rest
        return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)), copy=False)

    def _matches(self, key: tuple[str, str, int]) -> bool:
        return (not self._quantities or key[0] in self._quantities) and (self._sites is None or key[1] in self._sites)
