"""GAN images in the app: grids of two variants stand side by side, are scrubbed together, and are saved as PNG; the
user's own images are uploaded and trained on."""

import base64
import io
import zipfile
from urllib.parse import urlencode

import numpy as np
import pytest
from PIL import Image

from nnviz.figures import images_as_png
from nnviz.presets import gans_images
from nnviz.spec.base import replace_many
from nnviz.ui import links
from tests.browser.board import choose

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SMALL = {
    "steps": 10,
    "evaluate_every": 10,
    "learner.batch_size": 16,
    "learner.generator.width": 4,
    "learner.discriminator.width": 4,
    "learner.noise.dimensions": 8,
    "seed": 1,
}
FIRST = replace_many(gans_images.DEFAULT, SMALL)


def picture(player, figure: str) -> np.ndarray:
    """The pixels of the grid that a card shows."""
    canvas = f"document.querySelector('[data-figure=\"{figure}\"] .nnviz-images canvas')"
    source = player.page.wait_for_function(f"{canvas}?.toDataURL()").json_value()
    return pixels(base64.b64decode(source.split(",")[1]))


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def test_grids_of_two_variants_fill_their_cards_are_scrubbed_together_and_saved_as_png(player):
    jobs = [FIRST, replace_many(FIRST, {"learner.generator.norm": "none"})]
    player.open("/gans_images", **links.query(jobs, gans_images.DEFAULT))
    player.press("Run")
    player.until("+d.newest === 10 && d.busy === 'false'")
    views = player.views()
    assert [view.job for view in views] == jobs
    for step, key in ((0, "Home"), (10, "End")):
        player.page.get_by_role("slider", name="Time").press(key)
        player.at(step)
        for letter, view in zip("AB", views, strict=True):
            expected = images_as_png(view.at(step).snapshot("sample_grid"))
            np.testing.assert_array_equal(picture(player, f"generated images {letter}"), pixels(expected))
    assert not np.array_equal(picture(player, "generated images A"), picture(player, "generated images B"))
    # The images take the whole width of their card, and the card no more height than they.
    card = player.page.locator('[data-figure="generated images A"]')
    stage, image = (card.locator(part).first.bounding_box() for part in (".nnviz-stage", ".nnviz-images canvas"))
    assert stage["width"] - image["width"] < 16
    assert stage["height"] - image["height"] < 40

    download = choose(player.page, '"generated images A"', "Image (PNG)")
    saved = np.asarray(Image.open(download.path()).convert("L"))
    assert min(saved.shape) > 500
    player.page.get_by_role("tab", name="Diversity").click()
    player.page.get_by_role("slider", name="Time").press("End")
    player.at(10)
    rows = picture(player, "interpolation B")
    np.testing.assert_array_equal(rows, pixels(images_as_png(views[1].at(10).snapshot("interpolation"))))


def test_images_of_the_user_are_uploaded_and_what_cannot_be_read_is_named(player):
    own = {
        "learner.data": {"kind": "image_folder", "size": 8, "color": False},
        "learner.conditional": "none",
    }
    folder = replace_many(FIRST, own)
    player.page.goto(f"{player.app_server.url}/gans_images?{urlencode(links.query([folder], gans_images.DEFAULT))}")
    player.alert("no file is chosen yet: choose one in the form")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for level in range(12):
            image = io.BytesIO()
            Image.new("L", (9, 9), 20 * level).save(image, "PNG")
            archive.writestr(f"{level}.png", image.getvalue())
        archive.writestr("notes.txt", "no image")
    upload = player.page.get_by_test_id("stSidebar").locator("input[type=file]").first
    upload.set_input_files({"name": "mine.zip", "mimeType": "application/zip", "buffer": out.getvalue()})
    player.ready()
    player.press("Run")
    player.until("+d.newest === 10 && d.busy === 'false'")
    (view,) = player.views()
    assert view.job.learner.data.file.name == "mine.zip"
    assert view.snapshot("real_images")["notes"].tolist() == ["notes.txt: neither PNG nor JPEG"]
    assert "1 file skipped" in player.page.locator('[data-figure="real images"]').inner_text()
