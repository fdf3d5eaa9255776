"""What goes wrong with runs, each in one line that a user can act on."""


class RunError(ValueError):
    """A run cannot be read, written or started; the message names the thing, the rule and what to do."""


def first_line(error: BaseException) -> str:
    """`Type: message` of `error` in one line, for a run's status; nnviz's own errors say it without the type."""
    text = " ".join(str(error).split())
    name = type(error).__name__
    if not text:
        return name
    return (text if type(error).__module__.startswith("nnviz.") else f"{name}: {text}")[:500]
