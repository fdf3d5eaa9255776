"""Discriminators that are told the class of an image."""

from collections import deque

import torch
from torch import Tensor, nn

from nnviz.engine import initializers
from nnviz.engine.models.mlp import ResidualMLP, in_sequence
from nnviz.engine.randomness import generator
from nnviz.spec.initializers import Initializer
from nnviz.spec.shapes import Shape, numbers


class ConditionalDiscriminator(nn.Module):
    """A network's modules, and an embedding of the classes."""

    def __init__(self, network: nn.Module, embedding: nn.Embedding) -> None:
        super().__init__()
        self.embedding = embedding
        for name, module in network.named_children():
            self.add_module(name, module)
        self.skip = isinstance(network, ResidualMLP)

    def judge(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What its output layer gets, (batch, features), and gives, (batch, 1)."""
        _, features, out = deque(in_sequence(list(self.named_children())[1:], x, self.skip), maxlen=1)[0]
        return features, out


class Projection(ConditionalDiscriminator):
    """s(x, y) = output(φ(x)) + ⟨embedding(y), φ(x)⟩, φ(x) what the output layer gets (Miyato & Koyama, 2018,
    arXiv:1802.05637)."""

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """(batch, channels, height, width) and (batch,) -> (batch, 1)."""
        features, out = self.judge(x)
        return out + (self.embedding(labels) * features).sum(1, keepdim=True)


class Concatenation(ConditionalDiscriminator):
    """The embedding of the class is one more channel of the image (after Mirza & Osindero, 2014, arXiv:1411.1784)."""

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """(batch, channels, height, width) and (batch,) -> (batch, 1)."""
        channel = self.embedding(labels).reshape(len(x), 1, *x.shape[2:])
        return self.judge(torch.cat([x, channel.to(x.dtype)], 1))[1]


def project(network: nn.Module, features: int, classes: int, initializer: Initializer, seed: int) -> Projection:
    """With an embedding that starts as another row of the output layer for each class."""
    rows = nn.Linear(features, classes, bias=False)
    initializers.fill(rows, initializer, generator(seed, "weights", 0))
    return Projection(network, _embedding(rows.weight.detach()))


def concatenate(network: nn.Module, image: Shape, classes: int, seed: int) -> Concatenation:
    """With an embedding that starts from N(0, 1); the network takes one channel more than the image has."""
    start = torch.randn(classes, numbers(image[1:]), generator=generator(seed, "weights", 0))
    return Concatenation(network, _embedding(start))


def _embedding(start: Tensor) -> nn.Embedding:
    return nn.Embedding.from_pretrained(start, freeze=False)
