"""Learners: what one training step is. A module for each."""

from nnviz.spec.learners.supervised import Supervised
from nnviz.spec.learners.union import Learner

__all__ = ["Learner", "Supervised"]
