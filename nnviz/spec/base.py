"""What every spec is: frozen, checked, plain JSON. Paths into it, differences, fingerprint, wording of errors."""

import hashlib
import json
import re
import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Annotated, Any, Self, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo


class SpecError(ValueError):
    """A wrong field or value, in one line that names the thing, the rule and the value."""

    def __init__(self, message: str) -> None:
        # What a job text or a link says comes back in messages: no line breaks, escapes, or lone surrogates.
        line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in message[:MESSAGE_LIMIT])
        super().__init__(line if len(message) <= MESSAGE_LIMIT else f"{line}…")


MESSAGE_LIMIT = 400


class Spec(BaseModel):
    """A choice or a group of choices: immutable, no unknown fields, no nan or inf, the same JSON out as in."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def parse(cls, value: Mapping[str, Any]) -> Self:
        """Builds the spec from plain JSON values; raises SpecError with one clear line."""
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            raise SpecError(explain(error, cls)) from None

    def fitting(self, name: str, chosen: Mapping[str, Any]) -> list[str] | None:  # noqa: ARG002
        """The kinds of the field `name`, or the values of a switch, that fit what is chosen for its siblings (plain
        values), the one to take first; None: all of them."""
        return None


S = TypeVar("S", bound=Spec)


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
def options(annotation: Any) -> Mapping[str, type[Spec]]:
    """The classes of a discriminated union by their kind, in the order of declaration; {} for anything else."""
    if get_origin(annotation) is Annotated:
        return options(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        members = [m for m in get_args(annotation) if isinstance(m, type) and issubclass(m, Spec)]
        return {m.model_fields["kind"].default: m for m in members if "kind" in m.model_fields}
    return {}


def item_type(annotation: Any) -> Any | None:
    """The type of the items of a `tuple[T, ...]`, else None."""
    arguments = get_args(annotation)
    return arguments[0] if get_origin(annotation) is tuple and len(arguments) == 2 and arguments[1] is ... else None


def label(cls: type[Spec]) -> str:
    """What a reader calls the option: its title, else its class's name in words ("Glorot uniform")."""
    if title := cls.model_config.get("title"):
        return title
    first, *rest = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", cls.__name__).split()
    return " ".join([first, *(w if w.isupper() else w.lower() for w in rest)])


def name_of(field: FieldInfo, name: str) -> str:
    """What a reader calls the field `name`: its title, else its name in words ("batch size")."""
    return field.title or name.replace("_", " ")


def summary(cls: type[Spec]) -> str:
    """The first paragraph of the class's docstring as one line: what the forms show as help."""
    return " ".join((cls.__doc__ or "").split("\n\n")[0].split())


# -- paths ------------------------------------------------------------------------------------------------------------


def get_at(spec: Spec, path: str) -> Any:
    """The value at a dotted path: `get_at(job, "learner.optimizer.lr")`, `get_at(job, "learner.model.hidden.0")`."""
    value: Any = spec
    for name in path.split(".") if path else ():
        if isinstance(value, tuple):
            value = value[_index(path, name, len(value))]
        elif isinstance(value, Spec) and name in type(value).model_fields:
            value = getattr(value, name)
        elif isinstance(value, Spec):
            raise SpecError(_unknown(path, type(value), name))
        else:
            raise SpecError(_no_part(path, name, value))
    return value


def field_at(spec: Spec, path: str) -> FieldInfo:
    """What the class declares of the field at a dotted path. Raises SpecError where there is none."""
    parent, _, name = path.rpartition(".")
    owner = get_at(spec, parent)
    if not isinstance(owner, Spec):
        raise SpecError(_no_part(path, name, owner))
    if name not in type(owner).model_fields:
        raise SpecError(_unknown(path, type(owner), name))
    return type(owner).model_fields[name]


def _index(path: str, name: str, items: int) -> int:
    if not (name.isascii() and name.isdigit() and len(name) < 10 and int(name) < items):
        raise SpecError(f"{_cut(path)}: {_short(name)} is not the number of one of its {items} items")
    return int(name)


def _no_part(path: str, name: str, value: Any) -> str:
    return f"{_cut(path)}: {_short(name)} asks for a part of {_short(value)}, which has none"


def replace_at(spec: S, path: str, value: Any) -> S:
    """`spec` with the value at `path` replaced, checked as a whole."""
    return replace_many(spec, {path: value})


