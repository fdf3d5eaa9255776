"""The layers of a run, and what was measured at them, as figures take them."""

import pandas as pd

from nnviz.frames import Layers
from nnviz.runs import RunView


def layers(run: RunView, *roots: str) -> Layers:
    """The layers of these roots, of all if none is named."""
    return Layers({root: run.snapshot("layers", root) for root in roots or run.sites("layers")})


def scalars_of(run: RunView, root: str, *quantities: str) -> pd.DataFrame:
    """Scalars that were measured at the sites of one root."""
    frame = run.scalars(*quantities)
    return frame[frame["site"].astype(str).str.startswith(f"{root}.").to_numpy()]
