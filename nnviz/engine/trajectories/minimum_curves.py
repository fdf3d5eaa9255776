"""Curves of minima, on which f is constant, such as xy = 1 of (xy − 1)².

Contour lines at the value of the minimum would be degenerate there. So a curve is found where it crosses the edges of a
grid: along an edge f is smallest at the crossing, so the derivative along the edge changes its sign. Two crossings of a
cell with the same value are joined.
"""

import torch
from torch import Tensor

from nnviz.engine.trajectories import surfaces
from nnviz.spec.surfaces import AnySurface, View

GRID_SHIFT = (0.382, 0.271)
"""Shift of the grid in units of a cell, so that its lines are not those on which formulas are symmetric."""
VALUE_TOLERANCE = 1e-11
"""Values are equal if they differ by no more than this fraction of the highest corner of the cell above them."""
MIN_CELLS = 6
"""Cells that a curve passes through at least, unless it crosses the view or is closed."""
BISECTIONS = 54
EDGE_PAIRS = ((0, 1), (2, 3), (0, 2), (1, 3), (0, 3), (1, 2))
"""Edges of a cell (bottom, top, left, right) that a curve may join; opposite ones first."""


def trace_minimum_curves(surface: AnySurface, view: View, cells: int, *, of_maxima: bool = False) -> list[Tensor]:
    """The curves of minima in a part of the plane, each a line (n, 2) on a grid with this many cells along each side;
    the first and the last point of a closed one are the same. With `of_maxima` the curves of maxima."""
    left, right, bottom, top = view
    nodes = torch.arange(-1, cells + 1, dtype=torch.float64)
    x = left + (nodes + GRID_SHIFT[0]) * (right - left) / cells
    y = bottom + (nodes + GRID_SHIFT[1]) * (top - bottom) / cells
    sign = -1 if of_maxima else 1
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)
    values, gradient = (sign * part for part in surfaces.value_and_gradient(surface, grid.reshape(-1, 2)))
    values, gradient = values.reshape(grid.shape[:2]), gradient.reshape(grid.shape)
    across = (gradient[:, :-1, 0] < 0) & (gradient[:, 1:, 0] > 0)  # (rows, columns − 1)
    along = (gradient[:-1, :, 1] < 0) & (gradient[1:, :, 1] > 0)
    starts = torch.cat([grid[:, :-1][across], grid[:-1][along]])
    ends = torch.cat([grid[:, 1:][across], grid[1:][along]])
    if not len(starts):
        return []
    axis = torch.cat([torch.zeros(int(across.sum())), torch.ones(int(along.sum()))]).long()
    points = _crossings(surface, starts, ends, axis, sign)
    crossing_values = sign * surfaces.values(surface, points)
    number = torch.arange(len(points))
    flat, upright = torch.full(across.shape, -1), torch.full(along.shape, -1)
    flat[across], upright[along] = number[: int(across.sum())], number[int(across.sum()) :]
    edges = torch.stack([flat[:-1], flat[1:], upright[:, :-1], upright[:, 1:]], -1).reshape(-1, 4)
    corners = torch.stack([values[:-1, :-1], values[:-1, 1:], values[1:, :-1], values[1:, 1:]], -1).reshape(-1, 4)
    joined = _joined(edges, corners, crossing_values)
    on_border = torch.cat([flat[0], flat[-1], upright[:, 0], upright[:, -1]])
    lines = _lines(joined, {*on_border[on_border >= 0].tolist()})
    curves = [points[line] for line in lines]
    lower, upper = torch.tensor([left, bottom]), torch.tensor([right, top])
    return [curve for curve in curves if bool(((curve >= lower) & (curve <= upper)).all(1).any())]


def _crossings(surface: AnySurface, low: Tensor, high: Tensor, axis: Tensor, sign: int) -> Tensor:
    """Where the derivative along each edge (n,) changes its sign, by bisection: at a kink it jumps over 0."""
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        slope = sign * surfaces.value_and_gradient(surface, middle)[1].gather(1, axis[:, None])
        low, high = torch.where(slope < 0, middle, low), torch.where(slope < 0, high, middle)
    # The two ends are neighbors in floating point; the lower one is on the curve.
    both = torch.stack([low, high])
    values = torch.stack([sign * surfaces.values(surface, end) for end in both])
    return both[values.nan_to_num(torch.inf).argmin(0), torch.arange(len(low))]


def _joined(edges: Tensor, corners: Tensor, crossing_values: Tensor) -> list[tuple[int, int]]:
    """Pairs of crossings of one cell that are on the same curve; `edges` (cells, 4) are their numbers, −1 for none."""
    busy = ((edges >= 0).sum(1) >= 2).nonzero()[:, 0]
    edges, corners = edges[busy], corners[busy]
    found: list[tuple[int, int]] = []
    free = torch.ones_like(edges, dtype=torch.bool)
    top, scale = corners.amax(1), corners.abs().amax(1)
    for one, other in EDGE_PAIRS:
        a, b = edges[:, one], edges[:, other]
        low, high = (part(crossing_values[a], crossing_values[b]) for part in (torch.minimum, torch.maximum))
        same = high - low <= VALUE_TOLERANCE * (top - low) + 4 * torch.finfo(torch.float64).eps * scale
        fits = (a >= 0) & (b >= 0) & free[:, one] & free[:, other] & same & (top > high)
        found += zip(a[fits].tolist(), b[fits].tolist(), strict=True)
        free[fits, one] = free[fits, other] = False
    return found


def _lines(pairs: list[tuple[int, int]], on_border: set[int]) -> list[list[int]]:
    """Chains of crossings; those long enough, closed, or from border to border."""
    neighbors: dict[int, list[int]] = {}
    for one, other in pairs:
        neighbors.setdefault(one, []).append(other)
        neighbors.setdefault(other, []).append(one)
    lines, visited = [], set()
    # Chains with ends first; what is left is closed.
    for start in sorted(neighbors, key=lambda node: len(neighbors[node])):
        if start in visited:
            continue
        line = [start]
        visited.add(start)
        while following := [node for node in neighbors[line[-1]] if node not in visited]:
            line.append(following[0])
            visited.add(following[0])
        is_closed = len(line) > 2 and line[0] in neighbors[line[-1]]
        line += line[:1] * is_closed
        crosses = line[0] in on_border and line[-1] in on_border
        if len(line) > MIN_CELLS or is_closed or (crosses and len(line) > 1):
            lines.append(line)
    return lines
