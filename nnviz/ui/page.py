"""What a page is made of: values that say what is asked, what is drawn and where."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from nnviz.runs import RunView
from nnviz.runs.runset import EntryView
from nnviz.spec.base import Spec
from nnviz.spec.jobs import Job
from nnviz.spec.preset import Preset
from nnviz.spec.variants import MOST

Figure = dict | None
Draw = Callable[..., Figure]


@dataclass(frozen=True)
class Choice:
    """How a panel is drawn: a choice that changes no run, offered in the panel's card.

    `options` are values and the words for them; a function of the first job where they depend on it. The `default` is
    the first of them unless given. Panels that offer a `shared` choice of one name share its value.
    """

    name: str
    label: str
    options: Mapping[str, str] | Callable[[Job], Mapping[str, str]]
    default: str | None = None
    shared: bool = False
    meanings: Mapping[str, Any] | None = None
    """What the drawing function is given for each value; None: the value itself."""
    index_in: str = ""
    """The path of a list of the first job in which the value is a place: it follows its item when that moves."""

    def offered(self, job: Job) -> Mapping[str, str]:
        """The values and the words for them."""
        return self.options(job) if callable(self.options) else self.options


AXIS = Choice(
    "log",
    "Axis",
    {"auto": "auto", "linear": "linear", "log": "log"},
    meanings={"auto": None, "linear": False, "log": True},
)
"""The scale of an axis; `log` is None where the figure is to choose."""


def smoothing(default: float = 0.0) -> Choice:
    """How much a curve is smoothed: `smooth` is the weight of the past in an exponential mean."""
    weights = (0.0, 0.5, 0.8, 0.9, 0.95, 0.99)
    names = {f"{weight:g}": f"{weight:g}" if weight else "off" for weight in weights}
    return Choice("smooth", "Smoothing", names, f"{default:g}", meanings={f"{w:g}": w for w in weights})


@dataclass(frozen=True)
class Event:
    """Something that the viewer did in a picture: "pick" chooses a point, also while it is dragged; "stroke" draws a
    line through points. All are (x, y) in the picture's units."""

    kind: Literal["pick", "stroke"]
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Panel:
    """A picture of a page.

    `draw` makes a figure, or None where there is nothing of the kind: of the RunView of `part` where the panel is drawn
    for each entry, side by side on shared axes; of a mapping from entries' names to RunViews where it is drawn once
    for the set. It is given the values of `choices` by their names, and, if there is a `scale`, as `scale` what that
    makes of the RunViews of all entries and the choices, such as one scale of colors.
    """

    name: str
    draw: Draw
    title: str = ""
    """What stands over it until the figure brings its own title; else the name."""
    per: Literal["entry", "set"] = "entry"
    part: str = ""
    needs: tuple[str, ...] = ()
    """Quantities that it draws."""
    choices: tuple[Choice, ...] = ()
    on_event: Callable[[Event, Job], Job] | None = None
    """What the viewer does in the picture, as another job."""
    picks: Callable[[Event], Mapping[str, str]] | None = None
    """What the viewer picks in the picture, as values of its choices by their names."""
    height: int = 280
    has_axes: bool = True
    """Whether it has axes that entries side by side may share or have for their own."""
    is_map: bool = False
    """Whether its axes are those of what is looked at: at first only entries that look at the same share them."""
    scale: Callable[..., Any] | None = None
    companion: Callable[..., Job | str] | None = None
    """A job that is trained besides for each entry, whose run is `part`: made of the entry's job and the choices. Text:
    why there is none. `draw`, once for the set, is then given such texts by the entries' names as `missing`."""
    shows_all_steps: bool = False
    """Whether the picture holds all of the past, so that it is drawn from a run's newest records and the browser shows
    as much of it as the time slider says."""


Rows = Sequence[Sequence[str]]
Editor = Callable[..., dict[str, Any]]
"""Widgets of a field that the form does not draw by the field's own type: a function of the page's state, the first job
as this generation of the form started from it, and what was chosen before. It gives plain values by path."""


