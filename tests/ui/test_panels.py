"""Pictures of up to eight entries: made when asked for, named and titled by the entry, on the same axes."""

from types import SimpleNamespace

import numpy as np
import pytest

from nnviz.presets import optimizers, playground
from nnviz.records import Scalar
from nnviz.runs.runset import EntryView
from nnviz.spec.base import replace_many
from nnviz.spec.data import Curve, Digits, Hills, Moons
from nnviz.spec.jobs import Ensemble, Training
from nnviz.spec.learners import Supervised
from nnviz.spec.losses import MSE, CrossEntropy
from nnviz.spec.models import MLP
from nnviz.spec.wording import name
from nnviz.ui.page import Choice, Panel
from nnviz.ui.panels import PageView, Pictures, key_of
from nnviz.ui.prediction_pictures import SURFACE_STYLE
from nnviz.ui.show import _steps
from tests.ui.form_results import entries, page

JOB = playground.DEFAULT


def figure(view, title="Loss", **meta):
    """A curve as high as the run's seed."""
    top = 1.0 + view.job.seed
    return {
        "data": [{"type": "scatter", "x": np.array([0.0, 1.0]), "y": np.array([0.0, top])}],
        "layout": {"meta": {"title": title, **meta}, "xaxis": {"type": "linear"}, "yaxis": {"type": "linear"}},
    }


@pytest.fixture
def views(store, trained):
    files = [trained(JOB.model_copy(update={"seed": seed})) for seed in (0, 4, 2, 3, 1)]
    for file in files:
        file.write([Scalar(step, "loss", 0.5, "train") for step in range(20)])
    found = [store.view(file.id) for file in files]
    return [EntryView(id, view.job, {"": view}) for id, view in entries(found).items()]


def panels(**draws) -> list[Panel]:
    """Panels of one entry each by their names."""
    return [Panel(name, draw) for name, draw in draws.items()]


def shown(views, panels, **chosen) -> PageView:
    """These entries on a page with these panels."""
    words = ["", *(name(view.job, views[0].job) for view in views[1:])]
    return PageView(page(JOB, panels=panels), views, words, JOB, chosen)


def pictures(views, panels, step=10, **chosen) -> Pictures:
    """What is drawn of them."""
    return Pictures(shown(views, panels, **chosen), step)


def set_of(draw, name="all", **more) -> Panel:
    """A panel of all entries."""
    return Panel(name, draw, per="set", **more)


def test_a_picture_is_made_when_it_is_asked_for_and_once(views):
    calls = []
    made = {name: (lambda view, name=name: calls.append(name) or figure(view)) for name in ("a", "b")}
    found = pictures(views[:1], panels(**made))
    assert calls == []
    assert found["a"] is found["a"]
    assert calls == ["a"]


def test_a_picture_sees_the_run_from_the_step_unless_it_holds_the_whole_run(views):
    seen = []
    draw = lambda view: seen.append((view.id, view.step)) or figure(view)  # noqa: E731
    found = pictures(views[:2], [Panel("a", draw), Panel("whole", draw, shows_all_steps=True)])
    assert found["a B"]
    assert seen == [(view.key, 10) for view in views[:2]]
    assert found["whole B"]["layout"]["meta"]["reveals"]
    assert seen[2:] == [(view.key, None) for view in views[:2]]


def test_one_entry_needs_no_letters(views):
    found = pictures(views[:1], [set_of(lambda runs: figure(*runs.values(), title=str(list(runs)))), *panels(a=figure)])
    assert list(found) == ["all", "a"]
    assert found["a"]["layout"]["meta"]["title"] == "Loss"
    assert found["all"]["layout"]["meta"]["title"] == "['']"


def test_each_entry_has_a_picture_titled_by_what_tells_it_from_the_first(views):
    all_of = set_of(lambda runs: figure(runs["A"], title=", ".join(runs)))
    found = pictures(views[:3], [all_of, *panels(a=figure, b=figure)])
    assert list(found) == ["all", "a A", "a B", "a C", "b A", "b B", "b C"]
    assert [found[f"a {letter}"]["layout"]["meta"]["title"] for letter in "ABC"] == [
        "A · Loss",
        "B · seed 4 · Loss",
        "C · seed 2 · Loss",
    ]
    assert found["all"]["layout"]["meta"]["title"] == "A, B · seed 4, C · seed 2"


