"""The form of a race down a surface: surface, start, racers, and what holds for all of them."""

from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from nnviz.runs import RunError
from nnviz.spec.base import SpecError, label, options, replace_many
from nnviz.spec.descent import MOST_RACERS, Descent, Racer
from nnviz.spec.optimizers import can_be_scheduled
from nnviz.spec.preset import Preset
from nnviz.spec.schedules import ConstantRate
from nnviz.spec.surfaces import AnySurface
from nnviz.ui import forms, runtime, session
from nnviz.ui.buttons import button
from nnviz.ui.experiment import Asked, adopt, derive, explain, open_job, pressed, say
from nnviz.ui.library import library

SURFACES = options(AnySurface)
METHODS = options(Racer.model_fields["method"].annotation)

GROUPS = {
    "Steps, noise, clipping, schedule": ["steps", "noise", "clipping", "schedule"],
    "Basins, seed": ["grid", "seed"],
}


def race(page: str, default: Descent, *, examples: Sequence[Preset] = ()) -> Asked:
    """Draws the examples and the form; what is asked for."""
    state = session.enter(page, default)
    _missing(state)
    adopt(state)
    pressed(state, examples)
    say(*state.problems)
    base, problem, jobs = state.jobs[0], "", ()
    with st.sidebar:
        try:
            jobs = (_form(state, base),)
        except SpecError as error:
            problem = str(error)  # said over the pictures, where it is seen
        library(state)
        open_job(state)
    if jobs:
        state.remember(jobs, runs=False)
    explain(jobs, examples)
    say(problem)
    return Asked(state, jobs, problem)


def _missing(state: session.PageState) -> None:
    """Says which run of a link cannot be shown; a race shown before may be gone without a word, it is made again."""
    kept = session.memory(f"race:{state.page}")
    if not kept.setdefault("opened", False):
        for run in state.runs:
            try:
                state.check(runtime.store().view(run).job)
            except (RunError, SpecError) as error:
                state.problems.append(str(error))
                state.runs = [other for other in state.runs if other != run]
    kept["opened"] = True


def _form(state: session.PageState, base: Descent) -> Descent:
    key = state.key
    with st.expander("Surface", expanded=True):
        surface = forms.field(base, "surface", key=key)
        start = _start(state, base, surface)
    racers = _racers(state, base)
    chosen = forms.choose(base, GROUPS, key=key, before={"racers": racers})
    return replace_many(base, {"surface": surface, **start, "racers": racers, **chosen})


def _start(state: session.PageState, base: Descent, surface: Mapping[str, object]) -> dict[str, float | None]:
    """Two numbers, which the map changes too; None where they are as the surface wants them. On another surface the
    start is where that one wants it."""
    kept = session.memory(f"start:{state.key}")
    kind = surface["kind"]
    own = SURFACES[kind].start
    keys = {name: f"{state.key}:{name}" for name in ("x", "y")}
    if kept.setdefault("kind", base.surface.kind) != kind:
        kept["kind"] = kind
        for name, value in zip(keys, own, strict=True):
            session.put(keys[name], value)
    found = {}
    for place, (name, widget), begun, usual in zip(st.columns(2), keys.items(), base.start, own, strict=True):
        with place:
            about = Descent.model_fields[name]
            if session.value(widget) is None:
                session.put(widget, begun)
            text = str(about.title).capitalize()
            value = st.number_input(text, -1e6, 1e6, step=0.1, format="%.4g", key=widget, help=about.description)
            found[name] = None if value == usual else value
    return found


def move_start(state: session.PageState, x: float, y: float) -> None:
    """The viewer has chosen another start on the map; in a callback."""
    session.put(f"{state.key}:x", x)
    session.put(f"{state.key}:y", y)


def _racers(state: session.PageState, base: Descent) -> list[dict[str, object]]:
    """An expander for each racer. Adding and removing one draws the form anew."""
    drawn = []
    named = state.chosen[0].racers
    named = named if len(named) == len(base.racers) else base.racers
    for number, racer in enumerate(named):
        with st.expander(f"**{number + 1}** · {racer.name}", key=f"{state.key}:racer:{number}"):
            method = forms.field(base, f"racers.{number}.method", key=state.key)
            drawn.append({"method": method})
            with st.container(horizontal=True, gap="xsmall"):
                _button(state, "Copy", "content_copy", number, len(base.racers) >= MOST_RACERS)
                _button(state, "Remove", "delete", number, len(base.racers) <= 1)
    if len(base.racers) < MOST_RACERS:
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="bottom"):
            words = lambda kind: label(METHODS[kind])  # noqa: E731
            st.selectbox("Another racer", list(METHODS), format_func=words, key=f"{state.key}:add")
            add = partial(_change, state, "Add")
            button("Add", add, icon=":material/add:", key=f"{state.key}:add:press")
    return drawn


def _button(state: session.PageState, text: str, icon: str, number: int, disabled: bool) -> None:
    act = partial(_change, state, text, number)
    button(text, act, icon=f":material/{icon}:", key=f"{state.key}:{text}:{number}", disabled=disabled)


def _change(state: session.PageState, what: str, number: int = -1) -> None:
    job = state.chosen[0]
    racers = list(job.racers)
    if what == "Add":
        racers.append(Racer(method=METHODS[session.value(f"{state.key}:add")]()))
    elif what == "Copy":
        racers.insert(number + 1, racers[number])
    else:
        del racers[number]
    changed = {"racers": tuple(racers)}
    if not all(can_be_scheduled(racer.method) for racer in racers):
        changed["schedule"] = ConstantRate()  # the only one that the form then offers
    derive(state, [job.model_copy(update=changed)])
