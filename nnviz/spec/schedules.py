"""Learning-rate schedules: a factor on the optimizer's learning rate, step by step."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from nnviz.spec.base import Spec


class ConstantRate(Spec):
    """The learning rate does not change."""

    kind: Literal["constant"] = "constant"


class StepDecay(Spec):
    """The learning rate is multiplied by a factor at regular intervals."""

    kind: Literal["step"] = "step"
    every: int = Field(1000, ge=1, le=1_000_000, title="decay interval", description="Steps between two reductions.")
    factor: float = Field(0.5, gt=0, le=1, description="Factor on the learning rate at each reduction.")


class ExponentialDecay(Spec):
    """The learning rate is multiplied by factor^(step / interval): a smooth exponential decay."""

    kind: Literal["exponential"] = "exponential"
    every: int = Field(
        1000,
        ge=1,
        le=1_000_000,
        title="decay interval",
        description="Steps over which the learning rate is multiplied by the factor once.",
    )
    factor: float = Field(0.5, gt=0, le=1, description="Factor on the learning rate after that many steps.")


class Cosine(Spec):
    """The learning rate falls by half a cosine from its full value at the first step to a fraction of it at the last
    (Loshchilov & Hutter, 2017, arXiv:1608.03983)."""

    kind: Literal["cosine"] = "cosine"
    final: float = Field(
        0.0,
        ge=0,
        le=1,
        title="final factor",
        description="Factor on the learning rate at the last step (1 if the run has only one step).",
    )


class WarmupCosine(Spec):
    """The learning rate rises linearly from 1/n of its full value over the first n steps, then falls by half a cosine
    to a fraction of it (Goyal et al., 2017, arXiv:1706.02677)."""

    model_config = ConfigDict(title="Warm-up + cosine")
    kind: Literal["warmup_cosine"] = "warmup_cosine"
    warmup: float = Field(
        0.1,
        gt=0,
        lt=1,
        title="warm-up fraction",
        description="Fraction of the run used for the warm-up: at least one step, at most all but the last.",
    )
    final: float = Field(
        0.0,
        ge=0,
        le=1,
        title="final factor",
        description="Factor on the learning rate at the last step (1 if the run has only one step).",
    )


class OneCycle(Spec):
    """The learning rate rises by half a cosine from 1/25 of its full value, then falls to 1/250,000 of it at the last
    step, as torch's OneCycleLR (Smith & Topin, 2018, arXiv:1708.07120). Momentum is not changed."""

    kind: Literal["one_cycle"] = "one_cycle"
    rising: float = Field(
        0.3,
        gt=0,
        lt=1,
        title="rising fraction",
        description="Fraction of the run in which the learning rate increases.",
    )


Schedule = Annotated[
    ConstantRate | StepDecay | ExponentialDecay | Cosine | WarmupCosine | OneCycle, Field(discriminator="kind")
]
