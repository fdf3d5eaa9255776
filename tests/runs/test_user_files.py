"""Files of the user's own in a store."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from nnviz.runs import RunError, Store
from nnviz.runs.storage import user_files
from nnviz.spec import jobs
from nnviz.spec.attachments import Attachment, attachments_of
from nnviz.spec.base import Spec, SpecError
from tests.engine.table import Landscape, Learner, Table, TrainedModel, Training

CONTENT = b"1,2,0\n"


def training(file: Attachment) -> Training:
    return Training(learner=Learner(data=Table(file=file)), steps=5)


def age(store: Store, days: float) -> None:
    for path in (store.home / "files").iterdir():
        os.utime(path, (time.time() - days * 86_400,) * 2)


def left(store: Store) -> set[str]:
    return {path.name for path in (store.home / "files").iterdir()}


def test_a_hash_is_64_hexadecimal_digits_and_a_name_has_no_folder():
    Attachment(sha256="0" * 64, name="my table (1).csv")
    for wrong in ("0" * 63, "0" * 63 + "G", "../../etc/passwd", "A" * 64):
        with pytest.raises(SpecError, match="sha256 must be 64 hexadecimal digits"):
            Attachment.parse({"sha256": wrong})
    for wrong in ("../a", "a\\b", "C:", "a\nb", "a\u202eb"):
        with pytest.raises(SpecError, match="name must be a file name without a folder"):
            Attachment.parse({"name": wrong})


def test_the_attachments_of_a_job_are_found_wherever_they_are_and_each_once():
    class Folder(Spec):
        files: tuple[Attachment, ...]

    a, b = Attachment(sha256="a" * 64, name="a"), Attachment(sha256="b" * 64, name="b")
    assert attachments_of(Folder(files=(a, b, a))) == (a, b)
    assert attachments_of(training(a)) == (a,)
    assert attachments_of(Landscape(network=TrainedModel(learner=training(a).learner))) == (a,)
    assert attachments_of(jobs.Training()) == ()


def test_what_is_kept_is_read_back_and_lies_under_its_hash_once(store):
    attachment = store.keep_file("a.csv", CONTENT)
    assert attachment == Attachment(sha256=hashlib.sha256(CONTENT).hexdigest(), name="a.csv")
    assert store.keep_file("b.csv", CONTENT).sha256 == attachment.sha256
    assert left(store) == {attachment.sha256}
    assert user_files.read(store.home, attachment) == CONTENT
    user_files.check(store.home, training(attachment))


def test_what_cannot_be_read_is_one_line_that_says_what_to_do(store):
    attachment = store.keep_file("a.csv", CONTENT)
    path = store.home / "files" / attachment.sha256
    path.write_bytes(b"1,2,1\n")
    with pytest.raises(RunError, match=r"file 'a.csv' \(SHA-256 \w{12}…\) is damaged in .*: choose the file again"):
        user_files.read(store.home, attachment)
    assert store.keep_file("a.csv", CONTENT) == attachment
    assert user_files.read(store.home, attachment) == CONTENT, "the same file chosen again did not replace it"
    path.unlink()
    for ask in (user_files.read, lambda home, a: user_files.check(home, training(a))):
        with pytest.raises(RunError, match=rf"'a.csv' .* is not in .* as {attachment.sha256[:12]}-a.csv into"):
            ask(store.home, attachment)
        with pytest.raises(RunError, match="no file is chosen yet"):
            ask(store.home, Attachment())


def test_a_file_that_is_too_large_or_a_folder_that_cannot_be_written_is_one_line(store, monkeypatch, tmp_path):
    monkeypatch.setattr(user_files, "LARGEST", 5)
    with pytest.raises(RunError) as refused:
        store.keep_file("a.csv", CONTENT)
    assert str(refused.value) == "file 'a.csv' must have at most 5 bytes, got 6: take a part of it"
    monkeypatch.undo()
    (tmp_path / "files").write_text("")
    with pytest.raises(RunError, match=r"the folder of files .* cannot be written"):
        Store(tmp_path).keep_file("a.csv", CONTENT)


def test_a_file_is_swept_when_it_is_old_and_neither_a_run_nor_a_draft_names_it(store):
    store.sweep()  # without a folder
    named, drafted, unnamed = (store.keep_file("a.csv", text) for text in (b"1", b"2", b"3"))
    run = store.create(training(named))
    store.keep_draft(training(drafted).model_dump_json())
    store.sweep()
    assert len(left(store)) == 3, "a file was swept that is not old"
    age(store, 31)
    damaged = store.home / "damaged.sqlite"
    damaged.write_text("not a run")
    store.sweep()
    assert len(left(store)) == 3, "a file was swept that an unreadable run may name"
    damaged.unlink()
    user_files.check(store.home, training(unnamed))
    store.sweep()
    assert len(left(store)) == 3, "a file was swept that a job is about to use"
    age(store, 31)
    store.sweep()
    assert left(store) == {named.sha256, drafted.sha256}
    run.close()
    store.open(run.id).give_up("stopped", "")
    store.delete(run.id)
    store.sweep()
    assert left(store) == {drafted.sha256}


def test_files_beside_a_job_are_taken_if_they_are_what_its_hash_says(store, tmp_path):
    attachment = store.keep_file("a.csv", CONTENT)
    written = user_files.copy(store.home, training(attachment), tmp_path / "files")
    assert [path.name for path in written] == [f"{attachment.sha256[:12]}-a.csv"]
    other = Store(tmp_path / "other")
    other.import_files(training(attachment), tmp_path)
    assert user_files.read(other.home, attachment) == CONTENT
    third = Store(tmp_path / "third")
    Path(written[0]).write_bytes(b"something else")
    third.import_files(training(attachment), tmp_path)
    with pytest.raises(RunError, match="is not in"):
        user_files.check(third.home, training(attachment))
