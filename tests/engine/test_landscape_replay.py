"""A network that is trained once more has the weights and the measures of the run, to the bit."""

import copy
import io
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from nnviz.engine import EngineError, run
from nnviz.engine.landscape import retraining
from nnviz.records import Scalar
from nnviz.spec.base import replace_many
from nnviz.spec.jobs import Parent, Training
from nnviz.spec.landscapes import SAVED_STATES
from tests.each import each
from tests.engine.landscape_jobs import CPU, SITUATIONS, network, phase, same_bits, trained
from tests.engine.short_runs import all_records, job, scalars

every_situation = each("changes", SITUATIONS.values())


def states(chosen: Training, checkpoint: bytes | None = None) -> Iterator[tuple[int, dict[str, torch.Tensor]]]:
    """Every step of a run and the network's state after it."""
    with run(chosen, checkpoint) as running:
        for _ in running:
            yield running.step, copy.deepcopy(running.learning.network.state_dict())


def measured(chosen: Training, checkpoint: bytes | None = None) -> dict[tuple[str, int], float]:
    """Losses and accuracies of a run that is evaluated at every step, by names of a landscape and by step."""
    recorded = all_records(run(replace_many(chosen, {"evaluate_every": 1, "probes": []}), checkpoint))
    return {
        (f"{r.site}_{r.quantity}", r.step): r.value
        for r in recorded
        if isinstance(r, Scalar) and r.quantity in ("loss", "accuracy") and r.site in ("train", "test")
    }


@every_situation
def test_weights_are_those_of_the_run_at_every_step_to_the_bit(changes):
    chosen = job(**changes)
    again = trained(network(chosen))
    assert again.steps == list(range(chosen.steps + 1))
    for step, state in states(chosen):
        kept = again.states[step]
        assert list(kept) == list(state)
        assert same_bits(kept.values(), state.values()), step


@every_situation
def test_the_end_is_the_checkpoint_of_the_run_also_with_probes_and_pictures(changes):
    chosen = job(**changes, evaluate_every=3)
    with run(chosen) as running:
        for _ in running:
            pass
        state = torch.load(io.BytesIO(running.checkpoint()), weights_only=True)["state"]["model"]
    assert same_bits(trained(network(chosen)).states[-1].values(), state.values())


@pytest.mark.parametrize("changes", [SITUATIONS["momentum"], SITUATIONS["dropout"]], ids=["schedule", "dropout"])
def test_an_earlier_step_is_that_of_the_whole_training(changes):
    """The schedule depends on the planned steps, not on the step that is evaluated."""
    chosen = job(**changes)
    early = trained(network(chosen, step=13))
    assert early.steps[-1] == 13
    assert same_bits(early.states[-1].values(), dict(states(chosen))[13].values())
    assert early.rates[13] == trained(network(chosen)).rates[13]


@every_situation
def test_measures_are_those_of_the_run(changes):
    chosen = job(**changes)
    arrays = trained(network(chosen)).arrays()
    recorded = measured(chosen)
    names = {name for name, _ in recorded}
    assert names == set(arrays) - {"steps", "learning_rate"}
    for (name, step), value in recorded.items():
        assert arrays[name][step] == value, (name, step)


def test_fewer_samples_are_the_first_of_those_that_a_run_evaluates():
    few = trained(network(job()), samples=20)
    x, y = few.evaluated.data["train"]
    assert len(x) == 20
    all_x, all_y = few.learning.parts["train"]
    assert torch.equal(x, all_x[:20])
    assert torch.equal(y, all_y[:20])


@each("steps", [0, 1, 2, SAVED_STATES - 1, SAVED_STATES, 150])
def test_states_are_saved_evenly_with_the_first_and_the_last(steps):
    kept = trained(network(job(steps=200), step=steps)).steps
    assert (kept[0], kept[-1]) == (0, steps)
    assert len(kept) == min(steps + 1, SAVED_STATES)
    assert np.ptp(np.diff(kept)) <= 1 if steps else True


def test_the_rate_is_that_of_the_update_before():
    chosen = job(learner__schedule={"kind": "step", "every": 7, "factor": 0.1})
    arrays = trained(network(chosen)).arrays()
    recorded = scalars(all_records(replace_many(chosen, {"evaluate_every": 1})), "learning_rate", "model")
    assert dict(zip(arrays["steps"].tolist(), arrays["learning_rate"].tolist(), strict=True)) == recorded


# -- training that went on from another -------------------------------------------------------------------------------

BRANCHES = {
    "rate": ({"learner__optimizer": {"kind": "sgd", "momentum": 0.9}}, {"learner__optimizer__lr": 0.01}),
    "adam's rate": ({"learner__optimizer": "adam"}, {"learner__optimizer__lr": 0.1}),
    "to adam": ({"learner__optimizer": {"kind": "sgd", "momentum": 0.9}}, {"learner__optimizer": "adam"}),
    "from adam": ({"learner__optimizer": "adam"}, {"learner__optimizer": {"kind": "sgd", "momentum": 0.9}}),
    "to rprop": ({}, {"learner__optimizer": "rprop"}),
    "batch and more steps": ({}, {"learner__batch_size": 64, "steps": 31}),
    "clipping, schedule and dropout": (
        {"learner__model__dropout": {"kind": "standard", "rate": 0.3}, "learner__model__norm": "batch"},
        {"learner__clipping": "norm", "learner__schedule": "one_cycle", "learner__l2": 0.01},
    ),
}


