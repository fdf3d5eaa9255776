"""Distances from points to the global minima of a surface: points, curves and flat regions."""

import torch
from torch import Tensor

from nnviz.engine.trajectories import surfaces
from nnviz.engine.trajectories.critical_points import find_critical_points, split_curves
from nnviz.engine.trajectories.hessian_2x2 import eigen
from nnviz.spec.surfaces import AnySurface

MAX_PAIRS = 4_000_000
"""Distances in memory at once."""
NEWTON_STEPS = 8
BISECTIONS = 50
MAX_DIRECT_PLACES = 100
"""Up to this many places, all distances are computed faster than a search by cells."""
NEAR_CREASE = 20
"""Within this many times the spacing of a crease's samples, the parabola through three of them is not exact enough."""


def distance_to_minimum(surface: AnySurface, points: Tensor) -> Tensor:
    """Distance (n,) of points (n, 2) to the nearest global minimum in view; nan where there is none.

    The distance to a curve is exact, not that to its samples: from the foot of the perpendicular on a parabola through
    three of them, Newton's method steps across to the curve. The edge of a flat region is found by bisection towards
    its nearest grid point.
    """
    found = find_critical_points(surface)
    distance = torch.full((len(points),), torch.inf, dtype=torch.float64)
    if len(found.global_minima):
        distance = distance.minimum(_norms(points - found.global_minima[nearest_index(points, found.global_minima)]))
    if len(found.global_minimum_curves):
        distance = distance.minimum(_distance_to_curves(surface, points, split_curves(found.global_minimum_curves)))
    if len(found.flat_region):
        distance = distance.minimum(_distance_to_flat_region(surface, points, found.flat_region))
    return torch.where(distance.isinf() | points.isnan().any(1), torch.nan, distance)