Replace = Callable[[Sequence[Spec], Sequence[int]], None]
"""Puts other items into a list; with each the place that it had before, −1 for a new one. Called in a callback."""


@dataclass(frozen=True)
class ListEditor:
    """Widgets of a field that is a list, the same for the first job and for variants. Their keys begin with `key`; they
    start from the items given."""

    draw: Callable[[Sequence[Any], str, Replace], list[dict[str, Any]]]
    """Draws the widgets of the items; plain values."""
    read: Callable[[Sequence[Any], str], list[dict[str, Any]]]
    """What the widgets hold now, drawn or not; plain values."""


@dataclass(frozen=True)
class JobsFromRuns:
    """Jobs made from runs, and remarks on them."""

    jobs: Sequence[Job]
    problems: Sequence[str] = ()


@dataclass(frozen=True)
class Page:
    """A page: what it starts from, the form, and the pictures.

    `groups` are titles and paths of the form's fields; an untitled group has no expander. `sections` are titles and
    rows of panels' names. Variants may differ in any field; `variant_fields` are offered first. A page that
    `starts_on` "click" trains when the viewer says so, one that starts on "change" computes what is asked for at once.
    """

    name: str
    title: str
    question: str
    default: Job
    examples: Sequence[Preset]
    groups: Mapping[str, Sequence[str]]
    panels: Sequence[Panel]
    sections: Mapping[str, Rows]
    opened: Sequence[str] = ()
    """Groups that are open at first."""
    variant_fields: Sequence[str] = ()
    max_variants: int = MOST
    links_to: Mapping[str, str] = field(default_factory=dict)
    """Files of other pages that what is shown can be taken to, by the words of a link."""
    starts_on: Literal["click", "change"] = "click"
    editors: Mapping[str, Editor] = field(default_factory=dict)
    """Widgets by path, for fields that need their own."""
    lists: Mapping[str, ListEditor] = field(default_factory=dict)
    """Widgets by path, for lists that need their own."""
    completed: Callable[[Job, Sequence[Job]], Job] = lambda job, _initial: job
    """Puts right what has no widgets: a job as the form has it, and those that the form started from."""
    remarks: Callable[[Sequence[Job]], Sequence[str]] | None = None
    """Remarks on the jobs in the form, shown beside it."""
    jobs_from_runs: Callable[[Sequence[str], Job], JobsFromRuns] | None = None
    """Makes jobs of runs of another kind, and of the first job as it is now; None: the page shows runs themselves.
    Raises RunError."""
    library: tuple[str, Job] | None = None
    """The words on the button that opens the table of earlier runs, and a job of their kind; None: the page's own."""
    steps: Callable[[Sequence[EntryView], Sequence[Job]], Sequence[int]] | None = None
    """Places of the time slider; None: the steps that have pictures."""
    controls: Callable[..., None] | None = None
    """Draws more buttons; a function of what is asked for and the entries' views."""
    status: Callable[[Sequence[EntryView]], str] | None = None
    """A line on how it stands, in Markdown; None: state and step of each run."""
    note: Callable[[Sequence[EntryView]], str] | None = None
    """A note under the pictures."""
    while_dragged: Callable[[Job, int], Job] = lambda job, _steps: job
    """The job while something is dragged: at most so many steps of it."""

    def panel(self, name: str) -> Panel:
        """The panel of this name."""
        return next(panel for panel in self.panels if panel.name == name)

    @property
    def tabs(self) -> Mapping[str, Rows]:
        """The sections and, of several, all of them together."""
        if len(self.sections) < 2:
            return self.sections
        return {**self.sections, ALL: [row for rows in self.sections.values() for row in rows]}


ALL = "All"
"""The title of all sections together."""

__all__ = [
    "ALL",
    "AXIS",
    "Choice",
    "Draw",
    "Editor",
    "Event",
    "Figure",
    "JobsFromRuns",
    "ListEditor",
    "Page",
    "Panel",
    "RunView",
    "smoothing",
]
