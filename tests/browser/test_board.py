"""The board in a real browser: live updates, history, the time slider, and what survives."""

import re

import numpy as np
import pytest

from tests.browser.board import BOARD, all_drawn, filled, open_board, plot, scrub, state, until, x_range, zoom

pytestmark = pytest.mark.browser

NAMES = ["loss", "boundary", "gradients", "histogram", "ridges", "weights", "depth", "scatter"]


@pytest.fixture
def finished(boards: str) -> str:
    """A run that is over, with 40 pictures: steps 0, 10, …, 390."""
    return f"{boards}?start=40"


@pytest.fixture
def live(boards: str) -> str:
    """A run that goes on for as long as anyone looks."""
    return f"{boards}?start=3&ticks=100000"


def test_figures_titles_and_history_come_from_the_app_alone_and_again_after_a_reload(page, boards, finished):
    hosts = set()
    page.on("request", lambda request: hosts.add(re.sub(r"^(\w+://[^/]*).*", r"\1", request.url)))
    open_board(page, finished)
    all_drawn(page)
    assert page.eval_on_selector_all(".nnviz-card", "cards => cards.map(card => card.dataset.figure)") == NAMES
    assert page.locator("[data-figure=loss] h3").inner_text() == "손실 · loss"
    filled(page)  # without a timer
    assert state(page)["history"] == "40"
    page.reload()
    until(page, "d.drawn > 0")
    filled(page)
    assert state(page)["history"] == "40"
    assert state(page)["step"] == "390"
    assert {host for host in hosts if host.startswith("http")} == {boards}


def test_live_charts_are_in_every_frame_but_one_of_a_rerun_and_keep_their_nodes(page, live):
    """When everything runs again, Streamlit may take a component out of the page and put it back in another frame."""
    open_board(page, live)
    all_drawn(page)
    page.evaluate(
        """() => {
          const plots = [...document.querySelectorAll('.nnviz-plot')];
          window.seen = { frames: 0, away: 0, missing: [], plots };
          const look = () => {
            const found = plots.map(p => [p.isConnected, p.offsetHeight > 0, p.querySelector('.subplot') !== null]);
            window.seen.frames++;
            if (found.every(([connected]) => !connected)) window.seen.away++;
            else if (!found.flat().every(Boolean)) window.seen.missing.push(found.join(' '));
            requestAnimationFrame(look);
          };
          requestAnimationFrame(look);
        }"""
    )
    newest = int(state(page)["newest"])
    until(page, f"d.newest >= {newest + 50}")
    page.get_by_role("button", name="Rerun everything").click()
    page.get_by_text("reran").wait_for()
    until(page, f"d.newest >= {newest + 100}")
    seen = page.evaluate("({...window.seen, plots: window.seen.plots.every(p => p.isConnected)})")
    assert seen["frames"] > 20
    assert seen["missing"] == []
    assert seen["away"] <= 1
    assert seen["plots"]
    assert page.locator(".nnviz-board").count() == 1


def test_live_board_follows_until_the_slider_is_moved_and_again_on_request(page, live):
    open_board(page, live)
    until(page, "d.follows === 'true' && d.step === d.newest && d.history === d.stepsKnown")
    scrub(page, 1)
    until(page, "d.step === '10' && d.follows === 'false' && d.busy === 'false'")
    newest = int(state(page)["newest"])
    until(page, f"d.newest > {newest + 10}")
    assert state(page)["step"] == "10"
    assert page.locator(".nnviz-position").inner_text().startswith("step 10 of ")
    page.get_by_role("button", name="Jump to latest").click()
    until(page, "d.follows === 'true' && d.step === d.newest")
    assert page.locator(".nnviz-is-live").inner_text() == page.locator(".nnviz-slider").get_attribute("aria-valuetext")


