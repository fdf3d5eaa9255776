"""Widgets of a race down a surface: where it starts, and who takes part."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from nnviz.spec.base import label, options
from nnviz.spec.descent import MOST_RACERS, Descent, Racer
from nnviz.spec.optimizers import can_be_scheduled
from nnviz.spec.schedules import ConstantRate
from nnviz.spec.surfaces import AnySurface
from nnviz.ui import forms, session
from nnviz.ui.buttons import button
from nnviz.ui.race_pictures import RACER
from nnviz.ui.session import PageState

SURFACES = options(AnySurface)
METHODS = options(Racer.model_fields["method"].annotation)


@dataclass
class Start:
    """The kind of surface that the start was last drawn for."""

    kind: str = ""


def start(state: PageState, base: Descent, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Two numbers, which the map changes too; None where they are as the surface wants them. On another surface the
    start is where that one wants it."""
    drawn = session.kept(Start, state.key)
    kind = chosen["surface"]["kind"]
    own = SURFACES[kind].start
    keys = {name: f"{state.key}:{name}" for name in ("x", "y")}
    if (drawn.kind or base.surface.kind) != kind:
        for name, value in zip(keys, own, strict=True):
            session.put(keys[name], value)
    drawn.kind = kind
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


def racers(state: PageState, base: Descent, _chosen: Mapping[str, Any]) -> dict[str, Any]:
    """An expander for each racer. Adding and removing one draws the form anew."""
    drawn = []
    named = next(iter(state.chosen.values())).racers
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
    return {"racers": drawn}


def _button(state: PageState, text: str, icon: str, number: int, disabled: bool) -> None:
    act = partial(_change, state, text, number)
    button(text, act, icon=f":material/{icon}:", key=f"{state.key}:{text}:{number}", disabled=disabled)


def _change(state: PageState, what: str, number: int = -1) -> None:
    job = next(iter(state.chosen.values()))
    racers = list(job.racers)
    if what == "Add":
        racers.append(Racer(method=METHODS[session.value(f"{state.key}:add")]()))
    elif what == "Copy":
        racers.insert(number + 1, racers[number])
    else:
        del racers[number]
    _follow(state.kept.choices, what, number)
    changed = {"racers": tuple(racers)}
    if not all(can_be_scheduled(racer.method) for racer in racers):
        changed["schedule"] = ConstantRate()  # the only one that the form then offers
    state.derive(job.model_copy(update=changed), state.variants)


def _follow(choices: dict[str, str], what: str, number: int) -> None:
    """The racer whose step is taken apart stays the same one though its place changes."""
    place = int(choices.get(RACER.name) or -1)
    if what == "Remove" and place == number:
        del choices[RACER.name]
    elif what != "Add" and place > number:
        choices[RACER.name] = str(place + (1 if what == "Copy" else -1))
