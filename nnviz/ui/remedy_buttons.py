"""What to try after a run has diverged: each button adds a variant with that one change."""

import secrets
from collections.abc import Sequence

import streamlit as st

from nnviz.runs.runset import EntryView
from nnviz.spec.remedies import Remedy, remedies
from nnviz.spec.variants import Variant
from nnviz.ui.buttons import button
from nnviz.ui.form.page_form import FormResult


def draw(request: FormResult, entries: Sequence[EntryView], letters: Sequence[str]) -> None:
    """A row for the first run that has diverged; nothing where there is none, or no room for another variant."""
    diverged = [
        (entry, letter)
        for entry, letter in zip(entries, letters, strict=True)
        if "" in entry.runs and entry.runs[""].status.state == "diverged"
    ]
    if not diverged or not request.jobs or len(request.jobs) >= request.page.max_variants:
        return
    entry, letter = diverged[0]
    there = [variant.differences for variant in request.state.variants]
    offered = [one for one in remedies(entry.job) if all(each.get(one.path) != one.value for each in there)]
    if not offered:
        return
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key="remedies"):
        st.caption(f"Try as a further variant{f' of {letter}' if letter else ''}:", width="content")
        for remedy in offered:
            _button(request, entry.id, remedy)


def _button(request: FormResult, owner: str, remedy: Remedy) -> None:
    state = request.state

    def add() -> None:
        own = next((variant.differences for variant in state.variants if variant.id == owner), {})
        kept = {path: value for path, value in own.items() if not f"{path}.".startswith(f"{remedy.path}.")}
        variant = Variant(secrets.token_hex(4), {**kept, remedy.path: remedy.value})
        state.with_changes(next(iter(state.current_jobs.values())), [*state.variants, variant])
        state.stored.needs_redraw = True

    key = f"{state.page}:remedy:{owner}:{remedy.path}"
    button(
        remedy.words,
        add,
        key=key,
        icon=":material/add:",
        help="Adds a variant with this change; press Run to train it.",
    )
