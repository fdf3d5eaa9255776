"""Surfaces: known values; gradients and curvatures against finite differences and against autograd as it is taught."""

import math

import pytest
import torch

from nnviz.engine.trajectories import surfaces
from nnviz.spec import surfaces as spec
from nnviz.spec.base import options
from tests.each import each

ALL = [
    *(kind() for kind in options(spec.AnySurface).values()),
    spec.Quadratic(curvature=30, condition=7, angle=25),
    spec.Saddle(bounded=False),
    spec.MonkeySaddle(bounded=False),
    spec.Rosenbrock(a=0.5, b=3),
    spec.Formula(text="x*exp(-x**2 - y**2) + tanh(x*y)/3"),
    spec.Formula(text="7"),
    spec.Formula(text="y**3"),
]

KNOWN = [
    (spec.Quadratic(curvature=8, condition=4), (3, 5), 0.5 * (2 * 9 + 8 * 25)),
    (spec.Quadratic(curvature=8, condition=4, angle=90), (3, 5), 0.5 * (8 * 9 + 2 * 25)),
    (spec.Quadratic(curvature=8, condition=4, angle=45), (1, 1), 2.0),
    (spec.Ravine(), (-7, 2), 6.45),
    (spec.Saddle(bounded=False), (3, 2), 2.5),
    (spec.Saddle(), (0, 1), -0.25),
    (spec.MonkeySaddle(bounded=False), (2, 1), 2.0),
    (spec.MonkeySaddle(), (2, 1), 14.5),
    (spec.Rosenbrock(), (1, 1), 0.0),
    (spec.Rosenbrock(), (-1.2, 1), 24.2),
    (spec.Beale(), (3, 0.5), 0.0),
    (spec.Beale(), (0, 0), 1.5**2 + 2.25**2 + 2.625**2),
    (spec.Himmelblau(), (3, 2), 0.0),
    (spec.Himmelblau(), (0, 0), 170.0),
    (spec.Rastrigin(), (0, 0), 0.0),
    (spec.Rastrigin(), (0.5, 1), 41.25 - 20),
    (spec.Ackley(), (0, 0), 0.0),
    (spec.Ackley(), (1, 1), 20 - 20 * math.exp(-0.2)),
    (spec.StyblinskiTang(), (0, 0), 0.0),
    (spec.StyblinskiTang(), (-2.903534, -2.903534), -78.33233),
    (spec.ThreeHumpCamel(), (0, 0), 0.0),
    (spec.ThreeHumpCamel(), (1, 2), 2 - 1.05 + 1 / 6 + 2 + 4),
    (spec.Cliff(height=4), (0, 2), 2 + 0.18 + 0.4),
    (spec.Formula(text="x**2*y - 1"), (3, 2), 17.0),
]


def some(surface: spec.Surface, n: int = 300) -> torch.Tensor:
    """Points (n, 2) all over the view."""
    left, right, bottom, top = surface.window
    at = torch.rand(n, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(n))
    return at * torch.tensor([right - left, top - bottom]) + torch.tensor([left, bottom])


@each(("surface", "at", "value"), KNOWN)
def test_values_at_known_points(surface, at, value):
    found = surfaces.values(surface, torch.tensor([at], dtype=torch.float64))
    assert found.dtype == torch.float64
    assert float(found) == pytest.approx(value, rel=1e-7, abs=1e-13)


def test_every_surface_has_a_known_value():
    assert {type(surface) for surface, _, _ in KNOWN} == set(options(spec.AnySurface).values())


@each("surface", ALL)
def test_the_slope_is_that_of_central_differences(surface):
    points, h = some(surface), 1e-5
    value, gradient = surfaces.value_and_gradient(surface, points)
    assert torch.equal(value, surfaces.values(surface, points))
    for axis in range(2):
        aside = torch.zeros(2, dtype=torch.float64)
        aside[axis] = h
        above, below = (surfaces.values(surface, points + sign * aside) for sign in (1, -1))
        scale = 1 + gradient.abs().max()
        assert torch.allclose(gradient[:, axis], (above - below) / (2 * h), rtol=1e-6, atol=1e-7 * float(scale))


@each("surface", ALL)
def test_the_curvature_is_that_of_central_differences_and_symmetric(surface):
    points, h = some(surface), 1e-5
    gradient, hessian = surfaces.gradient_and_hessian(surface, points)
    assert torch.allclose(gradient, surfaces.value_and_gradient(surface, points)[1], rtol=1e-12, atol=1e-12)
    assert torch.allclose(hessian, hessian.mT, rtol=1e-9, atol=1e-9)
    for axis in range(2):
        aside = torch.zeros(2, dtype=torch.float64)
        aside[axis] = h
        above, below = (surfaces.value_and_gradient(surface, points + sign * aside)[1] for sign in (1, -1))
        scale = 1 + hessian.abs().max()
        assert torch.allclose(hessian[:, axis], (above - below) / (2 * h), rtol=1e-6, atol=1e-7 * float(scale))


