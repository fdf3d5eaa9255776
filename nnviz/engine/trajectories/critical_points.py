"""Critical points of a surface, where its gradient is 0: minima, maxima, saddle points, and curves of them."""

import math
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from nnviz.engine.trajectories import kinks, surfaces
from nnviz.engine.trajectories.hessian_2x2 import eigen, newton_step
from nnviz.engine.trajectories.minimum_curves import MIN_CELLS, trace_minimum_curves
from nnviz.spec.formulas import may_have_kinks, parse
from nnviz.spec.surfaces import AnySurface, Formula, View

GRID_SIDE = 161
"""Points along each side of the grid on which the search for critical points starts."""
MAX_SEEDS = 5000
"""With more starts than this the grid is made twice as fine: it barely resolves the surface."""
MAX_POINTS = 5000
"""Critical points of one kind that are returned at most, the lowest first."""
ZERO_CURVATURE = 1e-6
"""A curvature of at most this fraction of the other one may be 0: then the neighborhood decides."""
MAX_NEIGHBOR_TESTS = 200
"""Critical points whose neighbors are evaluated, at most."""
MAX_KINKS = 200
"""Local minima of the grid without a smooth minimum that are examined for a kink, at most; the lowest first."""


class CriticalPoints(NamedTuple):
    """Critical points in view: points (k, 2), by value, and curves (k, 2), with a row of nan between two."""

    minima: Tensor
    """Isolated minima, at kinks too."""
    maxima: Tensor
    saddles: Tensor
    global_minima: Tensor
    """The lowest minima; none if a curve or a flat region is lower."""
    minimum_curves: Tensor
    """Curves of minima."""
    global_minimum_curves: Tensor
    """The lowest of them."""
    maximum_curves: Tensor
    """Curves of maxima."""
    flat_region: Tensor
    """Grid points of a region where f is constant and lowest."""
    omitted: tuple[int, int, int]
    """Numbers of minima, maxima and saddles beyond `MAX_POINTS`."""


