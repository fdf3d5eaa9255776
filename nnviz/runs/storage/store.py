"""Store: a folder of run files."""

import os
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from nnviz.runs.errors import RunError
from nnviz.runs.reading.run_view import RunView, view
from nnviz.runs.storage import drafts, user_files
from nnviz.runs.storage.index import Index
from nnviz.runs.storage.run_file import RunFile, create
from nnviz.runs.storage.schema import as_run_errors
from nnviz.runs.storage.status import DONE, LIVE
from nnviz.runs.storage.summaries import Summary, summarize
from nnviz.spec.attachments import Attachment
from nnviz.spec.jobs import Job

UNTRAINED_AGE = 600.0
"""Seconds after which an untrained run that was given up may be deleted."""

MAX_UNTRAINED = 5
"""Untrained runs that were given up and are kept all the same."""

MAX_CACHED = 200
"""Finished runs that are kept of jobs that are made again when they are needed."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,99}")


class Store:
    """The runs in a folder: `home`, else the environment's NNVIZ_HOME, else `runs` under the current folder.

    The folder is made when the first run is written.
    """

    def __init__(self, home: Path | str | None = None) -> None:
        named = home or os.environ.get("NNVIZ_HOME") or "runs"
        self.home = Path(named).expanduser().absolute()
        if self.home.exists() and not self.home.is_dir():
            raise RunError(f"the store of runs must be a folder, got the file {self.home}: set NNVIZ_HOME to a folder")
        self._index = Index(self.home)

    def create(self, job: Job, *, title: str = "", source: Path | None = None, **options: Any) -> RunFile:
        """A new run of `job`, queued. `source` is its parent's file, to copy records from. Raises RunError."""
        return self._create([job], [title], sources=[source], **options)[0]

    def create_group(
        self, jobs: Sequence[Job], *, titles: Sequence[str] | None = None, **options: Any
    ) -> list[RunFile]:
        """New runs of `jobs`, queued, that will train in lock-step; `sources` are their parents' files.

        Raises RunError.
        """
        return self._create(jobs, titles or [""] * len(jobs), **options)

    def _create(
        self,
        jobs: Sequence[Job],
        titles: Sequence[str],
        *,
        pinned: bool = False,
        until: int | None = None,
        sources: Sequence[Path | None] | None = None,
    ) -> list[RunFile]:
        ids: list[str] = []
        while len(ids) < len(jobs):
            run_id = f"{time.strftime('%Y%m%d-%H%M')}-{secrets.token_hex(3)}"
            if run_id not in ids and not self.path(run_id).exists():
                ids.append(run_id)
        options = {"pinned": pinned, "until": until, "members": ids if len(ids) > 1 else []}
        for run_id, job, title, source in zip(ids, jobs, titles, sources or [None] * len(ids), strict=True):
            create(self.path(run_id), job, title=title, source=source, **options)
        return [self.open(run_id) for run_id in ids]

    def path(self, run_id: str) -> Path:
        """Where the run `run_id` lies, or would lie. Raises RunError for what is no id: ids come from links."""
        if not _ID.fullmatch(run_id) or run_id.endswith("."):
            raise RunError(f"a run's id must look like 20261120-1551-ab12cd, got {run_id[:100]!r}")
        return self.home / f"{run_id}.sqlite"

    def open(self, run_id: str) -> RunFile:
        """The run `run_id`. Raises RunError if it is unknown, damaged, foreign or of a newer version."""
        return RunFile(self.path(run_id))

    def view(self, run_id: str) -> RunView:
        """What there is to see of the run `run_id` now. Raises RunError."""
        return view(self.path(run_id))

    def group(self, run_id: str) -> list[str]:
        """Ids of the runs that train in lock-step with `run_id`, itself included."""
        return self.open(run_id).members

    def delete(self, run_id: str) -> None:
        """Remove a run that nobody drives. Raises RunError."""
        path = self.path(run_id)
        if not path.exists():
            raise RunError(f"run {run_id} does not exist in {self.home}: check the id")
        summary = summarize(path)
        if summary.state in LIVE:
            raise RunError(f"run {run_id} is {summary.state}: stop it before you delete it")
        with as_run_errors(path):
            for end in ("", "-wal", "-shm", "-journal"):
                path.with_name(path.name + end).unlink(missing_ok=True)

    def keep_draft(self, text: str) -> str:
        """Keep a text that is too long for an address; the mark that `draft` finds it by. Raises RunError."""
        return drafts.keep(self.home / "drafts", text)

    def draft(self, mark: str) -> str:
        """The text that was kept here under this mark. Raises RunError where it is not."""
        return drafts.find(self.home / "drafts", mark)

    def keep_file(self, name: str, content: bytes) -> Attachment:
        """Keep a file of the user's own; what a job names it by. Raises RunError."""
        return user_files.keep(self.home, name, content)

    def import_files(self, job: Job, folder: Path) -> None:
        """Keep files that the job names and that lie beside it in `folder`, as export writes them. Raises RunError."""
        user_files.import_files(self.home, job, folder / user_files.FOLDER)

    def sweep(self, older: float = UNTRAINED_AGE, keep: int = MAX_UNTRAINED) -> Sequence[str]:
        """Delete runs that waited untrained at step 0 and were given up, and of jobs that are made again when they are
        needed those that were left unfinished or are the oldest of many; the ids of those deleted. Drafts that are old
        or too many go too, and old files of the user's own that no run names.

        Runs that are live, pinned, or were looked at within `older` seconds stay, and so do the `keep` newest of the
        untrained ones: tabs and links that are still open name the last few.
        """
        drafts.sweep(self.home / "drafts")
        ended = [s for s in self.list() if s.state not in (*LIVE, "damaged") and not s.pinned]
        cached = [s for s in ended if s.is_cached]
        untrained = [
            s for s in ended if not s.is_cached and s.state in ("stopped", "lost") and not (s.step or s.parent)
        ]
        unneeded = [s for s in cached if s.state != "finished"]
        unneeded += [s for s in cached if s.state == "finished"][MAX_CACHED:]
        swept = []
        for summary in [*untrained[keep:], *unneeded]:
            with suppress(RunError):  # gone, or taken up again, in the meantime
                status = self.open(summary.id).status()
                is_unneeded = summary.is_cached or status.until == 0
                if is_unneeded and time.time() - max(status.viewed, status.ended or 0.0) > older:
                    self.delete(summary.id)
                    swept.append(summary.id)
        with suppress(RunError, OSError):  # a run that cannot be read may name any file
            user_files.sweep(self.home, self._job_texts())
        return swept

    def _job_texts(self) -> Iterator[str]:
        """The jobs of all runs and drafts, as JSON."""
        for path in self.home.glob("drafts/*.json"):
            yield path.read_text(encoding="utf-8")
        for path in self.home.glob("*.sqlite"):
            yield self.open(path.stem).text

    def list(self) -> list[Summary]:
        """All runs, newest first."""
        return self._index.all()

    def find(self, fingerprint: str) -> str | None:
        """The newest finished run of the job with this fingerprint."""
        return next((s.id for s in self._index.of(fingerprint) if s.state in DONE), None)