def replace_many(spec: S, values: Mapping[str, Any]) -> S:
    """`spec` with several values replaced at once, so that only the outcome must be valid.

    A union's kind ("learner.optimizer.kind", or "learner.optimizer" with a kind's name as the value) comes first and
    starts from that kind's defaults; single fields then apply to it.
    """
    return type(spec).parse(plain_with(spec, values))


def plain_with(spec: Spec, values: Mapping[str, Any]) -> dict[str, Any]:
    """The plain JSON values that `replace_many` checks."""
    plain = spec.model_dump(mode="json")
    for path, value in sorted(values.items(), key=lambda item: depth(item[0])):
        _set(spec, plain, path, _plain(value))
    return plain


def depth(path: str) -> tuple[float, str]:
    """Sorts paths as they must be set: what holds others first, a kind before the settings of it."""
    return path.count(".") - (0.5 if path.endswith(".kind") else 0), path


def _plain(value: Any) -> Any:
    if isinstance(value, Spec):
        return value.model_dump(mode="json")
    return [_plain(v) for v in value] if isinstance(value, tuple | list) else value


def _set(spec: Spec, plain: dict, path: str, value: Any) -> None:
    """Sets the value in the plain tree; what the tree cannot hold is said with the full path."""
    *parents, last = path.split(".")
    here: Any = plain
    cls: Any = type(spec)
    for name in parents:
        annotation = _annotation(cls, name, here, path)
        if isinstance(here, list):
            here = here[int(name)]
        else:  # a kind that has just been chosen holds nothing yet
            here = here.setdefault(name, _plain(cls.model_fields[name].default))
        cls = _class_of(annotation, here)
        if cls is None:  # an unknown kind, which `parse` will refuse
            return
    annotation = _annotation(cls, last, here, path)
    if last == "kind":
        # Another kind starts from its own defaults: fields of the old one would be refused.
        if value != here.get("kind"):
            here.clear()
        here["kind"] = value
    elif isinstance(here, list):
        here[int(last)] = value
    else:
        here[last] = {"kind": value} if options(annotation) and isinstance(value, str) else value


def _annotation(cls: Any, name: str, here: Any, path: str) -> Any:
    if isinstance(here, list):
        _index(path, name, len(here))
        return cls
    if not (isinstance(here, dict) and isinstance(cls, type) and issubclass(cls, Spec)):
        raise SpecError(_no_part(path, name, here))
    if name not in cls.model_fields:
        raise SpecError(_unknown(path, cls, name))
    return cls.model_fields[name].annotation


def _class_of(annotation: Any, here: Any) -> Any:
    if kinds := options(annotation):
        return kinds.get(str(here.get("kind"))) if isinstance(here, dict) else annotation
    if (item := item_type(annotation)) is not None:
        return item
    return (
        next((a for a in get_args(annotation) if a is not type(None)), annotation)
        if get_args(annotation)
        else annotation
    )


def differences(spec: Spec, default: Spec) -> dict[str, Any]:
    """What must be said of `default` to make it `spec`: {"learner.optimizer.lr": 0.3}, in plain JSON values.

    `replace_many(default, differences(spec, default)) == spec`.
    """
    return dict(_differences(spec, default, ""))


