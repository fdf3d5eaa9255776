"""Dropout after an activation."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nnviz.spec.base import Spec


class NoDropout(Spec):
    """No unit is dropped."""

    kind: Literal["none"] = "none"
    rate: ClassVar[float] = 0.0
    input_rate: ClassVar[float] = 0.0


class StandardDropout(Spec):
    """Units are set to 0 at random at each training step, each on its own and for each sample; the others are scaled by
    1/(1 − rate) (Srivastava et al., 2014)."""

    kind: Literal["standard"] = "standard"
    rate: float = Field(
        0.5,
        ge=0,
        le=0.95,
        description="Probability that a hidden unit is set to 0: usually 0.5 in fully connected layers (Srivastava et "
        "al., 2014), 0.4 to 0.5 in convolutional and 0.2 to 0.3 in recurrent networks (Géron, 2019, Hands-On Machine "
        "Learning, ch. 11).",
    )
    input_rate: float = Field(
        0.0,
        ge=0,
        le=0.95,
        title="input rate",
        description="Probability that an input is set to 0: usually 0.2 or none (Srivastava et al., 2014).",
    )


class SpatialDropout(Spec):
    """Whole channels of a feature map are set to 0 at random at each training step, since neighboring pixels, which are
    much alike, would stand in for single ones; the others are scaled by 1/(1 − rate) (Tompson et al., 2015,
    arXiv:1411.4280; torch's Dropout2d)."""

    kind: Literal["spatial"] = "spatial"
    rate: float = Field(
        0.5,
        ge=0,
        le=0.95,
        description="Probability that a channel is set to 0: usually 0.4 to 0.5 in convolutional networks (Géron, "
        "2019, Hands-On Machine Learning, ch. 11).",
    )
    input_rate: ClassVar[float] = 0.0


Dropout = Annotated[NoDropout | StandardDropout, Field(discriminator="kind")]
"""Of units of a vector."""

ChannelDropout = Annotated[NoDropout | StandardDropout | SpatialDropout, Field(discriminator="kind")]
"""Of feature maps with channels."""
