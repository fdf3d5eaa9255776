"""Methods that move points down a surface by trying others."""

from nnviz.engine.descent.evolution.build import build
from nnviz.engine.descent.evolution.method import Method

__all__ = ["Method", "build"]
