"""The one writer of a run file: records, status and checkpoints, one transaction at a time."""

import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from nnviz.records import Divergence, EarlyStop, Record, Scalar, Snapshot
from nnviz.runs.errors import RunError
from nnviz.runs.storage.arrays import pack
from nnviz.runs.storage.schema import as_run_errors, connect, set_journal_mode, transaction
from nnviz.runs.storage.status import ENDED, Control, read_control
from nnviz.runs.storage.thinning import BYTES, thin

CHECKPOINTS = 3
PART = 256 * 2**20  # bytes of one part of a checkpoint or of weights; a blob of SQLite is at most 1 GB
ROWS = 100  # rows of one INSERT: twice as fast as one at a time
_INSERT = "INSERT INTO points (step, name, value) VALUES "
_INSERT_ROWS = _INSERT + ", ".join(["(?, ?, ?)"] * ROWS)

_STATUS = """
UPDATE status SET
    heartbeat = :now, state = coalesce(:state, state), step = coalesce(:step, step), error = coalesce(:error, error),
    divergence = CASE WHEN :state IS NULL THEN divergence ELSE :divergence END,
    early_stop = CASE WHEN :state IS NULL THEN early_stop ELSE :early_stop END,
    info = coalesce(:info, info), steps_per_second = coalesce(:steps_per_second, steps_per_second),
    started = coalesce(started, :started), ended = CASE WHEN :state IS NULL THEN ended ELSE :ended END,
    reason = CASE WHEN :state IS NULL THEN reason ELSE '' END, sharing = coalesce(:sharing, sharing),
    pictures = pictures + :pictures
WHERE owner = :owner
"""


_PLACE = "WHERE quantity = ? AND site = ? AND step = ?"
_DROP = f"DELETE FROM snapshots {_PLACE}"
_MARK_BY_HAND = f"UPDATE snapshots SET by_hand = 1 {_PLACE}"
_PICTURE = """
INSERT INTO snapshots (quantity, site, step, by_hand, arrays) VALUES (?, ?, ?, 0, ?)
ON CONFLICT DO UPDATE SET arrays = excluded.arrays
"""


class _StoredSnapshots(NamedTuple):
    """The snapshots of one quantity at one site that the file holds."""

    steps: list[int]
    by_hand: set[int]
    sizes: dict[int, int]  # bytes by step


