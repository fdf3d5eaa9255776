"""Networks that the page of a landscape takes over: from runs, from links to them, from other pages and from jobs."""

from collections.abc import Callable

import pytest

from nnviz.presets import playground
from nnviz.records import EarlyStop, Scalar
from nnviz.runs import RunError, RunFile, Store
from nnviz.spec.base import replace_many
from nnviz.spec.jobs import Parent, Training, dump
from nnviz.spec.landscapes import Line
from nnviz.ui import links
from nnviz.ui.form.landscape_widgets import network_of
from tests.ui import landscape_page
from tests.ui.landscape_page import ALL, DEFAULT, errors, set_to, switch
from tests.ui.pages import at, button, entries, fine, open_job, requested_jobs
from tests.ui.test_links import through_a_browser

store, start = landscape_page.store, landscape_page.start

JOB = playground.DEFAULT


@pytest.fixture
def trained(store: Store) -> Callable[..., RunFile]:
    """`trained(job, step, state)` is a run as a worker would have left it."""

    def make(job: Training = JOB, step: int = 20, state: str = "paused", checkpoint: int | None = None) -> RunFile:
        file = store.create(job)
        file.write(state="running", step=step)
        if state != "running":
            file.write(state=state)
        if checkpoint is not None:
            file.save_checkpoint(checkpoint, b"as left")
        file.close()
        return file

    return make


def test_the_network_of_a_finished_run_is_that_after_its_last_step(trained):
    run = trained(JOB, JOB.steps, "finished")
    network = network_of(run.id)
    assert (network.learner, network.steps, network.seed) == (JOB.learner, JOB.steps, JOB.seed)
    assert (network.step, network.before) == (None, ())


def test_the_network_of_a_run_half_way_is_that_after_its_step(trained):
    assert network_of(trained(JOB, 33, "paused").id).step == 33


def test_the_network_of_a_run_that_diverged_is_the_last_finite_one(trained):
    assert network_of(trained(JOB, 40, "diverged", checkpoint=37).id).step == 37
    assert network_of(trained(JOB, 40, "diverged").id).step == 40


def test_the_network_of_a_run_with_early_stopping_is_that_of_its_best_step(store):
    job = replace_many(JOB, {"early_stopping": {"kind": "patience"}})
    at_best = [Scalar(140, "best_step", 40, "test"), Scalar(140, "best_loss", 0.5, "test")]

    def stopped(job: Training, step: int, records: list[Scalar]) -> RunFile:
        file = store.create(job)
        file.write(records, state="running", step=step)
        file.write(state="stopped early", early_stop=EarlyStop(step, 40, 0.5, 10))
        file.close()
        return file

    run = stopped(job, 140, at_best)
    assert (network_of(run.id).step, network_of(run.id).steps) == (40, job.steps)
    # A run that went on from there and found nothing better has its best step in the training before.
    child = stopped(_branch(job, run, 140, {"learner.batch_size": 5}), 240, at_best)
    assert (network_of(child.id).step, network_of(child.id).before) == (40, ())
    assert network_of(child.id).learner == job.learner
    better = [Scalar(240, "best_step", 160, "test"), Scalar(240, "best_loss", 0.4, "test")]
    child = stopped(_branch(job, run, 140, {"learner.batch_size": 5}), 240, better)
    assert network_of(child.id).step == 160
    assert [phase.until for phase in network_of(child.id).before] == [140]


def test_a_run_that_went_on_from_another_has_its_training_before_it(trained):
    first = trained(JOB, 50)
    second = trained(_branch(JOB, first, 30, {"learner.optimizer.lr": 0.3}), 70)
    third = trained(_branch(second.job, second, 60, {"learner.batch_size": 5, "steps": 500}), 500, "finished")
    network = network_of(third.id)
    assert [phase.until for phase in network.before] == [30, 60]
    assert [phase.steps for phase in network.before] == [JOB.steps] * 2
    assert [phase.learner for phase in network.phases] == [f.job.learner for f in (first, second, third)]
    assert (network.step, network.steps) == (None, 500)


def _branch(job: Training, parent: RunFile, step: int, changes: dict) -> Training:
    return replace_many(job, changes).model_copy(update={"parent": Parent(run=parent.id, step=step)})


