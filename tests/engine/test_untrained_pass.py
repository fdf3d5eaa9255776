"""The pass at step 0: what the untrained network does on the first batch, and no trace of it in the training."""

import copy

import numpy as np
import pytest
import torch

from nnviz.engine import TrainingRun, learners, run
from nnviz.engine.device import same_random_state
from nnviz.records import Scalar
from tests.each import each
from tests.engine.short_runs import all_records, as_bytes, job, scalars, snapshots, state
from tests.engine.two_modules import Twin, TwoModules

KINDS = ("gradient_norms", "updates", "activations", "signal", "histograms")
PROBES = [{"kind": kind, "every": 4} for kind in KINDS]
EVERYTHING = {
    "learner__optimizer": "adam",
    "learner__model__norm": "batch",
    "learner__model__dropout": {"kind": "standard", "rate": 0.3},
    "learner__clipping": {"kind": "norm", "max_norm": 0.1},
    "learner__l2": 0.1,
}
SAME = ("gradient_norm", "gradient_norm_total", "weight_norm", "signal_rms")
STATISTICS = ("activation_mean", "activation_std", "activation_p05", "activation_p95")
OPTIMIZERS = [{"kind": "sgd", "momentum": 0.9}, "adam", "rprop", "adagrad"]


def test_step_0_records_what_step_1_measures_before_its_update():
    every = [{"kind": kind, "every": 1} for kind in KINDS]
    for changes in ({}, EVERYTHING):
        records = all_records(job(**changes, probes=every, steps=1))
        compared = 0
        for r in records:
            if r.step == 1 and isinstance(r, Scalar) and (r.quantity in SAME or r.quantity.endswith(STATISTICS)):
                assert scalars(records, r.quantity, r.site)[0] == r.value, r
                compared += 1
        assert compared > 30
        for quantity in ("gradient_histogram", "activation_histogram", "preactivation_histogram"):
            found = snapshots(records, quantity)
            for name, array in found[1].items():
                np.testing.assert_array_equal(found[0][name], array, err_msg=f"{quantity} {name}")


def test_its_weights_are_those_before_any_update_and_no_update_is_recorded():
    chosen = job(probes=PROBES)
    with run(chosen) as running:
        records = running.evaluate_now()
    learning = learners.build(chosen.learner, chosen.seed, chosen.steps, torch.device("cpu"))
    norms, histogram = scalars(records, "weight_norm"), snapshots(records, "weight_histogram")[0]
    for row, (name, parameter) in enumerate(learning.network.named_parameters()):
        assert norms[0, f"model.{name}"] == pytest.approx(float(parameter.detach().double().norm()), rel=1e-5)
        assert histogram["sites"][row] == f"model.{name}"
        assert histogram["negative"][row].sum() == int((parameter < 0).sum()), name
    assert {r.quantity for r in records if "update" in r.quantity} == set()
    assert {r.step for r in records} == {0}


@each("changes", [{"learner__optimizer": optimizer} for optimizer in OPTIMIZERS] + [EVERYTHING])
def test_nothing_is_left_of_it(changes):
    with run(job(**changes, probes=PROBES)) as watched, run(job(**changes, probes=[])) as alone:
        seen = []
        for one in (watched, alone):
            torch.manual_seed(3)
            one.evaluate_now()
            seen.append(torch.get_rng_state())
        assert torch.equal(*seen)
        assert state(watched) == state(alone)
        assert all(p.grad is None for p in watched.learning.network.parameters())
        assert watched.learning.network.training
        next(watched), next(alone)
        assert state(watched) == state(alone)


class Careless(TwoModules):
    """Draws from PyTorch's own generator, and counts its passes in what the next step depends on."""

    def __init__(self) -> None:
        super().__init__()
        self.passes = 0

    def _passes(self, number, found):
        self.passes += 1
        torch.rand(5)
        yield from super()._passes(number, found)

    def state_dict(self):
        return super().state_dict() | {"passes": self.passes}

    def load_state_dict(self, state):
        super().load_state_dict(state)
        self.passes = state["passes"]


def test_state_and_random_numbers_of_any_learner_are_put_back():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    with run(job(probes=PROBES), learning=Careless()) as running:
        running.evaluate_now()
        assert torch.equal(torch.get_rng_state(), before)
        assert running.learning.passes == 0
        assert all(p.grad is None for m in running.learning.modules.values() for p in m.parameters())


def test_random_numbers_are_put_back_after_an_error_too():
    before = torch.get_rng_state()
    with pytest.raises(RuntimeError), same_random_state(torch.device("cpu")):
        torch.rand(3, out=torch.empty(3, dtype=torch.int64))
    assert torch.equal(torch.get_rng_state(), before)
    with same_random_state(torch.device("cpu")):
        torch.rand(3)
    assert torch.equal(torch.get_rng_state(), before)


def test_of_several_optimizers_each_is_measured_where_it_would_update():
    learning = TwoModules()
    learning.twin = Twin()
    with run(job(probes=PROBES), learning=learning) as running:
        records = running.evaluate_now()
    for quantity in ("gradient_norm", "weight_norm", "signal_rms"):
        found, expected = scalars(records, quantity), getattr(learning.twin, quantity)
        assert found.keys() == expected.keys(), quantity
        for at, value in expected.items():
            assert found[at] == pytest.approx(value, rel=1e-4, abs=1e-9), (quantity, at)
    assert set(learning.twin.update_norm.values()) == {0.0}


class NoPass:
    """A learner that has no untrained pass."""

    def __init__(self) -> None:
        self._learning = TwoModules()

    def __getattr__(self, name: str):
        if name == "untrained_pass":
            raise AttributeError(name)
        return getattr(self._learning, name)


def test_a_learner_without_such_a_pass_is_sampled_at_step_1_as_its_first():
    records = all_records(run(job(probes=PROBES), learning=NoPass()))
    for quantity in ("gradient_norm", "signal_rms", "activation_mean", "update_norm"):
        assert {step for step, _ in scalars(records, quantity)} == {1, 4, 8, 12, 16, 20}, quantity


def test_without_probes_there_is_no_such_pass():
    learning = TwoModules()
    learning.twin = Twin()
    with run(job(probes=[]), learning=learning) as running:
        running.evaluate_now()
    assert not learning.twin.gradient_norm


def test_a_run_resumed_at_step_0_continues_the_same():
    chosen = job(**EVERYTHING, probes=PROBES, steps=8)
    whole = run(chosen)
    expected = all_records(whole)
    with run(chosen) as first:
        recorded = first.evaluate_now()
        checkpoint = first.checkpoint()
    resumed = TrainingRun(chosen, checkpoint)
    assert as_bytes([*recorded, *all_records(resumed)]) == as_bytes(expected)
    assert state(resumed) == state(whole)
    assert as_bytes(copy.deepcopy(recorded)) == as_bytes([r for r in expected if r.step == 0])
