"""Checkpoints: a resumed run ends in the same bytes; a branch inherits the optimizer's state."""

import copy
import io

import pytest
import torch

from nnviz.engine import EngineError, run
from nnviz.spec.base import replace_many
from nnviz.spec.jobs import Parent, Training
from tests.each import each
from tests.engine.short_runs import all_records, as_bytes, job, scalars, snapshots, state
from tests.spec.options import families

SITUATIONS = {
    "momentum": {"learner__optimizer": {"kind": "sgd", "momentum": 0.9}},
    "nesterov": {"learner__optimizer": {"kind": "sgd", "momentum": 0.9, "nesterov": True}},
    "amsgrad": {"learner__optimizer": {"kind": "adam", "amsgrad": True}},
    "centered": {"learner__optimizer": {"kind": "rmsprop", "centered": True, "momentum": 0.5}},
    "dropout": {"learner__model__dropout": {"kind": "standard", "rate": 0.4}},
    "batch norm": {"learner__model__norm": "batch"},
    "prelu": {"learner__model__hidden__0__activation": "prelu"},
    "everything": {
        "learner__optimizer": "adam",
        "learner__model__dropout": {"kind": "standard", "rate": 0.4},
        "learner__model__norm": "batch",
        "learner__schedule": "one_cycle",
        "learner__clipping": "norm",
        "learner__l1": 0.01,
    },
    **{f"schedule {k}": {"learner__schedule": k} for k in families()["schedule"]},
    **{f"optimizer {k}": {"learner__optimizer": k} for k in families()["optimizer"]},
}


def stopped(chosen: Training, at: int):
    """The records up to a step, and the checkpoint of that step."""
    with run(chosen) as first:
        records = [r for _ in range(at) for r in next(first)]
        return records + first.evaluate_now(), first.checkpoint()


@each("changes", SITUATIONS.values())
def test_a_resumed_run_ends_in_the_same_records_and_weights_to_the_bit(changes):
    chosen = job(**changes)
    whole = run(chosen)
    records = as_bytes(all_records(whole))
    for at in (0, 13):  # a preview is gone on with from step 0
        _, checkpoint = stopped(chosen, at)
        torch.manual_seed(99)
        resumed = run(chosen, checkpoint)
        assert resumed.step == at
        assert as_bytes(all_records(resumed)) == [r for r in records if r[0] > at], at
        assert state(resumed) == state(whole), at


def test_a_run_can_be_resumed_again_and_again():
    chosen = job(**SITUATIONS["everything"])
    whole = run(chosen)
    all_records(whole)
    checkpoint = None
    for _ in range(chosen.steps):
        with run(chosen, checkpoint) as one_step:
            next(one_step)
            checkpoint = one_step.checkpoint()
    assert state(one_step) == state(whole)


def test_a_checkpoint_of_step_0_is_the_beginning_without_its_records():
    with run(job()) as first:
        first.evaluate_now()
        checkpoint = first.checkpoint()
    resumed = run(job(), checkpoint)
    assert resumed.step == 0
    expected = [r for r in as_bytes(all_records(job())) if r[0] > 0]
    assert as_bytes(all_records(resumed)) == expected


def test_a_resumed_run_can_be_evaluated_before_its_next_step():
    records, checkpoint = stopped(job(), 13)
    with run(job(), checkpoint) as resumed:
        evaluated = resumed.evaluate_now()
    as_evaluated = as_bytes(evaluated)
    assert as_evaluated
    assert [r for r in as_bytes(records) if r in as_evaluated] == as_evaluated
    assert set(scalars(evaluated, "loss", "test")) == {13}
    assert set(snapshots(evaluated, "decision_grid")) == {13}


def test_checkpoints_hold_nothing_but_tensors_and_plain_values():
    _, checkpoint = stopped(job(**SITUATIONS["everything"]), 3)
    assert torch.load(io.BytesIO(checkpoint), weights_only=True)["step"] == 3


def branch(parent: Training, at: int, **changes) -> Training:
    """The parent's job with changes, as its child."""
    paths = {path.replace("__", "."): value for path, value in changes.items()}
    return replace_many(parent, {**paths, "parent": Parent(run="parent", step=at)})


@pytest.mark.parametrize(
    "optimizer", [{"kind": "sgd", "momentum": 0.9}, {"kind": "adam"}, {"kind": "rmsprop"}], ids=str
)
def test_a_branch_with_another_rate_takes_the_optimizers_memory_along(optimizer):
    parent = job(learner__optimizer=optimizer)
    with run(parent) as first:
        for _ in range(10):
            next(first)
        checkpoint = first.checkpoint()
        memory = copy.deepcopy(first.learning.optimizer.state_dict()["state"])
        weights = copy.deepcopy(first.learning.network.state_dict())
    with run(branch(parent, 10, learner__optimizer__lr=0.003), checkpoint) as child:
        loaded = child.learning.optimizer.state_dict()["state"]
        for name, parts in memory.items():
            for part, value in parts.items():
                assert torch.equal(torch.as_tensor(loaded[name][part]), torch.as_tensor(value))
        next(child)
        assert child.step == 11
        assert child.learning.optimizer.param_groups[0]["lr"] == 0.003
    with run(parent, checkpoint) as same_rate:
        next(same_rate)
    # The step of the child is the parent's, shorter by the ratio of the rates.
    for name, before in weights.items():
        short = child.learning.network.state_dict()[name] - before
        long = same_rate.learning.network.state_dict()[name] - before
        torch.testing.assert_close(short * parent.learner.optimizer.lr / 0.003, long, rtol=2e-2, atol=1e-5)


def test_a_branch_with_the_same_settings_is_the_parent():
    parent = job(**SITUATIONS["everything"])
    _, checkpoint = stopped(parent, 8)
    child, whole = run(branch(parent, 8), checkpoint), run(parent)
    assert as_bytes(all_records(child)) == [r for r in as_bytes(all_records(whole)) if r[0] > 8]
    assert state(child) == state(whole)


def test_a_branch_may_run_longer_than_its_parent():
    parent = job()
    _, checkpoint = stopped(parent, parent.steps)
    records = all_records(run(branch(parent, parent.steps, steps=25), checkpoint))
    assert sorted(scalars(records, "loss", "batch")) == [21, 22, 23, 24, 25]


@each("before", ["sgd", "adam", "rprop", {"kind": "sgd", "momentum": 0.9}])
def test_a_branch_to_another_optimizer_leaves_behind_the_memory_it_cannot_use(before):
    parent = job(learner__optimizer=before)
    _, checkpoint = stopped(parent, 7)
    for kind in [*families()["optimizer"], {"kind": "adam", "amsgrad": True}]:
        with run(branch(parent, 7, learner__optimizer=kind), checkpoint) as child:
            next(child)
            assert child.step == 8, kind


@pytest.mark.parametrize(
    "changes",
    [{"learner__model": "deep_mlp"}, {"learner__model__hidden__0__width": 3}, {"learner__data": "iris"}],
    ids=str,
)
def test_a_checkpoint_of_another_network_is_refused_in_one_line(changes):
    _, checkpoint = stopped(job(), 3)
    with pytest.raises(EngineError, match=r"^the checkpoint is damaged, or of .* data set or model: .+") as refused:
        run(branch(job(), 3, **changes), checkpoint)
    assert "\n" not in str(refused.value)
