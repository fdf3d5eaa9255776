"""Where a run comes from."""

from nnviz.runs import RunError, RunView
from nnviz.spec.base import Spec, differences, get_at
from nnviz.spec.jobs import Experiment
from nnviz.ui import runtime


def forks(run: RunView) -> list[tuple[int, str]]:
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
        changes = differences(without_parent(job), without_parent(before))
        found.append((job.parent.step, ", ".join(in_words(p, get_at(job, p)) for p in changes) or "continued"))
        job = before
    return found[::-1]


def without_parent(job: Experiment) -> Experiment:
    """The job as if it started anew."""
    return job.model_copy(update={"parent": None})


def in_words(path: str, value: object) -> str:
    """A changed field as a label: "learner.optimizer.lr", 0.3 -> "lr 0.3"; at most about 50 characters."""
    words = _words(value)
    name = path.removesuffix(".kind").rsplit(".", 1)[-1]  # of "learner.data.kind" the data
    return f"{name} {words if len(words) <= 40 else f'{words[:39]}…'}".replace("_", " ")


def _words(value: object) -> str:
    """A choice by its kind, a group by its values, a list by its items: two layers are "6 tanh, 4 relu"."""
    if isinstance(value, tuple):
        return ", ".join(map(_words, value)) or "none"
    if isinstance(value, Spec):
        return getattr(value, "kind", None) or " ".join(_words(part) for _, part in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
