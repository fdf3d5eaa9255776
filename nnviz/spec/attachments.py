"""Attachments: the user's own files, which a job names by the hash of their content."""

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from nnviz.spec.base import Spec


class Attachment(Spec):
    """A file of the user's own. Its content decides the run, its name is for the reader. Without a hash no file is
    chosen yet."""

    sha256: str = Field(
        "", pattern=r"^([0-9a-f]{64})?$", title="SHA-256", description="64 hexadecimal digits: the hash of the content."
    )
    name: str = Field("", max_length=100, pattern=r'^[^/\\:*?"<>|\p{C}]*$', description="a file name without a folder.")

    def __str__(self) -> str:
        return f"file {self.name!r} (SHA-256 {self.sha256[:12]}…)"


def attachments_of(value: Any) -> tuple[Attachment, ...]:
    """All attachments of a job or of a part of it, each once."""
    return tuple(dict.fromkeys(_walk(value)))


def _walk(value: Any) -> Iterator[Attachment]:
    if isinstance(value, Attachment):
        yield value
    elif isinstance(value, Spec):
        for name in type(value).model_fields:
            yield from _walk(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _walk(item)
