"""Where a surface is level: its minima, maxima and saddle points, found by looking, and curves of minima."""

import math
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from nnviz.engine.trajectories import kinks, minimum_curves, surfaces
from nnviz.engine.trajectories.hessian_2x2 import eigen, newton_step
from nnviz.spec.formulas import may_have_kinks, parse
from nnviz.spec.surfaces import AnySurface, Formula, View

SEEDS = 161
"""Points along each side of the grid from which level points are looked for."""
CROWDED = 5000
"""With more seeds than this the grid is made twice as fine: what it shows of the surface is only just resolved."""
MOST = 5000
"""Level points of one kind that are kept, the lowest first."""
FLAT = 1e-6
"""A curvature of no more than this share of the other one may be 0: then neighbors are looked at."""
SAMPLES = 200
"""Level points whose neighbors are looked at."""
KINKS = 200
"""Places where the grid is lowest, and not smooth, that are looked at for a minimum, the lowest first."""


class Critical(NamedTuple):
    """What is level within view: points (k, 2) each, by height, and lines (k, 2) with a row of nan between two."""

    minima: Tensor
    """Isolated minima, at kinks too."""
    maxima: Tensor
    saddles: Tensor
    optima: Tensor
    """The minima of least height, none if a curve or a plain is lower."""
    valleys: Tensor
    """Curves of minima."""
    deepest: Tensor
    """Those of least height."""
    ridges: Tensor
    """Curves of maxima."""
    plain: Tensor
    """Grid points of a region where the surface is flat, at the least height."""
    left_out: tuple[int, int, int]
    """How many minima, maxima and saddles there are beyond `MOST`."""


@cache
def critical(surface: AnySurface) -> Critical:
    """Level points and curves in the part of the plane that is shown.

    Newton's method starts where, on a grid, the gradient is shorter than all around, and in cells in which both its
    parts change their signs; the curvatures at what it arrives at, or where one is 0 the heights around, tell its kind.
    Level points that are not isolated become curves, and where the grid is lowest without a smooth minimum, one at a
    kink is looked for.
    """
    view = surface.window
    grid, heights, sizes, seeds = _look(surface, view, SEEDS)
    if len(seeds) > CROWDED:
        grid, heights, sizes, seeds = _look(surface, view, 2 * SEEDS - 1)
    cell = torch.tensor([view[1] - view[0], view[3] - view[2]], dtype=torch.float64) / (SEEDS - 1)
    usual = float(sizes[sizes.isfinite()].median()) if bool(sizes.isfinite().any()) else 0.0
    points = _distinct(surface, _polish(surface, seeds, view, cell, usual), view)
    values, _, _ = eigen(surfaces.curvature(surface, points)[1])
    is_sharp = values[:, 1].abs() > FLAT * values[:, 0].abs().clamp(
        min=1e-3 * usual / float(cell.norm()) / SEEDS * FLAT
    )
    is_low, is_high, is_saddle = _kinds(surface, points, values, is_sharp, view)
    joined = torch.zeros_like(is_sharp)
    joined[~is_sharp] = _has_neighbors(surface, points[~is_sharp], cell, usual)
    # Where all is flat for a while Newton's method stops anywhere; the points come by height.
    flat = (~is_sharp & ~joined).nonzero()[:, 0]
    is_other = torch.zeros_like(is_sharp)
    is_other[flat] = True
    is_other[flat[_firsts(points[flat], 2 * cell)]] = False
    is_low, is_high, is_saddle = (kind & ~is_other for kind in (is_low, is_high, is_saddle))

    bottoms = points[:0]
    if isinstance(surface, Formula) and may_have_kinks(parse(surface.text)):
        bottoms = _still(surface, grid[_lowest_nodes(heights)], view)
        bottoms = _apart(bottoms, points[is_low & ~joined], 2 * cell)
    lows: list[Tensor] = []
    if bool(joined.any()) or len(bottoms) > minimum_curves.SHORTEST:
        lows = minimum_curves.trace(surface, view, SEEDS - 1)
    highs = minimum_curves.trace(surface, view, SEEDS - 1, of_maxima=True) if bool(joined.any()) else []
    along = torch.cat([*lows, points[joined & is_low]])
    bottoms = _apart(bottoms, along, 2 * cell)[:KINKS]
    found = points[is_low & ~joined]
    if len(bottoms):
        found = _inside(torch.cat([kinks.settle(surface, bottoms, cell), found]), view)
    minima = _by_height(surface, _distinct(surface, _apart(found, torch.cat(lows), 2 * cell) if lows else found, view))
    maxima, saddles = (_by_height(surface, points[kind & ~joined]) for kind in (is_high, is_saddle))
    maxima = _apart(maxima, torch.cat(highs), 2 * cell) if highs else maxima

    plain = grid[_is_plain(heights, sizes)]
    levels = [surfaces.values(surface, part).median().reshape(1) for part in [*lows, plain] if len(part)]
    every = torch.cat([surfaces.values(surface, minima), *levels])
    finite = heights[heights.isfinite()]
    # Equal but for rounding, on the surface's own scale.
    least = every.min() + 1e-9 * (finite.median() - every.min()).abs() if len(every) else torch.tensor(-math.inf)
    optima = minima[surfaces.values(surface, minima) <= least]
    deepest = [line for line in lows if float(surfaces.values(surface, line).median()) <= float(least)]
    is_lowest = len(plain) and float(surfaces.values(surface, plain[:1])) <= float(least)
    return Critical(
        minima[:MOST],
        maxima[:MOST],
        saddles[:MOST],
        optima[:MOST],
        _separated(lows),
        _separated(deepest),
        _separated(highs),
        plain if is_lowest else plain[:0],
        tuple(max(0, len(kind) - MOST) for kind in (minima, maxima, saddles)),
    )


