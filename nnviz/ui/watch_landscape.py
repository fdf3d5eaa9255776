"""Shows a landscape: its views are computed again whenever what is asked for changes, and kept for when it is asked for
again."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import streamlit as st

from nnviz.runs import RunError, RunView
from nnviz.spec.base import label
from nnviz.spec.jobs import fingerprint
from nnviz.ui import runtime
from nnviz.ui.board import board
from nnviz.ui.buttons import button
from nnviz.ui.complaints import complain
from nnviz.ui.experiment import LETTERS, Asked, say
from nnviz.ui.export import share
from nnviz.ui.landscape import VIEWS
from nnviz.ui.landscape_pictures import behind
from nnviz.ui.live import Picture, Pictures, for_both, side_by_side, titles
from nnviz.ui.session import memory
from nnviz.ui.sights import SHOWN, Sight, parts

REFRESH = 0.4
"""Seconds between two looks at a landscape that is being computed."""
PATIENCE = 0.5
"""Seconds that a change waits for its first pictures before the page goes on."""

BEHIND = "computing what you asked for; dimmed is what was there before"

LEFT = ("stopped", "lost")
"""States that a run can be gone on from."""

FAILED = re.compile(r"^failed after \d+ steps: ")
"""What a run file says before the reason; the steps are those of the survey, which nobody has asked for."""

Drawn = Callable[[Sequence[Sight]], tuple[Mapping[str, Picture], Mapping[str, Picture]]]
"""Pictures of each network, and those that all share."""


def watch_landscape(
    asked: Asked,
    drawn: Drawn,
    *,
    rows: Sequence[Sequence[str]],
    heights: Mapping[str, int] | None = None,
    variant: str = "",
) -> None:
    """Draws the landscapes that are asked for in rows of pictures, of one network or of two side by side. `variant`
    names options that change pictures."""
    state = asked.state
    kept = memory(f"landscape:{state.page}")
    if asked.jobs:
        _start(asked, kept)
    is_busy = _is_busy(kept)
    can_mend = bool(asked.jobs) and not _is_missing(kept)

    before = state.drawn_with

    @st.fragment(run_every=REFRESH if is_busy else None)
    def part() -> None:
        # The page decides how often this part refreshes, and starts what has been deleted meanwhile.
        if _is_busy(kept) != is_busy or (can_mend and _is_missing(kept)) or state.is_outdated(before):
            st.rerun()
        shown = _sights(kept)
        runs = _runs(shown)
        is_live = any(run.status.live for run in runs)
        runtime.watch(run.id for run in runs)
        say(asked.problem)
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key=f"transport-{state.page}"):
            with st.container(width="content"):  # a place of its own: the others stay where they are
                _buttons(state.page, runs)
            share(asked, runs, _names(shown))
            _progress(shown)
        _problems(shown)
        if any(sight.run(kind) for sight in shown for kind in sight.runs):
            each, shared = drawn(shown)
            board(
                lambda step: Pictures(shown, step, each, shared),
                _positions(shown),
                key=f"board-{state.page}",
                source="|".join([*(run.id for run in runs), variant]),
                edition="|".join(run.id for sight in shown for kind in sight.runs if (run := sight.run(kind))),
                subject="|".join(fingerprint(sight.job.network) for sight in shown),
                rows=side_by_side(rows, each, len(shown)),
                heights=for_both(heights or {}),
                live=is_live,
                titles=titles([*each, *shared]),
                stale=asked.stale or dict.fromkeys(behind(shown), BEHIND),
            )
        if runs and not is_live:
            kept["before"] = kept["runs"]
            _drop(kept)

    part()


def _start(asked: Asked, kept: dict) -> None:
    """Makes the runs shown those of what is asked for: found in the store, or started."""
    known: dict[str, str] = kept.setdefault("known", {})
    found: list[dict[str, str]] = []
    fresh, problems = [], []
    for jobs in parts(asked.jobs):
        own = {}
        for kind, job in jobs.items():
            mark = fingerprint(job)
            run = _found(kind, mark, known)
            try:
                if run is None:
                    run = runtime.pool().submit([job])[0]
                    kept.setdefault("own", []).append(run)
                    fresh.append(run)
            except RunError as error:
                problems.append(str(error))
                continue
            known[mark] = own[kind] = run
        found.append(own)
    kept["runs"] = found
    _drop(kept)
    asked.state.runs = list(dict.fromkeys(run for own in found for run in own.values()))
    for problem in dict.fromkeys(problems):
        complain(problem)
    _wait(fresh)


def _found(kind: str, mark: str, known: Mapping[str, str]) -> str | None:
    """The run of a job with this fingerprint: the one that this session knows, or a finished one; None where there is
    none that can be read."""
    if (run := known.get(mark)) and _look(kind, run):
        return run
    return run if (run := runtime.store().find(mark)) and _look(kind, run) else None


def _wait(runs: Sequence[str]) -> None:
    """A moment, so that what is quick is there when the page is drawn."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and any(_is_live(run) for run in runs):
        time.sleep(0.01)


