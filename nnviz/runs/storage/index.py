"""Index: what the run files of a folder say of themselves, so that a run is found without opening all of them."""

import os
import sqlite3
import threading
import time
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from nnviz.runs.storage.schema import FORMAT, transaction
from nnviz.runs.storage.summaries import Summary, summarize

END = ".sqlite"
SETTLED = 2.0
"""Seconds after which a change of the folder has changed its time for sure: some file systems count no finer."""
RETRY_AFTER = 10.0
"""Seconds between two tries to read a file that cannot be read: it may be half copied, or locked."""

_TABLE = "CREATE TABLE IF NOT EXISTS runs (id TEXT PRIMARY KEY, mark TEXT NOT NULL, summary TEXT NOT NULL)"
_TEMPORARY = ("locked", "busy", "readonly", "unable to open", "full")


class _Entry(NamedTuple):
    mark: str
    """Of the file when it was read: another inode, size or time means another content."""
    summary: Summary


class Index:
    """The runs in the folder `home`. A run's job and creation are known from the first look at its file, and what else
    is in its summary once the run is over; the rest is read again whenever it is asked for.

    What is known of runs that are over is kept in `index/runs.sqlite` for the next process. It is a copy: it may be
    deleted, damaged, out of date or impossible to write, which costs time and changes no answer. Several processes may
    use it. Every method may be called from any thread.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.path = home / "index" / "runs.sqlite"
        self._lock = threading.RLock()
        self._entries: dict[str, _Entry] | None = None
        self._unsaved: set[str] = set()
        self._unreadable: dict[str, float] = {}
        self._folder_time, self._listed_at = -1, 0.0

    def of(self, fingerprint: str) -> list[Summary]:
        """The runs of the job with this fingerprint as they are now, newest first."""
        with self._lock:
            entries = self._refresh()
            found = [run_id for run_id, entry in entries.items() if entry.summary.fingerprint == fingerprint]
            summaries = [self._summary(run_id) for run_id in found]
            self._save()
            return _newest_first(s for s in summaries if s.fingerprint == fingerprint)

    def all(self) -> list[Summary]:
        """All runs as they are now, newest first."""
        with self._lock:
            self._refresh(every=True)
            summaries = [self._summary(run_id) for run_id in self._names()]
            self._save()
            return _newest_first(summaries)

    def _names(self) -> set[str]:
        with suppress(OSError), os.scandir(self.home) as found:
            names = [entry.name for entry in found]
            return {name[: -len(END)] for name in names if name.endswith(END) and not name.startswith(".")}
        return set()

    def _refresh(self, *, every: bool = False) -> dict[str, _Entry]:
        """Reads the files that have come, and forgets those that have gone. The folder is listed only if it may have
        changed."""
        if self._entries is None:
            self._entries = self._load()
        now = time.monotonic()
        with suppress(OSError):
            changed = self.home.stat().st_mtime_ns
            is_settled = changed == self._folder_time and self._listed_at > changed / 1e9 + SETTLED
            if is_settled and not self._unreadable and not every:
                return self._entries
            self._folder_time, self._listed_at = changed, time.time()
        names = self._names()
        removed = self._entries.keys() - names
        for run_id in removed:
            del self._entries[run_id]
        self._unreadable = {run_id: at for run_id, at in self._unreadable.items() if run_id in names}
        for run_id in names - self._entries.keys():
            if every or now - self._unreadable.get(run_id, now - RETRY_AFTER) >= RETRY_AFTER:
                self._summary(run_id)
        self._save(removed)
        return self._entries

    def _summary(self, run_id: str) -> Summary:
        """The run as it is now."""
        path = self.home / f"{run_id}{END}"
        mark = _mark(path)
        entry = self._entries.get(run_id)
        if entry is not None and entry.summary.is_final and mark and entry.mark == mark:
            return entry.summary
        summary = summarize(path)
        self._unreadable.pop(run_id, None)
        if summary.state == "damaged":
            self._unreadable[run_id] = time.monotonic()
        else:
            self._entries[run_id] = _Entry(mark, summary)
            if summary.is_final and mark:
                self._unsaved.add(run_id)
        return summary

    def _load(self) -> dict[str, _Entry]:
        """What is kept; what cannot be read is deleted, and made again."""
        if not self.path.is_file():
            return {}
        try:
            with closing(self._connect()) as c:
                rows = c.execute("SELECT id, mark, summary FROM runs").fetchall()
            return {run_id: _Entry(mark, Summary.parse(text)) for run_id, mark, text in rows}
        except (sqlite3.Error, TypeError, ValueError, KeyError) as error:
            self._discard(error)
            return {}

    def _save(self, removed: Iterable[str] = ()) -> None:
        removed = list(removed)
        if not (removed or self._unsaved):
            return
        rows = [(run_id, self._entries[run_id]) for run_id in self._unsaved if run_id in self._entries]
        try:
            self.path.parent.mkdir(exist_ok=True)
            with closing(self._connect()) as connection, transaction(connection) as c:
                c.executemany("DELETE FROM runs WHERE id = ?", [(run_id,) for run_id in removed])
                values = [(run_id, entry.mark, entry.summary.text()) for run_id, entry in rows]
                c.executemany("INSERT OR REPLACE INTO runs VALUES (?, ?, ?)", values)
        except (sqlite3.Error, OSError) as error:
            self._discard(error)
        self._unsaved.clear()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=1.0, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = OFF")
            if connection.execute("PRAGMA user_version").fetchone()[0] != FORMAT:
                connection.execute("DROP TABLE IF EXISTS runs")
                connection.execute(f"PRAGMA user_version = {FORMAT}")
            connection.execute(_TABLE)
        except BaseException:
            connection.close()
            raise
        return connection

    def _discard(self, error: Exception) -> None:
        """Deletes the file if it is damaged, and not only out of reach."""
        if not isinstance(error, OSError) and not any(word in str(error) for word in _TEMPORARY):
            with suppress(OSError):
                self.path.unlink()


def _mark(path: Path) -> str:
    """What changes when a file at rest does; empty while it is being written, or is gone."""
    try:
        stat = path.stat()
    except OSError:
        return ""
    return "" if path.with_name(f"{path.name}-wal").exists() else f"{stat.st_ino} {stat.st_size} {stat.st_mtime_ns}"


def _newest_first(summaries: Iterable[Summary]) -> list[Summary]:
    return sorted(summaries, key=lambda summary: (summary.created, summary.id), reverse=True)
