"""Marks where a run was resumed: vertical lines through its curves, labeled above the plot."""

from collections.abc import Sequence

from nnviz.figures.kit import labels, theme

ResumeMark = tuple[int, str]
"""A step, and which settings changed there."""

MAX_TEXT_LENGTH = 38
MAX_ROWS = 3
# The width of a letter as a fraction of that of a plot half a page wide.
_LETTER_WIDTH = 0.0125


def with_resume_marks(axis: dict, resume_marks: Sequence[ResumeMark], last: int, row_height: float = 0.11) -> dict:
    """The entries yaxis, shapes and annotations of a layout whose curves end at step `last`.

    The plot shrinks by `row_height`, a fraction of its height, per row of labels, of which there are at most three.
    """
    placed, occupied = [], [0.0] * MAX_ROWS  # up to which x each row is occupied
    for step, text in sorted(resume_marks):
        label, at = labels.shorten(text, MAX_TEXT_LENGTH), step / max(last, step, 1)
        width = _LETTER_WIDTH * (len(label) + 1)
        left = at - width if at > 0.5 else at
        row = next((i for i, end in enumerate(occupied) if left >= end), MAX_ROWS - 1)
        occupied[row] = left + width
        placed.append((step, text, label, at > 0.5, row))
    rows = max((row for *_, row in placed), default=-1) + 1
    top = 1 - row_height * rows
    line = {"type": "line", "yref": "paper", "y0": 0, "line": {"dash": "dot", "width": 1.5, "color": theme.NEUTRAL}}
    shapes, notes = [], []
    for step, text, label, is_late, row in placed:
        side = {"xanchor": "right", "xshift": -3} if is_late else {"xanchor": "left", "xshift": 3}
        note = {"x": step, "y": top + row_height * row, "yref": "paper", "yanchor": "bottom", "text": label, **side}
        notes.append(note | {"showarrow": False, "borderpad": 0, "hovertext": f"step {step}: {text}"})
        shapes.append(line | {"x0": step, "x1": step, "y1": top + row_height * (row + 1)})
    return {
        "yaxis": axis | ({"domain": [0, top]} if rows else {}),
        "shapes": shapes,
        "annotations": notes,
    }
