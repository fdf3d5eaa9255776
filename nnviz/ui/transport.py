"""Run, pause, step, stop: buttons that write what is wanted into run files, and a line that says how it stands."""

import time
from collections.abc import Callable, Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from nnviz.runs import RunError, RunView, Status
from nnviz.runs.runset import EntryView, RunSet
from nnviz.runs.storage.status import state_word
from nnviz.spec.base import differences
from nnviz.spec.jobs import Job
from nnviz.spec.number_format import format_number
from nnviz.spec.resuming import is_resumable
from nnviz.spec.wording import changes, without_parent
from nnviz.ui.buttons import button
from nnviz.ui.form.page_form import FormResult
from nnviz.ui.messages import show_error
from nnviz.ui.session import PageState

MAX_WAIT = 0.4
"""At most so many seconds a click waits for its first effect."""

RESTART = "Restart with changes"

WIDTHS = {"first": 112, "keep": 135}
"""Pixels of the places for buttons that take turns."""

MAX_RESULTS = 4
"""Runs whose results have room one by one."""

RESUMABLE = ("stopped", "lost", "failed")
"""States of runs that are gone on from their last checkpoint, unless the viewer has ended them."""


def is_shown(entries: Sequence[EntryView], jobs: Mapping[str, Job]) -> bool:
    """Whether the runs shown are of these jobs."""
    return [(entry.id, without_parent(entry.job)) for entry in entries] == list(jobs.items())


def is_preview(entries: Sequence[EntryView]) -> bool:
    """Whether none of the runs shown has taken a step."""
    return all(
        run.status.step == 0 and run.status.state in ("queued", "running", "paused", "stopped", "lost")
        for run in _runs(entries)
    )


def is_under_way(entries: Sequence[EntryView]) -> bool:
    """Whether a run shown has begun to train and has not ended."""
    return any(run.status.live and run.status.step for run in _runs(entries))


def can_continue(entries: Sequence[EntryView], jobs: Mapping[str, Job]) -> bool:
    """Whether the runs shown, all at one step, have steps left to go on with as these jobs, which their weights can
    bear."""
    if [entry.id for entry in entries] != list(jobs):
        return False
    steps = {run.status.step for run in _runs(entries) if not run.status.live}
    steps |= {max(run.status.step for run in live)} if (live := [r for r in _runs(entries) if r.status.live]) else set()
    if len(steps) != 1 or not all(0 < step < job.steps for step in steps for job in jobs.values()):
        return False
    pairs = [(jobs[entry.id], without_parent(entry.job)) for entry in entries]
    return all(is_resumable(job, path) for job, other in pairs for path in differences(job, other))


def prepare(request: FormResult, runset: RunSet) -> None:
    """Shows the jobs' finished runs if there are any, and for the others, unless something is under way, new runs that
    wait at step 0, so that data and untrained networks are seen at once; or, to start, runs that train."""
    jobs, entries = request.jobs, runset.views()
    is_left = bool(entries) and all(run.status.step == 0 and not run.status.live for run in _runs(entries))
    if is_shown(entries, jobs) and not request.starts and not is_left:
        return
    shown = {entry.id: without_parent(entry.job) for entry in entries}
    fewer = {id: shown.get(id) for id in jobs} == dict(jobs)
    stays = is_under_way(entries) or can_continue(entries, jobs)
    if stays and not request.starts and not is_preview(entries) and not fewer:
        return
    if fewer:
        for entry in entries:
            if entry.id not in jobs and entry.runs[""].status.live:
                runset.cancel(entry.runs[""].id)
    runset.ensure(jobs, until=None if request.starts else 0)


def _runs(entries: Sequence[EntryView]) -> list[RunView]:
    return [entry.runs[""] for entry in entries]


