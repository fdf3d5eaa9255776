"""GAN objective specs -> losses of discriminator and generator from the discriminator's outputs."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import relu, softplus

from nnviz.spec import gan_objectives as spec


def discriminator_loss(objective: spec.Objective, real: Tensor, fake: Tensor, smoothing: float = 0.0) -> Tensor:
    """From outputs for real and for generated samples, (n, 1) each; without a penalty. The target for real samples is
    1 − `smoothing`."""
    match objective:
        case spec.Minimax() | spec.NonSaturating():
            # −t log σ(s) − (1 − t) log(1 − σ(s)) with t = 1 − smoothing.
            return ((1 - smoothing) * softplus(-real) + smoothing * softplus(real)).mean() + softplus(fake).mean()
        case spec.LeastSquares():
            return (real - (1 - smoothing)).square().mean() / 2 + fake.square().mean() / 2
        case spec.HingeObjective():
            return relu(1 - real).mean() + relu(1 + fake).mean()
        case spec.WassersteinClipping() | spec.WassersteinPenalty():
            return fake.mean() - real.mean()
    raise TypeError(f"no loss for {objective!r}")


def generator_loss(objective: spec.Objective, fake: Tensor) -> Tensor:
    """From outputs for generated samples (n, 1)."""
    match objective:
        case spec.Minimax():
            return -softplus(fake).mean()
        case spec.NonSaturating():
            return softplus(-fake).mean()
        case spec.LeastSquares():
            return (fake - 1).square().mean() / 2
        case spec.HingeObjective() | spec.WassersteinClipping() | spec.WassersteinPenalty():
            return -fake.mean()
    raise TypeError(f"no loss for {objective!r}")


def gradient_penalty(
    discriminator: nn.Module, real: Tensor, fake: Tensor, weight: Tensor, labels: Sequence[Tensor] = ()
) -> Tensor:
    """E(‖∇s(x̂)‖ − 1)² at x̂ = `weight` · real + (1 − weight) · fake; `weight` is (n, 1), samples are (n, …). `labels`
    are what else the discriminator is called with."""
    weight = weight.reshape(-1, *[1] * (real.dim() - 1))
    between = (weight * real + (1 - weight) * fake).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(discriminator(between, *labels).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


def probability(objective: spec.Objective, outputs: Tensor) -> Tensor | None:
    """D from the discriminator's outputs; None where these have no such meaning."""
    if objective.output == "logit":
        return outputs.sigmoid()
    return outputs if objective.output == "target" else None


def optimal(objective: spec.Objective, p: Tensor, q: Tensor, smoothing: float = 0.0) -> Tensor | None:
    """The best discriminator against a generator of density q where the data have density p: (1 − smoothing) · p/(p +
    q) (Goodfellow et al., 2014, proposition 1; Mao et al., 2017, for least squares). nan where neither has any density;
    None where the objective has no such optimum."""
    return None if objective.output == "score" else (1 - smoothing) * p / (p + q)
