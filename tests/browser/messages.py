"""The board in a browser page without Streamlit: a test hands it each message itself, and hears what it asks."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nnviz.figures.kit import theme
from nnviz.ui.board import browser_files, picture_history
from tests.browser.board import until

HOST = "http://board.test"
NAMES = ("loss", "rate", "map", "sizes", "walk", "depth")
OVER_STEPS, CUT = ("loss", "rate"), ("walk",)
SECTIONS = {"All": NAMES, "Signal": ("loss", "rate", "map"), "Rest": ("sizes", "loss", "walk", "depth")}
CHOOSING = ("loss", "map", "depth")
"""Figures with a choice of their axis."""

_PAGE = """<!doctype html><meta charset="utf-8"><title>Board</title><body style="margin: 0">
<div id="place"></div>
<script type="module">
  import { update } from "/BOARD/board.js";
  let place = document.querySelector("#place");
  const asked = [];
  const setTriggerValue = (name, value) => asked.push([name, value]);
  const names = NAMES;
  let announced;
  window.wrong = [];
  const look = () => {
    for (const plot of document.querySelectorAll(".nnviz-plot")) {
      const { figure, pending } = plot.closest(".nnviz-card").dataset;
      const { section } = plot.closest(".nnviz-board").dataset;
      if (SECTIONS[section]?.includes(figure) === false) wrong.push(`${figure} in ${section}`);
      if (plot.style.visibility === "hidden" || !plot.querySelector(".subplot")) continue;
      const [subject, name, axis] = plot.data[0].customdata;
      const own = announced?.axes[figure] ?? "";
      if (subject !== announced?.subject) wrong.push(`${figure} of ${subject} under ${announced?.subject}`);
      if (name !== figure) wrong.push(`${name} under ${figure}`);
      if (axis !== own && pending !== "announced") wrong.push(`${figure} with axis ${axis} under ${own}`);
    }
  };
  const watch = () => { look(); requestAnimationFrame(watch); };
  watch();
  window.another = () => {
    const old = place;
    place = old.cloneNode(false);
    place.innerHTML = '<div class="nnviz-board"></div>';
    old.after(place);
  };
  window.fresh = () => {
    const old = place;
    another();
    old.remove();
    asked.length = wrong.length = 0;
    announced = undefined;
    scrollTo(0, 0);
  };
  window.go = (path) => {
    const link = Object.assign(document.createElement("a"), { href: path, onclick: () => false });
    document.body.append(link);
    link.click();
    link.remove();
  };
  window.sentRequests = () => asked.splice(0);
  window.deliver = (text, of) => {
    announced = of;
    const component = { parentElement: place, data: new TextEncoder().encode(text), setTriggerValue };
    const done = update(component, location.href, names);
    look();
    return done;
  };
</script>"""


class ServerState(NamedTuple):
    """What a server has to show: which runs, with which option, from which start, in which section, on which axes."""

    subject: str
    variant: str = ""
    edition: str = ""
    steps: Sequence[int] = (0, 1, 2, 3)
    section: str = "All"
    axes: tuple[str, ...] = ("auto",) * len(CHOOSING)

    @property
    def names(self) -> Sequence[str]:
        return SECTIONS[self.section]

    @property
    def axis(self) -> dict[str, str]:
        return dict(zip(CHOOSING, self.axes, strict=True))


def pictures(shown: ServerState, step: int) -> dict[str, dict]:
    """Six figures that are alike but for numbers: whose, with what, and when they are is in their data."""

    def figure(name: str) -> dict:
        axis = shown.axis.get(name, "")
        own = sum(map(ord, "".join([*shown[:3], axis])))
        at = max(shown.steps) if name in OVER_STEPS + CUT else step
        y = np.array([own, at, NAMES.index(name)], np.float32)
        steps = np.arange(3, dtype=np.int32)
        trace = {"type": "scatter", "x": steps, "y": y, "customdata": [shown.subject, name, axis]}
        meta: dict[str, Any] = {"title": name, "x_is_step": name in OVER_STEPS, "reveals": name in CUT}
        if name in CUT:
            trace["meta"] = {"steps": np.zeros(3, np.int32), "show": "until"}
            meta["pick"] = {"name": "start", "x": 1.0, "y": own}
        return {"data": [trace], "layout": {"meta": meta, "showlegend": True}}

    return {name: figure(name) for name in NAMES}


def next_message(shown: ServerState, client: dict[str, Any], key: str) -> str:
    """The server's next message to the board with this key."""
    head = {
        "key": key,
        "source": f"{shown.subject}|{shown.variant}",
        "edition": shown.edition,
        "subject": shown.subject,
        "sections": {title: [[name] for name in names] for title, names in SECTIONS.items()},
        "section": shown.section,
        "choices": {
            name: [
                {"name": "axis", "label": "Axis", "options": [["auto", "auto"], ["log", "logarithmic"]], "value": axis}
            ]
            for name, axis in shown.axis.items()
        },
        "heights": {},
        "live": False,
        "unit": "step",
        "titles": {},
        "stale": "",
    }
    once = {"themes": {"light": theme.template(dark=False), "dark": theme.template(dark=True)}}
    return picture_history.message(client, lambda step: pictures(shown, step), shown.steps, head, once=once, budget=0)


