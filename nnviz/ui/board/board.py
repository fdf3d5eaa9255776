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

from nnviz.figures.kit import theme
from nnviz.ui import session
from nnviz.ui.board import browser_files, picture_history

# The time for earlier steps in one rerun; with the newest step's own it stays well below the shortest time between
# reruns.
MAX_POINTS = 500
"""Points of a line drawn by the viewer that are taken."""

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
    sections: Mapping[str, Sequence[Sequence[str]]] | None = None,
    section: str = "",
    on_section: Callable[[str], None] | None = None,
    choices: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    on_choice: Callable[[str, str, str], None] | None = None,
    live: bool = False,
    heights: Mapping[str, int] | None = None,
    unit: str = "step",
    titles: Mapping[str, str] | None = None,
    stale: str | Mapping[str, str] = "",
    on_pick: Callable[[str, float, float, bool], None] | None = None,
    on_stroke: Callable[[str, Sequence[tuple[float, float]]], None] | None = None,
) -> None:
    """Draw the figures of the newest of `steps`, and let the viewer go back to the others.

    `pictures(step)` gives the figures at that step by name, as Plotly JSON in plain dicts with numpy arrays. It is
    called for the newest step, and for earlier ones while the browser does not have them yet; of those only the
    figures that change with the step are taken, so a lazy mapping saves work.

    `layout.meta` of a figure may hold `title`, `help` (one sentence), `link` (figures with the same one share their
    x range) and `x_is_step`: such a figure is not stored for each step, a line at the chosen step is drawn over it
    instead. So it is with `reveals`: the figure holds the whole run, and of each trace whose own `meta` holds `steps`
    (ascending, one an entry) and `show` ("until" or "at") the browser shows the entries up to, or at, the chosen step.
    `legend_follows` says that names of traces tell values by step: those whose `meta` holds `follow` (see
    `nnviz.figures.kit.legend_values`) are named by the chosen one. `pick`, {"name", "x", "y"}, lets the viewer choose a
    point by a click or by dragging the one that is there; `on_pick(figure, x, y, done)` hears of it, `done` when the
    drag has ended. `stroke`, {"width"}, lets the viewer draw a line over the figure; `on_stroke(figure, points)` is
    called in a callback with its points once it has ended.

    `steps` is sorted and may grow or be thinned from call to call. `source` names what is shown, such as a run's id
    with every option that changes its pictures: when it changes, earlier pictures are dropped while the charts stay
    where they are. When `edition` changes, they are dropped too, but the new ones are like them, as those of the same
    trajectories from another start, and are sent as differences. When `subject` changes, what is shown is another thing
    altogether: the slider goes to its newest step, zoom and hidden curves are forgotten, and no picture of before stays
    in sight.

    `sections` are tabs: for each title the rows of up to four names that share a row; one without a title draws no
    tabs. `section` is the title of the open one, the first where there is none of that title; only its figures are
    asked of `pictures`. `on_section(title)` is called in a callback when the viewer opens another. Without sections
    all figures are drawn, two a row.

    `choices` are the view options of a figure, drawn in its title bar: {"name": "axis", "label": "Axis", "options":
    {"auto": "auto", "log": "logarithmic"}, "value": "auto"}, where an option's value has a label. They may be given for
    figures of all sections. `on_choice(figure, name, value)` is called in a callback when the viewer takes another
    value; the figure then has to be drawn with it, and `value` to say it, in the rerun that follows.

    `heights` are those of the figures in pixels (280 unless given). `live` says that more steps are to come. `titles`
    are shown over pictures that have not come yet. `stale` says in a line why the pictures are not what was asked for:
    they are dimmed, with the line over them. Where it holds only for some, it is a mapping from their names to such
    lines, and the others stay as they are.
    """
    if sections is not None and section not in sections:
        section = next(iter(sections), "")
    browser_files.publish(_static_folder())
    client = session.memory(f"board:{key}")
    head = {
        "key": key,
        "source": source,
        "edition": edition,
        "subject": subject,
        "sections": {title: [list(row) for row in part] for title, part in (sections or {}).items()},
        "section": section,
        "choices": {name: list(map(_ordered, own)) for name, own in (choices or {}).items() if own},
        "heights": dict(heights or {}),
        "live": live,
        "unit": unit,
        "titles": dict(titles or {}),
        "stale": stale if isinstance(stale, str) else {name: line for name, line in stale.items() if line},
    }
    text = picture_history.message(client, pictures, steps, head, once={"themes": _themes()}, budget=BACKFILL_SECONDS)
    _component()(
        key=key,
        data=text.encode(),
        on_request_change=partial(_store_request, key, session.current_url_path()),
        on_pick_change=partial(_pick, key, on_pick, on_stroke),
        on_change_change=partial(_change, key, session.current_url_path(), head, on_section, on_choice),
    )


