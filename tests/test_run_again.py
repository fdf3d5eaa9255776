"""A test that was run again is named at the end of the run."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
HICCUP = """
import pytest
from pathlib import Path

@pytest.mark.flaky(reruns=1)
def test_hiccup():
    there = Path(__file__).with_name("there").exists()
    Path(__file__).with_name("there").touch()
    assert there, "it was not there"
"""


def test_the_summary_names_what_was_run_again_and_why(tmp_path):
    (tmp_path / "test_it.py").write_text(HICCUP)
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_terminal_summary")
    command = [sys.executable, "-m", "pytest", "-q", "--rootdir", str(tmp_path), "-p", "no:cacheprovider", "-n0"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    asked = subprocess.run(
        [*command, str(tmp_path)],
        env={**environment, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = asked.stdout.splitlines()
    (place,) = (n for n, line in enumerate(lines) if " run again " in line)
    assert lines[place + 1] == "test_it.py::test_hiccup (call): AssertionError: it was not there", asked.stdout
    assert "1 passed, 1 rerun" in lines[-1]
