"""Learner specs -> learners under way."""

import torch

from nnviz.engine.learners.learning import Learning
from nnviz.engine.learners.supervised import SupervisedLearning
from nnviz.spec import learners as spec


def build(learner: spec.Learner, seed: int, steps: int, device: torch.device) -> Learning:
    """The learner at step 0."""
    match learner:
        case spec.Supervised():
            return SupervisedLearning(learner, seed, steps, device)
    raise TypeError(f"no learner for {learner!r}")
