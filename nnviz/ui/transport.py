"""Run, pause, step, stop: buttons that write what is wanted into run files, and a line that says how it stands."""

import time
from collections.abc import Callable, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from nnviz.runs import RunError, RunView
from nnviz.spec.base import differences
from nnviz.spec.jobs import Experiment, Job, fingerprint
from nnviz.spec.resuming import is_resumable
from nnviz.spec.wording import changes, without_parent
from nnviz.ui import runtime
from nnviz.ui.buttons import button
from nnviz.ui.complaints import complain
from nnviz.ui.session import PageState, memory

SETTLE = 0.4
"""At most so many seconds a click waits for its first effect."""

ANEW = "Run anew"

WIDTHS = {"first": 112, "keep": 90}
"""Pixels of the places for buttons that take turns."""


def is_shown(views: Sequence[RunView], jobs: Sequence[Job]) -> bool:
    """Whether the runs shown are of these jobs."""
    return len(views) == len(jobs) and all(without_parent(v.job) == j for v, j in zip(views, jobs, strict=True))


def is_preview(views: Sequence[RunView]) -> bool:
    """Whether the runs shown have not taken a step."""
    return all(
        v.status.step == 0 and v.status.state in ("queued", "running", "paused", "stopped", "lost") for v in views
    )


def can_go_on(views: Sequence[RunView], jobs: Sequence[Experiment]) -> bool:
    """Whether the run shown has steps left to go on with as the job, which its weights can bear."""
    if len(views) != 1 or len(jobs) != 1 or not 0 < views[0].status.step < jobs[0].steps:
        return False
    changed = differences(jobs[0], without_parent(views[0].job))
    return all(is_resumable(jobs[0], path) for path in changed)


def outdated(views: Sequence[RunView], jobs: Sequence[Experiment]) -> str:
    """A line for pictures that belong to other settings than the form's; empty where a run can go on with these."""
    if not views or not jobs or is_shown(views, jobs) or is_preview(views) or can_go_on(views, jobs):
        return ""
    training = "Still training with" if any(v.status.state == "running" for v in views) else "These pictures are of"
    return f"{training} the earlier settings. Press “{ANEW}” for {_changes(views, jobs)}."


def prepare(state: PageState, views: Sequence[RunView], jobs: Sequence[Experiment], start: bool) -> None:
    """Shows the jobs' finished runs if there are any; else, where nothing is shown that has trained, new runs that wait
    at step 0, so that the data and the untrained network are seen at once; or, to `start`, runs that train."""
    left_over = bool(views) and all(v.status.step == 0 and v.status.state in ("stopped", "lost") for v in views)
    if is_shown(views, jobs) and not start and not left_over:
        return
    if not start and views and not is_preview(views):
        return
    discard(state, views)
    try:
        found = [runtime.store().find(fingerprint(job)) for job in jobs]
        if all(found):
            state.runs = found
        else:
            state.runs = runtime.pool().submit(jobs, until=None if start else 0)
    except RunError as error:
        state.runs = []
        complain(error)


def discard(state: PageState, views: Sequence[RunView]) -> None:
    """Gives up runs that were only waiting at step 0, and deletes those given up before."""
    given_up = memory("discarded").setdefault("runs", [])
    if is_preview(views):
        for view in views:
            runtime.store().open(view.id).cancel()
            given_up.append(view.id)
    for run in list(given_up):
        try:
            if not runtime.store().open(run).status().live:
                runtime.store().delete(run)
                given_up.remove(run)
        except RunError:
            given_up.remove(run)
    state.runs = []


def transport(state: PageState, views: Sequence[RunView], jobs: Sequence[Experiment], problem: str) -> None:
    """The row of buttons for the runs shown and the jobs asked for."""
    live = [v for v in views if v.status.live]
    running = any(v.status.until is None or v.status.until > v.status.step for v in live)
    waiting = bool(live) and not running
    changed = not is_shown(views, jobs)

    def each(method: str, *arguments: object) -> None:
        for view in live:
            getattr(runtime.store().open(view.id), method)(*arguments)

    def begin() -> None:
        if waiting and not changed:
            each("play")
        elif not changed and views and all(v.status.state in ("stopped", "lost", "failed") for v in views):
            runtime.pool().resume(*(v.id for v in views))
        else:
            each("cancel")
            state.runs = runtime.pool().submit(jobs)

    def again() -> None:
        each("cancel")
        state.runs = runtime.pool().submit(jobs, until=0)

    step = max((v.status.step for v in views), default=0)
    branching = changed and not problem and can_go_on(views, jobs)
    with _place(state, "branch"):
        if branching:
            _branch(state, views[0], jobs[0])
    if running and not changed:
        with _place(state, "first"):
            help = "Stop after the present step."
            _button("Pause", "pause", state, lambda: each("pause"), primary=True, help=help, fills=True)
    else:
        text = _begin_words(waiting, changed, step, views)
        help = _begin_help(views, jobs, bool(live)) if text == ANEW and jobs else None
        with _place(state, "first"):
            options = {"primary": not branching, "disabled": bool(problem), "help": help}
            _button(text, "play_arrow", state, begin, fills=True, **options)
    for text, icon, act, is_possible, help in (
        ("Step", "skip_next", lambda: each("step"), waiting and not changed, "One mini-batch, then pause."),
        ("Epoch", "fast_forward", lambda: each("step_epoch"), waiting and not changed, "To the epoch's end."),
        ("Stop", "stop", lambda: each("cancel"), live and step, "End the run here."),
        ("Reset", "restart_alt", again, step and not problem, "New run, waiting at step 0."),
    ):
        with _place(state, text.lower()):
            _button(text, icon, state, act, disabled=not is_possible, help=help)
    with _place(state, "keep"):
        if live:
            pinned = all(v.status.pinned for v in views)
            help = "Keep running when nobody watches; without it a run stops 60 s after its last viewer has left."
            icon = "keep" if pinned else "keep_off"
            text = "Kept" if pinned else "Keep"
            _button(text, icon, state, lambda: each("pin", not pinned), settles=False, help=help, fills=True)


