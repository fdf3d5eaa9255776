"""What Streamlit's browser side sends together, or twice, does what was meant, once.

It puts a change on its way in two parts. What another widget or a timer sends between them takes the change along: as
a second copy, or as a change in the board's part of the page, which is then run alone.
"""

from collections.abc import Iterator

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.browser.player import UNUSED_SEEDS, House, Player, visiting

pytestmark = [pytest.mark.browser, pytest.mark.slow]


class Line:
    """The connection of a page to the app, on which a test changes what the page says."""

    def __init__(self, page) -> None:
        self.begin()
        page.route_web_socket("**/_stcore/stream", self._open)

    def begin(self) -> None:
        """Forgets what was said, and changes nothing of what is to come."""
        self.fragment = ""  # that of the board
        self.said: list[bytes] = []
        self.joins = False  # whether all is sent as if the board's part of the page had said it
        self.late = b""  # what the page before still says when the next one begins
        self.begun: list[str] = []  # what the app has begun to draw since: pages by their hashes

    def _open(self, route) -> None:
        self.server = route.connect_to_server()
        route.on_message(self._hear)
        self.server.on_message(lambda message: self._tell(route, message))

    def _tell(self, route, message: bytes) -> None:
        told = ForwardMsg.FromString(message)
        if self.late and told.WhichOneof("type") == "new_session":
            self.begun.append(told.new_session.page_script_hash)
            if len(self.begun) == 1:
                self.server.send(self.late)
        route.send(message)

    def _hear(self, message: bytes | str) -> None:
        if isinstance(message, bytes):
            said = BackMsg.FromString(message)
            self.fragment = said.rerun_script.fragment_id or self.fragment
            if self.joins and said.WhichOneof("type") == "rerun_script":
                said.rerun_script.fragment_id = self.fragment
                message = said.SerializeToString()
            self.said.append(message)
        self.server.send(message)

    def repeat(self, key: str) -> None:
        """Sends once more what said that the button with this key was pressed."""
        found = [message for message in self.said if key.encode() in message]
        pressed = [m for m in found if any(key in w.id and w.trigger_value for w in widgets(m))]
        self.server.send(pressed[-1])

    def question(self) -> bytes:
        """What the board asked last."""
        asked = [m for m in self.said if any("board-" in w.id and w.json_trigger_value for w in widgets(m))]
        return asked[-1]


def widgets(message: bytes) -> list:
    return list(BackMsg.FromString(message).rerun_script.widget_states.widgets)


@pytest.fixture(scope="module")
def routed(context) -> Iterator[tuple]:
    """A browser page, and its connection to whatever it will be on."""
    page = context.new_page()
    yield page, Line(page)
    page.close()


@pytest.fixture
def line(routed, house: House) -> Iterator[tuple[Player, Line]]:
    """The app in that page."""
    page, connection = routed
    connection.begin()
    with visiting(page, house) as player:
        yield player, connection


def test_a_change_that_is_sent_with_a_question_of_the_board_changes_the_page(line):
    player, connection = line
    player.open(seed=21)
    player.wait(lambda: connection.fragment, "for the timer of the board's part")
    connection.joins = True
    player.setting("Batch size").fill("64")
    player.setting("Batch size").press("Enter")
    player.wait(lambda: "batch_size=64" in player.page.url, "for the address")
    player.page.get_by_role("button", name="Add a variant").click()
    player.variant("B").get_by_role("button", name="Remove").click()
    player.page.get_by_role("button", name="Remove").wait_for(state="detached")
    player.page.get_by_test_id("stSidebar").get_by_role("button", name="Earlier runs").click()
    player.page.get_by_test_id("stDialog").wait_for()
    connection.joins = False


def test_the_copy_of_a_click_on_run_trains_no_other_run(line):
    player, connection = line
    player.open(seed=next(UNUSED_SEEDS), steps=60)
    player.press("Run")
    player.says("finished step 60")
    player.button("Run again").wait_for()
    (run,), there = player.runs, len(player.store.list())
    connection.repeat("transport:Run")
    # What comes after the copy is answered after it.
    player.setting("Batch size").fill("64")
    player.setting("Batch size").press("Enter")
    player.wait(lambda: "batch_size=64" in player.page.url and player.runs != [run], "for what the form asks for")
    assert player.paused() == 0
    assert len(player.store.list()) == there + 1
    assert player.store.open(run).status().state == "finished"


def test_a_question_of_the_board_that_comes_after_a_change_of_page_leaves_the_new_page_there(line):
    player, connection = line
    player.open(seed=next(UNUSED_SEEDS), steps=60)
    player.press("Run")
    player.says("finished step 60")
    player.reload()  # all that the board gets of a run that is over it has to ask for
    player.until("+d.history === +d.stepsKnown && +d.history > 2")
    connection.late = connection.question()
    player.page.get_by_role("link", name="Gradient flow").click()
    left = BackMsg.FromString(connection.late).rerun_script.page_script_hash
    player.wait(lambda: left in connection.begun, "for the app to hear the question")
    player.wait(lambda: connection.begun[-1] != left, "for the new page to be drawn again")
    player.page.locator("h1", has_text="Gradient flow").wait_for()
    player.until("d.drawn > 0 && d.step === '0'")
    assert player.errors == []
