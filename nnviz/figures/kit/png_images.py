"""Images inside figures, as PNG: a tenth of the bytes of a heatmap, and smoothed by the browser."""

import base64
import struct
import zlib
from collections.abc import Sequence

import numpy as np

from nnviz.figures.kit import theme


def png(pixels: np.ndarray, palette: np.ndarray) -> str:
    """A data URI of an indexed PNG: `pixels` (height, width) uint8, top row first; `palette` (≤ 256, 4) uint8 RGBA."""
    height, width = pixels.shape
    rows = np.zeros((height, width + 1), np.uint8)
    rows[:, 1:] = pixels
    palette = np.asarray(palette, np.uint8)
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        [
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            chunk(b"PLTE", palette[:, :3].tobytes()),
            chunk(b"tRNS", palette[:, 3].tobytes()),
            chunk(b"IDAT", zlib.compress(rows.tobytes(), 4)),
            chunk(b"IEND", b""),
        ]
    )
    return "data:image/png;base64," + base64.b64encode(data).decode()


def layout_image(source: str, x: float, y: float, width: float, height: float) -> dict:
    """A Plotly layout image in data coordinates: `x`, `y` is its top left corner."""
    return {
        "source": source,
        "xref": "x",
        "yref": "y",
        "x": x,
        "y": y,
        "sizex": width,
        "sizey": height,
        "sizing": "stretch",
        "layer": "below",
    }


def diverging_palette() -> np.ndarray:
    """255 entries (255, 4): 0 most negative, 127 zero and transparent, 254 most positive; as `theme.diverging`."""
    strength = np.abs(np.arange(255) - 127) / 127
    palette = np.empty((255, 4), np.uint8)
    palette[:, :3] = np.where(np.arange(255)[:, None] < 127, theme.rgb(theme.NEGATIVE), theme.rgb(theme.POSITIVE))
    palette[:, 3] = (255 * strength).round()
    return palette


def diverging_indices(values: np.ndarray, limit: float) -> np.ndarray:
    """Indices into `diverging_palette` for values in −limit … limit, clipped; NaN becomes zero."""
    fraction = np.nan_to_num(np.asarray(values, float) / (limit or 1.0), nan=0.0, posinf=1, neginf=-1)
    return (np.clip(fraction, -1, 1) * 127 + 127).round().astype(np.uint8)


def gray_palette() -> np.ndarray:
    """256 opaque grays (256, 4), black to white."""
    palette = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 4, axis=1)
    palette[:, 3] = 255
    return palette


def class_palette(colors: Sequence[str], alpha: float) -> tuple[np.ndarray, int]:
    """A palette (≤ 256, 4) with equally many entries per class, from transparent to `alpha`, and that number."""
    levels = max(1, 256 // max(len(colors), 1))
    palette = np.empty((len(colors) * levels, 4), np.uint8)
    for i, color in enumerate(colors):
        part = palette[i * levels : (i + 1) * levels]
        part[:, :3] = theme.rgb(color)
        part[:, 3] = np.linspace(0, 255 * alpha, levels).round()
    return palette, levels


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG file: length, kind, body, checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
