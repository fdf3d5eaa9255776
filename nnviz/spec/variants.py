"""Variants: jobs shown beside a first one, each kept as what tells it from the first."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from pydantic import ValidationError

from nnviz.spec.base import Spec, SpecError, depth, differences, get_at, plain_with, replace_many
from nnviz.spec.jobs import MOST, Job

LETTERS = "ABCDEFGH"
"""What the first and its variants are called, in their order; never what they are told apart by."""

MOST_PAIRED = 12
"""Of the differences that do not apply one by one: how many are tried two by two."""


@dataclass(frozen=True)
class Variant:
    """What tells a job from the first. The id stays when others before it go."""

    id: str
    differences: Mapping[str, Any]
    """Plain JSON values by path, each for all of its field: of another optimizer the whole optimizer."""


@dataclass(frozen=True)
class Applied:
    """A variant as a job."""

    job: Job
    left: Mapping[str, str] = field(default_factory=dict)
    """Why a difference does not apply, by path."""
    completed: Mapping[str, Any] = field(default_factory=dict)
    """Values of fields that nobody named and that had to follow: the loss after the data."""


def differing(job: Job, first: Job) -> dict[str, Any]:
    """What tells `job` from `first`: `apply(first, differing(job, first)).job == job`.

    Raises SpecError if they are of two kinds.
    """
    if type(job) is not type(first):
        raise SpecError(f"a variant must be a job of the first one's kind, {first.kind}, got {job.kind}")
    plain, found = job.model_dump(mode="json"), {}
    for said in differences(job, first):
        path = said.removesuffix(".kind")  # another kind is told whole
        if not any(path.startswith(f"{whole}.") for whole in found):
            found[path] = at(plain, path)
    return found


def at(plain: Any, path: str) -> Any:
    """The part of plain JSON values at a dotted path."""
    for part in path.split(".") if path else ():
        plain = plain[int(part) if isinstance(plain, list) else part]
    return plain


def apply(first: Job, values: Mapping[str, Any]) -> Applied:
    """`first` with all those differences that apply, so that one that does not loses nothing but itself.

    Where differences alone do not fit the rest, fields that none of them names follow, as `Spec.fitting` has it.
    """
    try:
        job, completed = _with_completion(first, values, values)
        return Applied(job, {}, completed)
    except SpecError:
        pass
    taken: dict[str, Any] = {}
    left = _one_by_one(first, values, taken, values)
    # Data and a loss that fits them, or momentum and Nesterov, are right only together.
    for pair in combinations(list(left)[:MOST_PAIRED], 2):
        both = {path: values[path] for path in pair}
        if left.keys() >= both.keys() and not _problem(first, {**taken, **both}):
            taken |= both
            left = _one_by_one(first, left, taken, values)
    completed = {}
    for path in list(left)[:MOST_PAIRED]:
        try:
            _, more = _with_completion(first, {**taken, path: values[path]}, values)
        except SpecError:
            continue
        completed |= more
        taken |= {path: values[path], **more}
        left = _one_by_one(first, left, taken, values)
    return Applied(replace_many(first, taken), left, completed)


def _one_by_one(first: Job, paths: Iterable[str], taken: dict[str, Any], values: Mapping[str, Any]) -> dict[str, str]:
    """Adds to `taken` what fits it, one path at a time, in whatever order; what is wrong with the others."""
    left = {path: "" for path in sorted(paths, key=depth) if path not in taken}
    while True:
        before = len(left)
        for path in list(left):
            left[path] = _problem(first, {**taken, path: values[path]})
            if not left[path]:
                taken[path] = values[path]
                del left[path]
        if len(left) in (0, before):
            return left


def _problem(first: Job, values: Mapping[str, Any]) -> str:
    try:
        replace_many(first, values)
    except SpecError as problem:
        return str(problem)
    return ""


def _with_completion(job: Job, values: Mapping[str, Any], named: Mapping[str, Any]) -> tuple[Job, dict[str, Any]]:
    """`job` with the values, and what had to follow them, none of it `named`. Raises SpecError."""
    found: dict[str, Any] = {}
    while more := dict(_following(job, {**values, **found}, named)):
        found |= more
    return replace_many(job, {**values, **found}), found


def _following(job: Job, values: Mapping[str, Any], named: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Fields that do not fit the values, and what to put there."""
    plain = plain_with(job, values)
    for path in _misfits(job, plain):
        owner, chosen = get_at(job, path), at(plain, path)
        for name in type(owner).model_fields if _is_of(owner, chosen) else ():
            here = f"{path}.{name}".lstrip(".")
            fits = owner.fitting(name, chosen)
            value = chosen.get(name, getattr(owner, name))
            kind = value.get("kind") if isinstance(value, dict) else value
            if fits and kind not in fits and not _touches(here, {**values, **named}):
                yield here, fits[0] if kind is value else {"kind": fits[0]}


def _misfits(job: Job, plain: Any) -> list[str]:
    """Paths of the specs whose fields are right by themselves but not together."""
    try:
        type(job).model_validate(plain)
    except ValidationError as error:
        places = [problem["loc"] for problem in error.errors(include_url=False) if problem["type"] == "value_error"]
        return [path for place in places if isinstance(at(plain, path := _path(plain, place)), dict)]
    return []


def _path(plain: Any, place: Sequence[str | int]) -> str:
    """The path that pydantic's place means, which names the kind of every union on the way."""
    path = ""
    for part in place:
        here = at(plain, path)
        if not (isinstance(here, dict) and part == here.get("kind")):
            path = f"{path}.{part}".lstrip(".")
    return path


def _is_of(owner: Any, chosen: Mapping[str, Any]) -> bool:
    return isinstance(owner, Spec) and chosen.get("kind", getattr(owner, "kind", None)) == getattr(owner, "kind", None)


def _touches(path: str, named: Mapping[str, Any]) -> bool:
    return any(f"{path}.".startswith(f"{one}.") or one.startswith(f"{path}.") for one in named)


__all__ = ["LETTERS", "MOST", "Applied", "Variant", "apply", "differing"]
