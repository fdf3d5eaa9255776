"""Optimizers: how a gradient g becomes a step. η is the learning rate. Settings are those of torch.optim."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from nnviz.spec.base import Spec

LOG = {"log": True}


FIRST_STEP_ONLY = {"resumable": False}
"""Of a setting that is read at the first step alone: neither a schedule nor a change when a run goes on would have an
effect."""


def lr(default: float, description: str = "η, the step size.", extra: dict = LOG) -> float:
    """The field of a learning rate."""
    return Field(default, gt=0, le=10, title="learning rate", description=description, json_schema_extra=extra)


def eps(default: float) -> float:
    """The field of an ε."""
    return Field(default, ge=0, le=1, title="ε", description="Added to the denominator.", json_schema_extra=LOG)


WeightDecay = Annotated[
    float, Field(ge=0, le=1, description="Adds weight decay · w to the gradient of all parameters (L2 penalty).")
]
Beta1 = Annotated[float, Field(ge=0, lt=1, title="β₁", description="Decay rate of the first-moment estimate.")]
Beta2 = Annotated[float, Field(ge=0, lt=1, title="β₂", description="Decay rate of the second-moment estimate.")]


class SGD(Spec):
    """w ← w − ηv, v ← momentum · v + g (Polyak, 1964); Nesterov momentum takes the gradient one step ahead (Sutskever
    et al., 2013)."""

    kind: Literal["sgd"] = "sgd"
    lr: float = lr(0.1)
    momentum: float = Field(0.0, ge=0, lt=1, description="Momentum coefficient.")
    dampening: float = Field(0.0, ge=0, le=1, description="v ← momentum · v + (1 − dampening) · g.")
    nesterov: bool = Field(
        False,
        title="Nesterov",
        description="Nesterov momentum: the gradient is taken one step ahead. Needs momentum above 0 and dampening 0.",
    )
    weight_decay: WeightDecay = 0.0

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> "SGD":
        if self.nesterov and (self.momentum == 0 or self.dampening != 0):
            got = f"momentum {self.momentum:g} and dampening {self.dampening:g}"
            raise ValueError(f"SGD.nesterov needs momentum above 0 and dampening 0, got {got}")
        return self

    def fitting(self, name: str, chosen: Mapping[str, Any]) -> list[bool] | None:
        """Off alone where Nesterov's momentum has nothing to look ahead with."""
        momentum, dampening = (chosen.get(n, getattr(self, n)) for n in ("momentum", "dampening"))
        return [False] if name == "nesterov" and (momentum == 0 or dampening != 0) else None


class Adagrad(Spec):
    """η g / √Σg²: each parameter's learning rate decreases with its accumulated squared gradients (Duchi et al.,
    2011)."""

    kind: Literal["adagrad"] = "adagrad"
    lr: float = lr(0.05)
    lr_decay: float = Field(
        0.0,
        ge=0,
        le=1,
        title="learning rate decay",
        description="The learning rate is divided by 1 + step · learning rate decay.",
    )
    initial_accumulator: float = Field(
        0.0, ge=0, le=10, description="Initial value of Σg².", json_schema_extra=FIRST_STEP_ONLY
    )
    eps: float = eps(1e-10)
    weight_decay: WeightDecay = 0.0


class Adadelta(Spec):
    """Updates in the units of the parameters: RMS(Δw)/RMS(g) · g (Zeiler, 2012, arXiv:1212.5701)."""

    kind: Literal["adadelta"] = "adadelta"
    lr: float = lr(1.0)
    rho: float = Field(0.9, ge=0, lt=1, title="ρ", description="Decay rate of both running averages.")
    eps: float = eps(1e-6)
    weight_decay: WeightDecay = 0.0


class RMSprop(Spec):
    """η g / √(running average of g²) (Hinton, 2012, lecture 6e)."""

    kind: Literal["rmsprop"] = "rmsprop"
    lr: float = lr(0.01)
    alpha: float = Field(0.99, ge=0, lt=1, title="α", description="Decay rate of the running average of g².")
    momentum: float = Field(0.0, ge=0, lt=1, description="Momentum coefficient.")
    centered: bool = Field(
        False, description="Divide by the gradient's standard deviation instead of its root mean square."
    )
    eps: float = eps(1e-8)
    weight_decay: WeightDecay = 0.0


