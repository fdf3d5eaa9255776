"""Distributions in the plane: samples, density, modes, and which samples are good ones."""

import math
from functools import lru_cache

import torch
from torch import Tensor

from nnviz.spec.data import distributions as spec

TOGETHER = 512
"""Points whose distances are computed at once."""

GOOD_WITHIN = 3.0
"""A sample is good if it lies within this many σ of a center or of the curve."""

CELL = 2 * spec.WINDOW / spec.CELLS
"""Side of a cell of a drawn density."""

MOON, SPIRAL = 1.5, 2.2
"""Radius of the half circles, and of the outer end of the spiral."""


def centers(distribution: spec.PlaneDistribution) -> Tensor:
    """Centers of the separate modes, (modes, 2); none of a curve or a drawing."""
    match distribution:
        case spec.Ring():
            return _on_circle(distribution.count, distribution.radius)
        case spec.GaussianGrid():
            along = (torch.arange(distribution.side) - (distribution.side - 1) / 2) * distribution.spacing
            return torch.cartesian_prod(along, along).flip(1)
    return torch.empty(0, 2)


def sample(distribution: spec.PlaneDistribution, n: int, g: torch.Generator) -> Tensor:
    """n independent samples (n, 2) on the CPU."""
    if isinstance(distribution, spec.Drawn):
        index = torch.multinomial(_cells(distribution).flatten(), n, replacement=True, generator=g)
        row, column = index // spec.CELLS, index % spec.CELLS
        at = torch.stack([column, spec.CELLS - 1 - row], 1) + torch.rand(n, 2, generator=g)
        return at * CELL - spec.WINDOW
    if distribution.modes:
        places = _modes(distribution)
        clean = places[torch.randint(len(places), (n,), generator=g)]
    else:
        clean = _curve(distribution, torch.rand(n, generator=g))
    return clean + torch.randn(n, 2, generator=g) * distribution.sigma


def density(distribution: spec.PlaneDistribution, points: Tensor, blur: float = 0.0) -> Tensor:
    """Density at points (n, 2), (n,) in float64, of samples with normal noise of standard deviation `blur` added: p
    itself without. Of a curve it is that of as many Gaussians along it as make no difference."""
    points = points.double()
    if isinstance(distribution, spec.Drawn):
        weights = _cells(distribution) / (_cells(distribution).sum() * CELL**2)
        across, up = (_in_cells(points[:, axis], blur) for axis in (0, 1))
        return torch.einsum("nr,rc,nc->n", up.flip(1), weights, across)
    variance = distribution.sigma**2 + blur**2
    # Gaussians one σ apart along a curve add up to the same everywhere on it, but for a part in 10⁸.
    places = _anchors(distribution, variance**0.5).double()
    parts = [_squared_distances(part, places).mul_(-0.5 / variance).exp_().mean(1) for part in points.split(TOGETHER)]
    return torch.cat(parts) / (2 * math.pi * variance)


def is_good(distribution: spec.PlaneDistribution, points: Tensor) -> Tensor:
    """Whether each of points (n, 2) lies within three σ of a center or of the curve, or in a cell that was drawn."""
    if isinstance(distribution, spec.Drawn):
        return density(distribution, points) > 0
    if distribution.modes:
        distance = nearest_mode(distribution, points)[1]
    else:
        distance = torch.cdist(points.float(), _anchors(distribution, distribution.sigma / 2)).amin(1)
    return distance <= GOOD_WITHIN * distribution.sigma


def nearest_mode(distribution: spec.PlaneDistribution, points: Tensor) -> tuple[Tensor, Tensor]:
    """Of points (n, 2) the nearest center and the distance from it, (n,) each."""
    found = _squared_distances(points.float(), _modes(distribution)).min(1)
    return found.indices, found.values.sqrt()


def _squared_distances(points: Tensor, places: Tensor) -> Tensor:
    """(len(points), len(places)). Exact also near 0, where `torch.cdist` subtracts nearly equal numbers."""
    x, y = points.T[:, :, None] - places.T[:, None, :]
    return x.square_().add_(y.square_())


