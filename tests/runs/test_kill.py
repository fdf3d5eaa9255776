import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")]


def killed(what: str, folder: Path, rounds: int = 20) -> dict:
    command = [sys.executable, "-m", "tests.runs.random_kills", what, str(rounds), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_writer_killed_at_twenty_random_moments_loses_no_committed_record(tmp_path):
    assert killed("writer", tmp_path)["rounds"] == 20


def test_a_worker_killed_at_twenty_random_moments_loses_nothing_and_resumes_to_the_uninterrupted_run(tmp_path):
    assert killed("worker", tmp_path)["rounds"] == 20


def test_an_ensemble_killed_again_and_again_resumes_to_the_uninterrupted_run(tmp_path):
    resumed_at = killed("ensemble", tmp_path, rounds=3)["resumed at"]
    assert len(resumed_at) > 1
    assert 0 < resumed_at[0] < 240


def test_a_gan_killed_again_and_again_resumes_to_the_uninterrupted_run(tmp_path):
    resumed_at = killed("adversarial", tmp_path, rounds=3)["resumed at"]
    assert len(resumed_at) > 1
    assert 0 < resumed_at[0] < 48
