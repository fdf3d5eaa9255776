"""Local minima of functions of two variables that need not be differentiable there: tips, creases, cusps.

The gradient sampling algorithm (Burke, Lewis & Overton, 2005, "A robust gradient sampling algorithm for nonsmooth,
nonconvex optimization"): go against the shortest vector in the convex hull of gradients around the point, and where
that hull holds 0, look at a smaller neighborhood.
"""

import math

import torch
from torch import Tensor

from nnviz.engine.trajectories import surfaces
from nnviz.spec.surfaces import AnySurface

SAMPLES = 12
"""Gradients around a point."""
ROUNDS = 200
TURN = math.pi * (3 - math.sqrt(5))
"""By which the places of the samples turn from round to round, so that no direction is missed for good."""
WIDEST, SMALLEST, SHRINK = 0.5, 1e-11, 0.15
"""Radius of the neighborhood, in cells: where it begins and ends, and its factor where the hull holds 0."""
FAR = 8
"""A start that gets farther than so many cells has no minimum of its own."""
CREEP = (40, 0.02)
"""Nor has one that makes more moves than this within a neighborhood smaller than that: it follows a smooth valley."""


def settle(surface: AnySurface, starts: Tensor, cell: Tensor) -> Tensor:
    """The local minima (k, 2) near starts (n, 2); `cell` (2,) is the unit of length along x and y. None for a start
    that leads away, and none where the height around is not above that of the point."""
    at, radius = starts.clone(), torch.full((len(starts),), WIDEST, dtype=torch.float64)
    height = surfaces.values(surface, at)
    moves = torch.zeros(len(starts))
    lengths = 2.0 ** torch.arange(2, -7, -1, dtype=torch.float64)
    for number in range(ROUNDS):
        creeps = (moves > CREEP[0]) & (radius < CREEP[1])
        busy = ((radius > SMALLEST) & ~creeps & (((at - starts) / cell).abs().amax(1) <= FAR)).nonzero()[:, 0]
        if not len(busy):
            break
        here, size = at[busy], radius[busy, None, None] * cell
        places = torch.cat([here[:, None], here[:, None] + size * _ring(SAMPLES, number * TURN)], 1)
        _, gradient = surfaces.slope(surface, places.reshape(-1, 2))
        shortest = _shortest(gradient.nan_to_num(0.0, 0.0, 0.0).reshape(places.shape) * cell)
        norm = shortest.norm(dim=1)
        down = -shortest / norm.clamp(min=torch.finfo(torch.float64).tiny)[:, None]
        tried = here[:, None] + lengths[:, None] * size * down[:, None]
        found, which = (
            surfaces.values(surface, tried.reshape(-1, 2)).reshape(tried.shape[:2]).nan_to_num(math.inf).min(1)
        )
        is_lower = (found < height[busy]) & (norm > 0)
        at[busy[is_lower]] = tried[is_lower, which[is_lower]]
        height[busy[is_lower]] = found[is_lower]
        radius[busy[~is_lower]] *= SHRINK
        moves[busy] = torch.where(is_lower, moves[busy] + 1, 0)
    at = at[radius <= SMALLEST]
    return _lowest_around(surface, _rounded(surface, at, cell), cell)


def _shortest(vectors: Tensor) -> Tensor:
    """The shortest vector in the convex hull of each set of vectors (n, m, 2): (n, 2), 0 where the hull holds 0."""
    angles = torch.atan2(vectors[..., 1], vectors[..., 0]).sort(1).values
    gaps = torch.cat([angles.diff(dim=1), angles[:, :1] + 2 * math.pi - angles[:, -1:]], 1)
    holds_0 = (gaps.amax(1) < math.pi - 1e-9) | (vectors == 0).all(2).any(1)
    # Else it lies between two of them.
    one, other = vectors[:, :, None], vectors[:, None]
    apart = one - other
    share = ((one * apart).sum(-1) / (apart**2).sum(-1).clamp(min=torch.finfo(torch.float64).tiny)).clamp(0, 1)
    between = (one - share[..., None] * apart).flatten(1, 2)
    nearest = (between**2).sum(-1).argmin(1)
    return torch.where(holds_0[:, None], 0.0, between[torch.arange(len(vectors)), nearest])


def _rounded(surface: AnySurface, points: Tensor, cell: Tensor) -> Tensor:
    """Each point with as few digits as it has where that is no higher: at a kink the last ones are chance."""
    for digits in (8, 6, 4):
        unit = 10.0 ** (torch.log10(cell).ceil() - digits)
        near = (points / unit).round() * unit
        is_as_low = surfaces.values(surface, near) <= surfaces.values(surface, points)
        points = torch.where(is_as_low[:, None], near, points)
    return points


def _lowest_around(surface: AnySurface, points: Tensor, cell: Tensor) -> Tensor:
    """Those that are lower than circles around them."""
    center = surfaces.values(surface, points)
    is_low = center.isfinite()
    for radius in (0.05, 1e-4):
        circle = points[:, None] + radius * cell * _ring(64, 0.1)
        around = surfaces.values(surface, circle.reshape(-1, 2)).unflatten(0, circle.shape[:2])
        is_low &= ((around > center[:, None]) | around.isnan()).all(1)
    return points[is_low]


def _ring(count: int, turn: float) -> Tensor:
    angles = torch.arange(count, dtype=torch.float64) * (2 * math.pi / count) + turn
    return torch.stack([angles.cos(), angles.sin()], -1)
