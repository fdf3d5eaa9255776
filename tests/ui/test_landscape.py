"""The form of a landscape on its page: all of it reaches the job, one line says what is wrong, and links keep it."""

from nnviz.presets import loss_landscape
from nnviz.spec.base import label, replace_many
from nnviz.ui import links
from nnviz.ui.form.landscape_widgets import VIEWS
from tests.ui import landscape_page
from tests.ui.landscape_page import ALL, DEFAULT, PAGE, errors, set_to, switch
from tests.ui.pages import at, entries, fine, opened, press, requested_jobs, shown, stored_page
from tests.ui.test_links import through_a_browser

store, start = landscape_page.store, landscape_page.start

NOTHING = "Landscape.views must have at least one view, got none: select at least one view"
FIELDS = {
    "network.steps": 500,
    "network.step": 321,
    "network.seed": 7,
    "network.weights_seed": 8,
    "network.learner.l1": 0.01,
    "network.learner.l2": 0.1,
    "network.learner.batch_size": 64,
    "samples": 300,
}
OF_VIEWS = {
    "plane.span": 2.5,
    "plane.resolution": 31,
    "plane.seed": 3,
    "plane.vectors": True,
    "lines.count": 4,
    "lines.span": 0.5,
    "lines.resolution": 33,
    "lines.seed": 4,
    "lines.vectors": True,
    "path.margin": 1.0,
    "path.resolution": 21,
    "line.seed": 5,
    "line.margin": 0.5,
    "line.resolution": 51,
    "curvature.points": 11,
    "curvature.eigenvalues": 5,
    "curvature.probes": 50,
    "curvature.seed": 6,
}


def test_every_field_reaches_the_job(start, store):
    app = start(ALL)
    set_to(app, **{name.replace(".", "__"): value for name, value in {**FIELDS, **OF_VIEWS}.items()})
    set_to(
        app,
        network__learner__data__kind="circles",
        network__learner__loss__kind="mse",
        network__learner__schedule__kind="cosine",
        network__learner__clipping__kind="norm",
        network__learner__optimizer__kind="adam",
    )
    (job,) = requested_jobs(app)
    places = {kind: place for place, kind in enumerate(VIEWS)}
    said = {f"views.{places[path.split('.')[0]]}.{path.split('.')[1]}": value for path, value in OF_VIEWS.items()}
    kinds = {
        "network.learner.data": "circles",
        "network.learner.loss": "mse",
        "network.learner.schedule": "cosine",
        "network.learner.clipping": "norm",
        "network.learner.optimizer": "adam",
    }
    assert job == replace_many(ALL, {**FIELDS, **said, **kinds})
    # All of it is in the address, and the runs are of it.
    again = opened(PAGE, **{name.replace(".", "__"): value for name, value in app.query_params.items()})
    assert requested_jobs(again) == [job]
    assert [store.open(run).job for run in shown(again)] == list(job.parts().values())


def test_all_fields_of_all_views_are_tried_here():
    assert list(OF_VIEWS) == [f"{k}.{name}" for k, cls in VIEWS.items() for name in cls.model_fields if name != "kind"]


def test_views_are_switched_on_and_off_and_remember_their_settings(start, store):
    app = switch(start(), lines=True, path=False)
    assert [view.kind for view in requested_jobs(app)[0].views] == ["plane", "lines", "curvature"]
    assert [store.open(run).job.views[0].kind for run in shown(app)] == ["plane", "lines", "curvature"]
    set_to(app, path__resolution=15)
    switch(app, path=True)
    assert [view.resolution for view in requested_jobs(app)[0].views if view.kind == "path"] == [15]


def test_with_no_view_one_line_says_so_and_nothing_is_lost(start):
    app = start(DEFAULT, replace_many(DEFAULT, {"network.learner.batch_size": 9}))
    before, runs = requested_jobs(app), shown(app)
    set_to(app, plane__span=3.0)
    runs = shown(app)
    before = requested_jobs(app)
    switch(app, plane=False, path=False, curvature=False)
    (said,) = errors(app)
    assert said.startswith(NOTHING)
    assert "Random plane" in said
    assert requested_jobs(app) == before
    assert shown(app) == runs
    assert len(app.get("bidi_component")) == 1
    set_to(fine(app.run()), network__seed=5)
    switch(app, plane=True, path=True, curvature=True)
    assert errors(app) == []
    # Both networks and what was changed meanwhile are as they were set.
    assert requested_jobs(app) == [replace_many(job, {"network.seed": 5}) for job in before]


