"""How groups of runs share one worker: fair turns, previews, threads."""

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from nnviz.runs import RunFile, Store
from nnviz.spec.jobs import Training
from tests.runs.fake_engine import Fake, wait_for
from tests.runs.scheduler_thread import SchedulerThread

LONG = Training(steps=1_000_000, evaluate_every=10)
BUILD = 0.3


def seeded(job: Training, **options: object) -> Fake:
    """A step takes as many milliseconds as the job's seed says."""
    return Fake(job, **options, delay=job.seed / 1000)


@pytest.fixture
def drive() -> Iterator[Callable[..., SchedulerThread]]:
    made: list[SchedulerThread] = []

    def start(engine: Callable[..., Fake]) -> SchedulerThread:
        made.append(SchedulerThread(engine))
        return made[-1]

    yield start
    for each in made:
        each.close()


def added(driven: SchedulerThread, store: Store, *seeds: int, until: int | None = None) -> list[RunFile]:
    """A group of runs with these seeds, taken on."""
    files = store.create_group([LONG.model_copy(update={"seed": seed}) for seed in seeds], until=until)
    driven.scheduler.add([file.path for file in files], None, is_preview=until == 0)
    return files


def steps(*files: RunFile) -> list[int]:
    return [file.status().step for file in files]


def test_a_step_of_300_ms_beside_one_of_1_ms_gets_half_of_the_time_and_no_more(drive, store):
    driven = drive(seeded)
    [slow] = added(driven, store, 300)
    wait_for(lambda: steps(slow)[0] >= 1)
    [quick] = added(driven, store, 1)
    wait_for(lambda: steps(quick)[0] > 0)
    seconds = [group.seconds for group in driven.scheduler._groups]
    wait_for(lambda: steps(slow)[0] >= 4)
    had = [group.seconds - before for group, before in zip(driven.scheduler._groups, seconds, strict=True)]
    assert abs(had[0] - had[1]) < 0.45, f"seconds of the slow and the quick one: {had}"
    assert [file.status().sharing for file in (slow, quick)] == [1, 1]


def test_building_is_charged_and_the_first_picture_comes_with_it(drive, store):
    order: list[int] = []

    class Logged(Fake):
        def __next__(self) -> list:
            order.append(self.job.seed)
            return super().__next__()

    def engine(job: Training, **options: object) -> Fake:
        time.sleep(BUILD if job.seed == 7 else 0)
        return Logged(job, **options, delay=0.001)

    driven = drive(engine)
    [first] = added(driven, store, 1)
    wait_for(lambda: steps(first)[0] > 20)
    [built] = added(driven, store, 7)
    wait_for(lambda: built.snapshot_steps("picture") == [0])
    wait_for(lambda: order.count(7) > 1)
    places = [place for place, seed in enumerate(order) if seed == 7]
    assert places[1] - places[0] > 10, "the other has as much time first"


def test_one_that_was_paused_long_has_no_more_turns_than_the_others_when_it_goes_on(drive, store):
    order: list[int] = []

    class Logged(Fake):
        def __next__(self) -> list:
            order.append(self.job.seed)
            return super().__next__()

    driven = drive(partial(Logged, delay=0.001))
    [first] = added(driven, store, 0)
    [paused] = added(driven, store, 1, until=5)
    wait_for(lambda: paused.status().state == "paused" and steps(first)[0] > 400)
    assert first.status().sharing == 0
    paused.play()
    so_far = len(order)
    wait_for(lambda: order[so_far:].count(1) >= 100)
    since = order[order.index(1, so_far) :]
    assert since.count(0) > 50, "the other would else wait until both have had as much time"


def test_of_previews_the_newest_is_built_first_and_those_given_up_never(drive, store):
    """As when a form changes on, or a page is left, while its preview starts."""
    gate, built = threading.Event(), []

    def engine(job: Training, **options: object) -> Fake:
        built.append(job.seed)
        if job.seed == 0:
            gate.wait(10)
        return Fake(job, **options)

    driven = drive(engine)
    [first] = added(driven, store, 0, until=0)
    wait_for(lambda: built == [0])
    [given_up], [other], [newest] = (added(driven, store, seed, until=0) for seed in (1, 2, 3))
    given_up.cancel()
    gate.set()
    wait_for(lambda: all(file.status().state == "paused" for file in (first, other, newest)))
    assert built == [0, 3, 2]
    assert [change.state for change in given_up.history()] == ["queued", "stopped"]


def test_a_preview_is_let_go_of_when_all_its_runs_are_to_go_on(drive, store):
    driven = drive(Fake)
    files = added(driven, store, 1, 2, until=0)
    wait_for(lambda: all(file.status().state == "paused" for file in files))
    files[0].step()
    time.sleep(0.1)
    assert driven.released == []
    files[1].step()
    wait_for(lambda: driven.released == [[file.id for file in files]])
    assert [(file.status().state, file.checkpoint()[0]) for file in files] == [("queued", 0)] * 2
    assert all(run.closed for run in driven.made)
