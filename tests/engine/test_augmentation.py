"""Augmentation of training batches: what it does to inputs, and what it leaves alone."""

import pytest
import torch

from nnviz.engine import augmentation, run
from nnviz.engine.data import build
from nnviz.spec import augmentation as spec
from nnviz.spec.base import SpecError
from nnviz.spec.data import BreastCancer, Digits, Moons
from nnviz.spec.learners import Supervised
from tests.each import each
from tests.engine.short_runs import all_records, as_bytes, job, scalars

NOISE = {"learner__augmentation": {"kind": "noise", "std": 0.5}}
SHIFT = {"learner__data": {"kind": "digits", "points": 60}, "learner__augmentation": {"kind": "shift", "pixels": 2}}


@each("of", (Moons(points=100), BreastCancer(), Digits(points=60)))
def test_noise_has_its_deviation_in_units_of_the_inputs_deviation(of):
    found = build(of, 0)
    augment = augmentation.build(spec.InputNoise(std=0.3), found, 0)
    x = found.inputs[:1].repeat(20_000, *[1] * (found.inputs.dim() - 1))
    noise = augment(x, 5) - x
    train = found.part(test=False)[0]
    expected = 0.3 * (train.std() if of.shape == (1, 8, 8) else train.std(0))
    assert torch.allclose(noise.std(0), expected.expand(x.shape[1:]), rtol=0.04)
    assert noise.mean(0).abs().max() < 0.02


def test_noise_is_a_function_of_seed_and_step():
    found = build(Moons(points=100), 0)
    x = found.inputs[:10]
    first = augmentation.build(spec.InputNoise(), found, 3)
    assert torch.equal(first(x, 7), augmentation.build(spec.InputNoise(), found, 3)(x, 7))
    assert not torch.equal(first(x, 7), first(x, 8))
    assert not torch.equal(first(x, 7), augmentation.build(spec.InputNoise(), found, 4)(x, 7))


def test_each_image_is_shifted_as_a_whole_and_zeros_come_in():
    found = build(Digits(points=60), 0)
    zero = -float(found.input_scale.mean[0, 0, 0] / found.input_scale.std[0, 0, 0])
    augment = augmentation.build(spec.RandomShift(pixels=2), found, 0)
    x = found.inputs[:40]
    seen, shifts = set(), [(down, right) for down in range(-2, 3) for right in range(-2, 3)]
    for before, after in zip(x, augment(x, 1), strict=True):
        matches = [shift for shift in shifts if torch.allclose(after, moved(before, *shift, zero))]
        assert len(matches) == 1
        seen.update(matches)
    assert {i for i, _ in seen} == {j for _, j in seen} == set(range(-2, 3))


def moved(image: torch.Tensor, down: int, right: int, fill: float) -> torch.Tensor:
    """The image shifted, pixel by pixel."""
    out = torch.full_like(image, fill)
    for row in range(8):
        for column in range(8):
            if 0 <= row + down < 8 and 0 <= column + right < 8:
                out[:, row + down, column + right] = image[:, row, column]
    return out


@each("changes", (NOISE, SHIFT))
def test_batches_alone_are_augmented_and_a_resumed_run_has_the_same_bits(changes):
    chosen, plain = job(**changes), job(**{k: v for k, v in changes.items() if k != "learner__augmentation"})
    records = all_records(chosen)
    # The initial network, evaluated on data that are not augmented, is the same.
    assert scalars(records, "loss", "train")[0] == scalars(all_records(plain), "loss", "train")[0]
    assert scalars(records, "loss", "batch")[1] != scalars(all_records(plain), "loss", "batch")[1]
    with run(chosen) as first:
        for _ in range(7):
            next(first)
        checkpoint = first.evaluate_now() and first.checkpoint()
    expected = [r for r in as_bytes(records) if r[0] > 7]
    assert as_bytes(all_records(run(chosen, checkpoint))) == expected


def test_without_augmentation_there_is_no_function_to_call():
    assert augmentation.build(spec.NoAugmentation(), build(Moons(), 0), 0) is None


def test_shifts_are_for_images():
    with pytest.raises(SpecError, match=r"learner\.augmentation must be none or noise with moons"):
        Supervised.parse({"augmentation": {"kind": "shift"}})
    assert Supervised().fitting("augmentation", {"data": {"kind": "digits"}}) is None
    assert Supervised().fitting("augmentation", {"data": {"kind": "wine"}}) == ["none", "noise"]
