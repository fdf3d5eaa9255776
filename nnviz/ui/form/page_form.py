"""The request of a page: its form in the sidebar, its one-click examples, and jobs from files, runs and links."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from nnviz.runs import RunError
from nnviz.spec.base import Spec, SpecError, get_at, replace_many
from nnviz.spec.jobs import Job, load_set
from nnviz.spec.preset import Preset
from nnviz.spec.variants import Variant, apply, differing
from nnviz.ui import runtime
from nnviz.ui.buttons import button
from nnviz.ui.form import spec_widgets
from nnviz.ui.form.variant_form import variants
from nnviz.ui.library import library
from nnviz.ui.messages import show_error
from nnviz.ui.page import Page
from nnviz.ui.panels import key_of
from nnviz.ui.session import PageState


@dataclass(frozen=True)
class FormResult:
    """The jobs that the form asks for, by entry; none where `problem` says what is wrong with them."""

    page: Page
    state: PageState
    jobs: Mapping[str, Job] = field(default_factory=dict)
    problem: str = ""
    starts: bool = False
    """Whether they are to be started at once."""

    @property
    def first(self) -> Job:
        """The first of them, or as it was when all was right."""
        return next(iter(self.jobs.values()), None) or next(iter(self.state.current_jobs.values()))


def draw_form(page: Page, state: PageState) -> FormResult:
    """Draws examples and form."""
    _load_linked_runs(page, state)
    starts = _examples(page, state)
    show_errors(*state.problems)
    problem, jobs = "", {}
    with st.sidebar:
        st.html(f"<h1 class='nnviz-title'>{page.title}</h1><p class='nnviz-question'>{page.question}</p>")
        explanation = st.container(key=f"look-{state.page}")
        if page.jobs_from_runs:
            _library(page, state)
        beside = st.container()
        try:
            jobs = _form(page, state, beside)
        except SpecError as error:
            problem = str(error)  # shown over the pictures
        if not page.jobs_from_runs:
            _library(page, state)
        _open_jobs(state)
        # What is shown above the form depends on its values.
        with explanation:
            _example_caption(page, state)
        with beside:
            for line in page.remarks(list(state.current_jobs.values())) if page.remarks else ():
                st.caption(line)
    show_errors(problem)
    return FormResult(page, state, jobs, problem, starts)


def show_errors(*problems: str) -> None:
    """What is wrong, if anything is. What comes after it on the page keeps its place in the document either way: else
    Streamlit takes the board out and puts it in again."""
    with st.container():
        for line in problems:
            if line:
                show_error(line)


def _load_linked_runs(page: Page, state: PageState) -> None:
    """Runs that another page has handed over, or that a link names: their networks, or their settings where the link
    names no others."""
    stored = state.stored
    received, stored.received_runs = stored.received_runs, []
    if received and page.jobs_from_runs:
        _use_runs(page, state, received)
    linked, stored.linked_runs = stored.linked_runs, []
    if not linked:
        return
    runs, jobs, problems = [], [], []
    for run in linked:
        try:
            job = runtime.store().view(run).job
            if not page.jobs_from_runs or type(job) is type(state.default):
                state.check(job)
            runs.append(run)
            jobs.append(job)
        except (RunError, SpecError) as error:
            problems.append(str(error))
    stored.problems += problems
    is_shown = page.starts_on == "click"
    if not stored.links_only_runs or not jobs:
        stored.run_set_state.entries = {
            id: own for id, own in stored.run_set_state.entries.items() if is_shown and own[""] in runs
        }
        return
    if page.jobs_from_runs and not all(type(job) is type(state.default) for job in jobs):
        _use_runs(page, state, runs)
    else:
        state.restart(jobs, runs=runs if is_shown else (), problems=stored.problems)


def _library(page: Page, state: PageState) -> None:
    """The table of earlier runs."""
    if page.library:
        text, job = page.library
        library(state, text, default=job, open_runs=lambda state, runs: use_runs(page, state, runs))
    else:
        library(state)


def _use_runs(page: Page, state: PageState, runs: Sequence[str]) -> None:
    try:
        use_runs(page, state, runs)
    except RunError as error:
        state.problems.append(str(error))


def use_runs(page: Page, state: PageState, runs: Sequence[str]) -> None:
    """The page's jobs made of these runs, in place of those in the form. Raises RunError."""
    if page.jobs_from_runs:
        found = page.jobs_from_runs(runs, next(iter(state.current_jobs.values())))
        state.restart(found.jobs, problems=found.problems)
    else:
        state.restart([runtime.store().view(run).job for run in runs], runs=runs)