class Adam(Spec):
    """η m̂ / (√v̂ + ε) with bias-corrected moment estimates; the first step is η · sign(g) (Kingma & Ba, 2015,
    arXiv:1412.6980)."""

    kind: Literal["adam"] = "adam"
    lr: float = lr(0.01)
    beta1: Beta1 = 0.9
    beta2: Beta2 = 0.999
    eps: float = eps(1e-8)
    amsgrad: bool = Field(False, title="AMSGrad", description="Use the maximum of all past v̂ (Reddi et al., 2018).")
    weight_decay: WeightDecay = 0.0


class AdamW(Spec):
    """Adam with decoupled weight decay (Loshchilov & Hutter, 2019, arXiv:1711.05101)."""

    model_config = ConfigDict(title="AdamW")
    kind: Literal["adamw"] = "adamw"
    lr: float = lr(0.01)
    beta1: Beta1 = 0.9
    beta2: Beta2 = 0.999
    eps: float = eps(1e-8)
    amsgrad: bool = Field(False, title="AMSGrad", description="Use the maximum of all past v̂ (Reddi et al., 2018).")
    weight_decay: float = Field(
        0.01, ge=0, le=1, description="Subtracts η · weight decay · w from all parameters at each step."
    )


class NAdam(Spec):
    """Adam with Nesterov momentum (Dozat, 2016)."""

    kind: Literal["nadam"] = "nadam"
    lr: float = lr(0.01)
    beta1: Beta1 = 0.9
    beta2: Beta2 = 0.999
    eps: float = eps(1e-8)
    momentum_decay: float = Field(
        0.004, ge=0, le=1, title="ψ", description="How fast the momentum coefficient approaches β₁."
    )
    weight_decay: WeightDecay = 0.0


class RAdam(Spec):
    """Adam whose adaptive step size starts once its variance is tractable (Liu et al., 2020, arXiv:1908.03265)."""

    kind: Literal["radam"] = "radam"
    lr: float = lr(0.01)
    beta1: Beta1 = 0.9
    beta2: Beta2 = 0.999
    eps: float = eps(1e-8)
    weight_decay: WeightDecay = 0.0


class Adamax(Spec):
    """Adam with an exponentially weighted maximum of |g| in place of the root mean square (Kingma & Ba, 2015)."""

    kind: Literal["adamax"] = "adamax"
    lr: float = lr(0.01)
    beta1: Beta1 = 0.9
    beta2: Beta2 = 0.999
    eps: float = eps(1e-8)
    weight_decay: WeightDecay = 0.0


class Rprop(Spec):
    """Uses only the sign of g; step sizes grow while the sign stays the same (Riedmiller & Braun, 1993). For full
    batches. The learning rate sets only the first step, so there is no schedule."""

    kind: Literal["rprop"] = "rprop"
    lr: float = lr(0.01, "Size of the first step; the later ones follow from it by η⁺ and η⁻.", LOG | FIRST_STEP_ONLY)
    shrink: float = Field(0.5, gt=0, lt=1, title="η⁻", description="Factor on the step size when the sign changes.")
    grow: float = Field(
        1.2, gt=1, le=5, title="η⁺", description="Factor on the step size while the sign stays the same."
    )
    smallest: float = Field(
        1e-6, gt=0, le=1, title="minimum step", description="Lower limit of the step size.", json_schema_extra=LOG
    )
    largest: float = Field(
        50.0, gt=0, le=1000, title="maximum step", description="Upper limit of the step size.", json_schema_extra=LOG
    )


Optimizer = Annotated[
    SGD | Adagrad | Adadelta | RMSprop | Adam | AdamW | NAdam | RAdam | Adamax | Rprop, Field(discriminator="kind")
]


def can_be_scheduled(optimizer: Spec) -> bool:
    """Whether a schedule on the learning rate has an effect, or there is no learning rate that it could promise one."""
    rate = type(optimizer).model_fields.get("lr")
    return rate is None or rate.json_schema_extra is None or rate.json_schema_extra.get("resumable") is not False
