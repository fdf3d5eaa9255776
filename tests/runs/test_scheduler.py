import sqlite3
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from nnviz.records import Cause, Divergence, NonFinite, Scalar
from nnviz.runs import RunFile, Store
from nnviz.runs.workers import member as members
from nnviz.spec.jobs import Training
from tests.runs.fake_engine import Diverged, Fake, losses, wait_for
from tests.runs.scheduler_thread import SchedulerThread

LONG = Training(steps=1_000_000, evaluate_every=10)
SHORT = Training(steps=95, evaluate_every=10)


@pytest.fixture
def drive(store: Store) -> Iterator[Callable[..., tuple[SchedulerThread, list[RunFile]]]]:
    driven: list[SchedulerThread] = []

    def start(
        *jobs: Training,
        grace: float | None = None,
        until: int | None = None,
        kind: type[Fake] = Fake,
        **engine: object,
    ) -> tuple[SchedulerThread, list[RunFile]]:
        files = store.create_group(jobs)
        for file in files:
            file.set_until(until)
        driven.append(SchedulerThread(partial(kind, **engine)))
        driven[-1].scheduler.add([file.path for file in files], grace)
        return driven[-1], files

    yield start
    for each in driven:
        each.close()


def state(file: RunFile) -> str:
    return file.status().state


def batch_losses(file: RunFile) -> list[float]:
    frame, _ = file.scalars()
    chosen = frame[frame["site"] == "batch"]
    assert chosen["step"].tolist() == list(range(1, len(chosen) + 1))
    return chosen["value"].tolist()


def test_what_takes_long_before_the_first_step_is_what_a_run_waits_for(store):
    [file], said = store.create_group([SHORT]), []

    class Downloading(Fake):
        def __init__(self, *args: object, announce: Callable[[str], object], **kept: object) -> None:
            super().__init__(*args, **kept)
            for line in ("downloading", ""):
                announce(line)
                said.append(file.status().reason)

    member = members.Member(file.path, Downloading, Diverged, "an owner")
    member.start()
    assert said == ["downloading", ""]
    assert state(file) == "running"
    member.end("stopped")


def test_a_run_goes_to_its_end_and_every_record_is_in_the_file(drive):
    driven, [file] = drive(SHORT)
    wait_for(lambda: state(file) == "finished")
    assert batch_losses(file) == losses(SHORT)
    assert file.snapshot_steps("picture") == [*range(0, 91, 10), 95]
    assert file.checkpoint()[0] == 95
    status = file.status()
    assert (status.step, status.error, status.info["steps_per_epoch"]) == (95, "", 10)
    assert [change.state for change in file.history()] == ["queued", "running", "finished"]
    assert driven.made[0].closed
    wait_for(lambda: driven.told[-1] == (file.id, "finished"))
    wait_for(lambda: list(file.path.parent.iterdir()) == [file.path])


def test_until_pauses_exactly_there_with_a_look_and_a_checkpoint(drive):
    driven, [file] = drive(LONG, until=37, delay=0.001)
    wait_for(lambda: state(file) == "paused")
    assert file.status().step == 37
    assert file.snapshot_steps("picture")[-1] == 37
    assert file.checkpoint()[0] == 37
    assert driven.made[0].until == 37
    assert len(batch_losses(file)) == 37
    file.step()
    wait_for(lambda: file.status().step == 38 and state(file) == "paused")
    file.step(4)
    wait_for(lambda: file.status().step == 42 and state(file) == "paused")
    file.set_until(file.epoch_end)
    wait_for(lambda: file.status().step == 50 and state(file) == "paused")
    assert {37, 38, 42, 50} <= set(file.snapshot_steps("picture"))


def test_a_run_that_may_not_start_shows_its_initial_state(drive):
    _, [file] = drive(LONG, until=0)
    wait_for(lambda: state(file) == "paused")
    assert file.status().step == 0
    assert file.snapshot_steps("picture") == [0]


def test_pausing_twice_or_at_the_same_step_changes_nothing(drive):
    driven, [file] = drive(LONG, until=20)
    wait_for(lambda: state(file) == "paused")
    before = file.scalars()[0], file.history()
    file.pause()
    file.pause()
    file.set_until(5)
    time.sleep(0.2)
    assert file.scalars()[0].equals(before[0])
    assert file.history() == before[1]
    assert driven.made[0].evaluations == 1


def test_play_goes_on_from_where_it_was(drive):
    _, [file] = drive(SHORT, until=20)
    wait_for(lambda: state(file) == "paused")
    file.play()
    wait_for(lambda: state(file) == "finished")
    assert batch_losses(file) == losses(SHORT)


