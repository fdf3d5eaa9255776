"""Loss specs -> functions of (outputs, targets); and what outputs mean as predictions."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from nnviz.spec import losses as spec

LossFunction = Callable[[Tensor, Tensor], Tensor]


def build(loss: spec.Loss, classes: int, outputs: int) -> LossFunction:
    """The mean loss over a batch: outputs (batch, outputs) and targets (batch,), classes as integers, -> 0-d tensor."""
    match loss:
        case spec.CrossEntropy(label_smoothing=smoothing):
            return lambda z, y: F.cross_entropy(z, y, label_smoothing=smoothing)
        case spec.BinaryCrossEntropy():
            return lambda z, y: F.binary_cross_entropy_with_logits(z, as_numbers(y, classes, outputs, z.dtype))
        case spec.MSE():
            return lambda z, y: F.mse_loss(z, as_numbers(y, classes, outputs, z.dtype))
        case spec.MAE():
            return lambda z, y: F.l1_loss(z, as_numbers(y, classes, outputs, z.dtype))
        case spec.RMSE():
            # √ has an infinite slope at 0: a perfect fit reads 1e-6 and has a finite gradient.
            return lambda z, y: (F.mse_loss(z, as_numbers(y, classes, outputs, z.dtype)) + 1e-12).sqrt()
        case spec.Huber(delta=delta):
            return lambda z, y: F.huber_loss(z, as_numbers(y, classes, outputs, z.dtype), delta=delta)
    raise TypeError(f"no loss for {loss!r}")


def as_numbers(targets: Tensor, classes: int, outputs: int, dtype: torch.dtype) -> Tensor:
    """Targets (batch,) as the numbers (batch, outputs) that outputs are compared with: one-hot for several classes."""
    if classes and outputs > 1:
        return F.one_hot(targets, classes).to(dtype)
    return targets.to(dtype).unsqueeze(1)


def probabilities(loss: spec.Loss, outputs: Tensor) -> Tensor:
    """Class probabilities (batch, classes) from the outputs of a classifier under this loss.

    Under the losses for numbers, outputs are cut to [0, 1] and scaled to sum 1: a reading, not a model.
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
