"""Pictures of what a supervised run predicts and how well, each from its RunView."""

from collections.abc import Callable, Mapping, Sequence

from nnviz import figures
from nnviz.figures.samples import prediction_figures
from nnviz.spec.jobs import Job
from nnviz.ui.early_stopping_marks import stopping_marks
from nnviz.ui.job_diff import resume_marks
from nnviz.ui.page import Choice, Figure, RunView


def _styles(job: Job) -> Mapping[str, str]:
    """All where there are classes in a plane; with one there is nothing to choose."""
    data = job.learner.data
    borders = {"borders": "boundaries only"} if data.classes and data.shape == (2,) else {}
    return {"soft": "soft"} | borders


SURFACE_STYLE = Choice("style", "Surface", _styles)
"""How a decision surface is drawn, offered where the data have one."""


def predictions(run: RunView, style: str) -> Figure:
    """The decision surface, the fitted curve, or the confusion matrix."""
    return prediction_figures.predictions(run.snapshot, style=style)


def losses(sites: Sequence[str] | None = None) -> Callable[..., Figure]:
    """The figure of losses with the gap between train and test loss, and where early stopping is best and stops; None:
    of all sites."""

    def draw(run: RunView, **chosen: object) -> Figure:
        missing = prediction_figures.missing_reasons(run.snapshot("data"), "loss")
        marks = {"stopping": stopping_marks(run), "resume_marks": resume_marks(run)}
        return figures.generalization_gap(run.scalars("loss", sites=sites), "loss", missing=missing, **marks, **chosen)

    return draw


def metric(run: RunView, smooth: float) -> Figure:
    """Accuracy, or R² of a regression."""
    recorded = run.scalars("accuracy", "r_squared")
    return prediction_figures.metric(recorded, run.snapshot("data"), resume_marks=resume_marks(run), smooth=smooth)
