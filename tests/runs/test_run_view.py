import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import pytest

from nnviz.records import Scalar, Snapshot
from nnviz.runs import RunError, RunFile
from nnviz.runs.reading import cache as caches
from tests.scalar_frames import frame


def same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Equal values; a view's text columns are categorical."""
    text = {"quantity": "object", "site": "object"}
    pd.testing.assert_frame_equal(found.astype(text), expected.astype(text))


def losses(start: int, stop: int) -> list[Scalar]:
    return [Scalar(step, "loss", step / 3, site) for step in range(start, stop) for site in ("train", "test", "batch")]


def picture(step: int, value: float) -> Snapshot:
    return Snapshot(step, "network", {"bias_1": np.full(3, value)})


def test_a_view_follows_what_is_written(store, running):
    first = losses(0, 5)
    running.write(first, step=4)
    same(store.view(running.id).scalars("loss"), frame(first))
    second = losses(5, 300)
    running.write(second, step=299)
    view = store.view(running.id)
    same(view.scalars("loss"), frame(first + second))
    assert view.status.step == 299
    assert view.job == running.job


def test_quantities_and_sites_are_chosen(store, running):
    records = [*losses(0, 3), Scalar(3, "accuracy", 0.5, "test"), Scalar(3, "learning_rate", float("nan"), "model")]
    running.write(records)
    view = store.view(running.id)
    same(view.scalars(), frame(records))
    both = [r for r in records if r.quantity in ("loss", "accuracy") and r.site == "test"]
    same(view.scalars("loss", "accuracy", sites=["test"]), frame(both))
    assert np.isnan(view.scalars("learning_rate")["value"][0])
    same(view.scalars("nothing"), frame([]))


def test_a_frame_that_a_page_changes_does_not_change_the_next(store, running):
    running.write(losses(0, 3))
    view = store.view(running.id)
    mine = view.scalars("loss")
    mine["value"] = 0.0
    mine.loc[0, "step"] = 99
    same(view.scalars("loss"), frame(losses(0, 3)))


def test_pictures_are_seen_from_a_step(store, running):
    assert store.view(running.id).snapshot("network") == {}
    running.write([picture(0, 0.0), picture(10, 1.0), Snapshot(5, "fit", {"n": np.arange(2)})])
    view = store.view(running.id)
    assert view.steps == [0, 5, 10]
    assert view.snapshot("network")["bias_1"][0] == 1.0
    assert view.at(9).snapshot("network")["bias_1"][0] == 0.0
    assert view.at(9).snapshot_step("network") == 0
    assert view.at(4).snapshot("fit") == {}
    assert view.at(10).at(None).step is None


def test_two_modules_never_overwrite_each_other(store, running):
    def layers(step: int, site: str, value: float) -> Snapshot:
        return Snapshot(step, "layers", {"width": np.full(2, value)}, site)

    running.write([layers(0, "generator", 1.0), layers(0, "discriminator", 2.0), layers(4, "generator", 3.0)])
    view = store.view(running.id)
    assert view.sites("layers") == ["discriminator", "generator"]
    for step, generator in ((0, 1.0), (4, 3.0)):
        assert view.at(step).snapshot("layers", "generator")["width"][0] == generator
        assert view.at(step).snapshot("layers", "discriminator")["width"][0] == 2.0
    assert view.at(9).snapshot_step("layers", "discriminator") == 0
    assert view.snapshot("layers", "encoder") == {}
    with pytest.raises(RunError, match="layers has snapshots of discriminator, generator: name one of these sites"):
        view.snapshot("layers")


def test_a_picture_drawn_again_by_hand_is_seen_anew(store, running):
    running.write([picture(0, 0.0)])
    assert store.view(running.id).snapshot("network")["bias_1"][0] == 0.0
    running.writer().truncate(-1)
    running.write([picture(0, 5.0)])
    assert store.view(running.id).snapshot("network")["bias_1"][0] == 5.0


def test_a_view_forgets_what_a_resumed_run_took_back(store, running):
    running.write([*losses(0, 10), picture(9, 1.0)], step=9)
    assert len(store.view(running.id).scalars("loss")) == 30
    running.writer().truncate(4)
    running.write(losses(5, 7), step=6)
    view = store.view(running.id)
    same(view.scalars("loss"), frame(losses(0, 7)))
    assert view.steps == []


def test_a_run_at_rest_is_not_opened_again(store, running, monkeypatch):
    running.write(losses(0, 3), state="finished")
    running.close()
    store.view(running.id)
    monkeypatch.setattr(caches, "connect", None)
    assert len(store.view(running.id).scalars("loss")) == 9


def test_a_run_that_goes_on_after_its_end_is_seen(store, running):
    running.write(losses(0, 3), state="finished")
    running.close()
    store.view(running.id)
    running.queue()
    assert store.view(running.id).status.state == "queued"
    RunFile(running.path).write(losses(3, 4), state="running")
    assert len(store.view(running.id).scalars("loss")) == 12


def test_only_so_many_arrays_and_runs_are_held(store, running, monkeypatch):
    monkeypatch.setattr(caches, "SNAPSHOT_BYTES", 1000)
    monkeypatch.setattr(caches, "RUNS", 3)
    running.write([picture(step, step) for step in range(100)])
    view = store.view(running.id)
    for step in range(100):
        assert view.at(step).snapshot("network")["bias_1"][0] == step
    assert view._cache._bytes <= 1000
    assert view._cache._bytes == sum(a["bias_1"].nbytes for a in view._cache._arrays.values())
    for _ in range(5):
        store.view(store.create(running.job).id)
    assert len(caches._caches) == 3


def test_many_threads_see_whole_frames(store, running):
    wrong: list[object] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            found = store.view(running.id).scalars("loss")
            if len(found) % 30 or (found["step"].to_numpy() != np.repeat(np.arange(len(found) // 3), 3)).any():
                wrong.append(found)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for start in range(0, 1000, 10):
        running.write(losses(start, start + 10), step=start + 9)
    stop.set()
    for thread in threads:
        thread.join(10)
    assert not wrong
    assert len(store.view(running.id).scalars("loss")) == 3000


READER = """
import sys
from pathlib import Path
from nnviz.runs import Store
store, run = Store(Path(sys.argv[1])), sys.argv[2]
print("reading", flush=True)
looks = last = 0
while last < 1999:
    view = store.view(run)
    steps = view.scalars("loss")["step"].tolist()
    assert view.status.step >= last and (not steps or len(steps) > view.status.step), "went back"
    assert steps == list(range(len(steps))) and (not steps or steps[-1] % 10 == 9), "saw half a commit"
    last, looks = view.status.step, looks + 1
print(looks, flush=True)
"""


@pytest.mark.slow
def test_two_processes_read_whole_commits_while_a_third_writes(store, running):
    command = [sys.executable, "-c", READER, str(store.home), running.id]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        for reader in readers:
            assert reader.stdout.readline() == "reading\n"
        for start in range(0, 2000, 10):
            batch = [Scalar(step, "loss", step / 3, "batch") for step in range(start, start + 10)]
            running.write([*batch, picture(start, 1.0)], step=start + 9)
        for reader in readers:
            assert int(reader.communicate(timeout=30)[0]) > 1
            assert reader.returncode == 0
    finally:
        for reader in readers:
            reader.kill()
            reader.communicate()


def test_an_unknown_run_has_no_view(store):
    with pytest.raises(RunError, match="does not exist"):
        store.view("20260101-0000-abcdef")
