"""Optimizers: how a gradient g becomes a step. η is the learning rate. Settings are those of torch.optim."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from nnviz.spec.base import Spec

LOG = {"log": True}


FIRST_STEP_ONLY = {"resumable": False}
"""Of a setting that is read at the first step alone: neither a schedule nor a change when a run goes on would have an
effect."""


def lr(default: float, description: str = "η, the size of a step.", extra: dict = LOG) -> float:
    """The field of a learning rate."""
    return Field(default, gt=0, le=10, title="learning rate", description=description, json_schema_extra=extra)


def eps(default: float) -> float:
    """The field of an ε."""
    return Field(default, ge=0, le=1, title="ε", description="Added to the denominator.", json_schema_extra=LOG)


WeightDecay = Annotated[
    float, Field(ge=0, le=1, description="L2 penalty's gradient, weight decay · w, on all parameters.")
]
Beta1 = Annotated[float, Field(ge=0, lt=1, title="β₁", description="Memory of the gradient's running mean.")]
Beta2 = Annotated[float, Field(ge=0, lt=1, title="β₂", description="Memory of the squared gradient's running mean.")]


class SGD(Spec):
    """w ← w − ηv, v ← momentum · v + g (Polyak, 1964); Nesterov looks one step ahead (Sutskever et al., 2013)."""

    kind: Literal["sgd"] = "sgd"
    lr: float = lr(0.1)
    momentum: float = Field(0.0, ge=0, lt=1, description="Share of the last step that is kept.")
    dampening: float = Field(0.0, ge=0, le=1, description="Share of the new gradient left out of the momentum.")
    nesterov: bool = Field(False, description="Take the gradient one step ahead. Needs momentum and no dampening.")
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
    """η g / √Σg²: each parameter's rate falls with what it has seen (Duchi et al., 2011)."""

    kind: Literal["adagrad"] = "adagrad"
    lr: float = lr(0.05)
    lr_decay: float = Field(0.0, ge=0, le=1, description="The rate is divided by 1 + step · this.")
    initial_accumulator: float = Field(
        0.0, ge=0, le=10, description="What Σg² starts from.", json_schema_extra=FIRST_STEP_ONLY
    )
    eps: float = eps(1e-10)
    weight_decay: WeightDecay = 0.0


class Adadelta(Spec):
    """Steps in the unit of the parameters: RMS(Δw)/RMS(g) · g (Zeiler, 2012, arXiv:1212.5701)."""

    kind: Literal["adadelta"] = "adadelta"
    lr: float = lr(1.0)
    rho: float = Field(0.9, ge=0, lt=1, title="ρ", description="Memory of both running means.")
    eps: float = eps(1e-6)
    weight_decay: WeightDecay = 0.0


class RMSprop(Spec):
    """η g / √(running mean of g²) (Hinton, 2012, lecture 6e)."""

    kind: Literal["rmsprop"] = "rmsprop"
    lr: float = lr(0.01)
    alpha: float = Field(0.99, ge=0, lt=1, title="α", description="Memory of the squared gradient.")
    momentum: float = Field(0.0, ge=0, lt=1, description="Share of the last step that is kept.")
    centered: bool = Field(False, description="Divide by the standard deviation in place of the root mean square.")
    eps: float = eps(1e-8)
    weight_decay: WeightDecay = 0.0


class Adam(Spec):
    """η m̂ / (√v̂ + ε) with bias-corrected means; the first step is η · sign(g) (Kingma & Ba, 2015, arXiv:1412.6980)."""

    kind: Literal["adam"] = "adam"
    lr: float = lr(0.01)
    beta1: Beta1 = 0.9
    beta2: Beta2 = 0.999
    eps: float = eps(1e-8)
    amsgrad: bool = Field(False, description="Never let v̂ fall (Reddi et al., 2018).")
    weight_decay: WeightDecay = 0.0


class AdamW(Spec):
    """Adam with the weight decay outside of the adaptive step (Loshchilov & Hutter, 2019, arXiv:1711.05101)."""

    model_config = ConfigDict(title="AdamW")
    kind: Literal["adamw"] = "adamw"
    lr: float = lr(0.01)
    beta1: Beta1 = 0.9
    beta2: Beta2 = 0.999
    eps: float = eps(1e-8)
    amsgrad: bool = Field(False, description="Never let v̂ fall (Reddi et al., 2018).")
    weight_decay: WeightDecay = 0.01


class NAdam(Spec):
    """Adam with Nesterov's look ahead (Dozat, 2016)."""

    kind: Literal["nadam"] = "nadam"
    lr: float = lr(0.01)
    beta1: Beta1 = 0.9
    beta2: Beta2 = 0.999
    eps: float = eps(1e-8)
    momentum_decay: float = Field(0.004, ge=0, le=1, title="ψ", description="How fast the momentum reaches β₁.")
    weight_decay: WeightDecay = 0.0


class RAdam(Spec):
    """Adam that waits with the adaptive step until its variance is tractable (Liu et al., 2020, arXiv:1908.03265)."""

    kind: Literal["radam"] = "radam"
    lr: float = lr(0.01)
    beta1: Beta1 = 0.9
    beta2: Beta2 = 0.999
    eps: float = eps(1e-8)
    weight_decay: WeightDecay = 0.0


class Adamax(Spec):
    """Adam with the largest gradient seen in place of the root mean square (Kingma & Ba, 2015)."""

    kind: Literal["adamax"] = "adamax"
    lr: float = lr(0.01)
    beta1: Beta1 = 0.9
    beta2: Beta2 = 0.999
    eps: float = eps(1e-8)
    weight_decay: WeightDecay = 0.0


class Rprop(Spec):
    """Only the sign of g counts; a step grows while its sign holds (Riedmiller & Braun, 1993). For full batches, and
    without a schedule: the step sizes adapt from the first one on, and no learning rate enters them any more."""

    kind: Literal["rprop"] = "rprop"
    lr: float = lr(0.01, "Size of the first step; the later ones follow from it by η⁺ and η⁻.", LOG | FIRST_STEP_ONLY)
    shrink: float = Field(0.5, gt=0, lt=1, title="η⁻", description="Factor when the sign changes.")
    grow: float = Field(1.2, gt=1, le=5, title="η⁺", description="Factor while the sign holds.")
    smallest: float = Field(1e-6, gt=0, le=1, description="Smallest step.", json_schema_extra=LOG)
    largest: float = Field(50.0, gt=0, le=1000, description="Largest step.", json_schema_extra=LOG)


Optimizer = Annotated[
    SGD | Adagrad | Adadelta | RMSprop | Adam | AdamW | NAdam | RAdam | Adamax | Rprop, Field(discriminator="kind")
]


def can_be_scheduled(optimizer: Spec) -> bool:
    """Whether a schedule on the learning rate has an effect, or there is no learning rate that it could promise one."""
    rate = type(optimizer).model_fields.get("lr")
    return rate is None or rate.json_schema_extra is None or rate.json_schema_extra.get("resumable") is not False