def test_a_step_above_the_steps_is_answered_with_one_line_and_the_other_network_keeps_its_settings(start):
    app = start(DEFAULT, replace_many(DEFAULT, {"network.learner.batch_size": 17, "network.step": 12}))
    set_to(app, network__step=1001)
    assert errors(app) == ["TrainedModel.step must be at most steps = 1000, got 1001"]
    set_to(app, network__step=400)
    assert errors(app) == []
    assert [(job.network.step, job.network.learner.batch_size) for job in requested_jobs(app)] == [(400, 32), (12, 17)]


def test_two_jobs_under_a_link_are_two_networks_with_the_runs_that_each_needs(start, store):
    equal = start(DEFAULT, DEFAULT)
    assert requested_jobs(equal) == [DEFAULT, DEFAULT]
    # Equal networks are looked at in the same runs.
    assert len(entries(equal)) == 2
    assert len(shown(equal)) == 3
    other = replace_many(DEFAULT, {"network.weights_seed": 3})
    app = start(DEFAULT, other)
    assert requested_jobs(app) == [DEFAULT, other]
    assert [store.open(run).job for run in shown(app)] == [*DEFAULT.parts().values(), *other.parts().values()]
    # What is set in the form holds for both, unless a network has its own.
    set_to(app, plane__span=2.0, network__learner__batch_size=16)
    changed = {"views.0.span": 2.0, "network.learner.batch_size": 16}
    assert requested_jobs(app) == [replace_many(job, changed) for job in (DEFAULT, other)]
    assert [store.open(run).job for run in shown(app)] == [
        part for job in requested_jobs(app) for part in job.parts().values()
    ]


def test_a_network_that_is_added_is_as_the_last_one_is_now_until_it_differs(start, store):
    app = set_to(start(), network__learner__batch_size=16, plane__span=2.0)
    (first,) = requested_jobs(app)
    press(app, "Add a variant")
    assert requested_jobs(app) == [first, first]
    # Equal networks are looked at in the same runs.
    assert len(shown(app)) == 3
    app.selectbox(key=next(w.key for w in app.selectbox if ":offer:" in w.key)).set_value("network.weights_seed")
    fine(app.run())
    (variant,) = stored_page(app).variants
    at(app.number_input, f":{variant['id']}:network.weights_seed").set_value(3)
    fine(app.run())
    assert [job.network.weights_seed for job in requested_jobs(app)] == [None, 3]
    assert len(shown(app)) == 6
    press(app, "Remove")
    assert requested_jobs(app) == [first]
    assert [store.open(run).job for run in shown(app)] == list(first.parts().values())


def test_an_example_is_one_click_and_one_link(start):
    app = start()
    for preset in loss_landscape.EXAMPLES:
        press(app, preset.title)
        assert requested_jobs(app) == list(preset.jobs), preset.title
        assert not app.error, preset.title
        assert any(preset.look_at in m.value and preset.reference in m.value for m in app.markdown), preset.title
        link = links.read(through_a_browser(dict(app.query_params)), DEFAULT)
        assert link == (list(preset.jobs), [], []), preset.title


def test_two_networks_with_all_views_come_back_from_their_link():
    other = replace_many(ALL, {"network.weights_seed": 3, "network.step": 12, "network.learner.model.kind": "deep_mlp"})
    for said in (links.query([ALL, other], DEFAULT), links.shared([ALL, other], DEFAULT)):
        assert links.read(through_a_browser(said), DEFAULT) == ([ALL, other], [], [])


def test_the_labels_of_views_are_their_own(start):
    app = start()
    assert [e.label for e in app.expander if e.label in {label(cls) for cls in VIEWS.values()}] == [
        label(cls) for cls in VIEWS.values()
    ]
    assert all(expander.label.strip() for expander in app.expander)  # the group of views has no title
