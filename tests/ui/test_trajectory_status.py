"""How a race is told: where its start goes, how much of it while it is dragged, its time slider, and its line."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from nnviz.presets import optimizers
from nnviz.records import Snapshot
from nnviz.runs.runset import EntryView
from nnviz.spec.base import replace_many
from nnviz.spec.trajectories import Trajectories
from nnviz.ui.page import Event
from nnviz.ui.show import DRAG_SECONDS, MIN_DRAG_STEPS
from nnviz.ui.trajectory_status import POSITIONS, positions, started_at, status, theory, while_dragged
from tests.each import each
from tests.ui.pages import page_of

JOB = optimizers.DEFAULT
NAMES = [optimizer.name for optimizer in JOB.optimizers]


# -- the start -------------------------------------------------------------------------------------------------------


@each(
    "value, span, expected",
    [
        (1.23456, 20, 1.23),
        (1.23456, 4, 1.235),
        (1234.567, 20_000, 1235),
        (0.000012345, 1e-4, 0.0000123),
        (-0.5, 0, -0.5),
    ],
)
def test_a_point_chosen_is_said_to_a_thousandth_of_the_picture(monkeypatch, value, span, expected):
    window = (-span / 2, span / 2, 0.0, 10.0)
    monkeypatch.setattr(type(JOB.surface), "window", window)
    job = started_at(Event("pick", ((value, 2.34567),)), JOB)
    assert (job.x, job.y) == (expected, 2.35)
    assert job == JOB.model_copy(update={"x": expected, "y": 2.35})


def test_the_start_is_chosen_on_the_map_and_nowhere_else():
    panels = {panel.name: panel.on_event for panel in page_of("pages/optimizers.py").panels}
    assert {name for name, does in panels.items() if does} == {"map"}
    assert panels["map"](Event("pick", ((1.0, -1.0),)), JOB).start == (1.0, -1.0)


def test_while_its_start_is_dragged_a_trajectory_run_has_no_basins_and_few_steps():
    long = replace_many(JOB, {"steps": 10_000, "grid": 20})
    assert while_dragged(long, 500) == replace_many(long, {"steps": 500, "grid": 0})
    assert while_dragged(replace_many(JOB, {"steps": 5}), 500).steps == 5


def _script(jobs, entry, point, cost, found):
    import sys

    from nnviz.spec.jobs import dump
    from nnviz.spec.variants import Variant, differing
    from nnviz.ui import session, trajectory_status
    from nnviz.ui.form.page_form import FormResult
    from tests.ui import form_results

    page = form_results.page(jobs[0], while_dragged=trajectory_status.while_dragged)
    first, *others = jobs
    state = session.open_page(page.name, first)
    state.variants = [Variant(id, differing(job, first)) for id, job in zip("bc", others, strict=False)]
    state.stored.seconds_per_step = cost
    job = state.current_jobs[entry].model_copy(update={"x": point[0], "y": point[1]})
    state.stored.dragged = {"entry": entry, "job": dump(job)}
    found.append(sys.modules["nnviz.ui.show"]._dragged_jobs(FormResult(page, state, state.current_jobs)))


def dragged(jobs: list[Trajectories], entry: str = "a", cost: float = 0.0) -> list[Trajectories]:
    """The races while the start of one is dragged to (1.5, −2) and a step takes so many seconds."""
    found: list[dict] = []
    given = {"jobs": jobs, "entry": entry, "point": (1.5, -2.0), "cost": cost, "found": found}
    assert not AppTest.from_function(_script, kwargs=given).run().exception
    return list(found[0].values())


def test_a_trajectory_run_that_is_dragged_has_as_many_steps_as_there_is_time_for():
    long = replace_many(JOB, {"steps": 10_000, "grid": 20})
    there = replace_many(long, {"x": 1.5, "y": -2.0, "grid": 0})
    assert dragged([long]) == [there]
    assert dragged([long], cost=DRAG_SECONDS / 500)[0].steps == pytest.approx(500, abs=1)
    assert dragged([long], cost=1.0)[0].steps == MIN_DRAG_STEPS
    assert dragged([replace_many(JOB, {"steps": 5})], cost=1.0)[0].steps == 5


def test_of_two_trajectory_runs_the_start_that_is_dragged_is_common_unless_their_surfaces_differ():
    noisy, beale = replace_many(JOB, {"noise": 0.5}), replace_many(JOB, {"surface": {"kind": "beale"}})
    there = {"x": 1.5, "y": -2.0}
    for entry in "ab":
        assert dragged([JOB, noisy], entry) == [job.model_copy(update=there) for job in (JOB, noisy)]
    assert dragged([JOB, beale], "b") == [JOB, beale.model_copy(update=there)]


# -- the time slider -------------------------------------------------------------------------------------------------


@pytest.fixture
def trajectories(store):
    """`race(job, steps, state)` is the entry of a race that came so far."""

    def make(job: Trajectories, steps: int = 0, state: str = "finished") -> EntryView:
        file = store.create(job)
        file.write(state="running", step=steps)
        optimizers = len(job.optimizers)
        found = {"points": np.zeros((optimizers, steps + 1, 2)), "values": np.zeros((optimizers, steps + 1))}
        found |= {"left_at": np.full(optimizers, -1), "exit_reason": np.full(optimizers, "")}
        file.write([Snapshot(steps, "trajectories", found)] if steps else [])
        if state != "running":
            file.write(state=state)
        file.close()
        return EntryView("a", job, {"": store.view(file.id)})

    return make


def test_the_time_slider_has_a_place_for_each_step_of_a_short_trajectory_run(trajectories):
    job = replace_many(JOB, {"steps": 60})
    assert positions([trajectories(job, 60)], [job]) == list(range(61))


def test_the_time_slider_of_a_long_trajectory_run_is_even_and_has_both_ends(trajectories):
    job = replace_many(JOB, {"steps": 20_000})
    places = positions([trajectories(job, 20_000)], [job])
    assert len(places) == POSITIONS + 1
    assert (places[0], places[-1]) == (0, 20_000)
    assert set(np.diff(places)) == {50}


def test_the_time_slider_keeps_its_length_while_a_shorter_trajectory_run_is_dragged(trajectories):
    job = replace_many(JOB, {"steps": 100})
    assert positions([trajectories(replace_many(job, {"steps": 30}), 30)], [job])[-1] == 100


def test_the_time_slider_is_as_long_as_the_longest_of_several_trajectory_runs(trajectories):
    jobs = [replace_many(JOB, {"steps": steps}) for steps in (50, 80)]
    assert positions([trajectories(job, job.steps) for job in jobs], jobs)[-1] == 80


def test_a_trajectory_run_with_nothing_yet_has_one_place(trajectories):
    job = replace_many(JOB, {"steps": 100})
    assert positions([trajectories(job, 0, "running")], [job]) == [0]


# -- the line --------------------------------------------------------------------------------------------------------


@pytest.fixture
def told(store):
    """`told(job, heights, gone={}, **more)` is the entry of a finished race with these heights (optimizers, steps + 1);
    `gone` says at which step and why optimizers left."""

    def make(job: Trajectories, heights: np.ndarray, gone: dict | None = None, **more: dict) -> EntryView:
        steps = heights.shape[1] - 1
        left, why = np.full(len(heights), -1), np.full(len(heights), "", "U20")
        for place, (step, reason) in (gone or {}).items():
            left[place], why[place] = step, reason
        file = store.create(job)
        file.write(state="running", step=steps)
        found = {"trajectories": {"values": heights, "left_at": left, "exit_reason": why}, **more}
        file.write([Snapshot(steps, name, arrays) for name, arrays in found.items()])
        file.write(state="finished")
        file.close()
        return EntryView("a", job, {"": store.view(file.id)})

    return make


def test_a_start_without_a_value_is_said_and_nobody_is_called_the_lowest(told):
    formula = {"kind": "formula", "text": "log(x)"}
    for x, words in ((-2.0, "no value at the start"), (2.0, "lowest f after 1 steps")):
        job = replace_many(JOB, {"surface": formula, "x": x, "y": 1.0, "steps": 1})
        heights = np.full((len(job.optimizers), 2), np.log(x) if x > 0 else np.nan)
        heights[:, 1] = -1.0
        line = status([told(job, heights)])
        assert words in line
        assert ("lowest" in line) is (x > 0)


def test_why_a_optimizer_is_nowhere_any_more_is_said_by_reason(told):
    gone = {0: (2, "diverged"), 2: (1, "zero_by_zero"), 3: (1, "zero_by_zero")}
    line = status([told(JOB, np.ones((len(NAMES), 3)), gone)])
    first, _, third, fourth = NAMES
    assert f"[diverged] {first} at step 2" in line
    zero = "update is 0/0: ε = 0 and the gradient is zero"
    assert f"[{zero}] {third} at step 1, {fourth} at step 1" in line


def test_each_of_several_trajectory_runs_has_its_lowest_under_its_letter(told):
    heights = np.ones((len(NAMES), 3))
    heights[1, -1] = 0.25
    line = status([told(JOB, heights), told(JOB.model_copy(update={"noise": 0.5}), heights * 2)])
    assert f"A :green-badge[lowest f after 2 steps] 0.25 ({NAMES[1]})" in line
    assert f"B :green-badge[lowest f after 2 steps] 0.5 ({NAMES[1]})" in line
    assert status([told(JOB, heights)]).startswith(":green-badge")


def test_of_a_trajectory_run_that_goes_on_nobody_is_called_the_lowest(trajectories):
    assert status([trajectories(JOB, 5, "running")]) == ""
    assert status([]) == ""


PHASE = {
    "stability_limit": np.array([2.0]),
    "best_gradient_descent": np.array([1.0, 0.0, 0.5]),
    "best": np.array([1.2, 0.3, 0.25]),
    "nesterov": np.array(False),
}


def test_theory_is_said_of_a_bowl_alone_and_of_noise_that_it_does_not_hold(told):
    heights = np.ones((len(NAMES), 3))
    assert theory([told(JOB, heights)]) == ""
    said = theory([told(JOB, heights, phase=PHASE)])
    assert said.startswith(
        "Theory for this quadratic: plain gradient descent is stable for η < 2/λ = 2; its optimal learning rate 1"
    )
    assert "error factor of 0.500 per step; optimal momentum (β = 0.300, η = 1.2) gives 0.250." in said
    noisy = theory([told(JOB.model_copy(update={"noise": 0.5}), heights, phase=PHASE)])
    assert noisy.startswith("The theory does not apply here: gradient noise σ = 0.5. Otherwise, for this quadratic:")
    nesterov = {**PHASE, "nesterov": np.array(True)}
    assert "Nesterov's momentum (β" in theory([told(JOB, heights, phase=nesterov)])
