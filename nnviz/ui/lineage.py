"""Where a run comes from."""

from typing import TypeVar

from nnviz.runs import RunError, RunView
from nnviz.spec.base import Spec, differences, field_at, get_at, label, name_of
from nnviz.spec.jobs import Descent, Experiment, Job
from nnviz.ui import runtime

AnyJob = TypeVar("AnyJob", Experiment, Descent)


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
        found.append((job.parent.step, ", ".join(changes(job, before)) or "continued"))
        job = before
    return found[::-1]


def without_parent(job: AnyJob) -> AnyJob:
    """The job as if it started anew."""
    return job.model_copy(update={"parent": None}) if job.parent else job


def changes(job: AnyJob, other: AnyJob) -> list[str]:
    """How `job` differs from `other`, each change as a label, whatever either went on from."""
    return [in_words(job, path) for path in differences(without_parent(job), without_parent(other))]


def in_words(job: Job, path: str) -> str:
    """A field and its value in the words of the form: "learning rate 0.3", "loss MSE"; at most about 60 characters."""
    path = path.removesuffix(".kind")  # of "learner.data.kind" the data
    name = name_of(field_at(job, path), path.rsplit(".", 1)[-1])
    words = _words(get_at(job, path))
    words = words if len(words) <= 40 else f"{words[:39]}…"
    return words if name in words.lower() else f"{name} {words}"  # not "clipping No clipping"


def _words(value: object) -> str:
    """A choice by its label, a group by its values, a list by its items: two layers are "6 Tanh, 4 ReLU"."""
    if isinstance(value, tuple):
        return ", ".join(map(_words, value)) or "none"
    if isinstance(value, Spec):
        return label(type(value)) if "kind" in type(value).model_fields else " ".join(_words(v) for _, v in value)
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value).replace("_", " ")
