"""Races: how racers are named, and what cannot be raced."""

import pytest

from nnviz.presets import optimizers
from nnviz.spec.base import SpecError, replace_many
from nnviz.spec.descent import Descent, Racer
from nnviz.spec.optimizers import SGD, Adam
from nnviz.spec.surfaces import Beale, Himmelblau


def test_a_racer_is_named_by_its_rate_and_what_is_not_as_by_default():
    assert Racer(method=Adam(lr=0.3)).name == "Adam η=0.3"
    assert "0.5" in Racer(method=Adam(lr=0.3, beta1=0.5)).name
    assert Racer(method=SGD(lr=0.1, momentum=0.9)).name != Racer(method=SGD(lr=0.1)).name


def test_the_race_with_other_rates_is_else_the_same():
    job = optimizers.DEFAULT
    rated = job.rated([0.5, None, 0.25, None])
    assert [r.method.lr for r in rated.racers] == [0.5, job.racers[1].method.lr, 0.25, job.racers[3].method.lr]
    assert rated.rated([r.method.lr for r in job.racers]) == job


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"racers": []}, "racers"),
        ({"racers": [{"method": {"kind": "sgd"}}] * 13}, "racers"),
        ({"grid": 1}, "Descent.grid must be 0 or at least 2, got 1"),
        ({"x": 2e6}, "x"),
        ({"noise": -1}, "noise"),
    ],
)
def test_what_cannot_be_raced_is_named(changes, words):
    with pytest.raises(SpecError, match=words):
        Descent.parse(changes)


def test_a_schedule_that_a_method_does_not_heed_is_refused_and_not_offered():
    deaf = {"racers": [{"method": {"kind": "adam"}}, {"method": {"kind": "rprop"}}]}
    with pytest.raises(SpecError, match=r"schedule must be constant with rprop among the methods.*got cosine"):
        Descent.parse(deaf | {"schedule": {"kind": "cosine"}})
    job = Descent.parse(deaf)
    assert job.fitting("schedule", {}) == ["constant"]
    assert job.fitting("schedule", {"racers": [{"method": {"kind": "adam"}}]}) is None
    assert Descent().fitting("schedule", {}) is None
    assert Descent().fitting("schedule", {"racers": deaf["racers"]}) == ["constant"]


def test_a_race_starts_where_its_surface_wants_it_unless_it_says_where():
    job = replace_many(Descent(), {"surface": "himmelblau"})
    assert job.start == Himmelblau.start
    assert replace_many(job, {"x": 1.5}).start == (1.5, Himmelblau.start[1])
    assert replace_many(job, {"surface": "beale"}).start == Beale.start
