"""Symmetric 2 × 2 matrices, many at a time: eigenvalues and the step of Newton's method, in closed form."""

import torch
from torch import Tensor


def eigen(hessian: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of (n, 2, 2): the eigenvalues (n, 2), the one of larger size first, and their unit vectors, (n, 2) each."""
    a, b, c = hessian[:, 0, 0], (hessian[:, 0, 1] + hessian[:, 1, 0]) / 2, hessian[:, 1, 1]
    middle, spread = (a + c) / 2, torch.hypot((a - c) / 2, b)
    half = torch.atan2(2 * b, a - c) / 2
    upper = torch.stack([half.cos(), half.sin()], 1)
    lower = torch.stack([-half.sin(), half.cos()], 1)
    is_upper = (middle >= 0)[:, None]
    large = middle + torch.where(middle >= 0, spread, -spread)
    # By the determinant: of two large numbers the difference would leave rounding alone.
    small = torch.where(large == 0, 0.0, a * (c / large) - b * (b / large))
    values = torch.stack([large, small], 1)
    return values, torch.where(is_upper, upper, lower), torch.where(is_upper, lower, upper)


def newton_step(gradient: Tensor, hessian: Tensor, tolerance: float = 1e-12) -> Tensor:
    """H⁺ g (n, 2): along directions whose curvature is at most `tolerance` of the larger one the step is 0."""
    values, first, second = eigen(hessian)
    sizes = values.abs()
    inverse = torch.where(sizes > tolerance * sizes[:, :1], 1 / values, 0.0)
    along = torch.stack([(first * gradient).sum(1), (second * gradient).sum(1)], 1) * inverse
    return along[:, :1] * first + along[:, 1:] * second
