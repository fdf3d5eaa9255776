"""Jobs from files with settings of the command line, and one-line descriptions of jobs."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nnviz.spec.base import differences, replace_many
from nnviz.spec.jobs import Job, SpecError, load_set

MAX_BYTES = 1_000_000  # of a job file; the largest valid job has a tenth of that


def read(source: str, settings: Sequence[str] = ()) -> tuple[Job, ...]:
    """The jobs in the file `source` ("-": standard input), one or a set, with `settings` ("learner.optimizer.lr=0.3")
    applied to each.

    Raises SpecError.
    """
    name = "standard input" if source == "-" else source
    try:
        jobs = load_set(_bytes(source, name))
    except SpecError as error:
        raise SpecError(f"{name}: {error}") from None
    values = dict(setting(text) for text in settings)
    return tuple(replace_many(job, values) for job in jobs)


def setting(text: str) -> tuple[str, Any]:
    """(path, value) of "path=value"; the value is parsed as JSON if it is valid JSON, else it is text. Raises
    SpecError."""
    path, equals, value = text.partition("=")
    if not equals or not path.strip():
        raise SpecError(f"--set must be PATH=VALUE, as in learner.optimizer.lr=0.3, got {text!r}")
    try:
        return path.strip(), json.loads(value)
    except (ValueError, RecursionError):
        return path.strip(), value


def describe(job: Job) -> str:
    """The differences of the job from its defaults in one line: "data=digits optimizer.lr=0.05 steps=600"."""
    changes = differences(job, type(job)())
    return " ".join(f"{_short_path(path)}={_value_text(value)}" for path, value in changes.items()) or "defaults"


def _bytes(source: str, name: str) -> bytes:
    try:
        if source == "-":
            data = sys.stdin.buffer.read(MAX_BYTES + 1) if sys.stdin else b""
        else:
            with Path(source).open("rb") as file:
                data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SpecError(f"the job file cannot be read: {error.strerror or error}") from None
    if len(data) > MAX_BYTES:
        raise SpecError(f"a job file must have at most {MAX_BYTES:,} bytes; {name} has more")
    return data


def _short_path(path: str) -> str:
    return path.removeprefix("learner.").removesuffix(".kind")


def _value_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
