"""Pictures of normalization layers: what a click chooses, and what stands in for what there is not."""

from pathlib import Path

import pytest

from nnviz.engine import run
from nnviz.presets import normalization
from nnviz.runs import RunView, Store
from nnviz.spec.base import replace_many
from nnviz.ui import norm_pictures
from nnviz.ui.page import Event

SMALL = {"steps": 4, "evaluate_every": 2, "learner.model.depth": 8, "learner.model.width": 4, "learner.batch_size": 8}


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> dict[str, RunView]:
    """Runs with batch norm and without."""
    store, found = Store(Path(tmp_path_factory.mktemp("home"))), {}
    for letter, norm in (("A", "batch"), ("B", "none")):
        job = replace_many(normalization.DEFAULT, SMALL | {"learner.model.norm": norm})
        file = store.create(job)
        with run(job) as running:
            for records in running:
                file.write(records, step=running.step)
        file.write(state="finished")
        found[letter] = store.view(file.id)
    return found


def test_a_click_chooses_the_nearest_cell_and_the_edge_belongs_to_the_first():
    assert norm_pictures.cell_picked(Event("pick", ((4.4, 11.6),))) == {"unit": "4", "sample": "12"}
    assert norm_pictures.cell_picked(Event("pick", ((-0.5, -0.5),))) == {"unit": "0", "sample": "0"}


def test_what_can_be_chosen_is_what_is_recorded(views):
    job, arrays = views["A"].job, views["A"].snapshot("norm_values")
    chosen = {choice.name: choice.offered(job) for choice in norm_pictures.CELL}
    assert [f"model.norm{word.split()[1]}" for word in chosen["layer"].values()] == arrays["sites"].tolist()
    assert (len(chosen["sample"]), len(chosen["unit"])) == arrays["input_0"].shape == (8, 4)


def test_curves_of_a_layer_that_is_not_the_first_are_its_own(views):
    for place, site in enumerate(views["A"].snapshot("norm_values")["sites"]):
        figure = norm_pictures.averages(views["A"], layer=place, curve_unit=3)
        rows = views["A"].scalars("running_mean", sites=[f"{site}#4"])
        running = next(trace for trace in figure["data"] if trace["name"] == "running average")
        assert running["y"].tolist() == pytest.approx(rows["value"].tolist())
    figure = norm_pictures.averages(views["B"], layer=0, curve_unit=0)
    assert "no batch norm" in figure["layout"]["annotations"][0]["text"]


def test_curves_of_the_whole_network_are_named_after_their_runs(views):
    figure = norm_pictures.curve("mode_gap", "Gap", "What it is.")(views)
    assert [trace["name"].split()[0] for trace in figure["data"]] == ["A:", "B:"]
    assert "model" not in "".join(trace["name"] for trace in figure["data"])
    assert figure["layout"]["meta"]["help"] == "What it is."
