"""A page of its own for tests, and what is asked for on it."""

from collections.abc import Sequence

from nnviz.runs.runset import RunSet
from nnviz.spec.jobs import Job
from nnviz.ui import runtime, session
from nnviz.ui.form.page_form import FormResult
from nnviz.ui.page import Page
from nnviz.ui.session import PageState


def page(default: Job, **more: object) -> Page:
    """A page without a form and without pictures."""
    fixed = {"title": "Page", "question": "", "examples": (), "groups": {}, "panels": (), "sections": {"": []}}
    return Page(name="page", default=default, **(fixed | more))


def entries(things: Sequence[object]) -> dict[str, object]:
    """Things by the ids of entries: a, b, c."""
    return dict(zip("abcdefgh", things, strict=False))


def form_result(jobs: Sequence[Job], problem: str = "", name: str = "page") -> FormResult:
    """What is asked for where the form has these jobs, and is wrong if a problem is named."""
    state = session.open_page(name, jobs[0])
    return FormResult(page(jobs[0]), state, {} if problem else entries(jobs), problem)


def shown(state: PageState, runs: Sequence[str]) -> RunSet:
    """A set of runs that the page shows from now on."""
    state.stored.run_set_state.entries = {id: {"": run} for id, run in entries(runs).items()}
    return runtime.runset(state.stored.run_set_state)