def _is_live(run: str) -> bool:
    try:
        return runtime.store().view(run).status.live
    except RunError:
        return False


def _drop(kept: dict) -> None:
    """Stops what this session has started and nobody waits for any more. What is finished stays, to be used again; what
    is not is deleted once it has stopped and is not shown in place of what is awaited."""
    wanted, before = (_ids(kept.get(name, ())) for name in ("runs", "before"))
    left = []
    for run in kept.get("own", ()):
        try:
            if run in wanted or _is_left(run, kept, shown=run in before):
                left.append(run)
        except RunError:
            if runtime.store().path(run).exists():
                left.append(run)  # it is out of reach for now; else it is gone already
    kept["own"] = left


def _is_left(run: str, kept: dict, *, shown: bool) -> bool:
    """Whether a run that is not wanted must be looked at again."""
    file = runtime.store().open(run)
    status = file.status()
    if status.state == "finished":
        return False
    # It is not taken up again: who comes back to what it showed starts anew.
    kept["known"] = {mark: other for mark, other in kept.get("known", {}).items() if other != run}
    if status.live and not status.cancelled:
        file.cancel()
    if not (status.live or shown):
        runtime.store().delete(run)
    return status.live or shown


def _ids(runs: Sequence[Mapping[str, str]]) -> set[str]:
    return {run for own in runs for run in own.values()}


def _is_busy(kept: dict) -> bool:
    """Whether something is computed, or has not stopped yet."""
    return any(map(_is_live, {*_ids(kept.get("runs", ())), *kept.get("own", ())}))


def _is_missing(kept: dict) -> bool:
    """Whether a run that is to be shown cannot be read: it was deleted, or is damaged."""
    return any(_look(kind, run) is None for own in kept.get("runs", ()) for kind, run in own.items())


def _sights(kept: dict) -> list[Sight]:
    """What is shown: the runs as they are now."""
    before = kept.get("before", [])
    found: list[Sight] = []
    for number, own in enumerate(kept.get("runs", [])):
        runs, old = _views(own), _views(before[number]) if number < len(before) else {}
        if runs:
            found.append(Sight("+".join(run.id for run in runs.values()), next(iter(runs.values())).job, runs, old))
        elif found and (line := found[0].runs.get("line")) and line.job.other:
            # Nothing is looked at but the line to it.
            found.append(Sight("", line.job.model_copy(update={"network": line.job.other}), {}, {}))
    return found


def _views(own: Mapping[str, str]) -> dict[str, RunView]:
    found = {kind: _look(kind, run) for kind, run in own.items()}
    return {kind: run for kind, run in found.items() if run is not None}


def _look(kind: str, run: str) -> RunView | None:
    """A run that shows this kind of view; None where it is gone or damaged."""
    try:
        view = runtime.store().view(run)
        for quantity in (SHOWN[kind], "training", kind):
            view.snapshot(quantity)
    except RunError:
        return None
    return view


def _runs(sights: Sequence[Sight]) -> list[RunView]:
    return [run for sight in sights for run in sight.runs.values()]


