"""What an entry of a run set shows: its runs, or what there was before while one is not there yet."""

import pytest

from nnviz.presets import loss_landscape
from nnviz.records import Snapshot
from nnviz.runs import Store
from nnviz.runs.runset import EntryView
from nnviz.spec.jobs import Training
from tests.each import each
from tests.figures import landscape_arrays as arrays

ALL = loss_landscape.DEFAULT.model_copy(update={"views": loss_landscape.ALL})


@pytest.fixture
def run(store: Store):
    """`run(kind, state="running", **snapshots)` is a view of a run that shows one kind."""

    def make(kind: str, state: str = "running", **snapshots: dict):
        file = store.create(ALL.parts()[kind])
        file.write(state="running", step=1)
        file.write([Snapshot(1, name, found) for name, found in snapshots.items()])
        if state != "running":
            file.write(state=state)
        file.close()
        return store.view(file.id)

    return make


def entry(runs: dict, before: dict | None = None) -> EntryView:
    return EntryView("a", ALL, runs, before or {})


def test_what_is_new_is_shown_in_place_of_what_was_there(run):
    old, new = run("plane", plane=arrays.plane(5)), run("plane", plane=arrays.plane(9))
    both = entry({"plane": new}, {"plane": old})
    assert len(both.snapshot("plane")["x"]) == 9
    assert both.run("plane") is new
    assert not both.outdated_parts


def test_what_was_there_is_shown_as_long_as_the_new_has_nothing(run):
    old, new = run("plane", "finished", plane=arrays.plane(5)), run("plane")
    both = entry({"plane": new}, {"plane": old})
    assert len(both.snapshot("plane")["x"]) == 5
    assert both.run("plane") is old
    assert both.outdated_parts == {"plane"}


def test_a_picture_is_of_one_run_though_the_new_one_has_a_part_of_it(run):
    old = run("path", "finished", path=arrays.path(5), path_plane=arrays.path_plane(), training=arrays.training(5))
    new = run("path", path=arrays.path(9), training=arrays.training(9))
    both = entry({"path": new}, {"path": old})
    assert both.outdated_parts
    assert [len(both.snapshot(name)["steps"]) for name in ("path", "training")] == [5, 5]


def test_with_nothing_from_before_the_new_one_is_awaited_and_nothing_is_behind(run):
    new, empty = run("plane", training=arrays.training(5)), run("plane", "stopped")
    for both in (entry({"plane": new}), entry({"plane": new}, {"plane": empty})):
        assert both.run("plane") is new
        assert not both.outdated_parts
        assert both.snapshot("plane") == {}
        assert len(both.snapshot("training")["steps"]) == 5


@each("state", ["stopped", "failed"])
def test_a_view_that_ended_with_nothing_is_shown_by_nothing(run, state):
    old, new = run("plane", "finished", plane=arrays.plane(5)), run("plane", state, training=arrays.training(5))
    both = entry({"plane": new}, {"plane": old})
    assert both.run("plane") is None
    assert both.snapshot("plane") == {}
    assert not both.outdated_parts
    # How the network has come out is known all the same.
    assert len(both.snapshot("training")["steps"]) == 5


def test_a_view_that_was_stopped_keeps_what_it_has(run):
    half = run("plane", "stopped", plane=arrays.plane(5))
    assert entry({"plane": half}).run("plane") is half


def test_a_view_that_is_switched_off_is_not_shown_though_it_was_there(run):
    lines, plane = run("lines", lines=arrays.lines()), run("plane", "finished", plane=arrays.plane(5))
    both = entry({"lines": lines}, {"plane": plane})
    assert both.run("plane") is None
    assert both.snapshot("plane") == {}
    assert both.at(3).snapshot("lines")
    assert both.at(3).step == 3


def test_a_training_is_shown_from_its_first_step_whatever_was_there_before(store):
    old, new = (store.view(store.create(Training(seed=seed)).id) for seed in (1, 2))
    both = EntryView("a", new.job, {"": new}, {"": old})
    assert both.run() is new
    assert not both.outdated_parts
    assert both.key == new.id


def test_the_key_of_an_entry_names_all_of_its_runs(run):
    plane, lines = run("plane"), run("lines")
    assert entry({"plane": plane, "lines": lines}).key == f"{plane.id}+{lines.id}"
