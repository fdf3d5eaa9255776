"""Every class of the vocabulary, found by walking the fields of jobs; and random, valid specs."""

import math
import random
from collections.abc import Iterator
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from nnviz.spec.base import Limits, Spec, SpecError, item_type, limits, options
from nnviz.spec.jobs import Job, Parent
from nnviz.spec.landscapes import TrainingPhase

NOT_HERE = ("mnist", "fashion_mnist", "image_folder")
"""Data sets that are downloaded or that only a user has."""


def _parts(annotation: Any) -> Iterator[type[Spec]]:
    """The spec classes that an annotation speaks of."""
    if isinstance(annotation, type) and issubclass(annotation, Spec):
        yield annotation
    for part in get_args(annotation):
        yield from _parts(part)


def _walk(cls: type[Spec], seen: dict[type[Spec], None]) -> None:
    if cls in seen:
        return
    seen[cls] = None
    for field in cls.model_fields.values():
        for part in _parts(field.annotation):
            _walk(part, seen)


def classes() -> list[type[Spec]]:
    """All spec classes that a job can be made of."""
    seen: dict[type[Spec], None] = {}
    for cls in options(Job).values():
        _walk(cls, seen)
    return list(seen)


def families() -> dict[str, dict[str, type[Spec]]]:
    """Every discriminated union by the first field that uses it, where that name is taken with its class: kinds and
    classes."""
    found: dict[tuple[str, ...], tuple[str, dict[str, type[Spec]]]] = {}
    for cls in classes():
        for name, field in cls.model_fields.items():
            kinds = options(field.annotation) or options(item_type(field.annotation))
            if kinds and tuple(kinds) not in found:
                named = {known for known, _ in found.values()}
                found[tuple(kinds)] = (name if name not in named else f"{cls.__name__}.{name}", dict(kinds))
    return dict(found.values())


def members() -> list[type[Spec]]:
    """All options of all families."""
    return [cls for kinds in families().values() for cls in kinds.values()]


def numbers() -> list[tuple[type[Spec], str, Limits]]:
    """Every numeric field of every class with its limits."""
    return [
        (cls, name, limits(field))
        for cls in classes()
        for name, field in cls.model_fields.items()
        if field.annotation in (int, float)
    ]


def example(cls: type[Spec]) -> dict[str, Any]:
    """Plain values that the class accepts: its defaults, and something for what has none."""
    needed = {Parent: {"run": "20261120-1551-ab12cd", "step": 3}}
    return needed.get(cls) or ({"learner": {}, "steps": 9, "seed": 1, "until": 3} if cls is TrainingPhase else {})


def number(annotation: type, bound: Limits, rng: random.Random, small: bool) -> float:
    """A number within the limits, the ends among them; spread over the orders of magnitude. `small`: at most 40."""
    low, high = bound.low, bound.high if not small else min(bound.high, max(bound.low, 40))
    if annotation is int:
        return rng.choice(
            [low, high, rng.randint(int(low), int(high)), rng.randint(int(low), int(min(high, low + 20)))]
        )
    inner = low + (high - low) * 10 ** rng.uniform(-6, 0)
    ends = [e for e, is_open in ((low, bound.low_open), (high, bound.high_open)) if not is_open]
    return float(rng.choice([*ends, min(inner, math.nextafter(high, low)), rng.uniform(low, high) or inner]))


def value(field: Any, annotation: Any, rng: random.Random, small: bool = False) -> Any:
    """A random value for an annotation as plain JSON. `small`: nothing that is downloaded or that only a user has."""
    if kinds := options(annotation):
        own = [cls for kind, cls in kinds.items() if not (small and kind in NOT_HERE)]
        return plain(rng.choice(own), rng, small)
    if NoneType in get_args(annotation):
        inner = next(a for a in get_args(annotation) if a is not NoneType)
        return value(field, inner, rng, small) if rng.random() < 0.5 else None
    if (item := item_type(annotation)) is not None:
        return [value(None, item, rng, small) for _ in range(rng.choice([0, 1, 2, 3, 5]))]
    if get_origin(annotation) is Annotated:
        inner = FieldInfo.from_annotation(annotation)
        return value(inner, inner.annotation, rng, small)
    if isinstance(annotation, type) and issubclass(annotation, Spec):
        return plain(annotation, rng, small)
    if get_origin(annotation) is Literal:
        return rng.choice(get_args(annotation))
    if annotation is bool:
        return rng.random() < 0.5
    if annotation in (int, float):
        return number(annotation, limits(field), rng, small)
    assert annotation is str
    return rng.choice(["auto", "cpu", "cuda:1"]) if field.metadata and "auto" in str(field.metadata) else "some run"


def plain(cls: type[Spec], rng: random.Random, small: bool = False) -> dict[str, Any]:
    """A random spec of the class as plain JSON; about a third of the fields keep their default."""
    said = {"kind": cls.model_fields["kind"].default} if "kind" in cls.model_fields else {}
    for name, field in cls.model_fields.items():
        if name != "kind" and (field.is_required() or rng.random() < 0.7):
            said[name] = value(field, field.annotation, rng, small)
    return said


def some(cls: type[Spec], seed: int, small: bool = False) -> Any:
    """A random valid spec of the class; what does not fit together is drawn again."""
    rng = random.Random(f"{cls.__name__} {seed}")
    for _ in range(200):
        try:
            return cls.parse(plain(cls, rng, small))
        except SpecError:
            continue
    raise AssertionError(f"no valid {cls.__name__} in 200 draws")
