"""What lasts as long as a browser session: the one file that touches Streamlit's session state and the address.

A page's state is its first job as JSON, what its variants differ in, the ids of the runs that it shows and a generation
number, under which its widgets are drawn: a new generation starts them all from the jobs.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

import streamlit as st

from nnviz.runs.runset import RunSetState
from nnviz.spec.jobs import Job, SpecError, dump, load
from nnviz.spec.variants import Variant, apply, differing
from nnviz.spec.wording import without_parent
from nnviz.ui import links, runtime

S = TypeVar("S")

FIRST = "a"
"""The permanent id of the first job's entry."""


def stored(cls: type[S], key: str = "") -> S:
    """The state of this class that the session keeps under `key` between reruns, as made by `cls()` at first.

    It is not a widget's value, so it survives page changes. Its fields hold plain values, never specs or arrays: their
    classes are replaced by a hot reload.
    """
    name = f"_nnviz:{cls.__qualname__}:{key}"
    found = st.session_state.get(name)
    if type(found) is not cls:
        was = {f.name: getattr(found, f.name) for f in fields(cls) if hasattr(found, f.name)}
        found = st.session_state[name] = cls(**was)
    return found


def memory(key: str) -> dict[str, Any]:
    """A dict of plain values that this session keeps under `key` between reruns; empty at first."""
    return st.session_state.setdefault(f"_nnviz_memory:{key}", {})


def value(key: str, default: Any = None) -> Any:
    """What the browser last sent for the widget or component with this `key`; `default` before it was first drawn."""
    return st.session_state.get(key, default)


def set_value(key: str, value: Any) -> None:
    """Gives the widget with this `key` another value; before it is drawn, or in a callback."""
    st.session_state[key] = value


@dataclass
class AppState:
    """Where the session is, and what holds on all pages."""

    shown: Any = None
    """The st.Page that the session is on."""
    page: str = ""
    """The name of the page drawn last."""
    is_framed: bool = False
    """Whether this run of the script has drawn the frame around its page."""
    rate: str = "default"
    """How often pictures are drawn while a run is live."""


def app_state() -> AppState:
    """Where this session is."""
    return stored(AppState)


def arrive(page: st.Page) -> None:
    """The session is on this page from now on."""
    app_state().shown = page


def current_url_path() -> str:
    """Where the session is: what `redraw_if_page_changed` compares."""
    shown = app_state().shown
    return shown.url_path if shown else ""


def redraw_if_page_changed(drawn_at: str) -> None:
    """In a callback of something that was drawn at `drawn_at`: draws the page that the session is on anew if that is
    another one.

    Until the browser has heard of the new page, it sends what a part of the old one asks as if that were still there.
    Streamlit runs it after the new page, as a part of the old one, for which it clears the browser's page, and finds
    nothing to draw there.
    """
    if drawn_at != current_url_path():
        st.switch_page(app_state().shown)


_FROM = "from"
"""The parameter of an address under which another page hands runs over."""
_SECTION, _VIEW = "section", "view."
"""The parameter that names the open section, and what comes before the names of panels' choices."""


def runs_parameter(runs: Iterable[str]) -> dict[str, str]:
    """The parameters of a link to another page that hands runs over to it, also where that page has been before."""
    return {_FROM: ",".join(runs)}


@dataclass
class RunTable:
    """The table of earlier runs on a page."""

    is_open: bool = False
    lines: list[str] | None = None
    """Runs in the lines that they had when the table was opened."""
    changes: int = 0
    """How often lines have gone: under a new number nothing is ticked."""
    problems: list[str] = field(default_factory=list)


