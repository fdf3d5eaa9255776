"""Learners under way."""

from nnviz.engine.learners.build import build
from nnviz.engine.learners.learning import HasUntrainedPass, Learning

__all__ = ["HasUntrainedPass", "Learning", "build"]
