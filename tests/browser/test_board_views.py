"""How figures of the board are looked at: zoomed and turned, put back, scrolled past, dimmed one by one."""

import pytest

from tests.browser.board import BOARD, open_board, plot, until, x_range
from tests.each import each

pytestmark = pytest.mark.browser

EYE = f"Object.values({plot('space')}._fullLayout.scene._scene.getCamera().eye)"
OWN = [1.3, -1.5, 1.0]


@pytest.fixture
def looked_at(page, boards):
    """The page with both figures drawn."""
    open_board(page, f"{boards}/views")
    page.wait_for_function(f"{plot('space')}._fullLayout?.scene && {plot('map')}._fullLayout")
    return page


def drag(page, name: str, x: float, y: float) -> tuple[float, float]:
    """Drags by some pixels from the middle of a figure; where it began."""
    box = page.locator(f"[data-figure={name}] .nnviz-stage").bounding_box()
    place = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*place)
    page.mouse.down()
    page.mouse.move(place[0] + x, place[1] + y, steps=5)
    page.mouse.up()
    return place


def turn(page) -> tuple[float, float]:
    """Drags the scene until it has turned, since one that has just been drawn anew may miss a drag; where it began."""
    for _ in range(10):
        place = drag(page, "space", 80, 30)
        page.wait_for_timeout(100)
        if page.evaluate(f"Math.abs({EYE}[0] - 1.3) > 0.2"):
            return place
    return pytest.fail("the scene did not turn")


def put_back(page, name: str, how: str, place: tuple[float, float]) -> None:
    """Resets the view of a figure in one of the two ways."""
    if how == "menu":
        page.locator(f"[data-figure={name}] .nnviz-menu-button").click()
        page.get_by_role("menuitem", name="Reset zoom").click()
    else:
        page.mouse.dblclick(*place)


WAYS = [(step, how) for step in (1, 2) for how in ("menu", "double click")]
"""At the figures as first drawn, and at those of another step."""


def to_step(page, step: int) -> None:
    """Goes to the second step, once."""
    if page.evaluate(f"{BOARD}.dataset.step") != str(step):
        page.get_by_role("button", name="Onward").click()
        until(page, f"d.step === '{step}' && d.busy === 'false'")


@each("step, how", WAYS)
def test_a_zoom_is_put_back_to_the_figures_own_range(looked_at, step, how):
    page = looked_at
    to_step(page, step)
    assert x_range(page, "map") == [-10, 10]
    place = drag(page, "map", 100, 80)
    page.wait_for_function(f"{plot('map')}._fullLayout.xaxis.range[0] > -9")
    put_back(page, "map", how, place)
    page.wait_for_function(f"{plot('map')}._fullLayout.xaxis.range[0] === -10")
    assert x_range(page, "map") == [-10, 10]


@pytest.mark.webgl
@each("step, how", WAYS)
def test_a_scene_is_turned_back_however_often_it_was_drawn(looked_at, step, how):
    page = looked_at
    to_step(page, step)
    put_back(page, "space", how, turn(page))
    page.wait_for_function(f"Math.abs({EYE}[0] - 1.3) < 1e-6")
    assert page.evaluate(EYE) == pytest.approx(OWN)


@pytest.mark.webgl
def test_the_wheel_over_a_scene_scrolls_the_page_and_zooms_it_in_full_screen(looked_at):
    page = looked_at
    page.set_viewport_size({"width": 1200, "height": 500})
    box = page.locator("[data-figure=space] .nnviz-stage").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.wheel(0, 200)
    page.wait_for_function("document.querySelector('[data-testid=stMain]').scrollTop >= 150")
    assert page.evaluate(EYE) == pytest.approx(OWN)
    page.locator("[data-figure=space] .nnviz-menu-button").click()
    page.get_by_role("menuitem", name="Full screen").click()
    page.wait_for_function("document.fullscreenElement")
    until(page, "d.busy === 'false'")
    page.mouse.move(600, 250)
    for _ in range(20):  # a scene that has just been drawn anew may miss the first
        page.mouse.wheel(0, 200)
        page.wait_for_timeout(100)
        if page.evaluate(f"Math.hypot(...{EYE}) > 2.4"):
            return
    pytest.fail("the scene did not zoom")


def test_the_time_slider_goes_along_into_full_screen_and_back(looked_at):
    page = looked_at
    page.locator("[data-figure=map] .nnviz-menu-button").click()
    page.get_by_role("menuitem", name="Full screen").click()
    page.wait_for_function("document.fullscreenElement?.querySelector('.nnviz-slider')")
    until(page, "d.busy === 'false'")
    slider, card = (page.locator(f"[data-figure=map] {part}") for part in (".nnviz-slider", ".nnviz-stage"))
    assert slider.bounding_box()["y"] >= 0
    assert slider.bounding_box()["y"] < card.bounding_box()["y"]
    assert 0 <= 900 - card.bounding_box()["y"] - card.bounding_box()["height"] < 20  # it fills the rest
    page.evaluate("document.exitFullscreen()")
    page.wait_for_function("document.querySelector('.nnviz-board').firstChild.matches('.nnviz-head')")


def test_figures_are_dimmed_one_by_one_with_one_line(looked_at):
    page = looked_at
    opacities = """['map', 'space'].map(
      name => Number(getComputedStyle(document.querySelector(`[data-figure=${name}] .nnviz-plot`)).opacity))"""
    line = page.locator(".nnviz-stale span")
    assert not line.is_visible()
    for name, marked, text, dim in [
        ("One", "some", "old map", [0.4, 1]),
        ("Two", "some", "old", [0.4, 0.4]),
        ("Whole", "true", "all old", [0.4, 0.4]),
        ("None", "false", "", [1, 1]),
    ]:
        page.get_by_role("button", name=name, exact=True).click()
        until(page, f"d.stale === '{marked}' && document.querySelector('.nnviz-live-text').textContent === '{text}'")
        assert page.evaluate(opacities) == dim
        assert line.all_inner_texts() == [text] * bool(text)  # once a row
        if text:
            top, title = line.bounding_box()["y"], page.locator("[data-figure=map] .nnviz-title").bounding_box()
            assert top >= title["y"] + title["height"], name
