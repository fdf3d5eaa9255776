"""The form of a race on its page: whatever it is set to, that race is shown; what is wrong is said in a line."""

import sys
from collections.abc import Callable, Iterator
from functools import partial

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from nnviz.presets import optimizers
from nnviz.runs import Store
from nnviz.spec.base import label
from nnviz.spec.jobs import dump
from nnviz.spec.optimizers import SGD
from nnviz.spec.trajectories import MAX_OPTIMIZERS, Trajectories, TrajectorySpec
from nnviz.ui.form.trajectory_widgets import METHODS, SURFACES
from tests.each import each
from tests.ui.pages import (
    at,
    button,
    click_twice,
    fine,
    head,
    jobs,
    open_job,
    opened,
    press,
    shown,
    stop_all_runs,
    stored_page,
    temporary_store,
    wait_for,
)

DEFAULT = optimizers.DEFAULT


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The store that the page uses, with a worker."""
    with temporary_store(tmp_path_factory.mktemp("home")) as store:
        yield store


@pytest.fixture
def start(store: Store) -> Iterator[Callable[..., AppTest]]:
    """`start(**parameters)` opens the page under a link."""
    yield lambda **parameters: opened("pages/optimizers.py", **parameters)
    stop_all_runs(store)


@pytest.fixture(scope="module")
def page(store: Store) -> AppTest:
    """The page in a session that tests share, each with settings of its own."""
    assert store
    return opened("pages/optimizers.py", steps="20", optimizers='[{"method":{"kind":"sgd","lr":0.01}}]')


def job(store: Store, app: AppTest) -> Trajectories:
    """The one race that is shown."""
    (found,) = jobs(store, app)
    return found


def start_of(app: AppTest) -> tuple[float, float]:
    return at(app.number_input, ":x").value, at(app.number_input, ":y").value


@each("kind", SURFACES)
def test_every_surface_is_raced_on_from_where_it_wants_to_be_begun(store, page, kind):
    at(page.selectbox, ":surface.kind").set_value(kind)
    fine(page.run())
    surface = SURFACES[kind]()
    assert not page.error
    assert job(store, page).surface == surface
    assert job(store, page).start == surface.start == start_of(page)
    assert page.query_params.get("surface.kind", "ravine") == kind


@each("kind", METHODS)
def test_every_method_trajectory_runs(store, page, kind):
    at(page.selectbox, ":optimizers.0.method.kind").set_value(kind)
    fine(page.run())
    assert not page.error
    assert type(job(store, page).optimizers[0].method) is METHODS[kind]
    run = shown(page)[0]
    wait_for(lambda: not store.open(run).status().live)
    assert store.open(run).status().state == "finished"


def test_what_can_be_chosen_is_all_that_there_is(page):
    assert at(page.selectbox, ":surface.kind").options == [label(c) for c in SURFACES.values()]
    assert at(page.selectbox, ":optimizers.0.method.kind").options == [label(c) for c in METHODS.values()]
    assert at(page.selectbox, ":add").options == [label(c) for c in METHODS.values()]


def test_the_start_can_be_typed_and_stays_with_its_surface(start, store):
    app = start()
    # Without a default a widget whose run was cut off shows its lowest value, -1,000,000.
    assert [at(app.number_input, name).proto.default for name in (":x", ":y")] == list(DEFAULT.start)
    at(app.number_input, ":x").set_value(3.25)
    fine(app.run())
    assert (job(store, app).x, job(store, app).y) == (3.25, DEFAULT.y)
    assert app.query_params["x"] == "3.25"
    at(app.select_slider, ":steps").set_value(50)
    fine(app.run())
    assert (job(store, app).x, job(store, app).steps) == (3.25, 50)


def test_a_link_brings_surface_start_and_optimizers(start, store):
    expected = optimizers.EXAMPLES[3].jobs[0].model_copy(update={"x": -1.0, "noise": 0.5})
    first = start()
    open_job(first, dump(expected))
    assert job(store, first) == expected
    other = start(**{name.replace(".", "__"): value for name, value in first.query_params.items()})
    assert not other.error
    assert job(store, other) == expected


def test_an_example_is_raced_with_one_click(start, store):
    app = start()
    for preset in optimizers.EXAMPLES:
        press(app, preset.title)
        assert jobs(store, app) == preset.jobs, preset.title
        assert not app.error, preset.title
        assert any(preset.look_at in m.value and preset.reference in m.value for m in app.markdown), preset.title
        assert start_of(app) == preset.jobs[0].start, preset.title


def test_optimizers_are_added_copied_and_removed(start, store):
    app = start()
    at(app.selectbox, ":add").set_value("lbfgs")
    click_twice(app, "Add")()  # the copy of a click adds no other one
    assert [r.method.kind for r in job(store, app).optimizers] == ["sgd", "sgd", "rmsprop", "adam", "lbfgs"]
    click_twice(app, at(app.button, ":Copy:1"))()
    assert job(store, app).optimizers[1] == job(store, app).optimizers[2] == DEFAULT.optimizers[1]
    assert len(job(store, app).optimizers) == 6
    click_twice(app, at(app.button, ":Remove:0"))()
    assert [r.method.kind for r in job(store, app).optimizers] == ["sgd", "sgd", "rmsprop", "adam", "lbfgs"]
    assert job(store, app).optimizers[0] == DEFAULT.optimizers[1]


def test_rprop_takes_no_schedule_so_adding_it_leaves_the_constant_rate_alone(start, store):
    app = start(schedule__kind="cosine", steps="10")
    assert job(store, app).schedule.kind == "cosine"
    at(app.selectbox, ":add").set_value("rprop")
    press(app, "Add")
    assert not app.error
    assert job(store, app).optimizers[-1].method.kind == "rprop"
    assert job(store, app).schedule.kind == "constant"
    assert at(app.selectbox, ":schedule.kind").options == ["Constant rate"]


def test_what_was_set_before_a_optimizer_is_added_stays(start, store):
    app = start()
    at(app.number_input, ":x").set_value(4.0)
    at(app.selectbox, ":surface.kind").set_value("beale")
    fine(app.run())
    at(app.number_input, ":y").set_value(-1.5)
    fine(app.run())
    press(app, "Add")
    found = job(store, app)
    assert (found.surface.kind, found.y, len(found.optimizers)) == ("beale", -1.5, 5)


def test_one_optimizer_cannot_be_removed_and_twelve_are_enough(start, store):
    app = start(optimizers='[{"method":{"kind":"sgd"}}]')
    assert at(app.button, ":Remove:0").disabled
    assert not at(app.button, ":Copy:0").disabled
    many = DEFAULT.model_copy(
        update={"optimizers": (TrajectorySpec(method=SGD(lr=0.01)),) * MAX_OPTIMIZERS, "steps": 10}
    )
    open_job(app, dump(many))
    assert job(store, app) == many
    assert at(app.button, ":Copy:0").disabled
    assert not [b for b in app.button if b.label == "Add"]


WRONG = ["x +", "import os", "z**2", "1/0*", "sin(x", "", "9**9**9**9**9"]


def test_a_wrong_formula_is_answered_with_a_line_and_the_pictures_stay(start, store):
    app = start(surface__kind="formula", steps="20")
    before = shown(app)
    for text in WRONG:
        at(app.text_input, ".text").set_value(text)
        fine(app.run())
        assert len(app.error) == 1, text
        assert "\n" not in app.error[0].value, text
        assert "f(x, y)" in app.error[0].value or "text" in app.error[0].value, text
        assert shown(app) == before, text
        assert button(app, "Tune learning rates").disabled, text
        assert app.error[0].value.replace("\\", "") in head(app)["stale"], text
    at(app.text_input, ".text").set_value("x**2 + 3*y**2")
    fine(app.run())
    assert not app.error
    assert job(store, app).surface.text == "x**2 + 3*y**2"


def test_a_trajectory_run_that_is_left_is_deleted_and_one_that_was_made_elsewhere_stays(start, store):
    elsewhere = DEFAULT.model_copy(update={"seed": 1234, "steps": 12})
    file = store.create(elsewhere)
    file.write(state="running", step=12)
    file.write(state="finished")
    app = start(run=file.id)
    assert shown(app) == [file.id]
    assert job(store, app) == elsewhere
    for x in (1.0, 2.0):
        at(app.number_input, ":x").set_value(x)
        fine(app.run())
        assert job(store, app) == elsewhere.model_copy(update={"x": x})
        wait_for(lambda: not store.open(shown(app)[0]).status().live)
        fine(app.run())
    there = [s.id for s in store.list()]
    assert file.id in there
    assert shown(app)[0] in there
    assert not [run for run in there if store.open(run).job == elsewhere.model_copy(update={"x": 1.0})]


def test_a_trajectory_run_deleted_elsewhere_is_made_again(start, store):
    app = start(seed="77", steps="10")
    (run,) = shown(app)
    wait_for(lambda: not store.open(run).status().live)
    store.delete(run)
    fine(app.run())
    assert not app.error
    assert shown(app) != [run]
    assert job(store, app).seed == 77


def choice(app: AppTest, figure: str, name: str) -> dict:
    """A choice that the board offers in a picture's card; its options are values and the words for them."""
    offered = next(offer for offer in head(app)["choices"][figure] if offer["name"] == name)
    return {**offered, "options": dict(offered["options"])}


