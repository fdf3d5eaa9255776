"""The user's own images in a zip. Nothing is written to disk, and nothing outside the zip is read."""

import io
import stat
import struct
import warnings
import zipfile

import numpy as np
import torch
from torch import Tensor

from nnviz.engine.data.image_set import from_pixels
from nnviz.engine.device import EngineError
from nnviz.spec.attachments import Attachment
from nnviz.spec.data import images as spec

MODES = ("1", "L", "LA", "P", "RGB", "RGBA")
"""Pillow's color modes that are taken: gray, palette or RGB, with or without transparency."""

LEAST_SIDE, LARGEST_SIDE = 8, 10_000
"""Pixels along a side."""

SIDES = f"each side must have {LEAST_SIDE} to {LARGEST_SIDE:,}"

LARGEST_FILE, LARGEST_TOTAL = 50_000_000, 1_000_000_000
"""Bytes after decompression."""

MOST_ENTRIES, LARGEST_LIST = 20_000, 20_000_000
"""Entries of a zip that are looked at; bytes of its list of entries."""

LEAST = 10
"""Images."""

NOTES = 50
"""Skipped files that are listed one by one."""

HIDDEN = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")
"""What file managers add: skipped without a note."""


class _SkippedError(Exception):
    """Why a file is no image that can be used."""


def read(data: spec.ImageFolder, content: bytes, g: torch.Generator) -> tuple[Tensor, tuple[str, ...]]:
    """Images (n, channels, size, size) in [−1, 1], and for each skipped file one line. Raises EngineError."""
    found, notes = [], []
    entries = _entries(data.file, content, notes)
    order = torch.randperm(len(entries), generator=g).tolist()
    left = LARGEST_TOTAL
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for place in order:
            if len(found) == data.count:
                break
            entry = entries[place]
            try:
                inner = _content(archive, entry, left)
                left -= len(inner)
                found.append(_pixels(inner, data))
            except _SkippedError as reason:
                notes.append(f"{_shown(entry.filename)}: {reason}")
    if len(found) < LEAST:
        why = f": {notes[0]}" if notes else ""
        raise EngineError(
            f"{data.file} must have at least {LEAST} images that can be used, got {len(found)}{why}; "
            "choose another file"
        )
    if len(notes) > NOTES:
        notes = [*notes[:NOTES], f"and {len(notes) - NOTES:,} more files were skipped"]
    return from_pixels(torch.from_numpy(np.stack(found))), tuple(notes)


def _entries(file: Attachment, content: bytes, notes: list[str]) -> list[zipfile.ZipInfo]:
    """The files of the zip in order of their names, but for hidden ones and those beyond the limit."""
    # The list of entries takes 30 times its size in memory: first how long it is, from the record at the end.
    end = content.rfind(b"PK\x05\x06", -65_557)
    size = struct.unpack_from("<I", content, end + 12)[0] if 0 <= end <= len(content) - 22 else 0
    try:
        if size > LARGEST_LIST:
            raise zipfile.BadZipFile(f"a list of entries of {size:,} bytes, at most {LARGEST_LIST:,} are read")
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            listed = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, struct.error) as error:
        raise EngineError(f"{file} must be a zip of PNG or JPEG images, got {error}; choose another file") from None
    files = [e for e in listed if not e.is_dir() and not any(part in e.filename for part in HIDDEN)]
    files.sort(key=lambda entry: entry.filename)
    if len(files) > MOST_ENTRIES:
        notes.append(f"{len(files) - MOST_ENTRIES:,} files after the first {MOST_ENTRIES:,} by name: not read")
    return files[:MOST_ENTRIES]


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int) -> bytes:
    """The content of one file. Raises _SkippedError."""
    name = entry.filename.replace("\\", "/")
    if name.startswith("/") or ":" in name or ".." in name.split("/"):
        raise _SkippedError("its name leads out of the folder")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise _SkippedError("a link, not a file")
    if entry.flag_bits & 1:
        raise _SkippedError("encrypted")
    if entry.file_size > min(LARGEST_FILE, left):
        limit = "an image must have at most" if entry.file_size > LARGEST_FILE else "what is left to read is"
        raise _SkippedError(f"{entry.file_size:,} bytes, {limit} {min(LARGEST_FILE, left):,}")
    try:
        return archive.read(entry)  # reads no more than the size that was checked
    except Exception as error:  # each compression has errors of its own
        raise _SkippedError(f"cannot be unpacked ({_line(error)})") from None


def _pixels(content: bytes, data: spec.ImageFolder) -> np.ndarray:
    """The middle square of an image, (size, size, channels) uint8; transparent parts white. Raises _SkippedError."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    if content.startswith(b"PK"):
        raise _SkippedError("a zip inside the zip")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what the checks below refuse, and of damaged metadata
            image = Image.open(io.BytesIO(content), formats=("PNG", "JPEG"))
            _check(image.mode, image.size)
            image.draft(None, (2 * data.size, 2 * data.size))  # a JPEG is decoded at a fraction of its size
            image = ImageOps.exif_transpose(image)
            if image.has_transparency_data:
                image = image.convert("RGBA")
                image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
            image = image.convert("RGB" if data.color else "L")
            square = ImageOps.fit(image, (data.size, data.size), Image.Resampling.LANCZOS)
    except (_SkippedError, MemoryError):
        raise
    except Image.DecompressionBombError:
        raise _SkippedError(f"too many pixels, {SIDES}") from None
    except UnidentifiedImageError:
        raise _SkippedError("neither PNG nor JPEG") from None
    except Exception as error:  # a decoder may raise anything on damaged bytes
        raise _SkippedError(f"cannot be decoded ({_line(error)})") from None
    return np.asarray(square).reshape(data.size, data.size, -1)


def _check(mode: str, size: tuple[int, int]) -> None:
    if min(size) < LEAST_SIDE or max(size) > LARGEST_SIDE:
        raise _SkippedError(f"{size[0]:,} × {size[1]:,} pixels, {SIDES}")
    if mode not in MODES:
        raise _SkippedError(f"color mode {mode}, must be gray or RGB with 8 bits a channel")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:80] or type(error).__name__


def _shown(name: str) -> str:
    """The end of a file's name, on one line."""
    line = "".join(c if c.isprintable() else "?" for c in name)
    return line if len(line) <= 60 else f"…{line[-59:]}"