def test_another_section_is_opened_while_a_run_goes_on(page, live):
    # With three ticks a second what was lost of them on a busy machine is asked for later than the next one comes.
    open_board(page, f"{live}&every=1")
    until(page, "d.history === d.stepsKnown")
    for title, names in (("Side by side", NAMES), ("Legend", ["told"]), ("All", NAMES)):
        page.get_by_role("tab", name=title).click()
        page.wait_for_function("([n]) => document.querySelectorAll('.nnviz-card').length === n", arg=[len(names)])
        newest = int(state(page)["newest"])
        until(page, f"d.section === '{title}' && d.newest >= {newest + 10} && d.step === d.newest")
        until(page, "d.history === d.stepsKnown")
        assert page.eval_on_selector_all(".nnviz-card", "all => all.map(e => e.dataset.pending)") == ["false"] * len(
            names
        )


def test_zoom_survives_live_updates_reruns_and_scrubbing(page, live):
    open_board(page, live)
    all_drawn(page)
    zoomed = zoom(page, "boundary")
    newest = int(state(page)["newest"])
    until(page, f"d.newest > {newest + 20}")
    page.get_by_role("button", name="Rerun everything").click()
    page.get_by_text("reran").wait_for()
    scrub(page, 1)
    until(page, "d.step === '10' && d.busy === 'false'")
    assert x_range(page, "boundary") == pytest.approx(zoomed)
    page.locator("[data-figure=boundary] .nnviz-menu-button").click()
    page.get_by_role("menuitem", name="Reset zoom").click()
    page.wait_for_function(f"{plot('boundary')}._fullLayout.xaxis.autorange === true")


def test_a_board_that_is_mounted_elsewhere_brings_its_charts_along(page, finished):
    open_board(page, finished)
    filled(page)
    all_drawn(page)
    zoomed = zoom(page, "boundary")
    scrub(page, 3)
    until(page, "d.step === '30' && d.busy === 'false'")
    page.evaluate(f"window.kept = {plot('boundary')}")
    page.get_by_role("button", name="Shift everything").click()
    page.get_by_text("shifted").wait_for()
    page.wait_for_function(f"{BOARD} && window.kept === {plot('boundary')}")
    until(page, "d.busy === 'false'")
    assert x_range(page, "boundary") == pytest.approx(zoomed)
    assert state(page)["step"] == "30"
    assert page.locator(".nnviz-board").count() == 1
    scrub(page, 4)
    until(page, "d.step === '40' && d.busy === 'false'")


def test_linked_figures_share_their_x_range(page, finished):
    open_board(page, finished)
    until(page, "d.busy === 'false'")
    zoomed = zoom(page, "loss")
    page.wait_for_function(f"{plot('gradients')}._fullLayout.xaxis.autorange === false")
    assert x_range(page, "gradients") == pytest.approx(zoomed)
    page.locator("[data-figure=gradients] .nnviz-menu-button").click()
    page.locator("[data-figure=gradients]").get_by_role("menuitem", name="Reset zoom").click()
    for name in ("loss", "gradients"):
        page.wait_for_function(f"{plot(name)}._fullLayout.xaxis.autorange === true")


def test_arrow_keys_scrub_and_each_step_shows_its_own_figures(page, finished):
    open_board(page, finished)
    filled(page)
    page.locator(".nnviz-slider").focus()
    page.keyboard.press("ArrowLeft")
    until(page, "d.step === '380' && d.busy === 'false'")
    page.keyboard.press("Home")
    until(page, "d.step === '0' && d.busy === 'false'")
    page.keyboard.press("ArrowRight")
    until(page, "d.step === '10' && d.busy === 'false'")
    assert page.locator(".nnviz-slider").get_attribute("aria-valuetext") == "step 10 of 390"
    assert page.evaluate(f"{plot('histogram')}.layout.annotations[0].text") == "step 10"
    grid = np.linspace(-3, 3, 50, dtype=np.float32)
    z = np.sin(grid[None, :] + 10 / 60) * np.cos(grid[:, None] - 10 / 60)
    shown = page.evaluate(f"{plot('boundary')}.data[0].z.map(row => Array.from(row))")
    assert shown == pytest.approx(z.astype(np.float32), abs=1e-7)


