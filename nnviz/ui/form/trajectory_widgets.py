"""Widgets of trajectories: where they start, and which optimizers run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from nnviz.spec.base import label, options
from nnviz.spec.surfaces import AnySurface
from nnviz.spec.trajectories import MAX_OPTIMIZERS, Trajectories, TrajectorySpec
from nnviz.ui import session
from nnviz.ui.buttons import button
from nnviz.ui.form import spec_widgets
from nnviz.ui.page import ListEditor, Replace
from nnviz.ui.session import PageState

SURFACES = options(AnySurface)
METHODS = options(TrajectorySpec.model_fields["method"].annotation)


@dataclass
class Start:
    """The kind of surface that the start was last drawn for."""

    kind: str = ""


def start(state: PageState, base: Trajectories, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Two numbers, which the map changes too; None where they are as the surface wants them. On another surface the
    start is where that one wants it."""
    drawn = session.stored(Start, state.key)
    kind = chosen["surface"]["kind"]
    own = SURFACES[kind].start
    keys = {name: f"{state.key}:{name}" for name in ("x", "y")}
    is_new = (drawn.kind or base.surface.kind) != kind
    if is_new:
        for name, value in zip(keys, own, strict=True):
            session.set_value(keys[name], value)
    found = {}
    for place, (name, widget), initial, usual in zip(st.columns(2), keys.items(), base.start, own, strict=True):
        with place:
            about = Trajectories.model_fields[name]
            text, first = str(about.title).capitalize(), usual if is_new else initial
            # With a value to start from: what the script gives a widget is lost where another run cuts it off.
            value = st.number_input(text, -1e6, 1e6, first, 0.1, format="%.4g", key=widget, help=about.description)
            found[name] = None if value == usual else value
    drawn.kind = kind
    return found


def _draw_optimizers(items: Sequence[TrajectorySpec], key: str, replace: Replace) -> list[dict[str, Any]]:
    """An expander for each optimizer, and a menu of more."""

    def change(make: Callable[[list[TrajectorySpec], list[int]], None]) -> None:
        now = [TrajectorySpec.parse(plain) for plain in _read_optimizers(items, key)]
        places = list(range(len(now)))
        make(now, places)
        replace(now, places)

    drawn = []
    for number, (item, plain) in enumerate(zip(items, _read_optimizers(items, key), strict=True)):
        name = TrajectorySpec.parse(plain).name
        with st.expander(f"**{number + 1}** · {name}", key=f"{key}:optimizer:{number}"):
            drawn.append(spec_widgets.fields(item, key=f"{key}.{number}"))
            with st.container(horizontal=True, gap="xsmall"):
                copy, is_full = partial(change, partial(_copy, number)), len(items) >= MAX_OPTIMIZERS
                remove, is_last = partial(change, partial(_remove, number)), len(items) == 1
                button("Copy", copy, icon=":material/content_copy:", key=f"{key}:Copy:{number}", disabled=is_full)
                button("Remove", remove, icon=":material/delete:", key=f"{key}:Remove:{number}", disabled=is_last)
    if len(items) < MAX_OPTIMIZERS:
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="bottom"):
            words = lambda kind: label(METHODS[kind])  # noqa: E731
            st.selectbox("Add optimizer", list(METHODS), format_func=words, key=f"{key}:add")
            add = partial(change, partial(_add, f"{key}:add"))
            button("Add", add, icon=":material/add:", key=f"{key}:add:press")
    return drawn


def _read_optimizers(items: Sequence[TrajectorySpec], key: str) -> list[dict[str, Any]]:
    reader = spec_widgets.WidgetReader()
    return [spec_widgets.fields(item, key=f"{key}.{number}", on=reader) for number, item in enumerate(items)]


def _copy(number: int, items: list[TrajectorySpec], places: list[int]) -> None:
    items.insert(number + 1, items[number])
    places.insert(number + 1, -1)


def _remove(number: int, items: list[TrajectorySpec], places: list[int]) -> None:
    del items[number], places[number]


def _add(menu: str, items: list[TrajectorySpec], places: list[int]) -> None:
    items.append(TrajectorySpec(method=METHODS[session.value(menu)]()))
    places.append(-1)


OPTIMIZER_LIST = ListEditor(_draw_optimizers, _read_optimizers)
