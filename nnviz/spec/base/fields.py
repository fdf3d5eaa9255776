"""What the fields of a spec declare: limits, options, titles."""

import re
import types
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo


@dataclass(frozen=True)
class Limits:
    """The interval that a number must lie in; an infinite end is None."""

    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False

    def __str__(self) -> str:
        if self.high is None:
            return f"{'above' if self.low_open else 'at least'} {self.low:g}"
        if self.low is None:
            return f"{'below' if self.high_open else 'at most'} {self.high:g}"
        opening, closing = "(" if self.low_open else "[", ")" if self.high_open else "]"
        return f"in {opening}{_number(self.low)}, {_number(self.high)}{closing}"


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"


def limits(field: FieldInfo) -> Limits:
    """The limits that a field declares."""
    found: dict[str, float] = {}
    for rule in field.metadata:
        for name in ("gt", "ge", "lt", "le"):
            if getattr(rule, name, None) is not None:
                found[name] = getattr(rule, name)
    return Limits(found.get("gt", found.get("ge")), found.get("lt", found.get("le")), "gt" in found, "lt" in found)


@lru_cache(maxsize=512)
def options(annotation: Any) -> Mapping[str, type[BaseModel]]:
    """The classes of a discriminated union by their kind, in the order of declaration; {} for anything else."""
    if get_origin(annotation) is Annotated:
        return options(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        members = [m for m in get_args(annotation) if isinstance(m, type) and issubclass(m, BaseModel)]
        return {m.model_fields["kind"].default: m for m in members if "kind" in m.model_fields}
    return {}


def item_type(annotation: Any) -> Any | None:
    """The type of the items of a `tuple[T, ...]`, else None."""
    arguments = get_args(annotation)
    return arguments[0] if get_origin(annotation) is tuple and len(arguments) == 2 and arguments[1] is ... else None


def label(cls: type[BaseModel]) -> str:
    """What a reader calls the option: its title, else its class's name in words ("Glorot uniform")."""
    if title := cls.model_config.get("title"):
        return title
    first, *rest = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", cls.__name__).split()
    return " ".join([first, *(w if w.isupper() else w.lower() for w in rest)])


def name_of(field: FieldInfo, name: str) -> str:
    """What a reader calls the field `name`: its title, else its name in words ("batch size")."""
    return field.title or name.replace("_", " ")


def summary(cls: type[BaseModel]) -> str:
    """The first paragraph of the class's docstring as one line: what the forms show as help."""
    return " ".join((cls.__doc__ or "").split("\n\n")[0].split())
