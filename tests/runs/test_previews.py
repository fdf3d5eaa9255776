import os
import signal
import time

from nnviz.runs.runset import RunSet, RunSetState
from nnviz.spec.jobs import Trajectories
from tests.runs import pools
from tests.runs.fake_engine import wait_for
from tests.runs.fake_worker import HANGS, SLOW_TO_BUILD
from tests.runs.pools import gone, seeded, state

shared, pool, make = pools.shared, pools.pool, pools.make


def test_previews_and_quick_jobs_come_at_once_whatever_trains(pool):
    [busy] = pool.submit([seeded(HANGS)])
    wait_for(lambda: pool.store.open(busy).status().step > 0)
    [preview], [quick] = pool.submit([seeded(1)], until=0), pool.submit([Trajectories(steps=20)])
    wait_for(lambda: (state(pool, preview), state(pool, quick)) == ("paused", "finished"))
    assert pool.store.view(preview).steps == [0]
    os.kill(pool.processes[0], signal.SIGKILL)
    wait_for(lambda: state(pool, busy) == "lost")
    assert state(pool, preview) == "paused"


def test_when_the_worker_for_previews_dies_trainings_go_on_and_the_next_preview_comes(pool):
    [training], [preview] = pool.submit([seeded(2)]), pool.submit([seeded(1)], until=0)
    wait_for(lambda: (state(pool, training), state(pool, preview)) == ("running", "paused"))
    os.kill(pool.processes[-1], signal.SIGKILL)
    wait_for(lambda: state(pool, preview) == "lost")
    [preview] = pool.submit([seeded(1)], until=0)
    wait_for(lambda: state(pool, preview) == "paused")
    assert state(pool, training) == "running"


def test_a_preview_that_is_to_go_on_is_handed_over_and_gives_the_records_of_a_run_of_its_own(pool):
    jobs = [seeded(0, steps=60), seeded(1, steps=60)]
    own, previews = pool.submit(jobs), pool.submit(jobs, until=0)
    files = [pool.store.open(run) for run in previews]
    for file in files:
        wait_for(lambda file=file: file.status().state == "paused")
    workers = {worker.trains: worker for worker in pool._workers}
    assert set(previews) <= set(workers[False].runs)
    files[0].play()
    time.sleep(0.1)
    assert [file.status().step for file in files] == [0, 0]  # they go in lock-step
    files[1].play()
    for mine, theirs in zip(own, previews, strict=True):
        for run in (mine, theirs):
            wait_for(lambda run=run: state(pool, run) == "finished")
        frames = [pool.store.open(run).scalars()[0] for run in (mine, theirs)]
        assert frames[0].equals(frames[1])
        assert pool.store.view(mine).steps == pool.store.view(theirs).steps
    assert [change.state for change in files[0].history()] == [
        "queued", "running", "paused", "queued", "running", "finished",
    ]  # fmt: skip
    assert not workers[False].runs


def test_a_preview_may_go_on_before_it_has_been_built(pool):
    [slow] = pool.submit([seeded(SLOW_TO_BUILD)], until=0)
    [other] = pool.submit([seeded(1, steps=60)], until=0)
    pool.store.open(other).play()
    wait_for(lambda: state(pool, other) == "finished")
    assert pool.store.view(other).steps[0] == 0
    wait_for(lambda: state(pool, slow) == "paused")


def test_a_page_that_is_left_while_its_preview_starts_delays_no_other_and_finds_it_again(pool):
    pages = [RunSet(pool.store, lambda: pool, RunSetState()) for _ in range(2)]
    pages[0].ensure({"a": seeded(SLOW_TO_BUILD)}, until=0)
    pages[1].ensure({"a": seeded(1)}, until=0)
    wait_for(lambda: [view.runs[""].status.state for view in pages[1].views()] == ["paused"])
    before = pages[0].ids
    pages[0].ensure({"a": seeded(SLOW_TO_BUILD)}, until=0)
    assert pages[0].ids == before
    wait_for(lambda: [view.runs[""].steps for view in pages[0].views()] == [[0]])


def test_many_previews_leave_no_process_and_no_file(make):
    pool = make(grace=0.3)
    wait_for(lambda: len(pool.processes) == 2)
    pids = pool.processes
    runs = [pool.submit([seeded(seed)], until=0)[0] for seed in range(20)]
    for run in runs:
        wait_for(lambda run=run: state(pool, run) == "stopped")
    assert pool.processes == pids
    assert sorted(pool.store.sweep(older=0.0, keep=0)) == sorted(runs)
    wait_for(lambda: not any(worker.runs for worker in pool._workers))
    assert [path.name for path in pool.store.home.rglob("*")] == ["index", "runs.sqlite"]
    pool.shutdown()
    assert all(gone(pid) for pid in pids)
