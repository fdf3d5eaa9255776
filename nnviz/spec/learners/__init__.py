"""Learners: what one training step is. A module for each."""

from nnviz.spec.learners.adversarial import Adversarial, AdversarialBase
from nnviz.spec.learners.adversarial_images import ImageAdversarial
from nnviz.spec.learners.learner_union import Learner
from nnviz.spec.learners.supervised import Supervised

__all__ = ["Adversarial", "AdversarialBase", "ImageAdversarial", "Learner", "Supervised"]