def transport(request: FormResult, runset: RunSet, entries: Sequence[EntryView]) -> None:
    """The row of buttons for the runs shown and the jobs asked for."""
    state, jobs, runs = request.state, request.jobs, _runs(entries)
    live = [run for run in runs if run.status.live]
    running = any(run.status.until is None or run.status.until > run.status.step for run in live)
    waiting = bool(live) and not running
    changed = bool(jobs) and not is_shown(entries, jobs)
    step = max((run.status.step for run in runs), default=0)
    resumable = [run.id for run in runs if run.status.state in RESUMABLE and not run.status.cancelled]

    def train_again(until: int | None = None) -> None:
        runset.control("cancel")
        runset.start(jobs, until)

    def restart() -> None:
        runset.control("cancel")
        runset.clear()
        runset.ensure(jobs)

    def control(*arguments: object) -> Callable[[], None]:
        return lambda: runset.control(*arguments)

    with _place(state, "first"):
        if running:
            help = "Pause after the current step."
            _button("Pause", "pause", request, runset, control("pause"), primary=not changed, help=help, fills=True)
        elif waiting:
            text = "Continue" if any(run.status.step for run in live) else "Run"
            _button(text, "play_arrow", request, runset, control("play"), primary=not changed, fills=True)
        elif not changed:
            text = ("Continue" if resumable else "Run again") if step else "Run"
            act = (lambda: runset.resume(resumable)) if resumable else train_again
            _button(text, "play_arrow", request, runset, act, primary=True, disabled=not jobs, fills=True)
    with _place(state, "branch"):
        if can_branch := changed and can_continue(entries, jobs):
            words = _changes(entries, jobs)
            help = f"Resumes from step {step:,} as {'new runs' if len(runs) > 1 else 'a new run'} with {words}."
            act = lambda: runset.branch(jobs)  # noqa: E731
            _button(
                f"Continue with {words}", "fork_right", request, runset, act, primary=True, name="branch", help=help
            )
    with _place(state, "restart"):
        if changed:
            help = f"Trains from step 0 with {_changes(entries, jobs, most=9)}." + (
                " The current run ends and stays among the earlier runs." if live else ""
            )
            _button(RESTART, "restart_alt", request, runset, restart, primary=not can_branch, name="restart", help=help)
    can_step, has_epochs = waiting and not changed, all(run.job.steps_per_epoch for run in live)
    for text, icon, act, is_possible, help in (
        ("Step", "skip_next", control("step"), can_step, "One mini-batch, then pause."),
        ("Epoch", "fast_forward", runset.step_epoch, can_step and has_epochs, "To the end of this epoch."),
        ("Stop", "stop", control("cancel"), live and step, "End the run at this step."),
        ("Reset", "replay", lambda: train_again(0), step and jobs, "New run at step 0, not started."),
    ):
        with _place(state, text.lower()):
            _button(text, icon, request, runset, act, disabled=not is_possible, help=help)
    with _place(state, "keep"):
        if live:
            pinned = all(run.status.pinned for run in live)
            help = "Keep running in background after the last viewer has left; otherwise the run stops 60 s later."
            icon = "keep" if pinned else "keep_off"
            text = "Keeps running" if pinned else "Keep running"
            act = control("pin", not pinned)
            _button(text, icon, request, runset, act, waits=False, help=help, fills=True)


def _place(state: PageState, name: str) -> DeltaGenerator:
    """A place for buttons that take turns, or come and go: as wide for all, so that no other moves away under the
    pointer. Every place is there at all times, if only an empty one, which takes no room.

    The one that has gone stays in the page for a moment, after the one that has come; frame.py hides it.
    """
    return st.container(key=f"turns-{name}-{state.page}", width=WIDTHS.get(name, "content"))


def _button(
    text: str,
    icon: str,
    request: FormResult,
    runset: RunSet,
    act: Callable[[], None],
    *,
    primary: bool = False,
    disabled: bool = False,
    help: str | None = None,
    name: str | None = None,
    waits: bool = True,
    fills: bool = False,
) -> None:
    stored = request.state.stored

    def on_click() -> None:
        stored.problem = ""
        try:
            before = _states_and_steps(runset)
            act()
            if waits:
                _wait_for_effect(runset, before)
        except RunError as error:
            stored.problem = str(error)

    button(
        text,
        on_click,
        key=f"{request.state.page}:transport:{name or text}",
        icon=f":material/{icon}:",
        disabled=disabled,
        help=help,
        type="primary" if primary else "secondary",
        width="stretch" if fills else "content",
    )


def _states_and_steps(runset: RunSet) -> dict[str, tuple[str, int]]:
    """State and newest picture's step of each run shown."""
    return {r.id: (r.status.state, max(r.steps, default=-1)) for r in _runs(runset.views())}


def _wait_for_effect(runset: RunSet, before: Mapping[str, tuple[str, int]]) -> None:
    """Waits a moment for what was asked to show, so that the page answers the click and not the next refresh."""
    deadline = time.monotonic() + MAX_WAIT
    while time.monotonic() < deadline:
        for run, (condition, step) in _states_and_steps(runset).items():
            was, since = before.get(run, ("", -1))
            if step > since or (condition != was and condition not in ("queued", "running")):
                return
        time.sleep(0.02)


def _changes(entries: Sequence[EntryView], jobs: Mapping[str, Job], most: int = 3) -> str:
    """How the form differs from the runs shown, in a few words."""
    shown = {entry.id: entry.job for entry in entries}
    if shown.keys() != jobs.keys():
        return f"{len(jobs)} variants" if len(jobs) > 1 else "one network" if jobs and entries else ""
    found = [words for id, job in jobs.items() for words in changes(job, shown[id])]
    found = list(dict.fromkeys(found))  # several may have changed alike
    return ", ".join(found[:most]) + (", …" if len(found) > most else "")


STATES = {
    "ready": ("blue", "ready"),
    "queued": ("blue", "waiting"),
    "running": ("green", "running"),
    "paused": ("orange", "paused"),
    "finished": ("green", "finished"),
    "stopped early": ("green", "stopped early"),
    "stopped": ("gray", "stopped"),
    "diverged": ("red", "diverged"),
    "failed": ("red", "failed"),
    "lost": ("red", "lost"),
}


