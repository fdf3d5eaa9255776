"""The board in a real browser: exports, themes, window sizes, menus, and shortcuts in drawing."""

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest

from nnviz.figures.kit import labels
from tests.browser.board import BOARD, DEMO, all_drawn, choose, filled, open_board, plot, scrub, until, zoom

pytestmark = pytest.mark.browser


@pytest.fixture
def finished(boards: str) -> str:
    """A run that is over, with 40 pictures: steps 0, 10, …, 390."""
    return f"{boards}?start=40"


def test_downloads_hold_exactly_what_is_drawn(page, finished):
    import plotly.graph_objects as go

    open_board(page, finished)
    filled(page)
    all_drawn(page)
    # Curves: names, and double precision.
    download = choose(page, "loss", "Data (CSV)")
    rows = list(csv.DictReader(io.StringIO(Path(download.path()).read_text(encoding="utf-8-sig"))))
    assert download.suggested_filename.startswith("손실-loss-step-390")
    first = [row for row in rows if row["trace"] == "층 0"]
    x = np.linspace(0, 390, 391)
    np.testing.assert_array_equal([float(row["y"]) for row in first], np.exp(-x / 100) + 0.01)

    # What Plotly reads.
    download = choose(page, "weights", "Plotly JSON")
    figure = go.Figure(json.loads(Path(download.path()).read_text()))
    assert np.shape(figure.data[0].z) == (20, 30)

    # The part of a picture that was zoomed to.
    ticks = "svg => [...svg.matchAll(/xtick.*?<text[^>]*>([^<]*)/g)].map(found => found[1])"
    whole, _ = Path(choose(page, "loss", "Image (SVG)").path()).read_text(), zoom(page, "loss")
    part = Path(choose(page, "loss", "Image (SVG)").path()).read_text()
    assert "300" in page.evaluate(ticks, whole)
    assert "300" not in page.evaluate(ticks, part)

    # Every number of a map at another step.
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


def test_pictures_are_light_on_any_page_and_dark_on_request(page, finished):
    from PIL import Image, ImageColor

    def corner(scheme: str) -> tuple[int, ...]:
        download = choose(page, "depth", "Image (PNG)")
        assert download.suggested_filename == "Depth-profile-step-390.png"
        image = Image.open(download.path()).convert("RGBA")
        assert image.width > 500, scheme
        return image.getpixel((2, 2))

    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        open_board(page, finished)
        until(page, f"d.theme === '{scheme}' && d.busy === 'false'")
        assert corner(scheme) == (255, 255, 255, 255)
        page.locator("[data-figure=depth] .nnviz-menu-button").click()
        page.get_by_role("menuitemcheckbox", name="Dark background").click()
        page.keyboard.press("Escape")
        background = page.evaluate(f"getComputedStyle({BOARD}).getPropertyValue('--st-background-color')")
        expected = background if scheme == "dark" else "#0e1117"
        assert corner(scheme) == (*ImageColor.getrgb(expected)[:3], 255)
    svg = Path(choose(page, "depth", "Image (SVG)").path()).read_text()
    assert svg.startswith("<svg")
    assert "Depth profile · step 390" in svg


