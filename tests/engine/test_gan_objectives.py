"""GAN losses against their formulas, the gradient penalty against a derivative by hand."""

import math

import pytest
import torch
from torch import nn

from nnviz.engine import gan_objectives
from nnviz.spec import gan_objectives as spec
from nnviz.spec.base import options
from tests.each import each

OBJECTIVES = [cls() for cls in options(spec.Objective).values()]
REAL, FAKE = torch.tensor([[0.3], [-1.2], [2.0]]).double(), torch.tensor([[-0.4], [0.7], [-2.0]]).double()


def by_hand(objective: spec.GANObjective, t: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Losses of discriminator and generator, the target for real samples being t."""
    d_real, d_fake = 1 / (1 + torch.exp(-REAL)), 1 / (1 + torch.exp(-FAKE))
    cross_entropy = -(t * d_real.log() + (1 - t) * (1 - d_real).log()).mean() - (1 - d_fake).log().mean()
    match objective.kind:
        case "minimax":
            return cross_entropy, (1 - d_fake).log().mean()
        case "non_saturating":
            return cross_entropy, -d_fake.log().mean()
        case "least_squares":
            return ((REAL - t) ** 2).mean() / 2 + (FAKE**2).mean() / 2, ((FAKE - 1) ** 2).mean() / 2
        case "hinge":
            zero = torch.zeros_like(REAL)
            return torch.maximum(zero, 1 - REAL).mean() + torch.maximum(zero, 1 + FAKE).mean(), -FAKE.mean()
    return FAKE.mean() - REAL.mean(), -FAKE.mean()


@each("objective", OBJECTIVES)
def test_losses_are_those_of_the_papers(objective):
    for smoothing in (0.0, 0.1) if objective.output != "score" else (0.0,):
        discriminator, generator = by_hand(objective, 1 - smoothing)
        found = gan_objectives.discriminator_loss(objective, REAL, FAKE, smoothing)
        assert float(found) == pytest.approx(float(discriminator), rel=1e-12)
        assert float(gan_objectives.generator_loss(objective, FAKE)) == pytest.approx(float(generator), rel=1e-12)


@each("objective", OBJECTIVES)
def test_at_the_equilibrium_losses_are_as_stated(objective):
    undecided = torch.full((4, 1), 0.5 if objective.output == "target" else 0.0)
    found = (
        float(gan_objectives.discriminator_loss(objective, undecided, undecided)),
        float(gan_objectives.generator_loss(objective, undecided)),
    )
    assert found == pytest.approx(objective.equilibrium)


@each("objective", [o for o in OBJECTIVES if o.output != "score"])
def test_the_optimal_discriminator_minimizes_the_loss_whatever_the_densities(objective):
    g = torch.Generator().manual_seed(0)
    p, q = torch.rand(50, generator=g).double(), torch.rand(50, generator=g).double()
    for smoothing in (0.0, 0.2):
        best = gan_objectives.optimal(objective, p, q, smoothing)
        output = best if objective.output == "target" else best.logit()
        output = output[:, None].requires_grad_()
        # At each point a real sample of weight p and a generated one of weight q.
        parts = [
            weight * gan_objectives.discriminator_loss(objective, *pair, smoothing)
            for o, wp, wq in zip(output, p, q, strict=True)
            for weight, pair in ((wp, (o, o.detach())), (wq, (o.detach(), o)))
        ]
        (slope,) = torch.autograd.grad(sum(parts), output)
        assert float(slope.abs().max()) < 1e-12, smoothing
        found = gan_objectives.probability(objective, output)[:, 0]
        assert torch.allclose(found, best, rtol=1e-12)


def test_losses_stay_finite_for_outputs_of_any_size():
    far = torch.tensor([[1e4], [-1e4]])
    for objective in OBJECTIVES:
        for real, fake in ((far, -far), (-far, far)):
            assert math.isfinite(gan_objectives.discriminator_loss(objective, real, fake, 0.0)), objective.kind
            assert math.isfinite(gan_objectives.generator_loss(objective, fake)), objective.kind


def test_the_gradient_penalty_and_its_gradient_are_those_by_hand():
    # s(x) = v · tanh(Wx): ∇s = Wᵀ (v ⊙ (1 − tanh²)).
    g = torch.Generator().manual_seed(1)
    w, v = (torch.randn(*shape, generator=g).double() for shape in ((5, 2), (1, 5)))
    network = nn.Sequential(nn.Linear(2, 5, bias=False), nn.Tanh(), nn.Linear(5, 1, bias=False)).double()
    with torch.no_grad():
        network[0].weight.copy_(w)
        network[2].weight.copy_(v)
    real, fake, weight = (torch.rand(7, n, generator=g).double() for n in (2, 2, 1))

    def penalty(w: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        between = weight * real + (1 - weight) * fake
        slope = (v * (1 - torch.tanh(between @ w.T) ** 2)) @ w
        return ((slope.square().sum(1).sqrt() - 1) ** 2).mean()

    found = gan_objectives.gradient_penalty(network, real, fake, weight)
    assert float(found.detach()) == pytest.approx(float(penalty(w, v)), rel=1e-12)
    found.backward()
    w, v = w.requires_grad_(), v.requires_grad_()
    expected = torch.autograd.grad(penalty(w, v), (w, v))
    assert torch.allclose(network[0].weight.grad, expected[0], rtol=1e-9)
    assert torch.allclose(network[2].weight.grad, expected[1], rtol=1e-9)
