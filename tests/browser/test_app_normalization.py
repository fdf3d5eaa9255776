"""Normalization in the app: an example is trained, a cell is clicked, light and dark, and the run is exported."""

import zipfile
from pathlib import Path

import pytest

from nnviz.figures.kit.labels import number
from nnviz.figures.norms.norm_arithmetic import cell_numbers
from nnviz.figures.norms.norm_heatmap import chosen_cell
from nnviz.presets import normalization
from nnviz.spec.base import replace_many
from nnviz.spec.norms import BatchNorm, LayerNorm
from nnviz.ui import links

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SMALL = {"steps": 30, "evaluate_every": 10, "learner.model.depth": 2, "learner.model.width": 8}
FIRST = replace_many(normalization.DEFAULT, SMALL | {"learner.model.norm": BatchNorm(), "seed": 1})
JOBS = [FIRST, replace_many(FIRST, {"learner.model.norm": LayerNorm()})]


def click(player, figure: str, unit: int, sample: int) -> None:
    """On the middle of a cell of a heat map."""
    place = player.page.locator(f'[data-figure="{figure}"]')
    place.scroll_into_view_if_needed()
    at = place.locator(".nnviz-plot").evaluate(
        """(plot, [x, y]) => {
          const { xaxis, yaxis } = plot._fullLayout, box = plot.getBoundingClientRect();
          return [box.left + xaxis._offset + xaxis.d2p(x), box.top + yaxis._offset + yaxis.d2p(y)];
        }""",
        [unit, sample],
    )
    player.page.mouse.click(*at)


def test_a_click_on_a_cell_shows_its_arithmetic_in_all_variants_light_and_dark_and_the_run_is_exported(player):
    player.page.emulate_media(color_scheme="dark")
    player.open("/normalization", **links.query(JOBS, normalization.DEFAULT))
    player.press("Run")
    player.until("+d.newest === 30 && d.busy === 'false'")
    assert player.board()["theme"] == "dark"
    views = player.views()
    assert [view.job for view in views] == JOBS
    player.page.get_by_role("tab", name="Operation", exact=True).click()
    player.until("d.busy === 'false'")
    click(player, "after B", 5, 9)
    for letter, view in zip("AB", views, strict=True):
        arrays = view.at(30).snapshot("norm_values")
        found = cell_numbers(arrays, chosen_cell(arrays, 0, 9, 5))
        assert abs(found["output"] - float(arrays["output_0"][9, 5])) < 1e-5
        card = player.page.locator(f'[data-figure="arithmetic {letter}"]')
        card.scroll_into_view_if_needed()
        shown = card.locator(".annotation", has_text="sample 10, unit 6")
        shown.wait_for()
        assert number(found["normalized"], 4) in shown.text_content()
    assert (player.said("view.sample"), player.said("view.unit")) == ("9", "5")
    player.page.emulate_media(color_scheme="light")
    player.until("d.theme === 'light'")
    for tab in ("Training vs. evaluation mode", "Along the gradient", "Scale and dead units"):
        player.page.get_by_role("tab", name=tab, exact=True).click()
        player.until("d.busy === 'false'")
        player.all_drawn()
    player.press("Share")
    with player.page.expect_download() as download:
        player.page.get_by_role("button", name=f"Data of run {views[0].id}").click()
    with zipfile.ZipFile(Path(download.value.path())) as packed:
        assert {"snapshots/norm_values@model.npz", "snapshots/norm_momenta@model.npz"} <= set(packed.namelist())