def lowest(surface: AnySurface) -> Tensor:
    """The least height of a minimum within view, (1,), or (0,) where there is none."""
    found = critical(surface)
    places = torch.cat([found.optima[:1], found.deepest[:1], found.plain[:1]])
    return surfaces.values(surface, places).sort().values[:1]


def lines(separated: Tensor) -> list[Tensor]:
    """Lines with a row of nan between two, one by one."""
    gaps = separated.isnan().any(1).nonzero()[:, 0].tolist()
    return [separated[a + 1 : b] for a, b in zip([-1, *gaps], [*gaps, len(separated)], strict=True) if b > a + 1]


def _separated(curves: list[Tensor]) -> Tensor:
    gap = torch.full((1, 2), torch.nan, dtype=torch.float64)
    parts = [part for curve in curves for part in (gap, curve)][1:]
    return torch.cat(parts) if parts else gap[:0]


def _look(surface: AnySurface, view: View, side: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Points of a grid (side, side, 2), their heights and the sizes of their gradients (side, side), and where to look
    for level points (n, 2)."""
    x, y = surfaces.grid(view, side)
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)
    heights, gradient = surfaces.slope(surface, grid.reshape(-1, 2))
    sizes = gradient.norm(dim=1).nan_to_num(math.inf).reshape(side, side)
    slopes = gradient.reshape(side, side, 2)
    corners = torch.stack([slopes[:-1, :-1], slopes[:-1, 1:], slopes[1:, :-1], slopes[1:, 1:]])
    is_between = ((corners.amin(0) < 0) & (corners.amax(0) > 0)).all(-1)
    middles = (grid[:-1, :-1] + grid[1:, 1:]) / 2
    return grid, heights.reshape(side, side), sizes, torch.cat([grid[_least_around(sizes)], middles[is_between]])


def _around(table: Tensor) -> Tensor:
    """The eight neighbors (8, rows, columns) of each entry, inf beyond the edge."""
    padded = torch.nn.functional.pad(table[None, None], (1, 1, 1, 1), value=math.inf)[0, 0]
    rows, columns = table.shape
    return torch.stack([padded[i : i + rows, j : j + columns] for i in range(3) for j in range(3) if (i, j) != (1, 1)])


def _least_around(table: Tensor) -> Tensor:
    """Entries no larger than their eight neighbors, but for those within a plain, where all are equal but for
    rounding."""
    around = _around(table)
    is_plain = (((around - table).abs() <= 1e-9 * table.abs()) | around.isinf()).all(0)
    return table.isfinite() & (table <= around).all(0) & ~is_plain


def _lowest_nodes(heights: Tensor) -> Tensor:
    """Nodes (n,) of the grid, as indices of its rows and columns, lower than around or as low, by height."""
    rows, columns = _least_around(heights.nan_to_num(math.inf, math.inf, -math.inf)).nonzero().unbind(1)
    order = heights[rows, columns].argsort()
    return rows[order], columns[order]


def _still(surface: AnySurface, nodes: Tensor, view: View) -> Tensor:
    """Those nodes (n, 2) from which the surface does not fall out of the view: not all on its edge are low."""
    _, gradient = surfaces.slope(surface, nodes)
    left, right, bottom, top = view
    lower, upper = torch.tensor([left, bottom]), torch.tensor([right, top])
    falls = ((nodes <= lower) & (gradient > 0)) | ((nodes >= upper) & (gradient < 0))
    return nodes[~falls.any(1)]


def _is_plain(heights: Tensor, sizes: Tensor) -> Tensor:
    """Nodes of the lowest height in the midst of others of that height, all level."""
    around = _around(heights)
    lowest = heights[heights.isfinite()].min() if bool(heights.isfinite().any()) else math.inf
    return (heights == lowest) & (sizes == 0) & ((around == heights) | around.isinf()).all(0)


def _polish(surface: AnySurface, starts: Tensor, view: View, cell: Tensor, usual: float) -> Tensor:
    """Those that Newton's method takes to a level point near by; `usual` is the size of a gradient anywhere."""
    reach = 3 * cell
    points, busy = starts.clone(), torch.arange(len(starts))
    # Where a step was taken from, the step, and how short the gradient has become.
    bases, steps, shortest = starts.clone(), torch.zeros_like(points), torch.full_like(points[:, 0], math.inf)
    for number in range(80):
        if not len(busy):
            break
        gradient, hessian = surfaces.curvature(surface, points[busy])
        size = gradient.norm(dim=1).nan_to_num(math.inf)
        is_worse = size > shortest[busy]  # then the step is halved
        # Else there is nothing to arrive at.
        nears = (size < 0.95 * shortest[busy]) | (is_worse & (steps[busy].abs() > 0.01 * cell).any(1)) | (number < 10)
        bases[busy] = torch.where(is_worse[:, None], bases[busy], points[busy])
        step = newton_step(_finite(gradient), _finite(hessian)).clamp(-reach, reach)
        steps[busy] = step = torch.where(is_worse[:, None], steps[busy] / 2, step)
        points[busy] = bases[busy] - step
        shortest[busy] = torch.minimum(shortest[busy], size)
        moves = (step.abs() > 1e-15 * points[busy].abs() + 1e-13 * cell).any(1)
        busy = busy[moves & nears & ((points[busy] - starts[busy]).abs() <= 2 * reach).all(1)]
    gradient, hessian = surfaces.curvature(surface, points)
    scale = hessian.flatten(1).norm(dim=1) * reach.norm()
    is_level = (gradient.norm(dim=1) <= 1e-6 * scale) | (gradient.norm(dim=1) <= 1e-13 * usual)
    is_near = ((points - starts).abs() <= 2 * reach).all(1) & (steps.abs() <= 1e-5 * cell).all(1)
    return _inside(points[is_level & is_near], view)


def _kinds(
    surface: AnySurface, points: Tensor, values: Tensor, is_sharp: Tensor, view: View
) -> tuple[Tensor, Tensor, Tensor]:
    """Which points (n,) are minima, maxima and saddles: by their curvatures (n, 2), or by the heights on a small circle
    where one of those may be 0."""
    is_low, is_high = (is_sharp & (sign * values > 0).all(1) for sign in (1, -1))
    is_saddle = is_sharp & ~is_low & ~is_high
    flat = points[~is_sharp]
    radius = 1e-3 * min(view[1] - view[0], view[3] - view[2])
    turn = torch.arange(64, dtype=torch.float64) * (2 * math.pi / 64)
    circle = flat[:, None] + radius * torch.stack([turn.cos(), turn.sin()], -1)
    around = surfaces.values(surface, circle.reshape(-1, 2)).unflatten(0, circle.shape[:2])
    center = surfaces.values(surface, flat)[:, None]
    is_low[~is_sharp], is_high[~is_sharp] = (around >= center).all(1), (around <= center).all(1)
    is_saddle[~is_sharp] = (around > center).any(1) & (around < center).any(1)
    return is_low, is_high, is_saddle


def _has_neighbors(surface: AnySurface, points: Tensor, cell: Tensor, usual: float) -> Tensor:
    """Which level points (n,) with a direction of no curvature have others a cell and a half away along it: they are
    samples of a curve, or of a region."""
    found = torch.zeros(len(points), dtype=torch.bool)
    if len(points) > SAMPLES:
        # So many are no coincidence: what holds for those that are looked at holds for the others.
        found[:] = bool(_has_neighbors(surface, points[:SAMPLES], cell, usual).any())
        return found
    if not len(points):
        return found
    _, steep, flat = eigen(_finite(surfaces.curvature(surface, points)[1]))
    # Where both curvatures are 0 the curve may go anywhere.
    x, y = torch.eye(2, dtype=torch.float64)[:, None].expand(2, *points.shape)
    directions = torch.stack([flat, -flat, steep, -steep, x, -x, y, -y])
    begun = (points + 1.5 * cell * directions).reshape(-1, 2)
    at, busy = begun.clone(), torch.arange(len(begun))
    for _ in range(60):
        gradient, hessian = surfaces.curvature(surface, at[busy])
        step = newton_step(_finite(gradient), _finite(hessian), 1e-3).clamp(-cell, cell)
        at[busy] -= step
        busy = busy[(step.abs() > 3e-10 * cell).any(1) & (((at - begun) / cell)[busy].norm(dim=1) < 1)]
        if not len(busy):
            break
    gradient, hessian = surfaces.curvature(surface, at)
    size = hessian.flatten(1).norm(dim=1) * cell.norm()
    is_level = (gradient.norm(dim=1) <= 1e-9 * size) | (gradient.norm(dim=1) <= 1e-15 * usual)
    is_near = ((at - begun) / cell).norm(dim=1) < 1
    return (is_level & is_near).reshape(len(directions), -1).any(0)


def _finite(numbers: Tensor) -> Tensor:
    return numbers.nan_to_num(0.0, 0.0, 0.0)


def _inside(points: Tensor, view: View) -> Tensor:
    left, right, bottom, top = view
    lower, upper = torch.tensor([left, bottom]), torch.tensor([right, top])
    return points[((points >= lower) & (points <= upper)).all(1)]


def _by_height(surface: AnySurface, points: Tensor) -> Tensor:
    return points[surfaces.values(surface, points).argsort(stable=True)]


def _apart(points: Tensor, others: Tensor, distance: Tensor) -> Tensor:
    """Those points (n, 2) that are farther than `distance` (2,) from all others (m, 2), along x or along y."""
    if not len(points) or not len(others):
        return points
    # Neighbors of a cell of that size, by number.
    own, theirs = ((part / distance).floor().long() for part in (points, others))
    width = int(max(own[:, 1].max(), theirs[:, 1].max()) - min(own[:, 1].min(), theirs[:, 1].min())) + 3
    taken = torch.unique(theirs[:, 0] * width + theirs[:, 1])
    keys = own[:, 0] * width + own[:, 1]
    is_near = torch.zeros(len(points), dtype=torch.bool)
    for i in (-1, 0, 1):
        for j in (-1, 0, 1):
            is_near |= torch.isin(keys + i * width + j, taken)
    return points[~is_near]


def _distinct(surface: AnySurface, points: Tensor, view: View) -> Tensor:
    """One of each cluster of points: the lowest in each small cell."""
    points = _by_height(surface, points)
    return points[_firsts(points, 1e-4 * min(view[1] - view[0], view[3] - view[2]))]


def _firsts(points: Tensor, size: Tensor | float) -> Tensor:
    """Numbers of the points (n, 2) that are the first in their cell, whichever way the cells are cut."""
    left = torch.arange(len(points))
    for shift in ([0.0, 0.0], [0.5, 0.0], [0.0, 0.5], [0.5, 0.5]):
        _, which = torch.unique((points[left] / size + torch.tensor(shift)).floor(), dim=0, return_inverse=True)
        number = torch.arange(len(left))
        first = torch.full_like(number, len(left)).scatter_reduce(0, which, number, "amin")
        left = left[first[which] == number]
    return left
