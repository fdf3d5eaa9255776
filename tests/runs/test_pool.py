import os
import signal
import subprocess
import sys
import time

import pytest

from nnviz.runs import Pool, RunError, Store
from nnviz.runs.workers.machine_limits import USABLE_FRACTION
from nnviz.runs.workers.worker_process import Process
from nnviz.spec.base import replace_at
from nnviz.spec.jobs import Parent
from tests.runs import pools
from tests.runs.fake_engine import losses, wait_for
from tests.runs.fake_worker import DIES, HANGS
from tests.runs.pools import COMMAND, IDLE, LONG, gone, seeded, state

shared, pool, make = pools.shared, pools.pool, pools.make


def test_one_worker_of_each_kind_is_warm_from_the_start_and_none_is_left_after_the_end(make):
    pool = make(workers=3)
    assert len(pool.processes) == 1
    assert pool.wait_ready(20)
    wait_for(lambda: len(pool.processes) == 2)
    pids = pool.processes
    pool.shutdown()
    pool.shutdown()
    assert all(gone(pid) for pid in pids)
    with pytest.raises(RunError, match="shutting down"):
        pool.submit([LONG])


def test_there_are_at_most_cores_minus_one_workers(store, monkeypatch):
    for cores, most in ((1, 1), (2, 1), (8, 7)):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        pool = Pool(store, command=IDLE)
        assert pool._max_workers == most
        pool.shutdown()


def test_a_run_trains_and_another_worker_warms_up(make):
    pool = make(workers=2)
    [run] = pool.submit([LONG])
    wait_for(lambda: state(pool, run) == "running")
    wait_for(lambda: len(pool.processes) == 3)  # another one for the next training, and one for previews
    [other] = pool.submit([LONG])
    wait_for(lambda: state(pool, other) == "running")
    pool.shutdown()
    assert {state(pool, run), state(pool, other)} == {"stopped"}
    assert pool.store.open(run).checkpoint() is not None


def test_trainings_beyond_the_workers_share_them_and_say_with_how_many(pool):
    runs = [pool.submit([seeded(seed)])[0] for seed in (0, 1)] + pool.submit([seeded(2), seeded(3)])
    files = [pool.store.open(run) for run in runs]
    wait_for(lambda: all(file.status().step > 0 for file in files))
    assert len(pool.processes) == 2
    wait_for(lambda: [file.status().sharing for file in files] == [2] * 4)
    for file in files[:2]:
        file.cancel()
    wait_for(lambda: [file.status().sharing for file in files] == [0] * 4)
    assert [file.status().state for file in files] == ["stopped"] * 2 + ["running"] * 2


def test_what_memory_has_no_room_for_waits_with_the_reason_and_what_fits_passes_it(pool, monkeypatch):
    wide = replace_at(LONG, "learner.model.hidden", [{"width": 512}] * 2)
    need, small = (job.estimate().training_bytes for job in (wide, LONG))
    room = int((1.5 * need + 2 * small) / USABLE_FRACTION)
    monkeypatch.setattr("nnviz.runs.workers.pool.free_memory", lambda: room)
    [first] = pool.submit([wide])
    wait_for(lambda: state(pool, first) == "running")
    monkeypatch.setattr(Process, "used_bytes", 0)  # as far as the room goes, nothing has been taken yet
    [second], [third] = pool.submit([wide]), pool.submit([LONG])
    wait_for(lambda: state(pool, third) == "running")
    status = pool.store.open(second).status()
    assert status.state == "queued"
    words = [
        f"needs about {need / 1e6:.1f} MB of memory",
        f"of the {USABLE_FRACTION * room / 1e6:.1f} MB",
        "when enough of them",
    ]
    assert [word for word in words if word not in status.reason] == []
    pool.store.open(first).cancel()
    wait_for(lambda: state(pool, second) == "running")
    assert pool.store.open(second).status().reason == ""


def test_a_run_may_be_started_to_show_its_initial_state_or_do_one_step(pool):
    [initial] = pool.submit([LONG], until=0)
    [one] = pool.submit([LONG], until=1)
    for run, step in ((initial, 0), (one, 1)):
        wait_for(lambda run=run: state(pool, run) == "paused")
        assert pool.store.open(run).status().step == step
        assert pool.store.view(run).steps == list(range(step + 1))


def test_a_waiting_run_is_cancelled_or_stopped_when_nobody_watches_and_pinned_ones_wait_on(make, monkeypatch):
    pool = make(grace=1.5)
    [first] = pool.submit([LONG], pinned=True)
    wait_for(lambda: state(pool, first) == "running")
    monkeypatch.setattr("nnviz.runs.workers.pool.waiting_reason", lambda *_: "no room")
    [cancelled] = pool.submit([LONG], pinned=True)
    [unseen] = pool.submit([LONG])
    [pinned] = pool.submit([LONG], pinned=True)
    pool.store.open(cancelled).cancel()
    wait_for(lambda: state(pool, cancelled) == "stopped")
    wait_for(lambda: state(pool, unseen) == "stopped")
    assert pool.store.open(unseen).status().error == "stopped: no viewer for 1.5 s"
    assert (state(pool, first), state(pool, pinned)) == ("running", "queued")
    assert pool.store.open(pinned).status().reason == "no room"