def test_a_run_whose_parent_is_gone_is_answered_with_one_line(trained, store, start):
    parent = trained(JOB, 50, "stopped")
    child = trained(_branch(JOB, parent, 30, {"learner.batch_size": 5}), 60)
    store.delete(parent.id)
    with pytest.raises(RunError, match=f"run {child.id} was resumed from run {parent.id}, which has been deleted"):
        network_of(child.id)
    app = start(run=child.id)
    assert len(errors(app)) == 1
    assert "choose another run" in errors(app)[0]
    assert requested_jobs(app) == [DEFAULT]


def test_runs_that_cannot_be_repeated_are_answered_with_one_line(trained, store):
    landscape = store.create(DEFAULT)
    with pytest.raises(RunError, match="a network is taken from a run of kind training, got landscape"):
        network_of(landscape.id)
    # It claims to have come less far than where it went on.
    parent = trained(JOB, 50)
    backwards = trained(_branch(JOB, parent, 30, {}), 10)
    with pytest.raises(RunError, match=r"cannot be repeated: TrainedModel\.before must have steps in ascending order"):
        network_of(backwards.id)
    circle = trained(JOB.model_copy(update={"parent": Parent(run="20260101-0000-aaaaaa", step=3)}), 50, "stopped")
    circle.path.rename(store.path("20260101-0000-aaaaaa"))
    with pytest.raises(RunError, match="is its own parent"):
        network_of("20260101-0000-aaaaaa")
    store.delete("20260101-0000-aaaaaa")


def test_a_link_to_a_run_means_its_network_and_the_views_of_the_page(start, trained):
    run = trained(JOB, 33)
    app = start(run=run.id)
    assert errors(app) == []
    (job,) = requested_jobs(app)
    assert job == DEFAULT.model_copy(update={"network": network_of(run.id)})
    assert at(app.number_input, ":network.step").value == 33


def test_a_link_to_a_landscape_means_its_settings(start, store):
    file = store.create(replace_many(ALL, {"samples": 50, "network.seed": 12}))
    assert requested_jobs(start(run=file.id)) == [file.job]
    other = replace_many(ALL, {"network.seed": 3})
    line = store.create(other.parts([ALL, other], 1)["line"])
    app = start(run=line.id)
    assert requested_jobs(app) == [line.job]
    assert requested_jobs(app)[0].other.seed == 3
    assert any("second network of the line" in c.value for c in app.caption)
    assert not any("second network of the line" in c.value for c in switch(app, line=False, plane=True).caption)


def test_two_runs_give_two_networks_each_at_its_own_step(start, store):
    jobs = [JOB, replace_many(JOB, {"learner.optimizer.lr": 5.0})]
    files = store.create_group(jobs)
    for file, step, state in zip(files, (JOB.steps, 40), ("finished", "diverged"), strict=True):
        file.write(state="running", step=step)
        file.write(state=state)
        file.save_checkpoint(step - 2, b"as left")
        file.close()
    app = start(run=",".join(file.id for file in files))
    assert errors(app) == []
    assert [job.network for job in requested_jobs(app)] == [network_of(file.id) for file in files]
    assert [job.network.step for job in requested_jobs(app)] == [None, 38]


def test_two_runs_give_two_networks_each_with_all_of_its_own_settings(start, trained):
    changes = ({"seed": 1, "learner.l2": 0.1}, {"seed": 2, "learner.data.kind": "circles", "steps": 50})
    runs = [trained(replace_many(JOB, change)) for change in changes]
    app = start(run=",".join(run.id for run in runs))
    assert errors(app) == []
    assert [job.network for job in requested_jobs(app)] == [network_of(run.id) for run in runs]
    assert [(job.network.seed, job.network.learner.l2) for job in requested_jobs(app)] == [(1, 0.1), (2, 0.0)]
    assert [entry.job.network for entry in entries(app)] == [job.network for job in requested_jobs(app)]
    # What is set for all of them says nothing about that.
    assert [job.network for job in requested_jobs(set_to(app, samples=100))] == [network_of(run.id) for run in runs]


