"""The pages as values: their sections, fields and panels; and each panel drawn from a short run of each example."""

import re
import runpy
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from nnviz import figures, ui
from nnviz.engine import run as run_job
from nnviz.engine.divergence import Diverged
from nnviz.runs import Store
from nnviz.runs.runset import EntryView
from nnviz.spec.base import replace_many
from nnviz.spec.jobs import Job, Landscape, RateSearch, Training, Trajectories
from nnviz.spec.preset import Preset
from nnviz.spec.variant_fields import offered
from nnviz.spec.wording import name
from nnviz.ui.page import ALL, Page, Panel
from nnviz.ui.panels import PageView, Pictures
from nnviz.ui.rate_tuning import PART
from tests.ui.pages import ROOT, fine, press, stored_page, temporary_store, wait_for

FILES = sorted(ROOT.glob("pages/*.py"))
SMALL = {"views": [{"kind": kind} for kind in ("plane", "lines", "path", "line", "curvature")]}


@cache
def page_of(file: Path) -> Page:
    """The page that a file renders."""
    found: list[Page] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ui, "render", found.append)
        runpy.run_path(str(file))
    (page,) = found
    return page


PAGES = {file.stem: page_of(file) for file in FILES}


def test_every_panel_is_in_a_section_and_sections_name_nothing_else():
    for page in PAGES.values():
        named = [panel for rows in page.sections.values() for row in rows for panel in row]
        assert sorted(named) == sorted(panel.name for panel in page.panels), page.name
        assert all(len(row) <= 4 for rows in page.sections.values() for row in rows), page.name
        titles = list(page.tabs)
        assert titles == list(page.sections) + [ALL] * (len(page.sections) > 1), page.name


def test_the_form_and_the_variants_name_fields_that_the_jobs_of_a_page_have():
    for page in PAGES.values():
        jobs = [page.default, *(job for preset in page.examples for job in preset.jobs)]
        known = {path for job in jobs for path in offered(job)}
        assert set(page.variant_fields) <= known, page.name
        assert set(page.opened) <= set(page.groups), page.name
        assert {*page.editors, *page.lists} <= {path for paths in page.groups.values() for path in paths}, page.name


def test_an_example_opens_a_section_and_makes_choices_that_there_are():
    for page in PAGES.values():
        offered = {
            choice.name if choice.shared else f"{panel.name}.{choice.name}": choice
            for panel in page.panels
            for choice in panel.choices
        }
        for preset in page.examples:
            assert preset.section in ("", *page.tabs), preset.title
            for key, value in preset.choices.items():
                assert value in offered[key].offered(preset.jobs[0]), (preset.title, key)


def shortened(job: Job) -> Job:
    """The job with as little work as shows all that it has."""
    match job:
        case Training():
            return replace_many(job, {"steps": 11, "evaluate_every": 5})
        case Trajectories():
            return replace_many(job, {"steps": 5, "grid": 3 if job.grid else 0})
        case Landscape():
            small = {"resolution": 9, "points": 3, "count": 2, "eigenvalues": 1, "probes": 2}
            views = [
                {name: small.get(name, value) for name, value in view.model_dump(mode="json").items()}
                for view in job.views
            ]
            return replace_many(job, {"network.steps": 6, "network.step": None, "samples": 20, "views": views})
    raise TypeError(job)


@cache
def recorded(home: Path, job: Job) -> str:
    """A run of the job that is over."""
    file = Store(home).create(job)
    file.write(state="running")
    with run_job(job) as running:
        file.write(info=running.info)
        try:
            for records in running:
                file.write(records, step=running.step)
        except Diverged:  # what an example is about
            file.write(state="diverged")
        else:
            file.write(state="finished")
    file.close()
    return file.id


def entry(home: Path, id: str, job: Job, jobs: Sequence[Job], place: int) -> EntryView:
    """An entry all of whose runs have finished."""
    parts: dict[str, Job] = dict(job.parts(jobs, place))
    if isinstance(job, Trajectories):
        parts[PART] = RateSearch(trajectories=job, rates=2)
    store = Store(home)
    return EntryView(id, job, {part: store.view(recorded(home, part_job)) for part, part_job in parts.items()})


