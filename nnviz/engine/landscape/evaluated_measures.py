"""The measures drawn in a landscape: loss and accuracy over fixed samples, in evaluation mode."""

from functools import partial

import torch
from torch import nn

from nnviz.engine import landscape, losses
from nnviz.engine.learners.supervised import SupervisedLearning
from nnviz.engine.losses import LossFunction


class EvaluatedMeasures:
    """Samples of a learner, with its loss and accuracy. The loss is without penalties."""

    def __init__(self, learning: SupervisedLearning, samples: int) -> None:
        """At most `samples` of the training and of the test part: the first of those that the learner evaluates."""
        self.data = {name: (x[:samples], y[:samples]) for name, (x, y) in learning.parts.items() if len(x)}
        self.loss = learning.loss
        self.accuracy = _accuracy(learning)

    @torch.no_grad()
    def of(self, module: nn.Module) -> dict[str, float]:
        """Of a network in evaluation mode, by name: "train_loss", "test_accuracy", …"""
        found = {}
        for name, (x, y) in self.data.items():
            outputs = module(x)
            found[f"{name}_loss"] = float(self.loss(outputs, y))
            if self.accuracy:
                found[f"{name}_accuracy"] = float(self.accuracy(outputs, y))
        return found


def _accuracy(learning: SupervisedLearning) -> LossFunction | None:
    """Accuracy as a function of (outputs, targets); None for regression."""
    spec = learning.spec
    if not spec.data.classes:
        return None
    return landscape.accuracy if spec.outputs > 1 else partial(losses.accuracy, spec.loss)
