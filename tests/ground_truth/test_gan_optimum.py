"""A discriminator trained against a fixed generator, and the value of the game (Goodfellow et al., 2014)."""

import math

import pytest
import torch

from nnviz.engine import gan_objectives
from nnviz.engine.data import distributions
from nnviz.engine.learners.adversarial import AdversarialLearning
from nnviz.spec.data.distributions import Ring
from nnviz.spec.gan_objectives import NonSaturating
from nnviz.spec.learners import Adversarial

APART = 2.0
"""Standard deviations between the two Gaussians."""

STEPS = 500


def gaussian(points: torch.Tensor, at: float) -> torch.Tensor:
    """Density of N((at, 0), I) at points (n, 2)."""
    return torch.exp(-(points - torch.tensor([at, 0.0])).double().square().sum(1) / 2) / (2 * math.pi)


def learning(objective: str) -> AdversarialLearning:
    """The generator is the identity on normal noise, N(0, I); the data are the same Gaussian 2σ to the right."""
    learner = Adversarial.parse(
        {
            "kind": "adversarial",
            "data": {"kind": "ring", "count": 1, "radius": APART, "sigma": 1},
            "generator": {"kind": "mlp", "hidden": []},
            "objective": {"kind": objective},
            "updates": "discriminator",
            "discriminator": {
                "kind": "mlp",
                "hidden": [{"width": 32, "activation": {"kind": "tanh"}}] * 2,
            },
            "discriminator_optimizer": {"kind": "adam", "lr": 5e-3},
            "schedule": {"kind": "cosine"},
            "batch_size": 256,
        }
    )
    made = AdversarialLearning(learner, 0, STEPS, torch.device("cpu"))
    with torch.no_grad():
        made.generator.output.weight.copy_(torch.eye(2))
        made.generator.output.bias.zero_()
    return made


def test_a_discriminator_against_a_frozen_generator_approaches_p_by_p_plus_q():
    trained = learning("non_saturating")
    before = [p.detach().clone() for p in trained.generator.parameters()]
    for number in range(1, STEPS + 1):
        trained.step(number)
    assert all(torch.equal(p, q) for p, q in zip(before, trained.generator.parameters(), strict=True))
    points = torch.randn(4000, 2, generator=torch.Generator().manual_seed(1))
    points[:2000, 0] += APART
    p, q = gaussian(points, APART), gaussian(points, 0)
    with torch.no_grad():
        learned = trained.discriminator(points)[:, 0].sigmoid()
    error = float((learned - p / (p + q)).square().mean().sqrt())
    assert error < 0.02
    assert torch.allclose(distributions.density(trained.spec.data, points), p)
    # What is recorded has the error of the kernel estimate of q on top.
    recorded = {r.quantity: r.value for r in trained.evaluate(STEPS) if r.quantity == "optimal_gap"}
    assert recorded["optimal_gap"] == pytest.approx(error, abs=0.02)


def test_the_value_of_the_game_at_the_optimum_is_2_jsd_minus_log_4():
    along = (torch.arange(400) + 0.5) / 400 * 16 - 7
    points, area = torch.cartesian_prod(along, along), (16 / 400) ** 2
    p, q = gaussian(points, APART), gaussian(points, 0)
    middle = (p + q) / 2
    jsd = ((torch.xlogy(p, p / middle) + torch.xlogy(q, q / middle)).sum() * area / 2).item()
    # The integral over one axis, where the Gaussians differ: JSD of N(0, 1) and N(2, 1).
    assert jsd == pytest.approx(0.3366, abs=2e-3)
    objective = NonSaturating()
    best = gan_objectives.optimal(objective, p, q).logit()
    # V = E log D + E log(1 − D) is minus the discriminator's loss: one sample a cell, weighted by its mass.
    value = 0.0
    for weight, sign in ((p, 1), (q, -1)):
        value += float((weight * torch.nn.functional.logsigmoid(sign * best)).sum() * area)
    assert value == pytest.approx(2 * jsd - math.log(4), abs=1e-6)
    # On samples the engine's loss is the same within its standard error.
    g = torch.Generator().manual_seed(0)
    real = torch.randn(200_000, 2, generator=g) + torch.tensor([APART, 0])
    fake = torch.randn(200_000, 2, generator=g)
    on_real, on_fake = (
        gan_objectives.optimal(objective, gaussian(x, APART), gaussian(x, 0)).logit()[:, None] for x in (real, fake)
    )
    found = gan_objectives.discriminator_loss(objective, on_real, on_fake)
    assert -float(found) == pytest.approx(value, abs=0.006)


def test_against_a_perfect_generator_the_recorded_optimum_is_a_half_where_there_are_samples():
    # A generator that is the data: one Gaussian of σ = 1 around the origin.
    learner = learning("non_saturating").spec
    made = AdversarialLearning(
        learner.model_copy(update={"data": Ring(count=1, radius=0.1, sigma=1)}), 0, 1000, torch.device("cpu")
    )
    with torch.no_grad():
        made.generator.output.weight.copy_(torch.eye(2))
        made.generator.output.bias.copy_(torch.tensor([0.1, 0]))
        for p in made.discriminator.parameters():
            p.zero_()
    found = {r.quantity: r for r in made.evaluate(0)}
    # The discriminator says ½ everywhere, which is right: what is left is the error of the density's estimate.
    assert found["optimal_gap"].value < 0.03
    best = found["optimal_discriminator"].arrays["optimal"].astype(float)
    center = best[20:44, 20:44]
    assert abs(center.mean() - 0.5) < 0.01
    assert abs(center - 0.5).max() < 0.12
