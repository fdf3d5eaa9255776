"""Data sets: shapes, labels, geometry without noise, splits, streams, standardization."""

import math

import numpy as np
import pytest
import torch
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine

from nnviz.engine import data
from nnviz.engine.data.toys import curve_value, hills_value
from nnviz.spec import data as spec
from nnviz.spec import shapes
from tests.each import each
from tests.spec.options import families, some

EVERY = list(families()["data"].values())
every_set = each("cls", EVERY)


@every_set
@each("seed", range(3))
def test_shapes_types_and_split_are_what_the_spec_says(cls, seed):
    chosen = some(cls, seed)
    made = data.build(chosen, seed)
    assert made.inputs.shape == (chosen.points, *chosen.shape)
    assert made.inputs.dtype == torch.float32
    assert bool(made.inputs.isfinite().all())
    assert made.targets.shape == made.test.shape == (chosen.points,)
    assert made.targets.dtype == (torch.int64 if chosen.classes else torch.float32)
    assert len(made.class_names) == chosen.classes
    assert len(made.feature_names) == shapes.numbers(chosen.shape)
    assert int((~made.test).sum()) == round(chosen.points * chosen.train_fraction)
    assert len(made.part(test=True)[0]) + len(made.part(test=False)[0]) == chosen.points
    if chosen.classes:
        assert int(made.targets.min()) >= 0
        assert int(made.targets.max()) < chosen.classes


@every_set
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(cls):
    torch.manual_seed(1)
    first = data.build(cls(), 4).arrays()
    torch.manual_seed(2)
    again, other = data.build(cls(), 4).arrays(), data.build(cls(), 5).arrays()
    assert all(first[name].tobytes() == again[name].tobytes() for name in first)
    assert first["inputs"].tobytes() != other["inputs"].tobytes()


@every_set
def test_arrays_are_plain_and_read_back_the_set(cls):
    made = data.build(cls(), 0)
    arrays = made.arrays()
    names = {"inputs", "targets", "test", "feature_names", "class_names"}
    assert set(arrays) == names | {"input_mean", "input_std", "target_mean", "target_std"}
    assert all(a.dtype.kind in "fibU" for a in arrays.values())
    assert arrays["inputs"].dtype == np.float32
    assert arrays["input_mean"].shape == arrays["input_std"].shape == cls.shape


@every_set
def test_another_fraction_moves_points_between_the_parts_and_changes_none(cls):
    less, more = (data.build(cls(train_fraction=s), 0) for s in (0.3, 0.8))
    if cls in (spec.Digits, spec.Iris, spec.Wine, spec.BreastCancer, spec.Diabetes):
        assert bool((less.targets == more.targets).all()) or cls is spec.Diabetes  # standardized by another part
    else:
        assert torch.equal(less.inputs, more.inputs)
        assert torch.equal(less.targets, more.targets)
    assert bool((more.test <= less.test).all())


@each("cls", [c for c in EVERY if c().classes and "noise" in c.model_fields])
def test_classes_of_toys_are_about_even_in_both_parts(cls):
    made = data.build(cls(points=4000), 0)
    for part in (True, False):
        counts = torch.bincount(made.part(test=part)[1], minlength=cls().classes).double()
        assert float(counts.max() / counts.min()) < 1.4


