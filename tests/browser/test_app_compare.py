"""Two networks side by side: the same data, the same steps, one time slider."""

import numpy as np
import pytest

from nnviz import figures
from nnviz.spec import presets

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_two_networks_train_in_step_on_the_same_data_and_scrub_together(player):
    player.open("/gradient_flow")
    player.page.get_by_role("button", name="Vanishing").click()
    player.until("+d.newest > 0 && d.busy === 'false'")
    player.page.get_by_text("Hochreiter (1991)").wait_for()
    preset = next(p for p in presets.GRADIENT_FLOW_EXAMPLES if p.title == "Vanishing")
    assert tuple(v.job for v in player.views()) == preset.jobs
    player.press("Pause")
    step = player.paused()
    a, b = player.views()
    assert (a.status.step, b.status.step) == (step, step)
    for name, values in a.at(0).snapshot("data").items():
        np.testing.assert_array_equal(values, b.at(0).snapshot("data")[name])
    player.all_drawn()
    titles = player.titles()
    assert titles["profile A"].startswith("A · ")
    assert titles["profile B"].startswith("B · ")
    assert {"loss", "accuracy"} <= set(titles)
    player.until("d.history === d.stepsKnown")
    slider = player.page.get_by_role("slider", name="Time")
    slider.press("Home")
    slider.press("ArrowRight")
    back = a.steps[1]
    player.at(back)
    for letter, view in zip("AB", (a, b), strict=True):
        drawn = figures.depth_profile(
            view.scalars(), "signal_rms", back, view.snapshot("layers"), view.at(back).snapshot("theory")
        )["data"]
        place = next(i for i, trace in enumerate(drawn) if trace["name"] == f"step {back}")
        np.testing.assert_allclose(player.trace(f"profile {letter}", place, "y"), drawn[place]["y"], rtol=1e-6)
    boxes = [player.page.locator(f"[data-figure='profile {letter}']").bounding_box() for letter in "AB"]
    assert boxes[0]["y"] == boxes[1]["y"]
    assert boxes[0]["x"] < boxes[1]["x"]
    ranges = [
        player.page.evaluate(
            f"document.querySelector('[data-figure=\"profile {letter}\"] .nnviz-plot')._fullLayout.yaxis.range"
        )
        for letter in "AB"
    ]
    np.testing.assert_allclose(ranges[0], ranges[1])