def _examples(page: Page, state: PageState) -> bool:
    """A row of buttons; whether one was pressed just now."""
    stored = state.stored

    def press(preset: Preset) -> None:
        state.restart(preset.jobs)
        stored.starts, stored.section = True, preset.section
        stored.choices = dict(preset.choices)

    with st.container(horizontal=True, gap="xsmall", key=f"examples-{state.page}"):
        for preset in page.examples:
            button(preset.title, partial(press, preset), key=f"{state.key}:example:{preset.title}")
    starts, stored.starts = stored.starts, False
    return starts


def _example_caption(page: Page, state: PageState) -> None:
    """What to look at: in the example that the form asks for, or still in the one that it has come from."""
    stored, jobs = state.stored, tuple(state.current_jobs.values())
    same = next((preset for preset in page.examples if tuple(preset.jobs) == jobs), None)
    if same:
        stored.example, stored.example_generation = same.title, stored.generation
    elif stored.example_generation != stored.generation:
        return
    for preset in page.examples:
        if preset.title == stored.example:
            reference = f" <small>({preset.reference})</small>" if preset.reference else ""
            changed = "" if same else " <small>(settings changed)</small>"
            st.markdown(f"**{preset.title}.** {preset.look_at}{reference}{changed}", unsafe_allow_html=True)


def _form(page: Page, state: PageState, beside: DeltaGenerator) -> dict[str, Job]:
    """The widgets of the first job and, in the place `beside`, of what the variants differ in. Raises SpecError."""
    base, initial = state.first, state.initial_jobs
    chosen = _fields(page, state, base)
    try:
        plain = replace_many(base, chosen)
        first = page.completed(plain, initial)
        problem = None
    except SpecError as error:
        plain = first = next(iter(state.current_jobs.values()))
        problem = error
    with beside:
        others = variants(
            first,
            state.variants,
            offered_first=page.variant_fields,
            lists=page.lists,
            max_jobs=page.max_variants,
            key=state.key,
            change=partial(setattr, state, "variants"),
        )
    # All widgets come before anything can be wrong: those that are not drawn would forget what they hold.
    if problem:
        raise problem
    others = [_completed(page, variant, plain, first, initial) for variant in others]
    state.remember(first, others)
    return state.jobs(first, others)


def _completed(page: Page, variant: Variant, plain: Job, first: Job, initial: Sequence[Job]) -> Variant:
    """The variant with what has no widgets put right, of what it differs in from `first`; `plain` is that as the form
    has it."""
    job = page.completed(apply(plain, variant.differences).job, initial)
    more = differing(job, apply(first, variant.differences).job)
    return Variant(variant.id, {**variant.differences, **more})


def _fields(page: Page, state: PageState, base: Job) -> dict[str, Any]:
    """The widgets of the first job; plain values by path."""
    editors = {path: partial(editor, state, base) for path, editor in page.editors.items()}
    editors |= {path: partial(_list, page, state, base, path) for path in page.lists}
    return spec_widgets.choose(base, page.groups, key=state.key, opened=page.opened, editors=editors)


def _list(page: Page, state: PageState, base: Job, path: str, _chosen: Mapping[str, Any]) -> dict[str, Any]:
    """The widgets of a list of the first job; plain values by path."""

    def replace(items: Sequence[Spec], places: Sequence[int]) -> None:
        _move_choices(page, state, path, places)
        first = next(iter(state.current_jobs.values()))
        plain = [item.model_dump(mode="json") for item in items]
        state.with_changes(apply(first, {path: plain}).job, state.variants)

    return {path: page.lists[path].draw(get_at(base, path), f"{state.key}:{path}", replace)}


def _move_choices(page: Page, state: PageState, path: str, places: Sequence[int]) -> None:
    """Choices that are places in the list at `path` stay with their items."""
    chosen = state.stored.choices
    for key in {key_of(panel, c) for panel in page.panels for c in panel.choices if c.index_in == path}:
        before = int(chosen.pop(key, "") or -1)
        if before >= 0 and before in places:
            chosen[key] = str(places.index(before))


def _open_jobs(state: PageState) -> None:
    """Jobs from a file: the counterpart of "copy as JSON"."""
    stored = state.stored
    with st.popover("Open a job from JSON", icon=":material/upload_file:", width="stretch"):
        text = st.text_area("Job as JSON", key=f"{state.key}:json", height=160)
        file = st.file_uploader("or a file", type="json", key=f"{state.key}:file", max_upload_size=1)
        content = file.getvalue() if file else text

        def open_it() -> None:
            try:
                state.restart([state.check(job) for job in load_set(content)])
            except SpecError as error:
                stored.rejected = {content: str(error)}

        button("Open", open_it, key=f"{state.key}:open", disabled=not content)
        if problem := stored.rejected.get(content):
            show_error(problem)