def test_a_running_run_pauses_soon_and_its_speed_is_known(drive):
    _, [file] = drive(LONG, delay=0.001)
    wait_for(lambda: file.status().steps_per_second > 10)
    file.pause()
    wait_for(lambda: state(file) == "paused")
    assert file.status().steps_per_second == 0
    step = file.status().step
    time.sleep(0.1)
    assert file.status().step == step


def test_a_cancelled_run_stops_with_its_records_and_a_checkpoint(drive):
    _, [file] = drive(LONG, delay=0.001)
    wait_for(lambda: file.status().step > 20)
    file.cancel()
    file.cancel()
    wait_for(lambda: state(file) == "stopped")
    assert file.checkpoint()[0] == file.status().step == len(batch_losses(file))


def test_members_of_a_group_go_in_lock_step(drive):
    _, files = drive(LONG, LONG.model_copy(update={"seed": 1}), delay=0.0005)
    wait_for(lambda: files[0].status().step > 50)
    for file in files:
        file.pause()
        time.sleep(0.05)
    wait_for(lambda: [state(f) for f in files] == ["paused", "paused"])
    steps = [f.status().step for f in files]
    assert steps[0] == steps[1]
    for file in files:
        file.step(3)
    wait_for(lambda: [f.status().step for f in files] == [steps[0] + 3] * 2)
    files[0].play()
    time.sleep(0.1)
    assert [f.status().step for f in files] == [steps[0] + 3] * 2
    files[1].play()
    wait_for(lambda: all(f.status().step > steps[0] + 20 for f in files))
    for _ in range(20):
        a, b = (f.status().step for f in files)
        assert abs(a - b) < 300  # two looks, not one commit


def test_a_member_that_is_over_does_not_hold_up_the_other(drive):
    _, files = drive(SHORT, SHORT.model_copy(update={"steps": 300}))
    wait_for(lambda: [state(f) for f in files] == ["finished", "finished"])
    assert [f.status().step for f in files] == [95, 300]


def test_groups_take_turns(drive, store):
    driven, [first] = drive(LONG, delay=0.001)
    wait_for(lambda: first.status().step > 20)
    second = store.create(LONG)
    driven.scheduler.add([second.path], None)
    wait_for(lambda: second.status().step > 50)
    before = first.status().step
    wait_for(lambda: first.status().step > before)


def test_divergence_keeps_the_last_good_step_to_go_on_from(drive):
    def diverge(run: Fake) -> None:
        run.step = 11
        raise Diverged(14, "inf", 11, run.checkpoint())

    _, [file] = drive(SHORT, at=14, trouble=diverge)
    wait_for(lambda: state(file) == "diverged")
    assert file.status().error == "diverged at step 14: loss is inf; first non-finite: the loss"
    assert file.status().divergence == Divergence(14, "loss", "inf", NonFinite(Cause.OBJECTIVE, "loss"), 14, 11)
    assert file.checkpoint()[0] == 11
    assert len(batch_losses(file)) == 13


def test_divergence_that_only_a_look_shows_is_divergence(drive):
    class Late(Fake):
        def evaluate_now(self) -> list:
            raise Diverged(5, "nan", 4, b"[4, 0.5]")

    _, [file] = drive(LONG, until=7, kind=Late)
    wait_for(lambda: state(file) == "diverged")
    assert file.checkpoint() == (4, b"[4, 0.5]")


def raises(error: Exception) -> Callable[[Fake], None]:
    def trouble(_: Fake) -> None:
        raise error

    return trouble


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("no\nsuch\tthing"), "failed after 13 steps: ValueError: no such thing"),
        (
            MemoryError(),
            "failed after 13 steps: out of memory: make layers narrower or the batch smaller (MemoryError)",
        ),
        (
            RuntimeError("[x] DefaultCPUAllocator: can't allocate memory: 9 bytes"),
            "failed after 13 steps: out of memory:",
        ),
    ],
)
def test_an_exception_ends_the_run_with_one_line_and_a_traceback_in_the_history(drive, error, line):
    driven, [file] = drive(SHORT, at=14, trouble=raises(error))
    wait_for(lambda: state(file) == "failed")
    message = file.status().error
    assert message.startswith(line)
    assert "\n" not in message
    assert "Traceback" in file.history()[-1].log
    assert len(batch_losses(file)) == 13
    wait_for(lambda: driven.made[0].closed)


def test_what_an_engine_measured_before_it_failed_is_written(drive):
    def trouble(run: Fake) -> None:
        run.unreturned_records = lambda: [Scalar(14, "gradient_norm", 2.5, "w")]
        raise MemoryError

    _, [file] = drive(SHORT, at=14, trouble=trouble)
    wait_for(lambda: state(file) == "failed")
    assert file.latest("gradient_norm", "w") == 2.5
    assert len(batch_losses(file)) == 13


