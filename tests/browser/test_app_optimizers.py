"""A race in the real app: its start is dragged and clicked, its time is scrubbed without the server, it is exported."""

from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest

from nnviz.spec.trajectories import Trajectories
from tests.browser.board import BOARD, choose, scrub
from tests.browser.player import Player

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MESSAGES = "window.nnviz.boards['board-optimizers'].messages"


def trajectories(player: Player, figure: str = "map", **parameters: object) -> Player:
    """Goes to the page and waits for the whole race, which is over once this map of it is drawn."""
    said = urlencode({name.replace("__", "."): value for name, value in parameters.items()})
    player.page.goto(f"{player.app_server.url}/optimizers?{said}")
    return settled(player, parameters.get("steps", Trajectories().steps), figure)


def settled(player: Player, steps: int, figure: str = "map") -> Player:
    """Waits until a race of so many steps is over and drawn."""
    player.page.locator("[class*=st-key-transport-]", has_text=f"lowest f after {steps:,} steps").wait_for()
    player.until(f"d.drawn > 0 && +d.newest === {steps} && d.step !== '' && d.busy === 'false' && d.stale === 'false'")
    player.page.wait_for_function(f"{plot(figure)}?.data?.some(t => t.uid === 'start')")
    return player


def plot(figure: str) -> str:
    return f"document.querySelector('[data-figure=\"{figure}\"] .nnviz-plot')"


def path(player: Player, optimizer: int = 0, figure: str = "map") -> np.ndarray:
    """The path of an optimizer as the picture has it, (points, 2), as soon as there is a picture."""
    player.page.wait_for_function(f"{plot(figure)}?.data?.length")
    code = f"(({plot(figure)}.data.find(t => t.uid === 'path{optimizer}')) || {{x: [], y: []}})"
    return np.array(player.page.evaluate(f"(t => [Array.from(t.x), Array.from(t.y)])({code})")).T


def begins(x: float, y: float, figure: str = "map") -> str:
    """The condition that the first path in the picture begins there, to a pixel or so."""
    return (
        f"(t => t?.x.length && Math.abs(t.x[0] - {x}) < 0.06 && Math.abs(t.y[0] - {y}) < 0.06)"
        f"({plot(figure)}?.data?.find(t => t.uid === 'path0'))"
    )


def drawn_from(player: Player, x: float, y: float, figure: str = "map") -> None:
    """Waits until the first path in the picture begins there."""
    player.page.wait_for_function(begins(x, y, figure))


def pixel(player: Player, x: float, y: float, figure: str = "map") -> tuple[float, float]:
    """Where on the screen a point of a map is."""
    code = f"""(p => {{
      const box = p.getBoundingClientRect(), {{xaxis, yaxis}} = p._fullLayout;
      return [box.left + xaxis._offset + xaxis.d2p({x}), box.top + yaxis._offset + yaxis.d2p({y})];
    }})({plot(figure)})"""
    player.page.locator(f"[data-figure='{figure}']").scroll_into_view_if_needed()
    return tuple(player.page.evaluate(code))


def start(player: Player) -> tuple[float, float]:
    """The start as the form says it."""
    return tuple(float(player.setting(f"Start {axis}").input_value()) for axis in "xy")


def chooses(player: Player, x: float, y: float) -> None:
    """Waits until paths, form and address begin there."""
    drawn_from(player, x, y)
    player.wait(lambda: np.allclose(start(player), (x, y), atol=0.06), f"for the form to say {x}, {y}")
    in_address(player, "", x, y)


def in_address(player: Player, variant: str, x: float, y: float) -> None:
    """Waits until the address says that a variant, "b." say, starts there."""
    near = lambda name, value: abs(float(player.said(variant + name) or "inf") - value) < 0.06  # noqa: E731
    player.wait(lambda: near("x", x) and near("y", y), f"for {variant}x, {variant}y in the address")


