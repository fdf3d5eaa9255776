"""What every model family says of its networks without making one."""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from nnviz.spec.base import Spec
from nnviz.spec.shapes import Shape

SHOWN_UNITS = 16
"""Units of a layer that the network diagram shows; snapshots hold the weights between these."""


class Size(NamedTuple):
    """How large a network is."""

    parameters: int
    work: int
    """Multiply-adds for one sample, forward."""
    entries: int
    """Numbers of one sample that go in and come out of its layers."""
    layers: int
    """With weights."""
    picture: int = 0
    """Bytes of the snapshot "network", where it has a diagram."""

    def __add__(self, other: "Size") -> "Size":  # type: ignore[override]
        """Of two networks together."""
        return Size(*(a + b for a, b in zip(self, other, strict=True)))


class Family(Spec):
    """A kind of network. Its learner says what goes in, and how many numbers are to come out."""

    takes: ClassVar[str]
    """In words, which inputs it accepts."""
    has_diagram: ClassVar[bool] = False
    """Whether the engine draws its units and weights, as the snapshot "network"."""

    @property
    def least_batch(self) -> int:
        """Samples that a batch must have in training."""
        return 1

    @property
    def has_dropout(self) -> bool:
        """Whether units are dropped in training."""
        return False

    @property
    def changes_training_loss(self) -> str:
        """What makes the loss in training another function of the weights than in evaluation mode; "" for nothing."""
        return ""

    @property
    def vectors(self) -> str:
        """What of its parameters is no matrix of weights, in words; slices of a landscape leave that as it is."""
        return ""

    @property
    def statistics(self) -> str:
        """What it keeps of the data besides its parameters, in words."""
        return ""

    @classmethod
    def accepts(cls, inputs: Shape) -> bool:
        """Whether inputs of this shape can go in."""
        raise NotImplementedError

    def output_shape(self, inputs: Shape, outputs: int) -> Shape:
        """What comes out for one sample, where the learner asks for so many numbers."""
        raise NotImplementedError

    def features(self, inputs: Shape) -> int:
        """How many numbers its output layer gets."""
        raise NotImplementedError

    def size(self, inputs: Shape, outputs: int) -> Size:
        """Of the network for these inputs."""
        raise NotImplementedError

    def function(self) -> Mapping[str, Any]:
        """What two networks must have in common to be the same function of their weights, by what a reader calls it;
        inputs and outputs are not counted."""
        raise NotImplementedError