def branched(parent: Training, at: int, changes: dict, checkpoint: bytes | None = None) -> tuple[Training, bytes]:
    """The job that continues the parent from a step, and the checkpoint of that step."""
    with run(parent, checkpoint) as running:
        while running.step < at:
            next(running)
        left = running.checkpoint()
    paths = {path.replace("__", "."): value for path, value in changes.items()}
    return replace_many(parent, {**paths, "parent": Parent(run="parent", step=at)}), left


@each(("first", "then"), BRANCHES.values())
def test_a_branch_has_the_weights_and_measures_of_the_run_that_was_branched(first, then):
    parent = job(**first)
    before, parents = dict(states(parent)), measured(parent)
    for at in (0, 7):
        child, checkpoint = branched(parent, at, then)
        again = trained(network(child, phase(parent, at)))
        after = dict(states(child, checkpoint))
        for step, state in zip(again.steps, again.states, strict=True):
            if step:
                assert same_bits(state.values(), (before if step <= at else after)[step].values()), (at, step)
        recorded = {key: v for key, v in parents.items() if key[1] <= at} | measured(child, checkpoint)
        arrays = again.arrays()
        assert all(arrays[name][step] == value for (name, step), value in recorded.items()), at
        assert len(recorded) == 4 * (child.steps + 1)


def test_a_branch_of_a_branch_goes_through_all_phases():
    parent = job(learner__optimizer="adam")
    child, first = branched(parent, 6, {"learner__optimizer__lr": 0.1})
    grandchild, second = branched(child, 13, {"learner__optimizer": "sgd"}, first)
    again = trained(network(grandchild, phase(parent, 6), phase(child, 13)))
    assert same_bits(again.states[-1].values(), dict(states(grandchild, second))[20].values())
    assert [spec.optimizer.kind for spec in again.learners] == ["adam"] * 14 + ["sgd"] * 7
    assert [spec.optimizer.lr for spec in again.learners[:14]] == [0.01] * 7 + [0.1] * 7


def test_what_training_had_no_measure_of_is_not_a_number():
    classes = job(learner__loss="mse")
    child, _ = branched(classes, 5, {"learner__data": "hills"})
    arrays = trained(network(child, phase(classes, 5))).arrays()
    assert {len(values) for values in arrays.values()} == {21}
    assert np.isnan(arrays["train_accuracy"]).tolist() == [False] * 6 + [True] * 15
    assert not np.isnan(arrays["train_loss"]).any()


def test_a_seed_of_weights_leaves_the_data_as_they_are_and_decides_all_else():
    chosen = job()
    one, other = trained(network(chosen)), trained(network(chosen, weights_seed=5))
    assert torch.equal(one.learning.data.inputs, other.learning.data.inputs)
    assert torch.equal(one.evaluated.data["train"][0], other.evaluated.data["train"][0])
    fresh = trained(network(replace_many(chosen, {"seed": 5})))
    assert same_bits(other.states[0].values(), fresh.states[0].values())
    assert not same_bits(other.states[0].values(), one.states[0].values())
    same = trained(network(chosen, weights_seed=chosen.seed))
    assert same_bits(same.states[-1].values(), one.states[-1].values())


# -- what cannot be trained once more ---------------------------------------------------------------------------------


def test_training_that_diverges_names_the_last_good_step_which_can_be_evaluated():
    relu = {"learner__model__hidden__0__activation": "relu"}
    chosen = job(**relu, learner__loss="mse", learner__optimizer__lr=10, steps=200)
    words = r"^TrainedModel\.step must be .* diverged by step \d+: choose step \d+ or earlier$"
    with pytest.raises(EngineError, match=words) as recorded:
        trained(network(chosen))
    assert "\n" not in str(recorded.value)
    good = int(str(recorded.value).split("choose step ")[1].split()[0])
    early = trained(network(chosen, step=good))
    assert all(bool(t.isfinite().all()) for t in early.states[-1].values())


@pytest.mark.parametrize(
    "changes",
    [{"learner__model__hidden__0__width": 3}, {"learner__data": "iris"}, {"learner__model": "deep_mlp"}],
    ids=str,
)
def test_a_phase_before_of_another_model_is_refused_in_one_line(changes):
    with pytest.raises(
        EngineError, match=r"^TrainedModel\.before must be of the same model as the training"
    ) as refused:
        trained(network(job(), phase(job(**changes), 2)))
    assert "\n" not in str(refused.value)


def test_networks_are_cached_as_long_as_there_is_room(monkeypatch):
    monkeypatch.setattr(retraining, "_cache", type(retraining._cache)())
    first, second = (trained(network(job(seed=seed))) for seed in (1, 2))
    assert retraining.cached(first.network, 1000, CPU) is first
    assert retraining.cached(first.network, 999, CPU) is None
    monkeypatch.setattr(retraining, "CACHE_BYTES", first.bytes + second.bytes)
    third = trained(network(job(seed=3)))
    assert retraining.cached(second.network, 1000, CPU) is None  # the one that was not used the longest
    assert retraining.cached(first.network, 1000, CPU) is first
    monkeypatch.setattr(retraining, "CACHE_BYTES", 1)
    fourth = trained(network(job(seed=4)))
    assert retraining.cached(third.network, 1000, CPU) is None
    assert retraining.cached(fourth.network, 1000, CPU) is fourth
