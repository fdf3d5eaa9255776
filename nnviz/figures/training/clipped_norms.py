"""The gradient norm of whole networks, before and after clipping."""

import pandas as pd

from nnviz.figures.training.curves import curves

_SITES = {"gradient_norm_unclipped": "before_clipping", "gradient_norm_total": "after_clipping"}


def clipped_norms(frame: pd.DataFrame, *, log: bool | None = None, smooth: float = 0.0) -> dict:
    """`gradient_norm_unclipped` and `gradient_norm_total` of each root as curves over the steps; `log` and `smooth` as
    in `curves`."""
    rows = frame[frame["quantity"].isin(list(_SITES)).to_numpy()]
    sites = rows["quantity"].astype(object).map(_SITES)
    roots = rows["site"].astype(object)
    names = sites if roots.nunique() <= 1 else roots + ", " + sites.str.replace("_", " ")
    rows = rows.assign(quantity="gradient_norm_total", site=names)
    return curves(rows, "gradient_norm_total", log=log, smooth=smooth)
