"""The runs of a store as a table."""

import time
from collections.abc import Sequence

from nnviz.cli.job_files import describe
from nnviz.runs import RunError, Store, Summary
from nnviz.runs.storage.status import state_word

HEADINGS = ("id", "state", "step", "result", "created", "job")


def table(store: Store, width: int | None = None) -> list[str]:
    """A heading and a line for each run, newest first, truncated to `width` characters (None: not truncated). []
    without runs."""
    rows = [_row(store, summary) for summary in store.list()]
    return _aligned([HEADINGS, *rows], width) if rows else []


def _row(store: Store, summary: Summary) -> tuple[str, ...]:
    if summary.state == "damaged":
        return summary.id, summary.state, "", "", "", summary.error
    return (
        summary.id,
        state_word(summary.state, summary.step),
        f"{summary.step}/{summary.steps}",
        "" if summary.result is None else str(summary.result),
        time.strftime("%Y-%m-%d %H:%M", time.localtime(summary.created)),
        " · ".join(text for text in (_description(store, summary), summary.error) if text),
    )


def _description(store: Store, summary: Summary) -> str:
    try:
        return summary.title or describe(store.open(summary.id).job)
    except RunError as error:
        return str(error)


def _aligned(rows: Sequence[tuple[str, ...]], width: int | None) -> list[str]:
    *widths, _ = (max(map(len, column)) for column in zip(*rows, strict=True))
    lines = []
    for row in rows:
        cells = [cell.ljust(w) for cell, w in zip(row, widths, strict=False)]
        line = " ".join("  ".join((*cells, row[-1])).splitlines()).rstrip()
        lines.append(line if width is None or len(line) <= width else line[: width - 1] + "…")
    return lines
