"""The panel of runs over many seeds on a page: they train beside the run, once it has started, and are found again."""

import numpy as np
from streamlit.testing.v1 import AppTest

from nnviz.spec.ensembles import ensemble_of
from nnviz.ui import seeds_panel
from nnviz.ui.panels import PageView, Pictures
from tests.ui.pages import MAIN, entries, fine, opened, page_of, press, temporary_store, wait_for

QUICK = {"steps": "30", "device": "cpu", "view.seeds.seeds": "8"}


def companions(app: AppTest) -> list[str]:
    """The ids of what trains besides."""
    return [run.id for entry in entries(app) for part, run in entry.runs.items() if part == seeds_panel.PART]


def figure(app: AppTest) -> dict:
    """The picture of the panel."""
    now = entries(app)
    page_view = PageView(page_of(MAIN), now, [""] * len(now), now[0].job, {"seeds.seeds": "8"})
    return Pictures(page_view, None)["seeds"]


def test_seeds_train_beside_a_run_that_has_started_and_are_drawn_exported_and_found_again(tmp_path):
    with temporary_store(tmp_path) as store:
        app = opened(MAIN, **QUICK)
        assert companions(app) == []
        press(app, "Run")
        wait_for(lambda: entries(app)[0].runs[""].status.state == "finished")
        fine(app.run())
        (run,) = companions(app)
        own = entries(app)[0].runs[""]
        assert store.open(run).job == ensemble_of(own.job, 8)
        wait_for(lambda: store.open(run).status().state == "finished")
        assert figure(app)["layout"]["meta"]["title"] == "Loss over 8 seeds"
        # The first seed is that of the run, so it lies within the range at each step.
        area = next(t for t in figure(app)["data"] if t.get("fill") == "toself")
        half = len(area["x"]) // 2
        losses = own.scalars("loss", sites=["train"])["value"].to_numpy()
        assert np.all(losses <= area["y"][:half] + 1e-5)
        assert np.all(losses >= area["y"][half:][::-1] - 1e-5)
        fine(app.run())
        assert app.query_params["run"] == own.id  # the address names the run alone
        again = opened(MAIN, **QUICK)
        assert companions(again) == [run]


def test_what_cannot_be_stacked_or_was_resumed_is_told():
    job = page_of(MAIN).default
    assert seeds_panel.companion(job, 0).startswith("choose a number of seeds above")
    assert seeds_panel.companion(job, 8) == ensemble_of(job, 8)
    parent = {"run": "20261120-1551-ab12cd", "step": 3}
    resumed = type(job).parse(job.model_dump(mode="json") | {"parent": parent})
    assert seeds_panel.companion(resumed, 8) == "resumed from step 3, where seeds start at step 0"
