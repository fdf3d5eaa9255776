"""Calling the command line, in this process and in one of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from nnviz.__main__ import main
from nnviz.presets import playground
from nnviz.spec.jobs import dump

ROOT = Path(__file__).parents[2]
QUICK = ("--set", "steps=20", "--set", "device=cpu")


@dataclass(frozen=True)
class Answer:
    """The output of a command, and its exit status."""

    code: int
    out: str
    err: str

    @property
    def run(self) -> str:
        """The last line of standard output."""
        return self.out.splitlines()[-1]


Command = Callable[..., Answer]


def start(*arguments: str, cwd: Path, **streams: object) -> subprocess.Popen:
    """`python -m nnviz` in a process of its own."""
    environment = {k: v for k, v in os.environ.items() if k != "NNVIZ_HOME"} | {"PYTHONPATH": str(ROOT)}
    command: Sequence[str] = (sys.executable, "-m", "nnviz", *arguments)
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    return subprocess.Popen(command, cwd=cwd, env=environment, text=True, encoding="utf-8", **streams)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of a test: empty but for job.json, and without a store."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NNVIZ_HOME", raising=False)
    (tmp_path / "job.json").write_text(dump(playground.DEFAULT), encoding="utf-8")
    return tmp_path


@pytest.fixture
def nnviz(capsys: pytest.CaptureFixture[str]) -> Command:
    """The command line in this process."""

    def call(*arguments: str) -> Answer:
        capsys.readouterr()
        try:
            code = main(arguments)
        except SystemExit as end:
            code = int(end.code or 0)
        return Answer(code, *capsys.readouterr())

    return call


@pytest.fixture
def process(folder: Path) -> Command:
    """The command line in a process of its own."""

    def call(*arguments: str, stdin: str = "") -> Answer:
        child = start(*arguments, cwd=folder, stdin=-1)
        try:
            out, err = child.communicate(stdin, timeout=60)
        finally:
            child.kill()
        return Answer(child.returncode, out, err)

    return call
