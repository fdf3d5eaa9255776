"""Paths, differences, fingerprints."""

import os
import subprocess
import sys

import pytest

from nnviz.spec.activations import ELU, ReLU
from nnviz.spec.base import SpecError, differences, fingerprint, get_at, label, replace_at, replace_many
from nnviz.spec.initializers import Constant
from nnviz.spec.jobs import Parent, Training, dump, load
from nnviz.spec.models import MLP, DeepMLP, Hidden
from nnviz.spec.optimizers import SGD, Adam
from tests.each import each
from tests.spec.options import members, some

HOSTILE_PATHS = [
    "",
    ".",
    "learner.",
    ".learner",
    "lerner",
    "learner.optimizer.lrr",
    "learner.optimizer.lr.real",
    "learner.model.hidden.7",
    "learner.model.hidden.-1",
    "learner.model.hidden.one",
    "learner.model.hidden.٣",
    "learner.model.hidden.²",
    "learner.model.hidden.0.activation.alpha",
    "learner.model_config.x",
    "learner.__class__.x",
    "parent.run",
    "parent.run.x",
    "probes.0.every.x",
    "a" * 10_000,
    "learner" + ".learner" * 10_000,
    "line\nbreak",
    "\ud800",
]


@each("seed", range(60))
def test_differences_said_of_the_default_make_the_job(seed):
    job, default = some(Training, seed), some(Training, seed + 1000) if seed % 2 else Training()
    said = differences(job, default)
    assert replace_many(default, said) == job
    assert differences(job, job) == {}


@each("seed", range(60))
def test_differences_come_back_through_a_dumped_job(seed):
    job = some(Training, seed)
    assert load(dump(job)) == job
    assert fingerprint(load(dump(job))) == fingerprint(job)


def test_differences_name_only_what_differs():
    job = replace_at(Training(), "learner.optimizer.lr", 0.3)
    assert differences(job, Training()) == {"learner.optimizer.lr": 0.3}
    adam = replace_many(Training(), {"learner.optimizer": "adam", "learner.optimizer.beta1": 0.5})
    assert differences(adam, Training()) == {"learner.optimizer.kind": "adam", "learner.optimizer.beta1": 0.5}


def test_a_change_of_kind_starts_from_that_kinds_defaults():
    job = replace_many(Training(learner={"optimizer": SGD(lr=3.0)}), {"learner.optimizer.kind": "adam"})
    assert job.learner.optimizer == Adam()


def test_a_field_inside_a_part_of_a_new_kind_can_be_set_with_it():
    job = replace_many(
        Training(),
        {"learner.model.kind": "deep_mlp", "learner.model.activation.kind": "elu", "learner.model.activation.alpha": 2},
    )
    assert job.learner.model == DeepMLP(activation=ELU(alpha=2))


def test_only_the_outcome_of_several_changes_must_be_valid():
    changes = {"learner.data.kind": "curve", "learner.loss.kind": "mse"}
    assert replace_many(Training(), changes).learner.loss.kind == "mse"
    with pytest.raises(SpecError, match="must fit the data"):
        replace_at(Training(), "learner.data.kind", "curve")


def test_items_and_parts_are_reached_by_path():
    job = Training()
    assert get_at(job, "learner.model.hidden.1.width") == 8
    changed = replace_at(job, "learner.model.hidden.1.activation", "relu")
    assert changed.learner.model == MLP(hidden=(Hidden(), Hidden(activation=ReLU())))
    assert replace_at(job, "learner.model.hidden", (Hidden(width=3),)).learner.model.hidden == (Hidden(width=3),)
    assert get_at(job, "") is job


def test_a_parent_can_be_set_and_taken_away():
    child = replace_at(Training(), "parent", {"run": "r", "step": 4})
    assert child.parent == Parent(run="r", step=4)
    assert differences(Training(), child) == {"parent": None}
    assert replace_at(child, "parent.step", 5).parent.step == 5


@each("path", HOSTILE_PATHS)
def test_a_path_to_nowhere_gets_one_line(path):
    for act in (lambda: get_at(Training(), path or "x"), lambda: replace_at(Training(), path, 1)):
        with pytest.raises(SpecError) as refused:
            act()
        _is_one_short_line(str(refused.value))


@each("value", [None, 5, [], "nonsense", {"kind": "nonsense"}, [[]], float("nan")])
@each("path", ["learner", "learner.optimizer", "learner.optimizer.kind", "learner.model.hidden.0"])
def test_a_value_of_the_wrong_shape_gets_one_line(path, value):
    with pytest.raises(SpecError) as refused:
        replace_many(Training(), {path: value, f"{path}.lr": 1} if path.endswith("optimizer") else {path: value})
    _is_one_short_line(str(refused.value))


def _is_one_short_line(line: str) -> None:
    assert line.isprintable()
    assert len(line) < 500
    line.encode()


def test_fingerprints_are_the_same_in_every_process():
    jobs = [some(Training, seed) for seed in range(20)]
    code = (
        "import sys; from nnviz.spec.jobs import load, fingerprint\n"
        "for line in sys.stdin: print(fingerprint(load(line)))"
    )
    lines = "\n".join(job.model_dump_json() for job in jobs)
    for salt in ("0", "1"):
        other = subprocess.run(
            [sys.executable, "-c", code],
            input=lines,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
            env={**os.environ, "PYTHONHASHSEED": salt},
        )
        assert other.stdout.split() == [fingerprint(job) for job in jobs]


def test_equal_specs_have_equal_fingerprints_and_others_others():
    assert fingerprint(SGD(lr=1)) == fingerprint(SGD(lr=1.0))
    assert fingerprint(Constant(value=-0.0)) == fingerprint(Constant(value=0.0))
    found = {fingerprint(some(Training, seed)) for seed in range(100)}
    assert len(found) == 100


@each("cls", members())
def test_labels_are_words(cls):
    assert label(cls)
    assert "_" not in label(cls)


def test_values_that_are_given_stay_as_they_were():
    values = {"learner.optimizer": {"kind": "adam", "lr": 0.3}, "learner.optimizer.lr": 0.1}
    assert replace_many(Training(), values).learner.optimizer == Adam(lr=0.1)
    assert values["learner.optimizer"] == {"kind": "adam", "lr": 0.3}
