"""Gradient-free methods: same seed, same path; a state resumes exactly; no value that is not finite is ever
selected."""

from typing import get_args

import pytest
import torch
from torch import Tensor

from nnviz.engine.optim import gradient_free
from nnviz.engine.optim.gradient_free.open_es import ranks
from nnviz.spec import gradient_free as spec
from nnviz.spec.base import limits, options
from tests.each import each

VARIANTS = [cls() for cls in options(spec.GradientFree).values()] + [
    spec.OnePlusOneES(factor=1.0, sigma=0.1),
    spec.OpenES(ranks=True, pairs=1),
    spec.OpenES(lr=10, pairs=2),
    spec.CMAES(population=9),
    spec.Genetic(elite=0, blend=0.0, mutation=1.0, tournament=1, population=4),
    spec.Genetic(elite=3, crossover=0.0, population=4),
]
every_method = each("settings", VARIANTS)

POINTS = torch.tensor([[3.0, -1.0], [-2.0, 4.0], [0.5, 0.5]], dtype=torch.float64)


def start(settings: spec.GradientFree, seed: int = 0, points: Tensor = POINTS) -> gradient_free.Method:
    return gradient_free.build(settings, points, torch.Generator().manual_seed(seed))


def rosenbrock(x: Tensor) -> Tensor:
    return (1 - x[:, 0]) ** 2 + 100 * (x[:, 1] - x[:, 0] ** 2) ** 2


def bowl(x: Tensor) -> Tensor:
    return x.square().sum(dim=1)


def path(method: gradient_free.Method, f=rosenbrock, moves: int = 12) -> list[Tensor]:
    """Points and all parts of each move."""
    found = []
    for _ in range(moves):
        found += [*method.move(f).values(), method.points.clone()]
    return found


def same(one: list[Tensor], other: list[Tensor]) -> bool:
    return len(one) == len(other) and all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@every_method
def test_a_seed_decides_the_path_to_the_bit(settings):
    first = path(start(settings))
    assert same(first, path(start(settings)))
    assert not same(first, path(start(settings, seed=1)))


@every_method
def test_the_parts_have_their_shapes_and_every_evaluation_is_counted(settings):
    asked = 0

    def f(x: Tensor) -> Tensor:
        nonlocal asked
        assert x.ndim == 2
        assert x.dtype == torch.float64
        asked += len(x)
        return bowl(x)

    method = start(settings)
    assert method.evaluations == 0
    assert torch.equal(method.points, POINTS)
    for _ in range(3):
        parts = method.move(f)
        assert parts["population"].shape[::2] == (3, 2)
        assert parts["sigma"].shape == (3,)
        shapes = {"success": (3,), "estimate": (3, 2), "covariance": (3, 2, 2)}
        assert all(parts[name].shape == shape for name, shape in shapes.items() if name in parts)
        assert set(parts) <= {"population", "sigma", *shapes}
        assert all(part.dtype == torch.float64 for part in parts.values())
        assert method.points.shape == (3, 2)
        assert asked == 3 * method.evaluations


@every_method
def test_the_points_that_were_given_are_left_alone(settings):
    points = POINTS.clone()
    method = start(settings, points=points)
    path(method, moves=3)
    assert torch.equal(points, POINTS)
    method = start(settings, points=points)
    points.zero_()
    assert torch.equal(method.points, POINTS)


@every_method
@each("value", [torch.nan, torch.inf, -torch.inf])
def test_where_nothing_is_finite_the_points_stay(settings, value):
    method = start(settings)
    found = path(method, lambda x: torch.full((len(x),), value, dtype=torch.float64), moves=50)
    assert torch.equal(method.points, POINTS)
    assert all(part.isfinite().all() for part in found)


@every_method
@each("value", [torch.nan, torch.inf, -torch.inf])
def test_holes_in_the_landscape_are_not_entered(settings, value):
    def holed(x: Tensor) -> Tensor:
        return torch.where((x[:, 0] < -0.2) | (x[:, 1] < -1.5), value, bowl(x))

    points = torch.tensor([[3.0, -1.0], [2.0, 4.0], [0.5, 0.5]], dtype=torch.float64)
    method = start(settings, points=points)
    for _ in range(60):
        method.move(holed)
        assert method.points.isfinite().all()
        if isinstance(settings, spec.OnePlusOneES | spec.Genetic):
            assert holed(method.points).isfinite().all()


@pytest.mark.parametrize("cls", [spec.OnePlusOneES, spec.Genetic])
def test_a_start_in_a_hole_is_left_for_the_first_finite_point(cls):
    def holed(x: Tensor) -> Tensor:
        return torch.where(x.norm(dim=1) < 0.5, torch.nan, bowl(x))

    method = start(cls(), points=torch.zeros(5, 2, dtype=torch.float64))
    for _ in range(5):
        method.move(holed)
    assert holed(method.points).isfinite().all()


@pytest.mark.parametrize("population", [4, 6, 9])
def test_the_mean_of_cma_es_is_drawn_by_finite_points_alone(population):
    method = start(spec.CMAES(population=population))

    def half(x: Tensor) -> Tensor:
        return torch.where(x[:, 0] > POINTS.repeat_interleave(population, 0)[:, 0], bowl(x), torch.nan)

    method.move(half)
    assert (method.points[:, 0] >= POINTS[:, 0]).all()
    assert (method.points[:, 0] > POINTS[:, 0]).any()


