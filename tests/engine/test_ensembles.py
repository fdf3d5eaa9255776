"""Ensembles: stacked members against single trainings from the same seeds."""

import math
from itertools import takewhile
from typing import Any

import numpy as np
import torch

from nnviz.engine import run
from nnviz.engine.ensembles.stacked_learning import StackedLearning
from nnviz.engine.learners.supervised import SupervisedLearning
from nnviz.engine.optim import optimizers
from nnviz.records import Record, Scalar
from nnviz.spec.base import options
from nnviz.spec.ensembles import OPTIMIZERS, Ensemble
from nnviz.spec.jobs import Training
from nnviz.spec.learners import Supervised
from nnviz.spec.models.mlp import Hidden
from tests.each import each
from tests.engine.short_runs import all_records, as_bytes

CPU = torch.device("cpu")
STEPS = 50
SMALL: dict[str, Any] = {
    "learner": {"data": {"kind": "moons", "points": 60, "train_fraction": 0.7}, "batch_size": 10},
    "members": 3,
    "seed": 4,
    "steps": STEPS,
    "evaluate_every": 10,
    "device": "cpu",
}
"""42 samples for training: 5 steps an epoch, the last of 2 samples."""
MLP = {"kind": "mlp", "hidden": [{"width": 6}, {"width": 6}]}


def ensemble(learner: dict[str, Any] | None = None, **changes: Any) -> Ensemble:
    return Ensemble.parse({**SMALL, "learner": {**SMALL["learner"], "model": MLP, **(learner or {})}, **changes})


def single(job: Ensemble, index: int, dtype: torch.dtype = torch.float64) -> SupervisedLearning:
    """A member alone, as a single training has it, in another type of number."""
    training = Training.parse(job.member(index))
    learning = SupervisedLearning(training.learner, training.seed, training.steps, CPU)
    learning.network.to(dtype)
    learning.optimizer = optimizers.build(learning.spec.optimizer, learning.parameters)  # Adagrad's state has a type
    learning.parts = {
        name: (x.to(dtype), y.to(dtype) if y.is_floating_point() else y) for name, (x, y) in learning.parts.items()
    }
    learning.train = learning.parts["train"]
    return learning


def weights(learning: SupervisedLearning) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in learning.network.parameters()])


def largest_difference(job: Ensemble, dtype: torch.dtype = torch.float64, steps: int = STEPS) -> float:
    """Of weights, batch losses and evaluations, relative to their size, over all members."""
    stacked = StackedLearning(job, CPU, dtype=dtype)
    singles = [single(job, index, dtype) for index in range(job.members)]
    worst = 0.0
    for number in range(1, steps + 1):
        losses = stacked.step(number)
        alone = torch.stack([learning.step(number)["loss", "batch"] for learning in singles])
        worst = max(worst, float((losses - alone).abs().max()))
    found = {(r.quantity, r.site, r.member): r.value for r in stacked.evaluate(steps, range(job.members))}
    wanted = {
        (r.quantity, r.site, member): r.value
        for member, learning in enumerate(singles)
        for r in takewhile(lambda r: r.quantity != "learning_rate", learning.evaluate(steps))
    }
    assert found.keys() == wanted.keys()
    differences = [abs(found[key] - wanted[key]) / max(1.0, abs(wanted[key])) for key in wanted]
    apart = (stacked.network.parameters - torch.stack([weights(one) for one in singles])).abs().max()
    assert math.isfinite(float(apart))
    return max(worst, *differences, float(apart))


SETTINGS: list[dict[str, Any]] = [
    *({"kind": kind} for kind in options(Supervised.model_fields["optimizer"].annotation)),
    {"kind": "sgd", "momentum": 0.9, "weight_decay": 0.01},
    {"kind": "sgd", "momentum": 0.9, "dampening": 0.3},
    {"kind": "sgd", "momentum": 0.9, "nesterov": True},
    {"kind": "adagrad", "lr_decay": 0.1, "initial_accumulator": 0.1, "weight_decay": 0.01},
    {"kind": "adadelta", "weight_decay": 0.01},
    {"kind": "rmsprop", "momentum": 0.9},
    {"kind": "rmsprop", "centered": True, "eps": 1e-4, "weight_decay": 0.01},
    {"kind": "adam", "amsgrad": True, "weight_decay": 0.01},
    {"kind": "adamw", "amsgrad": True, "weight_decay": 0.1},
    {"kind": "nadam", "weight_decay": 0.01},
    {"kind": "radam", "weight_decay": 0.01, "beta2": 0.9},
    {"kind": "adamax", "weight_decay": 0.01},
    {"kind": "rprop", "shrink": 0.3, "grow": 1.5},
]