def test_an_engine_that_cannot_start_fails_the_run_and_not_the_others(store):
    def engine(job: Training, checkpoint: bytes | None = None, **_: object) -> Fake:
        if job.seed == 13:
            raise RuntimeError("no such device")
        return Fake(job, checkpoint)

    files = store.create_group([SHORT, SHORT.model_copy(update={"seed": 13})])
    driven = SchedulerThread(engine)
    try:
        driven.scheduler.add([f.path for f in files], None)
        wait_for(lambda: [state(f) for f in files] == ["finished", "failed"])
        assert files[1].status().error == "failed after 0 steps: RuntimeError: no such device"
    finally:
        driven.close()


def test_records_that_cannot_be_written_fail_the_run(drive):
    def spoil(run: Fake) -> None:
        run.evaluation = lambda: [object()]

    _, [file] = drive(SHORT, at=14, trouble=spoil)
    wait_for(lambda: state(file) == "failed")
    assert "AttributeError" in file.status().error


def test_a_run_that_nobody_watches_stops_and_a_pinned_or_seen_one_does_not(drive):
    _, [unseen] = drive(LONG, grace=0.5, delay=0.001)
    _, [pinned] = drive(LONG, grace=0.5, delay=0.001)
    pinned.pin()
    _, [seen] = drive(LONG, grace=0.5, delay=0.001)
    deadline = time.monotonic() + 1.2
    while time.monotonic() < deadline:
        connection = sqlite3.connect(seen.path, timeout=5)
        with connection:
            connection.execute("UPDATE control SET viewed = viewed + 1")
        connection.close()
        time.sleep(0.1)
    assert [state(f) for f in (unseen, pinned, seen)] == ["stopped", "running", "running"]
    assert unseen.status().error == "stopped: no viewer for 0.5 s"


def test_a_paused_run_that_nobody_watches_stops_too_and_keeps_its_checkpoint(drive):
    _, [file] = drive(LONG, grace=0.3, until=5)
    wait_for(lambda: state(file) == "stopped")
    assert file.checkpoint()[0] == 5


def test_resuming_gives_what_an_uninterrupted_run_gives(drive):
    driven, [file] = drive(SHORT, until=33)
    wait_for(lambda: state(file) == "paused")
    file.cancel()
    wait_for(lambda: driven.told[-1] == (file.id, "stopped"))
    file.queue()
    driven.scheduler.add([file.path], None)
    wait_for(lambda: state(file) == "finished")
    assert batch_losses(file) == losses(SHORT)


def test_a_checkpoint_is_made_now_and_then_at_an_evaluation(drive, monkeypatch):
    monkeypatch.setattr(members, "CHECKPOINT_EVERY", 0.1)
    _, [file] = drive(LONG, delay=0.001)
    wait_for(lambda: file.checkpoint() is not None)
    first = file.checkpoint()[0]
    assert first % 10 == 0
    wait_for(lambda: file.checkpoint()[0] > first)


def test_where_evaluations_are_rare_one_is_made_for_the_checkpoint(drive, monkeypatch):
    monkeypatch.setattr(members, "CHECKPOINT_EVERY", 0.1)
    monkeypatch.setattr(members, "CHECKPOINT_LATE", 0.1)
    driven, [file] = drive(LONG.model_copy(update={"evaluate_every": 900_000}), delay=0.001)
    wait_for(lambda: file.checkpoint() is not None)
    assert driven.made[0].evaluations > 0


def test_the_heart_beats_through_a_long_step(drive):
    driven, [file] = drive(LONG, at=5, trouble=lambda _: time.sleep(1.6))
    wait_for(lambda: state(file) == "running")
    time.sleep(1.2)
    before = file.status().heartbeat
    driven.scheduler.heartbeat()
    assert file.status().heartbeat > before


def test_a_run_whose_file_is_removed_is_let_go(drive):
    driven, [file] = drive(LONG, delay=0.001)
    wait_for(lambda: file.status().step > 5)
    for path in file.path.parent.iterdir():
        path.unlink()
    wait_for(lambda: driven.told[-1] == (file.id, "failed"))
    assert not file.path.exists()


def test_closing_stops_all_runs_with_checkpoints(drive):
    driven, [file] = drive(LONG, delay=0.001)
    wait_for(lambda: file.status().step > 5)
    driven.close()
    status = file.status()
    assert (status.state, status.error) == ("stopped", "stopped: the test is over")
    assert file.checkpoint()[0] == status.step
