"""Where a run with early stopping is best, and where it stops."""

from nnviz.figures import StoppingMarks
from nnviz.runs import RunView


def stopping_marks(run: RunView) -> StoppingMarks | None:
    """The steps that a figure marks; None without early stopping, or before the first evaluation."""
    if run.best is None:
        return None
    best, stop = run.best[0], run.status.early_stop
    if stop is not None:
        return StoppingMarks(best, stop.step, is_stopped=True)
    patience = run.job.early_stopping.patience * run.job.evaluate_every
    # One that was resumed after its patience was over counts anew from there.
    since = max(best, run.job.parent.step) if run.job.parent and run.job.parent.step >= best + patience else best
    return StoppingMarks(best, since + patience, is_stopped=False)
