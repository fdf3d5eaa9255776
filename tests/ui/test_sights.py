"""Views of a network as runs of their own: which runs they are, and what is shown while one is not there yet."""

import pytest
from nnviz.ui.sights import SHOWN, Sight, parts

from nnviz.presets import loss_landscape
from nnviz.records import Snapshot
from nnviz.spec.base import fingerprint, replace_many
from nnviz.spec.jobs import Landscape
from nnviz.spec.landscapes import Curvature, Line
from tests.figures import surveys as arrays

ALL = loss_landscape.DEFAULT.model_copy(update={"views": loss_landscape.ALL})
OTHER = replace_many(ALL, {"network.weights_seed": 7})


def test_each_view_is_a_job_of_its_own_and_shows_what_its_kind_says():
    (own,) = parts((ALL,))
    assert list(own) == [view.kind for view in loss_landscape.ALL] == list(SHOWN)
    for view, (kind, job) in zip(loss_landscape.ALL, own.items(), strict=True):
        assert job == ALL.model_copy(update={"views": (view,)})
        assert kind == view.kind


def test_what_is_the_same_for_a_view_is_the_same_job_whatever_the_other_views():
    (few,) = parts((ALL.model_copy(update={"views": (Curvature(),)}),))
    assert fingerprint(few["curvature"]) == fingerprint(parts((ALL,))[0]["curvature"])


def test_the_line_is_drawn_once_and_leads_to_the_second_network():
    first, second = parts((ALL, OTHER))
    assert first["line"].other == OTHER.network
    assert "line" not in second
    assert {job.other for kind, job in {**first, **second}.items() if kind != "line"} == {None}
    assert second["plane"].network == OTHER.network


def test_alone_the_line_leads_to_another_seed_or_where_the_job_says():
    assert parts((ALL,))[0]["line"].other is None
    assert parts((ALL,))[0]["line"].networks[1].weights_seed == Line().seed
    said = ALL.model_copy(update={"other": OTHER.network})
    (own,) = parts((said,))
    assert own["line"].other == OTHER.network
    assert own["plane"].other is None


def test_two_equal_networks_share_their_runs():
    first, second = parts((ALL, ALL))
    assert second == {kind: job for kind, job in first.items() if kind != "line"}


def test_of_two_networks_with_nothing_but_a_line_the_second_has_no_run():
    only = ALL.model_copy(update={"views": (Line(),)})
    first, second = parts((only, only))
    assert (list(first), second) == (["line"], {})


@pytest.fixture
def run(store):
    """`run(kind, state="running", steep=1.0, **snapshots)` is a view of a run that shows one kind."""

    def make(kind: str, state: str = "running", **snapshots: dict):
        (own,) = parts((ALL,))
        file = store.create(own[kind])
        file.write(state="running", step=1)
        file.write([Snapshot(1, name, found) for name, found in snapshots.items()])
        if state != "running":
            file.write(state=state)
        file.close()
        return store.view(file.id)

    return make


def sight(runs: dict, before: dict | None = None) -> Sight:
    return Sight("id", ALL, runs, before or {})


def test_what_is_new_is_shown_in_place_of_what_was_there(run):
    old, new = run("plane", plane=arrays.plane(5)), run("plane", plane=arrays.plane(9))
    both = sight({"plane": new}, {"plane": old})
    assert len(both.snapshot("plane")["x"]) == 9
    assert both.run("plane") is new
    assert not both.awaited


def test_what_was_there_is_shown_as_long_as_the_new_has_nothing(run):
    old, new = run("plane", "finished", plane=arrays.plane(5)), run("plane")
    both = sight({"plane": new}, {"plane": old})
    assert len(both.snapshot("plane")["x"]) == 5
    assert both.run("plane") is old
    assert both.awaited


def test_a_picture_is_of_one_run_though_the_new_one_has_a_part_of_it(run):
    old = run("path", "finished", path=arrays.path(5), path_plane=arrays.path_plane(), training=arrays.training(5))
    new = run("path", path=arrays.path(9), training=arrays.training(9))
    both = sight({"path": new}, {"path": old})
    assert both.awaited
    assert [len(both.snapshot(name)["steps"]) for name in ("path", "training")] == [5, 5]


def test_with_nothing_from_before_the_new_one_is_awaited_and_nothing_is_behind(run):
    new, empty = run("plane", training=arrays.training(5)), run("plane", "stopped")
    for both in (sight({"plane": new}), sight({"plane": new}, {"plane": empty})):
        assert both.run("plane") is new
        assert not both.awaited
        assert both.snapshot("plane") == {}
        assert len(both.snapshot("training")["steps"]) == 5


@pytest.mark.parametrize("state", ["stopped", "failed"])
def test_a_view_that_ended_with_nothing_is_shown_by_nothing(run, state):
    old, new = run("plane", "finished", plane=arrays.plane(5)), run("plane", state, training=arrays.training(5))
    both = sight({"plane": new}, {"plane": old})
    assert both.run("plane") is None
    assert both.snapshot("plane") == {}
    assert not both.awaited
    # How the network has come out is known all the same.
    assert len(both.snapshot("training")["steps"]) == 5


def test_a_view_that_was_stopped_keeps_what_it_has(run):
    half = run("plane", "stopped", plane=arrays.plane(5))
    assert sight({"plane": half}).run("plane") is half


def test_a_view_that_is_switched_off_is_not_shown_though_it_was_there(run):
    lines, plane = run("lines", lines=arrays.lines()), run("plane", "finished", plane=arrays.plane(5))
    both = sight({"lines": lines}, {"plane": plane})
    assert both.run("plane") is None
    assert both.snapshot("plane") == {}
    assert both.at(3).snapshot("lines")
    assert both.at(3).step == 3


def test_jobs_in_parts_are_landscapes_that_can_run_alone():
    for own in parts((ALL, OTHER)):
        for job in own.values():
            assert Landscape.parse(job.model_dump(mode="json")) == job
