"""Errors of pydantic in one line: the thing, the rule and the value."""

import json
import types
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from nnviz.spec.base.fields import item_type, limits, options


def explain(error: ValidationError, cls: type[BaseModel] | None = None) -> str:
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


def _where(loc: Iterable[int | str], cls: type[BaseModel] | None) -> tuple[str, Any, FieldInfo | None]:
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
            if get_origin(annotation) is Annotated and not options(annotation):
                field = FieldInfo.from_annotation(annotation)  # limits of an item
        elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
            owner = annotation
            field = owner.model_fields.get(part)
            annotation = field.annotation if field else None
            if isinstance(annotation, types.UnionType) and not options(annotation):
                annotation = next(a for a in get_args(annotation) if a is not type(None))
    return cut(".".join(names)), owner, field


def _word(problem: Mapping[str, Any], name: str, owner: Any, field: FieldInfo | None) -> str:
    kind, value, context = problem["type"], problem["input"], problem.get("ctx", {})
    got = f"got {short(value)}"
    match kind:
        case "extra_forbidden":
            return unknown_field(name, owner, str(problem["loc"][-1]))
        case "missing":
            return f"{name} is missing"
        case "union_tag_invalid":
            known = [t.strip("' ") for t in context["expected_tags"].split(",")]
            tag = context["tag"]
            return f"{name}.kind must be one of {', '.join(known)}, got {short(tag)}{did_you_mean(tag, known)}"
        case "union_tag_not_found":
            return f"{name} must have a kind, {got}"
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


def short(value: Any) -> str:
    try:
        return cut(json.dumps(value, ensure_ascii=False, default=repr))
    except RecursionError:
        return "something deeply nested"


def cut(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"


def unknown_field(path: str, owner: Any, name: str) -> str:
    known = list(owner.model_fields) if isinstance(owner, type) and issubclass(owner, BaseModel) else []
    of = owner.__name__ if known else "this object"
    return f"{cut(path)} is not a field of {of}{did_you_mean(name, known)}" + (
        f" (its fields: {', '.join(known)})" if known else ""
    )


def did_you_mean(word: Any, known: Iterable[str]) -> str:
    close = get_close_matches(str(word)[:60], list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""
