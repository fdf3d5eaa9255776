"""A running landscape: the same snapshots in turns of any length, cached or not, resumed from any step."""

import copy
import math
from collections import Counter

import numpy as np
import pytest
import torch

from nnviz.engine import EngineError, run
from nnviz.engine.landscape import landscape_evaluation, retraining
from nnviz.engine.landscape.landscape_evaluation import LandscapeEvaluation
from nnviz.spec.base import replace_many
from nnviz.spec.landscapes import Curvature, Landscape, Line, PathPlane, RandomLines, RandomPlane
from tests.engine.landscape_jobs import all_records, around, landscape, network, phase
from tests.engine.short_runs import as_bytes, job

SMALL = (
    RandomPlane(resolution=9),
    RandomLines(count=2, resolution=9),
    PathPlane(resolution=9),
    Curvature(points=3, probes=2),
    Line(resolution=9),
)
ALL = landscape(*SMALL, samples=50)
LEVELS = {"plane": 4, "lines": 2, "path": 1, "path_plane": 4, "curvature": 3, "line": 4, "training": 1}


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch):
    """No network is remembered from another test."""
    monkeypatch.setattr(retraining, "_cache", type(retraining._cache)())


@pytest.fixture
def turn(monkeypatch):
    """Sets the length of a turn."""
    return lambda seconds: monkeypatch.setattr(landscape_evaluation, "TURN_SECONDS", seconds)


def clear_cache() -> None:
    retraining._cache.clear()


# -- the same snapshots -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("last", range(len(SMALL)))
def test_turns_of_any_length_return_the_same(turn, last):
    """Whichever view comes last, no record of its last step is lost."""
    chosen = replace_many(ALL, {"views": SMALL[last + 1 :] + SMALL[: last + 1]})
    recorded = []
    for seconds in (math.inf, 0.0, 0.003):
        clear_cache()
        turn(seconds)
        recorded.append(as_bytes(all_records(chosen)))
    assert recorded[0] == recorded[1] == recorded[2]
    assert Counter(quantity for _, quantity, *_ in recorded[0]) == LEVELS


@pytest.mark.parametrize(
    "changes",
    [
        {"learner__model__norm": "batch"},
        {"learner__data": "digits"},
        {"learner__model__dropout": {"kind": "standard", "rate": 0.3}},
    ],
    ids=str,
)
def test_the_same_job_gives_the_same_bytes_whether_or_not_the_network_is_cached(changes):
    chosen = landscape(*SMALL, samples=50, **changes)
    first = as_bytes(all_records(chosen))
    assert len(retraining._cache) == 2
    torch.manual_seed(99)
    np.random.seed(99)
    assert as_bytes(all_records(chosen)) == first
    clear_cache()
    assert as_bytes(all_records(chosen)) == first


def test_two_landscapes_of_a_network_side_by_side_leave_each_other_alone(turn):
    expected = as_bytes(all_records(ALL))
    clear_cache()
    turn(0.0)
    both = [LandscapeEvaluation(ALL), LandscapeEvaluation(ALL)]
    recorded: list[list] = [[], []]
    while any(one.step < ALL.steps for one in both):
        for one, records in zip(both, recorded, strict=True):
            records += next(one, [])
    assert [as_bytes(records) for records in recorded] == [expected, expected]


def test_other_views_of_a_cached_network_do_not_change_it():
    all_records(ALL)
    before = {key: copy.deepcopy([*t.states, t.module.state_dict()]) for key, t in retraining._cache.items()}
    all_records(replace_many(ALL, {"views": [v.model_copy(update={"resolution": 11}) for v in SMALL[:3]]}))
    for key, states in before.items():
        now = retraining._cache[key]
        assert not now.module.training
        for one, other in zip(states, [*now.states, now.module.state_dict()], strict=True):
            assert all(torch.equal(one[name], other[name]) for name in one)


def test_directions_and_vectors_are_those_of_the_seed():
    first = {r.quantity: r for r in all_records(ALL)}
    views = [v.model_copy(update={"seed": 7}) if hasattr(v, "seed") else v for v in SMALL]
    other = {r.quantity: r for r in all_records(replace_many(ALL, {"views": views}))}
    moved = {"plane": "train_loss", "lines": "train_loss", "line": "train_loss", "curvature": "trace"}
    for name, measure in moved.items():
        assert not np.array_equal(first[name].arrays[measure], other[name].arrays[measure]), name
    assert as_bytes([first["training"], first["path_plane"]]) == as_bytes([other["training"], other["path_plane"]])


def test_returned_snapshots_do_not_change_later(turn):
    turn(0.0)
    running = LandscapeEvaluation(ALL)
    recorded, frozen = [], []
    for records in running:
        recorded += records
        frozen += copy.deepcopy(records)
    assert as_bytes(recorded) == as_bytes(frozen)


# -- progress ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [0, 1, 20])
def test_steps_add_up_to_what_the_job_says(turn, steps):
    turn(0.0)
    chosen = landscape(*SMALL[:2], *SMALL[3:], samples=50)
    chosen = replace_many(chosen, {"network.step": steps})
    running = LandscapeEvaluation(chosen)
    seen = [running.step for _ in running]
    assert seen == sorted(seen)
    assert running.step == seen[-1] == chosen.steps
    assert Counter(r.quantity for r in all_records(chosen))["training"] == 1


def test_training_is_recorded_once_it_is_done_and_then_the_views_in_order():
    records = all_records(ALL)
    order = list(dict.fromkeys(r.quantity for r in records))
    assert order == ["training", "plane", "lines", "path", "path_plane", "curvature", "line"]
    assert [r.step for r in records] == sorted(r.step for r in records)
    assert records[0].step == 20
    assert records[-1].step == ALL.steps


