"""Probes: what is measured in modules and optimizers during training."""

from nnviz.engine.capture.probes.build_probes import build
from nnviz.engine.capture.probes.unit_probe import UnitStatistics

__all__ = ["UnitStatistics", "build"]
