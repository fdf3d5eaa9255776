"""What normalization does in a network that trains, measured at evaluations without any effect on the training."""

from nnviz.engine.normalization.observers import Observer, build

__all__ = ["Observer", "build"]
