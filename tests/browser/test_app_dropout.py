"""Dropout & overfitting in the app, from an example to the export: masks under the time slider, in light and dark."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from nnviz.presets import dropout
from nnviz.spec.base import replace_many
from nnviz.spec.dropouts import NoDropout
from nnviz.ui import links

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FIRST = replace_many(
    dropout.DEFAULT,
    {"steps": 60, "evaluate_every": 30, "learner.data.points": 100, "learner.model.width": 10, "seed": 2},
)
SECOND = replace_many(FIRST, {"learner.model.dropout": NoDropout()})
CROSSES = """c => c.querySelector('.nnviz-plot').data
    .filter(t => t.marker && [t.marker.symbol].flat()[0] === 'x-thin').reduce((sum, t) => sum + t.x.length, 0)"""
"""How many units are crossed out in a card."""


def crosses(player, letter: str) -> int:
    """Crossed out units in the diagram of a variant."""
    return player.page.eval_on_selector(f'[data-figure="network {letter}"]', CROSSES)


def test_from_the_form_to_masks_uncertainty_and_the_export_in_light_and_dark(player):
    player.open("/dropout", **links.query([FIRST, SECOND], dropout.DEFAULT))
    player.page.get_by_role("button", name="Weight scaling", exact=True).wait_for()
    player.press("Run")
    player.until("+d.newest === 60 && d.busy === 'false'")
    views = player.views()
    assert [view.job for view in views] == [FIRST, SECOND]
    player.page.get_by_role("tab", name="Dropout", exact=True).click()
    player.page.locator('[data-figure="network A"] .nnviz-plot').wait_for()
    for step, key in ((60, "End"), (0, "Home")):
        player.page.get_by_role("slider", name="Time").press(key)
        player.at(step)
        masks = views[0].at(step).snapshot("dropout_masks")
        dropped = sum(int((~masks[f"mask_{layer}"][0]).sum()) for layer in (1, 2))
        player.wait(lambda dropped=dropped: crosses(player, "A") == dropped, f"{dropped} units are crossed out")
        assert crosses(player, "B") == 0
    player.page.emulate_media(color_scheme="dark")
    player.until("d.theme === 'dark'")
    player.page.get_by_role("tab", name="Uncertainty", exact=True).click()
    player.page.locator('[data-figure="uncertainty A"] .nnviz-plot').wait_for()
    shown = player.page.locator('[data-figure="uncertainty B"] .annotation')
    shown.filter(has_text="no dropout").wait_for()
    player.press("Share")
    with player.page.expect_download() as download:
        player.page.get_by_role("button", name=f"Data of run {views[0].id}").click()
    with zipfile.ZipFile(Path(download.value.path())) as packed:
        assert {"snapshots/dropout_masks@model.npz", "snapshots/uncertainty.npz"} <= set(packed.namelist())
        with np.load(io.BytesIO(packed.read("snapshots/dropout_masks@model.npz"))) as arrays:
            assert arrays.files
