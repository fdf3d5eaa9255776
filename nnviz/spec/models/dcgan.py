"""Deep convolutional GANs: a generator and a discriminator of images, as published or with any of their choices
undone (Radford et al., 2016, arXiv:1511.06434)."""

from collections.abc import Mapping
from math import isqrt
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import ConfigDict, Field

from nnviz.spec.activations import Activation, LeakyReLU, ReLU
from nnviz.spec.dropouts import ChannelDropout, NoDropout
from nnviz.spec.initializers import Initializer, Normal
from nnviz.spec.models.family import Family, Size
from nnviz.spec.shapes import Shape, is_image, numbers

SIDES = (8, 16, 32, 64)
"""Pixels along each side of the images that these networks make and judge."""

STRIDED_KERNEL, PLAIN_KERNEL = 4, 3
"""Weights along each side of a filter, with a stride of 2 and without. The paper's figure has 5 with a stride of 2; 4,
as most implementations have it, is a multiple of the stride, so that no pixel gets more terms than its neighbor (Odena
et al., 2016)."""

Channels = Annotated[
    int,
    Field(
        ge=1,
        le=256,
        title="width",
        description="Channels of the layer next to the image, the narrowest; each further layer has twice as many.",
    ),
]
NormKind = Annotated[
    Literal["batch", "instance"],
    Field(
        title="kind of norm",
        description="batch: over the batch and all pixels of a channel; in evaluation mode by running averages. "
        "instance: over the pixels of a channel of each image alone (Ulyanov et al., 2016, arXiv:1607.08022), the same "
        "in training and evaluation.",
    ),
]
Weights = Annotated[Initializer, Field(title="initializer", description="N(0, 0.02²) as published; biases start at 0.")]


class Stage(NamedTuple):
    """One layer with weights, and what it makes."""

    inputs: int
    """Channels that go in."""
    outputs: int
    """Channels that come out."""
    kernel: int
    stride: int
    side: int
    """Pixels along each side of what the filters go over: of a transposed convolution its input, else its output."""
    places: int
    """Pixels of the output, before any pooling."""
    has_norm: bool
    has_activation: bool

    @property
    def weights(self) -> int:
        """Of all filters."""
        return self.inputs * self.outputs * self.kernel**2


class DCGAN(Family):
    """What both networks have in common."""

    width: Channels = 32

    @property
    def has_batch_norm(self) -> bool:
        """Whether images of a batch depend on each other in training."""
        return self.norm != "none" and self.norm_kind == "batch"

    @property
    def least_batch(self) -> int:
        return 2 if self.has_batch_norm else 1

    @property
    def changes_training_loss(self) -> str:
        return "batch norm" if self.has_batch_norm else ""

    @property
    def vectors(self) -> str:
        return "biases" if self.norm == "none" else "biases and norm's scale and shift"

    @property
    def statistics(self) -> str:
        return "batch norm's statistics" if self.has_batch_norm else ""

    def stages(self, inputs: Shape, outputs: int) -> list[Stage]:
        """The layers in forward order."""
        raise NotImplementedError

    def size(self, inputs: Shape, outputs: int) -> Size:
        stages = self.stages(inputs, outputs)
        slopes = sum(s.has_activation for s in stages) * (self.activation.kind == "prelu")  # one a layer
        parameters = sum(s.weights + s.outputs * (2 if s.has_norm else 1) for s in stages) + slopes
        return Size(
            parameters,
            sum(s.weights * s.side**2 for s in stages),
            numbers(inputs) + sum(s.outputs * s.places for s in stages),
            len(stages),
        )

    def function(self) -> Mapping[str, Any]:
        apart = ("kind", "initializer", "dropout")
        return {name: getattr(self, name) for name in type(self).model_fields if name not in apart}


