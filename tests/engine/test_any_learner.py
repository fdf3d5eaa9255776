"""The loop, the run file and the view on a learner that is not one supervised network."""

import io
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from nnviz.engine import TrainingRun, run
from nnviz.engine.divergence import Diverged
from nnviz.frames import Layers
from nnviz.records import Record, Scalar, Snapshot
from nnviz.runs import RunFile, Store
from nnviz.runs.export import export
from tests.engine.short_runs import all_records, as_bytes, job, scalars, state
from tests.engine.two_modules import TwoModules

KINDS = ("gradient_norms", "updates", "activations", "signal", "histograms")
JOB = job(steps=20, evaluate_every=4, probes=[{"kind": kind, "every": 5} for kind in KINDS])


def running(steps: int = 20, checkpoint: bytes | None = None, rate: float = 0.05) -> TrainingRun:
    return run(JOB.model_copy(update={"steps": steps}), checkpoint, learning=TwoModules(rate=rate))


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return all_records(running())


def test_what_comes_only_at_some_steps_is_recorded_at_those(records):
    assert sorted(scalars(records, "loss", "critic")) == list(range(1, 21))
    assert sorted(scalars(records, "loss", "maker")) == list(range(2, 21, 2))
    assert sorted(scalars(records, "penalty", "critic")) == list(range(3, 21, 3))
    assert sorted(scalars(records, "distance", "maker")) == [0, 20]
    assert {r.step for r in records if r.quantity == "samples"} == {0, 4, 8, 12, 16, 20}


def test_the_layers_of_each_module_order_and_name_all_that_was_recorded_of_it(records):
    assert {(r.step, r.site) for r in records if r.quantity == "layers"} == {(0, "maker"), (0, "critic")}
    layers = Layers({r.site: r.arrays for r in records if r.quantity == "layers"})
    paths = {r.site for r in records if r.site.partition("#")[0].count(".")}
    paths |= {site for r in records if r.quantity.endswith("_histogram") for site in r.arrays["sites"].tolist()}
    assert len(paths) > 20
    for site in paths:
        assert layers.find(site), site
        root = site.partition(".")[0]
        assert layers.label(site).startswith((f"{root}, layer 1", f"{root}, layer 2", f"{root}, output")), site
    ordered = [layers.find(site).rank for site in layers.order(sorted(paths))]
    assert ordered == sorted(ordered)
    passes = ("maker.linear1", "maker.shared#made", "critic.activation1#real#2", "critic.output.weight#3")
    expected = ["maker, layer 1", "maker, layer 2 (made)", "critic, layer 1 (real 2)", "critic, output (3)"]
    assert [layers.label(site) for site in layers.order(passes)] == expected


def test_watching_changes_no_loss(records):
    with run(JOB.model_copy(update={"probes": ()}), learning=TwoModules()) as bare:
        plain = [r for some in bare for r in some]
    for site in ("critic", "maker"):
        assert scalars(plain, "loss", site) == scalars(records, "loss", site)


def test_a_learner_without_epochs_has_none_in_its_info():
    with running() as running_job:
        assert running_job.info["steps_per_epoch"] is None
        assert running_job.info["parameters"] > 0


def test_a_learner_resumes_from_any_step_to_the_same_bits(records):
    for at in (3, 8):
        with running() as first:
            for _ in range(at):
                next(first)
            first.evaluate_now()
            checkpoint = first.checkpoint()
        second = running(checkpoint=checkpoint)
        whole = running()
        later = [r for r in as_bytes(all_records(second)) if r[0] > at]
        expected = [r for r in as_bytes(records) if r[0] > at]
        assert later == expected, f"from step {at}"
        all_records(whole)
        assert state(second) == state(whole)


