"""Normalization before or after a layer's activation."""

from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from nnviz.spec.base import Spec

Place = Annotated[
    Literal["before", "after"],
    Field(title="placement", description="Whether to normalize before or after the activation; the papers: before."),
]
Epsilon = Annotated[
    float,
    Field(
        gt=0,
        le=1,
        title="ε",
        description="Added to the variance (RMS norm: to the mean square), so that units that hardly vary are not "
        "divided by almost 0.",
        json_schema_extra={"log": True},
    ),
]
Affine = Annotated[
    bool, Field(title="scale and shift", description="Whether each unit is then multiplied by γ and shifted by β.")
]


class NoNorm(Spec):
    """No normalization."""

    kind: Literal["none"] = "none"
    replaces_bias: ClassVar[bool] = False
    affine: ClassVar[bool] = False
    least_batch: ClassVar[int] = 1

    def parameters(self, units: int) -> int:  # noqa: ARG002
        """Parameters for a layer of so many units or channels."""
        return 0


class Normalization(Spec):
    """What all kinds of normalization have."""

    place: Place = "before"
    eps: Epsilon = 1e-5
    affine: Affine = True
    replaces_bias: ClassVar[bool] = False
    """Whether it takes away any bias of the layer before it, and has a shift of its own."""
    least_batch: ClassVar[int] = 1
    """Samples that a batch must have in training."""

    def parameters(self, units: int) -> int:
        """Scale and shift of each unit or channel."""
        return 2 * units * self.affine


class BatchNorm(Normalization):
    """Each hidden unit: minus its mean over the batch, divided by its standard deviation over the batch; in evaluation
    mode by running averages of both (Ioffe & Szegedy, 2015, arXiv:1502.03167)."""

    kind: Literal["batch"] = "batch"
    momentum: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Weight m of the newest batch in the running averages: after k equal batches of mean μ the running "
        "mean is μ(1 − (1 − m)ᵏ).",
    )
    least_batch: ClassVar[int] = 2

    @property
    def replaces_bias(self) -> bool:  # type: ignore[override]
        """Before the activation it subtracts the mean, and with it any bias."""
        return self.place == "before"


class LayerNorm(Normalization):
    """Each sample: minus the mean over the layer's units, divided by the standard deviation over them (Ba et al., 2016,
    arXiv:1607.06450). The same in training and evaluation."""

    kind: Literal["layer"] = "layer"


class GroupNorm(Normalization):
    """As layer norm, in groups of neighboring units (Wu & He, 2018, arXiv:1803.08494)."""

    kind: Literal["group"] = "group"
    groups: int = Field(2, ge=1, le=1024, description="Number of groups; it must divide the width of every layer.")


class RMSNorm(Normalization):
    """Each sample: divided by the root mean square of the layer's units, without subtracting a mean (Zhang & Sennrich,
    2019, arXiv:1910.07467)."""

    model_config = ConfigDict(title="RMS norm")
    kind: Literal["rms"] = "rms"
    affine: bool = Field(True, title="scale", description="Whether each unit is then multiplied by γ.")

    def parameters(self, units: int) -> int:
        """Scale of each unit or channel."""
        return units * self.affine


Norm = Annotated[NoNorm | BatchNorm | LayerNorm | GroupNorm | RMSNorm, Field(discriminator="kind")]

SHOWN_SAMPLES, SHOWN_UNITS, SHOWN_LAYERS = 64, 32, 6
"""Of a normalization layer's values that are recorded, at most."""

CURVE_UNITS = 8
"""Units of each of these layers whose statistics are recorded over the steps."""


def shown_layers(count: int) -> list[int]:
    """Which of so many hidden layers are recorded: evenly spaced numbers from 1, the first and the last among them."""
    if count <= SHOWN_LAYERS:
        return list(range(1, count + 1))
    return [1 + round(i * (count - 1) / (SHOWN_LAYERS - 1)) for i in range(SHOWN_LAYERS)]
