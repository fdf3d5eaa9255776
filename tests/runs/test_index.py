"""The index of a store: runs are found without opening all of them, whatever happens to files and to the index."""

import shutil
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from nnviz.runs import RunFile, Store
from nnviz.runs.storage import index as indexes
from nnviz.runs.storage.summaries import summarize
from nnviz.spec.jobs import Training, fingerprint


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs whose files are read, in order."""
    found: list[str] = []

    def reads(path: Path) -> object:
        found.append(path.stem)
        return summarize(path)

    monkeypatch.setattr(indexes, "summarize", reads)
    return found


def mark(seed: int) -> str:
    return fingerprint(Training(seed=seed))


def finished(store: Store, seed: int) -> RunFile:
    file = store.create(Training(seed=seed))
    file.write(state="finished", step=3000)
    file.close()
    return file


def test_a_run_is_found_without_reading_the_files_of_others_also_by_the_next_process(store, read):
    runs = [finished(store, seed).id for seed in range(4)]
    live = store.create(Training(seed=9)).id
    assert store.find(mark(2)) == runs[2]
    assert sorted(read) == sorted([*runs, live])
    for next_store in (store, Store(store.home)):
        assert [next_store.find(mark(seed)) for seed in (0, 3, 8)] == [runs[0], runs[3], None]
        assert [summary.id for summary in next_store.list()] == [live, *reversed(runs)]
    assert set(read[5:]) == {live}  # what it says of itself may change at any moment


def test_what_comes_goes_and_changes_in_the_folder_is_seen(store, tmp_path):
    first, second = finished(store, 1), finished(store, 1)
    assert store.find(mark(1)) == second.id
    second.path.unlink()
    assert store.find(mark(1)) == first.id
    other = Store(tmp_path / "others")
    copied = finished(other, 2)
    shutil.copy(copied.path, store.home)
    assert store.find(mark(2)) == copied.id
    under_way = other.create(Training(seed=3))
    other = Store(under_way.path.parent)
    assert other.find(mark(3)) is None
    under_way.write(state="finished", step=3000)
    assert other.find(mark(3)) == under_way.id
    under_way.close()
    under_way.queue()
    assert other.find(mark(3)) is None
    shutil.copy(first.path, under_way.path)
    assert other.find(mark(3)) is None, "another job under the same name"
    assert other.list()[0].id == copied.id
    assert other.find(mark(1)) == under_way.id
    shutil.rmtree(store.home)
    assert store.find(mark(1)) is None
    assert store.list() == []


def test_a_file_that_could_not_be_read_is_tried_again(store, read, monkeypatch):
    file = finished(store, 1)
    whole = file.path.read_bytes()
    file.path.write_bytes(whole[:3000])
    for _ in range(3):
        assert store.find(mark(1)) is None
    assert read == [file.id]
    file.path.write_bytes(whole)
    monkeypatch.setattr(indexes, "RETRY_AFTER", 0.0)
    assert store.find(mark(1)) == file.id


SPOILED: dict[str, Callable[[Path], object]] = {
    "deleted": lambda path: path.unlink(),
    "its folder deleted": lambda path: shutil.rmtree(path.parent),
    "text": lambda path: path.write_text("hello " * 1000),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:5000]),
    "empty": lambda path: path.write_bytes(b""),
    "foreign": lambda path: path.write_bytes(_foreign(path)),
    "wrong rows": lambda path: _execute(path, "UPDATE runs SET summary = '[]'"),
    "of another version": lambda path: _execute(path, "PRAGMA user_version = 1"),
}


def _execute(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement)
    connection.close()


def _foreign(path: Path) -> bytes:
    other = path.with_name("other")
    _execute(other, "CREATE TABLE runs (x)")
    _execute(other, "PRAGMA user_version = " + str(indexes.FORMAT))
    return other.read_bytes()


def test_an_index_that_is_missing_or_damaged_is_made_again(store, read):
    runs = [finished(store, seed).id for seed in (1, 2)]
    path = store.home / "index" / "runs.sqlite"
    for what, spoil in SPOILED.items():
        assert store.find(mark(1)) == runs[0]
        assert path.is_file(), what
        spoil(path)
        assert store.find(mark(1)) == runs[0], what
        assert Store(store.home).find(mark(2)) == runs[1], what
        Store(store.home).list()
        read.clear()
        assert Store(store.home).find(mark(1)) == runs[0], what
        assert read == [], what


def test_several_processes_may_use_one_store_at_once(store):
    """Each has an index of its own, and they write to one file."""
    wrong: list[object] = []

    def work(first: int) -> None:
        own = Store(store.home)
        for seed in range(first, first + 4):
            run = finished(own, seed).id
            if own.find(mark(seed)) != run:
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(10 * number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert wrong == []
    assert len(Store(store.home).list()) == 12
