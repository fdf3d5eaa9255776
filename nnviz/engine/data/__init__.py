"""Data sets as tensors."""

from nnviz.engine.data.build_data import build
from nnviz.engine.data.dataset import Dataset

__all__ = ["Dataset", "build"]
