"""The benchmark of CUDA devices begins on the CPU, with nothing installed but what it says it needs."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BARE = """
import runpy, sys

class Refusing:
    def find_spec(self, name, *_):
        if name.split(".")[0] in {"streamlit", "plotly", "PIL", "pyarrow"}:
            raise ModuleNotFoundError(name=name)

sys.meta_path.insert(0, Refusing())
sys.argv = ["on_cuda.py", "--device", "cpu", "--seconds", "0.01", "--steps", "1", "--rounds", "1"]
sys.path.insert(0, "benchmarks")
runpy.run_path("benchmarks/on_cuda.py", run_name="__main__")
"""


@pytest.mark.slow
def test_it_begins_on_a_bare_machine_and_says_what_it_had_no_time_for():
    done = subprocess.run([sys.executable, "-c", BARE], capture_output=True, text=True, timeout=180, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "a training is that of the CPU: losses differ by at most 0.0e+00" in done.stdout
    assert "left out, as 0.01 s were over: probes change no loss, " in done.stdout
    assert "GAN images · default" in done.stdout
    assert done.stdout.rstrip().endswith("0 failed")
