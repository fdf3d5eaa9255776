"""Pictures and measures of generated images, against brute force and planted samples."""

import numpy as np
import pytest
import torch
from torch import nn

from nnviz.engine import image_classifier
from nnviz.engine.data import images
from nnviz.engine.data.image_set import to_pixels
from nnviz.engine.learners.adversarial import AdversarialLearning
from nnviz.engine.randomness import generator
from nnviz.engine.snapshots import image_quality
from nnviz.engine.snapshots.image_snapshots import interpolated
from nnviz.records import Record, Scalar
from nnviz.spec.data.images import DigitImages, ImageFolder
from tests.engine.test_image_folders import FILE, GOOD, zipped
from tests.engine.test_image_learner import learner, learning

GLYPHS = {"kind": "glyphs", "size": 8, "count": 400, "characters": "digits and letters"}


class Planted(nn.Module):
    """A generator that returns images in turn."""

    def __init__(self, drawn: torch.Tensor) -> None:
        super().__init__()
        self.drawn, self.place = drawn, 0

    def forward(self, noise: torch.Tensor) -> torch.Tensor:
        """As many as there is noise."""
        index = torch.arange(self.place, self.place + len(noise)) % len(self.drawn)
        self.place += len(noise)
        return self.drawn[index]


def evaluated(made: object, planted: torch.Tensor | None = None) -> dict[tuple[str, str], Record]:
    """Records of an evaluation by quantity and site, of these images in place of generated ones."""
    if planted is not None:
        made.generator = Planted(planted)
    return {(r.quantity, r.site): r for r in made.evaluate(3)}


def digits(*without: int) -> torch.Tensor:
    """Images without some classes."""
    found = images.build(DigitImages(), 0)
    return found.images[~torch.isin(found.labels, torch.tensor(without))]


