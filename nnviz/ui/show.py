"""The one part of a page that refreshes itself: buttons, status and board of a set of runs, live or finished."""

import time
from collections.abc import Mapping, Sequence

import streamlit as st

from nnviz.runs import RunError
from nnviz.runs.runset import EntryView, RunSet
from nnviz.spec.base import differences, get_at, replace_many
from nnviz.spec.jobs import Job, dump, load
from nnviz.spec.variants import Variant
from nnviz.spec.wording import name, without_parent
from nnviz.ui import computed_runs, remedy_buttons, runtime, session, transport
from nnviz.ui.board.board import board
from nnviz.ui.form.page_form import FormResult, draw_form, show_errors
from nnviz.ui.page import Event, Page
from nnviz.ui.page_frame import framed
from nnviz.ui.panels import PageView, Pictures, key_of
from nnviz.ui.session import PageState, runs_parameter
from nnviz.ui.share import drawing, share

RATES = {"calm": 1.0, "default": 0.5, "smooth": 0.25}
"""Seconds between two updates of a training; below a quarter of a second the browser's drawing is the limit."""
REFRESH_PAUSED = 3.0
"""Seconds between two updates while nothing goes on but may be made to by others: a run is paused."""
REFRESH_COMPUTED = 0.4
"""Seconds between two looks at what is computed."""
PATIENCE = 0.4
"""Seconds that a change waits for its pictures before the page goes on with those that there are."""
DRAG_SECONDS, MIN_DRAG_STEPS = 0.1, 30
"""Seconds that may be computed for while something is dragged, and steps that are computed at least."""
UPDATING = "Updating… (dimmed: previous result)"


def render(page: Page) -> None:
    """Draws a page."""
    framed(page.title)
    state = session.open_page(page.name, page.default)
    request = draw_form(page, state)
    with st.sidebar:
        drawing()
    show(request)


def show(request: FormResult) -> None:
    """Draws the runs of what is asked for, and keeps them up to date."""
    page, state, stored = request.page, request.state, request.state.stored
    runset = runtime.runset(stored.run_set_state)
    trains = page.starts_on == "click"
    if request.jobs:
        stored.dragged = {}
        _update_runs(request, runset)
        state.update_address(runs=trains)
    runtime.watch(runset.ids)
    refresh, is_complete = _refresh_seconds(request, _entries(request, runset)), not runset.is_missing
    before = state.form_state

    @st.fragment(run_every=refresh)
    def part() -> None:
        needs_redraw, stored.needs_redraw = stored.needs_redraw, False
        if needs_redraw or state.is_outdated(before):
            st.rerun()
        if stored.dragged:
            runset.ensure(_dragged_jobs(request), patience=PATIENCE)
        is_missing = runset.is_missing  # before the views, which leave out what is
        entries = _entries(request, runset)
        # The page decides how often this part refreshes, and makes again what has been deleted meanwhile. While
        # something is dragged the next move comes soon: to draw the whole page would take longer than the answer.
        is_other_refresh = _refresh_seconds(request, entries) != refresh and not stored.dragged
        if is_other_refresh or (request.jobs and is_complete and not trains and is_missing):
            st.rerun()
        runtime.watch(runset.ids)
        page_view = PageView(page, entries, _differences_in_words(entries), request.first, stored.choices)
        _toolbar(request, runset, page_view)
        show_errors(*runset.problems, stored.problem)
        (transport if trains else computed_runs).show_run_errors(entries, page_view.letters)
        if trains:
            remedy_buttons.draw(request, entries, page_view.letters)
        if trains and request.jobs:
            state.update_address(runs=True)
        if any(entry.run(part) for entry in entries for part in entry.runs):
            _board(request, page_view, before)
        if page.note and entries and (words := page.note(entries)):
            st.caption(words)
        if entries and not trains and not _is_live(entries):
            runset.keep_as_previous()
        elif stored.dragged and request.jobs:
            st.rerun(scope="fragment")  # the pointer may rest where it is

    part()


def _update_runs(request: FormResult, runset: RunSet) -> None:
    """Makes the runs shown those of what is asked for."""
    if request.page.starts_on == "click":
        transport.prepare(request, runset)
        return
    runset.ensure(request.jobs, patience=PATIENCE)


def _entries(request: FormResult, runset: RunSet) -> list[EntryView]:
    """The entries as they are now, with what is trained besides them."""
    page, entries = request.page, runset.views()
    if not any(panel.companion for panel in page.panels):
        return entries
    page_view = PageView(page, entries, [""] * len(entries), request.first, request.state.stored.choices)
    try:
        runset.accompany(page_view.companions())
    except RunError as error:
        show_errors(str(error))
    return runset.views()


