"""What can be chosen for generative adversarial networks, and what is refused."""

import json
from typing import Any

import pytest

from nnviz.spec.base import SpecError, replace_many
from nnviz.spec.data.distributions import CELLS, Drawn
from nnviz.spec.jobs import Training, dump, load
from nnviz.spec.learners import Adversarial
from nnviz.spec.resuming import is_resumable
from tests.spec.options import some

BATCH_NORM = {"kind": "mlp", "norm": {"kind": "batch"}}


def refusal(**fields: Any) -> str:
    """What is said about these fields, in one line."""
    with pytest.raises(SpecError) as refused:
        Adversarial.parse({"kind": "adversarial", **fields})
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_what_does_not_fit_together_is_refused_in_one_line_with_thing_rule_and_value():
    clipped, penalized = {"kind": "wasserstein_clipping"}, {"kind": "wasserstein_penalty"}
    for fields, expected in (
        ({"label_smoothing": 0.1, "objective": {"kind": "hinge"}}, "learner.label_smoothing must be 0 with hinge"),
        ({"unrolled": 2, "spectral_norm": True}, "learner.unrolled must be 0 with spectral norm"),
        ({"unrolled": 2, "discriminator": BATCH_NORM}, "learner.unrolled must be 0 with batch norm"),
        ({"unrolled": 2, "objective": clipped}, "learner.unrolled must be 0 with wasserstein_clipping"),
        ({"unrolled": 2, "objective": penalized}, "learner.unrolled must be 0 with wasserstein_penalty"),
        ({"discriminator": BATCH_NORM, "objective": penalized}, "learner.objective must not be wasserstein_penalty"),
        ({"discriminator": BATCH_NORM, "batch_size": 1}, "learner.batch_size must be at least 2"),
        ({"generator": BATCH_NORM, "batch_size": 1}, "learner.batch_size must be at least 2"),
        (
            {"spectral_norm": True, "discriminator": {"kind": "mlp", "initializer": {"kind": "zeros"}}},
            "learner.spectral_norm must be off with weights that start from 0",
        ),
        (
            {"generator_optimizer": {"kind": "rprop"}, "schedule": {"kind": "cosine"}},
            "learner.schedule must be constant with rprop as generator_optimizer",
        ),
        ({"noise": {"kind": "normal", "dimensions": 257}}, "noise.dimensions must be in [1, 256], got 257"),
        ({"updates": "neither"}, "updates must be"),
        ({"data": {"kind": "ring", "sigma": 0}}, "data.sigma must be"),
    ):
        said = refusal(**fields)
        assert expected in said, (said, expected)


def test_hostile_drawings_are_refused_in_one_short_line():
    full = CELLS**2
    for density, expected in (
        ("", "got 0 characters"),
        ("9" * (full - 1), "got 1,023 characters"),
        ("9" * (full + 1), "at most 1024"),
        ("9" * 10_000_000, "at most 1024"),
        ("0" * full, "got only 0"),
        ("9" * (full - 1) + "x", "got 'x'"),
        ("9" * (full - 1) + "\n", "got"),
        ("9" * (full - 1) + "-", "got '-'"),
        # Digits of other alphabets are digits to Python, and no density.
        ("9" * (full - 1) + "٣", "got '٣'"),
        ("９" * full, "got '９'"),
        (None, "density"),
        (9, "density"),
        (["9"] * full, "density"),
        ({"9": 1}, "density"),
        (float("nan"), "density"),
    ):
        said = refusal(data={"kind": "drawn", "density": density})
        assert expected in said, said
        assert len(said) <= 401, "no more of a drawing than a line"


def test_drawings_and_all_other_choices_come_back_from_json_and_from_differences():
    drawn = Drawn(density="".join(str(i % 10) for i in range(CELLS**2)))
    job = Training(learner=Adversarial(data=drawn, updates="discriminator", average=0.5))
    assert load(dump(job)) == job
    base = Training(learner=Adversarial())
    assert replace_many(base, {"learner.data": drawn.model_dump(), "learner.average": 0.5}).learner.data == drawn
    for seed in range(20):
        learner = some(Adversarial, seed, small=True)
        job = Training(learner=learner)
        assert load(dump(job)) == job
        assert json.loads(dump(job))["learner"]["kind"] == "adversarial"


def test_who_is_updated_and_all_that_no_weight_depends_on_can_change_when_a_run_goes_on():
    learner = Adversarial(objective={"kind": "wasserstein_penalty"})
    job = Training(learner=learner)
    for path in (
        "updates",
        "objective",
        "objective.kind",
        "objective.weight",
        "discriminator_updates",
        "generator_optimizer.lr",
        "discriminator_optimizer.lr",
        "instance_noise",
        "instance_noise_until",
        "label_smoothing",
        "unrolled",
        "average",
        "batch_size",
        "schedule",
        "clipping",
    ):
        assert is_resumable(job, f"learner.{path}"), path
    for path in ("data", "noise", "generator", "discriminator", "spectral_norm", "generator_optimizer.kind"):
        assert not is_resumable(job, f"learner.{path}"), path


def test_what_is_switched_on_is_said_in_words_and_nothing_else():
    normed = {"kind": "mlp", "hidden": [{"width": 4}], "norm": {"kind": "batch"}}
    cases: list[tuple[dict[str, object], list[str]]] = [
        ({}, []),
        ({"objective": {"kind": "hinge"}}, []),
        ({"generator": normed}, ["batch norm in the generator"]),
        ({"generator": normed, "discriminator": normed}, ["batch norm in the generator and the discriminator"]),
        ({"discriminator_updates": 5}, ["5 discriminator updates a step"]),
        ({"objective": {"kind": "wasserstein_clipping"}}, ["discriminator's parameters clipped to ±0.1"]),
        ({"objective": {"kind": "wasserstein_penalty", "weight": 10}}, ["gradient penalty, weight 10"]),
        ({"clipping": {"kind": "norm"}}, ["gradient clipped to norm 1"]),
        ({"clipping": {"kind": "value"}}, ["gradient's entries clipped to ±0.5"]),
        ({"schedule": {"kind": "cosine"}}, ["learning rates scheduled: cosine"]),
        ({"instance_noise": 0.2}, ["instance noise 0.2 → 0 by step 3,000"]),
        ({"spectral_norm": True, "label_smoothing": 0.1}, ["spectral norm", "label smoothing 0.1"]),
        ({"unrolled": 5}, ["5 unrolled steps"]),
        ({"average": 0.99}, ["samples of the averaged generator, decay 0.99"]),
        ({"updates": "discriminator"}, ["discriminator only"]),
    ]
    for changes, words in cases:
        assert Adversarial.parse({"kind": "adversarial"} | changes).conditions == words, changes


def test_only_schedules_that_both_optimizers_follow_are_offered():
    learner = Adversarial()
    assert learner.fitting("schedule", {}) is None
    for name in ("generator_optimizer", "discriminator_optimizer"):
        assert learner.fitting("schedule", {name: {"kind": "rprop"}}) == ["constant"]
        assert learner.fitting("schedule", {name: {"kind": "sgd"}}) is None


def test_its_size_is_that_of_both_networks():
    job = Training(learner=Adversarial())
    generator = 2 * 128 + 128 + 128 * 128 + 128 + 128 * 2 + 2
    discriminator = 2 * 128 + 128 + 128 * 128 + 128 + 128 + 1
    assert job.estimate().parameters == generator + discriminator
    assert job.learner.work == 128 * (2 * generator + 3 * discriminator)
