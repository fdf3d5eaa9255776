"""Learners under way."""

from nnviz.engine.learners.build import build
from nnviz.engine.learners.learning import Learning

__all__ = ["Learning", "build"]
