import sqlite3
import time
from contextlib import closing

import numpy as np
import pandas as pd
import pytest

from nnviz.records import Scalar, Snapshot
from nnviz.runs import RunError, RunFile, Store
from nnviz.runs.storage import writer as writers
from nnviz.runs.storage.thinning import MAX_SNAPSHOTS
from nnviz.spec.jobs import Parent, Training, Trajectories
from tests.scalar_frames import frame

RECORDS = [
    Scalar(0, "loss", 0.5, "train"),
    Scalar(0, "loss", float("nan"), "test"),
    Scalar(1, "loss", float("inf"), "batch", member=3),
    Scalar(1, "gradient_norm", 1e-300, "model.linear1.weight"),
]


def picture(step: int, value: float = 0.0, quantity: str = "network") -> Snapshot:
    return Snapshot(step, quantity, {"weight_1": np.full((2, 3), value, np.float32)})


def test_a_new_run_is_queued_and_holds_its_job(store):
    job = Training(seed=4, parent=Parent(run="a", step=2))
    file = store.create(job, title="mine")
    assert file.job == job
    status = file.status()
    assert (status.state, status.step, status.steps, status.title, status.pinned) == ("queued", 0, 3000, "mine", False)
    assert [change.state for change in file.history()] == ["queued"]


def test_scalars_come_back_as_they_were_written(running):
    running.write(RECORDS, step=1)
    back, last = running.scalars()
    pd.testing.assert_frame_equal(back, frame(RECORDS))
    more = [Scalar(2, "loss", 0.25, "train")]
    running.write(more)
    new, _ = running.scalars(last)
    pd.testing.assert_frame_equal(new, frame(more))


def test_the_scalars_view_is_plain_to_sqlite_and_pandas(running):
    running.write(RECORDS)
    running.close()
    connection = sqlite3.connect(running.path)
    plain = pd.read_sql("SELECT * FROM scalars", connection)
    connection.close()
    assert list(plain.columns) == ["step", "quantity", "site", "value", "member"]
    assert plain["site"].tolist() == [r.site for r in RECORDS]


def test_numpy_numbers_are_taken(running):
    running.write([Scalar(np.int64(3), "loss", np.float32(0.5), "train", np.int32(1))], step=np.int64(3))
    assert running.scalars()[0].iloc[0].tolist() == [3, "loss", "train", 0.5, 1]
    assert running.status().step == 3


def test_many_scalars_of_one_commit_keep_their_order(running):
    records = [Scalar(i, "loss", i / 7, f"site{i % 13}") for i in range(1234)]
    running.write(records)
    pd.testing.assert_frame_equal(running.scalars()[0], frame(records))


def test_a_failed_write_leaves_nothing_and_the_next_one_works(running):
    with pytest.raises(ValueError, match="objects"):
        running.write([*RECORDS, Snapshot(1, "bad", {"x": np.array([object()])})], step=9)
    assert len(running.scalars()[0]) == 0
    assert running.status().step == 0
    running.write(RECORDS)
    assert len(running.scalars()[0]) == len(RECORDS)


def test_snapshots_are_found_at_or_before_a_step(running):
    running.write([picture(0, 1.0), picture(10, 2.0)])
    assert running.snapshot_steps("network") == [0, 10]
    assert running.snapshot("network", 9)[0] == 0
    step, arrays = running.snapshot("network")
    assert step == 10
    np.testing.assert_array_equal(arrays["weight_1"], np.full((2, 3), 2.0, np.float32))
    assert running.snapshot("nothing") is None
    assert running.places() == [("network", "")]


def test_snapshots_are_thinned_while_they_are_written_and_step_zero_stays(running):
    running.write([picture(0, quantity="data")])
    for start in range(0, 10_000, 250):
        running.write([picture(step) for step in range(start, start + 250, 5)])
    steps = running.snapshot_steps("network")
    assert len(steps) == MAX_SNAPSHOTS
    assert (steps[0], steps[-1]) == (0, 9995)
    assert running.snapshot_steps("data") == [0]


def test_thinning_goes_on_the_same_after_the_file_was_closed_and_opened(store):
    once, twice = store.create(Training()), store.create(Training())
    steps = range(0, 6000, 10)
    once.write([picture(s) for s in steps])
    for half in (steps[:400], steps[400:]):
        twice.write([picture(s) for s in half])
        twice.close()
    assert twice.snapshot_steps("network") == once.snapshot_steps("network")
    once.close()