def test_line_at_the_chosen_step_follows_step_and_zoom(page, finished):
    open_board(page, finished)
    filled(page)
    assert page.locator(".nnviz-line").count() == 0

    def agrees() -> None:
        for name in ("loss", "gradients"):
            page.wait_for_function(
                f"""() => {{
                  const plot = {plot(name)}, line = plot.parentElement.querySelector('.nnviz-line');
                  if (!line) return false;
                  const axis = plot._fullLayout.xaxis, step = Number({BOARD}.dataset.step);
                  const [from, to] = axis.range, left = plot.getBoundingClientRect().left;
                  const x = left + axis._offset + axis._length * (step - from) / (to - from);
                  const box = line.getBoundingClientRect();
                  return Math.abs(box.left + box.width / 2 - x) < 1;
                }}"""
            )

    scrub(page, 18)
    until(page, "d.step === '180' && d.busy === 'false'")
    agrees()
    zoom(page, "loss")
    agrees()
    scrub(page, 0)
    until(page, "d.step === '0' && d.busy === 'false'")
    assert page.locator(".nnviz-line").count() == 0


def test_a_step_not_there_yet_shows_the_nearest_and_is_asked_for_first(page, boards):
    open_board(page, f"{boards}?start=60&slow=0.4")
    scrub(page, 40)
    until(page, "d.wanted === '400' && d.step !== '400'")
    assert re.search(r"step 400 of 590 · showing \d+", page.locator(".nnviz-position").inner_text())
    until(page, "d.step === '400' && d.busy === 'false'")
    assert int(state(page)["history"]) < 30
    assert page.locator(".nnviz-position").inner_text() == "step 400 of 590"


def test_play_goes_through_all_steps_to_the_newest(page, finished):
    page.emulate_media(reduced_motion="no-preference")
    open_board(page, finished)
    filled(page)
    page.evaluate(
        f"""() => {{
          window.steps = [];
          new MutationObserver(() => steps.push({BOARD}.dataset.step)).observe({BOARD}, {{ attributes: true }});
        }}"""
    )
    page.get_by_role("button", name="Play all steps").click()
    page.get_by_role("button", name="Pause playback").wait_for()
    page.get_by_role("button", name="Play all steps").wait_for(timeout=40_000)
    seen = page.evaluate("window.steps.filter((step, i) => step !== window.steps[i - 1]).map(Number)")
    seen = seen[seen.index(0) :]
    assert seen == list(range(0, 400, 10))


def test_every_move_of_the_slider_is_drawn_without_the_server(page, finished):
    open_board(page, finished)
    filled(page)
    before = page.evaluate("window.nnviz.boards.demo.messages")
    page.evaluate(
        """async () => {
          const slider = document.querySelector('.nnviz-slider'), times = window.nnviz.boards.demo.scrubs;
          times.length = 0;
          for (let i = 0; i < 30; i++) {
            slider.value = 10 * ((i * 7) % 39);
            slider.dispatchEvent(new Event('input'));
            while (times.length <= i) await new Promise(resolve => setTimeout(resolve, 4));
          }
        }"""
    )
    assert len(page.evaluate("window.nnviz.boards.demo.scrubs")) == 30
    until(page, f"+d.step === {10 * (29 * 7 % 39)} && d.busy === 'false'")
    assert page.evaluate("window.nnviz.boards.demo.messages") == before


def test_history_survives_a_visit_to_another_page(page, finished):
    open_board(page, finished)
    filled(page)
    page.get_by_role("link", name="Second").click()
    page.get_by_text("nothing here").wait_for()
    page.get_by_role("link", name="First").click()
    until(page, "d.drawn > 0 && d.busy === 'false'")
    assert state(page)["history"] == "40"
    all_drawn(page)


def test_updates_come_by_themselves_each_with_what_is_new(page, live):
    open_board(page, live)
    all_drawn(page)
    before, newest = page.evaluate("window.nnviz.boards.demo.messages"), int(state(page)["newest"])
    page.wait_for_function(f"window.nnviz.boards.demo.messages >= {before} + 12")
    until(page, f"+d.newest >= {newest} + 100")  # a picture and 10 steps each


# -- figures that hold the whole run, and points to choose ------------------------------------------------------------


@pytest.fixture
def walk(boards: str) -> str:
    """A figure that the board cuts at the chosen step, with a point to choose at (2, 3)."""
    return f"{boards}/reveal"


