"""How a race is shown: where its start goes, how much of it while it is dragged, and places of its time slider."""

import sys

import numpy as np
import pytest
from nnviz.ui.experiment import Asked
from nnviz.ui.watch_race import DRAG, POSITIONS, SHORTEST, _digits, _dragged, _positions, _status

from nnviz.presets import optimizers
from nnviz.records import Snapshot
from nnviz.spec.base import replace_many

JOB = optimizers.DEFAULT


@pytest.mark.parametrize(
    ("value", "span", "text"),
    [
        (1.23456, 20, "1.23"),
        (1.23456, 4, "1.235"),
        (1234.567, 20_000, "1235"),
        (0.000012345, 1e-4, "0.0000123"),
        (-0.5, 0, "-0.500"),
    ],
)
def test_a_point_chosen_is_said_to_a_thousandth_of_the_picture(value, span, text):
    assert _digits(value, span) == text


@pytest.fixture
def cost(monkeypatch):
    """`cost(seconds)` says what a step has taken so far."""
    kept = {}
    monkeypatch.setattr(sys.modules[_dragged.__module__], "memory", lambda _: kept)
    return lambda seconds: kept.update(cost=seconds)


def test_a_race_that_is_not_dragged_is_as_the_form_says():
    assert _dragged(JOB, {}) is JOB


def test_while_its_start_is_dragged_a_race_has_as_many_steps_as_there_is_time_for(cost):
    long = replace_many(JOB, {"steps": 10_000, "grid": 20})
    kept = {"start": [1.5, -2.0]}
    assert _dragged(long, kept) == replace_many(long, {"x": 1.5, "y": -2.0, "grid": 0})
    cost(DRAG / 500)
    assert _dragged(long, kept).steps == pytest.approx(500, abs=1)
    cost(1.0)
    assert _dragged(long, kept).steps == SHORTEST
    assert _dragged(replace_many(JOB, {"steps": 5}), kept).steps == 5


def view_of(store, job, steps: int, state: str):
    file = store.create(job)
    file.write(state="running", step=steps)
    points = np.zeros((len(job.racers), steps + 1, 2))
    file.write([Snapshot(steps, "race", {"points": points})])
    file.write(state=state)
    file.close()
    return store.view(file.id)


def test_the_time_slider_has_a_place_for_each_step_of_a_short_race(store):
    job = replace_many(JOB, {"steps": 60})
    assert _positions(view_of(store, job, 60, "finished"), Asked(None, (job,))) == list(range(61))


def test_the_time_slider_of_a_long_race_is_even_and_has_both_ends(store):
    job = replace_many(JOB, {"steps": 20_000})
    places = _positions(view_of(store, job, 20_000, "finished"), Asked(None, (job,)))
    assert len(places) == POSITIONS + 1
    assert (places[0], places[-1]) == (0, 20_000)
    assert set(np.diff(places)) == {50}


def test_the_time_slider_keeps_its_length_while_a_shorter_race_is_dragged(store):
    job = replace_many(JOB, {"steps": 100})
    short = replace_many(job, {"steps": 30})
    assert _positions(view_of(store, short, 30, "finished"), Asked(None, (job,)))[-1] == 100


def test_a_race_with_nothing_yet_has_one_place(store):
    job = replace_many(JOB, {"steps": 100})
    view = store.view(store.create(job).id)
    assert _positions(view, Asked(None, (job,))) == [0]


def test_a_start_without_a_value_is_said_and_nobody_is_called_the_lowest(store):
    formula = {"kind": "formula", "text": "log(x)"}
    for x, words in ((-2.0, "no value at the start"), (2.0, "lowest after 1 steps")):
        job = replace_many(JOB, {"surface": formula, "x": x, "y": 1.0, "steps": 1})
        heights = np.full((len(job.racers), 2), np.log(x) if x > 0 else np.nan)
        heights[:, 1] = -1.0
        file = store.create(job)
        file.write(state="running", step=1)
        file.write(
            [
                Snapshot(
                    1,
                    "race",
                    {"heights": heights, "gone": np.full(len(job.racers), -1), "exit": np.full(len(job.racers), "")},
                )
            ]
        )
        file.write(state="finished")
        file.close()
        assert words in _status(store.view(file.id))


def test_why_a_racer_is_nowhere_any_more_is_said_by_reason(store):
    file = store.create(JOB)
    file.write(state="running", step=2)
    n = len(JOB.racers)
    gone, why = np.full(n, -1), np.full(n, "", "U20")
    gone[[0, 2, 3]], why[[0, 2, 3]] = [2, 1, 1], ["diverged", "zero_by_zero", "zero_by_zero"]
    file.write([Snapshot(2, "race", {"heights": np.ones((n, 3)), "gone": gone, "exit": why})])
    file.write(state="finished")
    file.close()
    line = _status(store.view(file.id))
    first, _, third, fourth = (racer.name for racer in JOB.racers)
    assert f"[left for infinity] {first} at step 2" in line
    zero = "0/0 in the update: ε = 0 and the gradient is zero"
    assert f"[{zero}] {third} at step 1, {fourth} at step 1" in line
