"""Where a run was continued: lines over its curves, and words above them that cover no curve."""

from collections.abc import Sequence

from nnviz.figures.kit import labels, theme

ResumeMark = tuple[int, str]
"""A step, and what changed there."""

MAX_TEXT_LENGTH = 38
MAX_ROWS = 3
# The width of a letter as a share of that of a plot half a page wide.
_LETTER_WIDTH = 0.0125


def with_resume_marks(axis: dict, resume_marks: Sequence[ResumeMark], last: int, row: float = 0.11) -> dict:
    """The entries yaxis, shapes and annotations of a layout whose curves end at step `last`.

    The plot gives up a `row`, as a share of its height, for each row of words, of which there are at most three.
    """
    placed, taken = [], [0.0] * MAX_ROWS  # up to where each row is taken
    ends = []
    for step, text in sorted(resume_marks):
        words, at = labels.shorten(text, MAX_TEXT_LENGTH), step / max(last, step, 1)
        width = _LETTER_WIDTH * (len(words) + 1)
        left = at - width if at > 0.5 else at
        free = next((i for i, end in enumerate(taken) if left >= end), MAX_ROWS - 1)
        taken[free] = left + width
        ends.append(free)
        placed.append((step, text, words, at > 0.5))
    rows = max(ends, default=-1) + 1
    top = 1 - row * rows
    line = {"type": "line", "yref": "paper", "y0": 0, "line": {"dash": "dot", "width": 1.5, "color": theme.NEUTRAL}}
    shapes, notes = [], []
    for (step, text, words, is_late), free in zip(placed, ends, strict=True):
        side = {"xanchor": "right", "xshift": -3} if is_late else {"xanchor": "left", "xshift": 3}
        note = {"x": step, "y": top + row * free, "yref": "paper", "yanchor": "bottom", "text": words, **side}
        notes.append(note | {"showarrow": False, "borderpad": 0, "hovertext": f"step {step}: {text}"})
        shapes.append(line | {"x0": step, "x1": step, "y1": top + row * (free + 1)})
    return {
        "yaxis": axis | ({"domain": [0, top]} if rows else {}),
        "shapes": shapes,
        "annotations": notes,
    }
