"""Gradient-free methods against known results: progress on the sphere, unbiased gradients, the inverse Hessian, a
library."""

import math

import cmaes
import pytest
import torch
from torch import Tensor

from nnviz.engine.optim import gradient_free
from nnviz.spec.gradient_free import CMAES, Genetic, OnePlusOneES, OpenES
from tests.each import each

SEEDS = range(6)
CENTER = torch.tensor([1.0, -2.0], dtype=torch.float64)


def start(settings, points: Tensor, seed: int = 0) -> gradient_free.Method:
    return gradient_free.build(settings, points, torch.Generator().manual_seed(seed))


def sphere(x: Tensor) -> Tensor:
    return x.square().sum(dim=1)


def distance(x: Tensor) -> Tensor:
    return (x - CENTER).norm(dim=1)


# -- (1+1)-ES ---------------------------------------------------------------------------------------------------------


def one_step(n: int, sigma: float) -> tuple[float, float]:
    """Success probability and E(R − R′)/R of the child of a parent at R = 1, by quadrature.

    The squared distance of the child is (1 + σz)² + σ²χ², with z standard normal along the radius and χ² of n − 1
    degrees of freedom across.
    """
    z = torch.linspace(-8, 8, 2001, dtype=torch.float64)
    chi = torch.linspace(1e-3, 4 * n, 4000, dtype=torch.float64)
    half = (n - 1) / 2
    density = torch.exp((half - 1) * chi.log() - chi / 2 - half * math.log(2) - math.lgamma(half))
    weight = torch.exp(-(z**2) / 2)[:, None] * density
    weight /= weight.sum()
    gain = 1 - ((1 + sigma * z[:, None]) ** 2 + sigma**2 * chi).sqrt()
    return float(weight[gain > 0].sum()), float((weight * gain.clamp(min=0)).sum())


def test_on_the_sphere_the_best_mutation_succeeds_and_gains_as_rechenberg_computed():
    n, starts = 100, 40_000
    sigma = 1.224 / n
    success, gain = one_step(n, sigma)
    assert (success, n * gain) == pytest.approx((0.2723, 0.2037), abs=1e-4)
    # In the limit of many dimensions p = Φ(−σ*/2) = .270 and φ* = σ*/√(2π) exp(−σ*²/8) − σ*²p/2 = .2025, the most
    # there is.
    limit = 0.5 * math.erfc(1.224 / 2 / math.sqrt(2))
    progress = 1.224 / math.sqrt(2 * math.pi) * math.exp(-(1.224**2) / 8) - 1.224**2 / 2 * limit
    assert (limit, progress) == pytest.approx((0.2702, 0.2025), abs=1e-4)
    assert (success, n * gain) == pytest.approx((limit, progress), abs=0.0025)

    points = torch.zeros(starts, n, dtype=torch.float64)
    points[:, 0] = 1
    method = start(OnePlusOneES(sigma=sigma), points)
    seen = method.move(sphere)["success"]
    gains = n * (1 - method.points.norm(dim=1))
    assert abs(float(seen.mean()) - success) < 3 * float(seen.std()) / math.sqrt(starts)
    assert abs(float(gains.mean()) - n * gain) < 3 * float(gains.std()) / math.sqrt(starts)


def test_the_rule_keeps_one_success_in_five():
    n, starts, steps = 100, 200, 600
    settings = OnePlusOneES(sigma=1e-3)  # far too small, for R = 10
    method = start(settings, torch.ones(starts, n, dtype=torch.float64))
    parts = [method.move(sphere) for _ in range(200)]
    assert float(torch.stack([p["success"] for p in parts[:5]]).mean()) > 0.4  # σ is much too small at first
    sigma, radius = method.sigma.clone(), method.points.norm(dim=1)
    rate = float(torch.stack([method.move(sphere)["success"] for _ in range(steps)]).mean())
    assert rate == pytest.approx(0.2, abs=0.01)
    # σ follows the radius down, σ* = σN/R of order 1, so the success rate lies below 1/5 by that drift alone.
    drift = float((radius.log() - method.points.norm(dim=1).log()).mean()) / steps
    assert rate == pytest.approx(0.2 - drift / (1.25 * math.log(settings.factor)), abs=0.003)
    assert float((method.sigma / sigma).log().mean()) / steps == pytest.approx(-drift, abs=5e-4)
    assert 0.5 < float((method.sigma * n / method.points.norm(dim=1)).median()) < 3
    assert 0.1 < n * drift < 0.2037


# -- OpenES -----------------------------------------------------------------------------------------------------------

HESSIAN = torch.tensor([[3.0, 1.0], [1.0, 2.0]], dtype=torch.float64)
AT = torch.tensor([1.4, -3.2], dtype=torch.float64)
GRADIENT = torch.tensor([1.0, -5.0], dtype=torch.float64)


