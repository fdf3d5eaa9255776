"""Shows a race: it is run again whenever what is asked for changes, also while its start is dragged over the map."""

import time
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import streamlit as st

from nnviz.figures.racers import EXITS
from nnviz.runs import RunError, RunView
from nnviz.spec.jobs import Descent, fingerprint
from nnviz.ui import runtime
from nnviz.ui.board import board
from nnviz.ui.complaints import complain
from nnviz.ui.experiment import Asked, say
from nnviz.ui.export import share
from nnviz.ui.live import Picture, Pictures, titles
from nnviz.ui.race import move_start
from nnviz.ui.race_pictures import names
from nnviz.ui.rate_search import search_of, tuning
from nnviz.ui.session import PageState, memory

PATIENCE = 0.4
"""Seconds that a change waits for its pictures before the page goes on with those that there are."""
REFRESH = 0.3
"""Seconds between two looks at a race that takes longer."""
DRAG, SHORTEST = 0.1, 30
"""Seconds that a race may take while its start is dragged, and steps that it has at least."""
POSITIONS = 400
"""Places of the time slider."""


def watch_race(
    asked: Asked,
    each: Mapping[str, Picture],
    *,
    searched: Mapping[str, Picture],
    rows: Sequence[Sequence[str]],
    heights: Mapping[str, int] | None = None,
    variant: str = "",
) -> None:
    """Draws the race that is asked for in rows of pictures, functions of its RunView. `searched` are pictures of a
    search for learning rates, drawn once there is one; `variant` names options that change pictures."""
    state = asked.state
    kept = memory(f"race:{state.page}")
    if asked.jobs:
        kept.pop("start", None)  # the form has it now
        _run(state, asked.jobs[0])
    shown = [*_views(state), *search_of(asked)]
    is_live = any(view.status.live for view in shown)

    def pick(_name: str, x: float, y: float, done: bool) -> None:
        left, right, bottom, top = asked.jobs[0].surface.window if asked.jobs else (x, x, y, y)
        x, y = float(_digits(x, right - left)), float(_digits(y, top - bottom))
        kept["start"] = [x, y]
        kept["done"] = done
        move_start(state, x, y)
        before.update(state.drawn_with)

    before = state.drawn_with

    @st.fragment(run_every=REFRESH if is_live else None)
    def part() -> None:
        if kept.pop("done", False) or state.is_outdated(before):
            st.rerun()  # so that form and address say it too
        if asked.jobs:
            _run(state, _dragged(asked.jobs[0], kept))
        views, found = _views(state), search_of(asked)
        if any(view.status.live for view in [*views, *found]) != is_live:
            st.rerun()
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key=f"transport-{state.page}"):
            # Each part has a place of its own, so that none is drawn twice while another comes or goes.
            with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", width="content"):
                tuning(asked, found, views)
            share(asked, views)
            st.markdown(_status(views[0]) if views else "")
        say(*(view.status.error for view in views))
        if not views:
            return
        _theory(views[0])
        board(
            lambda step: Pictures(
                views, step, {**each, **{k: partial(_of, f, v) for k, f in searched.items() for v in found}}, {}
            ),
            _positions(views[0], asked),
            key=f"board-{state.page}",
            source=f"{views[0].job.surface.model_dump_json()}|{variant}",
            edition="|".join(view.id for view in [*views, *found]),
            subject=state.key,
            rows=rows,
            heights=heights,
            live=any(view.status.live for view in views),
            titles=titles([*each, *searched]),
            stale=asked.stale,
            on_pick=pick,
        )

    part()


def _of(picture: Picture, view: RunView, _race: RunView) -> dict | None:
    return picture(view)


def racer_choice(asked: Asked) -> int | None:
    """A menu in the form: whose step is taken apart; the racer's place, or None."""
    called = [racer.name for racer in asked.jobs[0].racers] if asked.jobs else []
    with st.sidebar:
        return st.selectbox(
            "Take a step apart",
            range(len(called)),
            index=None,
            placeholder="of no racer",
            format_func=lambda i: f"{i + 1} · {called[i]}",
            key=f"{asked.state.key}:chosen:{len(called)}",
            help="Gradient, momentum and step of this racer are drawn as arrows on the map and as curves.",
        )


def _dragged(job: Descent, kept: dict) -> Descent:
    """The race from where its start is dragged to, as many steps of it as there is time for: the rest when the start is
    let go."""
    if "start" not in kept:
        return job
    x, y = kept["start"]
    cost = memory("races").get("cost", 0.0)
    steps = min(job.steps, max(SHORTEST, int(DRAG / cost))) if cost else job.steps
    return job.model_copy(update={"x": x, "y": y, "steps": steps, "grid": 0})


