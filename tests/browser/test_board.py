"""The board in a real browser: what it draws, keeps, exports, and how it looks for what it does not have yet."""

import csv
import io
import json
import re
import time
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.browser

APP = Path(__file__).parent / "apps" / "board_demo.py"
NAMES = ["loss", "boundary", "gradients", "histogram", "ridges", "weights", "depth", "scatter"]
BOARD = "document.querySelector('.nnviz-board')"


@pytest.fixture(scope="module")
def finished(app) -> str:
    """A run that is over, with 40 pictures: steps 0, 10, …, 390."""
    return app(APP, DEMO_START="40")


@pytest.fixture(scope="module")
def live(app) -> str:
    """A run that goes on for as long as anyone looks."""
    return app(APP, DEMO_START="3", DEMO_TICKS="100000", DEMO_EVERY="0.3")


def until(page, condition: str) -> None:
    """Waits until a JavaScript condition on the board's published state `d` and the page holds."""
    page.wait_for_function(f"(d => d && ({condition}))({BOARD}?.dataset)", polling=30)


def open_board(page, url: str) -> None:
    page.goto(url)
    until(page, "d.drawn > 0 && d.busy === 'false'")


def state(page) -> dict[str, str]:
    return page.evaluate(f"({{...{BOARD}.dataset}})")


def filled(page) -> None:
    until(page, "d.history === d.stepsKnown && d.busy === 'false'")


def all_drawn(page) -> None:
    """Waits for the charts out of view too."""
    page.wait_for_function(
        "(plots => plots.length === 8 && plots.every(e => e.querySelector('.subplot')))"
        "([...document.querySelectorAll('.nnviz-plot')])"
    )


def scrub(page, place: int) -> None:
    page.evaluate(
        """place => {
          const slider = document.querySelector('.nnviz-slider');
          slider.value = place;
          slider.dispatchEvent(new Event('input'));
        }""",
        place,
    )


def plot(name: str) -> str:
    return f"document.querySelector('[data-figure={name}] .nnviz-plot')"


def zoom(page, name: str) -> list[float]:
    """Drags over the middle of a chart; the x range that it has then."""
    page.locator(f"[data-figure={name}]").scroll_into_view_if_needed()
    box = page.locator(f"[data-figure={name}] .nsewdrag").first.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.3 * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], y + 2, steps=5)
    page.mouse.up()
    page.wait_for_function(f"{plot(name)}._fullLayout.xaxis.autorange === false")
    return x_range(page, name)


def x_range(page, name: str) -> list[float]:
    return page.evaluate(f"{plot(name)}._fullLayout.xaxis.range.slice()")


def choose(page, name: str, item: str):
    """The download that an item of a figure's menu gives."""
    page.locator(f"[data-figure={name}] .nnviz-more").click()
    with page.expect_download() as download:
        page.locator(f"[data-figure={name}] [role=menuitem]", has_text=item).click()
    return download.value


def test_all_figures_are_drawn_with_their_titles(page, finished):
    open_board(page, finished)
    all_drawn(page)
    assert page.eval_on_selector_all(".nnviz-card", "cards => cards.map(card => card.dataset.figure)") == NAMES
    assert page.locator("[data-figure=loss] h3").inner_text() == "손실 · loss"


def test_nothing_is_fetched_from_elsewhere(page, finished):
    hosts = set()
    page.on("request", lambda request: hosts.add(re.sub(r"^(\w+://[^/]*).*", r"\1", request.url)))
    open_board(page, finished)
    filled(page)
    assert {host for host in hosts if host.startswith("http")} == {finished}


def test_history_is_fetched_without_a_timer_and_again_after_a_reload(page, finished):
    open_board(page, finished)
    filled(page)
    assert state(page)["history"] == "40"
    page.reload()
    until(page, "d.drawn > 0")
    filled(page)
    assert state(page)["history"] == "40"
    assert state(page)["step"] == "390"


