"""A family of models that is not fully connected goes the whole path, from the job to the landscape."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from nnviz.__main__ import main
from nnviz.engine import Diverged, landscape, learners, models, run
from nnviz.records import Cause
from nnviz.runs import Store
from nnviz.runs.export import export
from nnviz.spec.base import SpecError, replace_many
from nnviz.spec.jobs import dump
from nnviz.spec.landscapes import Curvature, PathPlane, RandomPlane
from tests.engine.convolution import Convolution, Landscape, Learner, TrainedModel, Training, known  # noqa: F401
from tests.engine.short_runs import all_records, as_bytes, scalars

KINDS = ("gradient_norms", "updates", "activations", "signal", "histograms")
JOB = Training.parse(
    {
        "learner": {"batch_size": 16, "optimizer": {"kind": "sgd", "lr": 0.05}, "l2": 0.001},
        "steps": 12,
        "evaluate_every": 4,
        "device": "cpu",
        "probes": [{"kind": kind, "every": 3} for kind in KINDS],
    }
)

pytestmark = pytest.mark.usefixtures("known")


def test_it_is_offered_for_images_and_refused_for_anything_else():
    assert Learner().fitting("model", {}) is None
    assert Learner().fitting("model", {"data": {"kind": "moons"}}) == ["mlp", "deep_mlp"]
    with pytest.raises(SpecError) as refused:
        Learner.parse({"data": {"kind": "moons"}})
    assert str(refused.value) == (
        "learner.model must accept the data: Convolution takes images, moons has 2 numbers; choose another model or "
        "other data"
    )


def test_its_size_is_that_of_the_module():
    learner = JOB.learner
    module = models.build(learner.model, learner.data.shape, learner.outputs, 0)
    assert sum(p.numel() for p in module.parameters()) == learner.size.parameters == JOB.estimate().parameters
    entries = [learner.data.shape]
    x = torch.zeros(1, *learner.data.shape)
    for name, out in models.module_outputs(module, x):
        if name in ("activation1", "output"):
            entries.append(out.shape)
    assert learner.size.entries == sum(int(np.prod(shape)) for shape in entries)
    assert learner.size.layers == 2


def test_every_probe_measures_its_layers():
    found = all_records(run(JOB))
    learning = learners.build(JOB.learner, JOB.seed, JOB.steps, torch.device("cpu"))
    for number in range(1, 4):
        before = [p.detach().clone() for p in learning.parameters]
        uses = {}

        def keep(module: torch.nn.Module, _inputs: object, out: torch.Tensor, uses: dict = uses) -> None:
            out.retain_grad()
            uses[module] = out

        parts = {name: getattr(learning.network, name) for name in ("conv1", "activation1", "output")}
        hooks = [part.register_forward_hook(keep) for part in parts.values()]
        loss = learning.step(number)["loss", "batch"]
        for hook in hooks:
            hook.remove()
    assert scalars(found, "loss", "batch")[3] == float(loss)
    for (name, p), old in zip(learning.network.named_parameters(), before, strict=True):
        site = f"model.{name}"
        assert scalars(found, "gradient_norm", site)[3] == pytest.approx(float(p.grad.double().norm()), rel=1e-5)
        assert scalars(found, "weight_norm", site)[3] == pytest.approx(float(old.double().norm()), rel=1e-5)
        moved = float((p.detach().double() - old.double()).norm())
        assert scalars(found, "update_norm", site)[3] == pytest.approx(moved, rel=1e-4)
    for name in ("conv1", "output"):
        signal = uses[parts[name]].grad.double() * 16
        assert scalars(found, "signal_rms", f"model.{name}")[3] == pytest.approx(
            float(signal.square().mean().sqrt()), rel=1e-5
        )
    # 16 × 4 × 6 × 6 entries, of which 1,024 are taken evenly
    entries = uses[parts["activation1"]].detach().flatten().double()
    mean = scalars(found, "activation_mean", "model.activation1")[3]
    assert mean == pytest.approx(float(entries.mean()), abs=4 * float(entries.std()) / 1024**0.5)
    sites = {s for r in found if r.quantity == "gradient_histogram" for s in r.arrays["sites"].tolist()}
    assert sites == {f"model.{name}" for name, _ in learning.network.named_parameters()}
    assert {q for q in (r.quantity for r in found) if q in ("dead_fraction", "saturated_fraction")}


def test_it_goes_through_the_command_line_the_run_file_the_view_and_the_export(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NNVIZ_HOME", str(tmp_path / "runs"))
    Path("job.json").write_text(dump(JOB))
    assert main(["run", "job.json", "--set", "steps=8"]) == 0
    name = capsys.readouterr().out.splitlines()[-1]
    store = Store(tmp_path / "runs")
    view = store.view(name)
    assert view.job == replace_many(JOB, {"steps": 8})
    assert view.status.state == "finished"
    expected = scalars(all_records(run(view.job)), "loss", "batch")
    frame = view.scalars("loss")
    recorded = frame[frame.site == "batch"]
    assert dict(zip(recorded.step, recorded.value, strict=True)) == expected
    assert view.at(8).snapshot("data", "")["inputs"].shape == (200, 1, 8, 8)
    layers = view.at(8).snapshot("layers", "model")
    assert layers["sites"].tolist() == ["model.conv1", "model.output"]
    assert dict(zip(layers["places"], layers["labels"], strict=True))["model.activation1"] == "layer 1"
    assert str(view.at(8).snapshot("theory", "model")["no_line"]) == "no theory for convolution"
    assert view.at(8).snapshot("confusion", "")["counts"].sum() == 60
    written = {path.name: path for path in export([store.open(name)], tmp_path / "exported")}
    weights = torch.load(written["weights.pt"], weights_only=True)
    assert weights["conv1.weight"].shape == (4, 1, 3, 3)


def test_a_model_resumes_from_a_checkpoint_to_the_same_bits():
    with run(JOB) as first:
        for _ in range(5):
            next(first)
        first.evaluate_now()
        checkpoint = first.checkpoint()
    later = [r for r in as_bytes(all_records(run(JOB, checkpoint))) if r[0] > 5]
    assert later == [r for r in as_bytes(all_records(run(JOB))) if r[0] > 5]


def test_where_it_diverged_is_found():
    with pytest.raises(Diverged) as ended:
        all_records(run(replace_many(JOB, {"learner.optimizer.lr": 10, "learner.l2": 1, "steps": 200})))
    assert ended.value.divergence.nonfinite.site.startswith("model.")
    assert ended.value.divergence.nonfinite.cause in (Cause.OUTPUT, Cause.GRADIENT, Cause.PARAMETER)


def test_its_landscape_is_that_of_its_loss():
    job = Landscape(
        network=TrainedModel(learner=JOB.learner, steps=12),
        views=(RandomPlane(resolution=9), PathPlane(resolution=9), Curvature(points=2, eigenvalues=1, probes=2)),
        samples=100,
        device="cpu",
    )
    found = {}
    for records in run(job):
        found |= {r.quantity: r.arrays for r in records}
    last = scalars(all_records(run(JOB)), "loss", "train")[12]
    assert found["training"]["train_loss"][-1] == pytest.approx(last, rel=0.2)  # 100 of 140 samples
    assert found["plane"]["train_loss"][4, 4] == pytest.approx(found["training"]["train_loss"][-1], rel=1e-5)
    assert found["path_plane"]["train_loss"].shape == (9, 9)
    assert found["curvature"]["eigenvalues"][-1, 0] > 0


def test_a_filter_is_as_long_as_its_weights_in_a_random_direction():
    module = models.build(JOB.learner.model, (1, 8, 8), 10, 0)
    weights = [p.detach() for p in module.parameters()]
    drawn = landscape.filter_normalized(weights, landscape.random_direction(module, torch.Generator().manual_seed(0)))
    assert torch.allclose(drawn[0].flatten(1).norm(dim=1), weights[0].flatten(1).norm(dim=1))


def test_its_job_is_plain_json():
    assert Training.parse(json.loads(dump(JOB))) == JOB
