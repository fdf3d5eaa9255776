"""Gradient clipping: what is done to the gradient before the optimizer sees it."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nnviz.spec.base import Spec


class NoClipping(Spec):
    """The gradient is not changed."""

    kind: Literal["none"] = "none"
    words: ClassVar[str] = ""
    """What is done, for a note on a picture; "" where nothing is."""


class ClipNorm(Spec):
    """g · min(1, c/‖g‖) over all parameters together: limits the norm, keeps the direction (Pascanu et al., 2013,
    arXiv:1211.5063)."""

    kind: Literal["norm"] = "norm"
    max_norm: float = Field(
        1.0, gt=0, le=1000, description="Maximum norm of the gradient.", json_schema_extra={"log": True}
    )

    @property
    def words(self) -> str:
        return f"gradient clipped to norm {self.max_norm:g}"


class ClipValue(Spec):
    """Each entry of the gradient is clipped to [−c, c]; the direction may change."""

    kind: Literal["value"] = "value"
    limit: float = Field(
        0.5, gt=0, le=1000, description="Maximum absolute value of an entry.", json_schema_extra={"log": True}
    )

    @property
    def words(self) -> str:
        return f"gradient's entries clipped to ±{self.limit:g}"


Clipping = Annotated[NoClipping | ClipNorm | ClipValue, Field(discriminator="kind")]