def shown(page) -> dict[str, dict]:
    """The traces of the walk as they are drawn, by uid."""
    return page.evaluate(
        f"""Object.fromEntries({plot("walk")}.data.map(t => [t.uid, {{
          x: Array.from(t.x), text: t.text ?? [], size: Array.from(t.marker?.size ?? []), color: t.marker?.color,
        }}]))"""
    )


def on_screen(page, x: float, y: float) -> list[float]:
    return page.evaluate(
        f"""(p => {{
          const box = p.getBoundingClientRect(), {{ xaxis, yaxis }} = p._fullLayout;
          return [box.left + xaxis._offset + xaxis.d2p({x}), box.top + yaxis._offset + yaxis.d2p({y})];
        }})({plot("walk")})"""
    )


def says(page, pattern: str) -> re.Match:
    line = page.get_by_text(re.compile(pattern))
    line.wait_for()
    return re.search(pattern, line.inner_text())


def test_a_figure_of_the_whole_run_is_cut_at_the_chosen_step(page, walk):
    open_board(page, walk)
    filled(page)
    before = page.evaluate("window.nnviz.boards.walk.messages")
    for step in (20, 12, 0, 5, 20):
        scrub(page, step)
        until(page, f"d.step === '{step}' && d.busy === 'false'")
        found = shown(page)
        assert found["until"]["x"] == pytest.approx(2 + 0.1 * np.arange(step + 1))
        assert found["until"]["text"] == [f"at {n}" for n in range(step + 1)]
        assert found["at"]["x"] == pytest.approx([2 + 0.1 * step])
        assert (found["at"]["size"], found["at"]["color"]) == ([4 + step], "red")
        assert found["pairs"]["x"] == [step // 5 * 5] * 2  # the last before it that there are any of
        assert len(found["whole"]["x"]) == 21
    assert page.evaluate("window.nnviz.boards.walk.messages") == before


def test_a_point_is_chosen_by_a_click_and_by_a_drag(page, walk):
    open_board(page, walk)
    filled(page)
    page.mouse.click(*on_screen(page, 7, 6))
    x, y = map(float, says(page, r"chosen 1: walk ([\d.]+) ([\d.]+) True").groups())
    assert (x, y) == pytest.approx((7, 6), abs=0.05)
    page.wait_for_function(f"Math.abs({plot('walk')}.data[0].x[0] - 7) < 0.05")
    until(page, "d.busy === 'false'")
    page.mouse.move(*on_screen(page, 7, 6))
    page.mouse.down()
    page.mouse.move(*on_screen(page, 4, 2), steps=8)
    page.wait_for_function(f"Math.abs({plot('walk')}.data[0].x[0] - 4) < 0.05")
    assert page.locator(".nnviz-drag-point").is_visible()
    says(page, r"chosen \d+: walk [\d.]+ [\d.]+ False")
    page.mouse.up()
    x, y = map(float, says(page, r"chosen \d+: walk ([\d.]+) ([\d.]+) True").groups())
    assert (x, y) == pytest.approx((4, 2), abs=0.05)
    assert page.evaluate(f"{plot('walk')}._fullLayout.xaxis.range.slice()") == [0, 10]


def test_a_drag_out_of_the_picture_ends_at_its_edge_and_one_from_elsewhere_zooms(page, walk):
    open_board(page, walk)
    filled(page)
    page.mouse.move(*on_screen(page, 2, 3))
    page.mouse.down()
    page.mouse.move(*on_screen(page, -1, 3), steps=4)
    page.mouse.up()
    x, y = map(float, says(page, r"chosen \d+: walk (-?[\d.]+) ([\d.]+) True").groups())
    assert (x, y) == pytest.approx((0, 3), abs=0.05)
    until(page, "d.busy === 'false'")
    text = page.get_by_text("chosen").inner_text()
    page.mouse.move(*on_screen(page, 6, 8))
    page.mouse.down()
    page.mouse.move(*on_screen(page, 9, 5), steps=4)
    page.mouse.up()
    page.wait_for_function(f"{plot('walk')}._fullLayout.xaxis.range[0] > 5")
    assert page.get_by_text("chosen").inner_text() == text
