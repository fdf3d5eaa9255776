"""Probes on a module under watch."""

from nnviz.engine.probes.build import build
from nnviz.engine.probes.units import Units

__all__ = ["Units", "build"]
