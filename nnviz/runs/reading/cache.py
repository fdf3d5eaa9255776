"""What a process has read of a run file, cached so that a refresh reads only what is new."""

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nnviz.runs.errors import RunError
from nnviz.runs.reading.columns import ROW, Selection, Series
from nnviz.runs.storage.arrays import unpack
from nnviz.runs.storage.schema import as_run_errors, connect
from nnviz.runs.storage.status import LIVE, Status, read_status
from nnviz.spec.jobs import Job, SpecError, load

if TYPE_CHECKING:
    import pandas as pd

RUNS = 32  # runs held by a process
ROWS = 20_000_000  # rows held by a process, of all runs together: 24 bytes each
SELECTIONS = 64  # frames held of a run
SNAPSHOT_BYTES = 64 * 2**20  # of arrays held of a run

Place = tuple[str, str]
"""A quantity and a site."""


class Cache:
    """What is known of the run file at `path`. `refresh` reads what is new; all else is answered from memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.RLock()
        self.status: Status
        self._mark: tuple | None = None
        self._job: Job | None = None
        self._reset(-1)

    def _reset(self, generation: int) -> None:
        self._generation = generation
        self.rows = 0  # read so far: the id of the last
        self._pictures = -1
        self._names: dict[int, tuple[str, str, int]] = {}
        self._series: dict[int, Series] = {}
        self.steps: dict[Place, np.ndarray] = {}
        self.all_steps: list[int] = []
        self._selections: OrderedDict[tuple, Selection] = OrderedDict()
        self._arrays: OrderedDict[tuple[Place, int], dict[str, np.ndarray]] = OrderedDict()
        self._bytes = 0

    def refresh(self) -> Status:
        """Read what has been committed since the last time. Raises RunError."""
        with self.lock:
            mark = self._file_mark()
            if mark is not None and mark == self._mark:
                return self.status
            with closing(connect(self.path)) as c, as_run_errors(self.path):
                c.execute("BEGIN")  # all that follows sees one commit
                self.status = read_status(c)
                generation, pictures = c.execute("SELECT generation, pictures FROM status").fetchone()
                if generation != self._generation:
                    self._reset(generation)
                self._read_rows(c)
                if pictures != self._pictures:
                    self._read_steps(c)
                    self._pictures = pictures
                if self._job is None:
                    self._job = self._load(c.execute("SELECT json FROM job").fetchone()[0])
            self._mark = mark if self.status.state not in (*LIVE, "lost") else None
            return self.status

    def _file_mark(self) -> tuple | None:
        """Changes when a file at rest does; None while it is being written or cannot be looked at."""
        try:
            stat = self.path.stat()
        except OSError:
            return None
        if self.path.with_name(self.path.name + "-wal").exists():
            return None
        return stat.st_ino, stat.st_size, stat.st_mtime_ns

    def _load(self, text: str) -> Job:
        try:
            return load(text)
        except SpecError as error:
            raise RunError(f"the job in run {self.path.stem} is not one that this nnviz reads: {error}") from error

    @property
    def job(self) -> Job:
        """The job of the run."""
        assert self._job is not None  # refresh comes first
        return self._job

    def _read_rows(self, c: sqlite3.Connection) -> None:
        named = max(self._names, default=0)
        for name, *key in c.execute("SELECT id, quantity, site, member FROM names WHERE id > ?", (named,)):
            self._names[name] = tuple(key)
        cursor = c.execute("SELECT id, step, name, ifnull(value, 0.0) FROM points WHERE id > ?", (self.rows,))
        rows = np.fromiter(cursor, dtype=ROW)
        if not len(rows):
            return
        missing = c.execute("SELECT id FROM points WHERE id > ? AND value IS NULL", (self.rows,)).fetchall()
        if missing:
            rows["value"][np.isin(rows["id"], [row[0] for row in missing])] = np.nan
        self.rows = int(rows["id"][-1])
        rows = rows[np.argsort(rows["name"], kind="stable")]
        for part in np.split(rows, np.flatnonzero(np.diff(rows["name"])) + 1):
            self._series.setdefault(int(part["name"][0]), Series()).append(part)

    def _read_steps(self, c: sqlite3.Connection) -> None:
        # numbers travel as one text a place: a tenth of the time of a row each
        rows = c.execute("SELECT quantity, site, group_concat(step) FROM snapshots GROUP BY quantity, site").fetchall()
        self.steps = {tuple(place): np.unique(np.fromstring(text, dtype=np.int64, sep=",")) for *place, text in rows}
        everything = np.concatenate([*self.steps.values(), np.zeros(0, dtype=np.int64)])
        self.all_steps = np.unique(everything).tolist()

    def scalars(self, quantities: Sequence[str], sites: Iterable[str] | None) -> "pd.DataFrame":
        """Rows of `quantities` (all if there are none) at `sites` (None: all), in the order recorded."""
        with self.lock:
            key = (tuple(quantities), None if sites is None else tuple(sites))
            selection = self._selections.get(key)
            if selection is None:
                selection = self._selections[key] = Selection(*key)
                if len(self._selections) > SELECTIONS:
                    self._selections.popitem(last=False)
            self._selections.move_to_end(key)
            return selection.frame(self.rows, self._names, self._series)

    def place(self, quantity: str, site: str | None) -> Place:
        """Where the snapshots of `quantity` are: at `site`, or (None) at the only site that has any.

        Raises RunError where several sites have some, and none was named.
        """
        if site is not None:
            return quantity, site
        sites = self.sites(quantity)
        if len(sites) > 1:
            raise RunError(f"{quantity} has snapshots of {', '.join(sites)}: name one of these sites")
        return quantity, sites[0] if sites else ""

    def sites(self, quantity: str) -> list[str]:
        """The sites that have snapshots of `quantity`, in alphabetical order."""
        return sorted(site for name, site in self.steps if name == quantity)

    def snapshot(self, place: Place, step: int | None) -> dict[str, np.ndarray]:
        """Arrays of the newest snapshot of `place` at or before `step` (None: newest), read-only; {} if none."""
        with self.lock:
            at = self.step_at(place, step)
            if at is None:
                return {}
            if (place, at) not in self._arrays:
                # a page that draws one picture draws the others too: read all that were drawn before at once
                others = {(other, self.step_at(other, step)) for other, _ in self._arrays}
                wanted = {(place, at), *others} - self._arrays.keys()
                self._read_arrays([(other, step) for other, step in wanted if step is not None])
            if (place, at) not in self._arrays:
                return {}
            self._arrays.move_to_end((place, at))
            return self._arrays[place, at]

    def step_at(self, place: Place, step: int | None) -> int | None:
        """The step of the newest snapshot of `place` at or before `step`; None if there is none."""
        steps = self.steps.get(place)
        count = 0 if steps is None else len(steps) if step is None else int(np.searchsorted(steps, step, side="right"))
        return int(steps[count - 1]) if count else None

    def _read_arrays(self, wanted: Sequence[tuple[Place, int]]) -> None:
        with closing(connect(self.path)) as c, as_run_errors(self.path):
            for place, step in wanted:
                # the picture may have been thinned away since: then the one before it
                row = c.execute(
                    "SELECT arrays FROM snapshots WHERE quantity = ? AND site = ? AND step <= ?"
                    " ORDER BY step DESC LIMIT 1",
                    (*place, step),
                ).fetchone()
                if row is None:
                    continue
                try:
                    arrays = unpack(row[0])
                except ValueError as error:
                    where = " of ".join(p for p in place if p)
                    raise RunError(f"run file {self.path.name} is damaged: {where} at step {step}: {error}") from error
                self._arrays[place, step] = arrays
                self._bytes += _size(arrays)
        while self._bytes > SNAPSHOT_BYTES and len(self._arrays) > len(wanted):
            self._bytes -= _size(self._arrays.popitem(last=False)[1])


def _size(arrays: dict[str, np.ndarray]) -> int:
    return sum(array.nbytes for array in arrays.values())


_caches: OrderedDict[Path, Cache] = OrderedDict()
_lock = threading.Lock()


def cache(path: Path) -> Cache:
    """The cache of the run file at `path` in this process."""
    with _lock:
        found = _caches.get(path)
        if found is None:
            found = _caches[path] = Cache(path)
        _caches.move_to_end(path)
        while len(_caches) > RUNS or (len(_caches) > 1 and sum(c.rows for c in _caches.values()) > ROWS):
            _caches.popitem(last=False)
        return found
