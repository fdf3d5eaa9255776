"""What is asked for: the form of a page in the sidebar, its one-click examples, and a job from a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from nnviz.runs import RunError
from nnviz.spec.base import SpecError, replace_many
from nnviz.spec.jobs import Experiment, Job, load
from nnviz.spec.preset import Preset
from nnviz.spec.wording import without_parent
from nnviz.ui import forms, runtime, session
from nnviz.ui.buttons import button
from nnviz.ui.complaints import complain
from nnviz.ui.library import library

LETTERS = ("A", "B")


@dataclass(frozen=True)
class Asked:
    """The jobs that the form asks for; none where `problem` says what is wrong with them."""

    state: session.PageState
    jobs: tuple[Job, ...]
    problem: str = ""
    start: bool = False
    """Whether they are to be started at once."""

    @property
    def stale(self) -> str:
        """Why what is shown is not what the form asks for, while that cannot be done."""
        return f"These pictures are not what the form asks for: {self.problem}" if self.problem else ""


def experiment(
    page: str,
    default: Experiment,
    groups: Mapping[str, Sequence[str]],
    *,
    examples: Sequence[Preset] = (),
    compared: Sequence[str] = (),
    opened: Sequence[str] = (),
) -> Asked:
    """Draws examples and form; `groups` are titles and paths of fields, `opened` the groups that are open at first.

    `compared` are the paths that two jobs side by side may differ in; they are drawn once for each, all others once for
    both.
    """
    state = session.enter(page, default)
    adopt(state)
    start = pressed(state, examples)
    say(*state.problems)
    bases = state.jobs
    problem, jobs = "", ()
    with st.sidebar:
        try:
            jobs = _form(state, bases, groups, compared, opened)
        except SpecError as error:
            problem = str(error)  # said over the pictures, where it is seen
        library(state, pairs=bool(compared))
        open_job(state)
    if jobs:
        state.remember(jobs)
    explain(jobs, examples)
    say(problem)
    return Asked(state, tuple(jobs), problem, start)


def say(*problems: str) -> None:
    """What is wrong, if anything is. What comes after it on the page keeps its place in the document either way: else
    Streamlit takes the board out and puts it in again."""
    with st.container():
        for line in problems:
            if line:
                complain(line)


def adopt(state: session.PageState) -> None:
    """A link that names runs and nothing else means the settings that those had."""
    if not state.names_only_runs or not state.runs:
        return
    try:
        jobs = [without_parent(runtime.store().view(run).job) for run in state.runs[:2]]
        for job in jobs:
            state.check(job)
    except RunError:
        return  # said where the runs are shown
    except SpecError as error:
        state.restart([state.default], problems=[*state.problems, str(error)])
        return
    state.restart(jobs, runs=state.runs[:2], problems=state.problems)


def _form(
    state: session.PageState,
    bases: Sequence[Experiment],
    groups: Mapping[str, Sequence[str]],
    differing: Sequence[str],
    opened: Sequence[str],
) -> tuple[Experiment, ...]:
    key, first = state.key, bases[0]
    if not differing:
        return (forms.form(first, groups, key=key, opened=opened),)

    two = compared(state, "Trains A and B side by side on the same data, in the same order, from the same seed.")
    chosen = forms.choose(first, groups, key=key, opened=opened)
    titles = LETTERS if two else ("Network",)
    # All widgets come before anything can be wrong: those that are not drawn would forget what they hold.
    drawn = [
        forms.choose(base, {letter: differing}, key=f"{key}:{letter}", opened=[letter])
        for letter, base in zip(titles, (first, bases[-1]), strict=False)
    ]
    return tuple(replace_many(first, {**chosen, **own}) for own in drawn)


def compared(state: session.PageState, help: str) -> bool:
    """A switch between one job and two; whether there are two."""
    key, is_pair = f"{state.key}:compare", len(state.jobs) > 1

    def flip() -> None:
        # Streamlit also calls this for a switch that it has just drawn, when that drawing was cut short.
        if session.value(key) == is_pair:
            return
        # The second starts as a copy of the first, as that is now and not as the form began.
        jobs = state.chosen[:1]
        derive(state, jobs if is_pair else jobs * 2)

    return st.toggle("Compare two networks", is_pair, key=key, on_change=flip, help=help)


def pressed(state: session.PageState, examples: Sequence[Preset]) -> bool:
    """A row of buttons; whether one was pressed just now."""
    marks = session.memory("pressed")

    def press(preset: Preset) -> None:
        state.restart(preset.jobs)
        marks[state.page] = True

    with st.container(horizontal=True, gap="xsmall", key=f"examples-{state.page}"):
        for preset in examples:
            button(preset.title, partial(press, preset), key=f"{state.key}:example:{preset.title}")
    return marks.pop(state.page, False)


def explain(jobs: Sequence[Job], examples: Sequence[Preset]) -> None:
    """What to look at: in the example that the form asks for, or still in the one that it has come from, so that
    nothing moves on the page when a setting is changed."""
    page = session.memory("here")["page"]
    marks = session.memory(f"explained:{page}")
    generation = session.memory(f"page:{page}")["generation"]
    same = next((preset for preset in examples if tuple(preset.jobs) == tuple(jobs)), None)
    if same:
        marks.update(title=same.title, generation=generation)
    elif marks.get("generation") != generation:
        return
    for preset in examples:
        if preset.title == marks["title"]:
            reference = f" <small>({preset.reference})</small>" if preset.reference else ""
            changed = "" if same else " <small>(settings changed)</small>"
            st.markdown(f"**{preset.title}.** {preset.look_at}{reference}{changed}", unsafe_allow_html=True)


def derive(state: session.PageState, jobs: Sequence[Job]) -> None:
    """Draws the form anew from jobs that were made of its own, while what it has come from stays the same."""
    marks = session.memory(f"explained:{state.page}")
    stays = f"{state.page}:{marks.get('generation')}" == state.key
    state.restart(jobs, runs=state.runs)
    if stays:
        marks["generation"] = session.memory(f"page:{state.page}")["generation"]


def open_job(state: session.PageState) -> None:
    """A job from a file: the counterpart of "copy as JSON"."""
    with st.popover("Open a job from JSON", icon=":material/upload_file:", width="stretch"):
        text = st.text_area("Job as JSON", key=f"{state.key}:json", height=160)
        file = st.file_uploader("or a file", type="json", key=f"{state.key}:file", max_upload_size=1)
        if st.button("Open", key=f"{state.key}:open", disabled=not (text or file)):
            try:
                state.restart([state.check(load(file.getvalue() if file else text))])
            except SpecError as error:
                complain(error)
            else:
                st.rerun()
