"""Where a run comes from."""

from nnviz.runs import RunError, RunView
from nnviz.spec.wording import changes
from nnviz.ui import runtime


def resume_marks(run: RunView) -> list[tuple[int, str]]:
    """Steps at which the run and its ancestors went on from another run, and what changed there, oldest first."""
    found: list[tuple[int, str]] = []
    job, seen = run.job, {run.id}
    while job.parent and job.parent.run not in seen:
        seen.add(job.parent.run)
        try:
            before = runtime.store().view(job.parent.run).job
        except RunError:
            found.append((job.parent.step, "continued"))
            break
        found.append((job.parent.step, ", ".join(changes(job, before)) or "continued"))
        job = before
    return found[::-1]
