"""The content of the files that a job names. The engine knows hashes only; the caller passes a function that reads the
files."""

from collections.abc import Callable

from nnviz.engine.device import EngineError
from nnviz.spec.attachments import Attachment

ReadFile = Callable[[Attachment], bytes]
"""Returns the content of an attachment, checked against its hash; raises EngineError if it cannot."""


def no_files(attachment: Attachment) -> bytes:
    """For jobs without attachments. Raises EngineError."""
    raise EngineError(f"{attachment} cannot be read: pass read_file to run()")
