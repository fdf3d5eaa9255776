"""Outputs of a network for the same inputs in training and in evaluation mode."""

from collections.abc import Mapping

import numpy as np

from nnviz.figures.kit import labels, layout, tables, theme
from nnviz.figures.kit.layout import f4

TITLE = "Outputs in training and evaluation mode"
HELP = (
    "Each point is one output of the network (before softmax) for one sample of a fixed mini-batch: in evaluation mode "
    "across, in training mode up, both without dropout. On the diagonal both are the same. In evaluation mode a sample "
    "may also come alone: its output is then the same as among others."
)


def mode_outputs(arrays: Mapping[str, np.ndarray], sizes: Mapping[str, np.ndarray] | None = None) -> dict:
    """A point for each sample and output. `arrays` is the snapshot norm_values, `sizes` norm_batch_sizes, which knows
    how outputs change where a sample is a batch of its own."""
    if not arrays:
        return layout.empty(TITLE, HELP)
    evaluated, trained = (np.asarray(arrays[name], float) for name in ("eval_outputs", "train_outputs"))
    rows, columns = evaluated.shape
    finite = np.concatenate([evaluated.ravel(), trained.ravel()])
    finite = finite[np.isfinite(finite)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (-1.0, 1.0)
    margin = 0.06 * (high - low) or 1.0
    ends = [low - margin, high + margin]
    scale = float(np.sqrt(np.square(evaluated).mean()))
    gap = float(np.sqrt(np.square(trained - evaluated).mean())) / scale if scale else 0.0
    notes = [f"RMS difference: {labels.percent(gap)} of the outputs'"]
    if sizes and "single_sample" in sizes:
        notes.append(f"one sample alone, evaluation mode: ±{labels.number(float(sizes['single_sample']), 2)}")
    sample, output = np.meshgrid(np.arange(1, rows + 1), np.arange(1, columns + 1), indexing="ij")
    return layout.figure(
        [
            {
                "type": "scatter",
                "mode": "lines",
                "x": ends,
                "y": ends,
                "line": {"color": theme.NEUTRAL, "width": 1.2, "dash": "dash"},
                "hoverinfo": "skip",
                "showlegend": False,
            },
            {
                "type": "scatter",
                "mode": "markers",
                "x": f4(evaluated.ravel()),
                "y": f4(trained.ravel()),
                "marker": {"size": 5, "color": theme.POSITIVE, "opacity": 0.55},
                "customdata": np.stack([sample.ravel(), output.ravel()], 1).astype(np.int32),
                "hovertemplate": "sample %{customdata[0]}, output %{customdata[1]}: "
                f"{labels.hover_number('x')} in evaluation, {labels.hover_number('y')} in training mode<extra></extra>",
                "showlegend": False,
            },
        ],
        title=TITLE,
        help=HELP,
        x=layout.axis("evaluation mode", range=ends),
        y=layout.axis("training mode", range=ends),
        annotations=[layout.corner_note("<br>".join(notes), "top left")],
        table=[
            tables.rows(
                {
                    "sample": sample.ravel(),
                    "output": output.ravel(),
                    "evaluation": evaluated.ravel(),
                    "training": trained.ravel(),
                }
            )
        ],
    )
