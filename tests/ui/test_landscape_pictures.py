"""Pictures of landscapes: one scale for two networks, none for what is switched off, and what is noted on them."""

from collections.abc import Callable

import pytest
from nnviz.ui.live import Pictures
from nnviz.ui.sights import Sight, parts

from nnviz.presets import loss_landscape
from nnviz.records import Snapshot
from nnviz.runs import Store
from nnviz.spec import activations as a
from nnviz.spec.base import replace_many
from nnviz.spec.jobs import Landscape
from nnviz.spec.landscapes import RandomPlane
from nnviz.spec.models import MLP, Hidden
from nnviz.spec.optimizers import SGD, Adam
from nnviz.ui.landscape_pictures import MEASURES, _ends, _limit, _note, behind, drawn
from nnviz.ui.race_pictures import SCALES
from tests.figures import surveys as arrays

ALL = loss_landscape.DEFAULT.model_copy(update={"views": loss_landscape.ALL})
OF = {
    "path": ["path", "path in space", "off the plane", "on the plane"],
    "plane": ["plane", "plane in space"],
    "lines": ["lines"],
    "curvature": ["sharpness", "trace"],
}
NAMES = {"line", *(name for names in OF.values() for name in names)}
Made = Callable[..., Sight]


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
    """`made(job, steep=1.0, lacks=())` is a finished sight; of the kinds it `lacks` nothing came."""

    def make(job: Landscape = ALL, steep: float = 1.0, lacks: tuple[str, ...] = ()) -> Sight:
        (own,) = parts((job,))
        runs = {}
        for kind, part in own.items():
            file = store.create(part)
            file.write(state="running", step=1)
            found = {} if kind in lacks else snapshots(kind, steep)
            file.write([Snapshot(1, name, one) for name, one in found.items()])
            file.write(state="failed" if kind in lacks else "finished")
            file.close()
            runs[kind] = store.view(file.id)
        return Sight("id", job, runs, {})

    return make


def figures_of(*sights: Sight, measure: str = "train_loss", scale: str = "auto") -> Pictures:
    each, shared = drawn(sights, measure=measure, scale=scale)
    return Pictures(sights, 100, each, shared)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("measure", MEASURES)
def test_every_measure_and_scale_has_all_pictures(made, measure, scale):
    found = figures_of(made(), measure=measure, scale=scale)
    assert set(found) == NAMES
    # Each is kept by the browser as a whole: the server is not asked for it step by step.
    for name, figure in found.items():
        assert figure["layout"]["meta"].keys() & {"reveals", "x_is_step"}, name


@pytest.mark.parametrize("kind", [*OF, "line"])
def test_a_view_that_is_off_has_no_pictures_and_one_that_failed_has_none(made, kind):
    without = tuple(view for view in loss_landscape.ALL if view.kind != kind)
    expected = NAMES - {*OF.get(kind, [kind])}
    assert set(figures_of(made(ALL.model_copy(update={"views": without})))) == expected
    assert set(figures_of(made(lacks=(kind,)))) == expected


def test_two_networks_have_one_scale_of_heights(made):
    pair = made(), made(steep=30.0)
    found = figures_of(*pair)
    bars = [_bar(found[f"plane {letter}"]) for letter in "AB"]
    assert bars[0] == bars[1]
    assert _bar(figures_of(pair[0])["plane"]) != bars[0]
    assert found["plane A"]["layout"]["meta"]["title"].startswith("A · ")


def _bar(figure: dict) -> tuple[float, float]:
    """The ends of the scale of colors."""
    return next((t["marker"]["cmin"], t["marker"]["cmax"]) for t in figure["data"] if "colorbar" in t.get("marker", {}))


def test_what_one_of_two_networks_lacks_the_other_shows(made):
    found = figures_of(made(), made(lacks=("path", "curvature")))
    assert {"path A", "sharpness A", "plane A", "plane B"} <= set(found)
    assert not {"path B", "sharpness B"} & set(found)
    one_gone = made()
    del one_gone.runs["path"]
    assert "path A" in figures_of(made(), one_gone)


def test_the_line_is_between_a_and_b_or_named_by_seeds(made):
    def heads(found: Pictures) -> str:
        return " ".join(note["text"] for note in found["line"]["layout"]["annotations"])

    assert "<b>A</b>" in heads(figures_of(made(), made()))
    assert "weights of seed 0" in heads(figures_of(made()))
    assert _ends(replace_many(ALL, {"network.weights_seed": 4, "views.3.seed": 9})) == (
        "weights of seed 4",
        "of seed 9",
    )
    assert _ends(ALL.model_copy(update={"other": ALL.network})) == ("this network", "the other")


@pytest.mark.parametrize(
    ("method", "words"),
    [
        (SGD(lr=0.1), "2/η"),
        (SGD(lr=0.1, momentum=0.9), "(2 + 2β)/η"),
        (SGD(lr=0.1, momentum=0.9, nesterov=True), "(2 + 2β)/((1 + 2β)η)"),
        (Adam(), "2/η"),
    ],
)
def test_the_limit_is_said_as_a_formula(method, words):
    assert _limit(replace_many(ALL, {"network.learner.optimizer": method})) == words


@pytest.mark.parametrize(
    ("model", "vectors", "words"),
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
    assert _note(job) == words
    notes = [note["text"] for note in figures_of(made(job))["plane"]["layout"].get("annotations", [])]
    assert (words in notes) == bool(words)


def test_a_path_moves_biases_too():
    (own,) = parts((ALL,))
    assert _note(own["path"]) == ""


def test_a_picture_of_what_was_there_before_is_described_by_its_own_job(made, store):
    old = made(replace_many(ALL, {"network.learner.optimizer": SGD(lr=0.1)}))
    file = store.create(parts((ALL,))[0]["curvature"])
    file.write(state="running", step=1)
    both = Sight("id", ALL, {"curvature": store.view(file.id)}, {"curvature": old.runs["curvature"]})
    names = {trace.get("name") for trace in figures_of(both)["sharpness"]["data"]}
    assert "2/η" in names
    file.close()


def test_only_pictures_of_what_was_asked_before_are_behind():
    class Waiting:
        def __init__(self, *kinds):
            self.awaited = set(kinds)

    assert behind([Waiting()]) == []
    assert behind([Waiting("curvature")]) == ["sharpness", "trace"]
    assert behind([Waiting("plane", "line"), Waiting("lines")]) == ["plane A", "plane in space A", "line", "lines B"]