def test_every_optimizer_of_a_training_is_one_that_an_ensemble_holds():
    assert {*options(Supervised.model_fields["optimizer"].annotation).values()} == {*OPTIMIZERS}


@each("optimizer", SETTINGS)
def test_in_float64_members_are_single_trainings_with_every_optimizer(optimizer):
    rate = ensemble({"optimizer": optimizer}).learner.optimizer.lr
    assert largest_difference(ensemble({"optimizer": optimizer}, members=2, rates=[rate, rate / 4])) <= 1e-10


REGRESSION = {"data": {"kind": "curve", "points": 60, "train_fraction": 0.7}, "optimizer": {"kind": "adam"}}
OF_NUMBERS = ("mse", "mae", "rmse", "huber")
LEARNERS: dict[str, dict[str, Any]] = {
    "batch norm before": {"model": {**MLP, "norm": {"kind": "batch"}}},
    "batch norm after, without scale": {"model": {**MLP, "norm": {"kind": "batch", "place": "after", "affine": False}}},
    "layer norm": {"model": {**MLP, "norm": {"kind": "layer"}}},
    "layer norm without scale": {"model": {**MLP, "norm": {"kind": "layer", "affine": False}}},
    "group norm": {"model": {**MLP, "norm": {"kind": "group", "groups": 2, "place": "after"}}},
    "RMS norm": {"model": {**MLP, "norm": {"kind": "rms"}}},
    "dropout": {"model": {**MLP, "dropout": {"kind": "standard", "rate": 0.3}}},
    "dropout of inputs and of images": {
        "data": {"kind": "digits", "points": 60},
        "model": {**MLP, "dropout": {"kind": "standard", "rate": 0.3, "input_rate": 0.2}},
    },
    "dropout of inputs alone": {"model": {**MLP, "dropout": {"kind": "standard", "rate": 0, "input_rate": 0.2}}},
    "dropout and batch norm": {"model": {**MLP, "norm": {"kind": "batch"}, "dropout": {"kind": "standard"}}},
    "skip connections": {"model": {"kind": "deep_mlp", "depth": 4, "width": 5, "skip": True}},
    "no biases": {"model": {**MLP, "bias": False}},
    "a linear model": {"model": {"kind": "mlp", "hidden": []}},
    "L1 and L2": {"l1": 0.01, "l2": 0.1},
    "gradients clipped by norm": {"clipping": {"kind": "norm", "max_norm": 0.05}, "l2": 0.1},
    "gradients clipped by value": {"clipping": {"kind": "value", "limit": 0.01}},
    "one cycle": {"schedule": {"kind": "one_cycle"}, "optimizer": {"kind": "adam"}},
    "full batch": {"batch_size": 20_000},
    "label smoothing": {"loss": {"kind": "cross_entropy", "label_smoothing": 0.1}},
    "digits": {"data": {"kind": "digits", "points": 100}},
    "input noise": {"augmentation": {"kind": "noise"}},
    "shifted digits": {"data": {"kind": "digits", "points": 100}, "augmentation": {"kind": "shift", "pixels": 2}},
    "label noise": {"data": {"kind": "moons", "points": 60, "label_noise": 0.3}},
    "one-vs-rest": {"data": {"kind": "blobs", "points": 60, "centers": 3}, "loss": {"kind": "binary_cross_entropy"}},
    **{
        f"{loss} of classes": {"loss": {"kind": loss}}
        for loss in ("binary_cross_entropy", "mse", "mae", "rmse", "huber")
    },
    **{f"{loss} of numbers": {**REGRESSION, "loss": {"kind": loss}} for loss in ("mse", "mae", "rmse", "huber")},
}


@each("name, learner", LEARNERS.items())
def test_in_float64_members_are_single_trainings_whatever_the_learner(name, learner):
    assert largest_difference(ensemble(learner, members=2)) <= 1e-10, name


