"""Parts of a job: each view of a landscape is a run of its own, shared by all who look alike."""

from nnviz.presets import loss_landscape, optimizers
from nnviz.spec.base import fingerprint, replace_many
from nnviz.spec.jobs import RateSearch, Training
from nnviz.spec.landscapes import Curvature, Landscape, Line

ALL = loss_landscape.DEFAULT.model_copy(update={"views": loss_landscape.ALL})
OTHER = replace_many(ALL, {"network.weights_seed": 7})
THIRD = replace_many(ALL, {"network.weights_seed": 8, "samples": 50})


def parts(*jobs: Landscape) -> list[dict[str, Landscape]]:
    return [dict(job.parts(jobs, place)) for place, job in enumerate(jobs)]


def test_a_job_without_parts_is_its_own_only_one():
    for job in (Training(), optimizers.DEFAULT, RateSearch()):
        assert job.parts([job, job], 1) == job.parts() == {"": job}


def test_each_view_is_a_job_of_its_own_and_shows_what_its_kind_says():
    (own,) = parts(ALL)
    assert list(own) == [view.kind for view in loss_landscape.ALL]
    shows = {"plane": "plane", "lines": "lines", "path": "path_plane", "line": "line", "curvature": "curvature"}
    assert {kind: job.shows for kind, job in own.items()} == shows
    for view, (kind, job) in zip(loss_landscape.ALL, own.items(), strict=True):
        assert job == ALL.model_copy(update={"views": (view,)})
        assert kind == view.kind


def test_what_is_the_same_for_a_view_is_the_same_job_whatever_the_other_views():
    (few,) = parts(ALL.model_copy(update={"views": (Curvature(),)}))
    assert fingerprint(few["curvature"]) == fingerprint(ALL.parts()["curvature"])


def test_each_network_but_the_first_has_the_line_to_it_from_the_first():
    first, second, third = parts(ALL, OTHER, THIRD)
    assert "line" not in first
    assert [own["line"].network for own in (second, third)] == [ALL.network] * 2
    assert [own["line"].other for own in (second, third)] == [OTHER.network, THIRD.network]
    # Both lines begin at what the first is looked at by, its samples too.
    assert {own["line"].samples for own in (second, third)} == {ALL.samples}
    assert {job.other for own in (first, second, third) for kind, job in own.items() if kind != "line"} == {None}
    assert second["plane"].network == OTHER.network


def test_a_line_has_the_settings_of_the_network_that_it_leads_to():
    fine = replace_many(OTHER, {"views.3.resolution": 31})
    (line,) = parts(ALL, fine)[1]["line"].views
    assert line.resolution == 31


def test_alone_the_line_leads_to_another_seed_or_where_the_job_says():
    assert ALL.parts()["line"].other is None
    assert ALL.parts()["line"].networks[1].weights_seed == Line().seed
    own = ALL.model_copy(update={"other": OTHER.network}).parts()
    assert own["line"].other == OTHER.network
    assert own["plane"].other is None


def test_equal_networks_share_their_runs():
    first, second = parts(ALL, ALL)
    assert first == {kind: job for kind, job in second.items() if kind != "line"}


def test_with_nothing_but_a_line_the_first_of_two_networks_has_no_run():
    only = ALL.model_copy(update={"views": (Line(),)})
    first, second = parts(only, only)
    assert (first, list(second)) == ({}, ["line"])


def test_jobs_in_parts_are_landscapes_that_can_run_alone():
    for own in parts(ALL, OTHER):
        for job in own.values():
            assert Landscape.parse(job.model_dump(mode="json")) == job


def test_a_search_belongs_to_trajectory_runs_that_differ_in_their_rates_at_most():
    trajectories = optimizers.DEFAULT
    search = RateSearch(trajectories=trajectories)
    assert search.belongs_to(trajectories)
    assert search.belongs_to(trajectories.rated([0.123] * len(trajectories.optimizers)))
    assert not search.belongs_to(trajectories.model_copy(update={"x": 1.5}))
    assert not search.belongs_to(Training())
    assert not trajectories.belongs_to(trajectories)
