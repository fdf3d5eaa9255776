"""Generators and discriminators of images, with class labels or without, for any family of models."""

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from nnviz.engine.models import conditional
from nnviz.engine.models.build_model import build
from nnviz.engine.randomness import stream
from nnviz.spec.learners import ImageAdversarial
from nnviz.spec.models import Feedforward
from nnviz.spec.shapes import numbers


def generator(learner: ImageAdversarial, seed: int) -> nn.Module:
    """(batch, *learner.generated_from) -> (batch, channels, height, width), on the CPU. A multilayer perceptron ends
    with tanh, which gives numbers in the range of pixels."""
    shape = learner.data.shape
    network = build(learner.generator, learner.generated_from, numbers(shape), stream(seed, "generator"))
    if isinstance(learner.generator, Feedforward):
        network.add_module("output_activation", nn.Tanh())
        network.add_module("unflatten", nn.Unflatten(1, shape))
    return network


def generator_inputs(learner: ImageAdversarial, noise: Tensor, *labels: Tensor) -> Tensor:
    """What the generator is called with: noise (n, dimensions), beside it 1 for the class in `labels` (n,) and 0 for
    the others."""
    return torch.cat([noise, *(one_hot(y, learner.data.classes).to(noise.dtype) for y in labels)], 1)


def discriminator(learner: ImageAdversarial, seed: int) -> nn.Module:
    """(batch, channels, height, width), and labels (batch,) where it gets them -> (batch, 1), on the CPU."""
    own, model, classes = stream(seed, "discriminator"), learner.discriminator, learner.data.classes
    network = build(model, learner.judged, 1, own)
    match learner.conditional:
        case "projection":
            return conditional.project(network, model.features(learner.judged), classes, model.initializer, own)
        case "concatenation":
            return conditional.concatenate(network, learner.data.shape, classes, own)
    return network
