"""Where a surface is level: its minima, maxima and saddle points, found by looking."""

import math
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from nnviz.engine import surfaces
from nnviz.spec.surfaces import AnySurface

SEEDS = 161
"""Points along each side of the grid from which level points are looked for."""
MOST = 200
"""Level points of one kind that are kept, the lowest first."""


class Critical(NamedTuple):
    """Level points within view, each (k, 2), by height; (0, 2) where there are none."""

    minima: Tensor
    maxima: Tensor
    saddles: Tensor
    optima: Tensor
    """The minima of least height."""


@cache
def critical(surface: AnySurface) -> Critical:
    """Level points in the part of the plane that is shown.

    Newton's method starts where, on a grid, the gradient is shorter than all around; what it arrives at is told apart
    by the heights on a small circle around it, which also works where the curvature is 0.
    """
    view = surface.window
    x, y = surfaces.grid(view, SEEDS)
    at = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1).reshape(-1, 2)
    _, gradient = surfaces.slope(surface, at)
    size = gradient.norm(dim=1).nan_to_num(math.inf).reshape(SEEDS, SEEDS)
    seeds = at[_least_around(size).flatten()]
    points = _distinct(_polish(surface, seeds, view), view)
    if not len(points):
        return Critical(*(points,) * 4)
    points = points[surfaces.values(surface, points).argsort()]
    radius = 1e-3 * min(view[1] - view[0], view[3] - view[2])
    turn = torch.arange(64, dtype=torch.float64) * (2 * math.pi / 64)
    circle = points[:, None] + radius * torch.stack([turn.cos(), turn.sin()], -1)
    around = surfaces.values(surface, circle.reshape(-1, 2)).reshape(len(points), -1)
    center = surfaces.values(surface, points)[:, None]
    is_low, is_high = (around > center).all(1), (around < center).all(1)
    is_saddle = (around > center).any(1) & (around < center).any(1)
    minima = points[is_low][:MOST]
    heights = surfaces.values(surface, minima)
    # Equal but for rounding; found to about 1e-16 of the surface's own scale.
    least = heights <= heights.min() + 1e-9 * (1 + heights.min().abs()) if len(minima) else is_low[:0]
    return Critical(minima, points[is_high][:MOST], points[is_saddle][:MOST], minima[least])


def _least_around(size: Tensor) -> Tensor:
    """Entries no larger than their eight neighbors, but for those within a plain, where all are of one size."""
    padded = torch.nn.functional.pad(size[None, None], (1, 1, 1, 1), value=math.inf)[0, 0]
    rows, columns = size.shape
    least, is_plain = torch.isfinite(size), torch.ones_like(size, dtype=torch.bool)
    for i in range(3):
        for j in range(3):
            beside = padded[i : i + rows, j : j + columns]
            least &= size <= beside
            is_plain &= (size == beside) | beside.isinf()
    return least & ~is_plain


def _polish(surface: AnySurface, points: Tensor, view: tuple[float, float, float, float]) -> Tensor:
    """Those that Newton's method takes to a level point near by."""
    left, right, bottom, top = view
    reach = 3 * torch.tensor([right - left, top - bottom], dtype=torch.float64) / (SEEDS - 1)
    begun = points
    for _ in range(60):
        gradient, hessian = surfaces.curvature(surface, points)
        step = torch.linalg.pinv(_finite(hessian), rtol=1e-12) @ _finite(gradient)[..., None]
        points = points - step[..., 0].clamp(-reach, reach)
    gradient, hessian = surfaces.curvature(surface, points)
    scale = hessian.flatten(1).norm(dim=1) * reach.norm() + 1e-30
    is_level = (gradient.norm(dim=1) <= 1e-6 * scale) | (gradient.norm(dim=1) <= 1e-12)
    is_near = ((points - begun).abs() <= 2 * reach).all(1)
    is_inside = (points >= torch.tensor([left, bottom])).all(1) & (points <= torch.tensor([right, top])).all(1)
    return points[is_level & is_near & is_inside]


def _finite(numbers: Tensor) -> Tensor:
    return numbers.nan_to_num(0.0, 0.0, 0.0)


def _distinct(points: Tensor, view: tuple[float, float, float, float]) -> Tensor:
    """One of each cluster of points: the first in each cell, whichever way the cells are cut."""
    cell = 1e-4 * min(view[1] - view[0], view[3] - view[2])
    for shift in ([0.0, 0.0], [0.5, 0.0], [0.0, 0.5], [0.5, 0.5]):
        _, which = torch.unique((points / cell + torch.tensor(shift)).floor(), dim=0, return_inverse=True)
        number = torch.arange(len(points))
        first = torch.full_like(number, len(points)).scatter_reduce(0, which, number, "amin")
        points = points[first[which] == number]
    return points