def test_large_snapshots_of_a_site_are_thinned_by_their_bytes_and_others_are_not(store, monkeypatch):
    monkeypatch.setattr(writers, "BYTES", 100_000)
    large = {site: {"pixels": np.zeros(size, np.uint8)} for site, size in {"generator": 9000, "encoder": 10}.items()}
    files = []
    for cut in (100, 7):
        file = store.create(Training())
        for start in range(0, 100, cut):
            steps = range(start, min(start + cut, 100))
            file.write([Snapshot(s, "samples", arrays, site) for s in steps for site, arrays in large.items()])
        file.close()
        files.append(file)
    kept = files[0].snapshot_steps("samples", "generator")
    assert (kept[0], kept[-1], len(kept)) == (0, 99, 10)
    assert files[1].snapshot_steps("samples", "generator") == kept
    assert files[0].snapshot_steps("samples", "encoder") == list(range(100))


def test_a_step_looked_at_by_hand_is_kept_and_says_nothing_twice(running):
    running.write([picture(1003), Scalar(1003, "loss", 0.5, "train")])
    look = [Scalar(1003, "loss", 0.5, "train"), Scalar(1003, "accuracy", 0.5, "train")]
    running.write([*look, *look], by_hand=1003)
    assert running.scalars()[0]["quantity"].tolist() == ["loss", "accuracy"]
    running.write([picture(s) for s in range(1010, 40_000, 10)])
    assert 1003 in running.snapshot_steps("network")


def test_the_last_three_checkpoints_are_kept_and_the_newest_is_given(running):
    for step in (10, 20, 30, 40):
        running.save_checkpoint(step, bytes([step]) * 10)
    assert running.checkpoint() == (40, bytes([40]) * 10)
    connection = sqlite3.connect(running.path)
    assert [row[0] for row in connection.execute("SELECT step FROM checkpoints ORDER BY step")] == [20, 30, 40]
    connection.close()


def test_a_checkpoint_of_an_earlier_step_replaces_the_later_ones(running):
    for step in (10, 20, 30):
        running.save_checkpoint(step, b"x")
    running.save_checkpoint(15, b"good")
    assert running.checkpoint() == (15, b"good")


def test_a_large_checkpoint_lies_in_parts_and_comes_back_whole(running, monkeypatch):
    monkeypatch.setattr("nnviz.runs.storage.writer.PART", 7)
    running.save_checkpoint(5, b"0123456789abcdefghij")
    assert running.checkpoint() == (5, b"0123456789abcdefghij")
    running.save_checkpoint(6, b"")
    assert running.checkpoint() == (6, b"")


def test_weights_of_the_last_pause_are_kept_in_parts_and_taken_back_with_their_step(running, monkeypatch):
    monkeypatch.setattr("nnviz.runs.storage.writer.PART", 4)
    assert running.weights() is None
    running.write(weights=(5, b"0123456789"))
    running.write(weights=(9, b"abcdef"))
    assert running.weights() == (9, b"abcdef")
    running.writer().truncate(8)
    assert running.weights() is None


def test_truncating_takes_back_what_came_later(running):
    running.write([Scalar(s, "loss", s, "batch") for s in range(1, 11)] + [picture(0), picture(10)], step=10)
    running.save_checkpoint(4, b"four")
    running.save_checkpoint(10, b"ten")
    running.writer().truncate(4)
    assert running.scalars()[0]["step"].tolist() == [1, 2, 3, 4]
    assert running.snapshot_steps("network") == [0]
    assert running.checkpoint() == (4, b"four")
    assert running.status().step == 4


def test_state_changes_are_recorded_with_time_message_and_log(running):
    running.write(state="failed", step=7, error="failed after 7 steps: ValueError: no", log="Traceback …")
    last = running.history()[-1]
    assert (last.state, last.step, last.message, last.log) == (
        "failed",
        7,
        "failed after 7 steps: ValueError: no",
        "Traceback …",
    )
    assert abs(last.at - time.time()) < 5
    status = running.status()
    assert (status.state, status.error) == ("failed", "failed after 7 steps: ValueError: no")
    assert status.ended is not None