@cache
def find_critical_points(surface: AnySurface) -> CriticalPoints:
    """Critical points and curves of them in the part of the plane that is shown.

    Newton's method starts at local minima of the gradient's norm on a grid, and in cells in which both components of
    the gradient change their signs. The curvatures at the point that it converges to decide its kind; where one is 0,
    the values around do. Critical points that are not isolated become curves, and at local minima of the grid without a
    smooth minimum one at a kink is searched for.
    """
    view = surface.window
    grid, grid_values, gradient_norms, seeds = _scan_grid(surface, view, GRID_SIDE)
    if len(seeds) > MAX_SEEDS:
        grid, grid_values, gradient_norms, seeds = _scan_grid(surface, view, 2 * GRID_SIDE - 1)
    cell = torch.tensor([view[1] - view[0], view[3] - view[2]], dtype=torch.float64) / (GRID_SIDE - 1)
    typical_gradient = (
        float(gradient_norms[gradient_norms.isfinite()].median()) if bool(gradient_norms.isfinite().any()) else 0.0
    )
    points = _without_duplicates(surface, _refine(surface, seeds, view, cell, typical_gradient), view)
    values, _, _ = eigen(surfaces.gradient_and_hessian(surface, points)[1])
    is_sharp = values[:, 1].abs() > ZERO_CURVATURE * values[:, 0].abs().clamp(
        min=1e-3 * typical_gradient / float(cell.norm()) / GRID_SIDE * ZERO_CURVATURE
    )
    is_low, is_high, is_saddle = _classify(surface, points, values, is_sharp, view)
    is_on_curve = torch.zeros_like(is_sharp)
    is_on_curve[~is_sharp] = _is_on_curve(surface, points[~is_sharp], cell, typical_gradient)
    # Where f is flat around, Newton's method stops anywhere: the lowest point of a cell stays.
    flat = (~is_sharp & ~is_on_curve).nonzero()[:, 0]
    is_duplicate = torch.zeros_like(is_sharp)
    is_duplicate[flat] = True
    is_duplicate[flat[_first_per_cell(points[flat], 2 * cell)]] = False
    is_low, is_high, is_saddle = (kind & ~is_duplicate for kind in (is_low, is_high, is_saddle))

    kink_starts = points[:0]
    if isinstance(surface, Formula) and may_have_kinks(parse(surface.text)):
        kink_starts = _without_outward_descent(surface, grid[_local_minimum_nodes(grid_values)], view)
        kink_starts = _away_from(kink_starts, points[is_low & ~is_on_curve], 2 * cell)
    minimum_lines: list[Tensor] = []
    if bool(is_on_curve.any()) or len(kink_starts) > MIN_CELLS:
        minimum_lines = trace_minimum_curves(surface, view, GRID_SIDE - 1)
    maximum_lines = (
        trace_minimum_curves(surface, view, GRID_SIDE - 1, of_maxima=True) if bool(is_on_curve.any()) else []
    )
    curve_points = torch.cat([*minimum_lines, points[is_on_curve & is_low]])
    kink_starts = _away_from(kink_starts, curve_points, 2 * cell)[:MAX_KINKS]
    found = points[is_low & ~is_on_curve]
    if len(kink_starts):
        found = _in_view(torch.cat([kinks.local_minima(surface, kink_starts, cell), found]), view)
    minima = _by_value(
        surface,
        _without_duplicates(
            surface, _away_from(found, torch.cat(minimum_lines), 2 * cell) if minimum_lines else found, view
        ),
    )
    maxima, saddles = (_by_value(surface, points[kind & ~is_on_curve]) for kind in (is_high, is_saddle))
    maxima = _away_from(maxima, torch.cat(maximum_lines), 2 * cell) if maximum_lines else maxima

    flat_region = grid[_is_flat_region(grid_values, gradient_norms)]
    levels = [surfaces.values(surface, part).median().reshape(1) for part in [*minimum_lines, flat_region] if len(part)]
    every = torch.cat([surfaces.values(surface, minima), *levels])
    finite = grid_values[grid_values.isfinite()]
    # Equal but for rounding, on the surface's own scale.
    minimum = every.min() + 1e-9 * (finite.median() - every.min()).abs() if len(every) else torch.tensor(-math.inf)
    global_minima = minima[surfaces.values(surface, minima) <= minimum]
    global_minimum_curves = [
        line for line in minimum_lines if float(surfaces.values(surface, line).median()) <= float(minimum)
    ]
    is_lowest = len(flat_region) and float(surfaces.values(surface, flat_region[:1])) <= float(minimum)
    return CriticalPoints(
        minima[:MAX_POINTS],
        maxima[:MAX_POINTS],
        saddles[:MAX_POINTS],
        global_minima[:MAX_POINTS],
        _join_curves(minimum_lines),
        _join_curves(global_minimum_curves),
        _join_curves(maximum_lines),
        flat_region if is_lowest else flat_region[:0],
        tuple(max(0, len(kind) - MAX_POINTS) for kind in (minima, maxima, saddles)),
    )


def minimum_value(surface: AnySurface) -> Tensor:
    """f at the global minimum in view, (1,), or (0,) where there is none."""
    found = find_critical_points(surface)
    places = torch.cat([found.global_minima[:1], found.global_minimum_curves[:1], found.flat_region[:1]])
    return surfaces.values(surface, places).sort().values[:1]


def split_curves(separated: Tensor) -> list[Tensor]:
    """The curves of an array in which a row of nan is between two."""
    gaps = separated.isnan().any(1).nonzero()[:, 0].tolist()
    return [separated[a + 1 : b] for a, b in zip([-1, *gaps], [*gaps, len(separated)], strict=True) if b > a + 1]


def _join_curves(curves: list[Tensor]) -> Tensor:
    gap = torch.full((1, 2), torch.nan, dtype=torch.float64)
    parts = [part for curve in curves for part in (gap, curve)][1:]
    return torch.cat(parts) if parts else gap[:0]


