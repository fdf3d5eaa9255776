"""A landscape in the real app: computed, stopped, continued, scrubbed without the server, saved, taken from a run."""

from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest

from nnviz.ui.library import HEAD, ROW
from tests.browser.board import choose, scrub
from tests.browser.player import UNUSED_SEEDS, Player

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MESSAGES = "window.nnviz.boards['board-loss_landscape'].messages"
SMALL = {
    "network.learner.data.points": 100,
    "network.learner.model.hidden": '[{"width":3,"activation":{"kind":"tanh"}}]',
    "network.steps": 120,
    "views": '[{"kind":"plane","resolution":17},{"kind":"path","resolution":17},'
    '{"kind":"curvature","points":3,"eigenvalues":2,"probes":4}]',
}


def landscape(player: Player, **parameters: object) -> Player:
    """Goes to the page and waits for the whole landscape."""
    player.page.goto(f"{player.app_server.url}/loss_landscape?{urlencode({**SMALL, **parameters})}")
    return settled(player)


def settled(player: Player) -> Player:
    """Waits until a landscape is computed and drawn."""
    trained(player)
    player.until("d.drawn > 0 && d.step !== '' && d.busy === 'false' && d.stale === 'false'")
    return player


def trained(player: Player) -> None:
    player.page.locator("[class*=st-key-transport-]", has_text="trained").wait_for()


def plot(figure: str) -> str:
    return f"document.querySelector('[data-figure=\"{figure}\"] .nnviz-plot')"


def drawn(player: Player, figure: str, trace: str, part: str = "x") -> np.ndarray:
    """An array of a trace as the picture has it, once it is drawn."""
    of = f"({plot(figure)}?.data?.find(t => t.uid === '{trace}' || t.type === '{trace}'))"
    player.page.locator(f'[data-figure="{figure}"]').scroll_into_view_if_needed()
    player.page.wait_for_function(f"{of}?.{part}?.length > 0")
    return np.array(player.page.evaluate(f"Array.from({of}.{part}, v => v?.length ? Array.from(v) : v)"), float)


def landscapes(player: Player) -> list[str]:
    """States of the runs that were made for landscapes, the newest first."""
    return [s.state for s in player.store.list() if s.kind == "landscape"]


def no_trouble(player: Player) -> None:
    assert player.alerts() == []
    assert player.page.get_by_test_id("stException").count() == 0


@pytest.mark.webgl
def test_map_space_and_curvature_are_drawn_and_scrubbed_without_the_server_and_saved(player):
    landscape(player)
    page = player.page
    heights = drawn(player, "plane", "heatmap", "z")
    assert heights.shape == (17, 17)
    assert np.isfinite(heights).all()
    assert heights[8, 8] < heights.mean()
    assert drawn(player, "plane 3-D", "surface", "z").shape == (17, 17)
    assert list(drawn(player, "sharpness", "eigenvalue1")) == [0, 60, 120]
    assert len(drawn(player, "trace", "trace")) == 3
    whole = np.stack([drawn(player, "path", "path", part) for part in "xy"], 1)
    assert len(whole) == 61
    assert whole[-1] == pytest.approx([0, 0], abs=1e-5)

    player.all_drawn()
    player.until("d.busy === 'false' && d.history === d.stepsKnown")
    before = page.evaluate(MESSAGES)
    for place in (30, 7, 0, 60):
        scrub(page, place)
        player.at(2 * place)
        assert len(drawn(player, "path", "path")) == place + 1
        mark = [drawn(player, "path", "mark", part)[-1] for part in "xy"]
        assert mark == pytest.approx(list(whole[place]), abs=1e-5)
    assert page.evaluate(MESSAGES) == before

    svg = choose(page, "path", "Image (SVG)")
    assert svg.suggested_filename.endswith("step-120.svg")
    text = Path(svg.path()).read_text()
    assert text.startswith("<svg")
    assert "network" in text
    png = choose(page, "plane", "Image (PNG)")
    assert Path(png.path()).read_bytes()[:4] == b"\x89PNG"
    no_trouble(player)


