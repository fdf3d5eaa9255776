"""RunFile: one run as a file, with reading, control and writing."""

import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nnviz.records import COLUMNS, Record
from nnviz.runs.errors import RunError
from nnviz.runs.storage.arrays import unpack
from nnviz.runs.storage.result import Result, read_result
from nnviz.runs.storage.schema import APPLICATION_ID, FORMAT, TABLES, as_run_errors, connect, rest, transaction
from nnviz.runs.storage.status import LIVE, Control, Status, read_control, read_status
from nnviz.runs.storage.writer import Writer
from nnviz.spec.jobs import Job, SpecError, dump, fingerprint, load

if TYPE_CHECKING:  # a worker reads no frames, and pandas takes a third of a second to import
    import pandas as pd

VIEW_INTERVAL = 2.0  # seconds between two marks that somebody watches
_viewed: dict[Path, float] = {}


@dataclass(frozen=True, slots=True)
class Change:
    """One change of state: when (seconds since 1970), to what, at which step, why, and what to debug it with."""

    at: float
    state: str
    step: int
    message: str
    log: str | None


def create(
    path: Path,
    job: Job,
    *,
    title: str = "",
    pinned: bool = False,
    members: Sequence[str] = (),
    until: int | None = None,
    source: Path | None = None,
) -> None:
    """Make the run file of `job` at `path`, queued. It appears whole or not at all. Raises RunError.

    `members` are the ids of the runs that train in lock-step with it, itself included. `until` is the step to pause at
    (None: none). `source` is the file of the job's parent: what it recorded up to the step that the job names, and its
    checkpoint of that step, are copied.
    """
    text = dump(job)
    now = time.time()
    temporary = path.with_name(f".{path.name}.new")
    with as_run_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(temporary, isolation_level=None)
        try:
            # Nobody reads the file before it has its name: one transaction, no journal, one wait for the disk.
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")
            connection.executescript(f"BEGIN;{TABLES}")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {FORMAT}")
            parent = (job.parent.run, job.parent.step) if job.parent else (None, None)
            connection.execute(
                "INSERT INTO job VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)",
                (text, fingerprint(job), title, now, job.steps, *parent, json.dumps(list(members))),
            )
            initial_status = "(1, 'queued', 0, ?, '', NULL, NULL, '{}', NULL, NULL, 0, '', 0, '', 0, 0)"
            connection.execute(f"INSERT INTO status VALUES {initial_status}", (now,))
            connection.execute("INSERT INTO control VALUES (1, ?, 0, ?, ?)", (until, int(pinned), now))
            connection.execute("INSERT INTO history VALUES (?, 'queued', 0, '', NULL)", (now,))
            connection.execute("COMMIT")
            if source is not None and job.parent:
                _copy(connection, source, job.parent.step)
            connection.close()
            _sync(temporary)
            temporary.rename(path)
        finally:
            connection.close()
            temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Wait until the file is on the disk: it must not get its name before that."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _copy(connection: sqlite3.Connection, source: Path, step: int) -> None:
    connect(source).close()  # says so if it is damaged
    connection.execute("ATTACH ? AS parent", (str(source),))
    with transaction(connection) as c:
        c.execute("INSERT INTO names SELECT * FROM parent.names")
        for table, upto in (("points", "<="), ("snapshots", "<="), ("checkpoints", "=")):
            c.execute(f"INSERT INTO {table} SELECT * FROM parent.{table} WHERE step {upto} ?", (step,))
        c.execute("UPDATE status SET step = ?, info = (SELECT info FROM parent.status)", (step,))
    connection.execute("DETACH parent")