def test_the_run_file_the_view_and_the_export_keep_the_modules_apart(records, tmp_path):
    store = Store(tmp_path / "runs")
    file = store.create(JOB)
    file.write(records, step=20)
    view = store.view(file.id)
    for quantity in ("gradient_histogram", "weight_histogram"):
        assert view.sites(quantity) == ["critic#1", "critic#2", "critic#3", "maker"]
    for r in records:
        if isinstance(r, Snapshot):
            arrays = view.at(r.step).snapshot(r.quantity, r.site)
            assert arrays.keys() == r.arrays.keys(), (r.step, r.quantity, r.site)
            for name, array in r.arrays.items():
                np.testing.assert_array_equal(arrays[name], array)
    rows = {(s, q, site): v for s, q, site, v, _ in view.scalars().itertuples(index=False)}
    assert rows == {(r.step, r.quantity, r.site): r.value for r in records if isinstance(r, Scalar)}
    file.close()
    names = {path.name for path in export([file], tmp_path / "out")}
    places = {(r.quantity, r.site) for r in records if isinstance(r, Snapshot)}
    assert {name for name in names if name.endswith(".npz")} == {f"{q}@{site}.npz" for q, site in places}


def test_weights_of_several_modules_are_named_by_their_root():
    with running() as running_job:
        next(running_job)
        weights = torch.load(io.BytesIO(running_job.weights()[1]), weights_only=True)
    modules = running_job.learning.modules
    expected = {f"{root}.{name}": tensor for root in modules for name, tensor in modules[root].state_dict().items()}
    assert list(weights) == list(expected)
    assert "maker.linear1.weight" in weights
    assert all(torch.equal(weights[name], tensor) for name, tensor in expected.items())


def test_each_site_is_thinned_by_itself(tmp_path):
    store = Store(tmp_path / "runs")
    file: RunFile = store.create(JOB)
    for step in range(400):
        arrays = {"sites": np.array(["x"])}
        file.write(
            [Snapshot(step, "layers", arrays, "maker"), *[Snapshot(step, "layers", arrays, "critic")] * (step < 9)]
        )
    assert len(file.snapshot_steps("layers", "maker")) == 300
    assert file.snapshot_steps("layers", "critic") == list(range(9))
    file.close()


def test_an_objective_that_is_no_number_ends_the_run_and_what_broke_first_is_named():
    running_job = running(steps=200, rate=1e12)
    with pytest.raises(Diverged) as ended:
        all_records(running_job)
    error, divergence = ended.value, ended.value.divergence
    assert divergence.last_good < divergence.step
    assert divergence.nonfinite.site.split(".")[0] in ("critic", "maker")
    fresh = running(steps=200, checkpoint=error.checkpoint, rate=1e12)
    assert fresh.step == divergence.last_good
    assert all(bool(t.isfinite().all()) for m in fresh.learning.modules.values() for t in m.state_dict().values())
    fresh.close()


class Nothing(TwoModules):
    """No module and no optimizer: what is left of a learner without gradients."""

    def __init__(self) -> None:
        super().__init__()
        self.modules, self.optimizers = {}, {}

    def untrained_pass(self) -> Iterator[str]:
        yield from ()

    def step(self, number: int) -> dict[tuple[str, str], torch.Tensor]:
        return {("fitness", "best"): torch.tensor(1.0 / number)} if number % 5 == 0 else {}


def test_a_learner_may_have_no_modules_and_nothing_to_say_at_most_steps():
    records = all_records(run(JOB, learning=Nothing()))
    assert scalars(records, "fitness", "best") == {n: pytest.approx(1 / n) for n in (5, 10, 15, 20)}


def test_a_learner_without_modules_has_no_weights_and_is_resumed_all_the_same():
    with run(JOB, learning=Nothing()) as first:
        for _ in range(7):
            next(first)
        assert first.weights() is None
        checkpoint = first.checkpoint()
    records = all_records(run(JOB, checkpoint, learning=Nothing()))
    assert sorted(scalars(records, "fitness", "best")) == [10, 15, 20]
