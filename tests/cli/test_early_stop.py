"""A run that stops early, from the command line: its state, its message, its weights, and how it goes on."""

import json

import torch

from nnviz.runs import Store
from nnviz.spec.jobs import load
from tests.cli.conftest import Command

SETTINGS = {
    "steps": 2000,
    "device": "cpu",
    "probes": [],
    "learner.data.noise": 0.5,
    "learner.optimizer": {"kind": "adam", "lr": 0.05},
    "early_stopping": {"kind": "patience", "patience": 3},
}


def test_a_run_that_stops_early_says_so_and_keeps_its_best_weights(nnviz: Command, folder) -> None:
    settings = [part for path, value in SETTINGS.items() for part in ("--set", f"{path}={json.dumps(value)}")]
    answer = nnviz("run", "job.json", *settings)
    file = Store().open(answer.run)
    status = file.status()
    stop = status.early_stop
    assert (answer.code, status.state, status.error) == (0, "stopped early", "")
    assert stop.best_step < status.step == stop.step < 2000
    assert f"nnviz: run {file.id} {stop}" in answer.err
    assert f"stopped early, best step={stop.best_step}" in answer.err
    assert file.history()[-1].message == str(stop)
    assert file.weights()[0] == stop.best_step
    assert file.checkpoint()[0] == stop.step
    assert "stopped early" in nnviz("list").out
    # Its job is done: it is found again, and not resumed.
    assert Store().find(file.fingerprint) == file.id
    refused = nnviz("resume", file.id)
    assert refused.code == 2
    assert f"run {file.id} has stopped early" in refused.err
    assert nnviz("export", file.id, "--to", "out").code == 0
    readme = (folder / "out/README.txt").read_text()
    assert f"the whole network at step {stop.best_step}, that of the lowest test loss" in readme
    assert torch.load(folder / "out/weights.pt", weights_only=True)
    # Without early stopping it goes on from where it stopped.
    child = load(file.text).model_dump(mode="json")
    child |= {"parent": {"run": file.id, "step": stop.step}, "early_stopping": {"kind": "none"}}
    child |= {"steps": stop.step + 10}
    (folder / "child.json").write_text(json.dumps(child), encoding="utf-8")
    more = nnviz("run", "child.json")
    assert (more.code, Store().open(more.run).status().state) == (0, "finished")
    assert Store().view(more.run).best is None
