"""Two networks side by side: the same data, the same steps, one time slider."""

import numpy as np
import pytest

from nnviz import figures
from nnviz.presets import gradient_flow
from nnviz.ui import layers, links

pytestmark = [pytest.mark.browser, pytest.mark.slow]

VANISHING = next(preset for preset in gradient_flow.EXAMPLES if preset.title == "Vanishing")
PROFILE = "Backward signal (rms) over depth"


def test_two_networks_train_in_step_on_the_same_data_and_scrub_together(player):
    jobs = [job.model_copy(update={"steps": 100_000}) for job in VANISHING.jobs]
    player.open("/gradient_flow", **links.query(jobs, gradient_flow.DEFAULT))
    player.says("B paused step 0")
    player.press("Run")
    player.until("+d.newest > 20 && d.busy === 'false'")
    assert [v.job for v in player.views()] == jobs
    player.press("Pause")
    step = player.paused()
    a, b = player.views()
    assert (a.status.step, b.status.step) == (step, step)
    for name, values in a.at(0).snapshot("data").items():
        np.testing.assert_array_equal(values, b.at(0).snapshot("data")[name])
    player.all_drawn()
    titles = player.titles()
    names = [next(n for n, title in titles.items() if title == f"{letter} · {PROFILE}") for letter in "AB"]
    assert {"Loss", "Accuracy"} <= set(titles.values())
    player.until("d.history === d.stepsKnown")
    slider = player.page.get_by_role("slider", name="Time")
    slider.press("Home")
    slider.press("ArrowRight")
    back = a.steps[1]
    player.at(back)
    for name, view in zip(names, (a, b), strict=True):
        drawn = figures.depth_profile(
            view.scalars(), "signal_rms", back, layers(view), view.at(back).snapshot("theory")
        )["data"]
        place = next(i for i, trace in enumerate(drawn) if trace["name"] == f"step {back}")
        np.testing.assert_allclose(player.trace(name, place, "y"), drawn[place]["y"], rtol=1e-6)
    boxes = [player.page.locator(f"[data-figure='{name}']").bounding_box() for name in names]
    assert boxes[0]["y"] == boxes[1]["y"]
    assert boxes[0]["x"] < boxes[1]["x"]
    ranges = [
        player.page.evaluate(f"document.querySelector('[data-figure=\"{name}\"] .nnviz-plot')._fullLayout.yaxis.range")
        for name in names
    ]
    np.testing.assert_allclose(ranges[0], ranges[1])
