"""Everything wrong gets one line that names the thing, exit status 2, and no run file."""

import io
import sys
from pathlib import Path

import pytest

from nnviz.runs import Store
from nnviz.runs.storage.run_file import create
from nnviz.spec.jobs import Parent, Training, dump_set
from tests.cli.conftest import Command
from tests.each import each

DIGITS = "20261120-1551-ab12cd"

WRONG = {
    "no command": ((), "COMMAND"),
    "unknown command": (("train",), "train"),
    "unknown page": (("template", "play"), "play"),
    "no page": (("template",), "page"),
    "unknown example": (("template", "playground", "Spiral"), "Spiral"),
    "unknown flag": (("list", "--all"), "--all"),
    "shortened flag": (("list", "--hom", "runs"), "--hom"),
    "missing job file": (("run", "nowhere.json"), "nowhere.json"),
    "folder as job file": (("run", "folder"), "folder"),
    "empty job file": (("run", "empty"), "empty"),
    "job file that is no text": (("run", "bytes"), "bytes"),
    "job file of a list": (("run", "list"), "JSON object"),
    "job file of an empty set": (("run", "set"), "1 to 8 jobs"),
    "set with a parent in it": (("run", "children"), "must not have a parent"),
    "deep job file": (("run", "deep"), "deep"),
    "huge job file": (("run", "huge"), "1,000,000 bytes"),
    "unknown field in the job file": (("run", "field"), "stepz"),
    "nan in the job file": (("run", "nan"), "nan"),
    "field over two lines": (("run", "lines"), "not a field"),
    "setting without a value": (("run", "job.json", "--set", "steps"), "PATH=VALUE"),
    "setting without a path": (("run", "job.json", "--set", "=3"), "PATH=VALUE"),
    "setting of an unknown field": (("run", "job.json", "--set", "learner.optimizer.rate=1"), "learner.optimizer.rate"),
    "setting beyond a limit": (("run", "job.json", "--set", "learner.optimizer.lr=-1"), "-1"),
    "setting of the wrong type": (("run", "job.json", "--set", "steps=many"), "many"),
    "setting that is not finite": (("run", "job.json", "--set", "learner.optimizer.lr=NaN"), "finite"),
    "setting of an unknown kind": (("run", "job.json", "--set", "learner.optimizer=adan"), "adan"),
    "setting of a layer that is not there": (("run", "job.json", "--set", "learner.model.hidden.9.width=3"), "9"),
    "setting of a layer by a strange digit": (("run", "job.json", "--set", "learner.model.hidden.²=3"), "hidden.²"),
    "setting inside of nothing": (("run", "job.json", "--set", "parent.step=3"), "parent.step"),
    "loss that does not fit": (("run", "job.json", "--set", "learner.data=curve"), "cross_entropy"),
    "parent that is not there": (("run", "job.json", "--set", f'parent={{"run":"{DIGITS}","step":3}}'), DIGITS),
    "home that is a file": (("run", "job.json", "--home", "job.json"), "job.json"),
    "home below a file": (("run", "job.json", "--home", "job.json/runs"), "job.json"),
    "home without a name": (("list", "--home", ""), "--home"),
    "home that is not there": (("list", "--home", "elsewhere"), "elsewhere"),
    "home with too long a name": (("run", "job.json", "--home", "x" * 5000), "File name too long"),
    "unknown run": (("export", DIGITS, "--to", "out"), DIGITS),
    "run that is a path": (("export", "../../etc/passwd", "--to", "out"), "../../etc/passwd"),
    "run that is damaged": (("export", "damaged", "--to", "out"), "damaged"),
    "run that is foreign": (("export", "foreign", "--to", "out"), "foreign"),
    "export to a file": (("export", "queued", "--to", "job.json"), "job.json"),
    "export to a folder in use": (("export", "queued", "--to", "."), "empty folder"),
    "export below a file": (("export", "queued", "--to", "job.json/out"), "job.json/out"),
    "export without a folder": (("export", "queued"), "--to"),
    "resume of an unknown run": (("resume", DIGITS), DIGITS),
    "resume of a run that waits": (("resume", "queued"), "queued"),
}


@pytest.fixture
def bad_files(folder: Path) -> None:
    home = folder / "runs"
    home.mkdir()
    (folder / "folder").mkdir()
    (folder / "empty").write_bytes(b"")
    (folder / "bytes").write_bytes(b"\xff\x00\xfe{}")
    (folder / "list").write_text("[1, 2]")
    (folder / "set").write_text('{"kind": "set", "jobs": []}')
    child = Training(parent=Parent(run=DIGITS, step=3))
    (folder / "children").write_text(dump_set([Training(), child]))
    (folder / "deep").write_text("[" * 100_000)
    (folder / "huge").write_text(" " * 1_000_001)
    (folder / "field").write_text('{"stepz": 3}')
    (folder / "nan").write_text('{"learner": {"l2": NaN}}')
    (folder / "lines").write_text('{"a\\nTraceback\\u001b[31m": 3}')
    (home / "damaged.sqlite").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    (home / "foreign.sqlite").write_bytes(b"")
    create(home / "queued.sqlite", Training())


@pytest.mark.usefixtures("bad_files")
@each(("arguments", "named"), WRONG.values())
def test_wrong_request_gets_one_line_and_status_2(arguments: tuple[str, ...], named: str, nnviz: Command) -> None:
    before = {path.name for path in Path("runs").iterdir()}
    answer = nnviz(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.count("\n") == 1
    assert named in answer.err
    assert "Traceback (most" not in answer.err
    assert answer.err[:-1].isprintable()
    assert {path.name for path in Path("runs").iterdir()} == before


def test_job_too_large_is_refused_with_the_estimate(nnviz: Command) -> None:
    changes = ("learner.model=deep_mlp", "learner.model.depth=50", "learner.model.width=8192")
    answer = nnviz("run", "job.json", *(a for change in changes for a in ("--set", change)))
    assert answer.code == 2
    assert " parameters; training it needs about " in answer.err
    assert "GB" in answer.err
    assert not Path("runs").exists()


def test_device_that_is_missing_is_refused_before_a_run_is_made(nnviz: Command) -> None:
    answer = nnviz("run", "job.json", "--set", "device=cuda:99")
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert "cuda:99" in answer.err
    assert not Path("runs").exists()


def test_job_on_standard_input_is_named_so(nnviz: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"{")))
    answer = nnviz("run", "-")
    assert answer.code == 2
    assert answer.err.startswith("nnviz: standard input: the job is not JSON")


def test_finished_run_is_not_resumed(nnviz: Command) -> None:
    run = nnviz("run", "job.json", "--set", "steps=2").run
    answer = nnviz("resume", run)
    assert (answer.code, answer.err) == (
        2,
        f"nnviz: a run to resume must be stopped, diverged, failed or lost; run {run} is finished\n",
    )
    assert Store().open(run).status().state == "finished"


def test_wrong_request_in_a_process_of_its_own(process: Command) -> None:
    answer = process("run", "-", "--set", "steps=0", stdin="{}")
    assert answer.code == 2
    assert answer.err == "nnviz: Training.steps must be in [1, 1000000], got 0\n"
