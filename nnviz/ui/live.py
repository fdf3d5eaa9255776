"""Shows runs while they train: transport, status and board in one part of the page that refreshes itself."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import streamlit as st

from nnviz import figures
from nnviz.runs import RunError, RunView
from nnviz.ui import runtime, transport
from nnviz.ui.board import board
from nnviz.ui.complaints import complain
from nnviz.ui.experiment import LETTERS, Asked
from nnviz.ui.export import drawing, share
from nnviz.ui.session import PageState, handing, memory

RATES = {"calm": 1.0, "default": 0.5, "smooth": 0.25}
"""Seconds between two updates; below a quarter of a second the browser's drawing is the limit."""

Picture = Callable[..., dict | None]


def show(
    asked: Asked,
    each: Mapping[str, Picture],
    *,
    shared: Mapping[str, Picture] | None = None,
    rows: Sequence[Sequence[str]],
    heights: Mapping[str, int] | None = None,
    variant: str = "",
    onward: Mapping[str, str] | None = None,
) -> None:
    """Draws the runs of what is asked for, in rows of pictures, and keeps them up to date.

    `each` are pictures of one run: functions of a RunView that give a figure, or None where there is nothing of the
    kind. Of two runs side by side each is drawn for both, left and right, on the same axes. `shared` are pictures of
    all runs in one: functions of a mapping from "A", "B" to RunViews. `variant` names options that change pictures.
    `onward` are other pages, by the words of a link, that the runs shown can be taken to.
    """
    state = asked.state
    views = _views(state)
    if asked.jobs:
        transport.prepare(state, views, asked.jobs, asked.start)
        views = _views(state)
        state.remember(asked.jobs)
    runtime.watch(state.runs)
    with st.sidebar:
        drawing()
    is_live = any(v.status.live for v in views)
    rate = RATES[memory("drawing").get("rate", "default")]

    before = state.drawn_with

    @st.fragment(run_every=rate if is_live else None)
    def part() -> None:
        shown = _views(state)
        # The page decides how often this part refreshes, so it runs again when that changes.
        if any(v.status.live for v in shown) != is_live or state.is_outdated(before):
            st.rerun()
        letters = LETTERS if len(shown) > 1 else ("",)
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key=f"transport-{state.page}"):
            transport.transport(state, shown, asked.jobs, asked.problem)
            share(asked, shown)
            with st.container(width="content"):
                _onward(onward or {}, shown)
        transport.status(shown, asked.jobs, [f"{letter} " if letter else "" for letter in letters])
        if asked.jobs:
            state.remember(asked.jobs)
        if not shown:
            return
        board(
            lambda step: Pictures(shown, step, each, shared or {}),
            _steps(shown),
            key=f"board-{state.page}",
            source="|".join([*(view.id for view in shown), variant]),
            subject="|".join(view.id for view in shown),
            rows=side_by_side(rows, set(each), len(shown)),
            heights=for_both(heights or {}),
            live=any(v.status.state == "running" for v in shown),
            titles=titles([*each, *(shared or {})]),
            stale=asked.stale or transport.outdated(shown, asked.jobs),
        )

    part()


def _steps(shown: Sequence[RunView]) -> list[int]:
    """Steps that have pictures, as far as all runs have come that go on: of two in lock-step one writes before the
    other, and a picture of the other at that step would be of an earlier one, for good."""
    reached = min((max(v.steps, default=0) for v in shown if v.status.live), default=None)
    every = set(shown[0].steps).union(*(v.steps for v in shown[1:]))
    return sorted(step for step in every if reached is None or step <= reached)


def _onward(places: Mapping[str, str], shown: Sequence[RunView]) -> None:
    """A link to each of the other pages, once there is a network that has trained.

    A button and st.switch_page would leave the browser's timer of this page running until it hears of the new one; see
    `session.go_back`.
    """
    if not all(run.status.step for run in shown):
        return
    for text, page in places.items():
        runs = handing(run.id for run in shown)
        help = "Takes this network there."
        st.page_link(page, label=text, icon=":material/arrow_forward:", help=help, query_params=runs)


def _views(state: PageState) -> list[RunView]:
    """The runs shown; one that cannot be read is left out and said."""
    views = []
    for run in state.runs:
        try:
            views.append(runtime.store().view(run))
        except RunError as error:
            state.problems.append(str(error))
            complain(error)
    if len(views) < len(state.runs):
        state.runs = [v.id for v in views]
    return views


class Pictures(Mapping[str, dict]):
    """The figures of some runs at a step, each made when it is asked for."""

    def __init__(
        self, views: Sequence[RunView], step: int, each: Mapping[str, Picture], shared: Mapping[str, Picture]
    ) -> None:
        self._views = [view.at(step) for view in views]
        self._each, self._shared = each, shared
        self._made: dict[str, dict | None] = {}

    def __getitem__(self, name: str) -> dict:
        if name not in self._made:
            self._make(name)
        figure = self._made.get(name)
        if figure is None:
            raise KeyError(name)
        return figure

    def _make(self, name: str) -> None:
        if name in self._shared:
            letters = LETTERS if len(self._views) > 1 else ("",)
            self._made[name] = self._shared[name](dict(zip(letters, self._views, strict=False)))
            return
        base = name.removesuffix(" A").removesuffix(" B") if len(self._views) > 1 else name
        if base not in self._each:
            return
        drawn = [self._each[base](view) for view in self._views]
        if len(drawn) == 1:
            self._made[name] = drawn[0]
            return
        if all(d is not None for d in drawn):
            drawn = list(figures.same_axes(*drawn))
        for letter, figure in zip(LETTERS, drawn, strict=False):
            self._made[f"{base} {letter}"] = figure and _titled(figure, letter)

    def __iter__(self) -> Iterator[str]:
        names: list[str] = [*self._shared]
        for name in self._each:
            names += [f"{name} {letter}" for letter in LETTERS] if len(self._views) > 1 else [name]
        return (name for name in names if self.get(name) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _titled(figure: dict, letter: str) -> dict:
    layout = figure["layout"]
    meta: dict[str, Any] = dict(layout.get("meta") or {})
    meta["title"] = f"{letter} · {meta.get('title', '')}"
    meta.setdefault("link", meta["title"][len(letter) :])
    return {**figure, "layout": {**layout, "meta": meta}}


def side_by_side(rows: Sequence[Sequence[str]], each: Collection[str], runs: int) -> list[list[str]]:
    """Of two runs every picture of one run gets a row of its own, left and right."""
    if runs < 2:
        return [list(row) for row in rows]
    wide: list[list[str]] = []
    for row in rows:
        together = [name for name in row if name not in each]
        wide += [together] if together else []
        wide += [[f"{name} {letter}" for letter in LETTERS] for name in row if name in each]
    return wide


def titles(names: Sequence[str]) -> dict[str, str]:
    """What stands over pictures until they come with titles of their own."""
    titles = {name: f"{name[:1].upper()}{name[1:]}" for name in names}
    return titles | {f"{name} {letter}": f"{letter} · {title}" for name, title in titles.items() for letter in LETTERS}


def for_both(heights: Mapping[str, int]) -> dict[str, int]:
    """The heights of pictures, and of those of either run."""
    return {n: h for name, h in heights.items() for n in (name, *(f"{name} {letter}" for letter in LETTERS))}
