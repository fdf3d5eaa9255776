"""Earlier runs: what the store holds, to be opened again."""

import time

import streamlit as st

from nnviz.runs import RunError, Summary
from nnviz.spec.base import differences, get_at
from nnviz.ui import runtime
from nnviz.ui.lineage import in_words, without_parent
from nnviz.ui.session import PageState

LISTED = 100
"""At most so many runs are offered, the newest first."""


def library(state: PageState) -> None:
    """A menu of the runs in the store that have trained; the chosen one is shown with the settings it had."""
    with st.popover("Earlier runs", icon=":material/history:", width="stretch"):
        found = [s for s in runtime.store().list() if s.step or s.state == "damaged"][:LISTED]
        if not found:
            st.caption("No run has trained yet. They stay in the folder `runs`, or where NNVIZ_HOME points.")
            return
        by_id = {summary.id: summary for summary in found}
        chosen = st.selectbox("Run", list(by_id), format_func=lambda run: _line(by_id[run]), key=f"{state.key}:library")
        st.caption(_described(state, by_id[chosen]))
        if st.button("Show", key=f"{state.key}:library:show", disabled=by_id[chosen].state == "damaged"):
            try:
                runs = runtime.store().group(chosen)
                jobs = [without_parent(runtime.store().view(run).job) for run in runs]
            except RunError as error:
                st.error(str(error), icon=":material/error:")
            else:
                state.restart(jobs[:2], runs=runs[:2])
                st.rerun()


def _line(summary: Summary) -> str:
    when = time.strftime("%d %b %H:%M", time.localtime(summary.created)) if summary.created else "?"
    loss = "" if summary.loss is None else f", loss {summary.loss:.3g}"
    return f"{when} · {summary.state} at {summary.step:,}{loss} · {summary.id[-6:]}"


def _described(state: PageState, summary: Summary) -> str:
    if summary.error:
        return summary.error
    try:
        job = without_parent(runtime.store().view(summary.id).job)
    except RunError as error:
        return str(error)
    words = [in_words(path, get_at(job, path)) for path in differences(job, state.default) if path != "parent"]
    return f"Run {summary.id}: " + (", ".join(words) or "this page's default settings")