def test_the_start_is_dragged_with_its_paths_or_clicked_and_a_drag_from_elsewhere_zooms(player):
    trajectories(player)
    page = player.page
    page.mouse.move(*pixel(player, -7, 2))
    page.mouse.down()
    for x, y in ((-4, 3), (2, -1.5)):
        page.mouse.move(*pixel(player, x, y), steps=6)
        drawn_from(player, x, y)  # while the button is down
        assert page.locator("[data-figure=map] .nnviz-drag-point").is_visible()
    assert start(player) == (-7, 2)
    page.mouse.up()
    chooses(player, 2, -1.5)
    assert not page.locator("[data-figure=map] .nnviz-drag-point").is_visible()
    settled(player, 200)
    page.wait_for_function(f"{plot('map')}.data.find(t => t.uid === 'path0').x.length > 100")
    # The map has not zoomed, and the address opens the same race.
    again = page.url
    assert page.evaluate(f"{plot('map')}._fullLayout.xaxis.range.slice()") == pytest.approx([-10, 10])
    page.goto(again)
    settled(player, 200)
    drawn_from(player, *start(player))
    assert start(player) == pytest.approx((2, -1.5), abs=0.06)

    page.mouse.click(*pixel(player, 5, 3))
    chooses(player, 5, 3)
    before = start(player)
    settled(player, 200)
    page.mouse.move(*pixel(player, -5, -3))
    page.mouse.down()
    page.mouse.move(*pixel(player, 0, 1), steps=5)
    page.mouse.up()
    page.wait_for_function(f"{plot('map')}._fullLayout.xaxis.range[0] > -6")
    assert start(player) == before


def test_the_start_of_a_variant_is_dragged_on_its_own_map(player):
    trajectories(player, "map B", steps=50, **{"b.x": 5, "b.y": 3})
    page = player.page
    drawn_from(player, -7, 2, "map A")
    drawn_from(player, 5, 3, "map B")
    page.mouse.move(*pixel(player, 5, 3, "map B"))
    page.mouse.down()
    page.mouse.move(*pixel(player, 2, -1.5, "map B"), steps=6)
    drawn_from(player, 2, -1.5, "map B")  # while the button is down
    assert page.evaluate(begins(-7, 2, "map A"))
    page.mouse.up()
    in_address(player, "b.", 2, -1.5)
    settled(player, 50, "map B")
    drawn_from(player, 2, -1.5, "map B")
    assert page.evaluate(begins(-7, 2, "map A"))
    assert "x" not in player.parameters
    fields = [[float(field.input_value()) for field in player.setting(f"Start {axis}").all()] for axis in "xy"]
    np.testing.assert_allclose(fields, [[2, -7], [-1.5, 2]], atol=0.06)  # those of B come first
    assert player.alerts() == []


def test_a_formula_is_typed_and_a_wrong_one_is_said_while_the_pictures_stay(player):
    trajectories(player, surface__kind="formula", x=-2, y=1, steps=40)
    box = player.setting("F(x, y)").or_(player.setting("f(x, y)"))
    box.fill("x**2 +")
    box.press("Enter")
    player.alert('nothing follows "+"')
    assert player.page.get_by_test_id("stMain").get_by_test_id("stAlert").count() == 1
    player.until("d.stale === 'true'")
    assert "Showing the previous results" in player.page.locator(".nnviz-live-text").inner_text()
    assert len(path(player)) > 0
    box.fill("x**2 + 5*y**2")
    box.press("Enter")
    player.wait(lambda: player.said("surface.text") == "x**2 + 5*y**2" and not player.alerts(), "for the formula")
    settled(player, 40)
    player.until("d.stale === 'false'")
    # η = 0.95 on x²: the first optimizer goes to −0.9 of where it was.
    player.page.wait_for_function(f"Math.abs({plot('map')}.data.find(t => t.uid === 'path0').x[1] - 1.8) < 1e-3")


@pytest.mark.webgl
def test_time_is_scrubbed_and_played_without_a_message_from_the_server(player):
    trajectories(player)
    page = player.page
    page.emulate_media(reduced_motion="no-preference")
    player.all_drawn()
    player.until("d.busy === 'false' && d.history === d.stepsKnown")
    before = page.evaluate(MESSAGES)
    assert len(path(player, 1)) == 201
    for step in (100, 7, 0, 200):
        scrub(page, step)
        player.at(step)
        for figure in ("map", "surface"):
            assert len(path(player, 1, figure)) == step + 1
        mark = f"Array.from({plot('map')}.data.find(t => t.uid === 'mark1').x)"
        assert page.evaluate(mark) == pytest.approx([path(player, 1)[-1, 0]])
    page.evaluate(
        f"""() => {{
          window.lengths = [];
          const look = () => {{
            window.lengths.push({plot("map")}.data.find(t => t.uid === 'path1').x.length);
            if (window.lengths.length < 5000) requestAnimationFrame(look);
          }};
          look();
        }}"""
    )
    page.get_by_role("button", name="Play all steps").click()
    player.until("+d.wanted >= 5 && +d.wanted < 150")
    page.get_by_role("button", name="Pause playback").click()
    seen = page.evaluate("window.lengths")
    played = seen[seen.index(min(seen)) :]
    assert len(set(played)) > 3
    assert played == sorted(played)
    assert page.evaluate(MESSAGES) == before


