"""Races: how optimizers are named, and what cannot be raced."""

import pytest

from nnviz.presets import optimizers
from nnviz.spec.base import SpecError, replace_many
from nnviz.spec.optimizers import SGD, Adam
from nnviz.spec.surfaces import Beale, Himmelblau
from nnviz.spec.trajectories import Trajectories, TrajectorySpec, short_names


def test_a_optimizer_is_named_by_its_rate_and_what_is_not_as_by_default():
    assert TrajectorySpec(method=Adam(lr=0.3)).name == "Adam η=0.3"
    assert "0.5" in TrajectorySpec(method=Adam(lr=0.3, beta1=0.5)).name
    assert TrajectorySpec(method=SGD(lr=0.1, momentum=0.9)).name != TrajectorySpec(method=SGD(lr=0.1)).name


def test_the_trajectory_run_with_other_rates_is_else_the_same():
    job = optimizers.DEFAULT
    rated = job.rated([0.5, None, 0.25, None])
    assert [r.method.lr for r in rated.optimizers] == [
        0.5,
        job.optimizers[1].method.lr,
        0.25,
        job.optimizers[3].method.lr,
    ]
    assert rated.rated([r.method.lr for r in job.optimizers]) == job


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"optimizers": []}, "optimizers"),
        ({"optimizers": [{"method": {"kind": "sgd"}}] * 13}, "optimizers"),
        ({"grid": 1}, "Trajectories.grid must be 0 or at least 2, got 1"),
        ({"x": 2e6}, "x"),
        ({"noise": -1}, "noise"),
    ],
)
def test_what_cannot_be_raced_is_named(changes, words):
    with pytest.raises(SpecError, match=words):
        Trajectories.parse(changes)


def test_a_schedule_that_a_method_does_not_heed_is_refused_and_not_offered():
    deaf = {"optimizers": [{"method": {"kind": "adam"}}, {"method": {"kind": "rprop"}}]}
    with pytest.raises(SpecError, match=r"schedule must be constant with rprop among the optimizers.*got cosine"):
        Trajectories.parse(deaf | {"schedule": {"kind": "cosine"}})
    job = Trajectories.parse(deaf)
    assert job.fitting("schedule", {}) == ["constant"]
    assert job.fitting("schedule", {"optimizers": [{"method": {"kind": "adam"}}]}) is None
    assert Trajectories().fitting("schedule", {}) is None
    assert Trajectories().fitting("schedule", {"optimizers": deaf["optimizers"]}) == ["constant"]


def test_a_trajectory_run_starts_where_its_surface_wants_it_unless_it_says_where():
    job = replace_many(Trajectories(), {"surface": "himmelblau"})
    assert job.start == Himmelblau.start
    assert replace_many(job, {"x": 1.5}).start == (1.5, Himmelblau.start[1])
    assert replace_many(job, {"surface": "beale"}).start == Beale.start


def test_short_names_give_what_tells_methods_apart_and_numbers_only_where_nothing_does():
    def named(*methods):
        return short_names([TrajectorySpec(method=method) for method in methods])

    momentum = SGD(lr=0.1, momentum=0.9)
    assert named(SGD(lr=0.1), Adam(lr=0.3)) == ["SGD", "Adam"]
    assert named(SGD(lr=0.1), momentum, momentum.model_copy(update={"nesterov": True, "lr": 0.2})) == [
        "SGD",
        "SGD momentum=0.9",
        "SGD momentum=0.9, Nesterov",
    ]
    assert named(SGD(lr=0.1), SGD(lr=0.2), Adam(lr=0.3)) == ["SGD η=0.1", "SGD η=0.2", "Adam"]
    assert named(momentum, momentum) == ["SGD η=0.1, momentum=0.9 (1)", "SGD η=0.1, momentum=0.9 (2)"]