class RunFile:
    """A run file. Reading and controlling open it for a moment: any thread and process may. Writing holds it open."""

    def __init__(self, path: Path) -> None:
        """Check the file at `path`; raises RunError if it is none of ours, damaged, or of a newer version."""
        self.path = path
        self.id = path.stem
        self._writer: Writer | None = None
        self._lock = threading.Lock()
        with self._reading() as c:
            row = c.execute("SELECT json, fingerprint, members FROM job").fetchone()
            if row is None:
                raise RunError(f"run file {path.name} in {path.parent} is damaged (it has no job): delete it")
            read_status(c)
        self.text, self.fingerprint, self._members = row

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        connection = connect(self.path)
        try:
            with as_run_errors(self.path):
                yield connection
        finally:
            connection.close()

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        connection = connect(self.path, write=True)
        try:
            with as_run_errors(self.path), transaction(connection):
                yield connection
        finally:
            connection.close()

    # job and status

    @cached_property
    def job(self) -> Job:
        """The job as it was asked for."""
        try:
            return load(self.text)
        except SpecError as error:
            raise RunError(f"the job in run {self.id} is not one that this nnviz reads: {error}") from error

    def status(self) -> Status:
        """How the run stands now."""
        with self._reading() as c:
            return read_status(c)

    def history(self) -> list[Change]:
        """Every change of state, oldest first."""
        with self._reading() as c:
            return [
                Change(*row) for row in c.execute("SELECT at, state, step, message, log FROM history ORDER BY rowid")
            ]

    @property
    def members(self) -> list[str]:
        """Ids of the runs that train in lock-step with this one, itself included."""
        return json.loads(self._members) or [self.id]

    # control

    def control(self) -> Control:
        """The control values: until which step to run, whether to stop."""
        with self._reading() as c:
            return read_control(c)

    def set_until(self, step: int | None) -> None:
        """Run until `step` is done, then pause; None: to the end. A step that is past means pause here."""
        with self._changing() as c:
            c.execute("UPDATE control SET until = ?", (None if step is None else max(0, int(step)),))

    def play(self) -> None:
        """Run on to the end."""
        self.set_until(None)

    def pause(self) -> None:
        """Stop after the present step and wait."""
        with self._changing() as c:
            c.execute("UPDATE control SET until = (SELECT step FROM status)")

    def step(self, n: int = 1) -> int:
        """Run `n` steps beyond the present step, or beyond the step asked for last, and pause. Returns that step."""
        with self._changing() as c:
            return c.execute(
                "UPDATE control SET until = max(coalesce(until, 0), (SELECT step FROM status)) + ? RETURNING until",
                (n,),
            ).fetchall()[0][0]

    @property
    def epoch_end(self) -> int:
        """The step at which the present epoch ends, or the next one where there are no epochs."""
        status = self.status()
        per_epoch = status.info.get("steps_per_epoch") or self.job.steps_per_epoch or 1
        return (status.step // per_epoch + 1) * per_epoch

    def cancel(self) -> None:
        """Stop for good; what is recorded stays. A run that nobody drives any more is marked as stopped at once."""
        with self._changing() as c:
            c.execute("UPDATE control SET cancel = 1")
            is_lost = read_status(c).state == "lost"
        if is_lost:
            self.give_up("stopped", "")

    def pin(self, pinned: bool = True) -> None:
        """Keep the run going though nobody watches (or no longer)."""
        with self._changing() as c:
            c.execute("UPDATE control SET pinned = ?", (int(pinned),))

    def mark_viewed(self) -> None:
        """Say that somebody watches. Cheap: written every two seconds at most, and not at all once the run is over."""
        now = time.monotonic()
        if now - _viewed.get(self.path, -VIEW_INTERVAL) < VIEW_INTERVAL:
            return
        _viewed[self.path] = now
        if self.status().live:
            with self._changing() as c:
                c.execute("UPDATE control SET viewed = ?", (time.time(),))

    # waiting and giving up: for the pool

    def wait(self, reason: str) -> Control:
        """Records that the run still waits, and for what. Returns the control values."""
        with self._changing() as c:
            c.execute("UPDATE status SET heartbeat = ?, reason = ? WHERE state = 'queued'", (time.time(), reason))
            return read_control(c)

    def queue(self, until: int | None = None) -> None:
        """Make a run that is over wait again, to go on from its last checkpoint until `until` (None: to its end)."""
        with self._changing() as c:
            now = time.time()
            c.execute(
                "UPDATE status SET state = 'queued', error = '', ended = NULL, heartbeat = ?, reason = '', owner = ''",
                (now,),
            )
            c.execute("UPDATE control SET until = ?, cancel = 0, viewed = ?", (until, now))
            c.execute("INSERT INTO history SELECT ?, 'queued', step, '', NULL FROM status", (now,))

    def give_up(self, state: str, message: str, log: str | None = None) -> None:
        """End a live run that no worker drives (any more), as stopped, failed or lost. Nothing if it is over."""
        with self._changing() as c:
            now = time.time()
            ended = c.execute(
                f"UPDATE status SET state = ?, error = ?, ended = ?, owner = '' WHERE state IN {tuple(map(str, LIVE))}",
                (state, message, now),
            )
            if ended.rowcount:
                c.execute("INSERT INTO history SELECT ?, ?, step, ?, ? FROM status", (now, state, message, log))
        rest(self.path)

    # writing

    def write(self, records: Iterable[Record] = (), **changes: object) -> None:
        """Commit `records` and changes of the status (see `Writer.write`) in one transaction. The file is held open."""
        self.writer().write(records, **changes)

    def save_checkpoint(self, step: int, data: bytes) -> None:
        """Keep `data` as the state after `step` steps; the last few are kept."""
        self.writer().write(checkpoint=(step, data))

    def writer(self, owner: str = "") -> Writer:
        """The writer that this object holds; made on first use, when it takes the run over from any other."""
        with self._lock:
            if self._writer is None:
                self._writer = Writer(self.path, owner, waits=self.job.retention == "history")
            return self._writer

    def close(self, *, rest: bool = True) -> None:
        """Let go of the writer, if there is one; with `rest` the run becomes one file."""
        with self._lock:
            if self._writer is not None:
                self._writer.close(rest=rest, patience=2.0)
                self._writer = None

    # reading

    def checkpoint(self) -> tuple[int, bytes] | None:
        """(step, bytes) of the newest checkpoint."""
        with self._reading() as c:
            rows = c.execute(
                "SELECT step, data FROM checkpoints WHERE step = (SELECT max(step) FROM checkpoints) ORDER BY part"
            ).fetchall()
        return (rows[0][0], b"".join(row[1] for row in rows)) if rows else None

    def weights(self) -> tuple[int, bytes] | None:
        """(step, bytes) of the network when the run paused or ended last, with early stopping at the end of the best
        step: a state dict as `torch.save` writes it."""
        with self._reading() as c:
            rows = c.execute("SELECT step, data FROM weights ORDER BY part").fetchall()
        return (rows[0][0], b"".join(row[1] for row in rows)) if rows else None

    def scalars(self, since: int = 0) -> "tuple[pd.DataFrame, int]":
        """(frame of the scalars after row `since`, the last row). Pass that row the next time to get what is new."""
        import pandas as pd

        with self._reading() as c:
            rows = c.execute(
                "SELECT points.id, step, quantity, site, value, member"
                " FROM points JOIN names ON names.id = name WHERE points.id > ? ORDER BY points.id",
                (since,),
            ).fetchall()
        types = ("int64", "object", "object", "float64", "int64")
        columns = list(zip(*rows, strict=True)) or [()] * 6
        frame = pd.DataFrame(
            {
                name: pd.Series(columns[i + 1], dtype=kind)
                if kind == "object"
                else np.array(columns[i + 1], dtype=kind)
                for i, (name, kind) in enumerate(zip(COLUMNS, types, strict=True))
            }
        )
        return frame, rows[-1][0] if rows else since

    def latest(self, quantity: str, *sites: str) -> float | None:
        """The newest value of `quantity` at the first of `sites` that has one."""
        with self._reading() as c:
            for site in sites:
                name = c.execute("SELECT id FROM names WHERE quantity = ? AND site = ?", (quantity, site)).fetchone()
                if name:
                    row = c.execute("SELECT value FROM points WHERE name = ? ORDER BY id DESC LIMIT 1", name).fetchone()
                    return row and row[0]
        return None

    def result(self) -> Result | None:
        """What the run has come to, by its main metric; None where nothing is known yet."""
        with self._reading() as c:
            return read_result(c, read_status(c))

    def places(self) -> list[tuple[str, str]]:
        """(quantity, site) of everything that there are snapshots of, sorted."""
        with self._reading() as c:
            return c.execute("SELECT DISTINCT quantity, site FROM snapshots ORDER BY quantity, site").fetchall()

    def snapshot_steps(self, quantity: str, site: str = "") -> list[int]:
        """Steps that have a snapshot of `quantity` at `site`, ascending."""
        with self._reading() as c:
            sql = "SELECT step FROM snapshots WHERE quantity = ? AND site = ? ORDER BY step"
            return [row[0] for row in c.execute(sql, (quantity, site))]

    def snapshot(
        self, quantity: str, step: int | None = None, site: str = ""
    ) -> tuple[int, dict[str, np.ndarray]] | None:
        """(step, arrays) of the newest picture of `quantity` at or before `step` (None: newest), or None."""
        with self._reading() as c:
            row = c.execute(
                "SELECT step, arrays FROM snapshots WHERE quantity = ? AND site = ? AND step <= ?"
                " ORDER BY step DESC LIMIT 1",
                (quantity, site, 2**62 if step is None else step),
            ).fetchone()
        return None if row is None else (row[0], self._unpack(quantity, *row))

    def snapshots(self, quantity: str, site: str = "") -> Iterator[tuple[int, dict[str, np.ndarray]]]:
        """(step, arrays) of every picture of `quantity`, by ascending step."""
        with self._reading() as c:
            sql = "SELECT step, arrays FROM snapshots WHERE quantity = ? AND site = ? ORDER BY step"
            for step, data in c.execute(sql, (quantity, site)):
                yield step, self._unpack(quantity, step, data)

    def _unpack(self, quantity: str, step: int, data: bytes) -> dict[str, np.ndarray]:
        try:
            return unpack(data)
        except ValueError as error:
            raise RunError(f"run file {self.path.name} is damaged: {quantity} at step {step}: {error}") from error
