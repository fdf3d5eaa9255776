"""Earlier runs: what the store holds, as a table to open runs from and to delete them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path

import pandas as pd
import streamlit as st

from nnviz.runs import RunError, Summary
from nnviz.spec.jobs import MOST, Job
from nnviz.spec.variants import LETTERS
from nnviz.spec.wording import changes, without_parent
from nnviz.ui import runtime
from nnviz.ui.buttons import button
from nnviz.ui.messages import show_error
from nnviz.ui.session import PageState, RunTable

MAX_CHANGES = 4
"""Changes that a line names; of a run of another page nearly everything differs."""

LARGEST = 2.0**53
"""A browser's table shows no larger number."""

ROW, HEAD, LINES = 35, 37, 14
"""Pixels of a line of the table and of its head; lines that are seen at once."""


OpenRuns = Callable[[PageState, Sequence[str]], None]
"""What is done with the runs of a line that is chosen; raises RunError."""


def library(
    state: PageState,
    text: str = "Earlier runs",
    *,
    default: Job | None = None,
    open_runs: OpenRuns | None = None,
    pairs: bool = True,
) -> None:
    """A button that opens the table of the runs that have trained; it stays open when the page runs again.

    The runs are those of the kind of `default`, told by how they differ from it: of the page's own unless given.
    `open_runs` is what choosing a line does: unless given the page shows the run with its settings. Of runs that
    trained side by side a line means all, or with `pairs` False only its own.
    """
    default, open_runs = default or state.default, open_runs or _show

    def show() -> None:
        state.stored.table = RunTable(is_open=True)

    st.button(text, icon=":material/history:", width="stretch", key=f"{state.page}:library", on_click=show)
    if state.stored.table.is_open:
        close = partial(_close, state)
        show_table = st.dialog(text, width="large", icon=":material/history:", on_dismiss=close)(_table)
        show_table(state, default, open_runs, pairs)


def _table(state: PageState, default: Job, open_runs: OpenRuns, pairs: bool) -> None:
    table = state.stored.table
    summaries = _in_fixed_order(table, [s for s in runtime.store().list() if _belongs(s, default)])
    if not summaries:
        st.markdown(
            "No runs yet. Every run of at least one step is listed here with its settings, progress, main metric and "
            f"date. Runs are stored in `{runtime.store().home}`."
        )
        return
    does = "open the run with its settings" if open_runs is _show else "use its trained network on this page"
    st.caption(f"Click a row to {does}. Select rows to delete them. Click a column heading to sort.")
    # Under a new key nothing is ticked: after a deletion the lines are others.
    key = f"{state.page}:library:{table.changes}"
    chosen = st.dataframe(
        _frame(summaries, default),
        key=key,
        hide_index=True,
        height=HEAD + ROW * min(len(summaries), LINES),
        row_height=ROW,
        column_config=COLUMNS,
        on_select=_redraw_page,
        selection_mode=["multi-row", "single-cell"],
    ).selection
    if chosen.cells:
        _open(state, summaries[chosen.cells[0][0]], open_runs, pairs)
    _delete(state, [summaries[row] for row in chosen.rows])


def _close(state: PageState) -> None:
    state.stored.table = RunTable()


def _belongs(summary: Summary, default: Job) -> bool:
    return bool(summary.step and summary.shown_as == default.shown_as) or summary.state == "damaged"


def _in_fixed_order(table: RunTable, summaries: Sequence[Summary]) -> list[Summary]:
    """The runs in the lines that they had when the table was opened: a tick says a line, and must go on to mean the
    same run when others begin to train. When one has been deleted nothing is selected any more."""
    by_id = {summary.id: summary for summary in summaries}
    lines = list(by_id) if table.lines is None else table.lines
    table.lines = [run for run in lines if run in by_id]
    table.changes += table.lines != lines
    left = table.lines
    return [by_id[run] for run in left]


