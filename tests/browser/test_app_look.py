"""How the app looks: light and dark, narrow and wide, straight to a page, and what is seen without scrolling."""

import pytest

from tests.browser.player import UNUSED_SEEDS, House, visiting

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGES = ["/", "/gradient_flow"]


def color(page, selector: str, of: str) -> list[int]:
    """A computed color as red, green, blue."""
    text = page.eval_on_selector(selector, f"e => getComputedStyle(e).{of}")
    return [int(float(part)) for part in text[text.index("(") + 1 : -1].split(",")[:3]]


def test_charts_take_the_colors_of_a_dark_page(player):
    texts, backs, grids = [], [], []
    for scheme in ("light", "dark"):
        player.page.emulate_media(color_scheme=scheme)
        player.open()
        player.all_drawn()
        assert player.board()["theme"] == scheme
        texts.append(color(player.page, "[data-figure=loss] .xtick text", "fill"))
        backs.append(color(player.page, ".stApp", "backgroundColor"))
        grids.append(color(player.page, "[data-figure=loss] .ygrid", "stroke"))
    # Dark on light, light on dark.
    assert max(texts[0]) < 140 < min(backs[0])
    assert max(backs[1]) < 60 < 120 < min(texts[1])
    assert grids[0] != grids[1]


@pytest.mark.parametrize("path", PAGES)
def test_time_slider_and_transport_are_seen_without_scrolling(player, path):
    player.open(path)
    for what in [player.button(name) for name in ("Run", "Step", "Epoch", "Stop", "Reset")] + [
        player.page.get_by_role("slider", name="Time"),
        player.page.locator(".st-key-status"),
    ]:
        box = what.bounding_box()
        assert box is not None
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 900
        assert box["x"] + box["width"] <= 1440


@pytest.mark.parametrize("path", PAGES)
def test_a_narrow_window_needs_no_scrolling_sideways(player, path):
    player.page.set_viewport_size({"width": 700, "height": 900})
    player.open(path)
    player.all_drawn()
    too_wide = """() => [...document.querySelectorAll('.stApp, [data-testid=stMain], .nnviz-board, .nnviz-card')]
      .filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.className + ' ' + e.scrollWidth)"""
    assert player.page.evaluate(too_wide) == []
    assert player.page.evaluate("document.documentElement.scrollWidth") <= 700
    for name in ("Run", "Step", "Epoch", "Stop", "Reset", "Keep", "Share"):
        box = player.button(name).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 700, name
    player.press("Run")
    player.until("+d.newest > 0")
    player.page.get_by_test_id("stExpandSidebarButton").click()
    player.page.get_by_test_id("stSidebar").get_by_text("Network", exact=True).first.wait_for()


def test_a_page_opens_as_the_first_thing_that_is_asked_of_a_new_server(app, page, tmp_path):
    house = House(app(home=tmp_path), tmp_path)
    with visiting(page, house) as player:
        player.open("/gradient_flow", seed=3)
        assert player.page.locator("h1").inner_text().startswith("Gradient flow")
        assert player.views()[0].job.seed == 3
        assert player.alerts() == []
        player.page.get_by_role("link", name="Playground").click()
        player.page.locator("h1", has_text="Playground").wait_for()
        player.until("d.drawn > 0")


def test_settings_and_run_survive_a_visit_to_the_other_page(player):
    seed = next(UNUSED_SEEDS)
    player.open(seed=seed, steps=60)
    player.press("Run")
    player.says("finished step 60")
    run = player.runs
    player.page.get_by_role("link", name="Gradient flow").click()
    player.page.locator("h1", has_text="Gradient flow").wait_for()
    player.wait(lambda: player.runs not in (run, [""]), "for the other page's run")
    player.page.get_by_role("link", name="Playground").click()
    player.page.locator("h1", has_text="Playground").wait_for()
    player.says("finished step 60")
    player.at(60)
    assert player.runs == run
    player.page.get_by_test_id("stSidebar").get_by_text("Schedule, seed, device").click()
    assert player.setting("Seed").input_value() == str(seed)


def test_back_leads_to_the_page_before_whatever_was_set_on_this_one(player):
    player.open(seed=8)
    player.page.get_by_role("link", name="Gradient flow").click()
    player.page.locator("h1", has_text="Gradient flow").wait_for()
    player.ready()
    for size in ("16", "8", "4"):
        player.setting("Batch size").fill(size)
        player.setting("Batch size").press("Enter")
        player.wait(lambda size=size: f"batch_size={size}" in player.page.url, "for the address")
    player.page.go_back()
    player.page.locator("h1", has_text="Playground").wait_for()
    player.wait(lambda: "seed=8" in player.page.url, "for the page's own address")
    player.ready()
    assert player.alerts() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_of_earlier_settings_are_dimmed_and_say_so(player, scheme):
    player.page.emulate_media(color_scheme=scheme)
    player.open(seed=next(UNUSED_SEEDS), steps=60)
    player.press("Run")
    player.says("finished step 60")
    opacity = "(e => e && Number(getComputedStyle(e).opacity))(document.querySelector('.nnviz-plot'))"
    line = player.page.locator(".nnviz-stale span").first
    player.page.wait_for_function(f"{opacity} === 1")
    assert not line.is_visible()
    player.page.get_by_test_id("stSidebar").get_by_label("Data", exact=True).first.click()
    player.page.get_by_role("option", name="Circles").click()
    player.until("d.stale === 'true'")
    assert line.inner_text() == "These pictures are of the earlier settings. Press “Run anew” for data Circles."
    assert player.page.evaluate(opacity) < 0.5
    player.page.mouse.move(900, 700)
    player.page.mouse.wheel(0, 600)
    assert line.is_visible()
    player.press("Run anew")
    player.until("d.stale === 'false'")
    assert player.page.evaluate(opacity) == 1
