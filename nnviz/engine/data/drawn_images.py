"""Generated images: shapes and characters."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from nnviz.engine.data.image_set import from_pixels
from nnviz.engine.device import EngineError
from nnviz.spec.data import images as spec

if TYPE_CHECKING:
    from PIL import Image

TOGETHER = 1_000_000
"""Pixels that are drawn at once."""

FINE = 64
"""Characters are drawn at least twice as large as the images and with so many pixels a side, and averaged."""


def shapes(data: spec.Shapes, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Images and labels of triangles, parallelograms and ellipses, as many of each as of the others."""
    n, size = data.count, data.size
    labels = torch.arange(n) % data.classes
    draw = lambda low, high: torch.rand(n, generator=g) * (high - low) + low  # noqa: E731
    ratio, angle, skew, extent = draw(0.6, 1), draw(-0.3, 0.3), draw(0.2, 0.6), draw(2 * data.smallest, 1.9)
    place = torch.rand(n, 2, generator=g)
    colors = _colors(draw(0, 1), draw(0.55, 1), draw(0.7, 1)) if data.color else draw(0.4, 1)[:, None]
    axes = torch.stack([torch.ones(n), ratio], 1)
    images = torch.empty(n, colors.shape[1], size, size)
    for label, cover in enumerate((_polygon(TRIANGLE), _polygon(SQUARE), _ellipse)):
        for part in torch.arange(label, n, data.classes).split(max(1, TOGETHER // size**2)):
            share = cover(axes[part], skew[part], angle[part], extent[part], place[part], size)
            images[part] = share[:, None] * colors[part, :, None, None] * 2 - 1
    return images, labels


TRIANGLE = torch.tensor([[-1.0, -0.7], [1.0, -0.7], [0.0, 0.9]])
SQUARE = torch.tensor([[-0.8, -0.8], [0.8, -0.8], [0.8, 0.8], [-0.8, 0.8]])
"""Corners, anticlockwise."""

Cover = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor, int], Tensor]
"""Half axes (n, 2) up to a factor, skew (n,), angle (n,), the larger of width and height (n,), place (n, 2) in [0, 1]
between the outermost that are inside the image -> the share of each pixel of a square from −1 to 1 that is covered,
(n, size, size)."""


def _polygon(unit: Tensor) -> Cover:
    def cover(axes: Tensor, skew: Tensor, angle: Tensor, extent: Tensor, place: Tensor, size: int) -> Tensor:
        x, y = (unit * axes[:, None]).unbind(2)
        corners = _rotated(x + y * skew[:, None], y, angle[:, None])
        corners = corners * (extent / (corners.amax(1) - corners.amin(1)).amax(1))[:, None, None]
        low, high = corners.amin(1), corners.amax(1)
        corners = corners + (place * (2 - (high - low)) - 1 - low)[:, None]
        along = corners.roll(-1, 1) - corners
        outwards = functional.normalize(torch.stack([along[..., 1], -along[..., 0]], -1), dim=2)
        middle = _middles(size)
        distance = torch.full((len(axes), size, size), -torch.inf)
        for edge in range(len(unit)):
            across, down = (outwards[:, edge, :, None] * middle).unbind(1)
            from_edge = across[:, None, :] + down[:, :, None]
            from_edge -= (outwards[:, edge] * corners[:, edge]).sum(1)[:, None, None]
            torch.maximum(distance, from_edge, out=distance)
        return _share(distance, size)

    return cover