def test_of_two_runs_that_went_on_from_one_each_has_its_training_before_it(start, trained):
    parent = trained(JOB, 50)
    runs = [trained(_branch(JOB, parent, 30, {"learner.batch_size": size}), 60) for size in (5, 6)]
    app = start(run=",".join(run.id for run in runs))
    wanted = [network_of(run.id) for run in runs]
    assert [[phase.until for phase in network.before] for network in wanted] == [[30], [30]]
    assert [job.network for job in requested_jobs(app)] == wanted
    assert [entry.job.network for entry in entries(app)] == wanted
    assert [entry.job.network for entry in entries(set_to(app, samples=100))] == wanted
    # Other settings of the first make another training of it alone; the other one has all of its own.
    set_to(app, network__learner__batch_size=7)
    assert requested_jobs(app)[0].network.before == ()
    assert requested_jobs(app)[1].network == wanted[1]
    assert [entry.job.network for entry in entries(app)] == [job.network for job in requested_jobs(app)]
    assert links.read(through_a_browser(dict(app.query_params)), DEFAULT)[0] == requested_jobs(app)
    # What both have in common makes another training of both, until it is set back.
    set_to(app, network__learner__batch_size=5, network__learner__data__kind="circles")
    assert [job.network.before for job in requested_jobs(app)] == [(), ()]
    assert [job.network for job in requested_jobs(set_to(app, network__learner__data__kind="moons"))] == wanted


def test_the_table_of_runs_is_of_those_that_networks_can_be_taken_from(start, trained):
    trained(replace_many(JOB, {"seed": 4242}), 25)
    app = start()
    button(app, "Use a network from a run").click()
    fine(app.run())
    (table,) = app.dataframe
    assert "seed 4242" in list(table.value["run"])
    assert not any("views" in words for words in table.value["run"])


def test_another_page_hands_over_its_networks_and_the_views_stay(start, trained):
    runs = [trained(replace_many(JOB, {"learner.batch_size": size}), 25 + size).id for size in (3, 4)]
    app = set_to(start(), plane__span=2.0)
    views = requested_jobs(app)[0].views
    for given in (runs, runs[:1]):
        app.query_params["from"] = ",".join(given)
        fine(app.run())
        assert errors(app) == []
        assert [job.network for job in requested_jobs(app)] == [network_of(run) for run in given]
        assert {job.views for job in requested_jobs(app)} == {views}
    app.query_params["from"] = "20260101-0000-000000"
    fine(app.run())
    assert len(errors(app)) == 1
    assert [job.network for job in requested_jobs(app)] == [network_of(runs[0])]


def test_other_data_or_another_model_means_another_training(start, trained):
    parent = trained(JOB, 50)
    child = trained(_branch(JOB, parent, 30, {"learner.batch_size": 5}), 60)
    app = start(run=child.id)
    says = "Its training was resumed with other settings at step 30 and is repeated that way."
    assert [phase.until for phase in requested_jobs(app)[0].network.before] == [30]
    assert says in [c.value for c in app.caption]
    # How it is looked at is no part of it.
    set_to(app, samples=100, network__step=45)
    assert requested_jobs(app)[0].network.before
    for changed, back in (
        ({"network__learner__data__kind": "circles"}, {"network__learner__data__kind": "moons"}),
        ({"network__learner__batch_size": 6}, {"network__learner__batch_size": 5}),
        ({"network__weights_seed": 3}, {"network__weights_seed": None}),
    ):
        set_to(app, **changed)
        assert requested_jobs(app)[0].network.before == ()
        assert says not in [c.value for c in app.caption]
        set_to(app, **back)
        assert [phase.until for phase in requested_jobs(app)[0].network.before] == [30]
    # Its whole training is in the link.
    assert links.read(through_a_browser(dict(app.query_params)), DEFAULT) == (requested_jobs(app), [], [])


def test_a_network_cannot_be_looked_at_before_its_last_training_began(start, trained):
    parent = trained(JOB, 50)
    child = trained(_branch(JOB, parent, 30, {"learner.batch_size": 5}), 60)
    app = set_to(start(run=child.id), network__step=20)
    assert errors(app) == ["TrainedModel.before must have steps in ascending order up to 20, got [30]"]


def test_a_job_that_brings_a_second_network_for_its_line_keeps_it(start):
    job = DEFAULT.model_copy(update={"views": (Line(),), "other": replace_many(DEFAULT, {"network.seed": 3}).network})
    app = start()
    open_job(app, dump(job))
    assert requested_jobs(app) == [job]
    assert requested_jobs(set_to(app, samples=100))[0].other == job.other
