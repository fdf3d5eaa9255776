"""What the samples of adversarial training are: points of the plane, or images with or without class labels."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Protocol

import torch
from torch import Tensor, nn

from nnviz.engine import models
from nnviz.engine.attachments import ReadFile
from nnviz.engine.data import distributions, images
from nnviz.engine.learners.learning import NO_CONTEXT
from nnviz.engine.models import image_networks
from nnviz.engine.randomness import stream
from nnviz.engine.snapshots.adversarial_snapshots import AdversarialSnapshots
from nnviz.engine.snapshots.image_snapshots import ImageSnapshots
from nnviz.records import Metric, Record
from nnviz.spec import learners as spec
from nnviz.spec.noise_sources import UniformNoise

Samples = tuple[Tensor, ...]
"""Samples (n, …), and their labels (n,) where the networks get them: what the discriminator is called with."""


class Pictures(Protocol):
    """What is recorded of the networks."""

    def begin(self) -> list[Record]:
        """Of the real samples."""

    def draw(
        self,
        step: int,
        judged: nn.Module,
        trained: nn.Module,
        discriminator: nn.Module,
        watching: AbstractContextManager[None],
        is_brief: bool = False,
    ) -> Iterator[Record]:
        """Of networks in evaluation mode: `judged` is the generator that made the samples, which may be the average of
        the one that is `trained`. `watching` is entered for one pass of the latter and the discriminator. Pictures that
        take long may be left out where it `is_brief`."""


class SampleSpace(Protocol):
    """Where real samples come from, and how networks are made for them."""

    metric: Metric | None
    pictures: Pictures
    has_labels: bool
    """Whether the networks get them."""

    def networks(self) -> dict[str, nn.Module]:
        """Generator and discriminator, on the CPU."""

    def real(self, n: int, g: torch.Generator) -> Samples:
        """n real samples."""

    def labels(self, n: int, g: torch.Generator) -> Samples:
        """What n generated samples are to be, where they have labels."""

    def generator_inputs(self, drawn: Tensor, *labels: Tensor) -> Tensor:
        """What the generator is called with for noise (n, dimensions)."""

    def precision(self) -> AbstractContextManager[None]:
        """The context of forward passes in training."""


class Plane:
    """Points of the plane, drawn afresh from a density; see `SampleSpace`."""

    has_labels = False

    def __init__(self, learner: spec.Adversarial, seed: int, device: torch.device) -> None:
        self.spec, self.seed, self.device = learner, seed, device
        self.pictures = AdversarialSnapshots(learner, seed, device, partial(noise, learner, device))

    @property
    def metric(self) -> Metric:
        """Modes covered, or where there are no separate ones the divergence from the data."""
        if self.spec.data.modes:
            return Metric("modes_covered", "generated", "modes covered", higher_is_better=True)
        return Metric("jensen_shannon", "generated", "Jensen–Shannon divergence", higher_is_better=False)

    def networks(self) -> dict[str, nn.Module]:
        learner, seed = self.spec, self.seed
        return {
            "generator": models.build(learner.generator, (learner.noise.dimensions,), 2, stream(seed, "generator")),
            "discriminator": models.build(learner.discriminator, (2,), 1, stream(seed, "discriminator")),
        }

    def real(self, n: int, g: torch.Generator) -> Samples:
        return (distributions.sample(self.spec.data, n, g).to(self.device),)

    def labels(self, n: int, g: torch.Generator) -> Samples:  # noqa: ARG002
        return ()

    def generator_inputs(self, drawn: Tensor, *labels: Tensor) -> Tensor:  # noqa: ARG002
        return drawn

    def precision(self) -> AbstractContextManager[None]:
        return NO_CONTEXT


class ImageSpace:
    """Images of a set, each step some at random; see `SampleSpace`."""

    def __init__(self, learner: spec.ImageAdversarial, seed: int, device: torch.device, read_file: ReadFile) -> None:
        self.spec, self.seed, self.device = learner, seed, device
        self.set = images.build(learner.data, seed, read_file).to(device)
        self.has_labels = learner.is_conditional
        self.format = torch.channels_last if learner.channels_last else torch.contiguous_format
        self.pictures = ImageSnapshots(learner, seed, device, self.set, partial(noise, learner, device))

    @property
    def metric(self) -> Metric:
        """How many samples the classifier is sure of; without labels the discrepancy from real images."""
        if not self.spec.data.classes:
            return Metric("pixel_discrepancy", "generated", "squared MMD of pixels", higher_is_better=False)
        return Metric(
            "confident_fraction", "generated", "confidently classified", higher_is_better=True, is_fraction=True
        )

    def networks(self) -> dict[str, nn.Module]:
        return {
            role: module.to(memory_format=self.format)
            for role, module in (
                ("generator", image_networks.generator(self.spec, self.seed)),
                ("discriminator", image_networks.discriminator(self.spec, self.seed)),
            )
        }

    def real(self, n: int, g: torch.Generator) -> Samples:
        index = self._index(n, g)
        drawn = self.set.images[index].contiguous(memory_format=self.format)
        return (drawn, self.set.labels[index]) if self.has_labels else (drawn,)

    def labels(self, n: int, g: torch.Generator) -> Samples:
        """Classes as often as among the real images."""
        return (self.set.labels[self._index(n, g)],) if self.spec.is_conditional else ()

    def generator_inputs(self, drawn: Tensor, *labels: Tensor) -> Tensor:
        return image_networks.generator_inputs(self.spec, drawn, *labels)

    def precision(self) -> AbstractContextManager[None]:
        if self.spec.precision == "float32":
            return NO_CONTEXT
        return torch.autocast(self.device.type, torch.bfloat16)

    def _index(self, n: int, g: torch.Generator) -> Tensor:
        return torch.randint(len(self.set.images), (n,), generator=g).to(self.device)


def build(learner: spec.AdversarialBase, seed: int, device: torch.device, read_file: ReadFile) -> SampleSpace:
    """What the learner's samples are."""
    match learner:
        case spec.Adversarial():
            return Plane(learner, seed, device)
        case spec.ImageAdversarial():
            return ImageSpace(learner, seed, device, read_file)
    raise TypeError(f"no samples for {learner!r}")


def noise(learner: spec.AdversarialBase, device: torch.device, n: int, g: torch.Generator) -> Tensor:
    """n noise vectors (n, dimensions)."""
    shape = n, learner.noise.dimensions
    is_uniform = isinstance(learner.noise, UniformNoise)
    drawn = 2 * torch.rand(shape, generator=g) - 1 if is_uniform else torch.randn(shape, generator=g)
    return drawn.to(device)
