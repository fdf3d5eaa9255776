"""The tables of a run file, and how to open one safely.

A run file is one SQLite database. While a worker drives it, it is in WAL mode: one writer, any number of readers, and a
commit survives a kill at any moment. At rest it is in DELETE mode, so that it is one file, readable from a read-only
folder. `scalars` is what a person with sqlite3 or pandas looks at; `points` and `names` are how it is held, because a
long run repeats a few hundred names a million times.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from nnviz.runs.errors import RunError

APPLICATION_ID = 0x6E6E7669  # "nnvi"
FORMAT = 6

TABLES = """
CREATE TABLE job (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    json TEXT NOT NULL, fingerprint TEXT NOT NULL, title TEXT NOT NULL, created REAL NOT NULL,
    steps INTEGER NOT NULL, parent TEXT, parent_step INTEGER, members TEXT NOT NULL
);
-- written by the worker; `owner` is the worker that holds it, `generation` grows when records are taken
-- back, `pictures` when the set of snapshots changes; `reason` is what a queued run waits for, `sharing` how many other
-- groups the worker trains too
CREATE TABLE status (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    state TEXT NOT NULL, step INTEGER NOT NULL, heartbeat REAL NOT NULL, error TEXT NOT NULL, divergence TEXT,
    early_stop TEXT, info TEXT NOT NULL, started REAL, ended REAL, steps_per_second REAL NOT NULL,
    reason TEXT NOT NULL, sharing INTEGER NOT NULL,
    owner TEXT NOT NULL, generation INTEGER NOT NULL, pictures INTEGER NOT NULL
);
-- written by viewers: run until this step (NULL: to the end), stop, keep, when it was last looked at
CREATE TABLE control (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    until INTEGER, cancel INTEGER NOT NULL, pinned INTEGER NOT NULL, viewed REAL NOT NULL
);
CREATE TABLE history (at REAL NOT NULL, state TEXT NOT NULL, step INTEGER NOT NULL, message TEXT NOT NULL, log TEXT);
CREATE TABLE names (
    id INTEGER PRIMARY KEY, quantity TEXT NOT NULL, site TEXT NOT NULL, member INTEGER NOT NULL,
    UNIQUE (quantity, site, member)
);
-- value is NULL where the number was NaN, which SQLite cannot hold
CREATE TABLE points (id INTEGER PRIMARY KEY, step INTEGER NOT NULL, name INTEGER NOT NULL, value REAL);
CREATE VIEW scalars AS
    SELECT points.step, names.quantity, names.site, points.value, names.member
    FROM points JOIN names ON names.id = points.name ORDER BY points.id;
-- arrays is an uncompressed npz: numpy.load(io.BytesIO(arrays)); by_hand = 1 where the user stopped to look
CREATE TABLE snapshots (
    id INTEGER PRIMARY KEY, quantity TEXT NOT NULL, site TEXT NOT NULL, step INTEGER NOT NULL, by_hand INTEGER NOT NULL,
    arrays BLOB NOT NULL, UNIQUE (quantity, site, step)
);
-- a checkpoint is the parts of its step put together: a blob is at most 1 GB
CREATE TABLE checkpoints (
    step INTEGER NOT NULL, part INTEGER NOT NULL, at REAL NOT NULL, data BLOB NOT NULL, PRIMARY KEY (step, part)
);
-- of the step at which the run paused or ended last, with early stopping of the best step, for who wants nothing but
-- the network: a state dict as torch.save writes it, in parts as above
CREATE TABLE weights (part INTEGER PRIMARY KEY, step INTEGER NOT NULL, data BLOB NOT NULL);
"""


def connect(path: Path, *, write: bool = False, timeout: float = 5.0) -> sqlite3.Connection:
    """Open the run file at `path` and check that it is one that this version reads.

    A finished file in a folder that cannot be written to is opened as immutable, because SQLite cannot make the shared
    memory of WAL mode there. Raises RunError.
    """
    if not path.is_file():
        raise RunError(
            f"run {path.stem} does not exist in {path.parent}: check the id, or list the runs that are there"
        )
    with as_run_errors(path):
        try:
            return _checked(path, "rw" if write else "ro", timeout)
        except sqlite3.OperationalError as error:
            alone = not path.with_name(path.name + "-wal").exists()
            if write or not alone or not ("unable to open" in str(error) or "readonly" in str(error)):
                raise
            return _checked(path, "ro&immutable=1", timeout)


def _checked(path: Path, mode: str, timeout: float) -> sqlite3.Connection:
    # as_uri quotes the characters that mean something in a URI: %, ?, #
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, timeout=timeout, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA synchronous = NORMAL")  # kill -9 loses nothing; a power cut the last moments
        mine = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if mine != APPLICATION_ID:
            raise RunError(f"{path.name} is not a run file of nnviz: move it out of {path.parent}")
        if version != FORMAT:
            is_newer = version > FORMAT
            raise RunError(
                f"run {path.stem} was written by {'a newer' if is_newer else 'an older'} nnviz (format {version}, this "
                f"one reads {FORMAT}): {'update nnviz' if is_newer else 'delete it and run its job again'}"
            )
    except BaseException:
        connection.close()
        raise
    return connection


def rest(path: Path, patience: float = 2.0) -> None:
    """Make the run file at `path`, which nobody writes any more, one file, if readers let go in `patience` seconds."""
    with closing(connect(path, write=True)) as connection, suppress(sqlite3.OperationalError):
        set_journal_mode(connection, "delete", patience)


def set_journal_mode(connection: sqlite3.Connection, mode: str, patience: float) -> None:
    """Change the journal mode to "wal" or "delete"; needs the file for itself, so others are waited for.

    SQLite does not wait by itself here. Raises its OperationalError ("locked") after `patience` seconds.
    """
    deadline = time.monotonic() + patience
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != mode:
        try:
            connection.execute(f"PRAGMA journal_mode = {mode}")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.005)


@contextmanager
def as_run_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system raise about `path` into a RunError of one line."""
    try:
        yield
    except sqlite3.Error as error:
        raise RunError(_words(path, error)) from error
    except OSError as error:
        raise RunError(f"run file {path} cannot be used: {error.strerror or error}") from error


def _words(path: Path, error: sqlite3.Error) -> str:
    text = str(error)
    if "not a database" in text or "malformed" in text or "no such table" in text or "no such column" in text:
        return f"run file {path.name} in {path.parent} is damaged ({text}): delete it or restore a copy"
    if "readonly" in text or "unable to open" in text:
        return (
            f"run file {path.name} cannot be written: {path.parent} is read-only; set NNVIZ_HOME to a folder of yours"
        )
    if "full" in text:
        return f"run file {path.name} cannot grow: the disk of {path.parent} is full; free some space"
    if "locked" in text or "busy" in text:
        return f"run file {path.name} is locked by another program: close that program and try again"
    return f"run file {path.name} in {path.parent} cannot be used: {text}"


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing. Takes the write lock at once, so that two writers queue up instead of failing half-way."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