def _differences(spec: Spec, default: Spec, prefix: str) -> Iterator[tuple[str, Any]]:
    if type(spec) is not type(default):
        yield f"{prefix}kind", spec.kind
        default = type(spec)()
    for name in type(spec).model_fields:
        new, old = getattr(spec, name), getattr(default, name)
        if new == old:
            continue
        if isinstance(new, Spec) and isinstance(old, Spec):
            yield from _differences(new, old, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _compact(new)


def _compact(value: Any) -> Any:
    if isinstance(value, Spec):
        kept = {
            n: _compact(getattr(value, n))
            for n, f in type(value).model_fields.items()
            if getattr(value, n) != f.default
        }
        return {"kind": value.kind, **kept} if "kind" in type(value).model_fields else kept
    return [_compact(v) for v in value] if isinstance(value, tuple) else value


def fingerprint(spec: Spec) -> str:
    """16 hexadecimal digits of the canonical JSON: the same for equal specs, in every process and on every machine."""
    canonical = json.dumps(_canonical(spec.model_dump(mode="json")), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _canonical(v) for name, v in value.items()}
    if isinstance(value, list):
        return [_canonical(v) for v in value]
    return value + 0.0 if isinstance(value, float) else value  # −0.0 equals 0.0


# -- wording ----------------------------------------------------------------------------------------------------------


def explain(error: ValidationError, cls: type[Spec] | None = None) -> str:
    """One line for a pydantic error: the thing, the rule and the value: `SGD.lr must be in (0, 10], got -1`."""
    problems = error.errors(include_url=False)
    places = [p["loc"] for p in problems]
    # A list with a wrong item is also said to be too short: the item is not counted.
    problems = [
        p
        for p in problems
        if p["type"] != "too_short" or not any(loc[: len(p["loc"])] == p["loc"] != loc for loc in places)
    ]
    first = problems[0]
    path, owner, field = _where(first["loc"], cls)
    name = path if "." in path or cls is None else f"{cls.__name__}.{path}" if path else cls.__name__
    line = _word(first, name, owner, field)
    return line + (f" (and {len(problems) - 1} more)" if len(problems) > 1 else "")


def _where(loc: Iterable[int | str], cls: type[Spec] | None) -> tuple[str, Any, FieldInfo | None]:
    """The path without the union tags that pydantic puts into it, the class that owns the field, and the field."""
    names: list[str] = []
    owner: Any = cls
    annotation: Any = cls
    field: FieldInfo | None = None
    for part in loc:
        if isinstance(part, str) and part in (kinds := options(annotation)):
            annotation = owner = kinds[part]
            continue
        names.append(str(part))
        if isinstance(part, int):
            annotation = item_type(annotation)
        elif isinstance(annotation, type) and issubclass(annotation, Spec):
            owner = annotation
            field = owner.model_fields.get(part)
            annotation = field.annotation if field else None
            if isinstance(annotation, types.UnionType) and not options(annotation):
                annotation = next(a for a in get_args(annotation) if a is not type(None))
    return _cut(".".join(names)), owner, field


def _word(problem: Mapping[str, Any], name: str, owner: Any, field: FieldInfo | None) -> str:
    kind, value, context = problem["type"], problem["input"], problem.get("ctx", {})
    got = f"got {_short(value)}"
    match kind:
        case "extra_forbidden":
            return _unknown(name, owner, str(problem["loc"][-1]))
        case "missing":
            return f"{name} is missing"
        case "union_tag_invalid":
            known = [t.strip("' ") for t in context["expected_tags"].split(",")]
            tag = context["tag"]
            return f"{name}.kind must be one of {', '.join(known)}, got {_short(tag)}{_meant(tag, known)}"
        case "union_tag_not_found":
            return f"{name} must say its kind, {got}"
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal" if field is not None:
            return f"{name} must be {limits(field)}, {got}"
        case "literal_error":
            return f"{name} must be one of {context['expected'].replace(' or ', ', ')}, {got}"
        case "finite_number":
            return f"{name} must be a finite number, {got}"
        case "too_long" | "too_short":
            rule = f"at most {context['max_length']}" if kind == "too_long" else f"at least {context['min_length']}"
            return f"{name} must have {rule} items, got {context['actual_length']}"
        case "string_pattern_mismatch":
            return f"{name} must be {(field.description if field else None) or context['pattern']}, {got}".replace(
                ".,", ","
            )
        case "value_error":
            return str(context["error"])
        case "model_type" | "model_attributes_type" if field is not None and (kinds := options(field.annotation)):
            return f"{name} must be one of {', '.join(kinds)}, {got}"
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"{name} must be an object with named fields, {got}"
        case "tuple_type" | "list_type":
            return f"{name} must be a list, {got}"
        case "int_type" | "int_parsing" | "int_from_float":
            return f"{name} must be a whole number, {got}"
        case "float_type" | "float_parsing":
            return f"{name} must be a number, {got}"
        case "bool_type" | "bool_parsing":
            return f"{name} must be true or false, {got}"
    return f"{name}: {problem['msg'][0].lower()}{problem['msg'][1:]}, {got}"


def _short(value: Any) -> str:
    try:
        return _cut(json.dumps(value, ensure_ascii=False, default=repr))
    except RecursionError:
        return "something deeply nested"


def _cut(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"


def _unknown(path: str, owner: Any, name: str) -> str:
    known = list(owner.model_fields) if isinstance(owner, type) and issubclass(owner, Spec) else []
    of = owner.__name__ if known else "this object"
    return f"{_cut(path)} is not a field of {of}{_meant(name, known)}" + (
        f" (its fields: {', '.join(known)})" if known else ""
    )


def _meant(word: Any, known: Iterable[str]) -> str:
    close = get_close_matches(str(word)[:60], list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""
