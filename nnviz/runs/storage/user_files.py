"""The user's own files, kept in a store under the hashes of their contents: `home`/files/<SHA-256>."""

import hashlib
import os
import re
import secrets
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from nnviz.runs.errors import RunError
from nnviz.spec.attachments import Attachment, attachments_of
from nnviz.spec.jobs import Job

FOLDER = "files"

LARGEST = 50_000_000
"""Bytes of a file; also what the app's server accepts as one upload."""

MAX_AGE = 30 * 86_400.0
"""Seconds after which a file goes that no run names and nobody has used."""

_HASH = re.compile(r"\b[0-9a-f]{64}\b")


def keep(home: Path, name: str, content: bytes) -> Attachment:
    """Keeps the content; what a job names it by. Raises RunError for what is too large or cannot be written."""
    if len(content) > LARGEST:
        raise RunError(f"file {name!r} must have at most {LARGEST:,} bytes, got {len(content):,}: take a part of it")
    attachment = Attachment.parse({"sha256": hashlib.sha256(content).hexdigest(), "name": name})
    path = _path(home, attachment)
    try:
        with suppress(OSError):
            if path.read_bytes() == content:
                os.utime(path)
                return attachment
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{secrets.token_hex(8)}")
        new.write_bytes(content)
        new.replace(path)
    except OSError as error:
        raise RunError(f"the folder of files {path.parent} cannot be written: {error.strerror or error}") from None
    return attachment


def read(home: Path, attachment: Attachment) -> bytes:
    """The content, which is what the hash says. Raises RunError."""
    if not attachment.sha256:
        raise RunError("no file is chosen yet: choose one in the form")
    path = _path(home, attachment)
    try:
        content = path.read_bytes()
        with suppress(OSError):
            os.utime(path)
    except FileNotFoundError:
        raise RunError(
            f"{attachment} is not in {path.parent}: choose the file again, or put it as {_readable(attachment)} into "
            "the folder files beside the job's own file and run that"
        ) from None
    except OSError as error:
        raise RunError(f"{attachment} cannot be read: {error.strerror or error}") from None
    if hashlib.sha256(content).hexdigest() != attachment.sha256:
        raise RunError(f"{attachment} is damaged in {path.parent}: choose the file again")
    return content


def check(home: Path, job: Job) -> None:
    """Raises RunError where a file that the job names is not there, before anything is started."""
    for attachment in attachments_of(job):
        try:
            os.utime(_path(home, attachment))  # it is not swept before the run names it
        except OSError:
            read(home, attachment)  # says what is wrong, if anything is


def copy(home: Path, job: Job, to: Path) -> list[Path]:
    """Writes the files of the job that are there and whole into the folder `to`, under names for a reader."""
    written = []
    for attachment in attachments_of(job):
        with suppress(RunError):
            content = read(home, attachment)
            to.mkdir(exist_ok=True)
            written.append(to / _readable(attachment))
            written[-1].write_bytes(content)
    return written


def import_files(home: Path, job: Job, beside: Path) -> None:
    """Keeps files of the job that lie in the folder `beside`, as `copy` writes them. Raises RunError."""
    for attachment in attachments_of(job):
        with suppress(OSError):
            if not _path(home, attachment).is_file():
                keep(home, attachment.name, (beside / _readable(attachment)).read_bytes())


def sweep(home: Path, texts: Iterable[str], older: float = MAX_AGE) -> None:
    """Deletes files that nobody has used for `older` seconds, unless one of the `texts`, of jobs, names them."""
    old = {}
    with suppress(OSError):
        old = {path.name: path for path in (home / FOLDER).iterdir() if time.time() - path.stat().st_mtime > older}
    if not old:  # the texts need not be read
        return
    named = {name for text in texts for name in _HASH.findall(text)}
    for path in [path for name, path in old.items() if name not in named]:
        with suppress(OSError):
            path.unlink()


def _path(home: Path, attachment: Attachment) -> Path:
    return home / FOLDER / (attachment.sha256 or "none")


def _readable(attachment: Attachment) -> str:
    return f"{attachment.sha256[:12]}-{attachment.name}"
