"""The board: the one way to draw figures, live or not, with a time slider over the steps of a run.

It is a Streamlit component that keeps its charts in place and changes them, so nothing flickers and zoom survives.
It knows nothing about neural networks: all meaning is in the figures. Its other half, in JavaScript, is in
`board*.js` beside this file.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from nnviz.figures import theme
from nnviz.ui import board_history, plotly_js, session

# The time for earlier steps in one rerun; with the newest step's own it stays well below the shortest time between
# reruns.
BACKFILL_SECONDS = 0.06

# Everything in here travels with each update, so it only fetches the real modules, which the browser then keeps.
_LOADER = """
const served = () => {
  const script = document.querySelector('script[src*="static/js/"]');
  return script ? new URL("../../app/static/", script.src) : new URL("app/static/", document.baseURI);
};
export default async function (component) {
  try {
    const board = await import(new URL("BOARD/board.js", served()));
    return await board.update(component, served(), NAMES);
  } catch (error) {
    console.error(error);
    const place = component.parentElement.querySelector(".nnviz-board");
    place.textContent = `The charts could not be loaded (${error.message}). Is server.enableStaticServing on, ` +
      `and can the app write to its folder "static"?`;
  }
}
"""


def board(
    pictures: Callable[[int], Mapping[str, dict]],
    steps: Sequence[int],
    *,
    key: str,
    source: str = "",
    edition: str = "",
    subject: str = "",
    rows: Sequence[Sequence[str]] | None = None,
    live: bool = False,
    heights: Mapping[str, int] | None = None,
    unit: str = "step",
    titles: Mapping[str, str] | None = None,
    stale: str | Mapping[str, str] = "",
    on_pick: Callable[[str, float, float, bool], None] | None = None,
) -> None:
    """Draw the figures of the newest of `steps`, and let the viewer go back to the others.

    `pictures(step)` gives the figures at that step by name, as Plotly JSON in plain dicts with numpy arrays. It is
    called for the newest step, and for earlier ones while the browser does not have them yet; of those only the
    figures that change with the step are taken, so a lazy mapping saves work.

    `layout.meta` of a figure may hold `title`, `help` (one sentence), `link` (figures with the same one share their
    x range) and `x_is_step`: such a figure is not kept for each step, a line at the chosen step is drawn over it
    instead. So it is with `reveals`: the figure holds the whole run, and of each trace whose own `meta` holds `steps`
    (ascending, one an entry) and `show` ("until" or "at") the browser shows the entries up to, or at, the chosen step.
    `pick`, {"name", "x", "y"}, lets the viewer choose a point by a click or by dragging the one that is there;
    `on_pick(name, x, y, done)` hears of it, `done` when the drag has ended.

    `steps` is sorted and may grow or be thinned from call to call. `source` names what is shown, such as a run's id
    with every option that changes its pictures: when it changes, earlier pictures are dropped while the charts stay
    where they are. When `edition` changes, they are dropped too, but the new ones are like them, as those of the same
    race from another start, and are sent as differences. When `subject` changes, what is shown is another thing
    altogether: the slider goes to its newest step, zoom and hidden curves are forgotten, and no picture of before stays
    in sight. `rows` lists the names that share a row (two a row unless given), `heights` their height in
    pixels (280 unless given). `live` says that more steps are to come. `titles` are shown over pictures that have not
    come yet. `stale` says in a line why the pictures are not what was asked for: they are dimmed, with the line over
    them. Where it holds only for some, it is a mapping from their names to such lines, and the others stay as they are.
    """
    plotly_js.publish(_static_folder())
    client = session.memory(f"board:{key}")
    head = {
        "key": key,
        "source": source,
        "edition": edition,
        "subject": subject,
        "rows": None if rows is None else [list(row) for row in rows],
        "heights": dict(heights or {}),
        "live": live,
        "unit": unit,
        "titles": dict(titles or {}),
        "stale": stale if isinstance(stale, str) else {name: line for name, line in stale.items() if line},
    }
    text = board_history.message(client, pictures, steps, head, once={"themes": _themes()}, budget=BACKFILL_SECONDS)
    _component()(
        key=key,
        data=text.encode(),
        on_ask_change=partial(_hear, key, session.place()),
        on_pick_change=partial(_pick, key, on_pick),
    )


def _hear(key: str, place: str) -> None:
    """Keep what the browser asks for until the board is drawn again, which is in the same rerun, unless the viewer has
    left the place where it was drawn."""
    session.go_back(place)
    asked = (session.value(key) or {}).get("ask")
    if isinstance(asked, dict):
        session.memory(f"board:{key}")["ask"] = asked


def _pick(key: str, on_pick: Callable[[str, float, float, bool], None] | None) -> None:
    """Hand on the point that the viewer chose, if it is one: what a browser sends may be anything, and may have been
    chosen in a picture of something else than is shown by now."""
    picked = (session.value(key) or {}).get("pick")
    if on_pick is None or not isinstance(picked, dict):
        return
    if picked.get("source") != session.memory(f"board:{key}").get("source"):
        return
    x, y = picked.get("x"), picked.get("y")
    if all(isinstance(v, int | float) and math.isfinite(v) for v in (x, y)):
        on_pick(str(picked.get("name", "")), float(x), float(y), bool(picked.get("done")))


@cache
def _component() -> Callable[..., Any]:
    """The component, registered once. Styles are not isolated: plotly.js puts its own into the document's head."""
    parts = plotly_js.names()
    loader = _LOADER.replace("BOARD", parts["board"]).replace("NAMES", json.dumps(parts))
    return st.components.v2.component(
        "nnviz_board", html='<div class="nnviz-board" aria-busy="true"></div>', js=loader, isolate_styles=False
    )


@cache
def _themes() -> dict[str, dict]:
    """Plotly templates for a light and a dark page; the browser picks by the page's background."""
    return {"light": theme.template(dark=False), "dark": theme.template(dark=True)}


def _static_folder() -> Path:
    context = get_script_run_ctx()
    if context is None:
        raise RuntimeError("a board can be drawn only in a Streamlit script")
    return Path(context.main_script_path).parent / "static"