def _place(state: PageState, name: str) -> DeltaGenerator:
    """A place for buttons that take turns, or come and go: as wide for all, so that no other moves away under the
    pointer. Every place is there at all times, if only an empty one, which takes no room.

    The one that has gone stays in the page for a moment, after the one that has come; page.py hides it.
    """
    return st.container(key=f"turns-{name}-{state.page}", width=WIDTHS.get(name, "content"))


def _begin_words(waiting: bool, changed: bool, step: int, views: Sequence[RunView]) -> str:
    if changed and step:
        return ANEW
    if changed or not step:
        return "Run"
    return "Continue" if waiting or _can_resume(views) else "Run again"


def _begin_help(views: Sequence[RunView], jobs: Sequence[Experiment], live: bool) -> str:
    present = " The present run ends; it stays among the earlier runs." if live else ""
    return f"Trains from step 0 with {_changes(views, jobs, most=9)}.{present}"


def _can_resume(views: Sequence[RunView]) -> bool:
    return all(v.status.state in ("stopped", "lost", "failed") for v in views)


def _branch(state: PageState, view: RunView, job: Experiment) -> None:
    """Offers to go on from where the run is."""

    def go_on() -> None:
        state.runs = [runtime.pool().branch(view.id, job)]

    words = ", ".join(changes(job, view.job))
    help = f"Goes on from step {view.status.step:,} as a new run with {words}; the present run ends there."
    _button(f"Continue with {words}", "fork_right", state, go_on, primary=True, name="branch", help=help)


def _button(
    text: str,
    icon: str,
    state: PageState,
    act: Callable[[], None],
    *,
    primary: bool = False,
    disabled: bool = False,
    help: str | None = None,
    name: str | None = None,
    settles: bool = True,
    fills: bool = False,
) -> None:
    def done() -> None:
        kept = memory("transport")
        kept.pop("problem", None)
        try:
            before = _seen(state)
            act()
            if settles:
                _settle(state, before)
        except RunError as error:
            kept["problem"] = [state.page, str(error)]

    button(
        text,
        done,
        key=f"{state.page}:transport:{name or text}",
        icon=f":material/{icon}:",
        disabled=disabled,
        help=help,
        type="primary" if primary else "secondary",
        width="stretch" if fills else "content",
    )


def _seen(state: PageState) -> dict[str, tuple[str, int]]:
    """State and newest picture's step of each run shown."""
    views = [runtime.store().view(run) for run in state.runs]
    return {view.id: (view.status.state, max(view.steps, default=-1)) for view in views}


def _settle(state: PageState, before: dict[str, tuple[str, int]]) -> None:
    """Waits a moment for what was asked to show, so that the page answers the click and not the next refresh."""
    deadline = time.monotonic() + SETTLE
    while time.monotonic() < deadline:
        for run, (condition, step) in _seen(state).items():
            was, since = before.get(run, ("", -1))
            if step > since or (condition != was and condition != "running"):
                return
        time.sleep(0.02)


def _changes(views: Sequence[RunView], jobs: Sequence[Job], most: int = 3) -> str:
    """How the form differs from the runs shown, in a few words."""
    if len(views) != len(jobs):
        return ("two networks" if len(jobs) > 1 else "one network") if jobs and views else ""
    found = [words for view, job in zip(views, jobs, strict=True) for words in changes(job, view.job)]
    found = list(dict.fromkeys(found))  # of two networks both may have changed alike
    return ", ".join(found[:most]) + (", …" if len(found) > most else "")


STATES = {
    "queued": ("blue", "waiting"),
    "running": ("green", "running"),
    "paused": ("orange", "paused"),
    "finished": ("green", "finished"),
    "stopped": ("gray", "stopped"),
    "diverged": ("red", "diverged"),
    "failed": ("red", "failed"),
    "lost": ("red", "lost"),
}


def status(views: Sequence[RunView], jobs: Sequence[Job], letters: Sequence[str]) -> None:
    """One line on how each run stands, what in the form differs from it, and what went wrong in full below."""
    parts = []
    for view, letter in zip(views, letters, strict=False):
        s = view.status
        color, word = STATES[s.state]
        if s.state == "queued" and s.position:
            word = f"waiting, {s.position} before it"
        text = f":{color}-badge[{letter}{word}] step {s.step:,} of {s.steps:,}"
        if epochs := s.info.get("steps_per_epoch"):
            text += f" · epoch {s.step / epochs:.1f}"
        if s.state == "running" and s.steps_per_second:
            text += f" · {s.steps_per_second:,.0f} steps/s"
        if view.result is not None:
            text += f" · {view.result}"
        if s.info.get("parameters"):
            text += f" · {s.info['parameters']:,} parameters"
        if came := view.job.parent:
            text += f" · went on from step {came.step:,} of run {came.run}"
        parts.append(text)
    if changed := _changes(views, jobs):
        parts.append(f":orange-badge[changed: {changed}]")
    with st.container(key="status"):
        st.markdown(" &nbsp;&nbsp; ".join(parts))
    page, problem = memory("transport").get("problem", ("", ""))
    if problem and page == memory("here").get("page"):
        complain(problem)
    for view, letter in zip(views, letters, strict=False):
        if view.status.error:
            show = st.info if view.status.state == "stopped" else st.error
            complain(letter + view.status.error, show, ":material/info:")
