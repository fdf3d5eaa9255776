"""Noise that a generator turns into samples."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from nnviz.spec.base import Spec

Dimensions = Annotated[int, Field(ge=1, le=256, description="Length of the noise vector z.")]


class NormalNoise(Spec):
    """z ~ N(0, I)."""

    model_config = ConfigDict(title="Normal")
    kind: Literal["normal"] = "normal"
    dimensions: Dimensions = 2


class UniformNoise(Spec):
    """z uniform on [−1, 1]ᵈ."""

    model_config = ConfigDict(title="Uniform")
    kind: Literal["uniform"] = "uniform"
    dimensions: Dimensions = 2


NoiseSource = Annotated[NormalNoise | UniformNoise, Field(discriminator="kind")]
