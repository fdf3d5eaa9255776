"""Learners: what one training step is. A module for each."""

from nnviz.spec.learners.adversarial import Adversarial
from nnviz.spec.learners.learner_union import Learner
from nnviz.spec.learners.supervised import Supervised

__all__ = ["Adversarial", "Learner", "Supervised"]
