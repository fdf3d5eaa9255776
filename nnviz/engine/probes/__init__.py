"""Probes on a module under watch."""

from nnviz.engine.probes.build import build

__all__ = ["build"]
