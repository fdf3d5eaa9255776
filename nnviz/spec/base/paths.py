"""Dotted paths into a spec: the value and the field there, replacing several at once, and differences by path."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, get_args

from pydantic.fields import FieldInfo

from nnviz.spec.base.error_wording import cut, short, unknown_field
from nnviz.spec.base.fields import item_type, options
from nnviz.spec.base.spec import Spec, SpecError

S = TypeVar("S", bound=Spec)


def get_at(spec: Spec, path: str) -> Any:
    """The value at a dotted path: `get_at(job, "learner.optimizer.lr")`, `get_at(job, "learner.model.hidden.0")`."""
    value: Any = spec
    for name in path.split(".") if path else ():
        if isinstance(value, tuple):
            value = value[_index(path, name, len(value))]
        elif isinstance(value, Spec) and name in type(value).model_fields:
            value = getattr(value, name)
        elif isinstance(value, Spec):
            raise SpecError(unknown_field(path, type(value), name))
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
        raise SpecError(unknown_field(path, type(owner), name))
    return type(owner).model_fields[name]


def _index(path: str, name: str, items: int) -> int:
    if not (name.isascii() and name.isdigit() and len(name) < 10 and int(name) < items):
        raise SpecError(f"{cut(path)}: {short(name)} is not an index of a list of {items} items")
    return int(name)


def _no_part(path: str, name: str, value: Any) -> str:
    return f"{cut(path)}: {short(value)} has no field {short(name)}"


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
    if isinstance(value, Mapping):  # a copy, since values of deeper paths are set in it
        return {name: _plain(v) for name, v in value.items()}
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
        raise SpecError(unknown_field(path, cls, name))
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
