"""Panels drawn for up to eight entries: names, rows, shared axes, and the choices in their cards."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nnviz import figures
from nnviz.runs import RunView
from nnviz.runs.runset import EntryView
from nnviz.spec.jobs import Job
from nnviz.spec.variants import LETTERS
from nnviz.ui.page import Choice, Figure, Page, Panel, Rows

AXES = Choice("axes", "Axes side by side", {"shared": "shared", "own": "own"})
"""Offered by every panel that is drawn for several entries."""

COLUMNS = 4
"""Pictures in a row, at most."""


@dataclass(frozen=True)
class PageView:
    """What a page shows now: its entries, what tells them apart in words, and the values of all choices."""

    page: Page
    entries: Sequence[EntryView]
    words: Sequence[str]
    job: Job
    """The first job, which options of choices go by."""
    chosen: Mapping[str, str]

    @property
    def letters(self) -> Sequence[str]:
        """What the entries are called; one alone is not called anything."""
        return LETTERS[: len(self.entries)] if len(self.entries) > 1 else ("",) * len(self.entries)

    @property
    def names(self) -> list[str]:
        """Letters with what tells the entries apart: "B · batch norm"."""
        return [" · ".join(filter(None, pair)) for pair in zip(self.letters, self.words, strict=True)]

    def rows(self, rows: Rows) -> list[list[str]]:
        """The rows of a section: of several entries every panel of one gets rows of its own."""
        if len(self.entries) < 2:
            return [list(row) for row in rows]
        wide: list[list[str]] = []
        for row in rows:
            together = [name for name in row if self.page.panel(name).per == "set"]
            wide += [together] if together else []
            for name in row:
                if name not in together:
                    own = self.figures_of(self.page.panel(name))
                    wide += [own[at : at + COLUMNS] for at in range(0, len(own), COLUMNS)]
        return wide

    def figures_of(self, panel: Panel) -> list[str]:
        """The names of a panel's figures."""
        if panel.per == "set" or len(self.entries) < 2:
            return [panel.name]
        return [f"{panel.name} {letter}" for letter in self.letters]

    @property
    def by_figure(self) -> dict[str, Panel]:
        """All figures' panels, by the figures' names."""
        return {name: panel for panel in self.page.panels for name in self.figures_of(panel)}

    @property
    def titles(self) -> dict[str, str]:
        """What stands over pictures until they come with titles of their own."""
        found = {}
        for panel in self.page.panels:
            title = panel.title or f"{panel.name[:1].upper()}{panel.name[1:]}"
            for name, letter in zip(self.figures_of(panel), self.letters, strict=False):
                found[name] = f"{letter} · {title}" if panel.per == "entry" and letter else title
        return found

    @property
    def heights(self) -> dict[str, int]:
        """Pixels by the figures' names."""
        return {name: panel.height for name, panel in self.by_figure.items()}

    def choices_of(self, panel: Panel) -> tuple[Choice, ...]:
        """What can be chosen in a panel's card."""
        is_side_by_side = panel.per == "entry" and panel.has_axes and len(self.entries) > 1
        return (*panel.choices, self.axes(panel)) if is_side_by_side else panel.choices

    def axes(self, panel: Panel) -> Choice:
        """Whether the entries' pictures have the same axes."""
        is_of_one = not panel.is_map or len({entry.job.subject for entry in self.entries}) == 1
        return AXES if is_of_one else replace(AXES, default="own")

    def value(self, panel: Panel, choice: Choice) -> str:
        """The value of a choice."""
        offered = choice.offered(self.job)
        default = next(iter(offered), "") if choice.default is None else choice.default
        value = self.chosen.get(key_of(panel, choice), default)
        return value if value in offered else default

    def values(self, panel: Panel) -> dict[str, Any]:
        """What the values of a panel's own choices mean, by the choices' names."""
        found = {}
        for choice in panel.choices:
            value = self.value(panel, choice)
            found[choice.name] = value if choice.meanings is None else choice.meanings[value]
        return found

    def companions(self) -> dict[str, dict[str, Job]]:
        """Jobs that are trained besides, by entry and part: of those entries whose own run has begun to train."""
        found: dict[str, dict[str, Job]] = {entry.id: {} for entry in self.entries}
        for panel in self.page.panels:
            for entry in self.entries if panel.companion else ():
                own = entry.runs.get("")
                job = panel.companion(entry.job, **self.values(panel)) if own and own.status.step else ""
                if not isinstance(job, str):
                    found[entry.id][panel.part] = job
        return found

    def missing_companions(self, panel: Panel) -> dict[str, str]:
        """Why entries have no run of a panel's companion, by their names; "" where it is still to come."""
        found = {}
        for name, entry in zip(self.names, self.entries, strict=True):
            if entry.run(panel.part) is None:
                job = panel.companion(entry.job, **self.values(panel))
                found[name] = job if isinstance(job, str) else ""
        return found

    @property
    def offers(self) -> dict[str, list[dict[str, Any]]]:
        """The choices as the board takes them, by the figures' names."""
        return {
            name: [
                {
                    "name": choice.name,
                    "label": choice.label,
                    "options": dict(choice.offered(self.job)),
                    "value": self.value(panel, choice),
                }
                for choice in self.choices_of(panel)
                if len(choice.offered(self.job)) > 1
            ]
            for name, panel in self.by_figure.items()
        }