@each("surface", ALL)
def test_the_slope_of_many_points_is_that_of_each_alone_by_backward_to_the_last_bit(surface):
    points = some(surface, 37)
    together = surfaces.value_and_gradient(surface, points)[1]
    for point, found in zip(points, together, strict=True):
        alone = point.clone().requires_grad_()
        surfaces.function(surface)(alone[0], alone[1]).backward()
        assert torch.equal(found, alone.grad)


@each("surface", ALL)
def test_the_start_is_in_view_and_lies_on_a_slope(surface):
    assert spec.inside(surface, surface.start)
    value, gradient = surfaces.value_and_gradient(surface, torch.tensor([surface.start], dtype=torch.float64))
    assert torch.isfinite(value).all()
    assert getattr(surface, "text", "") == "7" or float(gradient.norm()) > 1e-6


def test_slopes_are_found_where_gradients_are_switched_off_and_points_are_left_as_they_are():
    points = some(spec.Beale(), 5)
    with torch.no_grad():
        value, gradient = surfaces.value_and_gradient(spec.Beale(), points)
    assert not any(tensor.requires_grad for tensor in (points, value, gradient))


def test_ackleys_slope_at_its_minimum_is_zero_and_no_nan():
    value, gradient = surfaces.value_and_gradient(spec.Ackley(), torch.zeros(1, 2, dtype=torch.float64))
    assert float(value) == pytest.approx(0, abs=1e-14)
    assert torch.equal(gradient, torch.zeros(1, 2, dtype=torch.float64))


@pytest.mark.parametrize("angle", [0, 30, 90])
def test_the_quadratic_has_the_curvatures_it_is_given_along_its_axes(angle):
    bowl = spec.Quadratic(curvature=12, condition=6, angle=angle)
    _, hessian = surfaces.gradient_and_hessian(bowl, torch.tensor([[1.0, -2.0]], dtype=torch.float64))
    values, vectors = torch.linalg.eigh(hessian[0])
    assert values.tolist() == pytest.approx([2, 12])
    flat = torch.tensor([math.cos(math.radians(angle)), math.sin(math.radians(angle))], dtype=torch.float64)
    assert float((vectors[:, 0] @ flat).abs()) == pytest.approx(1)


def test_a_grid_has_its_edges():
    x, y = surfaces.grid((-1, 3, 0, 5), 5)
    assert x.tolist() == [-1, 0, 1, 2, 3]
    assert y.tolist() == [0, 1.25, 2.5, 3.75, 5]


SINGULAR = {
    "((x**2)**0.5)**3": [0, 0],
    "exp(-1/x**2)": [0, 0],
    "exp(-1/x**2) + 3*y": [0, 3],
    "sqrt(x**2 + y**2)**3": [0, 0],
    "exp(log(x**2))": [0, 0],
    "(x**2)**0.75": [0, 0],
    "1/(1/x)": [1, 0],
    "sqrt(x**2 + y**2)": [0, 0],  # a tip: of all subgradients the one that torch takes for abs(x)
}


def test_where_the_rules_of_a_formula_give_no_derivative_it_is_the_limit_of_those_around():
    origin = torch.zeros(1, 2, dtype=torch.float64)
    for text, expected in SINGULAR.items():
        gradient = surfaces.value_and_gradient(spec.Formula(text=text), origin)[1]
        assert gradient[0].tolist() == pytest.approx(expected, abs=1e-12), text
        assert torch.equal(surfaces.gradient_and_hessian(spec.Formula(text=text), origin)[0], gradient), text
    for text, expected in {"((x**2)**0.5)**3": 0, "exp(-1/x**2)": 0, "exp(log(x**2))": 2}.items():
        hessian = surfaces.gradient_and_hessian(spec.Formula(text=text), origin)[1]
        assert hessian[0].flatten().tolist() == pytest.approx([expected, 0, 0, 0], abs=1e-8), text


def test_such_a_derivative_is_found_anywhere_and_beside_other_points():
    shifted = spec.Formula(text="(((x - 1)**2)**0.5)**3 + y**2", low_x=-1e3, high_x=1e3, low_y=-1e3, high_y=1e3)
    at = torch.tensor([[1.0, 2.0], [3.0, 1.0], [1.0, -500.0]], dtype=torch.float64)
    assert surfaces.value_and_gradient(shifted, at)[1] == pytest.approx(
        torch.tensor([[0, 4], [12, 2], [0, -1000.0]]), abs=1e-9
    )


def test_where_the_slope_grows_without_bound_or_one_side_has_no_value_there_is_no_derivative():
    origin = torch.zeros(1, 2, dtype=torch.float64)
    for text in ("sqrt(x)", "(x**2)**0.25", "log(x)", "sqrt(x)**2"):
        assert surfaces.value_and_gradient(spec.Formula(text=text), origin)[1].isnan().all(), text
    for text in ("sqrt(x**2 + y**2)", "(x**2)**0.75"):
        assert surfaces.gradient_and_hessian(spec.Formula(text=text), origin)[1].isnan().all(), text


def test_where_a_formula_has_no_value_it_has_no_gradient():
    at = torch.tensor([[-2.0, 0.0], [2.0, 0.0]], dtype=torch.float64)
    assert surfaces.value_and_gradient(spec.Formula(text="log(x)"), at)[1].isnan().all(1).tolist() == [True, False]