def _ordered(choice: Mapping[str, Any]) -> dict[str, Any]:
    """A choice with its options in a list, since JavaScript puts keys that are numbers before all others."""
    return {**choice, "options": [list(option) for option in choice["options"].items()]}


def _store_request(key: str, place: str) -> None:
    """Keep what the browser asks for until the board is drawn again, which is in the same rerun, unless the viewer has
    left the place where it was drawn."""
    session.redraw_if_page_changed(place)
    request = (session.value(key) or {}).get("request")
    if isinstance(request, dict):
        session.memory(f"board:{key}")["request"] = request


def _change(
    key: str,
    place: str,
    head: Mapping[str, Any],
    on_section: Callable[[str], None] | None,
    on_choice: Callable[[str, str, str], None] | None,
) -> None:
    """Hand on which section the viewer has opened and which choices have other values. What a browser sends may be
    anything, and comes again until a message says that it has been heard."""
    session.redraw_if_page_changed(place)
    sent, memory = (session.value(key) or {}).get("change"), session.memory(f"board:{key}")
    if not isinstance(sent, dict):
        return
    if isinstance(sent.get("request"), dict):
        memory["request"] = sent["request"]
    changes = sent.get("changes")
    for change in changes if isinstance(changes, list) else []:
        number = change.get("number") if isinstance(change, dict) else None
        if not isinstance(number, int) or number <= memory.get("acknowledged", 0):
            continue
        memory["acknowledged"] = number
        section, figure, name, value = (change.get(part) for part in ("section", "figure", "name", "value"))
        if on_section and isinstance(section, str) and section in head["sections"]:
            on_section(section)
        if on_choice and _is_choice(head["choices"], figure, name, value):
            on_choice(figure, name, value)


def _is_choice(choices: Mapping[str, Sequence[Mapping[str, Any]]], figure: Any, name: Any, value: Any) -> bool:
    if not all(isinstance(part, str) for part in (figure, name, value)):
        return False
    return any(choice["name"] == name and value in dict(choice["options"]) for choice in choices.get(figure, ()))


def _pick(
    key: str,
    on_pick: Callable[[str, float, float, bool], None] | None,
    on_stroke: Callable[[str, Sequence[tuple[float, float]]], None] | None = None,
) -> None:
    """Hand on the point that the viewer chose or the line that was drawn, if it is one: what a browser sends may be
    anything, comes again until a message says that it has been heard, and may have been chosen in a picture of
    something else than is shown by now."""
    picked, client = (session.value(key) or {}).get("pick"), session.memory(f"board:{key}")
    number = picked.get("number") if isinstance(picked, dict) else None
    if not isinstance(number, int) or number <= client.get("picked", 0):
        return
    client["picked"] = number
    if picked.get("source") != client.get("source"):
        return
    figure, stroke = str(picked.get("figure", "")), picked.get("stroke")
    if on_stroke and isinstance(stroke, list):
        points = [(float(p[0]), float(p[1])) for p in stroke[:MAX_POINTS] if _is_point(p)]
        if points:
            on_stroke(figure, points)
    elif on_pick and _is_point([picked.get("x"), picked.get("y")]):
        on_pick(figure, float(picked["x"]), float(picked["y"]), bool(picked.get("done")))


def _is_point(value: Any) -> bool:
    if not isinstance(value, list) or len(value) != 2:
        return False
    return all(isinstance(v, int | float) and math.isfinite(v) for v in value)


@cache
def _component() -> Callable[..., Any]:
    """The component, registered once. Styles are not isolated: plotly.js puts its own into the document's head."""
    parts = browser_files.names()
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
