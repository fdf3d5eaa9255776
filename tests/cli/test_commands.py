"""The commands, in this process."""

import io
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from nnviz.cli.job_files import describe, read, setting
from nnviz.engine import data, losses, models
from nnviz.presets import PAGES, gradient_flow, optimizers, playground
from nnviz.runs import Store
from nnviz.spec.base import differences, replace_many
from nnviz.spec.jobs import Ensemble, Parent, RateSearch, Training, dump, dump_set, load, load_set
from nnviz.spec.optimizers import Adam
from tests.cli.conftest import QUICK, Command

KEY = ["step", "quantity", "site", "member"]


def scalars(folder: str | Path) -> pd.DataFrame:
    return pd.read_csv(Path(folder) / "scalars.csv", keep_default_na=False)


@pytest.mark.parametrize("page", PAGES)
def test_template_prints_the_page_s_default_job(page: str, nnviz: Command) -> None:
    answer = nnviz("template", page)
    assert (answer.code, answer.err) == (0, "")
    assert load(answer.out) == PAGES[page].default


def test_template_prints_an_example_as_the_set_that_the_page_opens(nnviz: Command) -> None:
    for page, offer in PAGES.items():
        for example in offer.examples:
            assert load_set(nnviz("template", page, example.title).out) == tuple(example.jobs)
    answer = nnviz("template", "playground", "Spiral")
    assert (answer.code, answer.out) == (2, "")
    assert "example must be one of XOR, one layer, " in answer.err


def test_a_set_trains_in_lock_step_with_settings_applied_to_each(nnviz: Command, folder: Path) -> None:
    jobs = [playground.DEFAULT.model_copy(update={"seed": seed}) for seed in range(3)]
    (folder / "set.json").write_text(dump_set(jobs), encoding="utf-8")
    answer = nnviz("run", "set.json", *QUICK)
    runs = answer.out.splitlines()
    assert (answer.code, len(runs)) == (0, 3)
    files = [Store().open(run) for run in runs]
    assert [(file.job.seed, file.job.steps, file.status().step) for file in files] == [(n, 20, 20) for n in range(3)]
    assert all(file.members == runs for file in files)
    assert all(run in answer.err for run in runs)


def test_one_job_of_a_set_that_diverges_does_not_stop_the_others(nnviz: Command, folder: Path) -> None:
    wild = {"learner.optimizer.lr": 10.0, "learner.loss": "mse", "learner.model.hidden": [{"width": 40}] * 3}
    jobs = [replace_many(playground.DEFAULT, wild), playground.DEFAULT]
    (folder / "set.json").write_text(dump_set(jobs), encoding="utf-8")
    answer = nnviz("run", "set.json", "--set", "steps=60", "--set", "learner.model.hidden.0.activation=relu")
    states = [Store().open(run).status().state for run in answer.out.splitlines()]
    assert (answer.code, states) == (1, ["diverged", "finished"])


def test_trajectories_and_a_rate_search_run_and_are_exported(nnviz: Command, folder: Path) -> None:
    trajectories = optimizers.DEFAULT.model_copy(update={"steps": 30})
    (folder / "trajectories.json").write_text(dump(trajectories), encoding="utf-8")
    (folder / "search.json").write_text(dump(RateSearch(trajectories=trajectories, rates=5)), encoding="utf-8")
    for name, steps, snapshot in (("trajectories", 30, "trajectories"), ("search", 4, "rate_search")):
        answer = nnviz("run", f"{name}.json")
        assert answer.code == 0
        assert Store().open(answer.run).status().step == steps
        assert nnviz("export", answer.run, "--to", name).code == 0
        with np.load(f"{name}/snapshots/{snapshot}.npz") as arrays:
            assert len(arrays.files) > 3
    assert scalars("trajectories")["quantity"].unique().tolist() == ["value", "distance"]
    wrong = nnviz("run", "trajectories.json", "--set", "surface=formula", "--set", "surface.text=x.y")
    assert (wrong.code, wrong.out) == (2, "")
    assert wrong.err.startswith('nnviz: f(x, y): "." at character 2 is not allowed')


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("a.b=0.3", "a.b", 0.3),
        ("a=adam", "a", "adam"),
        ("a=[1,2]", "a", [1, 2]),
        ("a=x=y", "a", "x=y"),
        ("a=", "a", ""),
    ],
)
def test_setting_is_json_where_it_reads_as_json(text: str, path: str, value: object) -> None:
    assert setting(text) == (path, value)


