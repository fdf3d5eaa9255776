"""By which step how many training samples have been learned, and how often they were forgotten."""

import numpy as np

from nnviz.figures.kit import layout, tables, theme
from nnviz.figures.kit.layout import f4, i4
from nnviz.figures.memorization.sample_groups import Arrays, groups, nothing

MOST_FORGOTTEN = 10
"""Samples that were forgotten so often or more are one bar."""

_LEARNED_HELP = (
    "Solid: fraction of the training samples that were classified as their label says at an evaluation up to this "
    "step. Dashed: that have been at all evaluations since then. Samples with replaced labels can only be learned by "
    "heart."
)
_FORGOTTEN_HELP = (
    "Forgetting events of each training sample: correct at one evaluation and wrong at the next (Toneva et al., 2019, "
    "who count at each update with the sample). Fractions are of each group of samples."
)


def learned_steps(arrays: Arrays, data: Arrays, *, step: int | None = None) -> dict:
    """Cumulative distributions of the first step at which a sample was learned, and of the step since which it is.

    `arrays` is the snapshot memorization: first_learned (n,), learned_since (n,) and forgotten (n,) of the training
    samples, −1 for never; `data` the snapshot of that name. The curves go on to `step`, or to the last sample learned.
    """
    title = "Training samples learned by step"
    if not arrays or not data:
        return nothing(title, _LEARNED_HELP, data)
    traces, parts = [], []
    last = max(step or 1, int(arrays["learned_since"].max(initial=0)), int(arrays["first_learned"].max(initial=0)))
    for name, color, members in groups(data):
        for column, dash, words in (("first_learned", "solid", ""), ("learned_since", "dash", ", not forgotten since")):
            steps, fractions = _distribution(np.asarray(arrays[column])[members], last)
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": i4(steps),
                    "y": f4(fractions),
                    "name": f"{name}{words} {fractions[-1]:.1%}",
                    "line": {"color": color, "width": 2, "dash": dash, "shape": "hv"},
                    "hovertemplate": f"{name}{words}: %{{y:.1%}} by step %{{x}}<extra></extra>",
                }
            )
            parts.append(tables.rows({"group": name, "learned": column, "step": steps, "fraction": fractions}))
    return layout.figure(
        traces,
        title=title,
        help=_LEARNED_HELP,
        x=layout.axis("step at which learned", rangemode="tozero"),
        y=layout.axis("fraction of samples", tickformat=".0%", range=[0, 1.02]),
        table=parts,
    )


def forgetting_histogram(arrays: Arrays, data: Arrays) -> dict:
    """How often training samples were forgotten, with those that were never learned apart; see `learned_steps`."""
    title = "How often training samples were forgotten"
    if not arrays or not data:
        return nothing(title, _FORGOTTEN_HELP, data)
    first, forgotten = np.asarray(arrays["first_learned"]), np.asarray(arrays["forgotten"])
    most = MOST_FORGOTTEN
    place = np.where(first < 0, most + 1, np.minimum(forgotten, most))
    ticks = [*map(str, range(most)), f"{most}+", "not<br>learned"]
    found = groups(data)
    traces, parts = [], []
    for name, color, members in found:
        counts = np.bincount(place[members], minlength=most + 2)
        traces.append(
            {
                "type": "bar",
                "x": i4(range(most + 2)),
                "y": f4(counts / members.sum()),
                "customdata": i4(counts),
                "name": f"{name} ({int(members.sum()):,})",
                "showlegend": True,
                "marker": {"color": theme.with_alpha(color, 0.8)},
                "hovertemplate": f"{name}, %{{x}}: %{{y:.1%}} (%{{customdata:,}} samples)<extra></extra>",
            }
        )
        parts.append(tables.rows({"group": name, "forgotten": ticks, "samples": counts}))
    return layout.figure(
        traces,
        title=title,
        help=_FORGOTTEN_HELP,
        x=layout.axis(
            "times forgotten",
            tickvals=i4(range(most + 2)),
            ticktext=ticks,
            showgrid=False,
            range=[-0.6, most + 1.6],
        ),
        y=layout.axis("fraction of samples", tickformat=".0%", rangemode="tozero"),
        barmode="group",
        bargap=0.25,
        table=parts,
    )


def _distribution(steps: np.ndarray, last: int) -> tuple[np.ndarray, np.ndarray]:
    """The fraction of samples learned by each step at which one was, from step 0 to `last`; `steps` (n,), −1: never."""
    at, counts = np.unique(steps[steps >= 0], return_counts=True)
    fractions = np.cumsum(counts) / len(steps)
    if not len(at) or at[0] > 0:
        at, fractions = np.insert(at, 0, 0), np.insert(fractions, 0, 0.0)
    if at[-1] < last:
        at, fractions = np.append(at, last), np.append(fractions, fractions[-1])
    return at, fractions