def test_the_step_taken_apart_is_of_one_optimizer_however_many_come_and_go(start):
    app = start()
    assert [*choice(app, "map", "optimizer")["options"].values()] == [
        "none",
        *(f"{place} · {optimizer.name}" for place, optimizer in enumerate(DEFAULT.optimizers, 1)),
    ]
    stored_page(app).choices["optimizer"] = "2"
    third = DEFAULT.optimizers[2].name
    fine(app.run())
    for pressed, place in ((":Copy:0", 4), (":Remove:0", 3), (":Copy:2", 3), (":Remove:0", 2), (":Remove:0", 1)):
        at(app.button, pressed).click()
        offered = choice(fine(app.run()), "step", "optimizer")
        assert offered["options"][offered["value"]] == f"{place} · {third}", pressed
    # Without the optimizer itself there is no choice any more.
    at(app.button, ":Remove:0").click()
    fine(app.run())
    assert "optimizer" not in stored_page(app).choices


def test_heights_can_be_drawn_in_each_way(start):
    app = start(steps="10")
    for value in ("linear", "log", "auto"):
        stored_page(app).choices["log"] = value
        fine(app.run())
        assert {choice(app, name, "log")["value"] for name in ("map", "surface")} == {value}


# -- several races ---------------------------------------------------------------------------------------------------


