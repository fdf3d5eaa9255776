"""Sets of images: sizes, ranges, seeds, classes; what is drawn is what its label says; OpenML with and without a
network."""

import ast
import urllib.error
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from nnviz.engine import EngineError
from nnviz.engine.announcements import heard_by
from nnviz.engine.data import images
from nnviz.engine.data.image_set import from_pixels, to_pixels
from nnviz.spec.data import images as spec
from tests.each import each

GENERATED = (spec.DigitImages(), spec.Shapes(count=100), spec.Shapes(count=100, color=False), spec.Glyphs(count=100))


@each("data", GENERATED)
@each("size", (8, 16, 32, 64))
def test_images_have_the_shape_range_and_classes_of_their_spec(data, size):
    data = data.model_copy(update={"size": size})
    made = images.build(data, 0)
    assert made.images.shape == (data.count, *data.shape)
    assert data.shape == (3 if getattr(data, "color", False) else 1, size, size)
    assert made.images.dtype == torch.float32
    assert float(made.images.min()) >= -1
    assert float(made.images.max()) <= 1
    assert made.labels.dtype == torch.int64
    assert made.labels.unique().tolist() == list(range(data.classes))
    assert len(made.class_names) == data.classes
    # White on black: every image has something to see, and its corners together little.
    assert float(made.images.amax((1, 2, 3)).min()) > -0.6
    assert float(made.images[..., [0, 0, -1, -1], [0, -1, 0, -1]].mean()) < -0.8


@each("data", GENERATED)
def test_the_same_seed_gives_the_same_bits_and_another_seed_others(data):
    torch.manual_seed(1)
    first = images.build(data, 4)
    torch.manual_seed(2)
    again, other = images.build(data, 4), images.build(data, 5)
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.labels, again.labels)
    assert not torch.equal(first.images, other.images)


def test_digits_of_8_pixels_are_those_of_scikit_learn():
    made, known = images.build(spec.DigitImages(), 0), load_digits()
    found = {
        ((image + 1) * 8).numpy().tobytes(): int(label) for image, label in zip(made.images, made.labels, strict=True)
    }
    assert all(
        found[image.astype(np.float32).tobytes()] == label
        for image, label in zip(known.images, known.target, strict=True)
    )


def test_larger_digits_keep_the_gray_of_the_small_ones():
    small, large = images.build(spec.DigitImages(), 3), images.build(spec.DigitImages(size=32), 3)
    assert torch.equal(small.labels, large.labels)
    pooled = torch.nn.functional.avg_pool2d(large.images, 4)
    assert float((pooled - small.images).abs().mean()) < 0.15


def test_shapes_have_the_corners_of_their_class_and_lie_inside_the_image():
    made = images.build(spec.Shapes(size=64, count=150, color=False), 1)
    level = (made.images[:, 0] + 1) / (made.images.amax((1, 2, 3)) + 1)[:, None, None]  # 0 … 1
    area = level.sum((1, 2))
    # √det Σ / area, Σ the covariance of its points, is the same for all triangles, parallelograms, or ellipses: and
    # another one where a part is cut off.
    at = (torch.arange(64) + 0.5).double()
    mass = level.double() / area.double()[:, None, None]
    x, y = (mass.sum(1) * at).sum(1), (mass.sum(2) * at).sum(1)
    xx, yy = (mass.sum(1) * at**2).sum(1) - x**2, (mass.sum(2) * at**2).sum(1) - y**2
    xy = torch.einsum("nij,i,j->n", mass, at, at) - x * y
    ratio = (xx * yy - xy**2).sqrt() / area
    for label, expected in enumerate((1 / (6 * 3**0.5), 1 / 12, 1 / (4 * torch.pi))):
        own = ratio[made.labels == label]
        assert float((own / expected - 1).abs().max()) < 0.015, made.class_names[label]


def test_the_smallest_shape_takes_the_fraction_of_the_image_that_it_should():
    for smallest in (0.4, 0.7, 0.9):
        made = images.build(spec.Shapes(size=64, count=300, color=False, smallest=smallest), 1)
        seen = made.images[:, 0] > made.images.amax((1, 2, 3), keepdim=True)[:, 0] / 2 - 0.5
        extent = torch.maximum(seen.any(1).sum(1), seen.any(2).sum(1)) / 64
        assert smallest - 0.03 < float(extent.min()) < smallest + 0.04, smallest
        assert 0.9 < float(extent.max()) < 0.97, smallest


def test_gray_shapes_are_the_colored_ones_in_place_and_size():
    gray = images.build(spec.Shapes(count=100, color=False), 2)
    assert gray.images.shape[1] == 1
    colored = images.build(spec.Shapes(count=100), 2)
    assert float((colored.images.amax(1) - colored.images.amin(1)).amax((1, 2)).min()) > 0.3


