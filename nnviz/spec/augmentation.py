"""Augmentation: random changes of the inputs of each training batch."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from nnviz.spec.base import Spec


class NoAugmentation(Spec):
    """Training inputs are not changed."""

    kind: Literal["none"] = "none"


class InputNoise(Spec):
    """x + σε with ε ~ N(0, 1), new in every training batch; close to a penalty on the derivatives of the outputs with
    respect to the inputs (Bishop, 1995, "Training with noise is equivalent to Tikhonov regularization")."""

    kind: Literal["noise"] = "noise"
    std: float = Field(
        0.2,
        gt=0,
        le=5,
        title="σ",
        description="Standard deviation of the noise, in units of each input's standard deviation over the training "
        "set (of images: over all pixels).",
        json_schema_extra={"log": True},
    )


class RandomShift(Spec):
    """Each image of a training batch is shifted at random by up to `pixels` up or down and left or right; what comes in
    at the edge is 0 in the original unit."""

    model_config = ConfigDict(title="Random shift")
    kind: Literal["shift"] = "shift"
    pixels: int = Field(1, ge=1, le=8, title="shift by up to", description="Pixels in each direction.")


Augmentation = Annotated[NoAugmentation | InputNoise | RandomShift, Field(discriminator="kind")]
