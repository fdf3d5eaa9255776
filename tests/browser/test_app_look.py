"""How the app looks: light and dark, narrow and wide, straight to a page, and what is seen without scrolling."""

import json

import numpy as np
import pytest

from nnviz import figures
from tests.browser.board import BOARD

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGES = ["/", "/gradient_flow"]
QUICK = {"steps": 60, "seed": 41}
QUICK_DEEP = {"steps": 30, "learner.model.depth": 3}
"""Settings of runs that tests share, trained once."""


def color(page, selector: str, of: str) -> list[int]:
    """A computed color as red, green, blue."""
    text = page.eval_on_selector(selector, f"e => getComputedStyle(e).{of}")
    return [int(float(part)) for part in text[text.index("(") + 1 : -1].split(",")[:3]]


def test_charts_take_the_colors_of_a_dark_page(player):
    texts, backs, grids = [], [], []
    player.open()
    for scheme in ("light", "dark"):
        player.page.emulate_media(color_scheme=scheme)
        player.all_drawn()
        player.until(f"d.theme === '{scheme}' && d.busy === 'false'")
        texts.append(color(player.page, "[data-figure=loss] .xtick text", "fill"))
        backs.append(color(player.page, ".stApp", "backgroundColor"))
        grids.append(color(player.page, "[data-figure=loss] .ygrid", "stroke"))
    # Dark on light, light on dark.
    assert max(texts[0]) < 140 < min(backs[0])
    assert max(backs[1]) < 60 < 120 < min(texts[1])
    assert grids[0] != grids[1]


def test_buttons_time_slider_and_the_first_pictures_are_seen_without_scrolling(player):
    trained = {"/": QUICK, "/gradient_flow": QUICK_DEEP}
    for path, second in {"/": "loss", "/gradient_flow": "", "/optimizers": "", "/loss_landscape": ""}.items():
        if path in trained:
            player.finished(path, **trained[path])
        else:
            player.page.goto(f"{player.app_server.url}{path}")
            player.until("d.drawn > 0 && d.step !== '' && d.busy === 'false' && d.stale === 'false'")
        buttons = [player.button(name) for name in ("Run", "Step", "Epoch", "Stop", "Reset")] if path in trained else []
        row = [*buttons, player.button("Share"), player.page.locator(".st-key-status")]
        slider = player.page.get_by_role("slider", name="Time")
        cards = player.page.locator(".nnviz-card")
        for width, height in ((1440, 900), (1280, 720)):
            player.page.set_viewport_size({"width": width, "height": height})
            player.page.wait_for_function(f"{BOARD}.getBoundingClientRect().right > {width - 80}")
            player.until("d.busy === 'false'")
            where = f"{path} at {width}x{height}"
            for what in (*row, slider):
                box = what.bounding_box()
                assert box["y"] >= 0, where
                assert box["y"] + box["height"] <= height, where
                assert box["x"] + box["width"] <= width, where
            first = cards.first.bounding_box()
            assert first["y"] <= 170 or width < 1440, where
            # Of rows higher than that, such as the maps, most is seen.
            assert first["y"] + min(first["height"], 400) <= height, where
        player.page.set_viewport_size({"width": 1440, "height": 900})
        if second:
            player.page.wait_for_function(f"{BOARD}.getBoundingClientRect().right > 1360")
            box = player.page.locator(f"[data-figure='{second}']").bounding_box()
            assert box["y"] + box["height"] <= 900, path


@pytest.mark.parametrize("path", PAGES)
def test_a_narrow_window_needs_no_scrolling_sideways(player, path):
    player.page.set_viewport_size({"width": 700, "height": 900})
    player.open(path)
    player.all_drawn()
    too_wide = """() => [...document.querySelectorAll('.stApp, [data-testid=stMain], .nnviz-board, .nnviz-card')]
      .filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.className + ' ' + e.scrollWidth)"""
    assert player.page.evaluate(too_wide) == []
    assert player.page.evaluate("document.documentElement.scrollWidth") <= 700
    for name in ("Run", "Step", "Epoch", "Stop", "Reset", "Keep running", "Share"):
        box = player.button(name).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 700, name
    player.press("Run")
    player.until("+d.newest > 0")
    player.page.get_by_test_id("stExpandSidebarButton").click()
    player.page.get_by_test_id("stSidebar").get_by_text("Network", exact=True).first.wait_for()


