"""Shows a landscape: its views are computed again whenever what is asked for changes, and kept for when it is asked for
again."""

import time
from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from nnviz.runs import RunError, RunView
from nnviz.spec.base import SpecError, label
from nnviz.spec.jobs import fingerprint
from nnviz.ui import runtime
from nnviz.ui.board import board
from nnviz.ui.experiment import LETTERS, Asked
from nnviz.ui.export import share
from nnviz.ui.landscape import VIEWS
from nnviz.ui.live import Picture, Pictures, for_both, side_by_side, titles
from nnviz.ui.session import memory
from nnviz.ui.sights import Sight, parts

REFRESH = 0.4
"""Seconds between two looks at a landscape that is being computed."""
PATIENCE = 0.5
"""Seconds that a change waits for its first pictures before the page goes on."""

BEHIND = "computing what you asked for; dimmed is what was there before"

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
    sights = _sights(kept)
    is_live = any(run.status.live for run in _runs(sights))

    @st.fragment(run_every=REFRESH if is_live else None)
    def part() -> None:
        shown = _sights(kept)
        runs = _runs(shown)
        runtime.watch(run.id for run in runs)
        if any(run.status.live for run in runs) != is_live:
            st.rerun()
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key=f"transport-{state.page}"):
            _buttons(state.page, runs)
            share(asked, runs, _names(shown))
            _progress(shown)
        _problems(shown)
        if not runs:
            return
        each, shared = drawn(shown)
        board(
            lambda step: Pictures(shown, step, each, shared),
            _positions(shown),
            key=f"board-{state.page}",
            source="|".join([*(run.id for run in runs), variant]),
            subject="|".join(fingerprint(sight.job.network) for sight in shown),
            rows=side_by_side(rows, each, len(shown)),
            heights=for_both(heights or {}),
            live=any(run.status.live for run in runs),
            titles=titles([*each, *shared]),
            stale=BEHIND if any(sight.is_behind for sight in shown) else "",
        )
        if not any(run.status.live for run in runs):
            kept["before"] = kept["runs"]

    part()


def _start(asked: Asked, kept: dict) -> None:
    """Makes the runs shown those of what is asked for: found in the store, or started."""
    wanted = parts(asked.jobs)
    known: dict[str, str] = kept.setdefault("known", {})
    found: list[dict[str, str]] = []
    fresh = []
    for jobs in wanted:
        own = {}
        for kind, job in jobs.items():
            mark = fingerprint(job)
            run = known.get(mark) or runtime.store().find(mark)
            try:
                if run is None or not runtime.store().path(run).exists():
                    run = runtime.pool().submit([job])[0]
                    kept.setdefault("own", []).append(run)
                    fresh.append(run)
            except RunError as error:
                st.error(str(error), icon=":material/error:")
                known.pop(mark, None)
                continue
            known[mark] = own[kind] = run
        found.append(own)
    if found == kept.get("runs"):
        return
    kept["runs"] = found
    asked.state.runs = list(dict.fromkeys(run for own in found for run in own.values()))
    _drop(kept, set(asked.state.runs))
    _wait(fresh)


def _wait(runs: Sequence[str]) -> None:
    """A moment, so that what is quick is there when the page is drawn."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and any(runtime.store().view(run).status.live for run in runs):
        time.sleep(0.01)


def _drop(kept: dict, wanted: set[str]) -> None:
    """Stops what this session has started and nobody waits for any more. What is finished stays, to be used again; what
    is not is deleted once it has stopped."""
    for run in list(kept.get("own", ())):
        if run in wanted:
            continue
        try:
            file = runtime.store().open(run)
            status = file.status()
            if status.live:
                file.cancel()
                continue
            if status.state != "finished":
                runtime.store().delete(run)
                kept["known"] = {mark: other for mark, other in kept["known"].items() if other != run}
        except RunError:
            pass  # it is gone already
        kept["own"].remove(run)


def _sights(kept: dict) -> list[Sight]:
    """What is shown: the runs as they are now."""
    before = kept.get("before", [])
    found = []
    for number, own in enumerate(kept.get("runs", [])):
        runs, old = _views(own), _views(before[number]) if number < len(before) else {}
        if runs:
            job = next(iter(runs.values())).job
            found.append(Sight("+".join(run.id for run in runs.values()), job, runs, old))
    return found


def _views(own: Mapping[str, str]) -> dict[str, RunView]:
    found = {}
    for kind, run in own.items():
        try:
            found[kind] = runtime.store().view(run)
        except (RunError, SpecError):
            continue
    return found


def _runs(sights: Sequence[Sight]) -> list[RunView]:
    return [run for sight in sights for run in sight.runs.values()]


def _names(sights: Sequence[Sight]) -> list[str]:
    letters = [f"{letter} · " for letter in LETTERS] if len(sights) > 1 else [""]
    return [
        f"{letter}{label(VIEWS[kind])}: " for letter, sight in zip(letters, sights, strict=False) for kind in sight.runs
    ]


def _buttons(page: str, runs: Sequence[RunView]) -> None:
    """Stop what is computed, or go on with what was stopped."""
    live = [run.id for run in runs if run.status.live]
    left = [run.id for run in runs if run.status.state in ("stopped", "lost", "failed")]

    def stop() -> None:
        for run in live:
            _quietly(lambda run=run: runtime.store().open(run).cancel())

    def go_on() -> None:
        for run in left:
            _quietly(lambda run=run: runtime.pool().resume(run))

    if live:
        st.button("Stop", icon=":material/stop:", key=f"{page}:stop", on_click=stop, help="What is there is kept.")
    elif left:
        st.button("Continue", icon=":material/play_arrow:", key=f"{page}:continue", on_click=go_on, type="primary")


def _quietly(act: Callable[[], object]) -> None:
    try:
        act()
    except RunError as error:
        st.toast(str(error), icon=":material/error:")


def _progress(sights: Sequence[Sight]) -> None:
    """How far it is, and what is done now."""
    runs = _runs(sights)
    live = [run for run in runs if run.status.live]
    if not live:
        _done(sights)
        return
    done = sum(run.status.step for run in runs) / max(1, sum(run.status.steps for run in runs))
    now = next((run for run in live if run.status.state == "running"), live[0])
    view = now.job.views[0]
    training = sum(network.at for network in now.job.networks)
    if now.status.step < training:
        text = f"training again, step {now.status.step:,} of {training:,}"
    else:
        share = (now.status.step - training) / max(1, view.units)
        text = f"{label(type(view))}, {share:.0%}"
    st.progress(min(1.0, done), text, width=320)


def _done(sights: Sequence[Sight]) -> None:
    """What the networks that are looked at have come to."""
    letters = [f"{letter} " for letter in LETTERS] if len(sights) > 1 else [""]
    st.markdown(" &nbsp;&nbsp; ".join(map(_come_to, sights, letters)))


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
    letters = [f"{letter} · " for letter in LETTERS] if len(sights) > 1 else [""]
    for letter, sight in zip(letters, sights, strict=False):
        for kind, run in sight.runs.items():
            if run.status.error:
                show = st.info if run.status.state == "stopped" else st.error
                show(f"{letter}{label(VIEWS[kind])}: {run.status.error}", icon=":material/info:")


def _positions(sights: Sequence[Sight]) -> list[int]:
    """Steps of training for the time slider."""
    found: set[int] = set()
    for sight in sights:
        found |= set(sight.snapshot("training").get("steps", [0]))
    return sorted(int(step) for step in found)
