"""Fields of a job that a variant may differ in, by what a reader calls them."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic.fields import FieldInfo

from nnviz.spec.attachments import Attachment
from nnviz.spec.base import Spec, label, name_of, options
from nnviz.spec.jobs import Job
from nnviz.spec.wording import capitalized

HOLDERS = ("learner", "network", "trajectories")
"""Fields that only hold others: a reader needs no name for them."""

APART = ("kind", "parent", "device", "probes", "evaluate_every", "other", "before")
"""Where a run comes from, where it runs and how it is measured."""


def offered(job: Job) -> Mapping[str, str]:
    """Labels by path, in the order of the fields: {"learner.optimizer.lr": "Optimizer › learning rate"}."""
    return dict(_offered(job, "", ()))


def _offered(spec: Spec, prefix: str, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for field, about in type(spec).model_fields.items():
        if field in APART:
            continue
        value, inner = getattr(spec, field), names
        if field == "early_stopping" and spec.fitting(field, {}) == [value.kind]:
            continue  # a learner without a test loss
        if not (field in HOLDERS and isinstance(value, Spec)):
            inner = (*names, _name(about, field))
            yield f"{prefix}{field}", capitalized(" › ".join(inner))
        if isinstance(value, Spec) and not isinstance(value, Attachment):
            yield from _offered(value, f"{prefix}{field}.", inner)


def _name(about: FieldInfo, field: str) -> str:
    """A choice between none and one kind is called by that one: what to look for is "batch norm", not "norm"."""
    kinds: Mapping[str, Any] = options(about.annotation)
    if about.title or len(kinds) != 2 or "none" not in kinds:
        return name_of(about, field)
    words = label(next(cls for kind, cls in kinds.items() if kind != "none"))
    return words[0].lower() + words[1:]