def test_glyphs_without_distortion_are_equal_within_a_class_and_differ_between_classes():
    made = images.build(spec.Glyphs(count=200, distortion=0, characters="digits and letters"), 0)
    firsts = [made.images[made.labels == label] for label in range(36)]
    assert all(torch.equal(own, own[:1].expand_as(own)) for own in firsts)
    assert len({own[0].numpy().tobytes() for own in firsts}) == 36
    distorted = images.build(spec.Glyphs(count=200, distortion=1), 0)
    own = distorted.images[distorted.labels == 0]
    assert len({image.numpy().tobytes() for image in own}) == len(own)


def test_pixels_are_the_inverse_of_images():
    pixels = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16, 1)
    assert torch.equal(to_pixels(from_pixels(pixels)), pixels)
    outside = torch.tensor([-2.0, 0.0, 2.0, torch.nan]).reshape(4, 1, 1, 1)
    assert to_pixels(outside).flatten().tolist() == [0, 128, 255, 0]


@pytest.fixture
def data_home(tmp_path, monkeypatch):
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    return tmp_path


def test_mnist_is_downloaded_once_and_kept(data_home, monkeypatch):
    asked = []

    def fetch(name, **_):
        asked.append(name)
        table = np.zeros((70_000, 784))
        table[:, 0] = np.arange(70_000) % 256
        return SimpleNamespace(data=table, target=(np.arange(70_000) % 256 % 10).astype(str))

    monkeypatch.setattr("sklearn.datasets.fetch_openml", fetch)
    first = images.build(spec.MNIST(count=200), 0)
    assert first.images.shape == (200, 1, 32, 32)
    pixel = ((first.images[:, 0, 2, 2] + 1) * 127.5).round().long()  # of 28 × 28 the first, after an edge of 2
    assert torch.equal(pixel % 10, first.labels)
    assert float(first.images[:, :, :2].max()) == -1
    again = images.build(spec.MNIST(count=200), 0)
    assert torch.equal(first.images, again.images)
    assert images.build(spec.MNIST(count=300, size=8), 0).images.shape == (300, 1, 8, 8)
    assert images.build(spec.MNIST(count=300, size=64), 0).images.shape == (300, 1, 64, 64)
    assert asked == ["mnist_784"]

    path = next(data_home.rglob("mnist.npz"))
    path.write_bytes(path.read_bytes()[:1000])
    images.build(spec.MNIST(count=200), 0)
    assert asked == ["mnist_784"] * 2, "a damaged copy is downloaded again"


@pytest.mark.usefixtures("data_home")
def test_a_download_is_announced_while_it_lasts_and_a_kept_copy_is_not(monkeypatch):
    lines = []

    def fetch(*_, **__):
        lines.append("…")
        return SimpleNamespace(data=np.zeros((70_000, 784)), target=np.arange(70_000) % 10)

    monkeypatch.setattr("sklearn.datasets.fetch_openml", fetch)
    with heard_by(lines.append):
        images.build(spec.MNIST(count=100), 0)
        images.build(spec.MNIST(count=100), 1)
    said = "downloading MNIST from OpenML (about 15 MB, once; no progress is available)"
    assert lines == [said, "…", ""]


def refused(kind: type, fetch, monkeypatch) -> str:
    monkeypatch.setattr("sklearn.datasets.fetch_openml", fetch)
    with pytest.raises(EngineError) as problem:
        images.build(kind(), 0)
    line = str(problem.value)
    assert "\n" not in line
    return line


@pytest.mark.usefixtures("data_home")
def test_without_a_network_one_line_says_what_to_do(monkeypatch):
    def raising(error):
        def fetch(*_, **__):
            raise error

        return fetch

    unknown = urllib.error.URLError(OSError(-2, "Name or service not known"))
    line = refused(spec.FashionMNIST, raising(unknown), monkeypatch)
    assert line == (
        "Fashion-MNIST must be downloaded from openml.org once, got Name or service not known: connect this machine, "
        "or choose digits, shapes or glyphs, which need no download"
    )
    assert "got TimeoutError" in refused(spec.MNIST, raising(TimeoutError()), monkeypatch)
    assert "got No space left" in refused(spec.MNIST, raising(OSError(28, "No space left on device")), monkeypatch)
    wrong = refused(spec.MNIST, raising(ValueError("md5 checksum\nof the file")), monkeypatch)
    assert wrong.endswith("got md5 checksum of the file: try again")
    short = lambda *_, **__: SimpleNamespace(data=np.zeros((5, 784)), target=np.zeros(5))  # noqa: E731
    assert "got a table of (5, 784)" in refused(spec.MNIST, short, monkeypatch)


def test_pillow_and_scikit_learn_are_imported_when_they_are_needed():
    files = list(Path(images.__file__).parent.glob("*.py"))
    assert len(files) > 5
    for file in files:
        for node in ast.parse(file.read_text()).body:
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", "")]
            assert not {str(name).split(".")[0] for name in names} & {"PIL", "sklearn"}, file.name