def _names(sights: Sequence[Sight]) -> list[str]:
    letters = [f"{letter} · " for letter in LETTERS] if len(sights) > 1 else [""]
    return [
        f"{letter}{label(VIEWS[kind])}: " for letter, sight in zip(letters, sights, strict=False) for kind in sight.runs
    ]


def _buttons(page: str, runs: Sequence[RunView]) -> None:
    """Stop what is computed, go on with what was stopped, or try again what has failed."""
    live = [run.id for run in runs if run.status.live]
    left = [run.id for run in runs if run.status.state in LEFT]
    failed = [run.id for run in runs if run.status.state == "failed"]

    def stop() -> None:
        for run in live:
            _quietly(lambda run=run: runtime.store().open(run).cancel())

    def go_on(runs: Sequence[str]) -> None:
        for run in dict.fromkeys(runs):
            _quietly(lambda run=run: runtime.pool().resume(run))

    icon = ":material/play_arrow:"
    if live:
        button("Stop", stop, icon=":material/stop:", key=f"{page}:stop", help="What is there is kept.")
    elif left:
        button("Continue", partial(go_on, left), key=f"{page}:continue", type="primary", icon=icon)
    elif failed:
        button("Try again", partial(go_on, failed), key=f"{page}:again", icon=icon)


def _quietly(act: Callable[[], object]) -> None:
    try:
        act()
    except RunError as error:
        complain(error, st.toast)


def _progress(sights: Sequence[Sight]) -> None:
    """How far it is, and what is done now."""
    runs = _runs(sights)
    live = [run for run in runs if run.status.live]
    if not live:
        _done(sights)
        return
    done = sum(run.status.step for run in runs) / max(1, sum(run.status.steps for run in runs))
    now = next((run for run in live if run.status.state == "running"), live[0])
    st.progress(min(1.0, done), _words(now, _names(sights)[runs.index(now)]), width=320)


def _words(run: RunView, name: str) -> str:
    """What a run does now."""
    status, view = run.status, run.job.views[0]
    if status.state == "queued":
        return f"waiting, {status.position:,} before it" if status.position else "waiting"
    training = sum(network.at for network in run.job.networks)
    if status.step < training:
        return f"training the network, step {status.step:,} of {training:,}"
    return f"{name}{(status.step - training) / max(1, view.units):.0%}"


def _done(sights: Sequence[Sight]) -> None:
    """What the networks that are looked at have come to."""
    letters = [f"{letter} " for letter in LETTERS] if len(sights) > 1 else [""]
    is_left = any(run.status.state in LEFT for run in _runs(sights))
    st.markdown(" &nbsp;&nbsp; ".join([":gray-badge[stopped]"] * is_left + list(map(_come_to, sights, letters))))


def _come_to(sight: Sight, letter: str) -> str:
    training = sight.snapshot("training")
    if not training:
        return ""
    words = [f"step {training['steps'][-1]:,}"]
    for part in ("train", "test"):
        if f"{part}_loss" in training:
            right = training.get(f"{part}_accuracy")
            share = "" if right is None else f" ({right[-1]:.1%} right)"
            words.append(f"{part} loss {training[f'{part}_loss'][-1]:.3g}{share}")
    if size := next((run.status.info.get("parameters") for run in sight.runs.values()), None):
        words.append(f"{size:,} parameters")
    return f":green-badge[{letter}trained] " + " · ".join(words)


def _problems(sights: Sequence[Sight]) -> None:
    """What went wrong, each once with the views that it keeps from being shown."""
    runs = _runs(sights)
    said: dict[tuple[str, bool], list[str]] = {}
    for name, run in zip(_names(sights), runs, strict=True):
        if run.status.error:
            words = FAILED.sub("", run.status.error)
            said.setdefault((words, run.status.state == "stopped"), []).append(name.removesuffix(": "))
    for (words, is_stopped), names in said.items():
        show = st.info if is_stopped else st.error
        complain(f"{', '.join(dict.fromkeys(names))}: {words}", show, ":material/info:")


def _positions(sights: Sequence[Sight]) -> list[int]:
    """Steps of training for the time slider."""
    found: set[int] = set()
    for sight in sights:
        found |= set(sight.snapshot("training").get("steps", [0]))
    return sorted(int(step) for step in found)
