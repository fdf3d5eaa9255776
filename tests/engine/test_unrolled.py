"""Gradients through unrolled steps of the discriminator."""

import torch
from torch import Tensor, nn
from torch.func import functional_call

from nnviz.engine import gan_objectives
from nnviz.engine.learners.unrolled import unroll
from nnviz.engine.randomness import generator
from nnviz.spec.gan_objectives import LeastSquares, NonSaturating
from tests.engine import gan_jobs

RATE = 0.3


def network() -> nn.Module:
    made = nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 1)).double()
    with torch.no_grad():
        for index, p in enumerate(made.parameters()):
            p.copy_(torch.randn(p.shape, generator=generator(index, "test")))
    return made


REAL = torch.randn(6, 2, generator=generator(0, "real")).double()
FAKE = torch.randn(6, 2, generator=generator(0, "fake")).double()


def loss_after(network: nn.Module, objective: object, fake: Tensor, steps: int) -> Tensor:
    """The generator's loss against the discriminator after so many steps."""

    def loss(judge: object) -> Tensor:
        return gan_objectives.discriminator_loss(objective, judge(REAL), judge(fake))

    return gan_objectives.generator_loss(objective, unroll(network, loss, steps, RATE)(fake))


def test_the_unrolled_discriminator_is_the_one_after_that_many_steps_of_gradient_descent():
    judged, trained = network(), network()
    optimizer = torch.optim.SGD(trained.parameters(), RATE)
    objective = NonSaturating()
    for _ in range(4):
        optimizer.zero_grad()
        gan_objectives.discriminator_loss(objective, trained(REAL), trained(FAKE)).backward()
        optimizer.step()
    with torch.no_grad():
        expected = gan_objectives.generator_loss(objective, trained(FAKE))
    assert torch.allclose(loss_after(judged, objective, FAKE, 4).detach(), expected, rtol=1e-12)
    for p, q in zip(judged.parameters(), network().parameters(), strict=True):
        assert torch.equal(p, q), "its own parameters stay"
        assert p.grad is None


def test_the_gradient_through_unrolled_steps_is_that_of_finite_differences():
    for objective in (NonSaturating(), LeastSquares()):
        for steps in (0, 1, 3):
            judged = network()
            fake = FAKE.clone().requires_grad_()
            (gradient,) = torch.autograd.grad(loss_after(judged, objective, fake, steps), fake)
            numeric = torch.zeros_like(FAKE)
            for index in range(FAKE.numel()):
                step = torch.zeros(FAKE.numel()).double()
                step[index] = 1e-5
                up, down = (
                    loss_after(judged, objective, FAKE + s * step.view_as(FAKE), steps).detach() for s in (1, -1)
                )
                numeric.view(-1)[index] = (up - down) / 2e-5
            assert torch.allclose(gradient, numeric, rtol=1e-5, atol=1e-8), (objective.kind, steps)


def test_unrolled_steps_change_the_generators_gradient_and_no_weight_of_the_discriminator():
    found = {}
    for unrolled in (0, 2):
        learning = gan_jobs.learning(unrolled=unrolled, updates="generator")
        before = [p.detach().clone() for p in learning.discriminator.parameters()]
        learning.step(1)
        assert all(torch.equal(p, q) for p, q in zip(before, learning.discriminator.parameters(), strict=True))
        assert all(p.requires_grad and p.grad is None for p in learning.discriminator.parameters())
        found[unrolled] = learning.generator.output.weight.grad.clone()
    assert not torch.equal(found[0], found[2])


def test_the_generators_gradient_is_that_of_its_loss_against_the_unrolled_discriminator():
    learning = gan_jobs.learning(unrolled=3, unrolled_lr=0.2, updates="generator")
    weight = learning.generator.output.weight
    learning.step(1)
    stepped, found = weight.detach().clone(), weight.grad.clone()
    fresh = gan_jobs.learning(unrolled=3, unrolled_lr=0.2)
    noise = fresh.noise(16, generator(0, "generator's noise", 1))
    (real,) = fresh._real(1, 1)
    made = fresh.generator(noise)
    parameters = dict(fresh.discriminator.named_parameters())
    for _ in range(3):
        outputs = [functional_call(fresh.discriminator, parameters, (x,)) for x in (real, made)]
        loss = gan_objectives.discriminator_loss(NonSaturating(), *outputs)
        slopes = torch.autograd.grad(loss, list(parameters.values()), create_graph=True)
        parameters = {n: p - 0.2 * g for (n, p), g in zip(parameters.items(), slopes, strict=True)}
    judged = functional_call(fresh.discriminator, parameters, (made,))
    gan_objectives.generator_loss(NonSaturating(), judged).backward()
    assert torch.allclose(found, fresh.generator.output.weight.grad, rtol=1e-4, atol=1e-7)
    assert not torch.equal(stepped, fresh.generator.output.weight)