def _refresh_seconds(request: FormResult, entries: Sequence[EntryView]) -> float | None:
    """Seconds between two updates; None where nothing will change."""
    live = [run.status for run in computed_runs.runs_of(entries) if run.status.live]
    if not live:
        return None
    if request.page.starts_on == "change":
        return REFRESH_COMPUTED
    rests = all(s.state == "paused" and s.until is not None and s.until <= s.step for s in live)
    return REFRESH_PAUSED if rests else RATES[session.app_state().rate]


def _is_live(entries: Sequence[EntryView]) -> bool:
    return any(run.status.live for run in computed_runs.runs_of(entries))


def _differences_in_words(entries: Sequence[EntryView]) -> list[str]:
    """What tells the entries from the first, in words."""
    jobs = [without_parent(entry.job) for entry in entries]
    return [name(job, jobs[0]) if place else "" for place, job in enumerate(jobs)]


def _toolbar(request: FormResult, runset: RunSet, page_view: PageView) -> None:
    """The row of buttons, and how it stands."""
    page, state, entries = request.page, request.state, page_view.entries
    row = {"horizontal": True, "gap": "xsmall", "vertical_alignment": "center"}
    with st.container(**row, key=f"transport-{state.page}"):
        # Each part has a place of its own, so that none is drawn twice while another comes or goes.
        with st.container(**row, width="content"):
            if page.starts_on == "click":
                transport.transport(request, runset, entries)
            else:
                computed_runs.buttons(state.page, runset, entries)
        with st.container(**row, width="content"):
            if page.controls:
                page.controls(request, runset, entries)
        share(request, computed_runs.runs_of(entries), computed_runs.names_of(entries, page_view.letters))
        with st.container(**row, width="content"):
            _links(page, entries)
        with st.container(key="status"):
            if page.starts_on == "click":
                st.markdown(_unbroken(transport.status(request, entries, page_view.letters)))
            elif not computed_runs.progress(entries, page_view.letters) and entries:
                stopped = ":orange-badge[paused] &nbsp; " if computed_runs.is_stopped(entries) else ""
                st.markdown(stopped + _unbroken(page.status(entries) if page.status else ""))


def _unbroken(text: str) -> str:
    """A line that keeps each percent sign with its number."""
    return text.replace(" %", "\u00a0%")


def _links(page: Page, entries: Sequence[EntryView]) -> None:
    """A link to each of the other pages, once there is a network that has trained.

    A button and st.switch_page would leave the browser's timer of this page running until it hears of the new one; see
    `session.redraw_if_page_changed`.
    """
    runs = [run for run in computed_runs.runs_of(entries) if run.job.has_weights]
    if not runs or not all(run.status.step for run in runs):
        return
    for text, file in page.links_to.items():
        given = runs_parameter(run.id for run in runs)
        help = "Opens this network on the Loss landscape page."
        st.page_link(file, label=text, icon=":material/arrow_forward:", help=help, query_params=given)


def _board(request: FormResult, page_view: PageView, before: dict) -> None:
    page, state, stored, entries = request.page, request.state, request.state.stored, page_view.entries
    trains = page.starts_on == "click"
    tabs = page.tabs
    section = stored.section if stored.section in tabs else next(iter(tabs))
    if trains:
        source, edition = "|".join(entry.key for entry in entries), ""
    else:
        source = "|".join(f"{entry.id} {entry.job.subject}" for entry in entries)
        edition = "|".join(run.id for entry in entries for part in entry.runs if (run := entry.run(part)))

    def choose(figure: str, choice: str, value: str) -> None:
        panel = page_view.by_figure.get(figure)
        for offered in page_view.choices_of(panel) if panel else ():
            if offered.name == choice and value in offered.offered(page_view.job):
                stored.choices.pop(key_of(panel, offered), None)
                if page_view.value(panel, offered) != value:
                    stored.choices[key_of(panel, offered)] = value
        state.update_address(runs=trains)

    def open_section(title: str) -> None:
        stored.section = "" if title == next(iter(tabs)) else title
        state.update_address(runs=trains)

    def pick(figure: str, x: float, y: float, done: bool) -> None:
        panel = page_view.by_figure.get(figure)
        if panel is not None and panel.picks is not None:
            for name, value in panel.picks(Event("pick", ((x, y),))).items():
                choose(figure, name, value)
            return
        _handle_event(request, page_view, figure, Event("pick", ((x, y),)), done)
        before.update(state.form_state)

    def stroke(figure: str, points: Sequence[tuple[float, float]]) -> None:
        _handle_event(request, page_view, figure, Event("stroke", tuple(points)), True)

    outdated = [
        n
        for n, panel in page_view.by_figure.items()
        for e in _entries_of(page_view, n)
        if panel.part in e.outdated_parts
    ]
    board(
        lambda step: Pictures(page_view, step),
        list(page.steps(entries, list(request.jobs.values())) if page.steps else _steps(entries)),
        key=f"board-{state.page}",
        source=source,
        edition=edition,
        subject=entries[0].key if trains else f"{state.key}|{source}",
        sections={title: page_view.rows(rows) for title, rows in tabs.items()},
        section=section,
        on_section=open_section,
        choices=page_view.offers,
        on_choice=choose,
        heights=page_view.heights,
        live=any(run.status.state == "running" for run in computed_runs.runs_of(entries)),
        titles=page_view.titles,
        stale=_stale(request) or dict.fromkeys(outdated, UPDATING),
        on_pick=pick,
        on_stroke=stroke,
    )


