"""How long a training of image networks will take, said before it starts."""

from collections.abc import Sequence

from nnviz.spec.estimates import seconds_of_image_step
from nnviz.spec.jobs import Training

START, EVALUATION = 2.0, 0.06
"""Seconds for the data and the classifier; and for the pictures and measures of an evaluation at 8 × 8 pixels."""


def time_estimate(jobs: Sequence[Training]) -> list[str]:
    """A line on the time of all jobs, which train in turns, on a core of a CPU."""
    steps = sum(job.steps for job in jobs)
    seconds = sum(job.steps * seconds_of_image_step(job.learner) for job in jobs)
    each = 1000 * seconds / steps
    for job in jobs:
        evaluation = EVALUATION + 3 * seconds_of_image_step(job.learner)
        seconds += START + evaluation * (job.steps // job.evaluate_every + 1)
    of = f"{len(jobs)} variants, " if len(jobs) > 1 else ""
    return [
        f"About {duration(seconds)} on one CPU core ({of}{steps:,} steps of {each:,.0f} ms, and evaluations); less on "
        f"a GPU."
    ]


def duration(seconds: float) -> str:
    """In two digits: "25 s", "3 min", "2.5 h"."""
    if seconds < 90:
        return f"{max(1, round(seconds)):d} s" if seconds < 20 else f"{round(seconds / 5) * 5:d} s"
    if seconds < 5400:
        return f"{round(seconds / 60):d} min"
    return f"{seconds / 3600:.2g} h"
