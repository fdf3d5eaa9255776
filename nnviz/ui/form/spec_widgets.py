"""Specs -> widgets -> specs. Widgets, limits, labels and help all come from the spec's own fields."""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin

import streamlit as st
from pydantic.fields import FieldInfo

from nnviz.spec.attachments import Attachment
from nnviz.spec.base import (
    Limits,
    Spec,
    SpecError,
    field_at,
    get_at,
    item_type,
    label,
    limits,
    name_of,
    options,
    summary,
)
from nnviz.spec.wording import capitalized
from nnviz.ui import session
from nnviz.ui.form import log_numbers
from nnviz.ui.form.attachment_widgets import attachment

S = TypeVar("S", bound=Spec)

SLIDER_STEPS = 60
"""Whole numbers with at most so many values get a slider."""

WIDE = 2000.0
"""A linear range that is wider is no slider."""


Editor = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Widgets of a field that is not drawn by its own type: plain values by path, of what was chosen before it."""


def choose(
    base: Spec,
    groups: Mapping[str, Sequence[str]],
    *,
    key: str,
    opened: Sequence[str] = (),
    editors: Mapping[str, Editor] | None = None,
) -> dict[str, Any]:
    """Draws the fields at the paths of each group in an expander, of an untitled one without; what was chosen, plain
    values by path. What another kind of learner or model has, and `base` has not, is left out.

    `key` names this set of widgets: under a new key all start from `base`. `editors` are the widgets of fields that
    need their own, by path.
    """
    chosen: dict[str, Any] = {}
    editors = editors or {}
    for title, named in groups.items():
        paths = [path for path in named if path in editors or has(base, path)]
        if not paths:
            continue
        with st.expander(title, expanded=title in opened) if title.strip() else nullcontext():
            for path in paths:
                if path in editors:
                    chosen |= editors[path](chosen)
                else:
                    chosen[path] = field(base, path, key=key, chosen=chosen)
    return chosen


def has(base: Spec, path: str) -> bool:
    """Whether there is a field at the path."""
    try:
        field_at(base, path)
    except SpecError:
        return False
    return True


class WidgetReader:
    """In place of `st`: answers what the widgets with these keys hold, and draws nothing."""

    def selectbox(self, text: str, options: Sequence[Any], index: int = 0, *, key: str, **_: Any) -> Any:  # noqa: ARG002
        """The option that is chosen; the first one where that is not offered any more."""
        held = session.value(key, options[index])
        return held if held in options else options[index]

    def number_input(self, text: str, low: float, high: float, value: Any, *_: Any, key: str, **__: Any) -> Any:  # noqa: ARG002
        """What was typed."""
        return session.value(key, value)

    slider = number_input

    def toggle(self, text: str, value: Any, *, key: str, **_: Any) -> Any:  # noqa: ARG002
        """Whether it is on."""
        return session.value(key, value)

    text_input = toggle

    def columns(self, widths: Sequence[int], **_: Any) -> list[AbstractContextManager]:
        """Places where nothing is drawn."""
        return [nullcontext() for _ in widths]


def field(
    base: Spec,
    path: str,
    *,
    key: str,
    chosen: Mapping[str, Any] | None = None,
    name: str | None = None,
    value: Any = None,
    on: Any = st,
) -> Any:
    """The widgets of one field; what was chosen as plain JSON values.

    `chosen` holds what was chosen before it in the same form; a union offers only what fits that. `value` is what they
    start from, unless given what `base` has there. On `WidgetReader()` nothing is drawn: they are read as they are now.
    """
    parent, _, last = path.rpartition(".")
    owner = get_at(base, parent)
    fitting = owner.fitting(last, {p.rsplit(".", 1)[-1]: v for p, v in (chosen or {}).items()})
    value = get_at(base, path) if value is None else value
    return _draw(type(owner).model_fields[last], value, name or last, f"{key}:{path}", fitting, on)


def _draw(about: FieldInfo, value: Any, name: str, key: str, fitting: Sequence[str] | None = None, on: Any = st) -> Any:
    """One field by its type: a union as a menu and its kind's fields, a tuple as rows, a value as a widget."""
    annotation, text = about.annotation, capitalized(name_of(about, name))
    if kinds := options(annotation):
        return _union({k: c for k, c in kinds.items() if fitting is None or k in fitting}, value, text, key, on)
    if (item := item_type(annotation)) is not None and issubclass(item, Spec):
        return _rows(about, item, value, text, key, on)
    if isinstance(value, Attachment):
        return attachment(about, value, text, key, on)
    if isinstance(value, Spec):
        return fields(value, key=key, on=on)
    if fitting == [False] and about.annotation is bool:
        return on.toggle(text, False, help=about.description, key=f"{key}:off", disabled=True)
    return _value(about, value, text, key, on)