class Writer:
    """Holds a run file open for writing, in WAL mode, until `close`.

    Whoever opens a writer last owns the run: the writes of an earlier one raise RunError and change nothing, so a
    worker that was given up for lost and wakes again cannot write into a run that another has taken on. It `waits` for
    the disk when the journal mode changes, unless the run can be made again: then a power cut may cost it, though never
    a kill.
    """

    def __init__(self, path: Path, owner: str = "", *, waits: bool = True) -> None:
        self.path = path
        self.owner = owner or f"{time.time_ns()}"
        self.written = time.monotonic()
        self._version = -1
        self._superseded = False
        self._lock = threading.RLock()  # the heartbeat comes from another thread
        self._connection = connect(path, write=True, timeout=10.0)
        try:
            with as_run_errors(path):
                if not waits:
                    self._connection.execute("PRAGMA synchronous = OFF")
                set_journal_mode(self._connection, "wal", 10.0)
                # copying the WAL into the file waits for the disk: four times less often than SQLite would
                self._connection.execute("PRAGMA wal_autocheckpoint = 4000")
                self._claim()
        except BaseException:
            self._connection.close()
            raise

    def _claim(self) -> None:
        with transaction(self._connection) as c:
            c.execute("UPDATE status SET owner = ?, heartbeat = ?", (self.owner, time.time()))
        self._read()

    def _read(self) -> None:
        """What the file holds already: names, and the steps of its pictures."""
        c = self._connection
        rows = c.execute("SELECT id, quantity, site, member FROM names")
        self._names = {(quantity, site, member): name for name, quantity, site, member in rows}
        self._pictures: dict[tuple[str, str], _StoredSnapshots] = {}
        rows = c.execute("SELECT quantity, site, step, by_hand, length(arrays) FROM snapshots ORDER BY step")
        for quantity, site, step, by_hand, size in rows:
            stored = self._pictures.setdefault((quantity, site), _StoredSnapshots([], set(), {}))
            stored.steps.append(step)
            stored.sizes[step] = size
            if by_hand:
                stored.by_hand.add(step)
        self._stale = False

    def write(
        self,
        records: Iterable[Record] = (),
        *,
        by_hand: int | None = None,
        checkpoint: tuple[int, bytes] | None = None,
        weights: tuple[int, bytes] | None = None,
        state: str | None = None,
        step: int | None = None,
        error: str | None = None,
        divergence: Divergence | None = None,
        early_stop: EarlyStop | None = None,
        info: Mapping | None = None,
        steps_per_second: float | None = None,
        sharing: int | None = None,
        log: str | None = None,
    ) -> None:
        """Commit `records` and changes of the status in one transaction; what is None stays as it is.

        `by_hand` is a step where the user stopped to look: its snapshots are kept when others are thinned, and scalars
        that it already has are left out. `checkpoint` and `weights` are (step, bytes). A new `state` goes into the
        history, with `error` (or the divergence, or the early stop, in words) as its message and `log`, which may be
        long.
        """
        scalars = []
        snapshots = []
        for record in records:
            (scalars if isinstance(record, Scalar) else snapshots).append(record)
        now = time.time()
        error = str(divergence) if divergence is not None else error
        with self._lock, as_run_errors(self.path), transaction(self._connection) as c:
            if self._stale:
                self._read()
            self._stale = True  # what is remembered holds only if all of this is committed
            values = {
                "now": now,
                "state": state,
                "step": None if step is None else int(step),
                "error": error,
                "divergence": None if divergence is None else json.dumps(divergence.as_json()),
                "early_stop": None if early_stop is None else json.dumps(early_stop.as_json()),
                "info": None if info is None else json.dumps(dict(info)),
                "steps_per_second": steps_per_second,
                "started": now if state == "running" else None,
                "ended": now if state in ENDED else None,
                "sharing": sharing,
                "pictures": int(bool(snapshots)),
                "owner": self.owner,
            }
            if c.execute(_STATUS, values).rowcount != 1:
                self._superseded = True
                raise RunError(f"run {self.path.stem} has been taken over by another worker")
            self._write_scalars(scalars if by_hand is None else self._unrecorded(scalars, by_hand))
            self._write_snapshots(snapshots, by_hand)
            if checkpoint is not None:
                self._write_checkpoint(*checkpoint, now)
            if weights is not None:
                self._write_weights(*weights)
            if state is not None:
                message = error or ("" if early_stop is None else str(early_stop))
                c.execute("INSERT INTO history SELECT ?, ?, step, ?, ? FROM status", (now, state, message, log))
        self._stale = False
        self.written = time.monotonic()

    def changed(self) -> bool:
        """Whether another connection has written since the last call: a few microseconds."""
        with self._lock, as_run_errors(self.path):
            version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        changed, self._version = version != self._version, version
        return changed

    def control(self) -> Control:
        """The control values."""
        with self._lock, as_run_errors(self.path):
            return read_control(self._connection)

    def heartbeat(self) -> None:
        """Say that the run is alive; nothing if a write is going on, which says as much."""
        if self._lock.acquire(blocking=False):
            try:
                self.write()
            finally:
                self._lock.release()

    def truncate(self, step: int) -> None:
        """Take back everything after `step` (all of it for −1), so that a resumed run does not say it twice."""
        with self._lock, as_run_errors(self.path):
            with transaction(self._connection) as c:
                for table in ("points", "snapshots", "checkpoints", "weights"):
                    c.execute(f"DELETE FROM {table} WHERE step > ?", (step,))
                c.execute(
                    "UPDATE status SET generation = generation + 1, pictures = pictures + 1, step = min(step, ?)",
                    (max(step, 0),),
                )
            self._read()

    def close(self, *, rest: bool = True, patience: float = 5.0) -> None:
        """Let go of the file. With `rest` it becomes one file; readers are waited for, `patience` seconds."""
        with self._lock:
            if rest and not self._superseded:
                # if a reader holds on, the file stays in WAL mode and is read as it is
                with suppress(sqlite3.Error):
                    self._connection.execute("PRAGMA busy_timeout = 0")
                    set_journal_mode(self._connection, "delete", patience)
            self._connection.close()

    def _name(self, key: tuple[str, str, int]) -> int:
        quantity, site, member = key
        sql = "INSERT INTO names (quantity, site, member) VALUES (?, ?, ?) RETURNING id"
        name = self._connection.execute(sql, (quantity, site, int(member))).fetchone()[0]
        self._names[key] = name
        return name

    def _write_scalars(self, scalars: list[Scalar]) -> None:
        names = self._names
        flat: list[int | float] = []
        for record in scalars:
            key = (record.quantity, record.site, record.member)
            name = names.get(key)
            flat += (int(record.step), self._name(key) if name is None else name, float(record.value))
        width = 3 * ROWS
        whole = len(flat) // width * width
        for start in range(0, whole, width):
            self._connection.execute(_INSERT_ROWS, flat[start : start + width])
        rest = len(flat[whole:]) // 3
        if rest:
            self._connection.execute(_INSERT + ", ".join(["(?, ?, ?)"] * rest), flat[whole:])

    def _unrecorded(self, scalars: list[Scalar], step: int) -> list[Scalar]:
        """`scalars` without those of `step` that were said before, here or in the file, whose newest rows they are."""
        sql = "SELECT name FROM (SELECT name, step FROM points ORDER BY id DESC LIMIT 20000) WHERE step = ?"
        rows = {row[0] for row in self._connection.execute(sql, (step,))}
        recorded = {key for key, name in self._names.items() if name in rows}
        unrecorded = []
        for record in scalars:
            key = (record.quantity, record.site, record.member)
            if record.step != step or key not in recorded:
                unrecorded.append(record)
            if record.step == step:
                recorded.add(key)
        return unrecorded

    def _write_snapshots(self, snapshots: list[Snapshot], by_hand: int | None) -> None:
        """Insert those snapshots that thinning keeps, drop those it no longer does."""
        groups: dict[tuple[str, str], dict[int, Snapshot]] = {}
        for record in snapshots:
            groups.setdefault((record.quantity, record.site), {})[int(record.step)] = record
        thinned: dict[tuple, list[int]] = {}  # most quantities are taken at the same steps
        for place, new in groups.items():
            old = self._pictures.setdefault(place, _StoredSnapshots([], set(), {}))
            packed = {step: pack(record.arrays) for step, record in new.items()}
            sizes = old.sizes | {step: len(data) for step, data in packed.items()}
            is_large = sum(sizes.values()) > BYTES
            key = (tuple(old.steps), tuple(new), tuple(old.by_hand), place if is_large else None)
            if key not in thinned:
                thinned[key] = thin(
                    old.steps, sorted(new), old.by_hand, sizes=sizes if is_large else None, max_bytes=BYTES
                )
            stored = set(thinned[key])
            self._connection.executemany(_DROP, [(*place, step) for step in old.steps if step not in stored])
            rows = [(*place, step, data) for step, data in packed.items() if step in stored]
            self._connection.executemany(_PICTURE, rows)
            self._pictures[place] = _StoredSnapshots(
                list(thinned[key]), old.by_hand, {step: sizes[step] for step in stored}
            )
        if by_hand is not None:
            for place, stored in self._pictures.items():
                if stored.steps and stored.steps[-1] == by_hand:
                    stored.by_hand.add(by_hand)
                    self._connection.execute(_MARK_BY_HAND, (*place, by_hand))

    def _write_checkpoint(self, step: int, data: bytes, now: float) -> None:
        c = self._connection
        # later ones are not later ones any more: a run that diverged goes back to its last good step
        c.execute("DELETE FROM checkpoints WHERE step >= ?", (step,))
        for part, piece in enumerate(_parts(data)):
            c.execute("INSERT INTO checkpoints (step, part, at, data) VALUES (?, ?, ?, ?)", (step, part, now, piece))
        c.execute(
            "DELETE FROM checkpoints WHERE step NOT IN"
            " (SELECT DISTINCT step FROM checkpoints ORDER BY step DESC LIMIT ?)",
            (CHECKPOINTS,),
        )

    def _write_weights(self, step: int, data: bytes) -> None:
        self._connection.execute("DELETE FROM weights")
        rows = [(part, step, piece) for part, piece in enumerate(_parts(data))]
        self._connection.executemany("INSERT INTO weights (part, step, data) VALUES (?, ?, ?)", rows)


def _parts(data: bytes) -> list[memoryview]:
    return [memoryview(data)[start : start + PART] for start in range(0, max(len(data), 1), PART)]
