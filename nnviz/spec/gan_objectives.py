"""What generator and discriminator minimize. s is the discriminator's output, D = 1/(1 + e⁻ˢ) where it is a
probability.

`equilibrium` has the losses of discriminator and generator where the generator's distribution is that of the data and
the discriminator cannot tell them apart.
"""

import math
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from nnviz.spec.base import Spec
from nnviz.spec.resuming import RESUMABLE


class GANObjective(Spec):
    """A pair of losses."""

    output: ClassVar[Literal["logit", "target", "score"]]
    """What the discriminator's output means: the logit of "real", a number that should be 1 for real and 0 for
    generated samples, or a score without a scale."""
    equilibrium: ClassVar[tuple[float, float]]

    @property
    def constraint(self) -> str:
        """How the discriminator is limited, for a note on a picture; "" where it is not."""
        return ""

    @property
    def equilibrium_lines(self) -> dict[str, float]:
        """The losses at the equilibrium by what they are called."""
        return dict(zip(("discriminator at equilibrium", "generator at equilibrium"), self.equilibrium, strict=True))


class Minimax(GANObjective):
    """Discriminator: −E log D(x) − E log(1 − D(G(z))). Generator: E log(1 − D(G(z))), whose gradient vanishes where the
    discriminator is confident (Goodfellow et al., 2014, arXiv:1406.2661)."""

    kind: Literal["minimax"] = "minimax"
    output: ClassVar = "logit"
    equilibrium: ClassVar = (math.log(4), -math.log(2))


class NonSaturating(GANObjective):
    """As minimax, but the generator minimizes −E log D(G(z)): its gradient is large where the discriminator is
    confident (Goodfellow et al., 2014, arXiv:1406.2661)."""

    model_config = ConfigDict(title="Non-saturating")
    kind: Literal["non_saturating"] = "non_saturating"
    output: ClassVar = "logit"
    equilibrium: ClassVar = (math.log(4), math.log(2))


class LeastSquares(GANObjective):
    """Discriminator: ½E(s(x) − 1)² + ½E s(G(z))². Generator: ½E(s(G(z)) − 1)² (Mao et al., 2017, arXiv:1611.04076)."""

    kind: Literal["least_squares"] = "least_squares"
    output: ClassVar = "target"
    equilibrium: ClassVar = (0.25, 0.125)


class HingeObjective(GANObjective):
    """Discriminator: E max(0, 1 − s(x)) + E max(0, 1 + s(G(z))). Generator: −E s(G(z)) (Lim & Ye, 2017,
    arXiv:1705.02894)."""

    model_config = ConfigDict(title="Hinge")
    kind: Literal["hinge"] = "hinge"
    output: ClassVar = "score"
    equilibrium: ClassVar = (2.0, 0.0)


class WassersteinClipping(GANObjective):
    """Discriminator: E s(G(z)) − E s(x), each of its parameters clipped to [−c, c] after its update. Generator:
    −E s(G(z)) (Arjovsky et al., 2017, arXiv:1701.07875)."""

    model_config = ConfigDict(title="Wasserstein, weight clipping")
    kind: Literal["wasserstein_clipping"] = "wasserstein_clipping"
    output: ClassVar = "score"
    equilibrium: ClassVar = (0.0, 0.0)
    limit: float = Field(
        0.1,
        ge=1e-4,
        le=10,
        title="c",
        description="Largest absolute value of a parameter of the discriminator.",
        json_schema_extra={"log": True} | RESUMABLE,
    )

    @property
    def constraint(self) -> str:
        return f"discriminator's parameters clipped to ±{self.limit:g}"


class WassersteinPenalty(GANObjective):
    """Discriminator: E s(G(z)) − E s(x) + λ E(‖∇s(x̂)‖ − 1)², x̂ on straight lines between real and generated samples.
    Generator: −E s(G(z)) (Gulrajani et al., 2017, arXiv:1704.00028)."""

    model_config = ConfigDict(title="Wasserstein, gradient penalty")
    kind: Literal["wasserstein_penalty"] = "wasserstein_penalty"
    output: ClassVar = "score"
    equilibrium: ClassVar = (0.0, 0.0)
    weight: float = Field(
        0.1,
        ge=0,
        le=100,
        title="λ",
        description="Weight of the penalty on the gradient's norm; in the paper 10 for images, 0.1 for toy data.",
        json_schema_extra={"log": True} | RESUMABLE,
    )

    @property
    def constraint(self) -> str:
        return f"gradient penalty, weight {self.weight:g}"


Objective = Annotated[
    Minimax | NonSaturating | LeastSquares | HingeObjective | WassersteinClipping | WassersteinPenalty,
    Field(discriminator="kind"),
]