def key_of(panel: Panel, choice: Choice) -> str:
    """What a choice's value is kept under."""
    return choice.name if choice.shared else f"{panel.name}.{choice.name}"


class Pictures(Mapping[str, dict]):
    """The figures of what is shown at a step, each made when it is asked for."""

    def __init__(self, page_view: PageView, step: int | None) -> None:
        self._page_view, self._step = page_view, step
        self._panels = page_view.by_figure
        self._figures: dict[str, Figure] = {}

    def __getitem__(self, name: str) -> dict:
        if name not in self._figures and name in self._panels:
            self._draw(self._panels[name])
        figure = self._figures.get(name)
        if figure is None:
            raise KeyError(name)
        return figure

    def _draw(self, panel: Panel) -> None:
        page_view, values = self._page_view, self._page_view.values(panel)
        runs = [self._at_step(panel, entry.run(panel.part)) for entry in page_view.entries]
        if panel.scale:
            values |= {"scale": panel.scale([run for run in runs if run is not None], **values)}
        if panel.per == "set":
            present = {name: run for name, run in zip(page_view.names, runs, strict=True) if run is not None}
            if panel.companion:
                values |= {"missing": page_view.missing_companions(panel)}
            is_drawn = present or panel.companion
            self._figures[panel.name] = _marked_if_all_steps(panel, panel.draw(present, **values)) if is_drawn else None
            return
        drawn = [None if run is None else _marked_if_all_steps(panel, panel.draw(run, **values)) for run in runs]
        names = page_view.figures_of(panel)
        if len(drawn) > 1:
            present = [figure for figure in drawn if figure is not None]
            if panel.has_axes and page_view.value(panel, page_view.axes(panel)) == "shared":
                present = list(figures.same_axes(*present))
            scaled = iter(present)
            drawn = [figure and next(scaled) for figure in drawn]
            drawn = [figure and _titled(figure, name) for figure, name in zip(drawn, page_view.names, strict=True)]
        self._figures.update(zip(names, drawn, strict=True))

    def _at_step(self, panel: Panel, run: RunView | None) -> RunView | None:
        return run if run is None or panel.shows_all_steps else run.at(self._step)

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._panels if self.get(name) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _marked_if_all_steps(panel: Panel, figure: Figure) -> Figure:
    """The figure, marked for the board, where it holds all steps, as one that is not requested step by step."""
    if figure is None or not panel.shows_all_steps or figure["layout"]["meta"].get("x_is_step"):
        return figure
    layout = figure["layout"]
    return {**figure, "layout": {**layout, "meta": {**layout["meta"], "reveals": True}}}


def _titled(figure: dict, name: str) -> dict:
    layout = figure["layout"]
    meta: dict[str, Any] = dict(layout.get("meta") or {})
    title = meta.get("title", "")
    meta["title"] = f"{name} · {title}"
    meta.setdefault("link", f" · {title}")
    return {**figure, "layout": {**layout, "meta": meta}}