def test_where_nothing_is_finite_cma_es_shrinks_and_keeps_a_covariance():
    method = start(spec.CMAES())
    path(method, lambda x: x[:, 0] * torch.nan, moves=20)
    assert (method.sigma < 0.05).all()
    method.covariance = method.covariance * 1e-190
    found = path(method, lambda x: x[:, 0] * torch.nan, moves=400)
    assert all(part.isfinite().all() for part in found)
    assert (torch.linalg.eigvalsh(method.covariance)[:, 1] > 1e-201).all()


def test_a_pair_that_is_not_finite_is_left_out_of_the_estimate():
    method = start(spec.OpenES(pairs=50))
    gradient = torch.tensor([2.0, -3.0], dtype=torch.float64)

    def edged(x: Tensor) -> Tensor:
        return torch.where(x[:, 0] > POINTS.repeat_interleave(100, 0)[:, 0] + 0.1, torch.nan, x @ gradient)

    parts = method.move(edged)
    z = (parts["population"][:, :50] - POINTS[:, None]) / 0.1
    known = (z[:, :, 0].abs() <= 1)[:, :, None]
    expected = ((z @ gradient)[:, :, None] * z * known).sum(dim=1) / known.sum(dim=1)
    assert torch.allclose(parts["estimate"], expected, rtol=1e-10)


@every_method
def test_a_slope_as_steep_as_float64_can_hold_leaves_all_numbers_finite(settings):
    found = path(start(settings), lambda x: 3e307 * (x[:, 0] - 2 * x[:, 1]), moves=200)
    assert all(part.isfinite().all() for part in found)


@pytest.mark.parametrize("settings", [spec.OnePlusOneES(), spec.CMAES()])
def test_sigma_does_not_grow_without_end(settings):
    method = start(settings)
    method.sigma = torch.full((3,), 1e31, dtype=torch.float64)
    found = path(method, lambda x: x[:, 0] - 2 * x[:, 1], moves=200)
    assert all((part.abs() < 1e40).all() for part in found)


@every_method
def test_a_plateau_changes_nothing(settings):
    method = start(settings)
    found = path(method, lambda x: torch.zeros(len(x), dtype=torch.float64), moves=300)
    assert all(part.isfinite().all() for part in found)
    if not isinstance(settings, spec.Genetic):
        assert torch.equal(method.points, POINTS)


@pytest.mark.parametrize("settings", [spec.OnePlusOneES(), spec.Genetic(), spec.Genetic(elite=3)])
def test_the_best_so_far_never_gets_worse(settings):
    method = start(settings)
    values = [rosenbrock(method.points)]
    for _ in range(80):
        method.move(rosenbrock)
        values.append(rosenbrock(method.points))
    assert (torch.stack(values).diff(dim=0) <= 0).all()


@pytest.mark.parametrize("settings", [spec.OnePlusOneES(), spec.OpenES(ranks=True), spec.CMAES(), spec.Genetic()])
def test_only_the_order_of_values_counts(settings):
    one, other = (path(start(settings), f) for f in (bowl, lambda x: 3 * bowl(x).log() - 5))
    assert same(one, other)


def test_what_an_es_returns_is_what_the_population_was_drawn_with():
    method = start(spec.CMAES(population=200), points=torch.full((50, 2), 3.0, dtype=torch.float64))
    for _ in range(4):
        mean = method.points
        parts = method.move(rosenbrock)
    z = (parts["population"] - mean[:, None]) / parts["sigma"][:, None, None]
    measured = (z.mT @ z / 200).mean(dim=0)
    assert torch.allclose(measured, parts["covariance"].mean(dim=0), rtol=0.1, atol=0.02)


def test_the_elite_lives_on_and_children_between_their_parents_stay_in_the_box_of_the_population():
    method = start(spec.Genetic(elite=2, blend=0, mutation=0, population=20))
    before = method.move(rosenbrock)["population"]
    best = rosenbrock(before.flatten(0, 1)).view(3, 20).argsort(dim=1)[:, :2]
    after = method.move(rosenbrock)["population"]
    assert torch.equal(after[:, :2], torch.stack([p[i] for p, i in zip(before, best, strict=True)]))
    assert (after <= before.amax(dim=1, keepdim=True)).all()
    assert (after >= before.amin(dim=1, keepdim=True)).all()


def test_sigma_of_a_genetic_algorithm_decays():
    method = start(spec.Genetic(sigma=0.4, decay=0.5))
    assert [float(method.move(bowl)["sigma"][0]) for _ in range(4)] == [0.4, 0.4, 0.2, 0.1]


def test_ranks_run_from_minus_one_half_to_one_half_and_equals_share():
    values = torch.tensor([[3.0, 1.0, torch.inf], [2.0, 2.0, 1.0], [5.0, 5.0, 5.0]], dtype=torch.float64)
    assert ranks(values).tolist() == [[0, -0.5, 0.5], [0.25, 0.25, -0.5], [0, 0, 0]]


def test_three_thousand_starts_are_moved_at_once():
    for settings in VARIANTS[:4]:
        method = start(settings, points=torch.ones(3600, 2, dtype=torch.float64))
        assert method.move(bowl)["sigma"].shape == (3600,)
        assert len(method.points.unique(dim=0)) > 100  # each with samples of its own


@pytest.mark.parametrize("cls", get_args(get_args(spec.GradientFree)[0]))
def test_every_option_says_what_it_is_and_limits_its_numbers(cls):
    assert cls.__doc__
    for name, field in cls.model_fields.items():
        assert name == "kind" or field.description
        if field.annotation in (int, float):
            assert limits(field).low is not None
            assert limits(field).high is not None
    assert cls.parse(cls().model_dump(mode="json")) == cls()
