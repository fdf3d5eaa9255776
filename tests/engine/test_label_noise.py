"""Label noise: which labels are replaced, and by what."""

import numpy as np
import torch

from nnviz.engine.data import build
from nnviz.spec.base import options
from nnviz.spec.data import Blobs, Data, Digits, Iris, Moons
from tests.each import each
from tests.engine.short_runs import all_records, job, snapshots


@each("of", (Moons(points=300), Blobs(points=1000, centers=5), Digits(), Iris()))
def test_a_fraction_of_the_training_labels_is_replaced_by_other_classes(of):
    clean = build(of, 3)
    found = build(of.model_copy(update={"label_noise": 0.3}), 3)
    wrong = found.targets != clean.targets
    training = int((~clean.test).sum())
    assert int(wrong.sum()) == round(0.3 * training)
    assert not wrong[found.test].any()
    assert torch.equal(found.true_classes, clean.targets)
    assert torch.equal(found.inputs, clean.inputs)
    assert 0 <= int(found.targets.min()) <= int(found.targets.max()) < of.classes
    if of.classes > 2:
        assert len(((found.targets - clean.targets)[wrong] % of.classes).unique()) == of.classes - 1


def test_labels_replaced_at_a_small_fraction_are_replaced_at_a_larger_one_alike():
    few, many = (build(Digits(points=500, label_noise=fraction), 1) for fraction in (0.1, 0.5))
    wrong = few.targets != few.true_classes
    assert torch.equal(few.targets[wrong], many.targets[wrong])


def test_which_labels_are_replaced_depends_on_the_seed_alone():
    wrong = [found.targets != found.true_classes for found in (build(Moons(label_noise=0.2), s) for s in (0, 0, 1))]
    assert torch.equal(wrong[0], wrong[1])
    assert not torch.equal(wrong[0], wrong[2])


def test_the_snapshot_of_the_data_has_the_classes_before_the_noise():
    data = snapshots(all_records(job(learner__data__label_noise=0.2)), "data")[0]
    wrong = data["targets"] != data["true_classes"]
    assert wrong.sum() == 14
    assert not wrong[data["test"]].any()
    clean = snapshots(all_records(job()), "data")[0]
    assert "true_classes" not in clean
    np.testing.assert_array_equal(clean["targets"], data["true_classes"])


def test_sets_with_classes_have_label_noise_and_those_with_numbers_have_none():
    for kind, cls in options(Data).items():
        has_classes = bool(cls().classes)
        assert ("label_noise" in cls.model_fields) == has_classes, kind
        assert cls().label_noise == 0, kind