@lru_cache(maxsize=16)
def _modes(distribution: spec.PlaneDistribution) -> Tensor:
    return centers(distribution)


@lru_cache(maxsize=16)
def _anchors(distribution: spec.PlaneDistribution, apart: float) -> Tensor:
    """The centers, or an even number of points along the curve at most `apart` from each other, (k, 2)."""
    if distribution.modes:
        return centers(distribution)
    count = 2 * math.ceil(_length(distribution) / apart / 2)
    return _curve(distribution, (torch.arange(count) + 0.5) / count)


def _length(distribution: spec.PlaneDistribution) -> float:
    """Of the whole curve."""
    match distribution:
        case spec.Crescents():
            return 2 * math.pi * MOON
        case spec.SpiralCurve():
            return float(_spiral_lengths(distribution.turns)[-1])
        case spec.Segment():
            return 20**0.5
    raise TypeError(f"no curve for {distribution!r}")


def _curve(distribution: spec.PlaneDistribution, along: Tensor) -> Tensor:
    """Where on the curve a fraction of its length in [0, 1] is, (n, 2)."""
    match distribution:
        case spec.Crescents():
            is_second = along >= 0.5
            angle = math.pi * (2 * along % 1)
            upper = MOON * torch.stack([angle.cos() - 0.5, angle.sin() - 0.25], 1)
            return torch.where(is_second[:, None], -upper, upper)
        case spec.SpiralCurve():
            radius = _spiral_fraction(_spiral_lengths(distribution.turns), along)
            angle = 2 * math.pi * distribution.turns * radius
            return SPIRAL * radius[:, None] * torch.stack([angle.cos(), angle.sin()], 1)
        case spec.Segment():
            return torch.stack([4 * along - 2, 2 * along - 1], 1)
    raise TypeError(f"no curve for {distribution!r}")


@lru_cache(maxsize=16)
def _spiral_lengths(turns: float) -> Tensor:
    """Arc length of the arm up to 1,025 evenly spaced radii: ∫√(1 + (2π · turns · r)²) dr, closed form."""
    u = 2 * math.pi * turns * torch.linspace(0, 1, 1025, dtype=torch.float64)
    return (SPIRAL / (4 * math.pi * turns) * (u * (1 + u.square()).sqrt() + u.asinh())).float()


def _spiral_fraction(lengths: Tensor, along: Tensor) -> Tensor:
    """The fraction of the radius where a fraction of the length is, between the entries of a table of lengths."""
    wanted = along * lengths[-1]
    right = torch.searchsorted(lengths, wanted).clamp(1, len(lengths) - 1)
    low, high = lengths[right - 1], lengths[right]
    return (right - 1 + (wanted - low) / (high - low)) / (len(lengths) - 1)


def _in_cells(along: Tensor, blur: float) -> Tensor:
    """Of coordinates (n,) the fraction of a normal distribution around each that lies in each cell, (n, CELLS); without
    blur 1 in the cell that it is in."""
    edges = torch.arange(spec.CELLS + 1, dtype=torch.float64) * CELL - spec.WINDOW
    if not blur:
        return ((along[:, None] >= edges[:-1]) & (along[:, None] < edges[1:])).double()
    return torch.special.ndtr((edges - along[:, None]) / blur).diff(dim=1)


def _on_circle(count: int, radius: float) -> Tensor:
    angle = 2 * math.pi * torch.arange(count) / count
    return radius * torch.stack([angle.cos(), angle.sin()], 1)


@lru_cache(maxsize=16)
def _cells(drawn: spec.Drawn) -> Tensor:
    """Relative densities by row from the top and column, (CELLS, CELLS)."""
    digits = torch.tensor([int(digit) for digit in drawn.density], dtype=torch.float64)
    return digits.reshape(spec.CELLS, spec.CELLS)
