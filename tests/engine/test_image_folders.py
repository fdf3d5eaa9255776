"""The user's own images: what is read, and what is skipped with a reason."""

import io
import stat
import zipfile
import zlib
from collections.abc import Mapping

import numpy as np
import pytest
import torch
from PIL import Image, PngImagePlugin

from nnviz.engine import EngineError
from nnviz.engine.data import image_folders, images
from nnviz.engine.data.image_set import to_pixels
from nnviz.spec.attachments import Attachment
from nnviz.spec.data.images import ImageFolder
from tests.each import each

FILE = Attachment(sha256="0" * 64, name="mine.zip")


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def flat(level: int = 0, size: tuple[int, int] = (12, 12), mode: str = "L") -> Image.Image:
    return Image.new(mode, size, level if mode in "L1" else (level,) * len(mode))


def zipped(files: Mapping[str, bytes] | list[tuple[zipfile.ZipInfo | str, bytes]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in dict(files).items():
            archive.writestr(name, content)
    return out.getvalue()


GOOD = {f"good/{i:02d}.png": encoded(flat(20 * i)) for i in range(10)}
"""Ten images, each of one gray level."""


def built(content: bytes, seed: int = 0, **settings: object) -> images.ImageSet:
    return images.build(ImageFolder(file=FILE, **settings), seed, lambda _: content)


def levels(made: images.ImageSet) -> list[int]:
    return sorted(to_pixels(made.images)[:, 0, 0, 0].tolist())


def skipped(name: str | zipfile.ZipInfo, content: bytes) -> str:
    """Why one file among ten good ones is skipped; the good ones are read all the same."""
    made = built(zipped([*GOOD.items(), (name, content)]), size=8, color=False)
    assert levels(made) == [20 * i for i in range(10)]
    (note,) = made.notes
    assert "\n" not in note
    return note


def test_images_are_read_in_gray_and_color_at_each_size_and_unlabeled():
    for size, color in ((8, True), (16, False), (32, True), (64, False)):
        made = built(zipped(GOOD), size=size, color=color)
        assert made.images.shape == (10, 3 if color else 1, size, size)
        assert made.images.dtype == torch.float32
        assert levels(made) == [20 * i for i in range(10)]
        assert made.labels.tolist() == [0] * 10
        assert (made.class_names, made.notes) == ((), ())


def test_the_same_seed_gives_the_same_order_and_as_many_images_as_asked_for():
    content = zipped({f"{i}.png": encoded(flat(i)) for i in range(40)})
    first, again, other = built(content, 1, count=15), built(content, 1, count=15), built(content, 2, count=15)
    assert torch.equal(first.images, again.images)
    assert len(first.images) == 15
    assert levels(first) != levels(other)


def test_the_middle_square_is_taken():
    pixels = np.zeros((16, 48), np.uint8)
    pixels[:, 16:32] = 200
    made = built(zipped({f"{i}.png": encoded(Image.fromarray(pixels)) for i in range(10)}), size=16, color=False)
    assert to_pixels(made.images).unique().tolist() == [200]


def test_orientation_transparency_palette_and_one_bit_are_understood():
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90° clockwise
    pixels = np.zeros((16, 16), np.uint8)
    pixels[8:] = 255
    turned = encoded(Image.fromarray(pixels), "JPEG", exif=exif, quality=95)
    made = built(zipped({f"{i}.jpg": turned for i in range(10)}), size=16, color=False)
    assert float(made.images[..., :6].mean()) > 0.9, "the bottom is now on the left"
    assert float(made.images[..., 10:].mean()) < -0.9
    for image, level in (
        (Image.new("RGBA", (9, 9), (0, 0, 0, 0)), 255),
        (Image.new("LA", (9, 9), (90, 255)), 90),
        (Image.new("1", (9, 9), 1), 255),
        (flat(51, mode="RGB").convert("P"), 51),
    ):
        made = built(zipped({f"{i}.png": encoded(image) for i in range(10)}), size=8, color=True)
        assert abs(levels(made)[0] - level) <= 3, image.mode


def huge() -> bytes:
    """A PNG that says that it has 20,000 × 20,000 pixels."""
    content = bytearray(encoded(flat()))
    content[16:24] = (20_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    return bytes(content)


def link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("link.png")
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))


@each(
    "name, content, reason",
    [
        ("half.jpg", encoded(NOISE, "JPEG")[:2000], "half.jpg: cannot be decoded (image file is truncated"),
        ("half.png", encoded(NOISE)[:2000], "half.png: cannot be decoded ("),
        ("dot.png", encoded(flat(size=(1, 1))), "dot.png: 1 × 1 pixels, each side must have 8 to 10,000"),
        ("ink.jpg", encoded(flat(mode="CMYK"), "JPEG"), "ink.jpg: color mode CMYK, must be gray or RGB"),
        ("deep.png", encoded(Image.new("I;16", (9, 9))), "deep.png: color mode I;16, must be gray or RGB"),
        ("huge.png", huge(), "huge.png: too many pixels, each side must have 8 to 10,000"),
        ("wide.png", encoded(flat(size=(20_000, 8))), "wide.png: 20,000 × 8 pixels, each side must"),
        ("text.png", b"no image at all\n", "text.png: neither PNG nor JPEG"),
        ("none.png", b"", "none.png: neither PNG nor JPEG"),
        ("moving.gif", encoded(flat(), "GIF"), "moving.gif: neither PNG nor JPEG"),
        ("page.svg", b"<svg/>", "page.svg: neither PNG nor JPEG"),
        (link(), b"/etc/passwd", "link.png: a link, not a file"),
        ("../up.png", encoded(flat()), "../up.png: its name leads out of the folder"),
        ("a/../../up.png", encoded(flat()), "a/../../up.png: its name leads out of the folder"),
        ("/etc/up.png", encoded(flat()), "/etc/up.png: its name leads out of the folder"),
        ("C:\\up.png", encoded(flat()), "C:\\up.png: its name leads out of the folder"),
        ("more.zip", zipped(GOOD), "more.zip: a zip inside the zip"),
        ("name\n\x1b[31m.png", b"", "name??[31m.png: neither PNG nor JPEG"),
    ],
)
def test_what_is_no_usable_image_is_skipped_with_the_reason(name, content, reason):
    assert skipped(name, content).startswith(reason)


def test_encrypted_and_damaged_files_are_skipped():
    content = bytearray(zipped([*GOOD.items(), ("zz.png", encoded(flat(7)))]))
    entry = content.rfind(b"PK\x01\x02")
    content[entry + 8] |= 1
    assert built(bytes(content)).notes == ("zz.png: encrypted",)
    content = bytearray(zipped([*GOOD.items(), ("zz.png", encoded(NOISE))]))
    at = content.find(b"IDAT") + 100
    content[at] ^= 0xFF
    (note,) = [note for note in built(bytes(content)).notes if "zz.png" in note] or [""]
    assert not note  # IDAT of the first image was hit, not of this one
    content = bytearray(zipped([*GOOD.items(), ("zz.png", encoded(NOISE))]))
    content[content.rfind(b"IDAT") + 100] ^= 0xFF
    assert built(bytes(content)).notes[0].startswith("zz.png: cannot be unpacked (Bad CRC-32")


def test_files_that_grow_when_unpacked_are_not_unpacked():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in GOOD.items():
            archive.writestr(name, content)
        archive.writestr("bomb.png", bytes(60_000_000))
    made = built(out.getvalue())
    assert made.notes == ("bomb.png: 60,000,000 bytes, an image must have at most 50,000,000",)
    assert len(made.images) == 10


def test_a_damaged_text_chunk_is_no_way_around_the_limits():
    info = PngImagePlugin.PngInfo()
    info.add_text("comment", "x" * 3_000_000, zip=True)
    note = skipped("text.png", encoded(flat(), pnginfo=info))
    assert note.startswith("text.png: cannot be decoded (Decompressed data too large")


def test_what_file_managers_add_is_skipped_without_a_note():
    extra = {"__MACOSX/good/._00.png": b"x", "good/.DS_Store": b"x", "good/Thumbs.db": b"x", "good/": b""}
    made = built(zipped(GOOD | extra))
    assert (len(made.images), made.notes) == (10, ())


def test_of_many_entries_the_first_are_read_and_many_notes_are_counted(monkeypatch):
    monkeypatch.setattr(image_folders, "MOST_ENTRIES", 200)
    with pytest.raises(EngineError, match=r"must have at least 10 images that can be used, got 0: 810 files after the"):
        built(zipped([*((f"{i:06d}.txt", b"") for i in range(1000)), *GOOD.items()]))
    made = built(zipped([*GOOD.items(), *((f"z{i:06d}.txt", b"") for i in range(1000))]), count=100)
    assert len(made.images) == 10
    assert made.notes[0] == "810 files after the first 200 by name: not read"
    assert len(made.notes) == 51
    assert made.notes[-1] == "and 141 more files were skipped"


@each(
    "content, rule",
    [
        (b"", "must be a zip of PNG or JPEG images, got File is not a zip file"),
        (encoded(flat()), "must be a zip of PNG or JPEG images, got File is not a zip file"),
        (zipped(GOOD)[:-30], "must be a zip of PNG or JPEG images, got File is not a zip file"),
        (zipped({}), "must have at least 10 images that can be used, got 0; choose another file"),
        (zipped({"a.txt": b"a"}), "got 0: a.txt: neither PNG nor JPEG; choose another file"),
        (
            zipped(GOOD)[:-10] + (30_000_000).to_bytes(4, "little") + bytes(6),
            "got a list of entries of 30,000,000 bytes, at most 20,000,000 are read; choose another file",
        ),
    ],
)
def test_a_file_without_usable_images_is_refused_in_one_line(content, rule):
    with pytest.raises(EngineError) as refused:
        built(content)
    line = str(refused.value)
    assert rule in line
    assert line.startswith("file 'mine.zip' (SHA-256 000000000000…) must ")
    assert "\n" not in line


def test_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    built(zipped([*GOOD.items(), ("../up.png", encoded(flat())), (link(), b"/etc/passwd")]))
    assert list(tmp_path.rglob("*")) == []