def test_side_by_side_axes_are_shared_unless_own_ones_are_chosen(views):
    two = panels(a=figure, b=lambda view: figure(view, "Other"))
    found = pictures(views, two)
    layouts = [found[f"a {letter}"]["layout"] for letter in "ABCDE"]
    assert all(layout["yaxis"]["range"] == layouts[0]["yaxis"]["range"] for layout in layouts)
    assert layouts[0]["yaxis"]["range"][1] >= 5
    assert {layout["meta"]["link"] for layout in layouts} != {found["b A"]["layout"]["meta"]["link"]}
    assert len({layout["meta"]["link"] for layout in layouts}) == 1
    own = pictures(views, two, **{"a.axes": "own"})
    assert "range" not in own["a A"]["layout"]["yaxis"]
    assert "range" in own["b A"]["layout"]["yaxis"]
    without = pictures(views, [Panel("a", figure, has_axes=False)])
    assert "range" not in without["a A"]["layout"]["yaxis"]


def test_maps_of_different_subjects_have_axes_of_their_own_at_first():
    other = replace_many(optimizers.DEFAULT, {"surface": "rosenbrock"})
    of_one, of_two = Panel("a", figure, is_map=True), Panel("b", figure)
    for second, expected in ((optimizers.DEFAULT, "shared"), (other, "own")):
        found = [EntryView(id, job, {}) for id, job in entries([optimizers.DEFAULT, second]).items()]
        here = shown(found, [of_one, of_two])
        assert here.value(of_one, here.axes(of_one)) == expected
        assert here.value(of_two, here.axes(of_two)) == "shared"


def test_a_link_of_the_figure_itself_is_kept(views):
    found = pictures(views[:2], panels(a=lambda view: figure(view, link="depth")))
    assert [found[f"a {letter}"]["layout"]["meta"]["link"] for letter in "AB"] == ["depth", "depth"]


def test_figures_that_pages_keep_are_not_changed(views):
    kept = {view.key: figure(view) for view in views[:2]}
    found = pictures(views[:2], [Panel("a", lambda view: kept[view.id], shows_all_steps=True)])
    assert found["a A"]["layout"]["meta"]["title"] == "A · Loss"
    assert [f["layout"]["meta"] for f in kept.values()] == [{"title": "Loss"}] * 2
    assert "range" not in kept[views[0].key]["layout"]["yaxis"]


def nothing(_):
    return None


def test_what_there_is_no_picture_of_is_left_out(views):
    some = lambda view: figure(view) if view.job.seed else None  # noqa: E731
    found = pictures(views[:2], [set_of(nothing), *panels(none=nothing, some=some, a=figure)])
    assert list(found) == ["some B", "a A", "a B"]
    for missing in ("none A", "some A", "all", "a", "unheard of"):
        assert missing not in found
        with pytest.raises(KeyError):
            found[missing]
    assert list(pictures(views[:1], panels(none=nothing, a=figure))) == ["a"]
    assert list(pictures(views[:1], [Panel("a", figure, part="absent")])) == []


def test_rows_of_one_entry_are_as_the_page_says_and_of_more_each_picture_has_rows_of_at_most_four(views):
    made = [*panels(a=figure, b=figure), set_of(nothing), set_of(nothing, "more")]
    rows = [["a", "b"], ["all", "more"]]
    assert shown(views[:1], made).rows(rows) == rows
    assert shown(views[:2], made).rows(rows) == [["a A", "a B"], ["b A", "b B"], ["all", "more"]]
    assert shown(views, made).rows([["a", "all"]]) == [["all"], ["a A", "a B", "a C", "a D"], ["a E"]]


