"""Dropout after an activation."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nnviz.spec.base import Spec


class NoDropout(Spec):
    """All units take part in every step."""

    kind: Literal["none"] = "none"
    rate: ClassVar[float] = 0.0


class StandardDropout(Spec):
    """Each hidden unit is set to 0 at random at each step, the rest are scaled up (Srivastava et al., 2014)."""

    kind: Literal["standard"] = "standard"
    rate: float = Field(0.5, ge=0, le=0.95, description="Share of hidden units set to 0 at each step.")


Dropout = Annotated[NoDropout | StandardDropout, Field(discriminator="kind")]
