"""What a list says of a run, read from its file."""

import json
import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from nnviz.runs.errors import RunError
from nnviz.runs.storage.result import Result, read_result
from nnviz.runs.storage.schema import as_run_errors, connect
from nnviz.runs.storage.status import LIVE, read_status
from nnviz.spec.base import options
from nnviz.spec.jobs import Job, shown_as

KINDS = options(Job)


@dataclass(frozen=True, slots=True)
class Summary:
    """A run in a list. A file that cannot be read has the state "damaged", the reason as `error`, and nothing else."""

    id: str
    kind: str = ""
    title: str = ""
    state: str = "damaged"
    step: int = 0
    steps: int = 0
    created: float = 0.0
    parent: str | None = None
    parent_step: int | None = None
    pinned: bool = False
    result: Result | None = None
    error: str = ""
    fingerprint: str = ""
    size: int = 0
    shown_as: str = ""
    """What pages tell its job apart by."""

    @property
    def is_cached(self) -> bool:
        """Whether its job is made again when it is needed."""
        job = KINDS.get(self.kind)
        return job is not None and job.retention != "history"

    @property
    def is_final(self) -> bool:
        """Whether it stays as it is for as long as its file does."""
        return self.state not in (*LIVE, "lost", "damaged")

    def text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def parse(cls, text: str) -> Self:
        """From JSON. Raises TypeError and ValueError for what is none."""
        fields = json.loads(text)
        return cls(**fields | {"result": fields["result"] and Result(*fields["result"])})


def summarize(path: Path) -> Summary:
    """The run file at `path` in a line; never raises."""
    try:
        return _read(path, path.stat().st_size)
    except RunError as error:
        return Summary(path.stem, error=str(error))
    except OSError as error:
        return Summary(path.stem, error=f"run file {path} cannot be read: {error.strerror or error}")


def _read(path: Path, size: int) -> Summary:
    connection = connect(path)
    try:
        with as_run_errors(path):
            status = read_status(connection)
            row = connection.execute(
                "SELECT created, parent, parent_step, fingerprint, json_extract(json, '$.kind'), "
                "json_extract(json, '$.learner.kind') FROM job"
            ).fetchone()
            result = read_result(connection, status)
    except sqlite3.Error as error:  # pragma: no cover  # worded above; kept so that a list never fails
        raise RunError(str(error)) from error
    finally:
        connection.close()
    created, parent, parent_step, fingerprint, kind, learner = row
    return Summary(
        id=path.stem,
        kind=kind,
        title=status.title,
        state=status.state,
        step=status.step,
        steps=status.steps,
        created=created,
        parent=parent,
        parent_step=parent_step,
        pinned=status.pinned,
        result=result,
        error=status.error,
        fingerprint=fingerprint,
        size=size,
        shown_as=shown_as(kind, learner),
    )