def status(request: FormResult, entries: Sequence[EntryView], letters: Sequence[str]) -> str:
    """One line on how each run stands, and on what in the form differs from it."""
    runs = _runs(entries)
    if len(runs) > 1 and len({(run.status.state, run.status.step) for run in runs}) == 1:
        parts = [_joint_status(runs, letters)]
    elif len(runs) > 2:
        parts = [_grouped_status(runs, letters)]
    else:
        parts = [_run_status(run, letter, len(runs) > 1) for run, letter in zip(runs, letters, strict=True)]
    if waiting_and_sharing := _waiting_and_sharing(runs):
        parts[-1] = " · ".join((parts[-1], *waiting_and_sharing))
    if request.jobs and not is_shown(entries, request.jobs) and (changed := _changes(entries, request.jobs)):
        parts.append(f":orange-badge[changed: {changed}]")
    return " &nbsp;&nbsp; ".join(parts)


def _joint_status(runs: Sequence[RunView], letters: Sequence[str]) -> str:
    """Several runs that are equally far."""
    s = runs[0].status
    color, word = _badge(s)
    text = f":{color}-badge[{word}] step {s.step:,} of {s.steps:,}"
    results = [run.result for run in runs]
    if None in results:
        return text
    values = ", ".join(f"{letter} {result.words}" for letter, result in zip(letters, results, strict=True))
    return f"{text} · {results[0].label} {values}"


def _grouped_status(runs: Sequence[RunView], letters: Sequence[str]) -> str:
    """Several runs that are not equally far: those that are, together; with many only the range of their results."""
    groups: dict[tuple[str, str, int], list[int]] = {}
    for place, run in enumerate(runs):
        groups.setdefault((*_badge(run.status), run.status.step), []).append(place)
    parts = [
        f":{color}-badge[{_letters_in_words(places, letters)} {word}] step {step:,}"
        for (color, word, step), places in groups.items()
    ]
    results = [run.result for run in runs]
    if None not in results and len({result.label for result in results}) == 1:
        if len(runs) <= MAX_RESULTS:
            values = ", ".join(f"{letter} {result.words}" for letter, result in zip(letters, results, strict=True))
        else:
            lowest, *_, highest = sorted(results, key=lambda result: result.value)
            values = f"{lowest.words} to {highest.words}"
        parts[-1] += f" · {results[0].label} {values}"
    return " &nbsp;&nbsp; ".join(parts)


def _letters_in_words(places: Sequence[int], letters: Sequence[str]) -> str:
    """Letters, three or more in a row as a range: "A–D, F"."""
    rows: list[list[int]] = []
    for place in places:
        if rows and place == rows[-1][-1] + 1:
            rows[-1].append(place)
        else:
            rows.append([place])
    return ", ".join(
        f"{letters[row[0]]}–{letters[row[-1]]}" if len(row) > 2 else ", ".join(letters[place] for place in row)
        for row in rows
    )


def _badge(s: Status) -> tuple[str, str]:
    return STATES[state_word(s.state, s.step)]


def _waiting_and_sharing(runs: Sequence[RunView]) -> list[str]:
    """What runs that are shown together wait for, or how many others they take turns with."""
    reason = next((run.status.reason for run in runs if run.status.reason), "")
    others = max((run.status.sharing for run in runs), default=0)
    shared = f"sharing a worker with {others} other training{'s' if others > 1 else ''}" if others else ""
    return [words for words in (reason, shared) if words]


def _run_status(run: RunView, letter: str, is_brief: bool) -> str:
    s = run.status
    color, word = _badge(s)
    text = f":{color}-badge[{f'{letter} {word}'.strip()}] step {s.step:,}"
    if not is_brief:
        text += f" of {s.steps:,}"
        if epochs := s.info.get("steps_per_epoch"):
            text += f" · epoch {s.step / epochs:.1f}"
        if s.state == "running" and s.steps_per_second:
            text += f" · {s.steps_per_second:,.0f} steps/s"
    text += _result(run, is_brief)
    if not is_brief and s.info.get("parameters"):
        text += f" · {s.info['parameters']:,} parameters"
    if parent := run.job.parent:
        text += f" · resumed from run {parent.run} at step {parent.step:,}"
    return text


def _result(run: RunView, is_brief: bool) -> str:
    """What the run has come to; with early stopping also its best step, and at the stop what it had come to there."""
    result = "" if run.result is None else f" · {run.result}"
    if run.best is None:
        return result
    step, loss = run.best
    at_best = "" if is_brief else f"test loss {format_number(loss, 4)}"
    if run.status.early_stop is None:
        return f"{result} · best step {step:,}" + (f" ({at_best})" if at_best else "")
    words = ", ".join(filter(None, (result.removeprefix(" · "), at_best)))
    return f" · at the best step, {step:,}: {words}" if words else f" · best step {step:,}"


def show_run_errors(entries: Sequence[EntryView], letters: Sequence[str]) -> None:
    """What each run shown ended with, each in a line."""
    for run, letter in zip(_runs(entries), letters, strict=True):
        if run.status.error:
            show = st.info if run.status.state == "stopped" else st.error
            show_error(f"{letter} {run.status.error}".strip(), show, ":material/info:")
