"""Learning-rate schedules: a factor on the optimizer's learning rate, step by step."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from nnviz.spec.base import Spec


class ConstantRate(Spec):
    """The same rate throughout."""

    kind: Literal["constant"] = "constant"


class StepDecay(Spec):
    """Times `factor` every `every` steps."""

    kind: Literal["step"] = "step"
    every: int = Field(1000, ge=1, le=1_000_000, description="Steps between two drops.")
    factor: float = Field(0.5, gt=0, le=1, description="What each drop multiplies the rate by.")


class ExponentialDecay(Spec):
    """factor^(step / every): the same drop, spread evenly over the steps."""

    kind: Literal["exponential"] = "exponential"
    every: int = Field(1000, ge=1, le=1_000_000, description="Steps for one full factor.")
    factor: float = Field(0.5, gt=0, le=1, description="What the rate is multiplied by after that many steps.")


class Cosine(Spec):
    """Half a cosine from 1 at the first step to `final` at the last (Loshchilov & Hutter, 2017, arXiv:1608.03983)."""

    kind: Literal["cosine"] = "cosine"
    final: float = Field(0.0, ge=0, le=1, description="Factor at the last step; a run of one step has 1.")


class WarmupCosine(Spec):
    """Linear up to 1 over a first share of the run, n steps from 1/n, then half a cosine down to `final` (Goyal et al.,
    2017, arXiv:1706.02677)."""

    model_config = ConfigDict(title="Warm-up + cosine")
    kind: Literal["warmup_cosine"] = "warmup_cosine"
    warmup: float = Field(
        0.1,
        gt=0,
        lt=1,
        description="Share of the run spent warming up: at least a step, at most all but the last.",
    )
    final: float = Field(0.0, ge=0, le=1, description="Factor at the last step; a run of one step has 1.")


class OneCycle(Spec):
    """Cosine up from 1/25 to 1, then down to 1/250,000 at the last step, as torch's OneCycleLR (Smith & Topin, 2018,
    arXiv:1708.07120). Momentum is left alone."""

    kind: Literal["one_cycle"] = "one_cycle"
    rising: float = Field(0.3, gt=0, lt=1, description="Share of the run in which the rate rises.")


Schedule = Annotated[
    ConstantRate | StepDecay | ExponentialDecay | Cosine | WarmupCosine | OneCycle, Field(discriminator="kind")
]