def _entries_of(page_view: PageView, figure: str) -> Sequence[EntryView]:
    """The entries that a figure shows."""
    names = page_view.figures_of(panel := page_view.by_figure[figure])
    return page_view.entries if panel.per == "set" or len(names) < 2 else [page_view.entries[names.index(figure)]]


def _stale(request: FormResult) -> str:
    """Why what is shown is not what the form asks for, while that cannot be done."""
    return f"Showing the previous results: {request.problem}" if request.problem else ""


def _steps(entries: Sequence[EntryView]) -> list[int]:
    """Steps that have pictures, as far as all runs have come that go on: of two in lock-step one writes before the
    other, and a picture of the other at that step would be of an earlier one, for good."""
    runs = [run for run in computed_runs.runs_of(entries) if run.job.has_pictures]
    reached = min((max(run.steps, default=0) for run in runs if run.status.live), default=None)
    every = set().union(*(run.steps for run in runs))
    return sorted(step for step in every if reached is None or step <= reached)


def _handle_event(request: FormResult, page_view: PageView, figure: str, event: Event, done: bool) -> None:
    """The viewer does something in a picture: the job that it stands for is shown, and once it is done the form has
    it."""
    panel = page_view.by_figure.get(figure)
    if panel is None or panel.on_event is None or not request.jobs:
        return
    entry = _entries_of(page_view, figure)[0]
    state, stored, old_job = request.state, request.state.stored, request.state.current_jobs.get(entry.id)
    if old_job is None:
        return
    job = panel.on_event(event, old_job)
    if not done:
        if not stored.dragged:
            stored.seconds_per_step = _seconds_per_step(page_view.entries)
        stored.dragged = {"entry": entry.id, "job": dump(job)}
        return
    stored.dragged, stored.needs_redraw = {}, True
    changed = {path: get_at(job, path) for path in differences(job, old_job)}
    owner = _owner(state, entry.id, changed)
    if owner is None and any("." in path for path in changed):
        first = next(iter(state.current_jobs.values()))
        state.with_changes(replace_many(first, changed), state.variants)
    elif owner is None:
        state.set_first_values(changed)
    else:
        state.set_variant_values(owner, changed)


def _seconds_per_step(entries: Sequence[EntryView]) -> float:
    """Seconds that a step of what is shown has taken; 0 where that is not known."""
    found = [run.status for run in computed_runs.runs_of(entries) if run.status.started and run.status.step]
    return max(((s.ended or time.time()) - s.started) / s.step for s in found) if found else 0.0


def _owner(state: PageState, entry: str, changed: Mapping[str, object]) -> Variant | None:
    """The variant that a change in its picture belongs to; None: the first job, which the variant shares it with."""
    variant = next((one for one in state.variants if one.id == entry), None)
    differs = variant.differences if variant else ()
    is_own = any(f"{path}.".startswith(f"{other}.") for path in changed for other in differs)
    return variant if is_own or any(other.split(".")[0] == "surface" for other in differs) else None


def _dragged_jobs(request: FormResult) -> dict[str, Job]:
    """What is asked for while something is dragged, no more of it than there is time for; the rest follows."""
    state, stored, page = request.state, request.state.stored, request.page
    entry, job = stored.dragged["entry"], load(stored.dragged["job"])
    jobs = dict(state.current_jobs)
    changed = {path: get_at(job, path) for path in differences(job, jobs[entry])}
    if _owner(state, entry, changed) is None:
        jobs = state.jobs(next(iter(jobs.values())).model_copy(update=changed), state.variants)
    else:
        jobs[entry] = job
    most = (
        max(MIN_DRAG_STEPS, int(DRAG_SECONDS / stored.seconds_per_step))
        if stored.seconds_per_step
        else max(job.steps for job in jobs.values())
    )
    return {id: page.while_dragged(job, most) for id, job in jobs.items()}
