"""Learner specs -> learners."""

import torch

from nnviz.engine.attachments import ReadFile, no_files
from nnviz.engine.learners.adversarial import AdversarialLearning
from nnviz.engine.learners.learning import Learning
from nnviz.engine.learners.supervised import SupervisedLearning
from nnviz.spec import learners as spec


def build(
    learner: spec.Learner,
    seed: int,
    steps: int,
    device: torch.device,
    weights_seed: int | None = None,
    read_file: ReadFile = no_files,
) -> Learning:
    """The learner at step 0. With a `weights_seed`, `seed` decides the data alone."""
    match learner:
        case spec.Supervised():
            return SupervisedLearning(learner, seed, steps, device, weights_seed, read_file)
        case spec.AdversarialBase():
            return AdversarialLearning(learner, seed, steps, device, read_file)
    raise TypeError(f"no learner for {learner!r}")