class Desk:
    """A board in the page, as whoever delivers messages to it has it."""

    def __init__(self, page, key: str) -> None:
        self.page, self.key = page, key
        self.newest: tuple[str, int, int] = ("", 0, 0)
        self.announced: dict[str, Any] = {}
        page.evaluate("fresh()")

    def next_message(self, shown: ServerState, client: dict[str, Any]) -> str:
        """The server's next message."""
        return next_message(shown, client, self.key)

    def deliver(self, text: str) -> list[tuple[str, Any]]:
        """Hands a message to the board; what the board asked since the last one. Of what has been announced only the
        newest counts, in whatever order it comes."""
        head = json.loads(text)["head"]
        number = (head["session"], head["generation"], head["seq"])
        if number[0] != self.newest[0] or number > self.newest:
            axes = {name: choices[0]["value"] for name, choices in head["choices"].items()}
            self.newest, self.announced = number, {"subject": head["subject"], "axes": axes}
        self.page.evaluate("([text, of]) => void deliver(text, of)", [text, self.announced])
        return self.sent_requests()

    def sent_requests(self) -> list[tuple[str, Any]]:
        """What the board asked since it was last heard."""
        return [(name, value) for name, value in self.page.evaluate("sentRequests()")]

    def apply_changes(self, told: dict[str, Any], shown: ServerState, client: dict[str, Any]) -> ServerState:
        """What the server shows once it has heard what the viewer changed."""
        client["request"] = told.get("request")
        for change in told["changes"]:
            if change["number"] <= client.get("acknowledged", 0):
                continue
            client["acknowledged"] = change["number"]
            if "section" in change:
                shown = shown._replace(section=change["section"])
            else:
                shown = shown._replace(axes=tuple({**shown.axis, change["figure"]: change["value"]}.values()))
        return shown

    def exchange_until_complete(self, shown: ServerState, client: dict[str, Any]) -> ServerState:
        """Delivers one message after the other, each an answer to what the board asks, until all is there; what is
        shown then."""
        for _ in range(60):
            for name, value in self.deliver(self.next_message(shown, client)):
                if name == "request":
                    client["request"] = value
                if name == "change":
                    shown = self.apply_changes(value, shown, client)
            until(self.page, "d.busy === 'false'")
            there = (self.state["history"], self.state["stepsKnown"], self.state["section"])
            if there == (str(len(shown.steps)), str(len(shown.steps)), shown.section) and "request" not in client:
                return shown
        raise AssertionError(f"the board did not come to rest: {self.state}, {client}")

    @property
    def state(self) -> dict[str, str]:
        """What the board publishes."""
        return self.page.evaluate("({...document.querySelector('.nnviz-board').dataset})")

    def drawn(self) -> Mapping[str, list[float]]:
        """The values of each figure as they are drawn, in view or not."""
        for name in self.page.eval_on_selector_all(".nnviz-card", "cards => cards.map(card => card.dataset.figure)"):
            self.page.locator(f"[data-figure={name}]").scroll_into_view_if_needed()
            self.page.wait_for_timeout(20)
            until(self.page, "d.busy === 'false'")
        code = """Object.fromEntries([...document.querySelectorAll('.nnviz-card')].map(card => {
          const plot = card.querySelector('.nnviz-plot');
          return [card.dataset.figure, plot.style.visibility === 'visible' ? Array.from(plot.data[0].y) : null];
        }))"""
        return self.page.evaluate(code)

    def leave(self, name: str) -> None:
        """Scrolls to the top, until the board knows that a figure is out of view."""
        self.page.evaluate(
            """name => new Promise(resolve => {
              const card = document.querySelector(`[data-figure=${name}]`);
              new IntersectionObserver(([entry], observer) => {
                if (!entry.isIntersecting) { observer.disconnect(); requestAnimationFrame(resolve); }
              }, { rootMargin: "150px" }).observe(card);
              scrollTo(0, 0);
            })""",
            name,
        )

    @property
    def wrong(self) -> list[str]:
        """Figures that were in sight under the name of something else, in any frame."""
        return self.page.evaluate("wrong")


def expected(shown: ServerState) -> dict[str, list[float]]:
    """The values of each figure at the newest step."""
    made = pictures(shown, shown.steps[-1])
    return {name: made[name]["data"][0]["y"].tolist() for name in shown.names}


def furnish(page, folder: Path) -> None:
    """Opens the page, with the board's own modules and plotly.js from the files that the app would serve."""
    browser_files.publish(folder)
    names = browser_files.names()
    html = (
        _PAGE.replace("BOARD", names["board"])
        .replace("NAMES", json.dumps(names))
        .replace("SECTIONS", json.dumps(SECTIONS))
    )

    def serve(route) -> None:
        path = route.request.url.removeprefix(HOST).lstrip("/")
        if path:
            route.fulfill(path=folder / path)
        else:
            route.fulfill(body=html, content_type="text/html")

    page.route(f"{HOST}/**", serve)
    page.goto(f"{HOST}/")
    page.wait_for_function("() => Boolean(window.deliver)")
