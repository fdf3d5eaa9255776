"""How far points are from where a surface has its least minima: points, curves and plains."""

import torch
from torch import Tensor

from nnviz.engine.trajectories import surfaces
from nnviz.engine.trajectories.critical_points import critical, lines
from nnviz.engine.trajectories.hessian_2x2 import eigen
from nnviz.spec.surfaces import AnySurface

AT_ONCE = 4_000_000
"""Pairs of points whose distances are in memory together."""
ROUNDS = 8
BISECTIONS = 50
FEW_PLACES = 100
"""Up to so many all distances are found sooner than those to the places near by."""
FEW = 20
"""At so many samples' distances from a crease their parabola is as good as the crease itself."""


def distances(surface: AnySurface, points: Tensor) -> Tensor:
    """Distance (n,) of points (n, 2) to the nearest minimum of least height within view; nan where there is none.

    A curve is met where it is, not at samples of it: from the foot of the perpendicular on a parabola through three of
    them Newton's method goes across to the curve. A plain's edge is looked for towards its nearest grid point.
    """
    found = critical(surface)
    least = torch.full((len(points),), torch.inf, dtype=torch.float64)
    if len(found.optima):
        least = least.minimum(_lengths(points - found.optima[nearest(points, found.optima)]))
    if len(found.deepest):
        least = least.minimum(_to_curves(surface, points, lines(found.deepest)))
    if len(found.plain):
        least = least.minimum(_to_plain(surface, points, found.plain))
    return torch.where(least.isinf() | points.isnan().any(1), torch.nan, least)


