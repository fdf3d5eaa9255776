"""Measures activations, gradients and updates during training, without any effect on it."""

from nnviz.engine.capture.passes import named, silent
from nnviz.engine.capture.trace import Pass, PassSample, Place, Probe, Update, UpdateSample
from nnviz.engine.capture.watch import Watch

__all__ = ["Pass", "PassSample", "Place", "Probe", "Update", "UpdateSample", "Watch", "named", "silent"]