@dataclass
class StoredPage:
    """What a session keeps of a page."""

    first: str = ""
    """The first job as JSON, as the form of this generation started from it."""
    variants: list[dict[str, Any]] = field(default_factory=list)
    """Ids and differences of the others."""
    initial_variants: list[dict[str, Any]] = field(default_factory=list)
    """The variants as the form of this generation started from them."""
    current_first: str = ""
    """The first job as the form had it last; empty as long as it has not been drawn."""
    generation: int = 0
    problems: list[str] = field(default_factory=list)
    linked_runs: list[str] = field(default_factory=list)
    """Runs that the address named when the page was opened."""
    links_only_runs: bool = False
    received_runs: list[str] = field(default_factory=list)
    """Runs that another page has given to this one."""
    starts: bool = False
    """Whether what is asked for is to be started at once."""
    example: str = ""
    """The title of the example that the form has come from."""
    example_generation: int = 0
    section: str = ""
    choices: dict[str, str] = field(default_factory=dict)
    """Values of panels' choices that are not the default."""
    dragged: dict[str, str] = field(default_factory=dict)
    """The "entry" and the "job", as JSON, that something dragged in a picture stands for now."""
    problem: str = ""
    """What went wrong with the last click on a button."""
    rejected: dict[str | bytes, str] = field(default_factory=dict)
    """What is wrong with the JSON that was to be opened last, by its content."""
    needs_redraw: bool = False
    """Whether something was changed in a picture that the whole page must show."""
    seconds_per_step: float = 0.0
    """Seconds that a step takes, as far as known."""
    run_set_state: RunSetState = field(default_factory=RunSetState)
    table: RunTable = field(default_factory=RunTable)


