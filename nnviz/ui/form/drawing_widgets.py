"""Widgets of a distribution in the plane; one that is drawn by hand is drawn in its picture, and taken back here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from nnviz.spec.base import replace_at
from nnviz.spec.data.distributions import DOT, Drawn
from nnviz.spec.jobs import Training
from nnviz.ui import session
from nnviz.ui.buttons import button
from nnviz.ui.form import spec_widgets
from nnviz.ui.page import Event
from nnviz.ui.session import PageState

PATH = "learner.data"
MAX_UNDO = 30
"""Drawings that Undo can return to."""


@dataclass
class Drawings:
    """The drawings before the one that is shown, oldest first."""

    before: list[str] = field(default_factory=list)
    shown: str = ""


def data(state: PageState, base: Training, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """The data's own widgets, and of a drawing buttons to undo the last line and to clear it."""
    found = spec_widgets.field(base, PATH, key=state.key, chosen=chosen)
    if found["kind"] != Drawn().kind:
        return {PATH: found}
    drawings, density = session.stored(Drawings, state.page), found["density"]
    if drawings.shown and drawings.shown != density and density not in drawings.before[-1:]:
        drawings.before = [*drawings.before, drawings.shown][-MAX_UNDO:]
    drawings.shown = density

    def show(text: str) -> None:
        first = next(iter(state.current_jobs.values()))
        state.with_changes(replace_at(first, PATH, {**found, "density": text}), state.variants)

    def undo() -> None:
        drawings.shown = drawings.before.pop()
        show(drawings.shown)

    st.caption("Draw with the mouse on the picture of the samples.")
    with st.container(horizontal=True):
        button("Undo", undo, key=f"{state.key}:undo", icon=":material/undo:", disabled=not drawings.before)
        button("Clear", lambda: show(DOT), key=f"{state.key}:clear", icon=":material/ink_eraser:")
    return {PATH: found}


def with_stroke(event: Event, job: Training) -> Training:
    """The job with a line more, where its data are drawn by hand."""
    drawn = job.learner.data
    if event.kind != "stroke" or not isinstance(drawn, Drawn):
        return job
    return replace_at(job, PATH, drawn.with_stroke(event.points))
