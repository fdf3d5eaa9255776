"""What lasts as long as a browser session: the one file that touches Streamlit's session state and the address.

A page's state is its jobs as JSON, the ids of the runs that it shows and a generation number, under which its widgets
are drawn: a new generation starts them all from the jobs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from nnviz.spec.jobs import Job, SpecError, dump, load
from nnviz.spec.wording import without_parent
from nnviz.ui import links


def memory(key: str) -> dict[str, Any]:
    """A dict that this session keeps under `key` between reruns; the same object at each call, empty at first.

    It is not a widget's value, so it survives page changes. Keep plain values in it (numbers, text, lists of them),
    never specs or arrays: their classes are replaced by a hot reload.
    """
    return st.session_state.setdefault(f"_nnviz_memory:{key}", {})


def value(key: str, default: Any = None) -> Any:
    """What the browser last sent for the widget or component with this `key`; `default` before it was first drawn."""
    return st.session_state.get(key, default)


def put(key: str, value: Any) -> None:
    """Gives the widget with this `key` another value; before it is drawn, or in a callback."""
    st.session_state[key] = value


def arrive(page: st.Page) -> None:
    """The session is on this page from now on."""
    memory("here")["shown"] = page


def place() -> str:
    """Where the session is: what `go_back` compares."""
    shown = memory("here").get("shown")
    return shown.url_path if shown else ""


def go_back(drawn_at: str) -> None:
    """In a callback of something that was drawn at `drawn_at`: draws the page that the session is on anew if that is
    another one.

    Until the browser has heard of the new page, it sends what a part of the old one asks as if that were still there.
    Streamlit runs it after the new page, as a part of the old one, for which it clears the browser's page, and finds
    nothing to draw there.
    """
    if drawn_at != place():
        st.switch_page(memory("here")["shown"])


_FROM = "from"
"""The parameter of an address under which another page hands runs over."""


def handing(runs: Iterable[str]) -> dict[str, str]:
    """The parameters of a link to another page that hands runs over to it, also where that page has been before."""
    return {_FROM: ",".join(runs)}


def handed(page: str) -> list[str]:
    """The runs that another page has given to this one; once."""
    return memory(f"handed:{page}").pop("runs", [])


@dataclass
class PageState:
    """A page in this session; what is set on it lasts."""

    page: str
    default: Job = field(repr=False)

    @property
    def _kept(self) -> dict[str, Any]:
        return memory(f"page:{self.page}")

    @property
    def key(self) -> str:
        """Prefix of the keys of the page's widgets in this generation."""
        return f"{self.page}:{self._kept['generation']}"

    @property
    def jobs(self) -> list[Job]:
        """The jobs that the form of this generation started from, or those set since."""
        try:
            return [load(text) for text in self._kept["jobs"]]
        except SpecError:  # written by an older version of the app under the same session
            return [self.default]

    @property
    def chosen(self) -> list[Job]:
        """The jobs as the form had them last."""
        try:
            return [load(text) for text in self._kept.get("chosen", self._kept["jobs"])]
        except SpecError:  # as above
            return [self.default]

    @property
    def runs(self) -> list[str]:
        """Ids of the runs shown."""
        return list(self._kept["runs"])

    @runs.setter
    def runs(self, ids: Sequence[str]) -> None:
        self._kept["runs"] = list(ids)

    @property
    def drawn_with(self) -> dict[str, Any]:
        """What the page outside of its refreshing part is drawn with: the values of its widgets, and whether its table
        of runs is open."""
        kept, form = st.session_state.to_dict(), (f"{self.key}.", f"{self.key}:", *memory("choices"))
        values = {
            key: getattr(kept[key], "file_id", kept[key])
            for key in kept
            if str(key).startswith(form) and not str(key).endswith(":open")  # a button, true for one run
        }
        return {**values, "generation": self.key, "table": memory(f"library:{self.page}").get("open", False)}

    def is_outdated(self, drawn: Mapping[str, Any]) -> bool:
        """Whether the page is drawn with something else by now.

        Where the board asks for something in the moment in which a widget of the page is changed, Streamlit's browser
        side sends both as if they belonged to the board's part of the page, and only that part is run.
        """
        now = self.drawn_with
        return any(key in now and now[key] != value for key, value in drawn.items())

    @property
    def names_only_runs(self) -> bool:
        """Whether the page was opened by an address that names runs but no settings; true once."""
        return self._kept.pop("names_only_runs", False)

    @property
    def problems(self) -> list[str]:
        """What is wrong with what was asked, one line each, until something else is asked."""
        return self._kept["problems"]

    def check(self, job: Job) -> Job:
        """The job, if it is of the page's kind. Raises SpecError."""
        if type(job) is not type(self.default):
            raise SpecError(f"the page shows jobs of kind {self.default.kind}, got {job.kind}: open it on another page")
        return job

    def restart(self, jobs: Sequence[Job], *, runs: Sequence[str] = (), problems: Sequence[str] = ()) -> None:
        """Draws the form anew from these jobs, as experiments of their own where they went on from a run."""
        kept = self._kept
        kept.update(jobs=[dump(without_parent(job)) for job in jobs], runs=list(runs), problems=list(problems))
        kept.pop("chosen", None)
        kept["generation"] = kept.get("generation", 0) + 1

    def remember(self, jobs: Sequence[Job], *, runs: bool = True) -> None:
        """The jobs as the form has them now, for when the page is come back to; and as the address, with the runs
        shown unless they are made again from the jobs in no time."""
        self._kept["chosen"] = [dump(job) for job in jobs]
        wanted = links.query(jobs, self.default, self.runs if runs else ())
        if wanted != st.query_params.to_dict():
            st.query_params.from_dict(wanted)

    @property
    def link(self) -> str:
        """The address of what is shown, without the runs: it opens the same experiment anywhere, now and later."""
        return links.address(str(st.context.url or ""), links.shared(self.chosen, self.default))


def enter(page: str, default: Job) -> PageState:
    """The page's state: from the address when the session first comes here, else as it was left."""
    state = PageState(page, default)
    kept = memory(f"page:{page}")
    here = memory("here")
    if given := st.query_params.pop(_FROM, ""):
        memory(f"handed:{page}")["runs"] = given.split(",")
    if not kept:
        jobs, runs, problems = links.read(st.query_params.to_dict(), default)
        state.restart(jobs, runs=runs, problems=problems)
        kept["names_only_runs"] = bool(runs) and jobs == [default] and not problems
    elif here.get("page") != page:
        # Streamlit forgets the widgets of a page that is left.
        kept["jobs"] = kept.get("chosen", kept["jobs"])
        kept["generation"] += 1
    here["page"] = page
    return state