def test_a_dark_page_has_a_dark_map_and_a_picture_of_it_is_saved(player):
    player.page.emulate_media(color_scheme="dark")
    trajectories(player, steps=30)
    assert player.board()["theme"] == "dark"
    fill = player.page.eval_on_selector("[data-figure=map] .xtick text", "e => getComputedStyle(e).fill")
    assert min(int(float(part)) for part in fill[fill.index("(") + 1 : -1].split(",")[:3]) > 120
    svg = choose(player.page, "map", "Image (SVG)")
    assert svg.suggested_filename.endswith("step-30.svg")
    text = Path(svg.path()).read_text()
    assert text.startswith("<svg")
    assert "Adam" in text
    png = choose(player.page, "map", "Image (PNG)")
    assert Path(png.path()).read_bytes()[:4] == b"\x89PNG"


def test_the_map_keeps_its_place_when_an_example_is_changed_and_its_legend_when_the_window_is_and_who_left_is_said(
    player,
):
    trajectories(player, steps=20)
    page = player.page
    page.get_by_role("button", name="Saddle point").click()
    page.locator("p", has_text="Saddle point.").wait_for()
    settled(player, 150)
    ends = f"""(p => [p.querySelector('.legend .bg').getBoundingClientRect().bottom,
      p.querySelector('.nsewdrag').getBoundingClientRect().top, p._fullLayout.width])({plot("map")})"""
    for width in (1000, 1440):
        before = page.evaluate(ends)[2]
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(f"({ends})[2] !== {before} && {BOARD}.dataset.busy === 'false'")
        legend, picture, _ = page.evaluate(ends)
        assert abs(picture - legend) < 6
    top = (
        "document.querySelector('[data-figure=map]').getBoundingClientRect().top + "
        "document.querySelector('[data-testid=stMain]').scrollTop"
    )
    before = page.evaluate(top)
    page.mouse.click(*pixel(player, 0.5, 0.5))
    page.get_by_text("(settings changed)").wait_for()
    settled(player, 150)
    assert page.evaluate(top) == before

    # Who left, and at which step, is said.
    page.get_by_role("button", name="Clipping at a cliff").click()
    player.wait(lambda: player.said("surface.kind") == "cliff", "for the example")
    assert not page.get_by_text("diverged", exact=True).count()
    trajectories(player, optimizers='[{"method":{"kind":"sgd","lr":3}},{"method":{"kind":"adam","lr":0.3}}]', steps=100)
    line = page.get_by_text("diverged", exact=True)
    line.wait_for()
    assert "SGD η=3 at step " in page.locator("p", has=line).first.inner_text()


def test_basins_are_drawn_where_they_are_asked_for_and_one_example_after_another_has_all_its_pictures(player):
    trajectories(player, steps=20)
    assert not {"basins", "arrivals", "rates", "phase"} & player.titles().keys()
    player.page.get_by_role("button", name="Basins of attraction").click()
    player.page.wait_for_function(f"{plot('basins')}?.data?.[0]?.z?.length === 41 && {plot('arrivals')}?.data?.length")
    names = player.page.evaluate(f"{plot('basins')}.data.filter(t => t.showlegend).map(t => t.name)")
    assert sum("(" in name for name in names) == 4
    for example, figure in [("Four learning rates", "phase"), ("Basins of attraction", "arrivals")]:
        player.page.get_by_role("button", name=example).click()
        player.page.wait_for_function(f"{plot(figure)}?.data?.length && {plot(figure)}.style.visibility === 'visible'")


def test_rates_are_tuned_and_the_best_are_taken_over(player):
    trajectories(player, surface__kind="quadratic", x=-4, y=2, steps=30)
    player.press("Tune learning rates")
    player.button("Use best rates").wait_for()
    player.page.wait_for_function(f"{plot('rates')}?.data?.some(t => t.uid === 'best0')")
    player.press("Use best rates")
    player.wait(lambda: '"lr":' in player.said("optimizers"), "for the rates in the address")
    settled(player, 30)
    assert player.alerts() == []
