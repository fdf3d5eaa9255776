"""Descent on the quadratic ½ Σ λ w² with λ = 0.01, 0.1, 1, where everything is known.

Goh, 2017, "Why Momentum Really Works", distill.pub/2017/momentum.
"""

import math

import pytest
import torch

from nnviz.engine.optim import optimizers
from nnviz.spec.optimizers import SGD

LAMBDAS = torch.tensor([0.01, 0.1, 1.0], dtype=torch.float64)
LOW, HIGH = 0.01, 1.0


def errors(optimizer: SGD, steps: int) -> list[float]:
    """‖w‖ after each step, from w = (1, 1, 1)."""
    w = torch.nn.Parameter(torch.ones(3, dtype=torch.float64))
    built = optimizers.build(optimizer, [w])
    found = [float(w.detach().norm())]
    for _ in range(steps):
        w.grad = LAMBDAS * w.detach()
        built.step()
        found.append(float(w.detach().norm()))
    return found


def test_gradient_descent_converges_just_below_two_over_the_largest_curvature_and_not_just_above():
    below, above = (errors(SGD(lr=part * 2 / HIGH), 3000)[-1] for part in (0.99, 1.01))
    assert below < 1e-25
    assert above > 1e25


def test_the_best_rate_of_gradient_descent_is_kappa_minus_1_over_kappa_plus_1():
    found = errors(SGD(lr=2 / (LOW + HIGH)), 1000)
    kappa = HIGH / LOW
    assert (found[1000] / found[500]) ** (1 / 500) == pytest.approx((kappa - 1) / (kappa + 1), abs=1e-6)
    assert found[1000] < min(errors(SGD(lr=other), 1000)[1000] for other in (1.5, 1.9, 1.99))


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9, 0.99])
def test_momentum_is_stable_up_to_two_plus_two_beta_over_the_largest_curvature(momentum):
    limit = (2 + 2 * momentum) / HIGH
    below, above = (errors(SGD(lr=part * limit, momentum=momentum), 1500) for part in (0.99, 1.01))
    assert below[-1] < 0.1
    assert above[-1] > 10


def test_the_best_momentum_has_the_rate_of_the_square_root_of_kappa():
    root = math.sqrt(HIGH / LOW)
    lr = (2 / (math.sqrt(LOW) + math.sqrt(HIGH))) ** 2
    momentum = ((root - 1) / (root + 1)) ** 2
    assert (lr, momentum) == pytest.approx((3.3058, 0.66942), abs=1e-4)
    found = errors(SGD(lr=lr, momentum=momentum), 300)
    # The root is double, so ‖w‖ ~ k σᵏ: early steps are slower than σ.
    rates = [(found[end] / found[start]) ** (1 / (end - start)) for start, end in ((40, 100), (200, 300))]
    sigma = (root - 1) / (root + 1)
    assert rates[0] == pytest.approx(0.8305, abs=0.002)
    assert sigma < rates[1] < sigma * 1.006


def test_momentum_is_faster_than_gradient_descent_and_nesterov_has_its_rate():
    plain = errors(SGD(lr=1.9), 200)[-1]
    heavy = errors(SGD(lr=1.9, momentum=0.7), 200)[-1]
    nesterov = errors(SGD(lr=1.0, momentum=0.8, nesterov=True), 200)[-1]
    assert heavy < 1e-3 * plain
    assert nesterov < 1e-3 * plain
