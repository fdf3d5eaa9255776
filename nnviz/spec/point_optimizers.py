"""Methods: whatever can move a point on a surface, an optimizer of networks or one that fits a point alone.

Of torch.optim two are left out: Muon orthogonalizes matrices and Adafactor factors them, and a point is neither.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from nnviz.spec.base import Spec
from nnviz.spec.gradient_free import CMAES, Genetic, OnePlusOneES, OpenES
from nnviz.spec.optimizers import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Beta1,
    Beta2,
    NAdam,
    RAdam,
    RMSprop,
    Rprop,
    WeightDecay,
    eps,
    lr,
)


class UncorrectedAdam(Spec):
    """Adam without dividing by 1 − βᵗ: m grows faster than √v, so the first steps are too long, (1 − β₁)/√(1 − β₂)
    times η at first."""

    model_config = ConfigDict(title="Adam without bias correction")
    kind: Literal["uncorrected_adam"] = "uncorrected_adam"
    lr: float = lr(0.01)
    beta1: Beta1 = 0.9
    beta2: Beta2 = 0.999
    eps: float = eps(1e-8)


class ASGD(Spec):
    """SGD with iterate averaging (Polyak & Juditsky, 1992); the path shown is that of the iterates."""

    model_config = ConfigDict(title="ASGD")
    kind: Literal["asgd"] = "asgd"
    lr: float = lr(0.1)
    lambd: float = Field(1e-4, ge=0, le=1, title="λ", description="Speed of the learning-rate decay.")
    alpha: float = Field(0.75, gt=0, le=1, title="α", description="Exponent of the learning-rate decay.")
    weight_decay: WeightDecay = 0.0


class LBFGS(Spec):
    """Quasi-Newton step from the last few gradients (Liu & Nocedal, 1989). Ignores gradient noise and clipping."""

    model_config = ConfigDict(title="L-BFGS")
    kind: Literal["lbfgs"] = "lbfgs"
    lr: float = Field(1.0, gt=0, le=10, title="learning rate", description="η, the step size.")
    history: int = Field(10, ge=1, le=100, description="Number of past gradients used.")
    line_search: bool = Field(False, description="Line search for the step length (strong Wolfe conditions).")


class Newton(Spec):
    """w ← w − η(H + damping · I)⁻¹g: converges to where g = 0, minimum or not. Ignores gradient noise and clipping."""

    kind: Literal["newton"] = "newton"
    lr: float = Field(1.0, gt=0, le=10, title="learning rate", description="η, the step size.")
    damping: float = Field(0.0, ge=0, le=1000, description="Added to each eigenvalue of H.")
    absolute: bool = Field(
        False,
        description="Use the absolute values of the eigenvalues: saddles repel (Dauphin et al., 2014, "
        "arXiv:1406.2572).",
    )


Method = Annotated[
    SGD
    | Adagrad
    | Adadelta
    | RMSprop
    | Adam
    | UncorrectedAdam
    | AdamW
    | NAdam
    | RAdam
    | Adamax
    | Rprop
    | ASGD
    | LBFGS
    | Newton
    | OnePlusOneES
    | OpenES
    | CMAES
    | Genetic,
    Field(discriminator="kind"),
]

_MOMENTS = {"momentum": "first moment m", "second_moment": "√second moment v"}
STATE: Mapping[type[Spec], Mapping[str, str]] = {
    SGD: {"momentum": "momentum v"},
    Adagrad: {"second_moment": "√Σg²"},
    Adadelta: {"second_moment": "√mean of g²"},
    RMSprop: {"momentum": "momentum of g/√v", "second_moment": "√mean of g² (√v)"},
    Adam: _MOMENTS,
    UncorrectedAdam: _MOMENTS,
    AdamW: _MOMENTS,
    NAdam: _MOMENTS,
    RAdam: _MOMENTS,
    Adamax: {"momentum": "first moment m", "second_moment": "largest gradient u"},
    Rprop: {"step_size": "step size"},
}
"""What each method keeps from step to step, in words as it is drawn, by the part that it plays in a step."""
