"""Earlier runs in the browser: opened by a click on a line, deleted by ticks and a confirmation."""

from pathlib import Path

import pytest

from nnviz.presets import playground
from nnviz.spec.base import replace_many
from nnviz.ui.library import HEAD, ROW
from tests.browser.player import House, visiting

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HASTY = Path(__file__).parent / "apps" / "hasty.py"

TICKS = 16
"""Pixels from the table's left to the middle of its column of ticks."""


@pytest.fixture(scope="module")
def kept(app, tmp_path_factory) -> House:
    """An app that refreshes at every moment: what is clicked must come through between two refreshes."""
    home = tmp_path_factory.mktemp("home")
    return House(app(HASTY, home), home)


def fill(player) -> list[str]:
    """The ids of runs of the seeds 1, 2, 3, in that order, as workers would have left them."""
    ids = []
    for seed in (1, 2, 3):
        file = player.store.create(replace_many(playground.DEFAULT, {"seed": seed}))
        file.write(state="running", step=20)
        file.write(state="finished")
        file.close()
        ids.append(file.id)
    return ids


def click(player, line: int, x: float) -> None:
    """Clicks into a line of the table, 0 for the newest run."""
    table = player.page.locator("[data-testid=stDataFrame]:visible")
    table.click(position={"x": x, "y": HEAD + ROW * (line + 0.5)})  # once it has come to rest


def open_table(player) -> None:
    player.page.get_by_role("button", name="Earlier runs").click()
    player.page.locator("[data-testid=stDataFrame]:visible canvas").first.wait_for()


@pytest.mark.parametrize("width", [1440, 700])
def test_runs_are_deleted_after_a_question_and_opened_by_a_click(page, kept, width):
    page.set_viewport_size({"width": width, "height": 900})
    with visiting(page, kept) as player:
        first, second, third = fill(player)
        player.open()
        if width < 800:
            player.page.get_by_test_id("stExpandSidebarButton").click()
        open_table(player)
        click(player, 0, TICKS)
        player.page.get_by_role("button", name="Delete this run").click()
        assert player.store.path(third).exists()
        player.page.get_by_role("button", name="Yes, delete").click()
        player.wait(lambda: not player.store.path(third).exists(), "for the deletion")
        player.page.get_by_role("button", name="Delete this run").wait_for(state="detached")
        player.page.get_by_test_id("stDialog").wait_for()
        click(player, 1, 150)
        player.page.get_by_test_id("stDialog").wait_for(state="detached")
        player.wait(lambda: player.runs == [first], "for the run")
        assert "seed=1" in player.page.url
        player.says("finished step 20")
        assert player.store.path(second).exists()
        for run in (first, second):
            player.store.delete(run)
