"""Pictures of one or two runs: made when asked for, named and titled by the letter of the run, on the same axes."""

from types import SimpleNamespace

import numpy as np
import pytest

from nnviz.presets import playground
from nnviz.records import Scalar
from nnviz.ui.live import Pictures, _steps, for_both, side_by_side, titles

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
    files = [trained(JOB.model_copy(update={"seed": seed})) for seed in (0, 4)]
    for file in files:
        file.write([Scalar(step, "loss", 0.5, "train") for step in range(20)])
    return [store.view(file.id) for file in files]


def test_a_picture_is_made_when_it_is_asked_for_and_once(views):
    calls = []
    each = {name: (lambda view, name=name: calls.append(name) or figure(view)) for name in ("a", "b")}
    pictures = Pictures(views[:1], 10, each, {})
    assert calls == []
    assert pictures["a"] is pictures["a"]
    assert calls == ["a"]


def test_a_picture_sees_the_run_from_the_step(views):
    seen = []
    pictures = Pictures(views, 10, {"a": lambda view: seen.append((view.id, view.step)) or figure(view)}, {})
    assert pictures["a B"]
    assert seen == [(view.id, 10) for view in views]


def test_one_run_needs_no_letters(views):
    pictures = Pictures(
        views[:1], 10, {"a": figure}, {"all": lambda runs: figure(*runs.values(), title=str(list(runs)))}
    )
    assert list(pictures) == ["all", "a"]
    assert pictures["a"]["layout"]["meta"]["title"] == "Loss"
    assert pictures["all"]["layout"]["meta"]["title"] == "['']"


def test_two_runs_have_a_picture_each_and_those_of_both(views):
    pictures = Pictures(
        views, 10, {"a": figure, "b": figure}, {"all": lambda runs: figure(runs["A"], title="".join(runs))}
    )
    assert list(pictures) == ["all", "a A", "a B", "b A", "b B"]
    assert len(pictures) == 5
    assert pictures["a A"]["layout"]["meta"]["title"] == "A · Loss"
    assert pictures["a B"]["layout"]["meta"]["title"] == "B · Loss"
    assert pictures["all"]["layout"]["meta"]["title"] == "AB"


def test_left_and_right_have_the_same_axes_and_zoom_together(views):
    pictures = Pictures(views, 10, {"a": figure, "b": lambda view: figure(view, "Other")}, {})
    left, right = pictures["a A"]["layout"], pictures["a B"]["layout"]
    assert left["yaxis"]["range"] == right["yaxis"]["range"]
    assert left["yaxis"]["range"][1] >= 5
    assert left["meta"]["link"] == right["meta"]["link"] != pictures["b A"]["layout"]["meta"]["link"]


def test_a_link_of_the_figure_itself_is_kept(views):
    pictures = Pictures(views, 10, {"a": lambda view: figure(view, link="depth")}, {})
    assert [pictures[f"a {letter}"]["layout"]["meta"]["link"] for letter in "AB"] == ["depth", "depth"]


def test_figures_that_pages_keep_are_not_changed(views):
    kept = {view.id: figure(view) for view in views}
    pictures = Pictures(views, 10, {"a": lambda view: kept[view.id]}, {})
    assert pictures["a A"]["layout"]["meta"]["title"] == "A · Loss"
    assert [f["layout"]["meta"]["title"] for f in kept.values()] == ["Loss", "Loss"]
    assert "range" not in kept[views[0].id]["layout"]["yaxis"]


def nothing(_):
    return None


def test_what_there_is_no_picture_of_is_left_out(views):
    each = {"none": nothing, "some": lambda view: figure(view) if view.job.seed else None, "a": figure}
    pictures = Pictures(views, 10, each, {"all": nothing})
    assert list(pictures) == ["some B", "a A", "a B"]
    for missing in ("none A", "some A", "all", "a", "unheard of"):
        assert missing not in pictures
        with pytest.raises(KeyError):
            pictures[missing]
    assert list(Pictures(views[:1], 10, {"none": nothing, "a": figure}, {})) == ["a"]


def test_rows_of_one_run_are_as_the_page_says():
    assert side_by_side([["a", "b"], ["all"]], {"a", "b"}, 1) == [["a", "b"], ["all"]]


def test_of_two_runs_every_picture_has_a_row_with_left_and_right():
    rows = side_by_side([["a", "b"], ["all", "more"]], {"a", "b"}, 2)
    assert rows == [["a A", "a B"], ["b A", "b B"], ["all", "more"]]


def test_heights_hold_for_the_pictures_of_both_runs():
    assert for_both({"a": 300}) == {"a": 300, "a A": 300, "a B": 300}


def test_pictures_have_titles_in_sentence_case_until_they_come():
    found = titles(["activation bands", "loss"])
    assert found["activation bands"] == "Activation bands"
    assert found["loss B"] == "B · Loss"


def _run(steps: list[int], live: bool) -> SimpleNamespace:
    return SimpleNamespace(steps=steps, status=SimpleNamespace(live=live))


def test_a_step_is_shown_once_all_runs_that_go_on_have_reached_it():
    assert _steps([_run([0, 10, 20], True)]) == [0, 10, 20]
    assert _steps([_run([0, 10, 20], True), _run([0, 10], True)]) == [0, 10]
    assert _steps([_run([0, 10, 20], True), _run([], True)]) == [0]
    # One that is over stays behind for good.
    assert _steps([_run([0, 10, 20], True), _run([0, 7], False)]) == [0, 7, 10, 20]
    assert _steps([_run([0, 10], False), _run([0, 7], False)]) == [0, 7, 10]