def _run(state: PageState, job: Descent) -> None:
    """Makes the run shown one of this job; that of the job before is deleted if this session made it."""
    views = _views(state)
    if views and views[0].job == job:
        return
    try:
        found = runtime.store().find(fingerprint(job))
        begun = time.perf_counter()
        run = found or runtime.pool().submit([job])[0]
        if not found:
            memory("races").setdefault("own", []).append(run)
        if _wait(run) and not found:
            memory("races")["cost"] = (time.perf_counter() - begun) / job.steps
        for view in views:
            _drop(view.id)
        state.runs = [run]
    except RunError as error:
        complain(error)


def _wait(run: str) -> bool:
    """Whether the run has ended in time."""
    deadline = time.monotonic() + PATIENCE
    while runtime.store().view(run).status.live:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.004)
    return True


def _drop(run: str) -> None:
    """Races that this session made are made again in no time, so they are not kept. Those of others stay."""
    kept = memory("races")
    if run in kept.get("own", ()):
        kept["own"].remove(run)
        kept.setdefault("left", []).append(run)
    for other in list(kept.get("left", ())):
        try:
            file = runtime.store().open(other)
            if file.status().live:
                file.cancel()  # deleted when it has ended
                continue
            runtime.store().delete(other)
        except RunError:
            pass  # it is gone already
        kept["left"].remove(other)


def _views(state: PageState) -> list[RunView]:
    try:
        return [runtime.store().view(run) for run in state.runs[:1]]
    except RunError:
        state.runs = []
        return []


def _positions(view: RunView, asked: Asked) -> list[int]:
    """Steps for the time slider, evenly over the race, or what there is of it yet."""
    points = view.snapshot("race").get("points")
    last = points.shape[1] - 1 if points is not None else 0
    if asked.jobs and not view.status.live:
        last = max(last, asked.jobs[0].steps)  # while the start is dragged there is less of it
    return np.unique(np.linspace(0, last, min(last, POSITIONS) + 1).round().astype(int)).tolist()


def _status(view: RunView) -> str:
    """A line on how far the race is, who is lowest and who has left."""
    s = view.status
    parts = [f":blue-badge[racing] step {s.step:,} of {s.steps:,}"] if s.live else []
    if race := view.snapshot("race"):
        called = names(view)
        last = race["heights"][:, -1]
        if not np.isfinite(race["heights"][:, 0]).any():
            x, y = view.job.start
            return f":red-badge[no value at the start] f({x:g}, {y:g}) is no finite number: choose another start"
        if not s.live and np.isfinite(last).any():
            best = int(np.nanargmin(last))
            parts.append(f":green-badge[lowest after {s.step:,} steps] {called[best]}: f = {last[best]:.4g}")
        left: dict[str, list[str]] = {}
        for name, step, reason in zip(called, race["gone"].tolist(), race["exit"].tolist(), strict=True):
            if step >= 0:
                left.setdefault(reason, []).append(f"{name} at step {step}")
        parts += [f":red-badge[{EXITS[reason][1]}] {', '.join(who)}" for reason, who in left.items()]
    return " &nbsp;&nbsp; ".join(parts)


def _theory(view: RunView) -> None:
    """What theory says of a quadratic bowl."""
    phase = view.snapshot("phase")
    if "best_descent" not in phase:
        return
    edge, (plain, _, kept), (rate, momentum, least) = phase["stability_limit"][0], phase["best_descent"], phase["best"]
    kind = "Nesterov's momentum" if phase["nesterov"] else "momentum"
    limits = (
        f"plain descent is stable below η = 2/λ = {edge:.4g}, and best at {plain:.4g}, where a step keeps {kept:.3f} "
        f"of the error; the best {kind}, β = {momentum:.3f} at η = {rate:.4g}, keeps {least:.3f}."
    )
    unlike = view.job.conditions
    about = (
        f"Theory does not hold for this race: {unlike}. Without that, on this bowl"
        if unlike
        else "Theory for this bowl:"
    )
    st.caption(f"{about} {limits}")


def _digits(value: float, span: float) -> str:
    """To a thousandth of the picture: what the pointer can say."""
    return f"{value:.{max(0, int(np.ceil(-np.log10(span / 1000)))) if span > 0 else 3}f}"
