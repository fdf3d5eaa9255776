"""The form of variants: below that of the first job an expander for each further one, with what it differs in."""

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated, Any

import streamlit as st
from pydantic import TypeAdapter, ValidationError

from nnviz.spec.base import Spec, SpecError, get_at, label
from nnviz.spec.jobs import Job
from nnviz.spec.variant_fields import offered
from nnviz.spec.variants import LETTERS, Applied, Variant, apply, at
from nnviz.spec.wording import in_words, name
from nnviz.ui.buttons import button
from nnviz.ui.form import spec_widgets
from nnviz.ui.page import ListEditor
from nnviz.ui.session import stored, value

Make = Callable[[list[Variant]], list[Variant]]


def variants(
    first: Job,
    current: Sequence[Variant],
    *,
    offered_first: Sequence[str],
    max_jobs: int,
    key: str,
    change: Callable[[list[Variant]], None],
    lists: Mapping[str, ListEditor] = MappingProxyType({}),
) -> list[Variant]:
    """Draws the variants of `first`; each as its widgets have it now.

    `current` are those that this returned, or gave to `change`, last. `change` is called in a callback when a variant
    or a difference is added or removed, with all the rest as the widgets have it then. `offered_first` are the paths
    that are offered as differences before all others. `max_jobs` counts the first job too. `key` names the set of
    widgets: under a new one all start from `current`. `lists` are the widgets of lists that need their own, by path. A
    difference that does not apply to `first` as it is now stays, with the reason.
    """
    form = _Form(first, current, tuple(offered_first), max_jobs, key, change, lists)
    drawn: set[str] = set()
    found = [_variant(form, place, drawn) for place in range(len(current))]
    for undrawn in form.starts.keys() - drawn:  # its widgets, which Streamlit forgets, will start from `current` again
        del form.starts[undrawn]
    add = form.callback(lambda now: [*now, _new_variant(form, now[-1].differences if now else {})])
    help = f"At most {max_jobs} side by side." if form.is_full else "Adds a copy of the last one."
    _button(form, "Add a variant", add, "add", icon=":material/add:", disabled=form.is_full, help=help, width="stretch")
    return found


@dataclass
class WidgetMemory:
    """What lasts of the widgets of a form's variants."""

    starts: dict[str, Any] = field(default_factory=dict)
    opened: dict[str, bool] = field(default_factory=dict)
    added: dict[str, int] = field(default_factory=dict)
    """How many differences have been added, by variant."""
    replaced: dict[str, int] = field(default_factory=dict)
    """How often a list has been given other items, by variant and path: each time it has other widgets."""


@dataclass(frozen=True)
class _Form:
    """What all variants of a form have in common."""

    first: Job
    current: Sequence[Variant]
    offered_first: tuple[str, ...]
    max_jobs: int
    key: str
    change: Callable[[list[Variant]], None]
    lists: Mapping[str, ListEditor]

    @property
    def is_full(self) -> bool:
        return 1 + len(self.current) >= self.max_jobs

    @property
    def starts(self) -> dict[str, Any]:
        """What widgets started from, by variant and path: given another start they would be other widgets."""
        return stored(WidgetMemory, self.key).starts

    @property
    def opened(self) -> dict[str, bool]:
        """Variants that were added here, which are open at first."""
        return stored(WidgetMemory, self.key).opened

    def callback(self, make: Make) -> Callable[[], None]:
        """A callback that changes the variants to what `make` makes of them as they are then."""
        return lambda: self.change(make([Variant(v.id, _read(self, v)) for v in self.current]))


def _new_variant(form: _Form, differences: Mapping[str, Any]) -> Variant:
    variant = Variant(secrets.token_hex(4), dict(differences))
    form.opened[variant.id] = True
    return variant