def test_live_charts_are_in_every_frame_and_keep_their_nodes(page, live):
    open_board(page, live)
    all_drawn(page)
    page.evaluate(
        """() => {
          const plots = [...document.querySelectorAll('.nnviz-plot')];
          window.seen = { frames: 0, missing: [], plots };
          const look = () => {
            const there = plots.filter(p => p.isConnected && p.offsetHeight > 0 && p.querySelector('.subplot'));
            window.seen.frames++;
            if (there.length !== 8) window.seen.missing.push(there.length);
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
    assert page.locator(".nnviz-where").inner_text().startswith("step 10 of ")
    page.get_by_role("button", name="Go to the newest").click()
    until(page, "d.follows === 'true' && d.step === d.newest")
    assert page.locator(".nnviz-newest").inner_text() == "● live"


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
    page.locator("[data-figure=boundary] .nnviz-more").click()
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
    page.locator("[data-figure=gradients] .nnviz-more").click()
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


def test_a_step_not_there_yet_shows_the_nearest_and_is_asked_for_first(page, app):
    open_board(page, app(APP, DEMO_START="60", DEMO_SLOW="0.4"))
    scrub(page, 40)
    until(page, "d.wanted === '400' && d.step !== '400'")
    assert re.search(r"step 400 of 590 · showing \d+", page.locator(".nnviz-where").inner_text())
    until(page, "d.step === '400' && d.busy === 'false'")
    assert int(state(page)["history"]) < 30
    assert page.locator(".nnviz-where").inner_text() == "step 400 of 590"


def test_play_goes_through_all_steps_to_the_newest(page, finished):
    open_board(page, finished)
    filled(page)
    page.evaluate(
        f"""() => {{
          window.steps = [];
          new MutationObserver(() => steps.push({BOARD}.dataset.step)).observe({BOARD}, {{ attributes: true }});
        }}"""
    )
    page.get_by_role("button", name="Play through all steps").click()
    page.get_by_role("button", name="Stop playing").wait_for()
    page.get_by_role("button", name="Play through all steps").wait_for(timeout=40_000)
    seen = page.evaluate("window.steps.filter((step, i) => step !== window.steps[i - 1]).map(Number)")
    seen = seen[seen.index(0) :]
    assert seen == list(range(0, 400, 10))


def test_scrubbing_is_fluent(page, finished):
    open_board(page, finished)
    filled(page)
    page.evaluate(
        """async () => {
          const slider = document.querySelector('.nnviz-slider'), times = window.nnviz.boards.demo.scrubs;
          times.length = 0;
          for (let i = 0; i < 30; i++) {
            slider.value = (i * 7) % 39;
            slider.dispatchEvent(new Event('input'));
            while (times.length <= i) await new Promise(resolve => setTimeout(resolve, 4));
          }
        }"""
    )
    median = np.median(page.evaluate("window.nnviz.boards.demo.scrubs"))
    assert median < 250, median  # 60 ms where nothing else runs; a loaded machine may take longer, never seconds


def test_csv_holds_exactly_the_plotted_data(page, finished):
    open_board(page, finished)
    filled(page)
    scrub(page, 6)
    until(page, "d.step === '60' && d.busy === 'false'")
    download = choose(page, "boundary", "Data (CSV)")
    assert download.suggested_filename == "Decision-surface-step-60.csv"
    rows = list(csv.DictReader(io.StringIO(Path(download.path()).read_text(encoding="utf-8-sig"))))
    grid = np.linspace(-3, 3, 50, dtype=np.float32)
    z = (np.sin(grid[None, :] + 1.0) * np.cos(grid[:, None] - 1.0)).astype(np.float32)
    cells = [row for row in rows if row["trace"] == "trace 0"]
    assert len(cells) == 2500
    np.testing.assert_array_equal(np.float32([row["z"] for row in cells]).reshape(50, 50), z)
    np.testing.assert_array_equal(np.float32([row["x"] for row in cells]), np.tile(grid, 50))
    points = np.random.default_rng(0).normal(size=(2, 300)).astype(np.float32)
    dots = [row for row in rows if row["trace"] == "trace 1"]
    np.testing.assert_array_equal(np.float32([row["x"] for row in dots]), points[0])
    np.testing.assert_array_equal(np.float32([row["y"] for row in dots]), points[1])


def test_csv_of_curves_has_double_precision_and_names(page, finished):
    open_board(page, finished)
    download = choose(page, "loss", "Data (CSV)")
    rows = list(csv.DictReader(io.StringIO(Path(download.path()).read_text(encoding="utf-8-sig"))))
    assert download.suggested_filename.startswith("손실-loss-step-390")
    first = [row for row in rows if row["trace"] == "층 0"]
    x = np.linspace(0, 390, 391)
    np.testing.assert_array_equal([float(row["y"]) for row in first], np.exp(-x / 100) + 0.01)


def test_plotly_json_is_read_by_plotly(page, finished):
    import plotly.graph_objects as go

    open_board(page, finished)
    download = choose(page, "weights", "Plotly JSON")
    figure = go.Figure(json.loads(Path(download.path()).read_text()))
    assert np.shape(figure.data[0].z) == (20, 30)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_have_the_pages_background(page, finished, scheme):
    from PIL import Image, ImageColor

    page.emulate_media(color_scheme=scheme)
    open_board(page, finished)
    assert state(page)["theme"] == scheme
    download = choose(page, "depth", "Picture (PNG)")
    assert download.suggested_filename == "Depth-profile-step-390.png"
    image = Image.open(download.path()).convert("RGBA")
    background = page.evaluate(f"getComputedStyle({BOARD}).getPropertyValue('--st-background-color')")
    assert image.getpixel((2, 2)) == (*ImageColor.getrgb(background)[:3], 255)
    assert (sum(image.getpixel((2, 2))[:3]) < 300) == (scheme == "dark")
    assert image.width > 500
    svg = Path(choose(page, "depth", "Picture (SVG)").path()).read_text()
    assert svg.startswith("<svg")
    assert "Depth profile · step 390" in svg


def test_theme_changes_while_the_page_is_open(page, finished):
    page.emulate_media(color_scheme="light")
    open_board(page, finished)
    ink = f"{plot('loss')}._fullLayout.font.color"
    light = page.evaluate(ink)
    page.emulate_media(color_scheme="dark")
    until(page, "d.theme === 'dark' && d.busy === 'false'")
    assert page.evaluate(ink) != light
    assert page.evaluate(f"{plot('loss')}._fullLayout.paper_bgcolor") == "rgba(0,0,0,0)"


def test_narrow_window_has_one_column_and_a_whole_header(page, finished):
    page.set_viewport_size({"width": 420, "height": 800})
    open_board(page, finished)
    until(page, "d.narrow === 'true' && d.busy === 'false'")
    lefts = page.eval_on_selector_all(
        ".nnviz-card", "cards => cards.map(card => Math.round(card.getBoundingClientRect().left))"
    )
    assert len(set(lefts)) == 1
    inside = (
        "[...document.querySelectorAll('.nnviz-head > *')].every(e => e.getBoundingClientRect().right <= innerWidth)"
    )
    assert page.evaluate(inside)
    assert page.evaluate("document.querySelector('.nnviz-slider').offsetWidth") >= 60
    assert page.evaluate(f"{plot('loss')}.querySelector('svg').getBoundingClientRect().right <= innerWidth")


def test_header_stays_on_top_while_scrolling(page, finished):
    open_board(page, finished)
    page.locator("[data-figure=scatter]").scroll_into_view_if_needed()
    page.mouse.move(700, 500)
    page.mouse.wheel(0, 3000)
    page.wait_for_function("document.querySelector('[data-figure=loss]').getBoundingClientRect().bottom < 0")
    box = page.locator(".nnviz-head").bounding_box()
    assert 0 <= box["y"] <= 70
    assert box["height"] <= 42
    scrub(page, 2)  # also what is down here is drawn
    until(page, "d.busy === 'false'")


def test_charts_follow_the_width_of_the_window(page, finished):
    open_board(page, finished)
    page.set_viewport_size({"width": 1000, "height": 900})
    page.wait_for_function(
        f"(p => innerWidth === 1000 && Math.abs(p._fullLayout.width - p.parentElement.clientWidth) < 2)({plot('loss')})"
    )


def test_menu_and_help_work_by_keyboard(page, finished):
    open_board(page, finished)
    more = page.locator("[data-figure=loss] .nnviz-more")
    more.focus()
    page.keyboard.press("Enter")
    assert more.get_attribute("aria-expanded") == "true"
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.textContent") == "Picture (SVG)"
    page.keyboard.press("Escape")
    assert more.get_attribute("aria-expanded") == "false"
    assert page.evaluate("document.activeElement.className") == "nnviz-more"
    page.locator("[data-figure=loss] .nnviz-help").focus()
    page.locator("[data-figure=loss] .nnviz-tip").wait_for(state="visible")


def test_full_screen_grows_the_chart_and_comes_back(page, finished):
    open_board(page, finished)
    page.locator("[data-figure=loss] .nnviz-more").click()
    page.locator("[data-figure=loss]").get_by_role("menuitem", name="Full screen").click()
    page.wait_for_function(f"{plot('loss')}._fullLayout.height > 500 && {plot('loss')}._fullLayout.width > 1000")
    page.evaluate("document.exitFullscreen()")
    page.wait_for_function(f"{plot('loss')}._fullLayout.height === 280")


def test_history_survives_a_visit_to_another_page(page, finished):
    open_board(page, finished)
    filled(page)
    page.get_by_role("link", name="Second").click()
    page.get_by_text("nothing here").wait_for()
    page.get_by_role("link", name="First").click()
    until(page, "d.drawn > 0 && d.busy === 'false'")
    assert state(page)["history"] == "40"
    all_drawn(page)


def test_markers_that_cannot_be_seen_have_no_nodes_and_are_found_by_hovering(page, finished):
    open_board(page, finished)
    all_drawn(page)
    assert page.evaluate(f"{plot('scatter')}.querySelectorAll('path.point').length") == 301
    page.locator("[data-figure=scatter]").scroll_into_view_if_needed()
    x, y = page.evaluate(
        f"""() => {{
          const plot = {plot("scatter")}, box = plot.getBoundingClientRect(), {{ xaxis, yaxis }} = plot._fullLayout;
          const trace = plot.data[1];
          return [box.left + xaxis._offset + xaxis.d2p(trace.x[7]), box.top + yaxis._offset + yaxis.d2p(trace.y[7])];
        }}"""
    )
    page.mouse.move(x - 30, y)
    page.mouse.move(x, y, steps=4)
    page.wait_for_function(f"{plot('scatter')}.querySelector('.hoverlayer').textContent.includes('hover')")


def test_shortcut_for_array_attributes_finds_what_plotly_finds(page, finished):
    open_board(page, finished)
    all_drawn(page)
    found = page.evaluate(
        """() => {
          const { findArrayAttributes } = Plotly.PlotSchema;
          const traces = [...document.querySelectorAll('.nnviz-plot')].flatMap(plot => plot._fullData);
          return traces.map(trace => [findArrayAttributes(trace), findArrayAttributes.original(trace)]);
        }"""
    )
    assert len(found) > 20
    for quick, original in found:
        assert quick == original


def test_points_that_did_not_change_move_with_the_axes(page, finished):
    open_board(page, finished)
    filled(page)
    node = f"{plot('boundary')}.querySelector('.scatterlayer path.point')"
    before = page.evaluate(f"window.point = {node}; window.point.getAttribute('transform')")
    scrub(page, 3)
    until(page, "d.step === '30' && d.busy === 'false'")
    assert page.evaluate(f"{node} === window.point")
    assert page.evaluate(f"{node}.getAttribute('transform')") == before
    zoom(page, "boundary")
    scrub(page, 5)
    until(page, "d.step === '50' && d.busy === 'false'")
    moved = page.evaluate(f"{plot('boundary')}._fullLayout.xaxis.d2p({plot('boundary')}.data[1].x[0])")
    assert float(
        re.match(r"translate\(([-\d.]+)", page.evaluate(f"{node}.getAttribute('transform')"))[1]
    ) == pytest.approx(moved, abs=0.02)


def test_before_the_first_picture_cards_of_all_rows_wait_in_their_places(page, app):
    page.goto(app(APP, DEMO_START="0"))
    page.get_by_text("waiting for the first picture").nth(7).wait_for()
    until(page, "d.busy === 'false' && d.stepsKnown === '0'")
    assert page.locator(".nnviz-card").count() == 8
    assert page.locator(".nnviz-slider").is_disabled()


def test_board_works_below_a_base_path_and_on_a_subpage(page, serve):
    url = serve(APP, {"DEMO_START": "4"}, ["--server.baseUrlPath=some/base"], path="/some/base")
    page.goto(f"{url}/second")
    page.get_by_text("nothing here").wait_for()
    page.get_by_role("link", name="First").click()
    until(page, "d.drawn > 0 && d.busy === 'false'")
    page.goto(f"{url}/first")
    until(page, "d.drawn > 0 && d.busy === 'false'")


def test_without_static_serving_one_line_says_so(page, serve):
    url = serve(APP, {"DEMO_START": "4"}, ["--server.enableStaticServing=false"])
    page.goto(url)
    page.get_by_text("Is server.enableStaticServing on").wait_for()


def test_updates_come_at_the_rate_of_the_fragment(page, live):
    open_board(page, live)
    all_drawn(page)
    before, started = page.evaluate("window.nnviz.boards.demo.messages"), time.monotonic()
    page.wait_for_function(f"window.nnviz.boards.demo.messages >= {before} + 12")
    assert 12 / (time.monotonic() - started) > 1.5  # 3.3 where nothing else runs
