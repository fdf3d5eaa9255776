"""Jobs in the words of the form: a field and its value, and what tells one job from another."""

from typing import TypeVar

from nnviz.spec.base import Spec, differences, field_at, get_at, label, name_of, options
from nnviz.spec.jobs import Job
from nnviz.spec.number_format import format_number

AnyJob = TypeVar("AnyJob", bound=Spec)

LONGEST = 48
"""Characters of a name, where it can be cut between two differences."""


def without_parent(job: AnyJob) -> AnyJob:
    """The job as if it started anew."""
    return job.model_copy(update={"parent": None}) if job.parent else job


def changes(job: AnyJob, other: AnyJob) -> list[str]:
    """How `job` differs from `other`, each change as a label, whatever either went on from."""
    return [in_words(job, path) for path in differences(without_parent(job), without_parent(other))]


def name(job: AnyJob, first: AnyJob, longest: int = LONGEST) -> str:
    """What a legend or a title calls `job` beside `first`: "batch norm, learning rate 0.3"; "" where they are equal.

    Above `longest` characters the last differences are counted instead of named, down to a single one.
    """
    found = changes(job, first)
    named = len(found)
    while named > 1 and len(", ".join(found[:named])) > longest:
        named -= 1
    more = f" and {len(found) - named} more" if named < len(found) else ""
    return ", ".join(found[:named]) + more


def in_words(job: Job, path: str) -> str:
    """A field and its value in the words of the form: "learning rate 0.3", "loss MSE"; at most about 60 characters."""
    path = path.removesuffix(".kind")  # of "learner.data.kind" the data
    name = name_of(field_at(job, path), path.rsplit(".", 1)[-1])
    value = get_at(job, path)
    words = str(value) if path.endswith("seed") else _words(value)  # a seed is a name, not a quantity
    words = words if len(words) <= 40 else f"{words[:39]}…"
    if name not in words.lower():
        return f"{_role(job, path)}{name} {words}"
    # "no clipping", not "clipping No clipping"; an abbreviation keeps its capitals
    return words[0].lower() + words[1:] if words[1:2].islower() else words


def _role(job: Job, path: str) -> str:
    """Whose field it is, where another of its kind has it too: "discriminator " for
    "learner.discriminator_optimizer.lr" beside "learner.generator_optimizer.lr"; "" where there is no other."""
    above = path.split(".")[:-1]
    for place, part in enumerate(above):
        fields = getattr(type(get_at(job, ".".join(above[:place]))), "model_fields", {})
        kinds = {*options(fields[part].annotation).values()} if part in fields else set()
        for other in fields if kinds else ():
            if other != part and kinds & {*options(fields[other].annotation).values()}:
                return " ".join(w for w in part.split("_") if w not in other.split("_")) + " "
    return ""


def capitalized(text: str) -> str:
    """As the label of a widget: λ is not Λ, and f(x, y) not F(x, y)."""
    is_word = text[:1].isascii() and text[1:2].isalpha()
    return text[:1].upper() + text[1:] if is_word else text


def _words(value: object) -> str:
    """A choice by its label, a group by its name, else its values, a list by its items: "6 Tanh, 4 ReLU" for layers."""
    if isinstance(value, tuple):
        return ", ".join(map(_words, value)) or "none"
    if isinstance(value, Spec):
        if own := getattr(value, "name", ""):
            return own
        return label(type(value)) if "kind" in type(value).model_fields else " ".join(_words(v) for _, v in value)
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int):
        return f"{value:,}"
    return format_number(value) if isinstance(value, float) else str(value).replace("_", " ")
