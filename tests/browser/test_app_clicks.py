"""What Streamlit's browser side sends together, or twice, does what was meant, once.

It puts a change on its way in two parts. What another widget or a timer sends between them takes the change along: as
a second copy, or as a change in the board's part of the page, which is then run alone.
"""

from collections.abc import Iterator

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from nnviz.presets import playground
from nnviz.spec.base import replace_many
from nnviz.ui.library import HEAD, ROW
from tests.browser.player import SCREEN, UNUSED_SEEDS, AppServer, Player, visiting

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
        self.hasty = False  # whether what refreshes by itself does so every second
        self.late = b""  # what the page before still says when the next one begins
        self.begun: list[str] = []  # what the app has begun to draw since: pages by their hashes
        self.drops: tuple[bytes, ...] = ()  # of messages that hold one of these, the first gets lost
        self.dropped: list[bytes] = []

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
        if self.hasty and told.WhichOneof("type") == "auto_rerun":
            told.auto_rerun.interval = 1.0  # a page at rest looks every three seconds
            message = told.SerializeToString()
        if not self._drop(message):
            route.send(message)

    def _hear(self, message: bytes | str) -> None:
        if isinstance(message, bytes):
            said = BackMsg.FromString(message)
            self.fragment = said.rerun_script.fragment_id or self.fragment
            if self.joins and said.WhichOneof("type") == "rerun_script":
                said.rerun_script.fragment_id = self.fragment
                message = said.SerializeToString()
            self.said.append(message)
        if not self._drop(message.encode() if isinstance(message, str) else message):
            self.server.send(message)

    def _drop(self, message: bytes) -> bool:
        """Whether the message gets lost."""
        lost = [mark for mark in self.drops if mark in message and mark not in self.dropped]
        self.dropped += lost
        return bool(lost)

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
def line(routed, app_server: AppServer) -> Iterator[tuple[Player, Line]]:
    """The app in that page."""
    page, connection = routed
    connection.begin()
    page.set_viewport_size(SCREEN["viewport"])
    with visiting(page, app_server) as player:
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


def test_charts_come_although_first_picture_and_first_question_get_lost(line):
    player, connection = line
    connection.drops = (b'"restart"', b'"full":true')
    player.open()
    player.at(0)
    assert sorted(connection.dropped) == sorted(connection.drops)


TICKS = 16
"""Pixels from the table's left to the middle of its column of ticks."""


def fill(player: Player) -> list[str]:
    """The ids of runs of the seeds 1, 2, 3, in that order, as workers would have left them."""
    ids = []
    for seed in (1, 2, 3):
        file = player.store.create(replace_many(playground.DEFAULT, {"seed": seed}))
        file.write(state="running", step=20)
        file.write(state="finished")
        file.close()
        ids.append(file.id)
    return ids


def click(player: Player, line: int, x: float) -> None:
    """Clicks into a line of the table, 0 for the newest run."""
    table = player.page.locator("[data-testid=stDataFrame]:visible")
    table.click(position={"x": x, "y": HEAD + ROW * (line + 0.5)})  # once it has come to rest


def test_runs_are_deleted_after_a_question_and_opened_by_a_click_between_two_refreshes(line):
    player, connection = line
    page = player.page
    for width in (1440, 700):
        connection.hasty = True
        page.set_viewport_size({"width": width, "height": 900})
        first, second, third = fill(player)
        player.open(seed=next(UNUSED_SEEDS))
        if width < 800:
            page.get_by_test_id("stExpandSidebarButton").click()
        page.get_by_role("button", name="Earlier runs").click()
        page.locator("[data-testid=stDataFrame]:visible canvas").first.wait_for()
        click(player, 0, TICKS)
        page.get_by_role("button", name="Delete this run").click()
        assert player.store.path(third).exists()
        page.get_by_role("button", name="Yes, delete").click()
        player.wait(lambda third=third: not player.store.path(third).exists(), "for the deletion")
        page.get_by_role("button", name="Delete this run").wait_for(state="detached")
        page.get_by_test_id("stDialog").wait_for()
        click(player, 1, 150)
        page.get_by_test_id("stDialog").wait_for(state="detached")
        player.wait(lambda first=first: player.runs == [first], f"for the run, {width} pixels wide")
        assert "seed=1" in page.url
        player.says("finished step 20")
        assert player.store.path(second).exists()
        for run in (first, second):
            player.store.delete(run)