def test_a_legend_tells_the_values_at_the_chosen_step(page, finished):
    open_board(page, finished)
    page.get_by_role("tab", name="Legend").click()
    until(page, "d.section === 'Legend' && d.busy === 'false' && d.drawn > 0")
    page.wait_for_function(f"{plot('told')}?.querySelector('.legendtitletext')")
    words = f"[...{plot('told')}.querySelectorAll('.legendtitletext, .legendtext')].map(e => e.textContent)"
    newest = page.evaluate(words)
    assert newest[0].strip() == "last:"
    values = {"train": (7, 200), "test": (70, 300)}

    def at(step: int) -> list[str]:
        last = {site: (step - every + 7) // every * every + every - 7 for site, (every, _) in values.items()}
        share = {s: labels.percent(1 - np.exp(-(last[s] + 40) / far)) for s, (_, far) in values.items()}
        return [f"step {step}:", *(f"{s} {'–' if last[s] < 0 else share[s]}" for s in values)]

    drawn = page.locator("[data-figure=told]").get_attribute("data-drawn")
    for place in (20, 1, 0, 9, 38):
        scrub(page, place)
        until(page, f"d.step === '{10 * place}' && d.busy === 'false'")
        assert page.evaluate(words) == at(10 * place)
    assert page.locator("[data-figure=told]").get_attribute("data-drawn") == drawn  # names alone
    svg = Path(choose(page, "told", "Image (SVG)").path()).read_text()
    figure = json.loads(Path(choose(page, "told", "Plotly JSON").path()).read_text())
    assert all(text in svg for text in at(380))
    assert [figure["layout"]["legend"]["title"]["text"], *(t["name"] for t in figure["data"])] == at(380)
    scrub(page, 39)
    until(page, "d.follows === 'true' && d.busy === 'false'")
    assert page.evaluate(words) == newest


def test_a_section_of_four_columns_has_its_choices_behind_a_button(page, finished):
    open_board(page, finished)
    page.get_by_role("tab", name="Side by side").click()
    until(page, "d.section === 'Side by side' && d.history === '40' && d.busy === 'false'")
    for width, columns in ((1440, 4), (1000, 2), (420, 1)):
        page.set_viewport_size({"width": width, "height": 900})
        until(page, f"d.columns === '{columns}' && d.busy === 'false'")
        boxes = page.eval_on_selector_all(".nnviz-card", "all => all.map(e => e.getBoundingClientRect().toJSON())")
        lefts = {round(box["left"]) for box in boxes}
        assert (len(boxes), len(lefts)) == (8, columns)
        assert max(box["width"] for box in boxes) - min(box["width"] for box in boxes) < 1
        stages = page.eval_on_selector_all(".nnviz-stage", "all => all.map(e => [e.offsetWidth, e.offsetHeight])")
        assert all(high == min(280, max(240, round(1.3 * wide))) for wide, high in stages), width
    page.set_viewport_size({"width": 1440, "height": 900})
    card = page.locator("[data-figure=loss]")
    card.get_by_role("button", name="Options of").press("Enter")
    card.get_by_role("dialog").get_by_label("Axis").select_option("log")
    page.wait_for_function(f"{plot('loss')}._fullLayout.yaxis.type === 'log'")
    until(page, "d.section === 'Side by side' && d.busy === 'false'")
    assert card.get_attribute("data-pending") == "false"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.ariaLabel") == "Options of 손실 · loss"
    page.get_by_role("tab", name="All").click()
    until(page, "d.section === 'All' && d.history === '40' && d.busy === 'false'")
    card.get_by_role("radio", name="linear").click()
    page.wait_for_function(f"{plot('loss')}._fullLayout.yaxis.type === 'linear'")


@pytest.mark.webgl
def test_a_scene_of_another_section_takes_no_webgl_context_and_stays_turned(page, finished):
    open_board(page, finished)
    eye = f"Object.values({plot('space')}._fullLayout.scene._scene.getCamera().eye)"
    contexts = "[...document.querySelectorAll('canvas')].map(e => e.getContext('webgl')).filter(Boolean)"
    for visit in range(4):
        page.get_by_role("tab", name="In space").click()
        page.wait_for_function("document.querySelectorAll('.gl-container canvas').length === 1")
        until(page, "d.busy === 'false'")
        if visit == 0:
            page.evaluate(f"Plotly.relayout({plot('space')}, {{ 'scene.camera.eye': {{ x: 2, y: 1, z: 0.5 }} }})")
        elif visit < 3:  # as it was turned, until it is put back
            assert page.evaluate(eye) == pytest.approx([2, 1, 0.5])
        else:
            assert page.evaluate(eye) == pytest.approx([1.25, 1.25, 1.25])
        if visit == 2:
            page.locator("[data-figure=space] .nnviz-menu-button").click()
            page.locator("[data-figure=space]").get_by_role("menuitem", name="Reset zoom").click()
            until(page, "d.busy === 'false'")
        assert page.evaluate(f"(window.contexts = {contexts}).map(gl => gl.isContextLost())") == [False]
        page.get_by_role("tab", name="All").click()
        until(page, "d.busy === 'false'")
        assert page.locator("canvas").count() == 0
        assert page.evaluate("contexts.map(gl => gl.isContextLost())") == [True]


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
    until(page, "d.columns === '1' && d.busy === 'false'")
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


def test_menu_and_help_work_by_keyboard_and_a_chart_fills_the_screen_and_comes_back(page, finished):
    open_board(page, finished)
    more = page.locator("[data-figure=loss] .nnviz-menu-button")
    more.focus()
    page.keyboard.press("Enter")
    assert more.get_attribute("aria-expanded") == "true"
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.textContent") == "Image (SVG)"
    page.keyboard.press("Escape")
    assert more.get_attribute("aria-expanded") == "false"
    assert page.evaluate("document.activeElement.className") == "nnviz-menu-button"
    page.locator("[data-figure=loss] .nnviz-help").focus()
    page.locator("[data-figure=loss] .nnviz-tip").wait_for(state="visible")
    page.keyboard.press("Escape")
    page.locator("[data-figure=loss] .nnviz-menu-button").click()
    page.locator("[data-figure=loss]").get_by_role("menuitem", name="Full screen").click()
    page.wait_for_function(f"{plot('loss')}._fullLayout.height > 500 && {plot('loss')}._fullLayout.width > 1000")
    page.evaluate("document.exitFullscreen()")
    page.wait_for_function(f"{plot('loss')}._fullLayout.height === 280")


def test_charts_follow_the_width_of_the_window_and_the_header_stays_on_top_while_scrolling(page, finished):
    open_board(page, finished)
    page.set_viewport_size({"width": 1000, "height": 900})
    page.wait_for_function(
        f"(p => innerWidth === 1000 && Math.abs(p._fullLayout.width - p.parentElement.clientWidth) < 2)({plot('loss')})"
    )
    page.set_viewport_size({"width": 1440, "height": 900})
    page.locator("[data-figure=scatter]").scroll_into_view_if_needed()
    page.mouse.move(700, 500)
    page.mouse.wheel(0, 3000)
    page.wait_for_function("document.querySelector('[data-figure=loss]').getBoundingClientRect().bottom < 0")
    box = page.locator(".nnviz-head").bounding_box()
    assert 0 <= box["y"] <= 70
    assert box["height"] <= 42
    scrub(page, 2)  # also what is down here is drawn
    until(page, "d.busy === 'false'")


def test_shortcuts_in_drawing_change_nothing_that_is_seen(page, finished):
    open_board(page, finished)
    filled(page)
    all_drawn(page)
    # Array attributes are found without a search.
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

    # Markers that cannot be seen have no nodes, and are found by hovering.
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

    # Points that did not change move with the axes.
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


def test_before_the_first_picture_cards_of_all_rows_wait_in_their_places(page, boards):
    page.goto(f"{boards}?start=0")
    page.get_by_text("waiting for the first result").nth(7).wait_for()
    until(page, "d.busy === 'false' && d.stepsKnown === '0'")
    assert page.locator(".nnviz-card").count() == 8
    assert page.locator(".nnviz-slider").is_disabled()


def test_board_works_below_a_base_path_and_on_a_subpage(page, serve):
    url = serve(DEMO, {}, ["--server.baseUrlPath=some/base"], path="/some/base")
    page.goto(f"{url}/second")
    page.get_by_text("nothing here").wait_for()
    page.get_by_role("link", name="First").click()
    until(page, "d.drawn > 0 && d.busy === 'false'")
    page.goto(f"{url}/first")
    until(page, "d.drawn > 0 && d.busy === 'false'")


def test_without_static_serving_one_line_says_so(page, serve):
    url = serve(DEMO, {}, ["--server.enableStaticServing=false"])
    page.goto(url)
    page.get_by_text("Is server.enableStaticServing on").wait_for()


def test_a_figure_that_cannot_be_drawn_says_so_once_and_is_drawn_again_later(page, finished):
    open_board(page, finished)
    filled(page)
    page.evaluate(
        """() => {
          const { Plotly } = window, { react } = Plotly;
          window.tried = 0;
          Plotly.react = (plot, ...rest) => {
            if (plot.closest("[data-figure]").dataset.figure !== "boundary") return react(plot, ...rest);
            window.tried++;
            throw new Error("no picture");
          };
          window.mend = () => { Plotly.react = react; };
        }"""
    )
    scrub(page, 6)
    until(page, "d.step === '60' && d.busy === 'false'")  # it would be busy for good if it tried again and again
    note = page.locator("[data-figure=boundary] .nnviz-note")
    assert "could not be drawn: no picture" in note.inner_text()
    tried = page.evaluate("window.tried")
    assert 1 <= tried <= 3
    page.evaluate("window.mend()")
    scrub(page, 7)
    until(page, "d.step === '70' && d.busy === 'false'")
    assert page.evaluate("window.tried") == tried
    assert not note.is_visible()
    assert page.evaluate(f"{plot('boundary')}.querySelectorAll('.subplot').length") >= 1


def test_numbers_in_hover_texts_have_powers_of_ten(page, finished):
    open_board(page, finished)
    filled(page)
    all_drawn(page)
    text = page.evaluate(
        f"""async () => {{
          const plot = {plot("gradients")}, trace = {{ hovertemplate: '%{{y:.4~g}} at %{{x}}<extra></extra>' }};
          await Plotly.restyle(plot, {{ ...trace, y: [[1.2e-7, 0.5, 12345.6]], x: [[1, 2, 3]] }}, [0]);
          const texts = [];
          for (const pointNumber of [0, 1, 2]) {{
            Plotly.Fx.unhover(plot);
            await new Promise((resolve) => setTimeout(resolve, 80)); // plotly.js hovers twenty times a second at most
            Plotly.Fx.hover(plot, [{{ curveNumber: 0, pointNumber }}]);
            texts.push(plot.querySelector('.hoverlayer').textContent.replaceAll('\u200b', ''));
          }}
          return texts;
        }}"""
    )
    assert text == ["1.2 × 10−7 at 1", "0.5 at 2", "12346 at 3"]
