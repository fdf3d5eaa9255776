"""Names of forward passes, for learners that use a module more than once in a step."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_NAME: ContextVar[str | None] = ContextVar("name of the forward pass", default="")


@contextmanager
def named(name: str) -> Iterator[None]:
    """Names the forward passes within, to distinguish them from others of the step: `with named("fake"):
    discriminator(x)` is measured at sites such as "discriminator.linear1#fake".

    Within `silent` it has no effect. Raises ValueError for a name that is not letters, digits and underscores.
    """
    if not re.fullmatch(r"[A-Za-z_]\w*", name, flags=re.ASCII):
        raise ValueError(f"name of a forward pass must be letters, digits and underscores, got {name!r}")
    token = _NAME.set(None if _NAME.get() is None else name)
    try:
        yield
    finally:
        _NAME.reset(token)


@contextmanager
def silent() -> Iterator[None]:
    """Forward passes within are not measured: those of a gradient penalty, or of unrolled steps."""
    token = _NAME.set(None)
    try:
        yield
    finally:
        _NAME.reset(token)


def current() -> str | None:
    """The name of the current pass; "" without a name, None if it is silent."""
    return _NAME.get()