def _scan_grid(surface: AnySurface, view: View, side: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Points of a grid (side, side, 2), f and the norms of its gradients there (side, side), and starts (n, 2) of the
    search for critical points."""
    x, y = surfaces.grid(view, side)
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)
    grid_values, gradient = surfaces.value_and_gradient(surface, grid.reshape(-1, 2))
    gradient_norms = gradient.norm(dim=1).nan_to_num(math.inf).reshape(side, side)
    slopes = gradient.reshape(side, side, 2)
    corners = torch.stack([slopes[:-1, :-1], slopes[:-1, 1:], slopes[1:, :-1], slopes[1:, 1:]])
    is_between = ((corners.amin(0) < 0) & (corners.amax(0) > 0)).all(-1)
    middles = (grid[:-1, :-1] + grid[1:, 1:]) / 2
    return (
        grid,
        grid_values.reshape(side, side),
        gradient_norms,
        torch.cat([grid[_is_local_minimum(gradient_norms)], middles[is_between]]),
    )


def _neighbors(table: Tensor) -> Tensor:
    """The eight neighbors (8, rows, columns) of each entry, inf beyond the edge."""
    padded = torch.nn.functional.pad(table[None, None], (1, 1, 1, 1), value=math.inf)[0, 0]
    rows, columns = table.shape
    return torch.stack([padded[i : i + rows, j : j + columns] for i in range(3) for j in range(3) if (i, j) != (1, 1)])


def _is_local_minimum(table: Tensor) -> Tensor:
    """Entries no larger than their eight neighbors, except where all are equal up to rounding."""
    around = _neighbors(table)
    is_plain = (((around - table).abs() <= 1e-9 * table.abs()) | around.isinf()).all(0)
    return table.isfinite() & (table <= around).all(0) & ~is_plain


def _local_minimum_nodes(grid_values: Tensor) -> Tensor:
    """Local minima (n,) of the grid, as indices of its rows and columns, by value."""
    rows, columns = _is_local_minimum(grid_values.nan_to_num(math.inf, math.inf, -math.inf)).nonzero().unbind(1)
    order = grid_values[rows, columns].argsort()
    return rows[order], columns[order]


def _without_outward_descent(surface: AnySurface, nodes: Tensor, view: View) -> Tensor:
    """Those nodes (n, 2) from which f does not fall towards the outside of the view."""
    _, gradient = surfaces.value_and_gradient(surface, nodes)
    left, right, bottom, top = view
    lower, upper = torch.tensor([left, bottom]), torch.tensor([right, top])
    falls = ((nodes <= lower) & (gradient > 0)) | ((nodes >= upper) & (gradient < 0))
    return nodes[~falls.any(1)]


def _is_flat_region(grid_values: Tensor, gradient_norms: Tensor) -> Tensor:
    """Nodes with the lowest value and a gradient of 0, whose neighbors all have that value."""
    around = _neighbors(grid_values)
    lowest = grid_values[grid_values.isfinite()].min() if bool(grid_values.isfinite().any()) else math.inf
    return (grid_values == lowest) & (gradient_norms == 0) & ((around == grid_values) | around.isinf()).all(0)


def _refine(surface: AnySurface, starts: Tensor, view: View, cell: Tensor, typical_gradient: float) -> Tensor:
    """The critical points near by that Newton's method converges to; `typical_gradient` is the median norm."""
    reach = 3 * cell
    points, busy = starts.clone(), torch.arange(len(starts))
    # The point before the step, the step, and the shortest gradient so far.
    bases, steps, shortest = starts.clone(), torch.zeros_like(points), torch.full_like(points[:, 0], math.inf)
    for number in range(80):
        if not len(busy):
            break
        gradient, hessian = surfaces.gradient_and_hessian(surface, points[busy])
        size = gradient.norm(dim=1).nan_to_num(math.inf)
        is_worse = size > shortest[busy]  # then the step is halved
        # Otherwise the iteration does not converge.
        is_converging = (
            (size < 0.95 * shortest[busy]) | (is_worse & (steps[busy].abs() > 0.01 * cell).any(1)) | (number < 10)
        )
        bases[busy] = torch.where(is_worse[:, None], bases[busy], points[busy])
        step = newton_step(_finite(gradient), _finite(hessian)).clamp(-reach, reach)
        steps[busy] = step = torch.where(is_worse[:, None], steps[busy] / 2, step)
        points[busy] = bases[busy] - step
        shortest[busy] = torch.minimum(shortest[busy], size)
        is_moving = (step.abs() > 1e-15 * points[busy].abs() + 1e-13 * cell).any(1)
        busy = busy[is_moving & is_converging & ((points[busy] - starts[busy]).abs() <= 2 * reach).all(1)]
    gradient, hessian = surfaces.gradient_and_hessian(surface, points)
    scale = hessian.flatten(1).norm(dim=1) * reach.norm()
    is_level = (gradient.norm(dim=1) <= 1e-6 * scale) | (gradient.norm(dim=1) <= 1e-13 * typical_gradient)
    is_near = ((points - starts).abs() <= 2 * reach).all(1) & (steps.abs() <= 1e-5 * cell).all(1)
    return _in_view(points[is_level & is_near], view)


def _classify(
    surface: AnySurface, points: Tensor, values: Tensor, is_sharp: Tensor, view: View
) -> tuple[Tensor, Tensor, Tensor]:
    """Which points (n,) are minima, maxima and saddles: by their curvatures (n, 2), or by f on a small circle
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


def _is_on_curve(surface: AnySurface, points: Tensor, cell: Tensor, typical_gradient: float) -> Tensor:
    """Which critical points (n,) have others a cell and a half away along a direction of no curvature: they are samples
    of a curve, or of a region."""
    found = torch.zeros(len(points), dtype=torch.bool)
    if len(points) > MAX_NEIGHBOR_TESTS:
        # What holds for the tested ones is taken to hold for all.
        found[:] = bool(_is_on_curve(surface, points[:MAX_NEIGHBOR_TESTS], cell, typical_gradient).any())
        return found
    if not len(points):
        return found
    _, steep, flat = eigen(_finite(surfaces.gradient_and_hessian(surface, points)[1]))
    # Where both curvatures are 0 the curve may have any direction.
    x, y = torch.eye(2, dtype=torch.float64)[:, None].expand(2, *points.shape)
    directions = torch.stack([flat, -flat, steep, -steep, x, -x, y, -y])
    starts = (points + 1.5 * cell * directions).reshape(-1, 2)
    at, busy = starts.clone(), torch.arange(len(starts))
    for _ in range(60):
        gradient, hessian = surfaces.gradient_and_hessian(surface, at[busy])
        step = newton_step(_finite(gradient), _finite(hessian), 1e-3).clamp(-cell, cell)
        at[busy] -= step
        busy = busy[(step.abs() > 3e-10 * cell).any(1) & (((at - starts) / cell)[busy].norm(dim=1) < 1)]
        if not len(busy):
            break
    gradient, hessian = surfaces.gradient_and_hessian(surface, at)
    size = hessian.flatten(1).norm(dim=1) * cell.norm()
    is_level = (gradient.norm(dim=1) <= 1e-9 * size) | (gradient.norm(dim=1) <= 1e-15 * typical_gradient)
    is_near = ((at - starts) / cell).norm(dim=1) < 1
    return (is_level & is_near).reshape(len(directions), -1).any(0)


def _finite(numbers: Tensor) -> Tensor:
    return numbers.nan_to_num(0.0, 0.0, 0.0)


def _in_view(points: Tensor, view: View) -> Tensor:
    left, right, bottom, top = view
    lower, upper = torch.tensor([left, bottom]), torch.tensor([right, top])
    return points[((points >= lower) & (points <= upper)).all(1)]


def _by_value(surface: AnySurface, points: Tensor) -> Tensor:
    return points[surfaces.values(surface, points).argsort(stable=True)]


def _away_from(points: Tensor, others: Tensor, distance: Tensor) -> Tensor:
    """Those points (n, 2) that are farther than `distance` (2,) from all others (m, 2), along x or along y."""
    if not len(points) or not len(others):
        return points
    # A grid of cells of that size: points are near if their cells are neighbors.
    own, theirs = ((part / distance).floor().long() for part in (points, others))
    width = int(max(own[:, 1].max(), theirs[:, 1].max()) - min(own[:, 1].min(), theirs[:, 1].min())) + 3
    taken = torch.unique(theirs[:, 0] * width + theirs[:, 1])
    keys = own[:, 0] * width + own[:, 1]
    is_near = torch.zeros(len(points), dtype=torch.bool)
    for i in (-1, 0, 1):
        for j in (-1, 0, 1):
            is_near |= torch.isin(keys + i * width + j, taken)
    return points[~is_near]


def _without_duplicates(surface: AnySurface, points: Tensor, view: View) -> Tensor:
    """One of each cluster of points: the lowest in each small cell."""
    points = _by_value(surface, points)
    return points[_first_per_cell(points, 1e-4 * min(view[1] - view[0], view[3] - view[2]))]


def _first_per_cell(points: Tensor, size: Tensor | float) -> Tensor:
    """Indices of the points (n, 2) that are first in their cell, for four positions of the grid of cells."""
    left = torch.arange(len(points))
    for shift in ([0.0, 0.0], [0.5, 0.0], [0.0, 0.5], [0.5, 0.5]):
        _, which = torch.unique((points[left] / size + torch.tensor(shift)).floor(), dim=0, return_inverse=True)
        number = torch.arange(len(left))
        first = torch.full_like(number, len(left)).scatter_reduce(0, which, number, "amin")
        left = left[first[which] == number]
    return left
