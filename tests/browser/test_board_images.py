"""Large images inside figures are kept compressed, painted on one canvas a card where the axes are, and saved whole."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from nnviz.figures.images.image_sheet import png_file
from nnviz.figures.kit import theme
from nnviz.ui.board import picture_history
from tests.browser.board import choose, plot, scrub, until

pytestmark = pytest.mark.browser

STEPS = (0, 1, 2)
NAME = "grid"
CANVAS = "document.querySelector('.nnviz-images canvas')"


def pixels(step: int) -> np.ndarray:
    """Noise, 160 high and 270 wide, (160, 270, 4) uint8."""
    made = np.random.default_rng(step).integers(3, 256, (160, 270, 4), np.uint8)
    made[..., 3] = 255
    return made


def source(step: int) -> str:
    return "data:image/png;base64," + base64.b64encode(png_file(pixels(step))).decode()


def message(client: dict) -> str:
    """The next message to a board of one figure, whose image reaches from (1, 0) to (4, 2) of axes [0, 5], [2, 0]."""
    image = {"xref": "x", "yref": "y", "x": 1, "y": 0, "sizex": 3, "sizey": 2, "sizing": "stretch", "layer": "below"}

    def made(step: int) -> dict[str, dict]:
        trace = {"type": "scatter", "x": [0, 5], "y": [2, 0], "customdata": ["", NAME, ""]}
        axes = {"xaxis": {"range": [0, 5]}, "yaxis": {"range": [2, 0]}}
        return {NAME: {"data": [trace], "layout": {**axes, "images": [{**image, "source": source(step)}]}}}

    head = {"key": "images", "source": "", "edition": "", "subject": "", "section": "Images", "choices": {}}
    head |= {"sections": {"Images": [[NAME]]}, "heights": {}, "unit": "step", "titles": {}, "stale": "", "live": False}
    themes = {"light": theme.template(dark=False), "dark": theme.template(dark=True)}
    return picture_history.message(client, made, STEPS, head, once={"themes": themes}, budget=9)


def test_large_images_are_kept_compressed_painted_where_the_axes_are_and_saved_whole(stage):
    client: dict = {}
    stage.evaluate("fresh()")
    for _ in range(2):  # the first one holds the newest step alone
        stage.evaluate("text => void deliver(text, { subject: '', axes: {} })", message(client))
    until(stage, f"d.busy === 'false' && d.history === '3' && Boolean({CANVAS})")
    for step in (2, 0, 1):
        scrub(stage, step)
        until(stage, f"d.step === '{step}' && d.busy === 'false'")
        shown = base64.b64decode(stage.evaluate(f"{CANVAS}.toDataURL()").split(",")[1])
        found = np.asarray(Image.open(io.BytesIO(shown)).convert("RGBA"))
        np.testing.assert_array_equal(found, pixels(step), err_msg=f"step {step}")
    # A canvas a card, nothing that the browser would keep decoded, and files in place of text a third longer.
    found = "[...document.querySelectorAll('.nnviz-stage canvas, .nnviz-stage image, .nnviz-stage img')].length"
    assert stage.evaluate(found) == 1
    files = sum(len(png_file(pixels(step))) for step in (0, 1, 2, 2))
    assert stage.evaluate("nnviz.boards.images.storedBytes") < files + 20_000

    def place() -> dict[str, float]:
        """Of the canvas in the plot, in the axes' own values, and how much of it is cut at each edge."""
        return stage.evaluate(
            f"""(plot => {{
                const {{xaxis, yaxis}} = plot._fullLayout, canvas = {CANVAS}.getBoundingClientRect();
                const area = plot.getBoundingClientRect(), cut = {CANVAS}.style.clipPath.match(/[\\d.]+/g).map(Number);
                const x = canvas.left - area.left - xaxis._offset, y = canvas.top - area.top - yaxis._offset;
                return {{left: xaxis.p2d(x), right: xaxis.p2d(x + canvas.width), top: yaxis.p2d(y),
                    bottom: yaxis.p2d(y + canvas.height), cutRight: xaxis.p2d(x + canvas.width - (cut[1] ?? cut[0]))}};
            }})({plot(NAME)})"""
        )

    whole = {"left": 1, "right": 4, "top": 0, "bottom": 2}
    assert place() == pytest.approx(whole | {"cutRight": 4}, abs=0.02)
    stage.evaluate(f"Plotly.relayout({plot(NAME)}, {{'xaxis.range': [0, 2]}})")
    stage.wait_for_function(f"{CANVAS}.style.clipPath !== 'inset(0px)'")
    assert place() == pytest.approx(whole | {"cutRight": 2}, abs=0.02), "zoomed, it ends where the plot does"

    saved = json.loads(choose(stage, NAME, "Plotly JSON").path().read_text())
    assert saved["layout"]["images"][0]["source"] == source(1)
    picture = np.asarray(Image.open(choose(stage, NAME, "Image (PNG)").path()).convert("RGB")).astype(int)
    assert (picture.max(2) - picture.min(2) > 100).mean() > 0.1, "the colored noise is in it"