def test_settings_and_run_survive_a_visit_to_the_other_page(player):
    run = player.finished(**QUICK).runs
    player.page.get_by_role("link", name="Gradient flow").click()
    player.page.locator("h1", has_text="Gradient flow").wait_for()
    player.wait(lambda: player.runs not in (run, [""]), "for the other page's run")
    player.page.get_by_role("link", name="Playground").click()
    player.page.locator("h1", has_text="Playground").wait_for()
    player.says("finished step 60")
    player.at(60)
    assert player.runs == run
    player.page.get_by_test_id("stSidebar").get_by_text("Schedule, seed, device").click()
    assert player.setting("Seed").input_value() == str(QUICK["seed"])


def test_back_leads_to_the_page_before_whatever_was_set_on_this_one(player):
    player.open(seed=8)
    player.page.get_by_role("link", name="Gradient flow").click()
    player.page.locator("h1", has_text="Gradient flow").wait_for()
    player.ready()
    for depth in ("19", "18", "17"):
        player.slider("Depth").press("ArrowLeft")
        player.wait(lambda depth=depth: player.said("learner.model.depth") == depth, "for the address")
    player.page.go_back()
    player.page.locator("h1", has_text="Playground").wait_for()
    player.wait(lambda: "seed=8" in player.page.url, "for the page's own address")
    player.ready()
    assert player.alerts() == []


def test_after_a_finished_run_other_data_are_seen_untrained_at_once_and_the_run_is_found_again(player):
    player.finished(**QUICK)
    run = player.runs
    player.until("d.history === d.stepsKnown")
    player.page.evaluate(
        """() => {
          window.stale = [];
          const look = () => {
            const { stale } = document.querySelector('.nnviz-board')?.dataset ?? {};
            if (stale && stale !== window.stale.at(-1)) window.stale.push(stale);
            requestAnimationFrame(look);
          };
          look();
        }"""
    )
    player.choose("Data", "Circles")
    player.wait(lambda: player.runs != run, "for the other data")
    assert player.paused() == 0
    view = player.views()[0]
    assert view.job.learner.data.kind == "circles"
    drawn = figures.decision_surface(view.snapshot("decision_grid"), view.snapshot("data"))["data"]
    np.testing.assert_allclose(player.trace("outcome", 0, "z"), drawn[0]["z"])
    np.testing.assert_allclose(player.trace("outcome", 1, "x"), drawn[1]["x"], rtol=1e-6)
    opacity = "Number(getComputedStyle(document.querySelector('.nnviz-plot')).opacity)"
    assert player.page.evaluate(opacity) == 1
    assert player.button("Run").is_enabled()
    player.choose("Data", "Moons")
    player.wait(lambda: player.runs == run, "for the finished run")
    player.says("finished step 60")
    player.at(60)
    assert player.page.evaluate("window.stale") == ["false"]


def test_another_section_of_a_finished_run_is_sent_by_itself_and_only_once(player):
    sent: list[set[str]] = []

    def hear(message: bytes | str) -> None:
        start = message.find(b'{"head":') if isinstance(message, bytes) else -1
        if start >= 0:
            told, _ = json.JSONDecoder().raw_decode(message[start:].decode("utf-8", "replace"))
            sent.append({*told["now"], *(b[1] for b in told["bases"]), *(n for _, of in told["history"] for n in of)})

    player.page.on("websocket", lambda socket: socket.on("framereceived", hear))
    player.finished("/gradient_flow", **QUICK_DEEP)
    rest = "d.history === d.stepsKnown && d.busy === 'false'"
    player.until(rest)
    shown = [set(player.titles())]
    assert set().union(*sent) == shown[0]
    for title in ("Weights and updates", "Loss"):
        sent.clear()
        player.page.get_by_role("tab", name=title, exact=True).click()
        player.until(f"d.section === '{title}' && {rest}")
        player.wait(lambda title=title: player.said("section") == title, "for the address")
        player.all_drawn()
        shown.append(set(player.titles()))
        assert set().union(*sent) == shown[-1], title
    assert shown[1] == {"ratios", "gradient sizes", "weight sizes"}
    assert shown[2] == {"loss", "accuracy"}
    assert not shown[0] & (shown[1] | shown[2])
    sent.clear()
    player.page.get_by_role("tab", name="Signal", exact=True).click()
    player.until(f"d.section === 'Signal' && {rest}")
    player.wait(lambda: not player.said("section"), "for the address")
    player.wait(lambda: sent, "for the server's answer")
    assert set().union(*sent) == set()
