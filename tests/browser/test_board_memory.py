"""What the board keeps stays within its budget, in memory and in WebGL contexts: what went comes again where it is
looked at."""

from collections.abc import Iterator

import numpy as np
import pytest

from nnviz.figures.kit import theme
from nnviz.ui.board import picture_history
from tests.browser.board import plot, scrub, until
from tests.browser.messages import Desk, ServerState, expected, pictures

pytestmark = pytest.mark.browser

STEPS = tuple(range(33))
MOONS, SPIRALS = ServerState("moons", steps=STEPS), ServerState("spirals", steps=STEPS)


@pytest.fixture
def budget(stage) -> Iterator:
    """`budget(bytes)` sets what the boards of the page may hold."""
    given = stage.evaluate("nnviz.memory.most")
    assert given == 200e6
    yield lambda most: stage.evaluate("most => { nnviz.memory.most = most; }", most)
    stage.evaluate("most => { nnviz.memory.most = most; }", given)


def held(board: Desk) -> int:
    return board.page.evaluate("key => nnviz.boards[key].storedBytes", board.key)


def answer(board: Desk, shown: ServerState, client: dict) -> None:
    """Answers what the board asks, until it asks no more."""
    for _ in range(12):
        until(board.page, "d.busy === 'false'")
        board.page.wait_for_timeout(100)
        asked = [value for name, value in board.sent_requests() if name == "request"]
        if not asked:
            return
        client["request"] = asked[-1]
        board.page.evaluate(
            "([text, of]) => void deliver(text, of)", [board.next_message(shown, client), board.announced]
        )
    raise AssertionError(f"the board asks on and on: {asked}")


def test_what_is_beyond_the_budget_goes_and_comes_again_where_the_slider_is(board: Desk, budget):
    client: dict = {}
    board.exchange_until_complete(MOONS, client)
    most = 0.6 * held(board)
    budget(most)
    board.deliver(board.next_message(MOONS, client))
    answer(board, MOONS, client)
    assert held(board) <= most
    assert 5 < int(board.state["history"]) < len(STEPS)
    for place in (16, 5, 27, 0):
        scrub(board.page, place)
        answer(board, MOONS, client)
        until(board.page, f"d.step === '{place}' && d.busy === 'false'")
        made = pictures(MOONS, place)
        assert board.drawn() == {name: made[name]["data"][0]["y"].tolist() for name in made}, place
        assert held(board) <= most, place
    assert board.wrong == []


def test_what_went_is_the_finest_in_time_and_far_from_the_slider(board: Desk, budget):
    client: dict = {}
    board.exchange_until_complete(MOONS, client)
    budget(0.6 * held(board))
    board.deliver(board.next_message(MOONS, client))
    there = []
    for place in STEPS:
        scrub(board.page, place)
        there.append(board.state["step"] == str(place))
    assert there[0]
    assert sum(there) < len(STEPS) - 4
    assert all(there[-4:])  # the slider is at the end
    assert sum(there[2::4]) + sum(there[0::4]) > sum(there[1::2])
    assert sum(there[16:]) > sum(there[:16])


def test_boards_out_of_the_page_give_way_first_then_sections_that_are_closed(stage, budget):
    first, client = Desk(stage, "first"), {}
    first.exchange_until_complete(MOONS, client)
    second, other = Desk(stage, "second"), {}
    second.exchange_until_complete(SPIRALS._replace(section="Signal"), other)
    budget(held(first) + 0.8 * held(second))
    second.exchange_until_complete(SPIRALS._replace(section="Rest"), other)  # ends when all is there
    stage.evaluate("fresh()")
    first.deliver(first.next_message(MOONS, client))
    answer(first, MOONS, client)
    assert first.drawn() == expected(MOONS)
    stage.evaluate("fresh()")
    budget(1.3 * held(second))
    back = SPIRALS._replace(section="Signal")
    second.deliver(second.next_message(SPIRALS._replace(section="Rest"), other))
    second.deliver(second.next_message(back, other))
    answer(second, back, other)
    assert second.drawn() == expected(back)


def test_scenes_out_of_view_free_their_context_and_come_back_as_they_were_turned(stage):
    names = [f"space-{number}" for number in range(20)]
    z = np.arange(16, dtype=np.float32).reshape(4, 4)
    made = {name: {"data": [{"type": "surface", "z": z, "customdata": ["", name, ""]}], "layout": {}} for name in names}
    head = {
        "key": "scenes",
        "source": "",
        "edition": "",
        "subject": "",
        "section": "Scenes",
        "choices": {},
        "live": False,
    }
    head |= {
        "sections": {"Scenes": [[name] for name in names]},
        "heights": {},
        "unit": "step",
        "titles": {},
        "stale": "",
    }
    themes = {"light": theme.template(dark=False), "dark": theme.template(dark=True)}
    text = picture_history.message({}, lambda _: made, [0], head, once={"themes": themes}, budget=0)
    warnings: list[str] = []
    note = lambda message: "Too many active WebGL" in message.text and warnings.append(message.text)  # noqa: E731
    stage.on("console", note)
    stage.evaluate("fresh()")
    stage.evaluate("text => void deliver(text, { subject: '', axes: {} })", text)
    canvases = "[...document.querySelectorAll('.nnviz-card')].filter(c => c.querySelector('.gl-container canvas'))"
    with_context = f"{canvases}.map(card => card.dataset.figure)"
    until(stage, f"d.busy === 'false' && {with_context}.length > 1")
    turned = {"x": 2, "y": 1, "z": 0.5}
    stage.evaluate(
        "([plot, eye]) => Plotly.relayout(eval(plot), { 'scene.camera.eye': eye })", [plot(names[0]), turned]
    )
    canvas = f"{plot(names[0])}.querySelector('canvas')"
    stage.evaluate(f"window.first = {canvas}.getContext('webgl') ?? {canvas}.getContext('webgl2')")
    for name in (*names[::3], names[0]):
        stage.locator(f"[data-figure={name}]").scroll_into_view_if_needed()
        until(stage, f"d.busy === 'false' && {with_context}.includes('{name}')")
        assert len(stage.evaluate(with_context)) <= 8, name
        if name == names[-2]:
            assert stage.evaluate("first.isContextLost()")
    eye = stage.evaluate(
        f"(e => ({{ x: e.x, y: e.y, z: e.z }}))({plot(names[0])}._fullLayout.scene._scene.getCamera().eye)"
    )
    assert eye == pytest.approx(turned)
    stage.remove_listener("console", note)
    assert warnings == []
