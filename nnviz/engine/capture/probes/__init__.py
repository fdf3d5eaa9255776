"""Probes on a module under watch."""

from nnviz.engine.capture.probes.build_probes import build
from nnviz.engine.capture.probes.unit_probe import Units

__all__ = ["Units", "build"]