@pytest.mark.parametrize("state", ["queued", "running", "paused"])
def test_a_live_run_with_a_stale_heartbeat_reads_as_lost(running, state):
    running.write(state=state)
    running.close()
    assert running.status().state == state
    connection = sqlite3.connect(running.path)
    with connection:
        connection.execute("UPDATE status SET heartbeat = heartbeat - 11")
    connection.close()
    status = running.status()
    assert status.state == "lost"
    assert "no heartbeat" in status.error


def test_a_finished_run_does_not_get_lost(running):
    running.write(state="finished")
    running.close()
    connection = sqlite3.connect(running.path)
    with connection:
        connection.execute("UPDATE status SET heartbeat = 0")
    connection.close()
    assert running.status().state == "finished"


def test_pausing_playing_and_cancelling_twice_is_the_same_as_once(running):
    running.write(step=12)
    for _ in range(2):
        running.pause()
        assert running.control().until == 12
    for _ in range(2):
        running.play()
        assert running.control().until is None
    for _ in range(2):
        running.set_until(40)
        running.cancel()
        running.pin()
        control = running.control()
        assert (control.until, control.cancel, control.pinned) == (40, True, True)
    running.pin(False)
    assert not running.status().pinned


def test_steps_asked_for_in_quick_succession_add_up(running):
    running.write(step=12, info={"steps_per_epoch": 10})
    assert running.step() == 13
    assert running.step(5) == 18


def test_an_epoch_ends_where_the_running_job_says_or_before_it_runs_the_job_itself(running, store):
    for step, end in ((0, 10), (12, 20), (20, 30)):
        running.write(step=step, info={"steps_per_epoch": 10})
        assert running.epoch_end == end
    assert store.create(Training()).epoch_end == Training().learner.steps_per_epoch > 1
    assert store.create(Trajectories()).epoch_end == 1, "where there are no epochs"


def test_cancelling_a_lost_run_stops_it_at_once(running):
    running.close()
    connection = sqlite3.connect(running.path)
    with connection:
        connection.execute("UPDATE status SET heartbeat = 0")
    connection.close()
    running.cancel()
    assert running.status().state == "stopped"


def test_seen_is_written_now_and_then_and_not_once_the_run_is_over(store, monkeypatch):
    file = store.create(Training())
    before = file.control().viewed
    time.sleep(0.01)
    file.mark_viewed()
    first = file.control().viewed
    assert first > before
    file.mark_viewed()
    assert file.control().viewed == first
    file.give_up("stopped", "")
    monkeypatch.setattr("nnviz.runs.storage.run_file._viewed", {})
    file.mark_viewed()
    assert file.control().viewed == first


def test_a_writer_that_was_superseded_writes_nothing(running):
    other = RunFile(running.path)
    other.write([Scalar(1, "loss", 1.0, "batch")])
    with pytest.raises(RunError, match="taken over by another worker"):
        running.write([Scalar(1, "loss", 2.0, "batch")], state="failed")
    assert other.scalars()[0]["value"].tolist() == [1.0]
    assert other.status().state == "running"
    running.close()
    other.close()


def test_a_run_at_rest_is_one_file(running):
    running.write(RECORDS)
    assert len(list(running.path.parent.iterdir())) > 1
    running.write(state="finished")
    running.close()
    assert list(running.path.parent.iterdir()) == [running.path]


def test_a_branch_holds_what_its_parent_recorded_up_to_its_checkpoint(store: Store, running):
    running.write([Scalar(s, "loss", s, "batch") for s in range(1, 11)] + [picture(0), picture(10)], step=10)
    running.save_checkpoint(6, b"six")
    child = store.create(Training(parent=Parent(run=running.id, step=6)), source=running.path)
    assert child.scalars()[0]["step"].tolist() == [1, 2, 3, 4, 5, 6]
    assert child.snapshot_steps("network") == [0]
    assert child.checkpoint() == (6, b"six")
    assert child.status().step == 6
    child.write([Scalar(7, "loss", 0.0, "batch")])
    assert running.scalars()[0]["step"].max() == 10
    child.close()


def test_a_state_that_there_is_not_is_refused(store):
    file = store.create(Training())
    file.close()
    with closing(sqlite3.connect(file.path)) as connection, connection:
        connection.execute("UPDATE status SET state = 'asleep'")
    with pytest.raises(RunError, match="asleep"):
        store.open(file.id).status()
