"""Learners: what one training step is, and what is evaluated."""

from nnviz.engine.learners.build_learner import build
from nnviz.engine.learners.learning import CanBeBrief, Classifies, HasAverages, HasUntrainedPass, Learning

__all__ = ["CanBeBrief", "Classifies", "HasAverages", "HasUntrainedPass", "Learning", "build"]
