"""GANs in the app: variants train on the same samples and are scrubbed together; data are drawn by hand and stay; the
discriminator is trained alone, and the run exported."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from nnviz.presets import gans
from nnviz.spec.base import replace_many
from nnviz.spec.data.distributions import CELLS, DOT, WINDOW, Drawn
from nnviz.spec.models import MLP, Hidden
from nnviz.ui import links

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LAYERS = MLP(hidden=(Hidden(width=8),))
SMALL = {
    "steps": 60,
    "evaluate_every": 30,
    "learner.batch_size": 32,
    "learner.generator": LAYERS,
    "learner.discriminator": LAYERS,
    "seed": 1,
}
FIRST = replace_many(gans.DEFAULT, SMALL)
RATES = (3e-4, 3e-3, 1e-4)


def test_four_variants_train_on_the_same_samples_and_are_scrubbed_together(player):
    jobs = [FIRST, *(replace_many(FIRST, {"learner.discriminator_optimizer.lr": rate}) for rate in RATES)]
    player.open("/gans", **links.query(jobs, gans.DEFAULT))
    player.press("Run")
    player.until("+d.newest === 60 && d.busy === 'false'")
    views = player.views()
    assert [view.job for view in views] == jobs
    for other in views[1:]:
        real, theirs = (view.at(60).snapshot("real")["points"] for view in (views[0], other))
        np.testing.assert_array_equal(real, theirs)
    # Four in a row have the layout for narrow cards.
    drawn = "c => [c.dataset.narrow, c.querySelector('.nnviz-plot').layout.xaxis.title?.text ?? '']"
    assert player.page.eval_on_selector('[data-figure="samples B"]', drawn) == ["true", ""]
    player.page.get_by_role("slider", name="Time").press("Home")
    player.at(0)
    for letter, view in zip("ABCD", views, strict=True):
        points = view.at(0).snapshot("generated")["points"]
        np.testing.assert_array_equal(player.trace(f"samples {letter}", 2, "x"), points[:, 0])


def test_the_discriminator_is_trained_alone_and_the_run_exported(player):
    job = replace_many(FIRST, {"learner.updates": "discriminator", "learner.average": 0.9})
    player.open("/gans", **links.query([job], gans.DEFAULT))
    player.press("Run")
    player.until("+d.newest === 60 && d.busy === 'false'")
    (view,) = player.views()
    first, last = (view.at(step) for step in (0, 60))
    np.testing.assert_array_equal(first.snapshot("generated")["points"], last.snapshot("generated")["points"])
    fields = [at.snapshot("discriminator_field")["output"] for at in (first, last)]
    assert not np.array_equal(*fields)
    printed = player.page.locator('[data-figure="samples"] .annotation', has_text="discriminator only")
    assert "averaged generator" in printed.text_content()
    player.press("Share")
    with player.page.expect_download() as download:
        player.page.get_by_role("button", name=f"Data of run {view.id}").click()
    with zipfile.ZipFile(Path(download.value.path())) as packed:
        weights = torch.load(io.BytesIO(packed.read("weights.pt")), weights_only=True)
        assert "snapshots/optimal_discriminator.npz" in packed.namelist()
    assert {name.partition(".")[0] for name in weights} == {"generator", "discriminator", "averaged_generator"}


def draw(player, down: float = 0.0) -> None:
    """A horizontal line over the middle half of the picture, by `down` of its height below the middle."""
    player.until("d.busy === 'false'")
    box = player.page.locator('[data-figure="samples"] .nsewdrag').first.bounding_box()
    y, quarter = box["y"] + (0.5 + down) * box["height"], box["width"] / 4
    player.page.mouse.move(box["x"] + quarter, y)
    player.page.mouse.down()
    player.page.mouse.move(box["x"] + 2 * quarter, y)
    player.page.mouse.move(box["x"] + 3 * quarter, y)
    player.page.mouse.up()


def test_a_line_that_is_drawn_becomes_the_data_and_is_there_after_a_reload(player):
    cleared = replace_many(FIRST, {"learner.data": Drawn(density=DOT)})
    player.open("/gans", **links.query([cleared], gans.DEFAULT))
    draw(player)
    player.wait(lambda: player.views()[0].job != cleared, "the line is data")
    drawn = player.views()[0].job.learner.data
    rows = np.array([int(digit) for digit in drawn.density]).reshape(CELLS, CELLS)
    high = np.argwhere(rows == 9)
    assert set(high[:, 0]) == {CELLS // 2 - 1, CELLS // 2}
    at = (high[:, 1] + 0.5) * (2 * WINDOW / CELLS) - WINDOW
    assert abs(at.min() + WINDOW / 2) < 0.3
    assert abs(at.max() - WINDOW / 2) < 0.3
    player.reload()
    assert player.views()[0].job.learner.data == drawn
    draw(player, down=0.2)
    player.wait(lambda: player.views()[0].job.learner.data != drawn, "a second line is data")
    player.page.get_by_role("button", name="Undo").click()
    player.wait(lambda: player.views()[0].job.learner.data == drawn, "it is taken back")
