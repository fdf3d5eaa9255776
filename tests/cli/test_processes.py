"""The commands, each in a process of its own, as a user calls them."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nnviz.presets import playground
from nnviz.runs import Store
from nnviz.spec.jobs import load
from tests.cli.conftest import QUICK, Command, start

WITHOUT_TORCH = """
import sys
from nnviz.__main__ import main
for command in (["template", "playground"], ["list"], ["export", {run!r}, "--to", "light"]):
    assert main(command) == 0
heavy = {{"torch", "streamlit", "plotly", "sklearn"}} & set(sys.modules)
assert not heavy, heavy
"""


@pytest.mark.slow
def test_commands_end_to_end(process: Command, nnviz: Command, folder: Path) -> None:
    template = process("template", "playground")
    assert load(template.out) == playground.DEFAULT
    exports, ids = [], []
    for command, source, stdin in ((process, "-", {"stdin": template.out}), (nnviz, "job.json", {})):
        run = command("run", source, *QUICK, **stdin)
        assert run.code == 0, run.err
        assert command("export", run.run, "--to", run.run).code == 0
        exports.append((folder / run.run / "scalars.csv").read_bytes())
        ids.append(run.run)
    assert exports[0] == exports[1]
    listed = process("list").out
    assert all(run in listed for run in ids)
    light = [sys.executable, "-c", WITHOUT_TORCH.format(run=run.run)]
    assert subprocess.run(light, cwd=folder, check=False, capture_output=True, timeout=60).returncode == 0


@pytest.mark.slow
def test_ctrl_c_stops_cleanly_and_resume_continues(folder: Path) -> None:
    child = start("run", "job.json", "--set", "steps=1000000", cwd=folder)
    try:
        deadline = time.monotonic() + 40
        while not any(s.step >= 10 for s in Store().list()) and time.monotonic() < deadline:
            time.sleep(0.05)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=20)
    finally:
        child.kill()
    assert child.returncode == 130
    assert "Traceback" not in err
    file = Store().open(out.strip())
    assert file.status().state == "stopped"
    assert file.checkpoint()[0] == file.status().step >= 10


def test_reader_that_goes_away_is_no_error(folder: Path) -> None:
    child = start("template", "gradient_flow", cwd=folder)
    child.stdout.close()
    err = child.stderr.read()
    child.stderr.close()
    assert (child.wait(20), err) == (0, "")
