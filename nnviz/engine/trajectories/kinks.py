"""Local minima at which a function of two variables need not be differentiable: cone tips, creases, cusps.

The gradient sampling algorithm (Burke, Lewis & Overton, 2005, "A robust gradient sampling algorithm for nonsmooth,
nonconvex optimization"): step against the shortest vector in the convex hull of gradients around the point, and
where that hull contains 0, shrink the neighborhood.
"""

import math

import torch
from torch import Tensor

from nnviz.engine.trajectories import surfaces
from nnviz.spec.surfaces import AnySurface

GRADIENT_SAMPLES = 12
"""Gradients around a point."""
MAX_ITERATIONS = 200
ROTATION = math.pi * (3 - math.sqrt(5))
"""Rotation of the sampled circle from one iteration to the next (the golden angle), so that all directions are
tried."""
INITIAL_RADIUS, FINAL_RADIUS, RADIUS_FACTOR = 0.5, 1e-11, 0.15
"""Radius of the neighborhood, in cells, and its factor where the hull contains 0."""
MAX_DISTANCE = 8
"""A start that moves farther than this many cells has no minimum of its own."""
VALLEY_STEPS, VALLEY_RADIUS = 40, 0.02
"""Nor has one that makes more than this many steps in a neighborhood smaller than this: it follows a smooth valley."""


def local_minima(surface: AnySurface, starts: Tensor, cell: Tensor) -> Tensor:
    """The local minima (k, 2) near starts (n, 2); `cell` (2,) is the unit of length along x and y. None for a start
    that leads away, and none where f around the point is not above f at the point."""
    at, radius = starts.clone(), torch.full((len(starts),), INITIAL_RADIUS, dtype=torch.float64)
    best = surfaces.values(surface, at)
    successes = torch.zeros(len(starts))
    lengths = 2.0 ** torch.arange(2, -7, -1, dtype=torch.float64)
    for number in range(MAX_ITERATIONS):
        follows_valley = (successes > VALLEY_STEPS) & (radius < VALLEY_RADIUS)
        busy = (
            (radius > FINAL_RADIUS) & ~follows_valley & (((at - starts) / cell).abs().amax(1) <= MAX_DISTANCE)
        ).nonzero()[:, 0]
        if not len(busy):
            break
        here, size = at[busy], radius[busy, None, None] * cell
        places = torch.cat([here[:, None], here[:, None] + size * _circle(GRADIENT_SAMPLES, number * ROTATION)], 1)
        _, gradient = surfaces.value_and_gradient(surface, places.reshape(-1, 2))
        shortest = _shortest_in_hull(gradient.nan_to_num(0.0, 0.0, 0.0).reshape(places.shape) * cell)
        norm = shortest.norm(dim=1)
        direction = -shortest / norm.clamp(min=torch.finfo(torch.float64).tiny)[:, None]
        candidates = here[:, None] + lengths[:, None] * size * direction[:, None]
        found, which = (
            surfaces.values(surface, candidates.reshape(-1, 2))
            .reshape(candidates.shape[:2])
            .nan_to_num(math.inf)
            .min(1)
        )
        is_lower = (found < best[busy]) & (norm > 0)
        at[busy[is_lower]] = candidates[is_lower, which[is_lower]]
        best[busy[is_lower]] = found[is_lower]
        radius[busy[~is_lower]] *= RADIUS_FACTOR
        successes[busy] = torch.where(is_lower, successes[busy] + 1, 0)
    at = at[radius <= FINAL_RADIUS]
    return _below_surroundings(surface, _fewest_digits(surface, at, cell), cell)


def _shortest_in_hull(vectors: Tensor) -> Tensor:
    """The shortest vector in the convex hull of each set of vectors (n, m, 2): (n, 2), 0 where the hull contains 0."""
    angles = torch.atan2(vectors[..., 1], vectors[..., 0]).sort(1).values
    gaps = torch.cat([angles.diff(dim=1), angles[:, :1] + 2 * math.pi - angles[:, -1:]], 1)
    holds_0 = (gaps.amax(1) < math.pi - 1e-9) | (vectors == 0).all(2).any(1)
    # Otherwise it lies on the segment between two of them.
    one, other = vectors[:, :, None], vectors[:, None]
    apart = one - other
    fraction = ((one * apart).sum(-1) / (apart**2).sum(-1).clamp(min=torch.finfo(torch.float64).tiny)).clamp(0, 1)
    between = (one - fraction[..., None] * apart).flatten(1, 2)
    nearest = (between**2).sum(-1).argmin(1)
    return torch.where(holds_0[:, None], 0.0, between[torch.arange(len(vectors)), nearest])


def _fewest_digits(surface: AnySurface, points: Tensor, cell: Tensor) -> Tensor:
    """Each point rounded to as few digits as leave f no higher: at a kink the last digits are arbitrary."""
    for digits in (8, 6, 4):
        unit = 10.0 ** (torch.log10(cell).ceil() - digits)
        near = (points / unit).round() * unit
        is_no_higher = surfaces.values(surface, near) <= surfaces.values(surface, points)
        points = torch.where(is_no_higher[:, None], near, points)
    return points


def _below_surroundings(surface: AnySurface, points: Tensor, cell: Tensor) -> Tensor:
    """Those that are lower than circles around them."""
    center = surfaces.values(surface, points)
    is_low = center.isfinite()
    for radius in (0.05, 1e-4):
        circle = points[:, None] + radius * cell * _circle(64, 0.1)
        around = surfaces.values(surface, circle.reshape(-1, 2)).unflatten(0, circle.shape[:2])
        is_low &= ((around > center[:, None]) | around.isnan()).all(1)
    return points[is_low]


def _circle(count: int, angle: float) -> Tensor:
    angles = torch.arange(count, dtype=torch.float64) * (2 * math.pi / count) + angle
    return torch.stack([angles.cos(), angles.sin()], -1)
