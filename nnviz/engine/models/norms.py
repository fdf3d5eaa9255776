"""Norms -> torch modules."""

from torch import nn

from nnviz.spec import norms as spec


def build(norm: spec.Norm, units: int) -> nn.Module | None:
    """The module for (batch, units), or None where nothing is normalized."""
    match norm:
        case spec.NoNorm():
            return None
        case spec.BatchNorm():
            return nn.BatchNorm1d(units, eps=norm.eps, momentum=norm.momentum, affine=norm.affine)
        case spec.LayerNorm():
            return nn.LayerNorm(units, eps=norm.eps, elementwise_affine=norm.affine)
        case spec.GroupNorm():
            return nn.GroupNorm(norm.groups, units, eps=norm.eps, affine=norm.affine)
        case spec.RMSNorm():
            return nn.RMSNorm(units, eps=norm.eps, elementwise_affine=norm.affine)
    raise TypeError(f"no norm for {norm!r}")


def build_for_images(kind: str, channels: int) -> nn.Module:
    """The module for (batch, channels, height, width), with scale and shift."""
    match kind:
        case "batch":
            return nn.BatchNorm2d(channels)
        case "instance":
            return nn.InstanceNorm2d(channels, affine=True)
    raise TypeError(f"no norm for {kind!r}")