def _variant(form: _Form, place: int, drawn: set[str]) -> Variant:
    """One expander; `drawn` is told which of its fields have widgets."""
    variant = form.current[place]
    now = _read(form, variant)
    applied, found = apply(form.first, now), dict(now)
    title = f"**{LETTERS[place + 1]}** · {_escaped(name(applied.job, form.first)) or 'same as A'}"
    own = f"{form.key}:{variant.id}"
    with st.expander(title, expanded=form.opened.get(variant.id, False), key=f"{own}:expander"):
        for path, plain in now.items():
            with st.container(horizontal=True, gap="xxsmall", key=f"{own}:row:{path}"):
                with st.container(gap="xxsmall"):
                    if has_widgets := _has_widgets(applied.job, path, plain):
                        start = form.starts.setdefault(f"{variant.id}:{path}", variant.differences[path])
                        drawn.add(f"{variant.id}:{path}")
                        found[path] = _field(form, variant.id, applied.job, path, start, now)
                    _draw_note(applied, path, plain, has_widgets)
                without = form.callback(
                    lambda now, path=path: _with_differences(now, place, _without_path(now[place].differences, path))
                )
                help = "Remove this difference"
                _button(form, ":material/close:", without, f"{variant.id}:{path}:less", type="tertiary", help=help)
        for path in applied.completed:
            st.caption(f"Adjusted to fit: {_escaped(in_words(applied.job, path))}")
        _add_menu(form, place, applied.job, now)
        with st.container(horizontal=True, gap="xsmall"):
            copy = form.callback(lambda now: [*now, _new_variant(form, now[place].differences)])
            remove = form.callback(lambda now: [*now[:place], *now[place + 1 :]])
            full = form.is_full
            _button(form, "Copy", copy, f"{variant.id}:copy", icon=":material/content_copy:", disabled=full)
            _button(form, "Remove", remove, f"{variant.id}:remove", icon=":material/delete:")
    return Variant(variant.id, found)


def _add_menu(form: _Form, place: int, job: Job, now: Mapping[str, Any]) -> None:
    """A menu of all fields that are not among the differences yet; to choose one is to add it."""
    known = offered(job)
    free = [
        path
        for path in dict.fromkeys((*form.offered_first, *known))
        if path in known and not any(f"{path}.".startswith(f"{taken}.") for taken in now)
    ]
    own = form.current[place].id
    added = stored(WidgetMemory, form.key).added
    count = added.get(own, 0)
    menu = f"{form.key}:{own}:offer:{count}"  # empty again after each choice

    def choose() -> None:
        path = value(menu)
        if path is None or added.get(own, 0) != count:
            return  # nothing is chosen, or Streamlit says it a second time
        added[own] = count + 1
        form.callback(lambda now: _with_differences(now, place, _with_path(form.first, now[place].differences, path)))()

    st.selectbox(
        "Add a difference",
        free,
        index=None,
        format_func=known.__getitem__,
        placeholder="Add a difference …",
        label_visibility="collapsed",
        key=menu,
        on_change=choose,
    )


def _with_differences(now: Sequence[Variant], place: int, differences: Mapping[str, Any]) -> list[Variant]:
    return [*now[:place], Variant(now[place].id, differences), *now[place + 1 :]]


def _without_path(differences: Mapping[str, Any], path: str) -> dict[str, Any]:
    return {other: plain for other, plain in differences.items() if other != path}


def _with_path(first: Job, differences: Mapping[str, Any], path: str) -> dict[str, Any]:
    """With the field at `path` as a difference, which starts as it is: with the differences within it for its own."""
    plain = at(apply(first, differences).job.model_dump(mode="json"), path)
    return {other: own for other, own in differences.items() if not other.startswith(f"{path}.")} | {path: plain}


def _read(form: _Form, variant: Variant) -> dict[str, Any]:
    """The differences as their widgets have them now, drawn or not."""
    job, now = apply(form.first, variant.differences).job, dict(variant.differences)
    for _ in range(2):  # what a loss can be depends on data that may come after it
        for path, plain in variant.differences.items():
            start = form.starts.get(f"{variant.id}:{path}", plain)
            if _has_widgets(job, path, plain):
                now[path] = _field(form, variant.id, job, path, start, now, spec_widgets.WidgetReader())
    return now


