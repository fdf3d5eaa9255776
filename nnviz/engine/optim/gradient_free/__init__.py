"""Methods that move points down a surface by trying others."""

from nnviz.engine.optim.gradient_free.build_gradient_free import build
from nnviz.engine.optim.gradient_free.gradient_free_method import Method

__all__ = ["Method", "build"]
