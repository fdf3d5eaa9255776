"""Gradient clipping: what is done to the gradient before the optimizer sees it."""

from typing import Annotated, Literal

from pydantic import Field

from nnviz.spec.base import Spec


class NoClipping(Spec):
    """The gradient as it is."""

    kind: Literal["none"] = "none"


class ClipNorm(Spec):
    """g · min(1, c/‖g‖) over all parameters: shorter, same direction (Pascanu et al., 2013, arXiv:1211.5063)."""

    kind: Literal["norm"] = "norm"
    max_norm: float = Field(
        1.0, gt=0, le=1000, description="Largest norm let through.", json_schema_extra={"log": True}
    )


class ClipValue(Spec):
    """Each entry cut to ±c: may change the direction."""

    kind: Literal["value"] = "value"
    limit: float = Field(0.5, gt=0, le=1000, description="Largest entry let through.", json_schema_extra={"log": True})


Clipping = Annotated[NoClipping | ClipNorm | ClipValue, Field(discriminator="kind")]