def _field(form: _Form, variant: str, job: Job, path: str, start: Any, now: Mapping[str, Any], on: Any = st) -> Any:
    begin = _parsed(job, path, start)
    if path in form.lists:
        return _list(form, variant, path, begin, on)
    return spec_widgets.field(job, path, key=f"{form.key}:{variant}", chosen=now, value=begin, on=on)


def _list(form: _Form, variant: str, path: str, begin: Sequence[Any], on: Any) -> list[Any]:
    editor, name, replaced = form.lists[path], f"{variant}:{path}", stored(WidgetMemory, form.key).replaced
    key = f"{form.key}:{name}:{replaced.get(name, 0)}"

    def replace(items: Sequence[Spec], _places: Sequence[int]) -> None:
        plain = [item.model_dump(mode="json") for item in items]
        form.callback(
            lambda now: [Variant(v.id, {**v.differences, path: plain}) if v.id == variant else v for v in now]
        )()
        form.starts.pop(name, None)
        replaced[name] = replaced.get(name, 0) + 1

    return editor.draw(begin, key, replace) if on is st else editor.read(begin, key)


def _has_widgets(job: Job, path: str, plain: Any) -> bool:
    """Whether the form has widgets for the field, and they can be given this value."""
    if path not in offered(job):
        return False
    try:
        _parsed(job, path, plain)
    except ValidationError:
        return False
    parent, _, last = path.rpartition(".")
    fitting = get_at(job, parent).fitting(last, {})
    return fitting is None or not isinstance(plain, dict) or plain.get("kind") in fitting


def _parsed(job: Job, path: str, plain: Any) -> Any:
    """The value of the field that plain JSON values stand for."""
    parent, _, last = path.rpartition(".")
    return _parser(type(get_at(job, parent)), last).validate_python(plain)


@lru_cache(maxsize=512)
def _parser(owner: type[Spec], field: str) -> TypeAdapter:
    about = owner.model_fields[field]
    return TypeAdapter(Annotated[about.annotation, about])


def _draw_note(applied: Applied, path: str, plain: Any, has_widgets: bool) -> None:
    """What a field without widgets is, and why a difference does not apply."""
    if path in applied.left:
        reason = _escaped(_missing(applied.job, path) or applied.left[path])
        begin = "Does" if has_widgets else f"**{_escaped(_words(path, plain))}** does"
        st.caption(f"{begin} not apply: {reason}")
    elif path not in offered(applied.job):
        st.caption(_escaped(in_words(applied.job, path)))


def _missing(job: Job, path: str) -> str:
    """Why there is no such field."""
    owner: Any = job
    for part in path.split("."):
        if isinstance(owner, Spec) and part not in type(owner).model_fields:
            return f"{label(type(owner))} has no {part.replace('_', ' ')}"
        try:
            owner = get_at(owner, part) if isinstance(owner, Spec) else None
        except SpecError:
            return ""
    return ""


def _words(path: str, plain: Any) -> str:
    """A difference where there is no field that could say it: "momentum 0.9"."""
    match plain:
        case bool():
            words = "on" if plain else "off"
        case dict():
            words = str(plain.get("kind", ""))
        case list() | None:
            words = ""
        case float():
            words = f"{plain:g}"
        case _:
            words = str(plain)
    return f"{path.rsplit('.', 1)[-1]} {words}".replace("_", " ").strip()


def _escaped(text: str) -> str:
    """As Markdown that shows the text itself."""
    return re.sub(r"([\\`*_\[\]$:~<>#|])", r"\\\1", text)


def _button(form: _Form, text: str, act: Callable[[], None], about: str, **options: Any) -> None:
    button(text, act, key=f"{form.key}:{about}", **options)
