"""Pictures of single training samples, each from its RunView."""

from collections.abc import Callable

from nnviz import figures
from nnviz.figures.memorization.memorized_samples import SHOWN
from nnviz.ui.page import Choice, Figure, RunView

SAMPLES = Choice("show", "Show", SHOWN)

OF_NUMBERS = "the targets are numbers: no prediction is simply right or wrong"


def of_samples(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """The figure of a run's counts for each training sample at the chosen step."""
    return lambda run, **chosen: _of_classes(run, draw(run.snapshot("memorization"), run.snapshot("data"), **chosen))


def learned_steps(run: RunView) -> Figure:
    """By which step how many training samples have been learned."""
    counted = run.snapshot("memorization")
    figure = figures.learned_steps(counted, run.snapshot("data"), step=run.snapshot_step("memorization"))
    return _of_classes(run, figure)


def accuracy_by_label(run: RunView, smooth: float) -> Figure | None:
    """Training accuracy of samples with correct and with replaced labels, over time; None without label noise."""
    if not getattr(run.job.learner.data, "label_noise", 0):
        return None
    return figures.curves(run.scalars("accuracy_by_label"), "accuracy_by_label", smooth=smooth)


def _of_classes(run: RunView, figure: Figure) -> Figure:
    """The figure, or why there is nothing to draw."""
    if figure is None or run.job.learner.data.classes:
        return figure
    meta = figure["layout"]["meta"]
    return figures.empty(meta["title"], meta["help"], OF_NUMBERS)