def test_pixel_discrepancy_is_that_of_a_plain_double_sum():
    real, others = torch.randn(7, 1, 3, 3, dtype=torch.float64), torch.randn(5, 1, 3, 3, dtype=torch.float64) + 1

    def squared(a: torch.Tensor, b: torch.Tensor) -> float:
        return float((a - b).square().sum())

    pairs = [squared(a, b) for i, a in enumerate(real) for j, b in enumerate(real) if i != j]
    median = sorted(pairs)[(len(pairs) - 1) // 2]

    def mean(first: torch.Tensor, second: torch.Tensor, skip: bool) -> float:
        values = [
            np.mean([np.exp(-squared(a, b) / (2 * median * width**2)) for width in (0.5, 1, 2)])
            for i, a in enumerate(first)
            for j, b in enumerate(second)
            if not (skip and i == j)
        ]
        return float(np.mean(values))

    expected = mean(real, real, True) + mean(others, others, True) - 2 * mean(real, others, False)
    assert image_quality.PixelDiscrepancy(real).of(others) == pytest.approx(expected)


def test_lost_modes_raise_the_discrepancy_over_what_two_sets_of_real_images_give():
    for seed in range(4):
        found = images.build(DigitImages(), seed)
        reference = image_quality.PixelDiscrepancy(found.images[:200])
        rest, labels = found.images[200:], found.labels[200:]
        floors = [reference.of(rest[begin : begin + 200]) for begin in (0, 200, 400)]
        five, one = (reference.of(rest[labels < kept][:200]) for kept in (5, 1))
        single = reference.of(rest[:1].expand(200, -1, -1, -1))
        assert max(map(abs, floors)) < 0.003, (seed, floors)
        assert 0.005 < five < 0.05, (seed, "five of ten classes")
        assert 0.15 < one < single, (seed, "one class, and one image again and again")


def test_without_labels_the_discrepancy_is_the_main_metric_and_is_recorded_with_its_floor():
    data = ImageFolder(file=FILE, size=8, color=False)
    made = AdversarialLearning(
        learner(data=data.model_dump(), conditional="none"), 0, 10, torch.device("cpu"), lambda _: zipped(GOOD)
    )
    assert (made.metric.quantity, made.metric.higher_is_better) == ("pixel_discrepancy", False)
    found = {(r.quantity, r.site): r.value for r in [*made.begin(), *made.evaluate(0)] if isinstance(r, Scalar)}
    assert np.isfinite(found["pixel_discrepancy", "real"])
    assert found["pixel_discrepancy", "generated"] > 0.05, "an untrained generator"


def test_missing_classes_are_named_and_counted():
    made = learning(conditional="none")
    for without in ((), (3,), (0, 4, 9)):
        found = evaluated(made, digits(*without))
        arrays = found["class_histogram", ""].arrays
        assert np.flatnonzero(arrays["missing"]).tolist() == list(without)
        assert found["classes_covered", "generated"].value == 10 - len(without)
        assert arrays["generated"].sum() == pytest.approx(1)
        assert arrays["class_names"].tolist() == [str(c) for c in range(10)]
        assert np.allclose(arrays["real"], 0.1, atol=0.01)
        assert found["confident_fraction", "generated"].value > 0.85
        assert found["nearest_distance", "generated"].value == 0, "they are real ones"


def test_the_class_histogram_is_that_of_each_image_by_itself():
    made = learning(conditional="none")
    found = evaluated(made)["class_histogram", ""].arrays
    pictures, classifier = made.space.pictures, made.space.pictures._classifier
    with torch.no_grad():
        samples = [made.generator.eval()(z[None]) for z in pictures.noise[:200]]
    counts = np.zeros(10)
    for image in samples:
        counts[int(classifier.probabilities(image)[0].argmax())] += 1
    assert np.allclose(found["generated"], counts / len(samples))


def test_nearest_neighbors_are_those_of_brute_force():
    made = learning()
    arrays = evaluated(made)["nearest_real", ""].arrays
    grid = evaluated(made)["sample_grid", ""].arrays["images"]
    assert np.array_equal(arrays["generated"], grid[:10])
    real = to_pixels(made.space.set.images).double()
    with torch.no_grad():
        row = made.space.pictures._made(
            made.generator.eval(), *(t[200:210] for t in (made.space.pictures.noise, made.space.pictures.labels))
        )
    for place, image in enumerate(row):
        apart = (made.space.set.images - image).square().flatten(1).mean(1).sqrt()
        nearest = real[int(apart.argmin())]
        assert np.array_equal(arrays["nearest"][place], nearest.numpy())
        assert arrays["distance"][place] == pytest.approx(float(apart.min()), rel=1e-5)
    x = made.space.set.images[: image_quality.COMPARED]
    apart = torch.cdist(x.flatten(1).double(), made.space.set.images.flatten(1).double())
    apart[range(len(x)), range(len(x))] = torch.inf
    assert arrays["typical"][0] == pytest.approx(float((apart.amin(1) / 8).median()), rel=1e-5)


def test_diversity_is_the_root_mean_square_difference_of_pairs_of_a_class():
    x, labels = torch.randn(12, 1, 2, 2, generator=generator(0, "test")), torch.tensor([0] * 5 + [1] * 6 + [2])
    squares = [[], [], []]
    for i in range(12):
        for j in range(12):
            if i != j and labels[i] == labels[j]:
                squares[labels[i]].append(float((x[i] - x[j]).square().mean()))
    expected = (5 * np.mean(squares[0]) + 6 * np.mean(squares[1])) / 11
    assert image_quality.diversity(x, labels) == pytest.approx(expected**0.5, rel=1e-5)
    every = [float((x[i] - x[j]).square().mean()) for i in range(12) for j in range(12) if i != j]
    assert image_quality.diversity(x, None) == pytest.approx(np.mean(every) ** 0.5, rel=1e-5)
    assert image_quality.diversity(x[:1], None) == 0


def test_one_image_for_all_noise_has_no_diversity():
    made = learning(conditional="none")
    real = {r.quantity: r.value for r in made.begin() if isinstance(r, Scalar)}
    found = evaluated(made, digits()[:1])
    assert found["diversity", "generated"].value == pytest.approx(0, abs=1e-3)
    assert found["classes_covered", "generated"].value == 1
    assert evaluated(made, digits())["diversity", "generated"].value == pytest.approx(real["diversity"], rel=0.1)


def test_the_grid_has_a_column_a_class_and_the_same_noise_each_time():
    made = learning()
    one, two = evaluated(made)["sample_grid", ""].arrays, evaluated(made)["sample_grid", ""].arrays
    assert np.array_equal(one["images"], two["images"])
    assert one["images"].shape == (100, 8, 8, 1)
    assert one["images"].dtype == np.uint8
    assert (one["labels"].reshape(10, 10) == np.arange(10)).all()
    real = made.begin()[0].arrays
    assert (real["labels"] == one["labels"]).all()
    assert len(np.unique(real["images"].reshape(100, -1), axis=0)) == 100, "no real image twice"
    noise = made.space.pictures.noise[200:].reshape(10, 10, -1)
    assert (noise == noise[:, :1]).all(), "a row has one noise"
    assert len(torch.unique(noise[:, 0], dim=0)) == 10
    few = learning(data={"kind": "shapes", "size": 8, "count": 100}).space.pictures._grid_labels
    assert few[:10].tolist() == [0, 0, 0, 0, 1, 1, 1, 2, 2, 2]
    many = learning(data=GLYPHS).space.pictures._grid_labels
    assert many[:40].tolist() == [*range(36), 0, 1, 2, 3]
    plain = learning(conditional="none").space.pictures.noise
    assert len(torch.unique(plain, dim=0)) == 300
    assert "labels" not in evaluated(learning(conditional="none"))["sample_grid", ""].arrays


def test_interpolations_go_from_one_noise_point_to_another():
    a, b = torch.tensor([3.0, 0.0]), torch.tensor([0.0, 3.0])
    along = torch.linspace(0, 1, 5)[:, None]
    arc = interpolated(a, b, along, on_sphere=True)
    assert torch.allclose(arc.norm(dim=1), torch.full((5,), 3.0))
    assert torch.allclose(arc[[0, 2, 4]], torch.stack([a, (a + b) / 2**0.5, b]), atol=1e-5)
    assert torch.allclose(interpolated(a, b, along, on_sphere=False)[2], (a + b) / 2)
    assert interpolated(a, a, along, on_sphere=True).isfinite().all()
    arrays = evaluated(learning())["interpolation", ""].arrays
    assert arrays["images"].shape == (4, 10, 8, 8, 1)
    assert arrays["labels"].tolist() == [0, 2, 5, 7]


def test_the_classifier_is_tested_on_images_that_it_has_not_seen():
    made = learning()
    found = {(r.quantity, r.site): r.value for r in made.begin() if isinstance(r, Scalar)}
    classifier = made.space.pictures._classifier
    held_out = classifier.held_out
    right = classifier.probabilities(made.space.set.images[held_out]).argmax(1) == made.space.set.labels[held_out]
    assert found["classifier_accuracy", "real"] == pytest.approx(float(right.float().mean()))
    assert found["classifier_accuracy", "real"] > 0.95
    assert len(held_out) == round(0.2 * 1797)
    assert 0.8 < found["confident_fraction", "real"] <= 1
    assert image_classifier.trained(DigitImages(), made.space.set, 0) is classifier, "trained once"


def test_labels_that_were_asked_for_are_compared_with_those_that_came():
    made = learning()
    wanted = made.space.pictures.labels
    of_class = [made.space.set.images[made.space.set.labels == c] for c in range(10)]
    right = torch.stack([of_class[c][i % 100] for i, c in enumerate(wanted.tolist())])
    assert evaluated(made, right)["label_accuracy", "generated"].value > 0.95
    assert evaluated(made, right.roll(1, 0))["label_accuracy", "generated"].value < 0.3
    assert ("label_accuracy", "generated") not in evaluated(learning(conditional="none"))


def test_samples_that_are_no_numbers_are_drawn_and_not_measured():
    made = learning()
    found = evaluated(made, torch.full((1, 1, 8, 8), torch.nan))
    assert found["sample_grid", ""].arrays["images"].shape == (100, 8, 8, 1)
    assert ("diversity", "generated") not in found
    assert ("nearest_real", "") not in found
    assert found["confident_fraction", "generated"].value == 0


def test_its_pictures_take_about_as_many_bytes_as_it_says():
    for changes in ({}, {"data": {"kind": "shapes", "size": 32, "count": 100}, "conditional": "none"}):
        made = learning(**changes)
        size = sum(a.nbytes for r in made.evaluate(0) if hasattr(r, "arrays") for a in r.arrays.values())
        assert size <= made.spec.picture <= 1.5 * size, changes