def test_a_run_sent_to_a_worker_that_is_slow_to_start_stays_alive(make, monkeypatch):
    monkeypatch.setattr("nnviz.runs.storage.status.LOST_AFTER", 1.2)
    monkeypatch.setattr("nnviz.runs.workers.pool.WATCH_EVERY", 0.3)
    pool = make("late")
    [run] = pool.submit([LONG])
    seen = set()
    wait_for(lambda: seen.add(state(pool, run)) or "running" in seen)
    assert seen == {"queued", "running"}


def test_the_runs_of_a_dead_worker_are_lost_and_another_takes_its_place(pool):
    [run] = pool.submit([seeded(DIES)])
    [preview] = pool.submit([seeded(1, steps=60)], until=0)
    wait_for(lambda: state(pool, run) == "lost")
    status = pool.store.open(run).status()
    assert status.error == (
        "lost: the worker process was ended by signal 9, which is what happens when memory runs out"
    )
    assert "last words" in pool.store.open(run).history()[-1].log
    wait_for(lambda: state(pool, preview) == "paused")
    pool.store.open(preview).play()
    wait_for(lambda: state(pool, preview) == "finished")


def test_a_lost_run_is_resumed_from_its_checkpoint_and_says_nothing_twice(pool):
    [run] = pool.submit([seeded(5, steps=150)])
    file = pool.store.open(run)
    file.set_until(40)
    wait_for(lambda: state(pool, run) == "paused" or file.status().step > 40)
    file.play()
    wait_for(lambda: file.status().step > 60)
    os.kill(pool.processes[0], signal.SIGKILL)
    wait_for(lambda: state(pool, run) == "lost")
    pool.resume(run)
    wait_for(lambda: state(pool, run) == "finished")
    frame, _ = file.scalars()
    batch = frame[frame["site"] == "batch"]
    assert batch["step"].tolist() == list(range(1, 151))
    assert batch["value"].tolist() == losses(seeded(5, steps=150))


def test_a_run_without_a_checkpoint_is_resumed_from_the_start(pool):
    file = pool.store.create(seeded(5, steps=50))
    file.write(state="running", step=7)
    file.close()
    file.give_up("lost", "lost: as a test")
    pool.resume(file.id)
    wait_for(lambda: state(pool, file.id) == "finished")
    assert len(file.scalars()[0]) == 50 + 6


def test_resuming_a_paused_run_plays_it_and_a_finished_one_is_refused(pool):
    [run] = pool.submit([seeded(0, steps=200)])
    pool.store.open(run).pause()
    wait_for(lambda: state(pool, run) == "paused")
    pool.resume(run)
    wait_for(lambda: state(pool, run) == "finished")
    with pytest.raises(RunError, match="is finished: start a run with more steps"):
        pool.resume(run)
    with pytest.raises(RunError, match="does not exist"):
        pool.resume("20260101-0000-abcdef")


def test_a_branch_goes_on_from_where_its_running_parent_is_and_stops_that(pool):
    [run] = pool.submit([seeded(0)])
    wait_for(lambda: pool.store.open(run).status().step > 20)
    [child] = pool.branch([run], [seeded(0, steps=400)])
    file = pool.store.open(child)
    step = file.job.parent.step
    assert file.job.parent == Parent(run=run, step=step)
    wait_for(lambda: state(pool, run) == "stopped")
    wait_for(lambda: state(pool, child) == "finished")
    frame, _ = file.scalars()
    assert frame[frame["site"] == "batch"]["value"].tolist() == losses(seeded(0, steps=400))
    assert pool.store.open(run).status().step == step


def test_runs_in_lock_step_branch_together_from_one_step(pool):
    runs = pool.submit([seeded(0), seeded(1)])
    for run in runs:
        wait_for(lambda run=run: pool.store.open(run).status().step > 20)
    jobs = [seeded(0, steps=300), seeded(1, steps=300)]
    children = pool.branch(runs, jobs)
    files = [pool.store.open(child) for child in children]
    assert [file.members for file in files] == [children] * 2
    parents = [file.job.parent for file in files]
    assert [parent.run for parent in parents] == runs
    assert parents[0].step == parents[1].step
    for run, child, job in zip(runs, children, jobs, strict=True):
        wait_for(lambda child=child: state(pool, child) == "finished")
        wait_for(lambda run=run: state(pool, run) == "stopped")
        frame, _ = pool.store.open(child).scalars()
        assert frame[frame["site"] == "batch"]["value"].tolist() == losses(job)