@each("activation", options(Hidden.model_fields["activation"].annotation))
def test_in_float64_members_are_single_trainings_with_every_activation(activation):
    hidden = [{"width": 6, "activation": {"kind": activation}}] * 2
    assert largest_difference(ensemble({"model": {**MLP, "hidden": hidden}}, members=2), steps=10) <= 1e-10


@each("optimizer, bound", [({"kind": "sgd", "momentum": 0.9}, 1e-5), ({"kind": "adam"}, 1e-3)])
def test_in_float32_members_drift_from_single_trainings_by_rounding_alone(optimizer, bound):
    assert largest_difference(ensemble({"optimizer": optimizer}), torch.float32) <= bound


def scalars(records: list[Record]) -> dict[tuple[int, str, str, int], float]:
    return {(r.step, r.quantity, r.site, r.member): r.value for r in records if isinstance(r, Scalar)}


def test_records_of_a_member_are_those_of_the_training_that_it_is_alone():
    job = ensemble(rates=[0.3, 0.1, 0.2])
    found = scalars(all_records(run(job)))
    for index in range(job.members):
        training = Training.parse({**job.member(index), "probes": []})
        alone = {
            (step, quantity, site, index): value
            for (step, quantity, site, _), value in scalars(all_records(run(training))).items()
            if quantity != "learning_rate"
        }
        mine = {key: value for key, value in found.items() if key[3] == index}
        assert mine.keys() == alone.keys()
        assert np.allclose([mine[key] for key in alone], [*alone.values()], atol=1e-5)


def test_members_do_not_depend_on_each_other():
    job = ensemble({"optimizer": {"kind": "adam"}})
    few, many = (scalars(all_records(run(j))) for j in (job, job.model_copy(update={"members": 5})))
    shared = [key for key in many if key[3] < 3]
    assert sorted(shared) == sorted(few)
    assert np.allclose([many[key] for key in shared], [few[key] for key in shared], atol=1e-6)


def test_the_same_ensemble_gives_the_same_bits():
    job = ensemble({"model": {**MLP, "dropout": {"kind": "standard"}}})
    first = as_bytes(all_records(run(job)))
    torch.manual_seed(5)
    assert as_bytes(all_records(run(job))) == first


def test_a_member_that_diverges_ends_with_its_loss_and_the_others_go_on():
    learner = {**REGRESSION, "optimizer": {"kind": "sgd"}, "loss": {"kind": "mse"}, "model": {**MLP, "hidden": []}}
    records = all_records(run(ensemble(learner, rates=[0.01, 10.0, 0.02])))
    last = {m: max(r.step for r in records if r.member == m) for m in range(3)}
    assert last[0] == last[2] == STEPS
    assert last[1] < STEPS
    (end,) = [r for r in records if r.member == 1 and r.step == last[1]]
    assert (end.quantity, end.site) == ("loss", "batch")
    assert not math.isfinite(end.value)
    calm = scalars(all_records(run(ensemble(learner, rates=[0.01, 0.01, 0.02]))))
    found = scalars(records)
    for member in (0, 2):
        assert found[STEPS, "loss", "train", member] == calm[STEPS, "loss", "train", member]


def test_members_stop_early_each_by_itself_as_the_trainings_alone():
    stopping = {"kind": "patience", "patience": 2}
    job = ensemble({"optimizer": {"kind": "adam", "lr": 0.3}}, early_stopping=stopping, evaluate_every=2)
    found = scalars(all_records(run(job)))
    ends = []
    for index in range(job.members):
        alone = scalars(all_records(run(Training.parse({**job.member(index), "probes": []}))))
        ends.append(max(step for step, *_ in alone))
        assert max(step for step, *_, member in found if member == index) == ends[-1]
        assert found[ends[-1], "best_step", "test", index] == alone[ends[-1], "best_step", "test", 0]
    assert min(ends) < STEPS
    assert len({*ends}) > 1


def test_there_is_no_setting_of_a_learner_that_an_ensemble_would_pass_over():
    """One that is new must be heeded, or refused by `unstackable`, and be among those that are compared above."""
    compared = {"data", "model", "loss", "optimizer", "schedule", "clipping", "l1", "l2", "augmentation", "batch_size"}
    assert set(Supervised.model_fields) == {"kind", *compared}