def shown(home: Path, page: Page, jobs: Sequence[Job], chosen: Mapping[str, str]) -> PageView:
    """The page with runs of these jobs."""
    entries = [entry(home, "abcdefgh"[place], job, jobs, place) for place, job in enumerate(jobs)]
    return PageView(page, entries, ["", *(name(job, jobs[0]) for job in jobs[1:])], jobs[0], chosen)


def quantities(home: Path, view: EntryView, panel: Panel) -> set[str]:
    """All that the run of a panel's part has recorded."""
    run = view.runs[panel.part]
    return {*run.scalars()["quantity"].unique(), *(place[0] for place in Store(home).open(run.id).places())}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the runs of these tests are."""
    return tmp_path_factory.mktemp("home")


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES.values(), ids=list(PAGES))
def test_every_example_records_what_the_panels_need_and_every_panel_draws_it(home, page):
    drawn: set[str] = set()
    plain = Preset(title="default", look_at="", jobs=(page.default,))
    for title, jobs, choices in ((preset.title, preset.jobs, preset.choices) for preset in (plain, *page.examples)):
        here = shown(home, page, [shortened(job) for job in jobs], choices)
        pictures = Pictures(here, 5)
        for panel in page.panels:
            for view in here.entries:
                if panel.part in view.runs and view.runs[panel.part].status.state == "finished":
                    assert set(panel.needs) <= quantities(home, view, panel), (title, panel.name)
        made = [figure for figure in here.by_figure if figure in pictures]
        drawn |= {here.by_figure[figure].name for figure in made}
        for figure in made:
            meta = pictures[figure]["layout"]["meta"]
            assert meta["title"], (title, figure)
            assert meta["help"], (title, figure)
    assert drawn == {panel.name for panel in page.panels}


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES.values(), ids=list(PAGES))
def test_every_choice_of_every_panel_draws_a_figure_alone_and_beside_others(home, page):
    job = shortened(page.default)
    where = "network." if isinstance(job, Landscape) else ""
    if isinstance(job, Landscape):
        job = shortened(replace_many(page.default, SMALL))
    others = [replace_many(job, {f"{where}seed": seed}) for seed in (1, 2, 3)]
    for jobs in ([job], [job, *others]):
        plain = shown(home, page, jobs, {})
        before, offers = Pictures(plain, 5), plain.offers
        for panel in page.panels:
            names = plain.figures_of(panel)
            was = [figure in before for figure in names]
            for offer in offers[names[0]]:
                for value in offer["options"]:
                    chosen = {offer["name"]: value, f"{panel.name}.{offer['name']}": value}
                    pictures = Pictures(replace(plain, chosen=chosen), 5)
                    drawn = [figure in pictures for figure in names]
                    assert drawn == was or offer["name"] == "optimizer", (panel.name, offer["name"], value)


def test_every_figure_is_drawn_on_some_page():
    source = "\n".join(
        path.read_text()
        for path in (*FILES, *ROOT.glob("nnviz/ui/**/*.py"), ROOT / "nnviz/figures/samples/prediction_figures.py")
    )
    unused = [name for name in figures.__all__ if not re.search(rf"\b{name}\b", source)]
    assert unused == []


def readme_page() -> str:
    """The page under "A page" in the README."""
    text = (ROOT / "README.md").read_text()
    (code,) = re.findall(r"```python\n(\"\"\"Depth · .*?)```", text, re.DOTALL)
    return code


def test_the_page_of_the_readme_runs_as_it_stands_with_four_variants_and_five_panels(tmp_path, monkeypatch):
    code = readme_page()
    assert len(code.splitlines()) < 60
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "depth.py").write_text(code)
    app_file = tmp_path / "app.py"
    app_file.write_text(
        textwrap.dedent(
            """
            import streamlit as st
            from nnviz import ui

            ui.start()
            ui.run([st.Page("pages/depth.py", title="Depth", default=True)])
            """
        )
    )
    assert len(page_of(tmp_path / "pages" / "depth.py").panels) == 5
    monkeypatch.chdir(tmp_path)
    with temporary_store(tmp_path / "home") as store:
        app = fine(AppTest.from_file(str(app_file), default_timeout=60).run())
        press(app, "Four depths")
        runs = [own[""] for own in stored_page(app).run_set_state.entries.values()]
        assert [store.open(run).job.learner.model.depth for run in runs] == [2, 5, 10, 20]
        wait_for(lambda: all(store.open(run).status().step for run in runs))
        fine(app.run())
        assert not app.error
        assert len(app.get("bidi_component")) == 1
