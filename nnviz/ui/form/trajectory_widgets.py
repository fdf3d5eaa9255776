"""Widgets of a race down a surface: where it starts, and who takes part."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from nnviz.spec.base import label, options
from nnviz.spec.optimizers import can_be_scheduled
from nnviz.spec.schedules import ConstantRate
from nnviz.spec.surfaces import AnySurface
from nnviz.spec.trajectories import MAX_OPTIMIZERS, Trajectories, TrajectorySpec
from nnviz.ui import session
from nnviz.ui.buttons import button
from nnviz.ui.form import spec_widgets
from nnviz.ui.session import PageState
from nnviz.ui.trajectory_pictures import OPTIMIZER

SURFACES = options(AnySurface)
METHODS = options(TrajectorySpec.model_fields["method"].annotation)


@dataclass
class Start:
    """The kind of surface that the start was last drawn for."""

    kind: str = ""


def start(state: PageState, base: Trajectories, chosen: Mapping[str, Any]) -> dict[str, Any]:
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
            about = Trajectories.model_fields[name]
            if session.value(widget) is None:
                session.put(widget, begun)
            text = str(about.title).capitalize()
            value = st.number_input(text, -1e6, 1e6, step=0.1, format="%.4g", key=widget, help=about.description)
            found[name] = None if value == usual else value
    return found


def optimizers(state: PageState, base: Trajectories, _chosen: Mapping[str, Any]) -> dict[str, Any]:
    """An expander for each optimizer. Adding and removing one draws the form anew."""
    drawn = []
    named = next(iter(state.chosen.values())).optimizers
    named = named if len(named) == len(base.optimizers) else base.optimizers
    for number, optimizer in enumerate(named):
        with st.expander(f"**{number + 1}** · {optimizer.name}", key=f"{state.key}:optimizer:{number}"):
            method = spec_widgets.field(base, f"optimizers.{number}.method", key=state.key)
            drawn.append({"method": method})
            with st.container(horizontal=True, gap="xsmall"):
                _button(state, "Copy", "content_copy", number, len(base.optimizers) >= MAX_OPTIMIZERS)
                _button(state, "Remove", "delete", number, len(base.optimizers) <= 1)
    if len(base.optimizers) < MAX_OPTIMIZERS:
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="bottom"):
            words = lambda kind: label(METHODS[kind])  # noqa: E731
            st.selectbox("Add optimizer", list(METHODS), format_func=words, key=f"{state.key}:add")
            add = partial(_change, state, "Add")
            button("Add", add, icon=":material/add:", key=f"{state.key}:add:press")
    return {"optimizers": drawn}


def _button(state: PageState, text: str, icon: str, number: int, disabled: bool) -> None:
    act = partial(_change, state, text, number)
    button(text, act, icon=f":material/{icon}:", key=f"{state.key}:{text}:{number}", disabled=disabled)


def _change(state: PageState, what: str, number: int = -1) -> None:
    job = next(iter(state.chosen.values()))
    optimizers = list(job.optimizers)
    if what == "Add":
        optimizers.append(TrajectorySpec(method=METHODS[session.value(f"{state.key}:add")]()))
    elif what == "Copy":
        optimizers.insert(number + 1, optimizers[number])
    else:
        del optimizers[number]
    _follow(state.kept.choices, what, number)
    changed = {"optimizers": tuple(optimizers)}
    if not all(can_be_scheduled(optimizer.method) for optimizer in optimizers):
        changed["schedule"] = ConstantRate()  # the only one that the form then offers
    state.with_changes(job.model_copy(update=changed), state.variants)


def _follow(choices: dict[str, str], what: str, number: int) -> None:
    """The optimizer whose step is taken apart stays the same one though its place changes."""
    place = int(choices.get(OPTIMIZER.name) or -1)
    if what == "Remove" and place == number:
        del choices[OPTIMIZER.name]
    elif what != "Add" and place > number:
        choices[OPTIMIZER.name] = str(place + (1 if what == "Copy" else -1))
