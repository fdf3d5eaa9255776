"""Toy data in one and two dimensions. Each function: spec and generator -> inputs (n, d) and targets (n,)."""

import math

import torch
from torch import Tensor

from nnviz.spec import data as spec


def _classes(n: int, k: int) -> Tensor:
    """n labels 0 … k − 1, as balanced as possible."""
    return torch.arange(n) % k


def _noise(n: int, d: int, std: float, g: torch.Generator) -> Tensor:
    return torch.randn(n, d, generator=g) * std


def moons(s: spec.Moons, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Two interleaving half circles of radius 1; the origin lies between them."""
    y = _classes(s.points, 2)
    angle = math.pi * torch.rand(s.points, generator=g)
    upper = torch.stack([angle.cos() - 0.5, angle.sin() - 0.25], 1)
    x = torch.where(y[:, None] == 0, upper, -upper)
    return x + _noise(s.points, 2, s.noise, g), y


def circles(s: spec.Circles, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Rings of radius 1 (class 0) and ½ (class 1)."""
    y = _classes(s.points, 2)
    angle = 2 * math.pi * torch.rand(s.points, generator=g)
    x = torch.stack([angle.cos(), angle.sin()], 1) * (1 - 0.5 * y)[:, None]
    return x + _noise(s.points, 2, s.noise, g), y


def spirals(s: spec.Spirals, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Arms whose radius and angle grow together from the origin to radius 1."""
    y = _classes(s.points, s.arms)
    along = torch.rand(s.points, generator=g).sqrt()
    angle = 2 * math.pi * (y / s.arms + s.turns * along)
    x = torch.stack([angle.cos(), angle.sin()], 1) * along[:, None]
    return x + _noise(s.points, 2, s.noise, g), y


def blobs(s: spec.Blobs, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Normal clouds around centers on a circle of radius 2; noise is the deviation of each."""
    y = _classes(s.points, s.centers)
    angle = 2 * math.pi * y / s.centers
    x = 2 * torch.stack([angle.cos(), angle.sin()], 1)
    return x + _noise(s.points, 2, s.noise, g), y


def xor(s: spec.XOR, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Uniform over [−1, 1]² with a gap of 0.1 along the axes; class 1 where the signs differ. Noise is added after
    labeling."""
    x = torch.rand(s.points, 2, generator=g) * 2 - 1
    x = x.sign() * (0.05 + 0.95 * x.abs())
    y = (x[:, 0] * x[:, 1] < 0).long()
    return x + _noise(s.points, 2, s.noise, g), y


def checkerboard(s: spec.Checkerboard, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Uniform over [−1, 1]²; the class is the color of the square."""
    x = torch.rand(s.points, 2, generator=g) * 2 - 1
    cell = ((x + 1) / 2 * s.squares).long()
    return x + _noise(s.points, 2, s.noise, g), cell.sum(1) % 2


def curve_value(function: str, x: Tensor) -> Tensor:
    """The noiseless curve at x, any shape."""
    match function:
        case "sine":
            return (2 * math.pi * x).sin()
        case "step":
            return x.sign()
        case "absolute":
            return x.abs()
        case "cubic":
            return 4 * x**3 - 3 * x
        case "sinc":
            return torch.sinc(4 * x)
        case "line":
            return x
    raise ValueError(f"no curve {function!r}")


def curve(s: spec.Curve, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """x uniform over [−1, 1], noise added to y."""
    x = torch.rand(s.points, 1, generator=g) * 2 - 1
    return x, curve_value(s.function, x[:, 0]) + _noise(s.points, 1, s.noise, g)[:, 0]


def hills_value(function: str, x: Tensor, y: Tensor) -> Tensor:
    """The noiseless surface at (x, y)."""
    match function:
        case "plane":
            return x + y
        case "saddle":
            return x**2 - y**2
        case "hills":
            hill = (-((x - 0.4) ** 2 + (y - 0.4) ** 2) / 0.12).exp()
            return hill - (-((x + 0.4) ** 2 + (y + 0.4) ** 2) / 0.12).exp()
        case "ripples":
            return torch.sinc(2 * (x**2 + y**2).sqrt())
    raise ValueError(f"no surface {function!r}")


def hills(s: spec.Hills, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """(x, y) uniform over [−1, 1]², noise added to z."""
    x = torch.rand(s.points, 2, generator=g) * 2 - 1
    return x, hills_value(s.function, x[:, 0], x[:, 1]) + _noise(s.points, 1, s.noise, g)[:, 0]