def _ellipse(axes: Tensor, _skew: Tensor, angle: Tensor, extent: Tensor, place: Tensor, size: int) -> Tensor:
    cos, sin = angle.cos()[:, None], angle.sin()[:, None]
    half = torch.stack([(axes * torch.cat(turn, 1)).norm(dim=1) for turn in ((cos, sin), (sin, cos))], 1)
    times = (extent / 2 / half.amax(1))[:, None]
    axes, half = times * axes, times * half
    center = (place * 2 - 1) * (1 - half)
    x, y = (_middles(size) - center[:, :, None]).unbind(1)
    points = _rotated(x[:, None, :], y[:, :, None], -angle[:, None, None])
    # Of the level r = 1 of r(x) = ‖x / axes‖ the distance is about (r − 1) / ‖∇r‖.
    inner = points / axes[:, None, None]
    r = inner.norm(dim=3)
    slope = (inner / axes[:, None, None]).norm(dim=3) / r.clamp_min(1e-6)
    return _share((r - 1) / slope.clamp_min(1e-6), size)


def _rotated(x: Tensor, y: Tensor, angle: Tensor) -> Tensor:
    """Points (..., 2), rotated anticlockwise."""
    return torch.stack([x * angle.cos() - y * angle.sin(), x * angle.sin() + y * angle.cos()], -1)


def _middles(size: int) -> Tensor:
    return (torch.arange(size) + 0.5) / size * 2 - 1


def _share(distance: Tensor, size: int) -> Tensor:
    """The share of a pixel that is covered, from the distance of its middle to the outline, negative inside."""
    return (0.5 - distance * size / 2).clamp_(0, 1)


def _colors(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """Red, green and blue in [0, 1], (n, 3)."""
    k = (torch.tensor([5.0, 3.0, 1.0]) + 6 * hue[:, None]) % 6
    return value[:, None] * (1 - saturation[:, None] * torch.minimum(k, 4 - k).clamp(0, 1))


def glyphs(data: spec.Glyphs, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Images and labels of characters, white on black, as many of each as of the others. Raises EngineError."""
    from PIL import Image  # takes a while, and most jobs do not need it

    n, side = data.count, max(FINE, 2 * data.size)
    labels = torch.arange(n) % data.classes
    masks = [_mask(character, side) for character in data.class_names]
    u = (torch.rand(n, 6, generator=g, dtype=torch.float64) * 2 - 1) * data.distortion
    pixels = np.empty((n, data.size, data.size), np.uint8)
    for i, matrix in enumerate(_backwards(u, side).tolist()):
        drawn = masks[labels[i]].transform((side, side), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
        pixels[i] = np.asarray(drawn.reduce(side // data.size))
    return from_pixels(torch.from_numpy(pixels)[..., None]), labels


def _mask(character: str, side: int) -> "Image.Image":
    """The character in the middle of a gray image of this side, capitals 0.66 of it high."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(side * 0.9)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise EngineError("Pillow must have FreeType to draw glyphs, got one without: pip install --upgrade pillow")
    image = Image.new("L", (side, side))
    left, top, right, bottom = font.getbbox(character)
    at = (side - left - right) / 2, (side - top - bottom) / 2
    ImageDraw.Draw(image).text(at, character, fill=255, font=font, stroke_width=side / 64)
    return image


def _backwards(u: Tensor, side: int) -> Tensor:
    """Pillow's six numbers (n, 6) that lead from a place in the image to that in the character, for u (n, 6) in
    [−1, 1]: angle, width, height, shear, shift across, shift down."""
    angle, wide, high, shear, across, down = (u * torch.tensor([math.pi / 6, 0.3, 0.3, 0.2, 0.13, 0.13])).unbind(1)
    cos, sin = angle.cos(), angle.sin()
    # forwards: rotation · scale · shear
    a, b = cos * (1 + wide), cos * (1 + wide) * shear - sin * (1 + high)
    c, d = sin * (1 + wide), sin * (1 + wide) * shear + cos * (1 + high)
    det = a * d - b * c
    inverse = torch.stack([d / det, -b / det, -c / det, a / det], 1)
    middle = side / 2
    x, y = middle + across * side, middle + down * side
    first = middle - inverse[:, 0] * x - inverse[:, 1] * y
    second = middle - inverse[:, 2] * x - inverse[:, 3] * y
    return torch.stack([inverse[:, 0], inverse[:, 1], first, inverse[:, 2], inverse[:, 3], second], 1)