def nearest(points: Tensor, places: Tensor) -> Tensor:
    """Numbers (n,) of the places (m, 2) nearest to points (n, 2)."""
    rows = max(1, AT_ONCE // len(places))
    return torch.cat([torch.cdist(part, places).argmin(1) for part in points.split(rows)])


def _lengths(vectors: Tensor) -> Tensor:
    """Lengths (n,) of vectors (n, 2), with all digits for short ones."""
    return torch.hypot(vectors[:, 0], vectors[:, 1])


def _to_curves(surface: AnySurface, points: Tensor, curves: list[Tensor]) -> Tensor:
    places = torch.cat(curves)
    near = nearest(points, places)
    foot, along, is_beyond = _foot(points, curves, near)
    sides = torch.cat([curve.diff(dim=0).norm(dim=1).median().expand(len(curve)) for curve in curves])[near]
    slope, hessian = surfaces.curvature(surface, places)
    bend = eigen(hessian)[0][:, 0].nan_to_num(0.0).abs()
    # At a crease, or where the curvature across is 0 too, there is no step of Newton's.
    is_smooth = ((bend > 1e-6 * bend.max()) & (slope.norm(dim=1) <= 1e-6 * bend * sides.min()))[near]
    exact = foot.clone()
    floor, flat = _across(surface, _across(surface, foot[is_smooth])[0])
    exact[is_smooth] = _across(surface, floor + _beside(points[is_smooth], floor, flat, sides[is_smooth]))[0]
    is_beyond &= is_smooth
    exact[is_beyond] = _followed(surface, points[is_beyond], foot[is_beyond], sides[is_beyond])
    is_rough = ~is_smooth & (_lengths(points - foot) < FEW * sides)
    floor, flat = _crease(surface, foot[is_rough], along[is_rough], sides[is_rough]), along[is_rough]
    for _ in range(3):
        floor = floor + _beside(points[is_rough], floor, flat, sides[is_rough])
        floor = _crease(surface, floor, flat, sides[is_rough])
    exact[is_rough] = floor
    # What has gone astray is no foot.
    is_foot = (_lengths(exact - foot) <= sides) | (is_beyond & (_lengths(points - exact) <= _lengths(points - foot)))
    return _lengths(points - torch.where(is_foot[:, None], exact, foot))


def _beside(points: Tensor, floor: Tensor, flat: Tensor, sides: Tensor) -> Tensor:
    """From places (n, 2) on a curve how far along it points are, 0 for far ones: for those the bend would count."""
    aside = points - floor
    return torch.where(_lengths(aside) <= sides, (aside * flat).sum(1), 0.0)[:, None] * flat


def _foot(points: Tensor, curves: list[Tensor], near: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The nearest place on the parabola through the nearest point of the lines and its neighbors, the direction of the
    curve there, and whether the way to it goes beyond the end of a line."""
    before, after, ends = [], [], []
    for curve in curves:
        is_closed = len(curve) > 3 and torch.equal(curve[0], curve[-1])
        # Beyond an end a line goes straight on.
        first, last = (curve[-2], curve[1]) if is_closed else (2 * curve[0] - curve[1], 2 * curve[-1] - curve[-2])
        before.append(torch.cat([first[None], curve[:-1]]))
        after.append(torch.cat([curve[1:], last[None]]))
        number = torch.arange(len(curve))
        ends.append(((number == 0) | (number == len(curve) - 1)) & (not is_closed))
    here, low, high = torch.cat(curves)[near], torch.cat(before)[near], torch.cat(after)[near]
    tiny = torch.finfo(torch.float64).tiny
    to_low, to_high = (_lengths(other - here).clamp(min=tiny)[:, None] for other in (low, high))
    falling, rising = (here - low) / to_low, (high - here) / to_high
    bend = (rising - falling) / (to_low + to_high)
    slope = (rising * to_low + falling * to_high) / (to_low + to_high)
    aside = points - here
    t = (aside * slope).sum(1, keepdim=True) / (slope**2).sum(1, keepdim=True).clamp(min=tiny)
    t = torch.maximum(torch.minimum(t, to_high), -to_low)
    for _ in range(ROUNDS):
        off, way = here + t * slope + t**2 * bend - points, slope + 2 * t * bend
        curved = (way**2).sum(1, keepdim=True) + 2 * (off * bend).sum(1, keepdim=True)
        step = (off * way).sum(1, keepdim=True) / torch.where(curved > 0, curved, (way**2).sum(1, keepdim=True))
        t = torch.maximum(torch.minimum(t - step, to_high), -to_low)
    way = slope + 2 * t * bend
    is_beyond = torch.cat(ends)[near] & ((t >= to_high) | (t <= -to_low))[:, 0]
    return here + t * slope + t**2 * bend, way / _lengths(way).clamp(min=tiny)[:, None], is_beyond


def _across(surface: AnySurface, at: Tensor) -> tuple[Tensor, Tensor]:
    """Where Newton's step across a valley leads from points (n, 2), and the direction along it."""
    gradient, hessian = surfaces.curvature(surface, at)
    values, steep, flat = eigen(hessian)
    step = torch.where(values[:, 0] != 0, (gradient * steep).sum(1) / values[:, 0], 0.0)
    return at - step[:, None] * steep, flat


def _followed(surface: AnySurface, points: Tensor, start: Tensor, sides: Tensor) -> Tensor:
    """The feet beyond the end of a line, out of view: along the valley and across it, in turns."""
    at = start
    for _ in range(4 * ROUNDS):
        floor, flat = _across(surface, at)
        aside = ((points - floor) * flat).sum(1) / 2
        most = torch.maximum(2 * sides, 0.5 * _lengths(points - floor))
        at = floor + aside.clamp(-most, most)[:, None] * flat
    return _across(surface, at)[0]


def _crease(surface: AnySurface, at: Tensor, along: Tensor, sides: Tensor) -> Tensor:
    """Where beside points (n, 2) of a line the slope across it changes its sign."""
    across = along.flip(1) * torch.tensor([-1.0, 1.0], dtype=torch.float64)

    def slope(far: Tensor) -> Tensor:
        return (surfaces.slope(surface, at + far[:, None] * across)[1] * across).sum(1)

    low, high = -0.3 * sides, 0.3 * sides
    is_between = (slope(low) < 0) & (slope(high) > 0)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        is_low = slope(middle) < 0
        low, high = torch.where(is_low, middle, low), torch.where(is_low, high, middle)
    return torch.where(is_between[:, None], at + high[:, None] * across, at)


def _to_plain(surface: AnySurface, points: Tensor, plain: Tensor) -> Tensor:
    """Distance (n,) to the edge of the plain towards its nearest grid point; 0 on it."""
    level = surfaces.values(surface, plain[:1])
    towards = plain[nearest(points, plain)] - points
    low, high = torch.zeros_like(points[:, 0]), torch.ones_like(points[:, 0])
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        is_there = surfaces.values(surface, points + middle[:, None] * towards) <= level
        low, high = torch.where(is_there, low, middle), torch.where(is_there, middle, high)
    is_on = surfaces.values(surface, points) <= level
    return torch.where(is_on, 0.0, high * _lengths(towards))


class Nearby:
    """Which of many places (m, 2), numbered by `owners` (m,), points are near to: within a radius, the nearest one."""

    def __init__(self, places: Tensor, owners: Tensor, radius: float) -> None:
        self.places, self.owners, self.radius = places, owners, radius
        bins = (places / radius).floor().long()
        self._low = bins.amin(0) - 1 if len(places) else torch.zeros(2).long()
        self._sides = bins.amax(0) - self._low + 2 if len(places) else torch.ones(2).long()
        keys = self._keys(bins)
        order = keys.argsort(stable=True)
        kept, counts = torch.unique_consecutive(keys[order], return_counts=True)
        self._table = torch.full((int(self._sides.prod()), int(counts.max()) if len(counts) else 1), -1)
        rank = torch.arange(len(order)) - torch.repeat_interleave(counts.cumsum(0) - counts, counts)
        self._table[torch.repeat_interleave(kept, counts), rank] = order

    def _keys(self, bins: Tensor) -> Tensor:
        shifted = (bins - self._low).clamp(torch.zeros(2).long(), self._sides - 1)
        return shifted[..., 0] * self._sides[1] + shifted[..., 1]

    def find(self, points: Tensor) -> Tensor:
        """The owner (…,) of the nearest place of points (…, 2), −1 where none is near."""
        if 0 < len(self.places) <= FEW_PLACES:
            distance, which = torch.cdist(points, self.places).min(-1)
            return torch.where(distance <= self.radius, self.owners[which], -1)  # nan is near to nothing
        bins = (points.nan_to_num(torch.inf) / self.radius).clamp(-1e9, 1e9).floor().long()
        least = torch.full(points.shape[:-1], torch.inf, dtype=torch.float64)
        owner = torch.full(points.shape[:-1], -1)
        for i in (-1, 0, 1):
            for j in (-1, 0, 1):
                for which in self._table[self._keys(bins + torch.tensor([i, j]))].unbind(-1):
                    distance = (points - self.places[which]).norm(dim=-1) if len(self.places) else least
                    is_nearer = (which >= 0) & (distance < least) & (distance <= self.radius)
                    least = torch.where(is_nearer, distance, least)
                    owner = torch.where(is_nearer, self.owners[which] if len(self.places) else owner, owner)
        return owner
