"""Dropout after an activation."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nnviz.spec.base import Spec


class NoDropout(Spec):
    """No unit is dropped."""

    kind: Literal["none"] = "none"
    rate: ClassVar[float] = 0.0


class StandardDropout(Spec):
    """Hidden units are set to 0 at random at each training step; the others are scaled by 1/(1 − rate) (Srivastava et
    al., 2014)."""

    kind: Literal["standard"] = "standard"
    rate: float = Field(0.5, ge=0, le=0.95, description="Probability that a hidden unit is set to 0.")


Dropout = Annotated[NoDropout | StandardDropout, Field(discriminator="kind")]
