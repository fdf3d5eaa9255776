"""Optimizers that divide the gradient by a running root mean square: their preconditioner, and the curvature at which
they oscillate (Cohen et al., 2022, "Adaptive gradient methods at the edge of stability", arXiv:2207.14484)."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from nnviz.engine.landscape.directions import as_vector
from nnviz.engine.landscape.hessian_spectrum import Product
from nnviz.spec.optimizers import Adagrad, Adam, AdamW, Optimizer, RMSprop

Scale = Callable[[dict], Tensor]
"""State of a parameter -> what its gradient is divided by."""


def preconditioner(spec: Optimizer, optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter]) -> Tensor | None:
    """P (parameters,): what the next update divides each entry of the (averaged) gradient by; None where the optimizer
    does not rescale, or has taken no step yet.

    Adam and AdamW √v̂ + ε (AMSGrad: with the largest v so far), RMSprop √v + ε, Adagrad √Σg² + ε.
    """
    scale = _scale(spec)
    if scale is None or any(not optimizer.state.get(p, {}).get("step") for p in parameters):
        return None
    with torch.no_grad():
        return as_vector([scale(optimizer.state[p]) for p in parameters]).clone()


def limit(spec: Optimizer, rate: float) -> float:
    """The eigenvalue of P⁻¹H at which the optimizer oscillates with learning rate η on a quadratic, once its
    preconditioner P rests: (2 + 2β₁) / ((1 − β₁) η) for Adam, (2 − ηλ)(1 + β₁) / ((1 − β₁) η) for AdamW with decay λ,
    (2 + 2β) / η for RMSprop with momentum β, 2 / η for Adagrad; nan where no such limit is known."""
    if rate <= 0 or _scale(spec) is None:
        return float("nan")
    match spec:
        case Adam() | AdamW():
            decay = rate * spec.weight_decay if isinstance(spec, AdamW) else 0.0
            return (2 - decay) * (1 + spec.beta1) / ((1 - spec.beta1) * rate)
        case RMSprop():
            return (2 + 2 * spec.momentum) / rate
        case _:
            return 2 / rate


def preconditioned(product: Product, scale: Tensor, weight_decay: float) -> Product:
    """Products with P^(−½) (H + λI) P^(−½), which is symmetric and has the eigenvalues of P⁻¹(H + λI); λ is a weight
    decay that is part of the gradient."""
    root = scale.rsqrt()
    return lambda vector: root * (product(root * vector) + weight_decay * root * vector)


def decay_in_gradient(spec: Optimizer) -> float:
    """The weight decay that is added to the gradient before it is rescaled."""
    return 0.0 if isinstance(spec, AdamW) else getattr(spec, "weight_decay", 0.0)


def _scale(spec: Optimizer) -> Scale | None:
    match spec:
        case Adam() | AdamW():
            name = "max_exp_avg_sq" if spec.amsgrad else "exp_avg_sq"
            return lambda state: (state[name] / (1 - spec.beta2 ** float(state["step"]))).sqrt() + spec.eps
        case RMSprop() if not spec.centered:
            return lambda state: state["square_avg"].sqrt() + spec.eps
        case Adagrad() if not spec.lr_decay:
            return lambda state: state["sum"].sqrt() + spec.eps
    return None