def test_an_example_shows_a_and_b_and_is_stopped_and_continued(player):
    landscape(player)
    player.page.get_by_role("button", name="Wide and narrow").click()
    player.page.locator('[data-figure="plane B"]').wait_for()
    assert player.titles()["plane A"].startswith("A · ")
    assert {"lines A", "lines B", "sharpness A", "sharpness B"} <= player.titles().keys()
    player.press("Pause")
    player.button("Continue").wait_for()
    runs = len(landscapes(player))
    assert "running" not in landscapes(player)
    assert "stopped" in landscapes(player)
    player.press("Continue")
    player.button("Pause").wait_for()
    # What went on is what was stopped, and pictures come.
    assert len(drawn(player, "lines A", "mean", "y")) == 65
    assert len(landscapes(player)) == runs
    no_trouble(player)
    # Who goes away from it does not wait for it: it is stopped and deleted.
    player.variant("B").get_by_role("button", name="Remove", exact=True).click()
    player.page.locator('[data-figure="plane B"]').wait_for(state="detached")
    player.wait(lambda: len(landscapes(player)) < runs, "for what was given up to be deleted")
    no_trouble(player)


def test_a_switch_of_a_view_keeps_its_settings_open_and_leaves_the_other_pictures(player):
    landscape(player)
    bar = player.page.get_by_test_id("stSidebar")
    bar.get_by_text("Random plane", exact=True).click()
    show = bar.get_by_text("Show", exact=True).locator("visible=true")
    show.click()
    player.page.locator('[data-figure="plane"]').wait_for(state="detached")
    settled(player)
    assert show.is_visible()
    assert len(drawn(player, "path", "path")) == 61
    show.click()
    player.page.locator('[data-figure="plane"]').wait_for()
    settled(player)
    no_trouble(player)


def test_a_network_is_taken_from_a_run_of_another_page(player):
    seed = next(UNUSED_SEEDS)
    player.open(learner__data__points=100, steps=40, seed=seed)
    player.press("Run")
    player.says("finished step 40")
    page = landscape(player).page
    page.get_by_role("button", name="Use a network from a run").click()
    page.locator("[data-testid=stDataFrame]:visible canvas").first.wait_for()
    table = page.locator("[data-testid=stDataFrame]:visible")
    table.click(position={"x": 150, "y": HEAD + ROW * 0.5})  # once it has come to rest
    page.get_by_test_id("stDialog").wait_for(state="detached")
    player.wait(lambda: player.said("network.seed") == str(seed), "for the network in the address")
    assert player.said("network.steps") == "40"
    player.at(40)
    settled(player)
    no_trouble(player)


def test_a_network_goes_from_its_page_to_its_landscape_and_a_click_on_its_path_to_a_step(player):
    seed = next(UNUSED_SEEDS)
    player.open(learner__data__points=100, steps=60, seed=seed)
    player.press("Run")
    player.says("finished step 60")
    player.page.get_by_role("link", name="Show loss landscape").click()
    player.wait(lambda: player.said("network.seed") == str(seed), "for the network in the address")
    page = settled(player).page
    player.at(60)
    points = np.stack([drawn(player, "path", "path", part) for part in "xy"], 1)
    place = f"""([x, y]) => {{
      const plot = {plot("path")}, {{ left, top }} = plot.getBoundingClientRect();
      const {{ xaxis, yaxis }} = plot._fullLayout;
      return [left + xaxis._offset + xaxis.d2p(x), top + yaxis._offset + yaxis.d2p(y)];
    }}"""
    x, y = page.evaluate(place, points[20].tolist())
    page.mouse.move(x - 4, y)
    page.mouse.move(x, y)
    page.wait_for_function(f"{plot('path')}.querySelector('.hoverlayer .hovertext')")
    page.mouse.click(x, y)
    player.until("+d.wanted < 60 && d.follows === 'false'")
    assert len(drawn(player, "path", "mark")) == 1
    no_trouble(player)


def test_it_fits_a_narrow_window_and_a_dark_page(player):
    page = player.page
    page.set_viewport_size({"width": 700, "height": 900})
    page.emulate_media(color_scheme="dark")
    landscape(player)
    player.all_drawn()
    assert player.board()["theme"] == "dark"
    too_wide = """() => [...document.querySelectorAll('.stApp, [data-testid=stMain], .nnviz-board, .nnviz-card')]
      .filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.className + ' ' + e.scrollWidth)"""
    assert page.evaluate(too_wide) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 700
    fill = page.eval_on_selector("[data-figure=path] .xtick text", "e => getComputedStyle(e).fill")
    assert min(int(float(part)) for part in fill[fill.index("(") + 1 : -1].split(",")[:3]) > 120
    no_trouble(player)
