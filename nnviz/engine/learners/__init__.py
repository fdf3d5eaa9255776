"""Learners under way."""

from nnviz.engine.learners.build_learner import build
from nnviz.engine.learners.learning import HasUntrainedPass, Learning

__all__ = ["HasUntrainedPass", "Learning", "build"]