def test_settings_choose_a_kind_before_its_fields() -> None:
    (job,) = read("job.json", ["learner.optimizer.beta1=0.5", "learner.optimizer=adam"])
    assert job.learner.optimizer == Adam(beta1=0.5)


def test_description_says_what_differs() -> None:
    text = describe(gradient_flow.DEFAULT)
    assert {"data=digits", "model=deep_mlp", "steps=600"} <= set(text.split())


def test_run_prints_its_id_last_and_keeps_a_pinned_finished_run(nnviz: Command) -> None:
    answer = nnviz("run", "job.json", *QUICK)
    assert answer.code == 0
    assert answer.out == f"{answer.run}\n"
    assert "20/20" in answer.err
    assert "loss=" in answer.err
    assert "accuracy=" in answer.err
    file = Store().open(answer.run)
    assert (file.status().state, file.status().step, file.status().pinned) == ("finished", 20, True)
    assert differences(file.job, playground.DEFAULT) == {"steps": 20, "device": "cpu"}
    assert [p.name for p in Path("runs").iterdir()] == [f"{answer.run}.sqlite"]


def test_run_reads_the_job_from_standard_input(nnviz: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"steps": 3}')))
    answer = nnviz("run", "-", "--home", "there")
    assert answer.code == 0
    assert Store("there").open(answer.run).status().step == 3


