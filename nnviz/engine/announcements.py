"""What takes long while a job is built, before it has a step to report: said in a line to whoever runs the job."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Announce = Callable[[str], None]
"""Is told in a line what is under way; an empty line when that is over."""

_listener: ContextVar[Announce | None] = ContextVar("announce", default=None)


@contextmanager
def heard_by(listener: Announce | None) -> Iterator[None]:
    """What is announced in here goes to `listener`."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


@contextmanager
def announced(line: str) -> Iterator[None]:
    """Says the line now, and that it is over at the end."""
    listener = _listener.get()
    if listener:
        listener(line)
    try:
        yield
    finally:
        if listener:
            listener("")
