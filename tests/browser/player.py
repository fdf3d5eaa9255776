"""The app in a browser page as someone uses it: its buttons, its status line, its board, and its run files."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

import numpy as np
from playwright.sync_api import TimeoutError

from nnviz.runs import RunError, RunView, Store
from tests.browser.board import state, until

LIVE = ("queued", "running", "paused")
UNUSED_SEEDS = count(1000)
"""For runs that are to end: with the seed of one that has ended, a test that is run again would be shown that one."""
SCREEN = {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce"}
"""What tests look at unless they say otherwise. What moves for the eye alone is drawn anew up to 60 times a second."""

LOW = {"width": 1440, "height": 500}
"""A window with one row of pictures, for tests that read none: what is out of view is not drawn while a run goes on."""


class AppServer(NamedTuple):
    """A running app: its address and the folder of its runs."""

    url: str
    home: Path


class Player:
    """A browser page on the app. Waits are for what the page or the run files say, and end after 60 s."""

    def __init__(self, page, app_server: AppServer) -> None:
        self.page, self.app_server, self.store = page, app_server, Store(app_server.home)
        self.errors: list[str] = []
        self.hosts: set[str] = set()
        page.set_default_timeout(60_000)
        self._hearing = {
            "console": self._console,
            "pageerror": self._thrown,
            "requestfailed": self._failed,
            "request": self._request,
        }
        for event, hear in self._hearing.items():
            page.on(event, hear)

    def _console(self, message) -> None:
        # Streamlit looks for itself under a page's own address first, and gets a 404 that it expects.
        if message.type == "error" and "/_stcore/" not in message.location.get("url", ""):
            self.errors.append(f"console: {message.text} ({message.location.get('url')})")

    def _thrown(self, error) -> None:
        self.errors.append(f"thrown: {error}")

    def _request(self, request) -> None:
        self.hosts.add(urlsplit(request.url).netloc)

    def _failed(self, request) -> None:
        # What was under way when a page is left is aborted.
        if request.failure != "net::ERR_ABORTED":
            self.errors.append(f"request: {request.url} {request.failure}")

    def open(self, path: str = "/", **parameters: Any) -> "Player":
        """Goes to a page of the app and waits for its charts. `learner__optimizer__lr=1` says learner.optimizer.lr."""
        said = urlencode({name.replace("__", "."): value for name, value in parameters.items()})
        return self.go(f"{self.app_server.url}{path}?{said}" if said else f"{self.app_server.url}{path}")

    def go(self, url: str) -> "Player":
        """Goes to an address and waits for the charts and the run."""
        self.page.goto(url)
        return self.ready()

    def ready(self) -> "Player":
        """Waits for charts, and for the run to be named in the address."""
        self.until("d.drawn > 0 && d.step !== '' && location.search.includes('run=')")
        return self

    def finished(self, path: str = "/", **parameters: Any) -> "Player":
        """Goes to a page with a run of these settings that has finished, which another test may have trained."""
        self.open(path, **parameters)
        if "finished" not in self.status():
            self.press("Run")
            self.wait(lambda: all(view.status.state == "finished" for view in self.views()), "for the end of training")
        self.says("finished step")
        self.at(self.step())
        return self

    def reload(self) -> "Player":
        """Reloads the page and waits for the charts."""
        self.page.reload()
        return self.ready()

    # -- buttons and texts --------------------------------------------------------------------------------------------

    def button(self, name: str):
        """A button of the transport by the beginning of its text."""
        row = self.page.locator("[class*=st-key-transport-]")
        # Run is not Run in background
        return row.get_by_role("button", name=re.compile(rf"(?:^|\s){re.escape(name)}(?! in background)"))

    def press(self, name: str) -> None:
        """Presses a button of the transport, once it can be pressed."""
        try:
            self.button(name).click()
        except TimeoutError:
            raise AssertionError(f"{name} could not be pressed") from None

    def status(self) -> str:
        """The line that says how the runs stand."""
        return self.page.locator(".st-key-status").inner_text()

    def says(self, text: str) -> None:
        """Waits until the status line holds the text."""
        try:
            self.page.locator(".st-key-status", has_text=text).wait_for()
        except TimeoutError:
            raise AssertionError(f"waited in vain for {text!r}") from None

    def alerts(self) -> list[str]:
        """The messages on the page."""
        return self.page.get_by_test_id("stAlert").locator("p").all_inner_texts()

    def alert(self, text: str):
        """Waits for a message that holds the text."""
        found = self.page.get_by_test_id("stAlert").locator("p").filter(has_text=text).first
        found.wait_for()
        return found

    def setting(self, name: str):
        """A widget of the form by its label."""
        return self.page.get_by_test_id("stSidebar").get_by_label(name, exact=True)

    def choose(self, name: str, option: str) -> None:
        """Takes an option of a menu of the form. On a busy page the first click may do no more than focus the menu, as
        Streamlit's menus open by a click and close by the next, and a press that comes late counts twice."""
        menu, wanted = self.setting(name).first, self.page.get_by_role("option", name=option, exact=True)
        menu.click()
        try:
            wanted.wait_for(timeout=3000)
        except TimeoutError:
            menu.click()
        wanted.click()

    def variant(self, letter: str):
        """The form's part of a variant, opened."""
        part = self.page.get_by_test_id("stExpander").filter(has=self.page.locator("summary", has_text=f"{letter} · "))
        if part.locator("details").get_attribute("open") is None:
            part.locator("summary").click()
        return part

    def slider(self, name: str):
        """A slider of the form by its label."""
        return self.page.get_by_test_id("stSidebar").get_by_role("slider", name=name)

    # -- board and runs -----------------------------------------------------------------------------------------------

    def until(self, condition: str) -> None:
        """Waits for a condition on the board's published state `d`."""
        try:
            until(self.page, condition)
        except TimeoutError:
            raise AssertionError(f"waited in vain for {condition}") from None

    def at(self, step: int) -> None:
        """Waits until the board shows the step and nothing is left to draw."""
        self.until(f"+d.step === {step} && +d.wanted === {step} && d.busy === 'false'")

    def board(self) -> dict[str, str]:
        """What the board publishes."""
        return state(self.page)

    @property
    def runs(self) -> list[str]:
        """Ids of the runs that the address names."""
        return self.said("run").split(",")

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the address."""
        return dict(parse_qsl(urlsplit(self.page.url).query))

    def said(self, name: str) -> str:
        """A parameter of the address; empty where there is none."""
        return self.parameters.get(name, "")

    def views(self) -> list[RunView]:
        """The runs that the address names, read from their files."""
        return [self.store.view(run) for run in self.runs]

    def step(self) -> int:
        """How many steps the run has taken, according to its file."""
        return self.views()[0].status.step

    def wait(self, condition: Callable[[], object], what: str = "", seconds: float = 60) -> None:
        """Waits for a condition on the run files, while the page lives on."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"waited {seconds:g} s in vain {what}"
            self.page.wait_for_timeout(30)

    def paused(self) -> int:
        """Waits until the run and the page are at rest; the step."""

        def rests() -> bool:
            try:
                return all(v.status.state == "paused" for v in self.views())
            except RunError:  # the address still names a run that another has replaced
                return False

        self.wait(rests, "for a pause")
        step = self.step()
        self.says(f"{'paused' if step else 'ready'} step {step:,} of")
        self.at(step)
        return step

    def trained(self, steps: int = 50) -> int:
        """Runs for at least so many steps, then pauses; the step."""
        self.press("Run")
        self.until(f"+d.newest >= {steps}")
        self.press("Pause")
        return self.paused()

    # -- pictures -----------------------------------------------------------------------------------------------------

    def trace(self, figure: str, number: int, part: str) -> np.ndarray:
        """An array of a trace as the browser has it, as soon as there is such a trace: a card that is out of view is
        drawn once it is back."""
        self.page.locator(f'[data-figure="{figure}"]').scroll_into_view_if_needed()
        there = """([name, number]) => document.querySelector(`[data-figure="${name}"] .nnviz-plot`).data?.[number]"""
        self.page.wait_for_function(there, arg=[figure, number])
        code = """([name, number, part]) => {
          const trace = document.querySelector(`[data-figure="${name}"] .nnviz-plot`).data[number];
          return Array.from(trace[part], v => typeof v === "object" && v !== null ? Array.from(v) : v);
        }"""
        return np.array(self.page.evaluate(code, [figure, number, part]))

    def titles(self) -> dict[str, str]:
        """The titles of all figures by their names."""
        code = "cards => cards.map(c => [c.dataset.figure, c.querySelector('h3').textContent])"
        return dict(self.page.eval_on_selector_all(".nnviz-card", code))

    def all_drawn(self) -> None:
        """Waits until every figure is drawn, those out of view too except scenes."""
        self.page.wait_for_function(
            "(cards => cards.length && cards.every(c => c.dataset.drawn !== '0' || c.dataset.rests === 'true'))"
            "([...document.querySelectorAll('.nnviz-card')])"
        )

    def everything(self) -> dict[str, Any]:
        """How all stands, for the report of a test that failed."""
        code = "[...document.querySelectorAll('.nnviz-board, .nnviz-card')].map(e => ({...e.dataset}))"
        measured = """Object.fromEntries(Object.entries(window.nnviz?.boards ?? {}).map(([key, board]) => [
          key,
          Object.fromEntries(Object.entries(board).map(([name, v]) => [name, Array.isArray(v) ? v.slice(-9) : v])),
        ]))"""
        runs = [(s.id, s.state, s.step, self.store.open(s.id).status().until) for s in self.store.list()]
        texts = self.page.locator(".st-key-status, [data-testid=stAlert] p, h1, [class*=st-key-transport-] button")
        return {
            "url": self.page.url,
            "boards": self.page.evaluate(code),
            "measured": self.page.evaluate(measured),
            "texts": texts.all_inner_texts(),
            "runs": runs,
        } | {"errors": self.errors}

    def close(self) -> None:
        """Ends what nobody wants to keep, so that the next test has a free worker; and says what went wrong."""
        for event, hear in self._hearing.items():
            self.page.remove_listener(event, hear)
        for summary in self.store.list():
            if summary.state in LIVE and not summary.pinned:
                self.store.open(summary.id).cancel()
        assert not self.errors, self.errors
        assert {h for h in self.hosts if h} <= {urlsplit(self.app_server.url).netloc}


def leave(page) -> None:
    """Brings a page to no address, for others to go on with: nothing is remembered of what was seen in it."""
    page.evaluate("try { localStorage.clear(); } catch { /* there is none at no address */ }")
    page.goto("about:blank")


@contextmanager
def visiting(page, app_server: AppServer) -> Iterator[Player]:
    """The app in a page that is left at no address afterwards, for others to go on with."""
    player = Player(page, app_server)
    try:
        yield player
    finally:
        leave(page)
    player.close()


@contextmanager
def playing(app_server: AppServer, context) -> Iterator[Player]:
    """The app in another page of a browser context."""
    page = context.new_page()
    player = Player(page, app_server)
    try:
        yield player
    finally:
        page.close()
    player.close()
