"""Why a figure has no line from theory."""


def missing(batch_norm: bool, initializer: str) -> str:
    """In a few words why there is no theory for a network, of those it is missing for: batch norm couples the samples
    of a batch, and the variance recursion is about random weights."""
    return "batch norm" if batch_norm else f"weights start from {initializer.replace('_', ' ')}"