def test_the_estimate_on_a_quadratic_is_its_gradient_on_average_at_any_sigma():
    assert torch.allclose(HESSIAN @ AT, GRADIENT)
    for seed, sigma in zip(SEEDS, (0.01, 0.1, 0.5, 1.0, 3.0, 10.0), strict=True):
        method = start(OpenES(sigma=sigma, pairs=20), AT.repeat(3000, 1), seed)
        found = method.move(lambda x: 0.5 * ((x @ HESSIAN) * x).sum(dim=1) + 7)["estimate"]
        error = (found.mean(dim=0) - GRADIENT) / (found.std(dim=0) / math.sqrt(3000))
        assert float(error.abs().max()) < 3.5
        # Var of the mean of n products z (g·z) is (g² + ‖g‖²)/n for each entry.
        spread = ((GRADIENT**2 + GRADIENT.square().sum()) / 20).sqrt()
        assert found.std(dim=0).tolist() == pytest.approx(spread.tolist(), rel=0.08)


@each("seed", SEEDS)
def test_on_a_linear_function_each_pair_measures_its_direction_exactly(seed):
    points = AT.repeat(4, 1)
    method = start(OpenES(sigma=0.3, pairs=7), points, seed)
    parts = method.move(lambda x: x @ GRADIENT + 2)
    above, below = parts["population"].chunk(2, dim=1)
    assert torch.allclose(above + below, 2 * points[:, None].expand_as(above), atol=1e-14)
    z = (above - points[:, None]) / 0.3
    assert torch.allclose(parts["estimate"], ((z @ GRADIENT)[:, :, None] * z).mean(dim=1), rtol=1e-12)
    assert torch.allclose(method.points, points - 0.1 * parts["estimate"], rtol=1e-14)


# -- CMA-ES -----------------------------------------------------------------------------------------------------------


def valley(angle: float, condition: float) -> Tensor:
    """The Hessian with curvature 1 along a direction and `condition` across."""
    along = torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64)
    across = torch.tensor([-math.sin(angle), math.cos(angle)], dtype=torch.float64)
    return torch.outer(along, along) + condition * torch.outer(across, across)


@each("seed", SEEDS)
def test_cma_es_is_that_of_the_library(seed):
    hessian, starts, size = valley(0.5, 100), 20, 6 + seed
    points = 4 * torch.randn(starts, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    method = start(CMAES(sigma=0.1, population=size), points, seed)
    libraries = [cmaes.CMA(mean=x.numpy(), sigma=0.1, population_size=size) for x in points]
    for library in libraries:
        library._g = -1  # It counts generations from 1 where the tutorial has g + 1 with g from 0.
    for _ in range(30):
        population = method.move(lambda x: ((x @ hessian) * x).sum(dim=1))["population"]
        values = ((population @ hessian) * population).sum(dim=2)
        for library, tried, value in zip(libraries, population.numpy(), values.tolist(), strict=True):
            library.tell(list(zip(tried, value, strict=True)))
    for i, library in enumerate(libraries):
        assert method.points[i].tolist() == pytest.approx(library.mean.tolist(), rel=1e-5, abs=1e-8)
        assert float(method.sigma[i]) == pytest.approx(library._sigma, rel=1e-5)
        assert method.covariance[i].numpy() == pytest.approx(library._C, rel=1e-5, abs=1e-6 * abs(library._C).max())


@each("seed", SEEDS)
def test_the_covariance_of_cma_es_comes_to_be_the_inverse_hessian(seed):
    angle, condition, starts = 0.3 + 0.5 * seed, 1e4, 20
    hessian = valley(angle, condition)
    method = start(CMAES(), torch.tensor([[4.0, 3.0]], dtype=torch.float64).repeat(starts, 1), seed)
    for _ in range(150):
        method.move(lambda x: 0.5 * ((x @ hessian) * x).sum(dim=1))
    squares, axes = torch.linalg.eigh(method.covariance)
    ratio = squares[:, 1] / squares[:, 0]
    along = torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64)
    off = torch.rad2deg(torch.acos((axes[:, :, 1] @ along).abs().clamp(max=1)))
    assert float(off.max()) < 3
    assert 0.5 < float(ratio.log().mean().exp()) / condition < 2
    # In the coordinates in which the valley is round, C is round too, but for the noise of six points a generation.
    values, vectors = torch.linalg.eigh(hessian)
    root = vectors @ values.sqrt().diag() @ vectors.T
    rounded = torch.linalg.eigvalsh(root @ method.covariance @ root)
    assert float((rounded[:, 1] / rounded[:, 0]).median()) < 6


# -- all --------------------------------------------------------------------------------------------------------------

REACH = [
    (OnePlusOneES(), 400, 401, 1e-6),
    (OpenES(), 150, 3000, 1e-6),
    (OpenES(ranks=True, lr=0.05), 300, 6000, 0.3),
    (CMAES(), 100, 600, 1e-6),
    (Genetic(), 100, 30 + 99 * 29, 1e-2),
]
"""Settings, moves, what they cost in evaluations, and how near all starts must come."""


@each("seed", SEEDS)
@each(("settings", "moves", "budget", "near"), REACH)
def test_each_method_reaches_the_bottom_of_the_sphere_within_its_budget(settings, moves, budget, near, seed):
    points = 4 * torch.randn(10, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    method = start(settings, points, seed)
    for _ in range(moves):
        method.move(lambda x: distance(x) ** 2)
    assert method.evaluations == budget
    assert float(distance(method.points).max()) < near