def _redraw_page() -> None:
    """After a click in the table the whole page is drawn, not the table alone.

    Drawn alone it may be taken for broken off, or not be sent at all, where the board's timer wants the board drawn at
    that moment: Streamlit tells the browser that a part was drawn to its end only if no other part comes at its heels,
    and forgets what a drawing has not sent yet when the next one begins just after it. The question about a run that is
    gone would stay on the page then, and could be answered again.
    """
    st.rerun()


COLUMNS = {
    "run": st.column_config.TextColumn("Changed from the default", width=225),
    "state": st.column_config.TextColumn("State", width=72),
    "step": st.column_config.TextColumn("Step", width=115),
    "metric": st.column_config.TextColumn("Metric", width=98, help="Name of the value in the next column."),
    "value": st.column_config.NumberColumn(
        "Value", format="%.3g", width=72, help="Last value, accuracies as fractions; empty if it is not finite."
    ),
    "when": st.column_config.DatetimeColumn("When", format="D MMM HH:mm", width=92),
}
"""Narrow enough for a small window; where there is room they grow alike."""


def _frame(summaries: Sequence[Summary], default: Job) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "run": [_description(summary, default) for summary in summaries],
            "state": [summary.state for summary in summaries],
            "step": [f"{summary.step:,} of {summary.steps:,}" for summary in summaries],
            "metric": [result.label if (result := summary.result) else "" for summary in summaries],
            "value": pd.Series(
                [result.value if (result := summary.result) else None for summary in summaries], dtype="float64"
            ).where(lambda value: value.abs() < LARGEST),
            "when": [datetime.fromtimestamp(s.created) if s.created else None for s in summaries],
        }
    )


def _description(summary: Summary, default: Job) -> str:
    try:
        return summary.error if summary.state == "damaged" else _words(runtime.store().path(summary.id), default)
    except RunError as error:
        return str(error)


@lru_cache(maxsize=4096)
def _words(path: Path, default: Job) -> str:
    """What a run changed; read once, since a run's job never changes."""
    run = runtime.store().open(path.stem)
    changed = changes(run.job, default)
    more = f" and {len(changed) - MAX_CHANGES} more" if len(changed) > MAX_CHANGES else ""
    letter = f"{LETTERS[run.members.index(run.id)]} · " if 1 < len(run.members) <= len(LETTERS) else ""
    return letter + (", ".join(changed[:MAX_CHANGES]) + more or "nothing")


def _open(state: PageState, summary: Summary, open_runs: OpenRuns, pairs: bool) -> None:
    try:
        open_runs(state, _runs_of_row(summary, pairs))
    except RunError as error:
        show_error(error)
        return
    _close(state)
    st.rerun()


def _runs_of_row(summary: Summary, pairs: bool) -> list[str]:
    """The runs that a line stands for, as far as they are still there."""
    runs = runtime.store().group(summary.id) if pairs else [summary.id]
    return [run for run in runs if runtime.store().path(run).exists()][:MOST]


def _show(state: PageState, runs: Sequence[str]) -> None:
    state.restart([without_parent(runtime.store().view(run).job) for run in runs], runs=runs)


def _delete(state: PageState, selected: Sequence[Summary]) -> None:
    table = state.stored.table
    for problem in table.problems:
        show_error(problem)
    table.problems = []
    if not selected:
        return
    many = f"{len(selected)} runs" if len(selected) > 1 else "this run"

    def delete() -> None:
        removed = []
        for summary in selected:
            try:
                runtime.store().delete(summary.id)
                removed.append(summary.id)
            except RunError as error:
                table.problems.append(str(error))
        table.changes += 1
        run_set_state = state.stored.run_set_state
        run_set_state.entries = {
            id: own for id, own in run_set_state.entries.items() if not set(own.values()) & set(removed)
        }
        _redraw_page()

    with st.popover(f"Delete {many} …", icon=":material/delete:"):
        st.markdown(f"Delete {many}? This cannot be undone.")
        button("Yes, delete", delete, type="primary", key=f"{state.page}:library:delete")