def test_a_turn_ends_soon(turn):
    """Even what takes long comes in pieces: products with a Hessian, points of a line, steps of training."""
    turn(0.0)
    running = LandscapeEvaluation(landscape(Curvature(points=2, probes=50), samples=50))
    turns = sum(1 for _ in running)
    assert turns > 20 + 2 * (50 + 2 * 4)


def test_a_landscape_stays_ended_and_a_closed_one_returns_nothing():
    running = LandscapeEvaluation(ALL)
    all_records(running)
    assert next(running, None) is None
    assert running.evaluate_now() == []
    half = LandscapeEvaluation(ALL)
    next(half)
    at = half.step
    half.close()
    half.close()
    assert next(half, None) is None
    assert half.step == at


# -- going on from a checkpoint ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_cached", [True, False])
def test_a_landscape_resumes_from_any_step_as_if_uninterrupted(turn, is_cached):
    turn(0.0)
    chosen = landscape(RandomPlane(resolution=9), PathPlane(resolution=9), Line(resolution=9), samples=50, steps=5)
    whole = as_bytes(all_records(chosen))
    clear_cache()
    running, before, checkpoints = LandscapeEvaluation(chosen), [], []
    for records in running:
        before += as_bytes(records)
        checkpoints.append((running.step, running.checkpoint(), len(before)))
    assert len({step for step, _, _ in checkpoints}) > 25
    turn(0.01)
    for step, checkpoint, recorded in {c[0]: c for c in reversed(checkpoints)}.values():
        if not is_cached:
            clear_cache()
        resumed = LandscapeEvaluation(chosen, checkpoint)
        assert resumed.step == step
        left = as_bytes(all_records(resumed))
        assert whole[:recorded] + left == whole, step


# -- threads ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def threads(monkeypatch):
    """Every number of threads that is set, on a machine with eight cores that wants many for the least work."""
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    found = [3]
    monkeypatch.setattr(torch, "set_num_threads", found.append)
    monkeypatch.setattr(torch, "get_num_threads", lambda: found[-1])
    return found


@pytest.mark.parametrize("seconds", [0.0, math.inf])
def test_after_each_turn_the_threads_are_those_that_the_job_sets(turn, threads, seconds):
    turn(seconds)
    for _ in LandscapeEvaluation(landscape(*SMALL, samples=50)):
        assert threads[-1] == 1


def test_training_takes_as_many_threads_as_a_run_whatever_a_view_takes(turn, threads, monkeypatch):
    """On other threads sums come out in another order."""
    monkeypatch.setattr("nnviz.engine.device.set_threads", threads.append)
    chosen = landscape(RandomPlane(resolution=9), samples=50, steps=5)
    run(job()).close()
    wanted = threads[-1]
    assert wanted == 114 * 16
    turn(math.inf)
    used = []
    original = retraining._save_state
    monkeypatch.setattr(retraining, "_save_state", lambda *a: (used.append(threads[-1]), original(*a)))
    slice_threads = []
    monkeypatch.setattr(
        landscape_evaluation.slice_views.landscape,
        "evaluate_slice",
        lambda *_a, **_k: slice_threads.append(threads[-1]) or iter(()),
    )
    all_records(chosen)
    assert used == [wanted] * 6
    assert slice_threads == [114 * 50]


# -- what cannot be shown ---------------------------------------------------------------------------------------------


def is_refused(chosen: Landscape, words: str) -> None:
    """At once, in one line."""
    with pytest.raises(EngineError, match=words) as refused:
        LandscapeEvaluation(chosen)
    assert "\n" not in str(refused.value)
    assert not retraining._cache


@pytest.mark.parametrize("step", [0, 1])
def test_the_path_of_a_network_that_has_not_trained_is_refused(step):
    is_refused(around(network(job(), step=step), PathPlane()), f"at least 2 steps, got {step}: choose a later step")


def test_the_path_of_a_single_parameter_is_refused():
    one = {"learner__model__hidden": [], "learner__model__bias": False}
    one |= {"learner__data": "curve", "learner__loss": "mse"}
    is_refused(landscape(PathPlane(), **one), "at least 2 parameters, the model has 1")
    assert all_records(landscape(RandomPlane(resolution=9), Curvature(points=2), **one))


def test_a_device_that_is_not_here_is_refused():
    missing = next(d for d in ("mps", "cuda:63") if d != "mps" or not torch.backends.mps.is_available())
    is_refused(replace_many(ALL, {"device": missing}), r"device must be .*, got ")


def test_records_before_an_error_are_returned_first(turn):
    """Weights that never move have a plane around them, but no path."""
    still = {"learner__model__initializer": "zeros", "learner__model__bias": False}
    chosen = landscape(RandomPlane(resolution=9), PathPlane(), RandomLines(), **still)
    for seconds in (math.inf, 0.0):
        turn(seconds)
        running, recorded = LandscapeEvaluation(chosen), []
        with pytest.raises(EngineError, match="weights that change, and these are the same at all steps"):
            recorded.extend(record for records in running for record in records)
        assert [r.quantity for r in recorded] == ["training", *["plane"] * 4]


def test_an_error_of_training_is_raised_by_the_job():
    chosen = around(network(job(), phase(job(learner__model__hidden__0__width=3), 2)), *SMALL)
    with pytest.raises(EngineError, match=r"^TrainedModel\.before must be"):
        all_records(chosen)