def test_home_comes_from_the_environment_unless_named(nnviz: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NNVIZ_HOME", "mine")
    run = nnviz("run", "job.json", "--set", "steps=2").run
    assert Path("mine", f"{run}.sqlite").exists()
    assert run in nnviz("list").out
    Path("empty").mkdir()
    assert nnviz("list", "--home", "empty").out == ""


def test_same_job_gives_the_same_scalars(nnviz: Command) -> None:
    for folder in ("a", "b"):
        nnviz("export", nnviz("run", "job.json", *QUICK).run, "--to", folder)
    assert Path("a/scalars.csv").read_bytes() == Path("b/scalars.csv").read_bytes()


def test_exported_weights_are_the_whole_network_and_give_its_last_loss(nnviz: Command) -> None:
    wide = '[{"width": 40}, {"width": 30, "activation": {"kind": "prelu"}}]'
    settings = (
        "--set",
        "learner.data=iris",
        "--set",
        f"learner.model.hidden={wide}",
        "--set",
        "learner.model.skip=true",
    )
    finished = nnviz("run", "job.json", *QUICK, *settings, "--set", "learner.model.norm=batch")
    diverged = nnviz(
        "run", "job.json", *QUICK, *settings, "--set", "learner.optimizer.lr=10", "--set", "learner.loss=mse"
    )
    assert (finished.code, diverged.code) == (0, 1)
    for run, at in ((finished.run, 20), (diverged.run, None)):
        assert nnviz("export", run, "--to", run).code == 0
        weights = torch.load(f"{run}/weights.pt", weights_only=True)
        assert all(bool(tensor.isfinite().all()) for tensor in weights.values())
        job = load(Path(run, "job.json").read_bytes())
        made = data.build(job.learner.data, job.seed)
        network = models.build(job.learner.model, (4,), 3, seed=99)
        network.load_state_dict(weights)
        x, y = made.part(test=True)
        with torch.no_grad():
            loss = float(losses.build(job.learner.loss, 3, 3)(network.eval()(x), y))
        recorded = scalars(run).query("quantity == 'loss' and site == 'test'")
        step = int(recorded["step"].iloc[-1]) if at is None else at
        assert f"network at step {step}" in Path(run, "README.txt").read_text()
        assert loss == pytest.approx(float(recorded["value"].iloc[-1]), rel=1e-6)


def test_export_reads_back_as_the_run_file_holds_it(nnviz: Command) -> None:
    run = nnviz("run", "job.json", *QUICK).run
    assert nnviz("export", run, "--to", "out").code == 0
    file = Store().open(run)
    held, _ = file.scalars()
    assert list(held) == ["step", "quantity", "site", "value", "member"]
    assert len(held) > 100
    types = {"quantity": object, "site": object}
    pd.testing.assert_frame_equal(scalars("out").astype(types), held, check_exact=True)
    pd.testing.assert_frame_equal(pd.read_parquet("out/scalars.parquet").astype(types), held, check_exact=True)
    assert load(Path("out/job.json").read_text()) == file.job
    with np.load("out/snapshots/decision_grid.npz") as grids:
        step, arrays = file.snapshot("decision_grid")
        assert grids["steps"].tolist() == file.snapshot_steps("decision_grid")
        assert grids["steps"][-1] == step
        np.testing.assert_array_equal(grids["probabilities"][-1], arrays["probabilities"])


def test_exported_job_runs_again_to_the_same_numbers(nnviz: Command) -> None:
    nnviz("export", nnviz("run", "job.json", *QUICK).run, "--to", "a")
    nnviz("export", nnviz("run", "a/job.json").run, "--to", "b")
    assert Path("a/scalars.csv").read_bytes() == Path("b/scalars.csv").read_bytes()


def test_list_shows_runs_newest_first_and_damaged_files_with_the_reason(nnviz: Command) -> None:
    assert nnviz("list").out == ""
    run = nnviz("run", "job.json", *QUICK).run
    Path("runs/broken.sqlite").write_bytes(b"x" * 5000)
    answer = nnviz("list")
    assert answer.code == 0
    heading, first, second = answer.out.splitlines()
    assert heading.split() == ["id", "state", "step", "result", "created", "job"]
    assert first.split()[:3] == [run, "finished", "20/20"]
    assert "steps=20" in first
    assert second.startswith("broken")
    assert "is damaged" in second
    waiting = Store().create(Training(), until=0)
    waiting.write(state="paused")
    assert nnviz("list").out.splitlines()[1].split()[:3] == [waiting.id, "ready", "0/3000"]
    waiting.close()


def test_diverged_run_exits_1_and_keeps_its_last_good_step(nnviz: Command) -> None:
    deep = ("model=deep_mlp", "model.initializer=normal", "optimizer.lr=10", "optimizer.momentum=0.99")
    answer = nnviz("run", "job.json", *(a for change in deep for a in ("--set", f"learner.{change}")))
    assert answer.code == 1
    file = Store().open(answer.run)
    status = file.status()
    last = answer.err.splitlines()[-1]
    assert last == f"nnviz: run {answer.run} {status.error}"
    assert "diverged at step" in last
    assert status.state == "diverged"
    assert 0 < file.checkpoint()[0] <= status.step
    assert "diverged at step" in nnviz("list").out


def test_run_continues_from_its_parent_s_checkpoint(nnviz: Command, folder: Path) -> None:
    first = nnviz("run", "job.json", *QUICK).run
    child = Store().open(first).job.model_copy(update={"steps": 40, "parent": Parent(run=first, step=20)})
    (folder / "child.json").write_text(dump(child))
    nnviz("export", nnviz("run", "child.json").run, "--to", "child")
    nnviz("export", nnviz("run", "job.json", *QUICK, "--set", "steps=40").run, "--to", "whole")
    assert Path("child/scalars.csv").read_bytes() == Path("whole/scalars.csv").read_bytes()


@pytest.mark.parametrize(
    ("parent", "steps", "rule"),
    [({"step": 7}, 40, "must have a checkpoint of step 7"), ({"step": 20}, 20, "must be above 20")],
)
def test_parent_that_does_not_fit_is_refused(parent: dict, steps: int, rule: str, nnviz: Command) -> None:
    first = nnviz("run", "job.json", *QUICK).run
    text = json.dumps({"run": first, **parent})
    answer = nnviz("run", "job.json", "--set", f"steps={steps}", "--set", f"parent={text}")
    assert answer.code == 2
    assert rule in answer.err


def interrupt(number: int, after: int) -> threading.Thread:
    """Send a signal to this process once the only run of ./runs has done `after` steps."""

    def send() -> None:
        deadline = time.monotonic() + 30
        while not any(s.step >= after for s in Store().list()) and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=send)
    thread.start()
    return thread


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_stops_a_run_with_a_checkpoint_and_resume_finishes_it(number: int, nnviz: Command) -> None:
    before = signal.getsignal(number)
    thread = interrupt(number, 20)
    answer = nnviz("run", "job.json", "--set", "steps=1000", "--set", "device=cpu")
    thread.join()
    assert answer.code == 128 + number
    assert signal.getsignal(number) is before
    file = Store().open(answer.run)
    status = file.status()
    assert (status.state, file.checkpoint()[0]) == ("stopped", status.step)
    assert 20 <= status.step < 1000
    assert answer.err.splitlines()[-1].endswith(f"python -m nnviz resume {answer.run}")

    again = nnviz("resume", answer.run)
    assert (again.code, again.run) == (0, answer.run)
    assert file.status().state == "finished"
    whole, _ = Store().open(nnviz("run", "job.json", "--set", "steps=1000", "--set", "device=cpu").run).scalars()
    resumed, _ = file.scalars()
    assert not resumed.duplicated(KEY).any()
    # the evaluation at the step where it stopped adds some; all others are the same
    merged = whole.merge(resumed, on=KEY, suffixes=("", "_resumed"))
    assert len(merged) == len(whole)
    assert (merged["value"] == merged["value_resumed"]).all()


