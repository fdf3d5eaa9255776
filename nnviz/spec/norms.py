"""Normalization between a layer and its activation."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nnviz.spec.base import Spec


class NoNorm(Spec):
    """No normalization before the activation."""

    kind: Literal["none"] = "none"
    replaces_bias: ClassVar[bool] = False
    least_batch: ClassVar[int] = 1

    def parameters(self, units: int) -> int:  # noqa: ARG002
        """Parameters for a layer of so many units or channels."""
        return 0


class BatchNorm(Spec):
    """Normalize each hidden unit over the batch, before its activation (Ioffe & Szegedy, 2015)."""

    kind: Literal["batch"] = "batch"
    replaces_bias: ClassVar[bool] = True
    """Whether it takes away any bias of the layer before it, and has a shift of its own."""
    least_batch: ClassVar[int] = 2
    """Samples that a batch must have in training."""

    def parameters(self, units: int) -> int:
        """Scale and shift of each unit or channel."""
        return 2 * units


Norm = Annotated[NoNorm | BatchNorm, Field(discriminator="kind")]