def _union(kinds: Mapping[str, type[Spec]], value: Spec, text: str, key: str, on: Any) -> dict[str, Any]:
    names = list(kinds)
    start = value.kind if value.kind in kinds else names[0]
    kind = on.selectbox(
        text,
        names,
        index=names.index(start),
        format_func=lambda k: label(kinds[k]),
        help="\n\n".join(f"**{label(c)}**: {summary(c)}" for c in kinds.values()),
        # Other kinds to choose from make it another menu.
        key=f"{key}.kind:{start}" if start != value.kind else f"{key}.kind",
    )
    cls = kinds[kind]
    inner = value if type(value) is cls else cls()
    return {"kind": kind, **fields(inner, key=f"{key}:{kind}", on=on)}


def fields(value: Spec, *, key: str, on: Any = st) -> dict[str, Any]:
    """The widgets of all fields of a spec but its kind; what was chosen as plain JSON values by name."""
    chosen: dict[str, Any] = {}
    for name, about in type(value).model_fields.items():
        if name != "kind":
            fitting = value.fitting(name, chosen)
            chosen[name] = _draw(about, getattr(value, name), name, f"{key}.{name}", fitting, on)
    return chosen


def _rows(
    about: FieldInfo, item: type[Spec], value: tuple[Spec, ...], text: str, key: str, on: Any
) -> list[dict[str, Any]]:
    """A tuple of specs: how many, then one line of widgets each. New rows are like the last."""
    most = next((rule.max_length for rule in about.metadata if hasattr(rule, "max_length")), 50)
    count = on.number_input(text, 0, most, len(value), help=about.description, key=f"{key}#")
    rows = [*value, *([value[-1] if value else item()] * max(0, count - len(value)))][:count]
    drawn = []
    for number, row in enumerate(rows):
        columns = on.columns([2, 3], vertical_alignment="top", gap="small")
        plain = {}
        for place, (name, inner) in enumerate(type(row).model_fields.items()):
            with columns[place % len(columns)]:
                what = f"{name_of(inner, name)} {number + 1}"
                plain[name] = _draw(inner, getattr(row, name), what, f"{key}.{number}.{name}", on=on)
        drawn.append(plain)
    return drawn


def _value(about: FieldInfo, value: Any, text: str, key: str, on: Any) -> Any:
    annotation, extra = about.annotation, about.json_schema_extra
    help = about.description
    if isinstance(extra, dict) and extra.get("is_drawn"):
        return value  # by hand, in a picture
    if isinstance(annotation, UnionType):
        annotation = next(a for a in get_args(annotation) if a is not NoneType)
    if annotation is bool:
        return on.toggle(text, value, help=help, key=key)
    if get_origin(annotation) is Literal:
        choices = list(get_args(annotation))
        words = lambda c: str(c).replace("_", " ")  # noqa: E731
        return on.selectbox(text, choices, index=choices.index(value), format_func=words, help=help, key=key)
    if annotation is str:
        return on.text_input(text, value, help=help, key=key)
    bounds = limits(about)
    if isinstance(extra, dict) and extra.get("log"):
        if isinstance(on, WidgetReader):
            return log_numbers.read(value, key)
        return log_numbers.draw(text, bounds, value, help, key, on)
    if annotation is int:
        low, high = int(bounds.low or 0), int(bounds.high if bounds.high is not None else 2**31)
        widget = on.slider if high - low <= SLIDER_STEPS and value is not None else on.number_input
        return widget(text, low, high, value, help=help, key=key)
    return _fraction(text, bounds, value if value is None else float(value), help, key, on)


def _fraction(text: str, bounds: Limits, value: float | None, help: str | None, key: str, on: Any) -> float | None:
    """A number on a linear scale; open ends are moved in by one step of the slider. A wide range is typed in."""
    low, high = float(bounds.low or 0), float(bounds.high if bounds.high is not None else 1)
    if high - low > WIDE or value is None:
        return on.number_input(text, low, high, value, 0.1, format="%.4g", help=help, key=key)
    step = 10.0 ** math.floor(math.log10((high - low) / 50))
    low += step * bounds.low_open
    high -= step * bounds.high_open
    # A value between the slider's steps (0.999 from a link) gets finer steps.
    while step > 1e-6 and abs(round(value / step) * step - value) > 1e-9:
        step /= 10
    digits = max(0, -math.floor(math.log10(step)))
    return on.slider(text, low, max(high, value), value, step, format=f"%.{digits}f", help=help, key=key)