def test_two_trajectory_runs_under_a_link_are_run_side_by_side(start, store):
    other = DEFAULT.model_copy(update={"noise": 0.5})
    app = start(b__noise="0.5")
    assert jobs(store, app) == (DEFAULT, other)
    for run in shown(app):
        wait_for(lambda run=run: not store.open(run).status().live)
    words = "\n".join(m.value for m in fine(app.run()).markdown)
    assert "A :green-badge[lowest f after 200 steps]" in words
    assert "B :green-badge[lowest f after 200 steps]" in words
    assert ["map A", "map B"] in head(app)["sections"][""]
    # What is set in the form holds for both.
    at(app.number_input, ":x").set_value(1.5)
    fine(app.run())
    assert jobs(store, app) == tuple(job.model_copy(update={"x": 1.5}) for job in (DEFAULT, other))


def test_a_start_chosen_on_a_map_is_that_of_its_trajectory_run(start, store, monkeypatch):
    def board(_pictures: object, _steps: object, *, on_pick: Callable, **_: object) -> None:
        for figure in ("map", "map A", "map B"):
            st.button(figure, on_click=partial(on_pick, figure, 1.23456, -2.34567, True))
            st.button(f"{figure} again", on_click=partial(on_pick, figure, 0.5, 0.25, True))

    monkeypatch.setattr(sys.modules["nnviz.ui.show"], "board", board)
    chosen = {"x": 1.23, "y": -2.35}
    app = press(start(), "map")
    assert job(store, app) == DEFAULT.model_copy(update=chosen)
    assert start_of(app) == (1.23, -2.35)
    assert {name: float(app.query_params[name]) for name in chosen} == chosen
    # Another surface has a start of its own; what the other only differs in elsewhere is common to both.
    for difference, on_b in (({"b.surface.kind": "beale"}, False), ({"b.noise": "0.5"}, True)):
        app = start(**{name.replace(".", "__"): value for name, value in difference.items()})
        first, second = jobs(store, app)
        press(app, "map B")
        moved, own = jobs(store, app)
        assert (moved == first.model_copy(update=chosen)) is on_b, difference
        assert (moved == first) is not on_b, difference
        assert own.surface == second.surface
        assert own.start == pytest.approx((1.23456, -2.34567), abs=0.01), difference
        press(app, "map B again")
        assert jobs(store, app)[1].start == (0.5, 0.25), difference
        press(app, "map A")
        assert jobs(store, app)[0] == first.model_copy(update=chosen), difference
        press(app, "map A again")
        assert jobs(store, app)[0].start == (0.5, 0.25), difference
        assert not app.error
