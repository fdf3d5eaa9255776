from pathlib import Path

import pytest

from nnviz.runs import RunError, check
from nnviz.runs.workers import machine_limits
from nnviz.spec.jobs import Estimate, Training


@pytest.fixture
def machine(monkeypatch):
    def make(need: Estimate, memory: float = 64e9, disk: float = 64e9) -> None:
        monkeypatch.setattr(Training, "estimate", lambda _: need)
        monkeypatch.setattr(machine_limits, "free_memory", lambda: int(memory))
        monkeypatch.setattr(machine_limits, "free_disk", lambda _: int(disk))

    return make


def test_an_ordinary_job_passes(tmp_path):
    check([Training()], tmp_path)


def test_too_large_a_model_is_refused_with_the_estimate_in_words(machine, tmp_path):
    machine(Estimate(1_234_567_890, 19_800_000_000, 10), memory=12.3e9)
    with pytest.raises(RunError) as caught:
        check([Training()], tmp_path)
    assert str(caught.value) == (
        "model has 1,234,567,890 parameters; training it needs about 19.8 GB,"
        " this machine has 12.3 GB free; make layers narrower"
    )


def test_too_large_a_run_file_is_refused_with_the_estimate_in_words(machine):
    machine(Estimate(10, 10, 5_000_000_000), disk=80e6)
    with pytest.raises(RunError) as caught:
        check([Training()], Path("/data/runs"))
    assert str(caught.value) == (
        "the run file would grow to about 5.0 GB, the disk of /data/runs has 80.0 MB free;"
        " evaluate and measure less often, or free some space"
    )


def test_what_is_free_is_known_also_for_a_folder_that_is_not_there_yet(tmp_path):
    assert machine_limits.free_disk(tmp_path / "a" / "b") > 0
    assert machine_limits.free_memory() > 0


def test_jobs_side_by_side_are_refused_by_what_they_need_together_were_all_other_runs_ended(machine, tmp_path):
    machine(Estimate(1_000_000, 3_000_000_000, 10), memory=4e9)
    check([Training()], tmp_path)
    with pytest.raises(RunError) as caught:
        check([Training()] * 2, tmp_path)
    assert str(caught.value) == (
        "2 models have 2,000,000 parameters; training them side by side needs about 6.0 GB,"
        " this machine has 4.0 GB free; make layers narrower"
    )
    check([Training()] * 2, tmp_path, used=3_000_000_000)


def test_what_fits_beside_what_is_reserved_need_not_wait_and_alone_anything_may_try():
    for need, reserved, words in ((9, 0, ""), (3, 6, ""), (20, 0, ""), (4, 6, "needs about 4.0 GB of memory")):
        found = machine_limits.waiting_reason(need * 10**9, reserved * 10**9, 10**10)
        assert (words in found) if words else not found, (need, reserved)