def nearest_index(points: Tensor, places: Tensor) -> Tensor:
    """Indices (n,) of the places (m, 2) nearest to points (n, 2)."""
    rows = max(1, MAX_PAIRS // len(places))
    return torch.cat([torch.cdist(part, places).argmin(1) for part in points.split(rows)])


def _norms(vectors: Tensor) -> Tensor:
    """Lengths (n,) of vectors (n, 2), accurate for tiny ones too."""
    return torch.hypot(vectors[:, 0], vectors[:, 1])


def _distance_to_curves(surface: AnySurface, points: Tensor, curves: list[Tensor]) -> Tensor:
    places = torch.cat(curves)
    index = nearest_index(points, places)
    foot, along, is_beyond = _parabola_foot(points, curves, index)
    spacing = torch.cat([curve.diff(dim=0).norm(dim=1).median().expand(len(curve)) for curve in curves])[index]
    slope, hessian = surfaces.gradient_and_hessian(surface, places)
    curvature = eigen(hessian)[0][:, 0].nan_to_num(0.0).abs()
    # Newton's step does not exist at a crease, or where the curvature across is 0.
    is_smooth = ((curvature > 1e-6 * curvature.max()) & (slope.norm(dim=1) <= 1e-6 * curvature * spacing.min()))[index]
    exact = foot.clone()
    on_curve, tangent = _newton_across(surface, _newton_across(surface, foot[is_smooth])[0])
    exact[is_smooth] = _newton_across(
        surface, on_curve + _shift_along(points[is_smooth], on_curve, tangent, spacing[is_smooth])
    )[0]
    is_beyond &= is_smooth
    exact[is_beyond] = _follow_beyond_end(surface, points[is_beyond], foot[is_beyond], spacing[is_beyond])
    is_crease = ~is_smooth & (_norms(points - foot) < NEAR_CREASE * spacing)
    on_curve, tangent = _crease_point(surface, foot[is_crease], along[is_crease], spacing[is_crease]), along[is_crease]
    for _ in range(3):
        on_curve = on_curve + _shift_along(points[is_crease], on_curve, tangent, spacing[is_crease])
        on_curve = _crease_point(surface, on_curve, tangent, spacing[is_crease])
    exact[is_crease] = on_curve
    # Where the iteration left the curve, the parabola's foot stays.
    is_foot = (_norms(exact - foot) <= spacing) | (is_beyond & (_norms(points - exact) <= _norms(points - foot)))
    return _norms(points - torch.where(is_foot[:, None], exact, foot))


def _shift_along(points: Tensor, on_curve: Tensor, tangent: Tensor, spacing: Tensor) -> Tensor:
    """Shifts (n, 2) from places on a curve along its tangent to points; 0 for distant ones, where its curvature
    matters."""
    aside = points - on_curve
    return torch.where(_norms(aside) <= spacing, (aside * tangent).sum(1), 0.0)[:, None] * tangent


def _parabola_foot(points: Tensor, curves: list[Tensor], index: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The nearest place on the parabola through the nearest sample of a curve and its neighbors, the tangent there, and
    whether the place is beyond the end of a curve."""
    before, after, ends = [], [], []
    for curve in curves:
        is_closed = len(curve) > 3 and torch.equal(curve[0], curve[-1])
        # Beyond an end the curve is extended straight.
        first, last = (curve[-2], curve[1]) if is_closed else (2 * curve[0] - curve[1], 2 * curve[-1] - curve[-2])
        before.append(torch.cat([first[None], curve[:-1]]))
        after.append(torch.cat([curve[1:], last[None]]))
        number = torch.arange(len(curve))
        ends.append(((number == 0) | (number == len(curve) - 1)) & (not is_closed))
    here, low, high = torch.cat(curves)[index], torch.cat(before)[index], torch.cat(after)[index]
    tiny = torch.finfo(torch.float64).tiny
    to_low, to_high = (_norms(other - here).clamp(min=tiny)[:, None] for other in (low, high))
    falling, rising = (here - low) / to_low, (high - here) / to_high
    curvature = (rising - falling) / (to_low + to_high)
    slope = (rising * to_low + falling * to_high) / (to_low + to_high)
    aside = points - here
    t = (aside * slope).sum(1, keepdim=True) / (slope**2).sum(1, keepdim=True).clamp(min=tiny)
    t = torch.maximum(torch.minimum(t, to_high), -to_low)
    for _ in range(NEWTON_STEPS):
        off, way = here + t * slope + t**2 * curvature - points, slope + 2 * t * curvature
        curved = (way**2).sum(1, keepdim=True) + 2 * (off * curvature).sum(1, keepdim=True)
        step = (off * way).sum(1, keepdim=True) / torch.where(curved > 0, curved, (way**2).sum(1, keepdim=True))
        t = torch.maximum(torch.minimum(t - step, to_high), -to_low)
    way = slope + 2 * t * curvature
    is_beyond = torch.cat(ends)[index] & ((t >= to_high) | (t <= -to_low))[:, 0]
    return here + t * slope + t**2 * curvature, way / _norms(way).clamp(min=tiny)[:, None], is_beyond


def _newton_across(surface: AnySurface, at: Tensor) -> tuple[Tensor, Tensor]:
    """Newton's step from points (n, 2) across a valley to its bottom, and the direction along it."""
    gradient, hessian = surfaces.gradient_and_hessian(surface, at)
    values, steep, tangent = eigen(hessian)
    step = torch.where(values[:, 0] != 0, (gradient * steep).sum(1) / values[:, 0], 0.0)
    return at - step[:, None] * steep, tangent


def _follow_beyond_end(surface: AnySurface, points: Tensor, start: Tensor, spacing: Tensor) -> Tensor:
    """The nearest places beyond the end of a curve, out of view: steps along the valley and across it alternate."""
    at = start
    for _ in range(4 * NEWTON_STEPS):
        on_curve, tangent = _newton_across(surface, at)
        aside = ((points - on_curve) * tangent).sum(1) / 2
        most = torch.maximum(2 * spacing, 0.5 * _norms(points - on_curve))
        at = on_curve + aside.clamp(-most, most)[:, None] * tangent
    return _newton_across(surface, at)[0]


def _crease_point(surface: AnySurface, at: Tensor, along: Tensor, spacing: Tensor) -> Tensor:
    """Where, near points (n, 2) of a curve, the slope across it changes its sign."""
    across = along.flip(1) * torch.tensor([-1.0, 1.0], dtype=torch.float64)

    def slope(offset: Tensor) -> Tensor:
        return (surfaces.value_and_gradient(surface, at + offset[:, None] * across)[1] * across).sum(1)

    low, high = -0.3 * spacing, 0.3 * spacing
    is_between = (slope(low) < 0) & (slope(high) > 0)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        is_low = slope(middle) < 0
        low, high = torch.where(is_low, middle, low), torch.where(is_low, high, middle)
    return torch.where(is_between[:, None], at + high[:, None] * across, at)


def _distance_to_flat_region(surface: AnySurface, points: Tensor, flat_region: Tensor) -> Tensor:
    """Distance (n,) to the edge of the flat region towards its nearest grid point; 0 inside."""
    level = surfaces.values(surface, flat_region[:1])
    towards = flat_region[nearest_index(points, flat_region)] - points
    low, high = torch.zeros_like(points[:, 0]), torch.ones_like(points[:, 0])
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        is_there = surfaces.values(surface, points + middle[:, None] * towards) <= level
        low, high = torch.where(is_there, low, middle), torch.where(is_there, middle, high)
    is_on = surfaces.values(surface, points) <= level
    return torch.where(is_on, 0.0, high * _norms(towards))


class RadiusSearch:
    """The nearest of many places (m, 2) within a radius, by a grid of cells; `owners` (m,) are the numbers it
    returns."""

    def __init__(self, places: Tensor, owners: Tensor, radius: float) -> None:
        self.places, self.owners, self.radius = places, owners, radius
        bins = (places / radius).floor().long()
        self._low = bins.amin(0) - 1 if len(places) else torch.zeros(2).long()
        self._sides = bins.amax(0) - self._low + 2 if len(places) else torch.ones(2).long()
        keys = self._keys(bins)
        order = keys.argsort(stable=True)
        occupied, counts = torch.unique_consecutive(keys[order], return_counts=True)
        self._table = torch.full((int(self._sides.prod()), int(counts.max()) if len(counts) else 1), -1)
        rank = torch.arange(len(order)) - torch.repeat_interleave(counts.cumsum(0) - counts, counts)
        self._table[torch.repeat_interleave(occupied, counts), rank] = order

    def _keys(self, bins: Tensor) -> Tensor:
        shifted = (bins - self._low).clamp(torch.zeros(2).long(), self._sides - 1)
        return shifted[..., 0] * self._sides[1] + shifted[..., 1]

    def find(self, points: Tensor) -> Tensor:
        """The owner (…,) of the nearest place of points (…, 2), −1 where none is within the radius."""
        if 0 < len(self.places) <= MAX_DIRECT_PLACES:
            distance, which = torch.cdist(points, self.places).min(-1)
            return torch.where(distance <= self.radius, self.owners[which], -1)  # False for nan
        bins = (points.nan_to_num(torch.inf) / self.radius).clamp(-1e9, 1e9).floor().long()
        nearest = torch.full(points.shape[:-1], torch.inf, dtype=torch.float64)
        owner = torch.full(points.shape[:-1], -1)
        for i in (-1, 0, 1):
            for j in (-1, 0, 1):
                for which in self._table[self._keys(bins + torch.tensor([i, j]))].unbind(-1):
                    distance = (points - self.places[which]).norm(dim=-1) if len(self.places) else nearest
                    is_nearer = (which >= 0) & (distance < nearest) & (distance <= self.radius)
                    nearest = torch.where(is_nearer, distance, nearest)
                    owner = torch.where(is_nearer, self.owners[which] if len(self.places) else owner, owner)
        return owner
