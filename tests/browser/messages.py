"""The board in a browser page without Streamlit: a test hands it each message itself, and hears what it asks."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nnviz.figures import theme
from nnviz.ui import board_history, plotly_js
from tests.browser.board import until

HOST = "http://board.test"
NAMES = ("loss", "rate", "map", "sizes", "walk", "depth")
OVER_STEPS, CUT = ("loss", "rate"), ("walk",)

_PAGE = """<!doctype html><meta charset="utf-8"><title>Board</title><body style="margin: 0">
<div id="place"></div>
<script type="module">
  import { update } from "/BOARD/board.js";
  let place = document.querySelector("#place");
  const asked = [];
  const setTriggerValue = (name, value) => asked.push([name, value]);
  const names = NAMES;
  let subject;
  window.wrong = [];
  const look = () => {
    for (const plot of document.querySelectorAll(".nnviz-plot")) {
      const shown = plot.data?.[0]?.customdata?.[0];
      const isSeen = plot.style.visibility !== "hidden" && plot.querySelector(".subplot");
      const { figure } = plot.closest(".nnviz-card").dataset;
      if (isSeen && shown !== subject) wrong.push(`${figure} of ${shown} under ${subject}`);
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
    subject = undefined;
    scrollTo(0, 0);
  };
  window.go = (path) => {
    const link = Object.assign(document.createElement("a"), { href: path, onclick: () => false });
    document.body.append(link);
    link.click();
    link.remove();
  };
  window.heard = () => asked.splice(0);
  window.deliver = (text, of) => {
    subject = of;
    const component = { parentElement: place, data: new TextEncoder().encode(text), setTriggerValue };
    const done = update(component, location.href, names);
    look();
    return done;
  };
</script>"""


class Shown(NamedTuple):
    """What a server has to show: which runs, with which option, from which start."""

    subject: str
    variant: str = ""
    edition: str = ""
    steps: Sequence[int] = (0, 1, 2, 3)


def pictures(shown: Shown, step: int) -> dict[str, dict]:
    """Six figures that are alike but for numbers: whose, with what, and when they are is in their data."""
    own = sum(map(ord, "".join(shown[:3])))

    def figure(name: str) -> dict:
        at = max(shown.steps) if name in OVER_STEPS + CUT else step
        y = np.array([own, at, NAMES.index(name)], np.float32)
        steps = np.arange(3, dtype=np.int32)
        trace = {"type": "scatter", "x": steps, "y": y, "customdata": [shown.subject] * 3}
        meta: dict[str, Any] = {"title": name, "x_is_step": name in OVER_STEPS, "reveals": name in CUT}
        if name in CUT:
            trace["meta"] = {"steps": np.zeros(3, np.int32), "show": "until"}
            meta["pick"] = {"name": "start", "x": 1.0, "y": own}
        return {"data": [trace], "layout": {"meta": meta, "showlegend": True}}

    return {name: figure(name) for name in NAMES}


def said(shown: Shown, client: dict[str, Any], key: str) -> str:
    """The server's next message to the board with this key."""
    head = {
        "key": key,
        "source": f"{shown.subject}|{shown.variant}",
        "edition": shown.edition,
        "subject": shown.subject,
        "rows": [[name] for name in NAMES],
        "heights": {},
        "live": False,
        "unit": "step",
        "titles": {},
        "stale": "",
    }
    once = {"themes": {"light": theme.template(dark=False), "dark": theme.template(dark=True)}}
    return board_history.message(client, lambda step: pictures(shown, step), shown.steps, head, once=once, budget=0)


class Desk:
    """A board in the page, as whoever delivers messages to it has it."""

    def __init__(self, page, key: str) -> None:
        self.page, self.key = page, key
        self.newest: tuple[str, int, int] = ("", 0, 0)
        self.subject = ""
        page.evaluate("fresh()")

    def said(self, shown: Shown, client: dict[str, Any]) -> str:
        """The server's next message."""
        return said(shown, client, self.key)

    def deliver(self, text: str) -> list[tuple[str, Any]]:
        """Hands a message to the board; what the board asked since the last one. Of what has been announced only the
        newest counts, in whatever order it comes."""
        head = json.loads(text)["head"]
        number = (head["session"], head["generation"], head["seq"])
        if number[0] != self.newest[0] or number > self.newest:
            self.newest, self.subject = number, head["subject"]
        self.page.evaluate("([text, of]) => void deliver(text, of)", [text, self.subject])
        return self.heard()

    def heard(self) -> list[tuple[str, Any]]:
        """What the board asked since it was last heard."""
        return [(name, value) for name, value in self.page.evaluate("heard()")]

    def converse(self, shown: Shown, client: dict[str, Any]) -> None:
        """Delivers one message after the other, each an answer to what the board asks, until all is there."""
        for _ in range(60):
            for name, value in self.deliver(self.said(shown, client)):
                if name == "ask":
                    client["ask"] = value
            until(self.page, "d.busy === 'false'")
            state = self.page.evaluate("({...document.querySelector('.nnviz-board').dataset})")
            if state["history"] == state["stepsKnown"] == str(len(shown.steps)) and "ask" not in client:
                return
        raise AssertionError(f"the board did not come to rest: {state}, {client}")

    def drawn(self) -> Mapping[str, list[float]]:
        """The values of each figure as they are drawn, in view or not."""
        for name in NAMES:
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


def expected(shown: Shown) -> dict[str, list[float]]:
    """The values of each figure at the newest step."""
    return {n: figure["data"][0]["y"].tolist() for n, figure in pictures(shown, shown.steps[-1]).items()}


def furnish(page, folder: Path) -> None:
    """Opens the page, with the board's own modules and plotly.js from the files that the app would serve."""
    plotly_js.publish(folder)
    names = plotly_js.names()
    html = _PAGE.replace("BOARD", names["board"]).replace("NAMES", json.dumps(names))

    def serve(route) -> None:
        path = route.request.url.removeprefix(HOST).lstrip("/")
        if path:
            route.fulfill(path=folder / path)
        else:
            route.fulfill(body=html, content_type="text/html")

    page.route(f"{HOST}/**", serve)
    page.goto(f"{HOST}/")
    page.wait_for_function("() => Boolean(window.deliver)")
