"""The layers of a run, as figures take them."""

from nnviz.frames import Layers
from nnviz.runs import RunView


def layers(run: RunView, *roots: str) -> Layers:
    """The layers of these roots, of all if none is named."""
    return Layers({root: run.snapshot("layers", root) for root in roots or run.sites("layers")})
