"""Drafts: texts kept under a mark, which an address holds."""

import os
import time

import pytest

from nnviz.runs import RunError, Store
from nnviz.runs.storage.drafts import sweep
from tests.each import each


def test_a_text_comes_back_by_its_mark_which_is_the_same_for_the_same_text(store):
    mark = store.keep_draft('{"π": "💥"}')
    assert store.draft(mark) == '{"π": "💥"}'
    assert store.keep_draft('{"π": "💥"}') == mark != store.keep_draft("{}")
    assert [path.suffix for path in (store.home / "drafts").iterdir()] == [".json"] * 2
    assert store.list() == []


@each("mark", ["0123456789abcdef", "", "..", "../x", "0123456789ABCDEF", "a\0b", "a" * 5000, "/etc/passwd"])
def test_what_is_not_kept_here_is_said_in_one_line(store, mark):
    store.keep_draft("{}")
    with pytest.raises(RunError, match="only on the machine where its link was made") as refused:
        store.draft(mark)
    assert str(refused.value).isprintable()


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "drafts").write_text("")
    with pytest.raises(RunError, match="folder of drafts"):
        Store(tmp_path).keep_draft("{}")


def test_drafts_that_are_old_or_too_many_are_swept_and_opening_one_keeps_it(store):
    folder = store.home / "drafts"
    marks = [store.keep_draft(str(n)) for n in range(6)]
    for age, mark in enumerate(marks):
        os.utime(folder / f"{mark}.json", (time.time() - 3600 * (age + 1),) * 2)
    store.draft(marks[5])
    sweep(folder, older=3.5 * 3600)
    left = [mark for mark in marks if (folder / f"{mark}.json").exists()]
    assert left == [*marks[:3], marks[5]]
    sweep(folder, most=2)
    assert [mark for mark in left if (folder / f"{mark}.json").exists()] == [marks[0], marks[5]]


def test_the_store_sweeps_drafts_with_its_runs(store):
    path = store.home / "drafts" / f"{store.keep_draft('{}')}.json"
    store.sweep()
    assert path.exists()
    os.utime(path, (time.time() - 90 * 86_400,) * 2)
    store.sweep()
    assert not path.exists()