def test_runs_at_different_steps_do_not_branch_together_and_stay_as_they_are(pool):
    files = [pool.store.create(seeded(seed)) for seed in (0, 1)]
    for file, step in zip(files, (30, 40), strict=True):
        file.write(state="running", step=step)
        file.write(state="paused")
        file.save_checkpoint(step, b"[30, 0.5]")
        file.close()
    before = [summary.id for summary in pool.store.list()]
    with pytest.raises(RunError, match="only from the same step, got steps 30, 40: start new runs instead"):
        pool.branch([file.id for file in files], [LONG, LONG])
    assert [summary.id for summary in pool.store.list()] == before
    assert [state(pool, file.id) for file in files] == ["paused", "paused"]
    assert not any(file.status().cancelled for file in files)
    for file in files:
        file.give_up("stopped", "")


def test_of_several_jobs_to_branch_one_that_is_too_short_stops_all(pool):
    runs = pool.submit([seeded(0), seeded(1)], until=20)
    for run in runs:
        wait_for(lambda run=run: state(pool, run) == "paused")
    before = [summary.id for summary in pool.store.list()]
    with pytest.raises(RunError, match=f"steps must be above 20, the step of run {runs[1]}, got 20"):
        pool.branch(runs, [seeded(0), seeded(1, steps=20)])
    assert [summary.id for summary in pool.store.list()] == before
    assert [state(pool, run) for run in runs] == ["paused", "paused"]


def test_a_branch_that_cannot_be_says_why(pool):
    file = pool.store.create(LONG)
    file.give_up("stopped", "")
    with pytest.raises(RunError, match="has no checkpoint to resume from"):
        pool.branch([file.id], [LONG])
    [run] = pool.submit([LONG])
    wait_for(lambda: pool.store.open(run).status().step > 20)
    with pytest.raises(RunError, match=r"steps must be above \d+, the step of run .*, got 3"):
        pool.branch([run], [seeded(0, steps=3)])
    assert state(pool, run) == "paused"


def test_a_parent_that_does_not_pause_in_time_is_not_waited_for(pool):
    [run] = pool.submit([seeded(HANGS)])
    wait_for(lambda: pool.store.open(run).status().step > 0)
    time.sleep(0.3)
    with pytest.raises(RunError, match=r"has not paused within 0.3 s"):
        pool.branch([run], [LONG], patience=0.3)
    os.kill(pool.processes[0], signal.SIGKILL)


def test_a_worker_that_hangs_is_ended_by_force(make):
    pool = make()
    [run] = pool.submit([seeded(HANGS)])
    wait_for(lambda: pool.store.open(run).status().step > 0)
    time.sleep(0.3)
    pids = pool.processes
    pool.shutdown(patience=0.5)
    assert all(gone(pid) for pid in pids)
    assert state(pool, run) == "stopped"


def test_a_job_too_large_for_the_machine_is_refused_and_leaves_no_file(pool, monkeypatch):
    monkeypatch.setattr("nnviz.runs.workers.machine_limits.free_memory", lambda: 1000)
    before = pool.store.list()
    with pytest.raises(RunError, match="make layers narrower"):
        pool.submit([LONG])
    assert pool.store.list() == before


def test_workers_that_cannot_start_fail_what_waits_with_the_reason(make):
    pool = make("broken")
    runs = [pool.submit([LONG])[0] for _ in range(4)]
    for run in runs:
        wait_for(lambda run=run: state(pool, run) == "failed", 20)
        assert "the engine cannot be imported: ImportError: no torch here" in pool.store.open(run).status().error


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
def test_nothing_is_left_when_the_app_is_killed(store):
    code = f"""
import time
from nnviz.runs import Pool, Store
from nnviz.spec.jobs import Training
pool = Pool(Store({str(store.home)!r}), workers=2, command={COMMAND!r})
pool.submit([Training(steps=1_000_000)])
print(*pool.processes, flush=True)
time.sleep(60)
"""
    app = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        pids = [int(pid) for pid in app.stdout.readline().split()]
        wait_for(lambda: store.list()[0].state == "running")
        app.kill()
        for pid in pids:
            wait_for(lambda pid=pid: gone(pid))
        assert store.list()[0].state == "stopped"
    finally:
        app.kill()
        app.communicate()


def test_an_app_that_just_ends_leaves_nothing(store):
    code = f"""
from nnviz.runs import Pool, Store
from nnviz.spec.jobs import Training
pool = Pool(Store({str(store.home)!r}), workers=1, command={COMMAND!r})
pool.submit([Training(steps=1_000_000)])
pool.wait_ready(20)
print(*pool.processes, flush=True)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stderr == ""
    assert all(gone(int(pid)) for pid in done.stdout.split())
    assert store.list()[0].state == "stopped"


def test_importing_the_package_brings_no_torch_no_pandas_no_streamlit_and_no_plotly():
    code = "import sys, nnviz.runs; print({'torch', 'pandas', 'streamlit', 'plotly', 'sklearn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.strip() == "set()"


def test_a_pool_sweeps_untrained_runs_that_were_given_up(make, monkeypatch):
    monkeypatch.setattr("nnviz.runs.workers.pool.SWEEP_FIRST", 0.0)
    swept = []
    monkeypatch.setattr(Store, "sweep", lambda store: swept.append(store.home))
    pool = make()
    wait_for(lambda: swept.count(pool.store.home) == 1)  # a pool of another test may sweep its own at that moment