def test_a_stopped_set_is_resumed_together(nnviz: Command, folder: Path) -> None:
    jobs = [playground.DEFAULT.model_copy(update={"seed": seed}) for seed in range(2)]
    (folder / "set.json").write_text(dump_set(jobs), encoding="utf-8")
    thread = interrupt(signal.SIGINT, 20)
    answer = nnviz("run", "set.json", "--set", "steps=600", "--set", "device=cpu")
    thread.join()
    runs = answer.out.splitlines()
    assert (answer.code, len(runs)) == (130, 2)
    assert answer.err.splitlines()[-1].endswith(f"python -m nnviz resume {' '.join(runs)}")
    again = nnviz("resume", *runs)
    assert (again.code, again.out.splitlines()) == (0, runs)
    assert [Store().open(run).status().step for run in runs] == [600, 600]


def test_run_cancelled_from_elsewhere_exits_1(nnviz: Command) -> None:
    def cancel() -> None:
        deadline = time.monotonic() + 30
        while not any(s.step >= 10 for s in Store().list()) and time.monotonic() < deadline:
            time.sleep(0.01)
        Store().open(Store().list()[0].id).cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    answer = nnviz("run", "job.json", "--set", "steps=1000000")
    thread.join()
    assert answer.code == 1
    assert "stopped after" in answer.err.splitlines()[-1]


def test_an_ensemble_is_run_listed_and_exported_with_a_column_of_members(nnviz: Command, folder: Path) -> None:
    (folder / "seeds.json").write_text(dump(Ensemble(members=3, evaluate_every=5)), encoding="utf-8")
    answer = nnviz("run", "seeds.json", *QUICK)
    assert answer.code == 0
    assert f"{answer.run}  finished  20/20  highest test accuracy " in nnviz("list").out
    assert nnviz("export", answer.run, "--to", "out").code == 0
    table = scalars("out")
    assert sorted(table["member"].unique()) == [0, 1, 2]
    assert len(table[(table["quantity"] == "loss") & (table["site"] == "batch")]) == 3 * 20
    assert not (folder / "out" / "weights.pt").exists()
