"""Loss specs -> functions of (outputs, targets); outputs -> predictions."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from nnviz.spec import losses as spec

LossFunction = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class MeanCrossEntropy:
    """Mean cross-entropy of outputs (batch, classes) and classes (batch,). A class, so that code that
    evaluates many points at once can recognize it."""

    label_smoothing: float = 0.0

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(outputs, targets, label_smoothing=self.label_smoothing)


def build(loss: spec.Loss, classes: int, outputs: int) -> LossFunction:
    """The mean loss over a batch: outputs (batch, outputs) and targets (batch,), classes as integers, -> 0-d tensor."""
    match loss:
        case spec.CrossEntropy(label_smoothing=smoothing):
            return MeanCrossEntropy(smoothing)
        case spec.BinaryCrossEntropy():
            return lambda z, y: F.binary_cross_entropy_with_logits(
                z, as_regression_targets(y, classes, outputs, z.dtype)
            )
        case spec.MSE():
            return lambda z, y: F.mse_loss(z, as_regression_targets(y, classes, outputs, z.dtype))
        case spec.MAE():
            return lambda z, y: F.l1_loss(z, as_regression_targets(y, classes, outputs, z.dtype))
        case spec.RMSE():
            # √ has an infinite slope at 0: with this term a perfect fit has the loss 1e-6 and a finite gradient.
            return lambda z, y: (F.mse_loss(z, as_regression_targets(y, classes, outputs, z.dtype)) + 1e-12).sqrt()
        case spec.Huber(delta=delta):
            return lambda z, y: F.huber_loss(z, as_regression_targets(y, classes, outputs, z.dtype), delta=delta)
    raise TypeError(f"no loss for {loss!r}")


def per_sample(loss: spec.Loss, classes: int, outputs: Tensor, targets: Tensor) -> Tensor:
    """The loss of each sample, (batch,): that of a batch with this sample alone."""
    if isinstance(loss, spec.CrossEntropy):
        return F.cross_entropy(outputs, targets, label_smoothing=loss.label_smoothing, reduction="none")
    y = as_regression_targets(targets, classes, outputs.shape[1], outputs.dtype)
    match loss:
        case spec.BinaryCrossEntropy():
            return F.binary_cross_entropy_with_logits(outputs, y, reduction="none").mean(1)
        case spec.MSE():
            return (outputs - y).square().mean(1)
        case spec.MAE():
            return (outputs - y).abs().mean(1)
        case spec.RMSE():
            return ((outputs - y).square().mean(1) + 1e-12).sqrt()
        case spec.Huber(delta=delta):
            return F.huber_loss(outputs, y, delta=delta, reduction="none").mean(1)
    raise TypeError(f"no loss for {loss!r}")


def as_regression_targets(targets: Tensor, classes: int, outputs: int, dtype: torch.dtype) -> Tensor:
    """Targets (batch,) as numbers (batch, outputs) to compare outputs with: one-hot for several classes."""
    if classes and outputs > 1:
        return F.one_hot(targets, classes).to(dtype)
    return targets.to(dtype).unsqueeze(1)


def scores(loss: spec.Loss, outputs: Tensor) -> Tensor:
    """Class scores (batch, classes), of which the largest is the predicted class: the raw outputs of a classifier.

    A single output is the score of class 1 and class 0 has the score 0; the decision boundary is at 0 for the logit of
    binary cross-entropy and at ½ for losses that compare outputs with targets 0 and 1.
    """
    if outputs.shape[1] > 1:
        return outputs
    logit = outputs if isinstance(loss, spec.BinaryCrossEntropy) else outputs - 0.5
    return torch.cat([torch.zeros_like(logit), logit], 1)


def predicted(loss: spec.Loss, outputs: Tensor) -> Tensor:
    """The predicted class (batch,): the largest raw output, the first of equal ones; −1 where an output is NaN.

    Not by probabilities: they are rounded or clamped to 0 and 1, which gives ties.
    """
    found = scores(loss, outputs)
    return found.argmax(1).masked_fill(found.isnan().any(1), -1)


def accuracy(loss: spec.Loss, outputs: Tensor, targets: Tensor) -> Tensor:
    """The fraction of samples with the right predicted class, 0-d, of the type of the outputs."""
    return (predicted(loss, outputs) == targets).to(outputs.dtype).mean()


def probabilities(loss: spec.Loss, outputs: Tensor) -> Tensor:
    """Class probabilities (batch, classes) from the outputs of a classifier under this loss, for display.

    With regression losses, outputs are clamped to [0, 1] and scaled to sum 1, which is a convention only.
    """
    match loss:
        case spec.CrossEntropy():
            return outputs.softmax(1)
        case spec.BinaryCrossEntropy():
            positive = outputs.sigmoid()
        case _:
            positive = outputs.clamp(0, 1)
    if positive.shape[1] == 1:
        return torch.cat([1 - positive, positive], 1)
    return (positive + 1e-12) / (positive + 1e-12).sum(1, keepdim=True)


def log_probabilities(loss: spec.Loss, outputs: Tensor) -> Tensor:
    """The logarithm of `probabilities` (batch, classes); of cross-entropy also where these are rounded to 0."""
    if isinstance(loss, spec.CrossEntropy):
        return outputs.log_softmax(1)
    if isinstance(loss, spec.BinaryCrossEntropy) and outputs.shape[1] == 1:
        return torch.cat([F.logsigmoid(-outputs), F.logsigmoid(outputs)], 1)
    return probabilities(loss, outputs).clamp_min(1e-30).log()
