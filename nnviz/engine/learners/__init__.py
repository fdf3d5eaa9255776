"""Learners: what one training step is, and what is evaluated."""

from nnviz.engine.learners.build_learner import build
from nnviz.engine.learners.learning import HasUntrainedPass, Learning

__all__ = ["HasUntrainedPass", "Learning", "build"]
