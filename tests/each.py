"""A test over many options as one case: a loop that names the option at which it failed."""

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any


def each(names: str | tuple[str, ...], options: Iterable[Any]) -> Callable[[Callable], Callable]:
    """Calls the test with every option, one after another, as one case of pytest.

    Takes what `pytest.mark.parametrize` takes: one name and values, or several names ("a, b" or a tuple) and tuples of
    values. Fixtures that the test asks for are shared by all options. A failure carries a note that names the option.
    """
    listed = [n.strip() for n in names.split(",")] if isinstance(names, str) else list(names)
    cases = list(options)

    def decorate(test: Callable) -> Callable:
        @functools.wraps(test)
        def loop(**fixtures: Any) -> None:
            assert cases, "there is no option to test"
            for case in cases:
                values = (case,) if len(listed) == 1 else case
                chosen = dict(zip(listed, values, strict=True))
                try:
                    test(**fixtures, **chosen)
                except BaseException as error:
                    said = ", ".join(f"{name}={value!r}" for name, value in chosen.items())
                    error.add_note(f"with {said[:400]}")
                    raise

        signature = inspect.signature(test)
        kept = [p for name, p in signature.parameters.items() if name not in listed]
        loop.__signature__ = signature.replace(parameters=kept)
        return loop

    return decorate
