"""Norm specs -> torch modules."""

from torch import nn

from nnviz.spec import norms as spec


def build(norm: spec.Norm, units: int) -> nn.Module | None:
    """The module for (batch, units), or None where nothing is normalized."""
    match norm:
        case spec.NoNorm():
            return None
        case spec.BatchNorm():
            return nn.BatchNorm1d(units)
    raise TypeError(f"no norm for {norm!r}")
