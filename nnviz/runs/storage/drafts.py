"""Drafts: texts too long for an address, kept in a folder under a mark that an address can hold."""

import hashlib
import os
import re
import time
from contextlib import suppress
from pathlib import Path

from nnviz.runs.errors import RunError

MAX_AGE = 30 * 86_400.0
"""Seconds after which a draft that nobody has opened goes."""

MAX_DRAFTS = 500
"""Drafts that are kept, the ones opened last."""

_MARK = re.compile(r"[0-9a-f]{16}")


def keep(folder: Path, text: str) -> str:
    """Keeps the text in `folder`; its mark, the same for the same text. Raises RunError."""
    mark = hashlib.sha256(text.encode()).hexdigest()[:16]
    path = folder / f"{mark}.json"
    try:
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            new = path.with_suffix(f".{os.getpid()}")
            new.write_text(text, encoding="utf-8")
            new.replace(path)
        os.utime(path)
    except OSError as error:
        raise RunError(f"the folder of drafts {folder} cannot be written: {error.strerror or error}") from None
    return mark


def find(folder: Path, mark: str) -> str:
    """The text with this mark. Raises RunError where it is not kept here."""
    path = folder / f"{mark}.json"
    try:
        if _MARK.fullmatch(mark):  # it comes from an address
            with suppress(OSError):
                os.utime(path)
            return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        raise RunError(f"draft {mark} in {folder} cannot be read: {error}") from None
    raise RunError(f"draft {mark[:40]!r} is not in {folder}: it is stored only on the machine where its link was made")


def sweep(folder: Path, older: float = MAX_AGE, most: int = MAX_DRAFTS) -> None:
    """Deletes drafts that nobody has opened for `older` seconds, and all but the `most` that were opened last."""
    opened = {}
    for path in folder.glob("*"):
        with suppress(OSError):
            opened[path] = path.stat().st_mtime
    for place, path in enumerate(sorted(opened, key=opened.__getitem__, reverse=True)):
        if place >= most or time.time() - opened[path] > older:
            with suppress(OSError):
                path.unlink()
