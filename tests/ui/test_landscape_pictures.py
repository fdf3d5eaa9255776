"""Pictures of landscapes: one scale for all networks, none for what is switched off, and what is noted on them."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from nnviz.presets import loss_landscape
from nnviz.records import Snapshot
from nnviz.runs import Store
from nnviz.runs.runset import EntryView
from nnviz.spec import activations as a
from nnviz.spec.base import replace_many
from nnviz.spec.jobs import Landscape
from nnviz.spec.landscapes import RandomPlane
from nnviz.spec.models import MLP, Hidden
from nnviz.spec.optimizers import SGD, Adam
from nnviz.spec.variants import LETTERS
from nnviz.ui.landscape_pictures import MEASURES
from nnviz.ui.page import AXIS
from nnviz.ui.panels import PageView, Pictures
from tests.each import each
from tests.figures import landscape_arrays as arrays
from tests.ui.pages import page_of

PAGE = page_of("pages/loss_landscape.py")
ALL = loss_landscape.DEFAULT.model_copy(update={"views": loss_landscape.ALL})
OF = {
    "path": ["path", "path 3-D", "residual to the plane", "training and map"],
    "plane": ["plane", "plane 3-D"],
    "lines": ["lines"],
    "curvature": ["sharpness", "trace"],
    "line": ["line"],
}
NAMES = {name for names in OF.values() for name in names}
Made = Callable[..., EntryView]


def _only(kind: str) -> Landscape:
    return ALL.model_copy(update={"views": tuple(view for view in ALL.views if view.kind == kind)})


PLANE, LINE = _only("plane"), _only("line")


def snapshots(kind: str, steep: float) -> dict[str, dict]:
    return {"training": arrays.training()} | {
        "plane": {"plane": arrays.plane(9, steep=steep)},
        "lines": {"lines": arrays.lines()},
        "path": {"path": arrays.path(), "path_plane": arrays.path_plane()},
        "line": {"line": arrays.line()},
        "curvature": {"curvature": arrays.curvature()},
    }[kind]


@pytest.fixture
def made(store: Store) -> Made:
    """`made(*jobs, steep=1.0, lacks=())` is the last of these jobs side by side, finished; of the kinds it `lacks`
    nothing came."""

    def make(*jobs: Landscape, steep: float = 1.0, lacks: tuple[str, ...] = ()) -> EntryView:
        jobs = jobs or (ALL,)
        runs = {}
        for kind, part in jobs[-1].parts(jobs, len(jobs) - 1).items():
            file = store.create(part)
            file.write(state="running", step=1)
            found = {} if kind in lacks else snapshots(kind, steep)
            file.write([Snapshot(1, name, one) for name, one in found.items()])
            file.write(state="failed" if kind in lacks else "finished")
            file.close()
            runs[kind] = store.view(file.id)
        return EntryView(LETTERS[len(jobs) - 1].lower(), jobs[-1], runs)

    return make


def figures_of(*entries: EntryView, **chosen: str) -> Pictures:
    return Pictures(PageView(PAGE, entries, [""] * len(entries), entries[0].job, chosen), 100)


def notes(figure: Mapping) -> list[str]:
    return [note["text"] for note in figure["layout"].get("annotations", [])]


def test_every_measure_and_scale_has_all_pictures(made):
    entry = made()
    for measure in MEASURES:
        for axis in AXIS.options:
            found = figures_of(entry, measure=measure, log=axis)
            assert set(found) == NAMES, (measure, axis)
            # Each is kept by the browser as a whole: the server is not asked for it step by step.
            for name, figure in found.items():
                assert figure["layout"]["meta"].keys() & {"reveals", "x_is_step"}, (name, measure, axis)


def test_measure_and_scale_are_one_choice_for_all_pictures_of_heights():
    by_choice: dict[str, set[str]] = {}
    for panel in PAGE.panels:
        for choice in panel.choices:
            if choice.shared:
                by_choice.setdefault(choice.name, set()).add(panel.name)
    maps = {"path", "path 3-D", "plane", "plane 3-D", "lines", "training and map"}
    assert by_choice == {"measure": maps, "log": maps | {"line"}}


def test_a_view_that_is_off_has_no_pictures_and_one_that_failed_has_none(made):
    full = made()
    for kind, names in OF.items():
        without = {other: run for other, run in full.runs.items() if other != kind}
        assert set(figures_of(replace(full, runs=without))) == NAMES - {*names}, kind
        failed = made(_only(kind), lacks=(kind,)).runs
        assert set(figures_of(replace(full, runs={**without, **failed}))) == NAMES - {*names}, kind


def test_networks_have_one_scale_of_heights(made):
    three = [made(PLANE, steep=steep) for steep in (1.0, 30.0, 5.0)]
    found = figures_of(*three)
    bars = [_bar(found[f"plane {letter}"]) for letter in "ABC"]
    assert bars[0] == bars[1] == bars[2]
    assert _bar(figures_of(three[0])["plane"]) != bars[0]
    assert found["plane A"]["layout"]["meta"]["title"].startswith("A · ")


def _bar(figure: dict) -> tuple[float, float]:
    """The ends of the scale of colors."""
    return next((t["marker"]["cmin"], t["marker"]["cmax"]) for t in figure["data"] if "colorbar" in t.get("marker", {}))


def test_what_one_of_two_networks_lacks_the_other_shows(made):
    one, other = made(), made(lacks=("path", "curvature"))
    found = figures_of(one, other)
    assert {"path A", "sharpness A", "plane A", "plane B"} <= set(found)
    assert not {"path B", "sharpness B"} & set(found)
    del other.runs["path"]
    assert "path A" in figures_of(one, other)


def test_each_network_but_the_first_has_the_line_to_it(made):
    others = [replace_many(LINE, {"network.weights_seed": seed}) for seed in (3, 4)]
    first = made(PLANE)
    found = figures_of(first, made(LINE, others[0]), made(LINE, *others))
    assert [name for name in found if name.startswith("line ")] == ["line B", "line C"]
    for name in ("line B", "line C"):
        said = " ".join(notes(found[name]))
        assert all(f"<b>{end}</b>" in said for end in ("first network", "other network")), said


def test_a_line_alone_is_named_by_the_seeds_of_its_ends(made):
    other = replace_many(LINE, {"network.weights_seed": 4, "views.0.seed": 9})
    for job, ends in ((LINE, ("model seed 0", "model seed 1")), (other, ("model seed 4", "model seed 9"))):
        said = " ".join(notes(figures_of(made(job))["line"]))
        assert all(f"<b>{end}</b>" in said for end in ends), said


@each(
    "method, words",
    [
        (SGD(lr=0.1), "2/η"),
        (SGD(lr=0.1, momentum=0.9), "(2 + 2β)/η"),
        (SGD(lr=0.1, momentum=0.9, nesterov=True), "(2 + 2β)/((1 + 2β)η)"),
        (SGD(lr=0.1, momentum=0.9, dampening=0.5), "(2 + 2β)/((1 − d)η)"),
        (SGD(lr=0.1, weight_decay=0.01), "2/η − weight decay"),
        (Adam(), "2/η"),
    ],
)
def test_the_limit_is_said_as_a_formula(made, method, words):
    job = replace_many(_only("curvature"), {"network.learner.optimizer": method})
    names = {trace.get("name") for trace in figures_of(made(job))["sharpness"]["data"]}
    assert words in names


@each(
    "model, vectors, words",
    [
        ({}, False, "biases fixed"),
        ({}, True, ""),
        ({"bias": False}, False, ""),
        ({"norm": {"kind": "batch"}}, False, "biases and norm's scale and shift fixed · batch norm's statistics fixed"),
        ({"norm": {"kind": "batch"}}, True, "batch norm's statistics fixed"),
    ],
)
def test_what_does_not_move_is_noted_on_a_random_plane(made, model, vectors, words):
    model = MLP(hidden=(Hidden(width=3, activation=a.Tanh()),), **model)
    job = replace_many(ALL, {"network.learner.model": model, "views": [RandomPlane(vectors=vectors)]})
    said = notes(figures_of(made(job))["plane"])
    assert [note for note in said if "fixed" in note] == ([words] if words else [])


def test_a_path_moves_biases_too(made):
    assert not any("fixed" in note for note in notes(figures_of(made(_only("path")))["path"]))


def test_a_picture_of_what_was_there_before_is_described_by_its_own_job(made, store):
    old = made(replace_many(_only("curvature"), {"network.learner.optimizer": SGD(lr=0.1)}))
    file = store.create(ALL.parts()["curvature"])
    file.write(state="running", step=1)
    both = EntryView("a", ALL, {"curvature": store.view(file.id)}, {"curvature": old.runs["curvature"]})
    names = {trace.get("name") for trace in figures_of(both)["sharpness"]["data"]}
    assert "2/η" in names
    file.close()
