"""The layers of a run, and what was measured at them, as figures take them."""

from collections.abc import Mapping

import numpy as np
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


def snapshot_of(run: RunView, quantity: str, root: str, batch: str = "") -> Mapping[str, np.ndarray]:
    """The snapshot of a root; where it has one of each named forward pass, that of `batch`, and of several updates in a
    step that of the last. {} where there is none yet."""
    sites = [site for site in run.sites(quantity) if site.partition("#")[0] == root]
    sites = [site for site in sites if site.split("#")[1:2] == [batch]] or sites
    return run.snapshot(quantity, max(sites, key=lambda site: (len(site), site))) if sites else {}