class DCGANGenerator(DCGAN):
    """Noise to an image: 4 × 4 pixels of many channels, doubled in size by transposed convolutions while channels
    halve, without fully connected hidden layers (Radford et al., 2016, arXiv:1511.06434)."""

    model_config = ConfigDict(title="DCGAN generator")
    kind: Literal["dcgan_generator"] = "dcgan_generator"
    upsampling: Literal["strided", "interpolated"] = Field(
        "strided",
        description="strided: transposed convolutions with stride 2, which learn the upsampling. interpolated: each "
        "pixel is repeated, then a convolution with stride 1.",
    )
    norm: Literal["all_but_output", "everywhere", "none"] = Field(
        "all_but_output",
        title="norm",
        description="Which layers are normalized, before the activation. Batch norm at the output makes samples "
        "oscillate; without any, the generator may send all noise to one image.",
    )
    norm_kind: NormKind = "batch"
    activation: Activation = Field(ReLU(), description="Of all layers except the output.")
    output_activation: Literal["tanh", "none"] = Field(
        "tanh", title="output activation", description="tanh keeps pixels within the range of the data, [−1, 1]."
    )
    initializer: Weights = Normal(std=0.02)

    takes: ClassVar[str] = "noise vectors"

    @classmethod
    def accepts(cls, inputs: Shape) -> bool:
        return len(inputs) == 1

    def output_shape(self, inputs: Shape, outputs: int) -> Shape:  # noqa: ARG002
        return image_shape(outputs)

    def stages(self, inputs: Shape, outputs: int) -> list[Stage]:
        channels, image, _ = image_shape(outputs)
        side, before, stages = start(image), numbers(inputs), []
        doublings = (image // side).bit_length() - 1
        strided = self.upsampling == "strided"
        for left in range(doublings, -1, -1):
            # The first layer makes all of its pixels from a single one.
            after = self.width * 2 ** (left - 1) if left else channels
            kernel = side if left == doublings else STRIDED_KERNEL if strided else PLAIN_KERNEL
            stride = side if left == doublings else 2 if strided else 1
            own = 1 if left == doublings else side // 2 if strided else side
            normed = self.norm != "none" if left else self.norm == "everywhere"
            stages.append(Stage(before, after, kernel, stride, own, side**2, normed, left > 0))
            before, side = after, side * 2
        return stages


class DCGANDiscriminator(DCGAN):
    """An image to a score: convolutions halve its size while channels double, without pooling and without fully
    connected hidden layers (Radford et al., 2016, arXiv:1511.06434)."""

    model_config = ConfigDict(title="DCGAN discriminator")
    kind: Literal["dcgan_discriminator"] = "dcgan_discriminator"
    downsampling: Literal["strided", "pooled"] = Field(
        "strided",
        description="strided: convolutions with stride 2, which learn the downsampling. pooled: convolutions with "
        "stride 1, then 2 × 2 max pooling.",
    )
    norm: Literal["all_but_input", "everywhere", "none"] = Field(
        "all_but_input",
        title="norm",
        description="Which layers are normalized, before the activation; never the output. Batch norm at the first "
        "layer makes training unstable.",
    )
    norm_kind: NormKind = "batch"
    activation: Activation = Field(
        LeakyReLU(slope=0.2),
        description="Of all layers except the output. The slope of leaky ReLU passes a gradient to the generator also "
        "where a unit is inactive.",
    )
    dropout: ChannelDropout = Field(NoDropout(), description="After each activation; none as published.")
    initializer: Weights = Normal(std=0.02)

    takes: ClassVar[str] = f"square images of {', '.join(map(str, SIDES[:-1]))} or {SIDES[-1]} pixels a side"

    @property
    def has_dropout(self) -> bool:
        return self.dropout.rate > 0 or self.dropout.input_rate > 0

    @property
    def changes_training_loss(self) -> str:
        return super().changes_training_loss or ("dropout" if self.has_dropout else "")

    @classmethod
    def accepts(cls, inputs: Shape) -> bool:
        return is_image(inputs) and inputs[1] == inputs[2] and inputs[1] in SIDES

    def output_shape(self, inputs: Shape, outputs: int) -> Shape:  # noqa: ARG002
        return (outputs,)

    def features(self, inputs: Shape) -> int:
        last = self.stages(inputs, 1)[-1]
        return last.inputs * last.kernel**2

    def stages(self, inputs: Shape, outputs: int) -> list[Stage]:
        before, side, _ = inputs
        last, after, stages = start(side), self.width, []
        strided = self.downsampling == "strided"
        while side > last:
            own = side // 2 if strided else side
            normed = self.norm == "everywhere" or (self.norm == "all_but_input" and bool(stages))
            kernel, stride = (STRIDED_KERNEL, 2) if strided else (PLAIN_KERNEL, 1)
            stages.append(Stage(before, after, kernel, stride, own, own**2, normed, True))
            before, after, side = after, 2 * after, side // 2
        return [*stages, Stage(before, outputs, side, 1, 1, 1, False, False)]


def start(side: int) -> int:
    """Pixels along each side where the generator begins and the discriminator ends: 4 as published, 2 for the smallest
    images, so that there is a hidden layer between two others."""
    return 2 if side == SIDES[0] else 4


def image_shape(count: int) -> Shape:
    """(channels, height, width) of an image of so many numbers: gray, or in three colors."""
    for channels in (1, 3):
        side = isqrt(count // channels)
        if channels * side**2 == count and side in SIDES:
            return channels, side, side
    raise ValueError(f"an image must be square, gray or in color, of {SIDES} pixels a side, got {count} numbers")