def test_heights_and_first_titles_hold_for_the_pictures_of_all_entries(views):
    made = [Panel("activation bands", figure, height=300), set_of(nothing)]
    titled = [Panel("a", figure, "Accuracy or R²")]
    assert shown(views[:2], titled).titles == {"a A": "A · Accuracy or R²", "a B": "B · Accuracy or R²"}
    assert shown(views[:2], made).heights == {"activation bands A": 300, "activation bands B": 300, "all": 280}
    assert shown(views[:2], made).titles["activation bands B"] == "B · Activation bands"
    assert shown(views[:1], made).titles == {"activation bands": "Activation bands", "all": "All"}


STYLE = Choice("style", "Style", {"soft": "soft", "hard": "hard"})
WHO = Choice("who", "Who", lambda job: {str(n): f"seed {n}" for n in range(job.seed + 2)}, shared=True)


def test_a_panel_is_drawn_as_was_chosen_in_its_card(views):
    seen = []
    draw = lambda _, **chosen: seen.append(chosen)  # noqa: E731
    made = [Panel("a", draw, choices=(STYLE, WHO)), Panel("b", draw, choices=(WHO,))]
    for chosen, expected in (
        ({}, [{"style": "soft", "who": "0"}, {"who": "0"}]),
        ({"a.style": "hard", "who": "1"}, [{"style": "hard", "who": "1"}, {"who": "1"}]),
        ({"a.style": "unheard of", "b.who": "1", "who": "7"}, [{"style": "soft", "who": "0"}, {"who": "0"}]),
    ):
        seen.clear()
        assert list(pictures(views[:1], made, **chosen)) == []
        assert seen == expected, chosen
    assert [key_of(made[0], choice) for choice in made[0].choices] == ["a.style", "who"]


def test_cards_offer_their_choices_and_several_entries_their_axes(views):
    made = [Panel("a", figure, choices=(STYLE, WHO)), set_of(nothing, choices=(STYLE,))]
    assert shown(views[:2], [Panel("b", figure, has_axes=False)]).offers["b B"] == []
    offers = shown(views[:1], made, who="1").offers
    assert [(offer["name"], offer["value"]) for offer in offers["a"]] == [("style", "soft"), ("who", "1")]
    offers = shown(views[:2], made).offers
    assert [offer["name"] for offer in offers["a B"]] == ["style", "who", "axes"]
    assert [offer["name"] for offer in offers["all"]] == ["style"]


def test_a_scale_is_made_of_all_entries_and_given_to_each(views):
    seen = []
    scale = lambda runs, style: (style, sorted(run.job.seed for run in runs))  # noqa: E731
    draw = lambda _, style, scale: seen.append((style, scale))  # noqa: E731
    assert list(pictures(views[:3], [Panel("a", draw, choices=(STYLE,), scale=scale)])) == []
    assert seen == [("soft", ("soft", [0, 2, 4]))] * 3


def _entry(steps: list[int], live: bool, job: type = Training) -> SimpleNamespace:
    return SimpleNamespace(runs={"": SimpleNamespace(steps=steps, status=SimpleNamespace(live=live), job=job)})


def test_a_step_is_shown_once_all_runs_that_go_on_have_reached_it():
    assert _steps([_entry([0, 10, 20], True)]) == [0, 10, 20]
    assert _steps([_entry([0, 10, 20], True), _entry([0, 10], True)]) == [0, 10]
    assert _steps([_entry([0, 10, 20], True), _entry([], True)]) == [0]
    assert _steps([_entry([0, 10, 20], True), _entry([], True, Ensemble)]) == [0, 10, 20], "it has no pictures"
    # One that is over stays behind for good.
    assert _steps([_entry([0, 10, 20], True), _entry([0, 7], False)]) == [0, 7, 10, 20]
    assert _steps([_entry([0, 10], False), _entry([0, 7], False)]) == [0, 7, 10]


def test_a_style_of_the_surface_is_offered_only_where_there_is_a_plane_of_classes():
    for data, offered in (
        (Moons(), ["soft", "borders"]),
        (Digits(), ["soft"]),
        (Curve(), ["soft"]),
        (Hills(), ["soft"]),
    ):
        job = Training(learner=Supervised(data=data, model=MLP(), loss=CrossEntropy() if data.classes else MSE()))
        assert list(SURFACE_STYLE.offered(job)) == offered, data.kind
