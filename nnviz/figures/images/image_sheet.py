"""Many small images in one PNG: enlarged without smoothing, with thin gray lines between them."""

import base64
import math
import struct
import zlib
from collections.abc import Mapping

import numpy as np

from nnviz.figures.kit.png_images import chunk

COLUMNS = 10
"""Images in a row of a grid."""

TILE = 64
"""Images are enlarged to about so many pixels a side, so that the browser's own scaling leaves their pixels sharp."""

GAP, LINE = 3, 0x66
"""Pixels between images, and their gray: apart from black images as well as from light and dark pages."""


def sheet(images: np.ndarray, columns: int) -> np.ndarray:
    """Images (n, h, w, channels) uint8 row by row in so many columns: (height, width, channels + 1) uint8, the last
    channel opacity; places without an image are transparent."""
    n, height, width, channels = images.shape
    rows = math.ceil(n / columns)
    times = max(1, TILE // max(height, width))
    high, wide = height * times, width * times
    tiles = np.zeros((rows * columns, high, wide, channels + 1), np.uint8)
    tiles[:n, ..., :channels] = images.repeat(times, 1).repeat(times, 2)
    tiles[:n, ..., channels] = 255
    spaced = np.full((rows, columns, high + GAP, wide + GAP, channels + 1), LINE, np.uint8)
    spaced[..., channels] = 255
    spaced[:, :, :high, :wide] = tiles.reshape(rows, columns, high, wide, channels + 1)
    whole = spaced.transpose(0, 2, 1, 3, 4).reshape(rows * (high + GAP), columns * (wide + GAP), channels + 1)
    return whole[:-GAP, :-GAP]


def png_file(pixels: np.ndarray) -> bytes:
    """A PNG of pixels (height, width, 2 or 4) uint8: gray or RGB, and opacity.

    Transparency takes one color of its own, the darkest gray but black, so that opacity costs no bytes; a pixel of
    that color is drawn one level lighter.
    """
    height, width, channels = pixels.shape
    colors = pixels[..., :-1].copy()
    colors[(colors == 1).all(2)] = 2
    colors[pixels[..., -1] == 0] = 1
    lines = colors.reshape(height, -1)
    # As differences from the line above: of enlarged images most are 0.
    filtered = np.full((height, lines.shape[1] + 1), 2, np.uint8)
    filtered[0, 1:], filtered[1:, 1:] = lines[0], np.diff(lines, axis=0)
    kind = {2: 0, 4: 2}[channels]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)),
            chunk(b"tRNS", struct.pack(">H", 1) * (channels - 1)),
            chunk(b"IDAT", zlib.compress(filtered.tobytes(), 4)),
            chunk(b"IEND", b""),
        ]
    )


def images_as_png(arrays: Mapping[str, np.ndarray]) -> bytes | None:
    """The `images` of a snapshot, (n, h, w, channels) or (rows, columns, h, w, channels) uint8, or the images
    `generated` over the `nearest` ones, as a PNG file; None where it has none."""
    images = arrays.get("images")
    if "nearest" in arrays:
        images = np.stack([arrays["generated"], arrays["nearest"]])
    if images is None or images.dtype != np.uint8 or images.ndim not in (4, 5):
        return None
    columns = images.shape[1] if images.ndim == 5 else COLUMNS
    return png_file(sheet(images.reshape(-1, *images.shape[-3:]), columns))


def data_uri(images: np.ndarray, columns: int) -> str:
    """The sheet of images as the source of a picture."""
    return "data:image/png;base64," + base64.b64encode(png_file(sheet(images, columns))).decode()