def noiseless(chosen, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x and y coordinates and targets without noise."""
    made = data.build(chosen, seed)
    inputs = made.inputs.numpy().astype(float)
    return inputs[:, 0], inputs[:, -1], made.targets.numpy()


def test_moons_without_noise_are_half_circles_through_one_another():
    x, y, label = noiseless(spec.Moons(noise=0))
    sign = 1 - 2.0 * label
    np.testing.assert_allclose(np.hypot(sign * x + 0.5, sign * y + 0.25), 1, atol=1e-6)
    assert bool((sign * y >= -0.25 - 1e-6).all())


def test_circles_without_noise_have_radius_1_and_a_half():
    x, y, label = noiseless(spec.Circles(noise=0))
    np.testing.assert_allclose(np.hypot(x, y), np.where(label, 0.5, 1), atol=1e-6)


@pytest.mark.parametrize(("arms", "turns"), [(2, 0.75), (3, 0.1), (5, 3)])
def test_spirals_without_noise_turn_with_their_radius(arms, turns):
    x, y, label = noiseless(spec.Spirals(arms=arms, turns=turns, noise=0))
    radius = np.hypot(x, y)
    assert radius.max() <= 1 + 1e-6
    phase = np.arctan2(y, x) - 2 * math.pi * (label / arms + turns * radius)
    off = (phase + math.pi) % (2 * math.pi) - math.pi
    assert np.abs(off * radius).max() < 1e-5


@pytest.mark.parametrize("centers", [2, 4, 10])
def test_blobs_without_noise_are_points_on_a_circle_of_radius_2(centers):
    x, y, label = noiseless(spec.Blobs(centers=centers, noise=0))
    angle = 2 * math.pi * label / centers
    np.testing.assert_allclose(x + 1j * y, 2 * np.exp(1j * angle), atol=1e-6)


def test_xor_without_noise_is_the_sign_of_the_product_with_a_gap_at_the_axes():
    x, y, label = noiseless(spec.XOR(noise=0, points=5000))
    assert np.array_equal(label, (x * y < 0).astype(int))
    assert min(np.abs(x).min(), np.abs(y).min()) >= 0.05 - 1e-6
    assert max(np.abs(x).max(), np.abs(y).max()) <= 1
    quadrants = np.bincount(2 * (x > 0) + (y > 0), minlength=4)
    assert quadrants.min() > 1100


@pytest.mark.parametrize("squares", [2, 4, 7, 10])
def test_checkerboard_without_noise_alternates(squares):
    x, y, label = noiseless(spec.Checkerboard(squares=squares, points=5000))
    cells = [np.floor((v + 1) / 2 * squares).astype(int) for v in (x, y)]
    assert np.array_equal(label, (cells[0] + cells[1]) % 2)
    assert {c.max() for c in cells} == {squares - 1}


CURVES = {
    "sine": lambda x: np.sin(2 * np.pi * x),
    "step": np.sign,
    "absolute": np.abs,
    "cubic": lambda x: 4 * x**3 - 3 * x,
    "sinc": lambda x: np.sinc(4 * x),
    "line": lambda x: x,
}


@each("function", CURVES)
def test_curves_without_noise_are_their_function(function):
    x, _, y = noiseless(spec.Curve(function=function, noise=0))
    np.testing.assert_allclose(y, CURVES[function](x), atol=2e-6)
    assert np.abs(x).max() <= 1
    assert set(CURVES) == set(spec.Curve.model_fields["function"].annotation.__args__)


HILLS = {
    "plane": lambda x, y: x + y,
    "saddle": lambda x, y: x**2 - y**2,
    "hills": lambda x, y: (
        np.exp(-((x - 0.4) ** 2 + (y - 0.4) ** 2) / 0.12) - np.exp(-((x + 0.4) ** 2 + (y + 0.4) ** 2) / 0.12)
    ),
    "ripples": lambda x, y: np.sinc(2 * np.hypot(x, y)),
}


@pytest.mark.parametrize("function", HILLS)
def test_hills_without_noise_are_their_function(function):
    x, y, z = noiseless(spec.Hills(function=function, noise=0))
    np.testing.assert_allclose(z, HILLS[function](x, y), atol=2e-6)
    assert set(HILLS) == set(spec.Hills.model_fields["function"].annotation.__args__)


def test_an_unknown_function_is_named():
    with pytest.raises(ValueError, match="no curve 'x'"):
        curve_value("x", torch.zeros(1))
    with pytest.raises(ValueError, match="no surface 'x'"):
        hills_value("x", torch.zeros(1), torch.zeros(1))


@pytest.mark.parametrize("noise", [0.1, 0.5])
def test_noise_has_the_deviation_that_is_said(noise):
    clean, noisy = (
        data.build(spec.Circles(noise=0, points=20_000), 0),
        data.build(spec.Circles(noise=noise, points=20_000), 0),
    )
    assert float((noisy.inputs - clean.inputs).std()) == pytest.approx(noise, rel=0.02)
    clean, noisy = (
        data.build(spec.Curve(noise=0, points=20_000), 0),
        data.build(spec.Curve(noise=noise, points=20_000), 0),
    )
    assert torch.equal(clean.inputs, noisy.inputs)
    assert float((noisy.targets - clean.targets).std()) == pytest.approx(noise, rel=0.02)


@pytest.mark.parametrize("cls", [spec.Iris, spec.Wine, spec.BreastCancer, spec.Diabetes], ids=lambda c: c.__name__)
def test_real_inputs_are_standardized_by_the_training_part_alone(cls):
    x, y = data.build(cls(), 3).part(test=False)
    torch.testing.assert_close(x.mean(0), torch.zeros(x.shape[1]), atol=1e-5, rtol=0)
    torch.testing.assert_close(x.std(0), torch.ones(x.shape[1]), atol=1e-4, rtol=0)
    assert float(data.build(cls(), 3).part(test=True)[0].mean(0).abs().max()) > 1e-3
    if cls is spec.Diabetes:
        assert float(y.mean()) == pytest.approx(0, abs=1e-5)
        assert float(y.std()) == pytest.approx(1, abs=1e-5)


def test_digits_share_one_mean_and_deviation_and_stay_in_proportion():
    made = data.build(spec.Digits(), 0)
    x = made.part(test=False)[0]
    assert float(x.mean()) == pytest.approx(0, abs=1e-4)
    assert float(x.std()) == pytest.approx(1, abs=1e-4)
    assert len(torch.unique(made.inputs.round(decimals=4))) == 17  # gray levels 0 … 16
    assert len(data.build(spec.Digits(points=300), 0).inputs) == 300


def test_targets_are_those_of_scikit_learn_in_another_order():
    for cls, load in ((spec.Iris, load_iris), (spec.Wine, load_wine)):
        counts = torch.bincount(data.build(cls(), 0).targets).tolist()
        assert counts == np.bincount(load().target).tolist()


def test_the_scale_that_is_kept_gives_back_the_original_numbers():
    for cls, load in (
        (spec.Iris, load_iris()),
        (spec.Wine, load_wine()),
        (spec.BreastCancer, load_breast_cancer()),
        (spec.Digits, load_digits()),
        (spec.Diabetes, load_diabetes(scaled=False)),
    ):
        arrays = data.build(cls(), 3).arrays()
        inputs = arrays["inputs"] * arrays["input_std"] + arrays["input_mean"]
        inputs = inputs.reshape(len(inputs), -1)
        np.testing.assert_allclose(np.sort(inputs, axis=0), np.sort(load.data, axis=0), rtol=1e-4, atol=1e-4)
        if cls is spec.Diabetes:
            targets = arrays["targets"] * arrays["target_std"] + arrays["target_mean"]
            np.testing.assert_allclose(np.sort(targets), np.sort(load.target), rtol=1e-5)
        else:
            assert (arrays["target_mean"], arrays["target_std"]) == (0, 1)
    toy = data.build(spec.Moons(), 0).arrays()
    assert toy["input_mean"].tolist() == [0, 0]
    assert toy["input_std"].tolist() == [1, 1]
