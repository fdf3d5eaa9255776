"""A data set in a file of the user's own goes the whole path, from the form's job to the export and back."""

from pathlib import Path

import pytest

from nnviz.__main__ import main
from nnviz.engine import Diverged, EngineError, run
from nnviz.runs import RunError, Store, export
from nnviz.runs.runset import RunSet, RunSetState
from nnviz.runs.workers.member import Member
from nnviz.runs.workers.pool import Pool
from nnviz.spec.attachments import Attachment
from nnviz.spec.jobs import dump
from nnviz.spec.landscapes import RandomPlane
from nnviz.ui import links
from tests.engine.short_runs import all_records, scalars
from tests.engine.table import CSV, Landscape, Learner, Table, TrainedModel, Training, known  # noqa: F401

pytestmark = pytest.mark.usefixtures("known")


def training(file: Attachment) -> Training:
    return Training(learner=Learner(data=Table(file=file)), steps=6, evaluate_every=3, device="cpu")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NNVIZ_HOME", str(tmp_path / "runs"))
    return Store()


def test_it_runs_is_exported_with_its_file_and_runs_again_from_there(store, tmp_path, monkeypatch, capsys):
    job = training(store.keep_file("mine.csv", CSV))
    Path("job.json").write_text(dump(job))
    assert main(["run", "job.json"]) == 0
    first = store.view(capsys.readouterr().out.splitlines()[-1])
    expected = scalars(all_records(run(job, read_file=lambda _: CSV)), "loss", "batch")
    assert list(first.scalars("loss").query("site == 'batch'").value) == list(expected.values())

    written = export([store.open(first.id)], tmp_path / "out")
    copied = [path for path in written if path.parent.name == "files"]
    assert [path.read_bytes() for path in copied] == [CSV]
    assert "files/ " in (tmp_path / "out/README.txt").read_text()
    monkeypatch.setenv("NNVIZ_HOME", str(tmp_path / "elsewhere"))
    assert main(["run", "out/job.json"]) == 0
    again = Store().view(capsys.readouterr().out.splitlines()[-1])
    assert again.scalars("loss").equals(first.scalars("loss"))


def test_its_landscape_is_looked_at():
    job = Landscape(
        network=TrainedModel(learner=training(Attachment()).learner, steps=3),
        views=(RandomPlane(resolution=9),),
        device="cpu",
    )
    with pytest.raises(EngineError, match="pass read_file to run"):
        all_records(run(job))
    found = [r for r in all_records(run(job, read_file=lambda _: CSV)) if r.quantity == "plane"]
    assert found[-1].arrays["train_loss"].shape == (9, 9)


def test_where_the_file_is_missing_everything_says_so_in_one_line(store, tmp_path, capsys):
    job = training(Attachment(sha256="0" * 64, name="mine.csv"))
    rule = "file 'mine.csv' (SHA-256 000000000000…) is not in"
    Path("job.json").write_text(dump(job))
    assert main(["run", "job.json"]) == 2, "the command line"
    problem = capsys.readouterr().err
    assert problem.startswith(f"nnviz: {rule}")
    assert problem.count("\n") == 1
    assert store.list() == []

    pool = Pool(store, command=("true",))
    with pytest.raises(RunError) as refused:
        pool.submit([job])
    assert str(refused.value).startswith(rule), "the pool"
    runset = RunSet(store, lambda: pool, RunSetState())
    runset.ensure({"a": job}, until=0)
    assert [line.startswith(rule) for line in runset.problems] == [True], "the form"
    pool.shutdown()

    parameters = links.query([job], Training())
    assert links.read(parameters, Training()) == ([job], [], []), "a link"

    file = store.create(job)
    member = Member(file.path, run, Diverged, "test")
    member.start()
    assert file.status().state == "failed"
    assert file.status().error.startswith(f"failed after 0 steps: {rule}"), "the worker"
    export([file], tmp_path / "out")
    assert not (tmp_path / "out/files").exists()
    assert "files/ " not in (tmp_path / "out/README.txt").read_text()
