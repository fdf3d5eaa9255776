"""Surface specs -> f(x, y), its gradient and its Hessian."""

import math
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from nnviz.engine.trajectories.formulas import compile_formula
from nnviz.spec import surfaces as spec
from nnviz.spec.formulas import parse

Function = Callable[[Tensor, Tensor], Tensor]

NEIGHBOR_DISTANCES = (1e-7, 1e-10)
"""Distances of the neighbors of a point without a derivative, in units of the view's smaller side."""
MAX_GROWTH = 3
"""A derivative that is this many times larger at the nearer neighbors is taken as unbounded."""


@cache
def function(surface: spec.AnySurface) -> Function:
    """f, elementwise: x and y of one shape -> values of that shape."""
    match surface:
        case spec.Quadratic(angle=angle):
            c, d = math.cos(math.radians(angle)), math.sin(math.radians(angle))
            steep, flat = surface.eigenvalues
            # Along the x axis at 0 degrees, as the ravine.
            return lambda x, y: 0.5 * (flat * (c * x + d * y) ** 2 + steep * (c * y - d * x) ** 2)
        case spec.Ravine():
            return lambda x, y: x**2 / 20 + y**2
        case spec.Saddle(bounded=bounded):
            return lambda x, y: 0.5 * (x**2 - y**2) + (0.25 * y**4 if bounded else 0)
        case spec.MonkeySaddle(bounded=bounded):
            return lambda x, y: x**3 - 3 * x * y**2 + (0.5 * (x**2 + y**2) ** 2 if bounded else 0)
        case spec.Rosenbrock(a=a, b=b):
            return lambda x, y: (a - x) ** 2 + b * (y - x**2) ** 2
        case spec.Beale():
            return lambda x, y: (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2
        case spec.Himmelblau():
            return lambda x, y: (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2
        case spec.Rastrigin(amplitude=a):
            return lambda x, y: 2 * a + x**2 - a * torch.cos(2 * math.pi * x) + y**2 - a * torch.cos(2 * math.pi * y)
        case spec.Ackley():
            return _ackley
        case spec.StyblinskiTang():
            return lambda x, y: 0.5 * (x**4 - 16 * x**2 + 5 * x + y**4 - 16 * y**2 + 5 * y)
        case spec.ThreeHumpCamel():
            return lambda x, y: 2 * x**2 - 1.05 * x**4 + x**6 / 6 + x * y + y**2
        case spec.Cliff(height=h, steepness=k):
            return lambda x, y: h * torch.sigmoid(-k * x) + 0.02 * (x - 3) ** 2 + 0.1 * y**2
        case spec.Formula(text=text):
            return compile_formula(parse(text))
    raise TypeError(f"no surface for {surface!r}")


def _ackley(x: Tensor, y: Tensor) -> Tensor:
    # The derivative of the root at the minimum itself would be 0/0; there it is set to 0.
    square = 0.5 * (x**2 + y**2)
    root = torch.where(square > 0, square, 1.0).sqrt() * (square > 0)
    ripples = 0.5 * (torch.cos(2 * math.pi * x) + torch.cos(2 * math.pi * y))
    return -20 * torch.exp(-0.2 * root) - torch.exp(ripples) + 20 + math.e


def values(surface: spec.AnySurface, points: Tensor) -> Tensor:
    """f (n,) at points (n, 2)."""
    with torch.no_grad():
        return function(surface)(points[:, 0], points[:, 1])


def value_and_gradient(surface: spec.AnySurface, points: Tensor) -> tuple[Tensor, Tensor]:
    """f (n,) and its gradients (n, 2) at points (n, 2); a gradient of nan where a formula has no value.

    Where differentiation gives no number, as at 0 for ((x²)^½)³ (0 · ∞), the gradient is the mean of those around the
    point: the derivative where there is one, at a kink a subgradient. Where those grow without bound it stays nan.
    """
    found, gradient = _value_and_gradient(surface, points)
    if isinstance(surface, spec.Formula):
        undefined = ~(gradient.sum(1) + found).isfinite()
        if bool(undefined.any()):
            gradient = gradient.clone()
            gradient[undefined] = torch.nan
            undefined &= found.isfinite()
            gradient[undefined] = _mean_of_neighbors(
                surface, points[undefined], lambda at: _value_and_gradient(surface, at)[1]
            )
    return found, gradient


def gradient_and_hessian(surface: spec.AnySurface, points: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients (n, 2) and Hessians (n, 2, 2) at points (n, 2); as `value_and_gradient` where differentiation gives no
    number."""
    gradient, hessian = _gradient_and_hessian(surface, points)
    if isinstance(surface, spec.Formula):
        undefined = ~(hessian.sum((1, 2)) + gradient.sum(1)).isfinite()
        if bool(undefined.any()):
            gradient, hessian = gradient.clone(), hessian.clone()
            gradient[undefined] = value_and_gradient(surface, points[undefined])[1]
            hessian[undefined] = torch.nan
            undefined &= gradient.isfinite().all(1)
            hessian[undefined] = _mean_of_neighbors(
                surface, points[undefined], lambda at: _gradient_and_hessian(surface, at)[1]
            )
    return gradient, hessian


def _value_and_gradient(surface: spec.AnySurface, points: Tensor) -> tuple[Tensor, Tensor]:
    with torch.enable_grad():
        at = points.detach().requires_grad_()
        found = function(surface)(*at.unbind(1))
        (gradient,) = torch.autograd.grad(found, at, torch.ones_like(found))
    return found.detach(), gradient


def _gradient_and_hessian(surface: spec.AnySurface, points: Tensor) -> tuple[Tensor, Tensor]:
    with torch.enable_grad():
        at = points.detach().requires_grad_()
        found = function(surface)(at[:, 0], at[:, 1])
        (gradient,) = torch.autograd.grad(found.sum(), at, create_graph=True)
        rows = [
            torch.autograd.grad(part.sum(), at, retain_graph=True, allow_unused=True, materialize_grads=True)[0]
            if part.requires_grad
            else torch.zeros_like(at)
            for part in gradient.unbind(1)
        ]
    return gradient.detach(), torch.stack(rows, 1)


def _mean_of_neighbors(surface: spec.Formula, points: Tensor, derivative: Callable[[Tensor], Tensor]) -> Tensor:
    """The mean of a derivative (n, …) at four places around each point (n, 2); nan where they grow towards the
    point."""
    left, right, bottom, top = surface.window
    side = torch.full_like(points[:, :1], min(right - left, top - bottom)).maximum(points.abs().amax(1, keepdim=True))
    # A rotated square: along the axes a formula may have no derivative either.
    square = points.new_tensor([[1.0, 0.6], [-0.6, 1.0], [-1.0, -0.6], [0.6, -1.0]])
    found = []
    for distance in NEIGHBOR_DISTANCES:
        places = points[:, None] + distance * side[:, None] * square
        found.append(derivative(places.reshape(-1, 2)).unflatten(0, places.shape[:2]))
    far, near = (part.abs().flatten(1).amax(1) for part in found)
    mean = found[1].mean(1)
    mean[~(near <= MAX_GROWTH * far)] = torch.nan
    return mean


def grid(view: spec.View, points: int) -> tuple[Tensor, Tensor]:
    """Evenly spaced x (points,) and y (points,) over a part of the plane, edges included; float64."""
    left, right, bottom, top = view
    return (
        torch.linspace(left, right, points, dtype=torch.float64),
        torch.linspace(bottom, top, points, dtype=torch.float64),
    )
