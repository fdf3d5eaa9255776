import math
import os
import re
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nnviz.records import Metric, Scalar
from nnviz.runs import RunError, Store
from nnviz.runs.storage.schema import FORMAT
from nnviz.spec.jobs import Landscape, Training, fingerprint


def execute(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement)
    connection.close()


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """`folder` cannot be written to; the superuser, whom permissions do not stop, is somebody else meanwhile."""
    folder.chmod(0o555)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(0o755)


@pytest.fixture
def open_store() -> Iterator[Store]:
    """A store that other users can read."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Store(Path(folder) / "runs")


def test_runs_are_listed_newest_first_with_what_they_came_to(store):
    assert store.list() == []
    first, second = store.create(Training(seed=1), title="one"), store.create(Training(seed=2), pinned=True)
    info = {"metric": Metric("accuracy", "test", "test accuracy", True, is_fraction=True)._asdict()}
    told = [Scalar(0, "accuracy", 0.9, "test"), Scalar(1, "accuracy", 0.5, "test"), Scalar(1, "accuracy", 0.7, "train")]
    first.write(told, state="finished", step=1, info=info)
    first.close()
    listed = {summary.id: summary for summary in store.list()}
    assert [s.created for s in store.list()] == sorted((s.created for s in listed.values()), reverse=True)
    one, two = listed[first.id], listed[second.id]
    assert (one.title, one.state, one.step, one.steps) == ("one", "finished", 1, 3000)
    assert one.result == store.view(first.id).result == store.open(first.id).result() == ("test accuracy", 0.5, True)
    assert str(one.result) == "test accuracy 50.0%"
    assert (two.state, two.pinned, two.result) == ("queued", True, None)


def test_without_a_site_the_best_of_all_counts_and_what_is_no_number_does_not(store):
    file = store.create(Training())
    steps = [(0, 1, 9.0), (0, 2, 0.1), (7, 1, 3.0), (7, 2, 5.0), (7, 3, math.nan)]
    heights = [Scalar(step, "height", value, str(optimizer), optimizer - 1) for step, optimizer, value in steps]
    for higher, best in ((False, 3.0), (True, 5.0)):
        file.write(heights, step=7, info={"metric": Metric("height", None, "height", higher)._asdict()})
        found = [next(s.result for s in store.list()), store.view(file.id).result, file.result()]
        assert found == [("height", best, False)] * 3
        assert str(found[0]) == f"height {best:g}"
    file.close()


def test_a_list_shows_changes_of_runs_that_were_over(store):
    file = store.create(Training())
    file.write(state="finished")
    file.close()
    assert not store.list()[0].pinned
    file.pin()
    assert store.list()[0].pinned


def test_the_newest_finished_run_of_the_same_job_is_found(store):
    job = Training(seed=3)
    assert store.find(fingerprint(job)) is None
    files = [store.create(job) for _ in range(3)]
    for file, state in zip(files, ("finished", "finished", "stopped"), strict=True):
        file.write(state=state)
        file.close()
    assert store.find(fingerprint(job)) == files[1].id
    assert store.find(fingerprint(Training(seed=4))) is None


def test_groups_know_their_members(store):
    files = store.create_group([Training(), Training(seed=1)], titles=["a", "b"])
    assert [store.group(file.id) for file in files] == [[f.id for f in files]] * 2
    assert [file.status().title for file in files] == ["a", "b"]
    alone = store.create(Training())
    assert store.group(alone.id) == [alone.id]


def test_the_home_is_given_or_from_the_environment_or_runs_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NNVIZ_HOME", raising=False)
    assert Store().home == tmp_path / "runs"
    monkeypatch.setenv("NNVIZ_HOME", str(tmp_path / "elsewhere"))
    assert Store().home == tmp_path / "elsewhere"
    assert Store(tmp_path / "given").home == tmp_path / "given"
    assert list(tmp_path.iterdir()) == []


def test_a_deleted_run_is_gone_and_a_live_one_is_not_deleted(store):
    file = store.create(Training())
    with pytest.raises(RunError, match="is queued: stop it"):
        store.delete(file.id)
    file.give_up("stopped", "")
    store.delete(file.id)
    assert store.list() == []
    with pytest.raises(RunError, match="does not exist"):
        store.delete(file.id)


@pytest.mark.parametrize("name", ["../secret", "a/b", "", ".hidden", "a" * 200, "a\0b", "run.", "..", "a\nb"])
def test_what_is_no_id_never_reaches_the_file_system(store, name):
    with pytest.raises(RunError, match="must look like"):
        store.open(name)


def test_a_home_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "runs").write_text("x")
    with pytest.raises(RunError, match=r"must be a folder, got the file .*runs: set NNVIZ_HOME"):
        Store(tmp_path / "runs")


def damaged(path: Path, how: str) -> None:
    data = path.read_bytes()
    if how == "empty":
        path.write_bytes(b"")
    elif how == "text":
        path.write_text("hello " * 1000)
    elif how == "truncated":
        path.write_bytes(data[: len(data) // 2])
    elif how == "cut":
        path.write_bytes(data[:100])
    elif how == "zeros in the middle":
        path.write_bytes(data[:4096] + bytes(len(data) - 4096))
    elif how == "foreign":
        path.unlink()
        execute(path, "CREATE TABLE mine (x)")
    elif how == "no job":
        execute(path, "DELETE FROM job")
    elif how == "no status":
        execute(path, "DELETE FROM status")
    elif how == "no table":
        execute(path, "DROP TABLE control")
    elif how == "info":
        execute(path, "UPDATE status SET info = '{'")


@pytest.mark.parametrize(
    "how",
    [
        "empty",
        "text",
        "truncated",
        "cut",
        "zeros in the middle",
        "foreign",
        "no job",
        "no status",
        "no table",
        "info",
    ],
)
def test_a_damaged_or_foreign_file_is_one_clear_line_and_the_list_goes_on(store, how):
    file, good = store.create(Training()), store.create(Training())
    damaged(file.path, how)
    with pytest.raises(RunError, match=r"damaged|not a run file") as caught:
        store.open(file.id)
    assert "\n" not in str(caught.value)
    assert file.path.name in str(caught.value)
    listed = {summary.id: summary for summary in store.list()}
    assert listed[good.id].state == "queued"
    assert listed[file.id].state == "damaged"
    assert "\n" not in listed[file.id].error
    with pytest.raises(RunError):
        store.view(file.id)


def test_a_job_that_this_version_does_not_know_is_one_clear_line(store):
    file = store.create(Training())
    execute(file.path, """UPDATE job SET json = '{"kind": "training", "warp": 9}'""")
    with pytest.raises(RunError, match=r"the job in run .* is not one that this nnviz reads: .*warp"):
        store.open(file.id).job  # noqa: B018
    with pytest.raises(RunError, match="warp"):
        store.view(file.id)


def test_a_damaged_picture_is_one_clear_line(store):
    file = store.create(Training())
    execute(file.path, "INSERT INTO snapshots VALUES (1, 'network', '', 0, 0, x'0011')")
    execute(file.path, "UPDATE status SET pictures = 1")
    with pytest.raises(RunError, match="damaged: network at step 0"):
        file.snapshot("network")
    with pytest.raises(RunError, match="damaged: network at step 0"):
        store.view(file.id).snapshot("network")


def test_a_file_of_another_version_says_so(store):
    file = store.create(Training())
    newer = f"newer nnviz (format {FORMAT + 1}, this one reads {FORMAT}): update"
    for version, words in {FORMAT + 1: newer, 1: "older nnviz (format 1, "}.items():
        execute(file.path, f"PRAGMA user_version = {version}")
        with pytest.raises(RunError, match=re.escape(words)):
            store.open(file.id)


def test_a_run_locked_by_another_program_says_so(store, monkeypatch):
    file = store.create(Training())
    monkeypatch.setattr("nnviz.runs.storage.run_file.connect.__kwdefaults__", {"write": False, "timeout": 0.05})
    other = sqlite3.connect(file.path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(RunError, match="locked by another program: close that program and try again"):
        file.pin()
    other.close()


def test_a_full_disk_is_one_clear_line_and_what_was_committed_stays(store):
    file = store.create(Training())
    file.write([Scalar(1, "loss", 0.5, "train")])
    file.writer()._connection.execute("PRAGMA max_page_count = 20")
    with pytest.raises(RunError, match=r"cannot grow: the disk of .* is full; free some space"):
        file.write([Scalar(i, "loss", 0.5, "train") for i in range(100_000)])
    assert len(file.scalars()[0]) == 1
    file.close()


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are another matter there")
def test_a_read_only_folder_is_read_and_not_written(open_store):
    file = open_store.create(Training())
    file.write([Scalar(1, "loss", 0.5, "train")], state="finished")
    file.close()
    with read_only(open_store.home):
        assert open_store.open(file.id).status().state == "finished"
        assert len(open_store.view(file.id).scalars("loss")) == 1
        assert open_store.list()[0].state == "finished"
        with pytest.raises(RunError, match=r"cannot be written: .* is read-only; set NNVIZ_HOME"):
            file.pin()
        with pytest.raises(RunError, match=r"NNVIZ_HOME|Permission denied"):
            open_store.create(Training())


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are another matter there")
def test_a_file_left_in_wal_mode_is_read_from_a_read_only_folder(open_store):
    file = open_store.create(Training())
    file.write([Scalar(1, "loss", 0.5, "train")], state="finished")
    file.writer().close(rest=False)
    connection = sqlite3.connect(file.path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
    assert list(open_store.home.iterdir()) == [file.path]
    with read_only(open_store.home):
        assert len(open_store.open(file.id).scalars()[0]) == 1
        assert open_store.view(file.id).status.state == "finished"


def test_a_copied_file_is_a_run_under_its_new_name(store):
    file = store.create(Training(), title="x")
    copy = file.path.with_name("my favorite.sqlite")
    copy.write_bytes(file.path.read_bytes())
    assert store.open("my favorite").status().title == "x"
    assert {summary.id for summary in store.list()} == {file.id, "my favorite"}


def left_waiting(store: Store, count: int, minutes: float = 60, **options) -> list[str]:
    """Ids of untrained runs that waited for a start and were given up so long ago, oldest first."""
    ids = []
    for number in range(count):
        file = store.create(Training(), **{"until": 0, **options})
        file.write(state="paused")
        file.close()
        file.give_up("stopped", "stopped: no viewer for 60 s")
        at = time.time() - 60 * minutes + number
        execute(file.path, f"UPDATE control SET viewed = {at}")
        execute(file.path, f"UPDATE status SET ended = {at}")
        execute(file.path, f"UPDATE job SET created = {at}")
        ids.append(file.id)
    return ids


def test_untrained_runs_that_were_given_up_are_swept_but_for_the_newest(store):
    ids = left_waiting(store, 8)
    assert set(store.sweep()) == set(ids[:3])
    assert {s.id for s in store.list()} == set(ids[3:])
    assert store.sweep() == []


def test_a_sweep_leaves_what_was_looked_at_lately(store):
    left_waiting(store, 3, minutes=5)
    assert store.sweep(keep=0) == []
    assert len(store.sweep(older=60, keep=0)) == 3


def remade(store, count: int, state: str, **options) -> list[str]:
    """Landscapes that ended an hour ago, oldest first."""
    ids = []
    for number in range(count):
        file = store.create(Landscape(samples=10 + number), **options)
        file.write(state="running", step=3)
        file.write(state=state)
        file.close()
        at = time.time() - 3600 + number
        execute(file.path, f"UPDATE control SET viewed = {at}")
        execute(file.path, f"UPDATE status SET ended = {at}")
        execute(file.path, f"UPDATE job SET created = {at}")
        ids.append(file.id)
    return ids


def test_landscapes_are_swept_where_they_are_unfinished_or_the_oldest_of_many(store, monkeypatch):
    monkeypatch.setattr("nnviz.runs.storage.store.MAX_CACHED", 3)
    finished, stopped = remade(store, 5, "finished"), remade(store, 2, "stopped")
    pinned = remade(store, 2, "stopped", pinned=True)
    assert set(store.sweep()) == {*finished[:2], *stopped}
    assert {s.id for s in store.list()} == {*finished[2:], *pinned}
    assert store.sweep() == []


def test_landscapes_that_were_looked_at_lately_are_not_swept(store):
    remade(store, 2, "stopped")
    assert store.sweep(older=7200) == []


@pytest.mark.parametrize("what", ["pinned", "trained", "asked to train", "went on", "finished", "live"])
def test_a_sweep_leaves_all_other_runs(store, what):
    (run,) = left_waiting(store, 1, pinned=what == "pinned")
    path = store.path(run)
    if what == "trained":
        execute(path, "UPDATE status SET step = 1")
    elif what == "asked to train":
        execute(path, "UPDATE control SET until = NULL")
    elif what == "went on":
        execute(path, "UPDATE job SET parent = 'x', parent_step = 0")
    elif what == "finished":
        execute(path, "UPDATE status SET state = 'finished'")
    elif what == "live":
        execute(path, f"UPDATE status SET state = 'paused', heartbeat = {time.time()}")
    assert store.sweep(keep=0) == []
    assert path.exists()


def test_a_sweep_takes_untrained_runs_whose_worker_is_gone_and_passes_over_damaged_files(store):
    (run,) = left_waiting(store, 1)
    execute(store.path(run), "UPDATE status SET state = 'paused', ended = NULL, heartbeat = 0")
    store.path("20260101-0000-bad000").write_bytes(b"not a database" * 100)
    assert store.sweep(keep=0) == [run]
    assert [s.id for s in store.list()] == ["20260101-0000-bad000"]


def test_a_sweep_of_a_folder_that_is_not_there_does_nothing(tmp_path):
    assert Store(tmp_path / "none").sweep() == []