@dataclass
class PageState:
    """A page in this session; what is set on it lasts."""

    page: str
    default: Job = field(repr=False)

    @property
    def stored(self) -> StoredPage:
        """What lasts."""
        return stored(StoredPage, self.page)

    @property
    def key(self) -> str:
        """Prefix of the keys of the page's widgets in this generation."""
        return f"{self.page}:{self.stored.generation}"

    @property
    def first(self) -> Job:
        """The first job, as the form of this generation started from it."""
        return self._load(self.stored.first)

    @property
    def initial_jobs(self) -> list[Job]:
        """The jobs as the form of this generation started from them."""
        return list(
            self.jobs(
                self.first, [Variant(one["id"], one["differences"]) for one in self.stored.initial_variants]
            ).values()
        )

    @property
    def variants(self) -> list[Variant]:
        """What the others differ in, as far as the form has come."""
        return [Variant(one["id"], dict(one["differences"])) for one in self.stored.variants]

    @variants.setter
    def variants(self, variants: Sequence[Variant]) -> None:
        self.stored.variants = [{"id": v.id, "differences": dict(v.differences)} for v in variants]

    @property
    def current_jobs(self) -> dict[str, Job]:
        """The jobs by entry as the form had them last."""
        return self.jobs(self._load(self.stored.current_first or self.stored.first), self.variants)

    @staticmethod
    def jobs(first: Job, variants: Sequence[Variant]) -> dict[str, Job]:
        """The jobs by entry; what does not apply is left out."""
        return {FIRST: first} | {variant.id: apply(first, variant.differences).job for variant in variants}

    def _load(self, text: str) -> Job:
        try:
            return load(text)
        except SpecError:  # written by an older version of the app under the same session
            return self.default

    @property
    def runs(self) -> list[str]:
        """Ids of the runs shown, without those that are trained besides an entry's own."""
        entries = self.stored.run_set_state.entries.values()
        return list(dict.fromkeys(own[part] for own in entries for part in ([""] if "" in own else own)))

    @property
    def form_state(self) -> dict[str, Any]:
        """What the page outside of its refreshing part is drawn with: the values of its widgets, which differences
        its variants have, and whether its table of runs is open."""
        state, form = st.session_state.to_dict(), (f"{self.key}.", f"{self.key}:", "drawing-rate")
        values = {key: getattr(state[key], "file_id", state[key]) for key in state if str(key).startswith(form)}
        variants = [(variant.id, sorted(variant.differences)) for variant in self.variants]
        return {**values, "generation": self.key, "variants": variants, "table": self.stored.table.is_open}

    def is_outdated(self, drawn: Mapping[str, Any]) -> bool:
        """Whether the page is drawn with something else by now.

        Where the board asks for something in the moment in which a widget of the page is changed, Streamlit's browser
        side sends both as if they belonged to the board's part of the page, and only that part is run.
        """
        now = self.form_state
        return any(key in now and now[key] != value for key, value in drawn.items())

    @property
    def problems(self) -> list[str]:
        """What is wrong with the settings or the link, one line each, until they change."""
        return self.stored.problems

    def check(self, job: Job) -> Job:
        """The job, if it is of the page's kind. Raises SpecError."""
        if job.shown_as != self.default.shown_as:
            kinds = f"{self.default.shown_as}, got {job.shown_as}"
            raise SpecError(f"the page shows jobs of kind {kinds}: open it on another page")
        return job

    def restart(
        self,
        jobs: Sequence[Job],
        *,
        runs: Sequence[str] = (),
        problems: Sequence[str] = (),
        unused: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """Draws the form anew from these jobs, as experiments of their own where they went on from a run; shows these
        runs of theirs, if any. `unused` are differences of the further jobs that do not apply at present."""
        first, *others = (without_parent(job) for job in jobs)
        stored = self.stored
        stored.first, stored.current_first, stored.problems, stored.dragged = dump(first), "", list(problems), {}
        more = [*unused, *({} for _ in others)]
        self.variants = [
            Variant(secrets.token_hex(3), {**differing(other, first), **besides})
            for other, besides in zip(others, more, strict=False)
        ]
        stored.initial_variants = stored.variants
        entries = [FIRST, *(variant.id for variant in self.variants)]
        stored.run_set_state.entries = {id: {"": run} for id, run in zip(entries, runs, strict=False)}
        stored.generation += 1

    def with_changes(self, first: Job, variants: Sequence[Variant]) -> None:
        """Draws the form anew from jobs that were made of its own; the example that it has come from, and what is
        shown, stay the same."""
        stored = self.stored
        stays = stored.example_generation == stored.generation
        stored.first, stored.current_first, stored.dragged, self.variants = dump(first), "", {}, variants
        stored.initial_variants = stored.variants
        stored.generation += 1
        if stays:
            stored.example_generation = stored.generation

    def remember(self, first: Job, variants: Sequence[Variant]) -> None:
        """The jobs as the form has them now, for when the page is come back to."""
        self.stored.current_first, self.variants = dump(first), variants

    def set_first_values(self, changed: Mapping[str, Any]) -> None:
        """The first job's widgets get other values; in a callback."""
        for path, value in changed.items():
            set_value(f"{self.key}:{path}", value)

    def set_variant_values(self, variant: Variant, changed: Mapping[str, Any]) -> None:
        """A variant gets more differences, or other values of those that it has; in a callback."""
        for path in variant.differences.keys() & changed:  # they have widgets, which do not start again
            set_value(f"{self.key}:{variant.id}:{path}", changed[path])
        more = {**variant.differences, **changed}
        self.variants = [Variant(one.id, more) if one.id == variant.id else one for one in self.variants]

    @property
    def _for_links(self) -> dict[str, Any]:
        """What all links are made with besides the jobs."""
        first = self._load(self.stored.current_first or self.stored.first)
        own = [variant.differences for variant in self.variants]
        unused = [{path: values[path] for path in apply(first, values).left} for values in own]
        return {"keep": runtime.store().keep_draft, "unused": unused}

    def update_address(self, *, runs: bool) -> None:
        """Makes the address one of what the form asks for, and of the runs shown."""
        shown = self.runs if runs else ()
        wanted = links.query(list(self.current_jobs.values()), self.default, shown, **self._for_links) | self._view
        if wanted != st.query_params.to_dict():
            st.query_params.from_dict(wanted)

    @property
    def _view(self) -> dict[str, str]:
        """The open section and the panels' choices, as parameters of a link."""
        stored = self.stored
        return {_VIEW + name: value for name, value in stored.choices.items()} | (
            {_SECTION: stored.section} if stored.section else {}
        )

    @property
    def link(self) -> str:
        """The address of what is shown, without the runs: it opens the same jobs anywhere, now and later."""
        parameters = links.shared(list(self.current_jobs.values()), self.default, **self._for_links) | self._view
        return links.address(str(st.context.url or ""), parameters)


def open_page(page: str, default: Job) -> PageState:
    """The page's state: from the address when the session first comes here, else as it was left."""
    state = PageState(page, default)
    mine = state.stored
    if given := st.query_params.pop(_FROM, ""):
        mine.received_runs = given.split(",")
    if not mine.generation:
        parameters = st.query_params.to_dict()
        mine.section = parameters.pop(_SECTION, "")
        for name in [name for name in parameters if name.startswith(_VIEW)]:
            mine.choices[name.removeprefix(_VIEW)] = parameters.pop(name)
        jobs, runs, problems = links.read(parameters, default, find=runtime.store().draft)
        state.restart(jobs, runs=runs, problems=problems, unused=links.unused(parameters))
        mine.linked_runs, mine.links_only_runs = runs, bool(runs) and jobs == [default] and not problems
    elif app_state().page != page:
        # Streamlit forgets the widgets of a page that is left.
        mine.first, mine.initial_variants = mine.current_first or mine.first, mine.variants
        mine.generation += 1
    app_state().page = page
    return state
