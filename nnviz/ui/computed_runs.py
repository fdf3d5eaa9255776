"""Runs that are computed again whenever the request changes: buttons, progress and errors."""

import re
from collections.abc import Callable, Sequence

import streamlit as st

from nnviz.runs import RunError, RunView
from nnviz.runs.runset import EntryView, RunSet
from nnviz.ui.buttons import button
from nnviz.ui.messages import show_error

RESUMABLE = ("stopped", "lost")
"""States that a run can be resumed from."""

FAILED = re.compile(r"^failed after \d+ steps: ")
"""What a run file says before the reason; its steps are those of the computation, not of a training."""


def runs_of(entries: Sequence[EntryView]) -> list[RunView]:
    """All runs that are shown, in order."""
    return [run for entry in entries for run in entry.runs.values()]


def names_of(entries: Sequence[EntryView], letters: Sequence[str]) -> list[str]:
    """What each of them is called: "B · Random plane"."""
    return [
        " · ".join(filter(None, (letter, run.job.called)))
        for entry, letter in zip(entries, letters, strict=True)
        for run in entry.runs.values()
    ]


def buttons(page: str, runset: RunSet, entries: Sequence[EntryView]) -> None:
    """Pause what is computed, go on with what was paused, or try again what has failed."""
    runs = runs_of(entries)
    live = [run.id for run in runs if run.status.live]
    resumable = list(dict.fromkeys(run.id for run in runs if run.status.state in RESUMABLE))
    failed = list(dict.fromkeys(run.id for run in runs if run.status.state == "failed"))
    icon = ":material/play_arrow:"
    if live and any(run.status.live and run.job.retention == "cache" for run in runs):
        act = _with_error_toast(lambda: runset.control("cancel"))  # all that is needed to go on is in the run files
        button("Pause", act, icon=":material/pause:", key=f"{page}:pause", help="Results so far are kept.")
    elif resumable:
        act = _with_error_toast(lambda: runset.resume(resumable, alone=True))
        button("Continue", act, key=f"{page}:continue", type="primary", icon=icon)
    elif failed:
        button(
            "Try again", _with_error_toast(lambda: runset.resume(failed, alone=True)), key=f"{page}:again", icon=icon
        )


def _with_error_toast(act: Callable[[], object]) -> Callable[[], None]:
    def done() -> None:
        try:
            act()
        except RunError as error:
            show_error(error, st.toast)

    return done


def progress(entries: Sequence[EntryView], letters: Sequence[str]) -> bool:
    """How far it is, and what is done now; whether anything is."""
    runs = runs_of(entries)
    live = [run for run in runs if run.status.live]
    if not live:
        return False
    done = sum(run.status.step for run in runs) / max(1, sum(run.status.steps for run in runs))
    now = next((run for run in live if run.status.state == "running"), live[0])
    st.progress(min(1.0, done), activity(now, _letter_of(now, entries, letters)), width=320)
    return True


def _letter_of(run: RunView, entries: Sequence[EntryView], letters: Sequence[str]) -> str:
    """The letter of the first entry that shows the run."""
    return next(letter for entry, letter in zip(entries, letters, strict=True) if run in entry.runs.values())


def activity(run: RunView, letter: str = "") -> str:
    """What a run does now."""
    status = run.status
    if status.state == "queued":
        return f"waiting: {status.reason}" if status.reason else "waiting"
    return " · ".join(filter(None, (letter, run.job.stage(status.step))))


def is_stopped(entries: Sequence[EntryView]) -> bool:
    """Whether something was stopped before its end."""
    return any(run.status.state in RESUMABLE for run in runs_of(entries))


def show_run_errors(entries: Sequence[EntryView], letters: Sequence[str]) -> None:
    """What went wrong, each once with the parts that it keeps from being shown."""
    by_message: dict[tuple[str, bool], list[str]] = {}
    for name, run in zip(names_of(entries, letters), runs_of(entries), strict=True):
        if run.status.error:
            words = FAILED.sub("", run.status.error)
            by_message.setdefault((words, run.status.state == "stopped"), []).append(name)
    for (words, is_stopped), names in by_message.items():
        show = st.info if is_stopped else st.error
        show_error(": ".join(filter(None, (", ".join(dict.fromkeys(names)), words))), show, ":material/info:")
