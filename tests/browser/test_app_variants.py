"""Variants side by side: the same data, the same steps, one time slider; one is removed and the others stay."""

import numpy as np
import pytest

from nnviz import figures
from nnviz.presets import gradient_flow
from nnviz.spec import activations as a
from nnviz.spec import initializers as i
from nnviz.spec.base import replace_many
from nnviz.spec.norms import BatchNorm
from nnviz.spec.wording import name
from nnviz.ui import layers, links

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FIRST = replace_many(
    gradient_flow.DEFAULT,
    {
        "steps": 100_000,
        "evaluate_every": 100,
        "learner.model.depth": 6,
        "learner.model.activation": a.Sigmoid(),
        "learner.model.initializer": i.GlorotNormal(),
    },
)
OTHERS = {
    "B": {"learner.model.activation": a.ReLU(), "learner.model.initializer": i.HeNormal()},
    "C": {"learner.model.norm": BatchNorm()},
    "D": {"learner.optimizer.lr": 0.2},
}


def test_four_variants_train_in_step_and_scrub_together_and_one_is_removed_without_the_others(player):
    jobs = [FIRST, *(replace_many(FIRST, changed) for changed in OTHERS.values())]
    player.open("/gradient_flow", **links.query(jobs, gradient_flow.DEFAULT))
    player.says("ready step 0 of 100,000")
    player.press("Run")
    player.until("+d.newest >= 100 && d.busy === 'false'")
    assert [v.job for v in player.views()] == jobs
    player.press("Pause")
    step = player.paused()
    views = player.views()
    assert [v.status.step for v in views] == [step] * 4
    for other in views[1:]:
        for part, values in views[0].at(0).snapshot("data").items():
            np.testing.assert_array_equal(values, other.at(0).snapshot("data")[part])

    slider = player.page.get_by_role("slider", name="Time")
    back = views[0].steps[1]
    player.until("d.busy === 'false'")
    slider.press("Home")
    slider.press("ArrowRight")
    player.at(back)
    words = [name(job, FIRST) for job in jobs]
    assert len(set(words)) == 4
    titles, pictures = player.titles(), {}
    for letter, said, view in zip("ABCD", words, views, strict=True):
        made = figures.depth_profile(view.scalars(), "signal_rms", back, layers(view), view.at(back).snapshot("theory"))
        expected, profile = made["data"], made["layout"]["meta"]["title"]
        place = next(n for n, trace in enumerate(expected) if trace["name"] == f"step {back}")
        pictures[letter] = player.trace(f"signal {letter}", place, "y")
        np.testing.assert_allclose(pictures[letter], expected[place]["y"], rtol=1e-6, err_msg=letter)
        assert titles[f"signal {letter}"] == " · ".join(filter(None, (letter, said, profile)))
    boxes = [player.page.locator(f"[data-figure='signal {letter}']").bounding_box() for letter in "ABCD"]
    assert len({box["y"] for box in boxes}) == 1
    assert sorted(boxes, key=lambda box: box["x"]) == boxes
    ranges = [
        player.page.evaluate(
            f"document.querySelector('[data-figure=\"signal {letter}\"] .nnviz-plot')._fullLayout.yaxis.range"
        )
        for letter in "ABCD"
    ]
    np.testing.assert_allclose(ranges, ranges[:1] * 4)

    player.variant("B").get_by_role("button", name="Remove", exact=True).click()
    player.page.locator("[data-figure='signal D']").wait_for(state="detached")
    kept = [views[0], *views[2:]]
    player.wait(lambda: player.runs == [view.id for view in kept], "for the address")
    player.at(back)
    player.until("d.history === d.stepsKnown && d.busy === 'false'")  # until then the nearest that is there is shown
    assert [view.job for view in player.views()] == [jobs[0], *jobs[2:]]
    assert player.store.open(views[1].id).status().state == "stopped"
    assert [view.status.state for view in player.views()] == ["paused"] * 3
    titles = player.titles()
    for letter, was in zip("ABC", "ACD", strict=True):
        np.testing.assert_array_equal(player.trace(f"signal {letter}", place, "y"), pictures[was], was)
        said = words["ABCD".index(was)]
        assert titles[f"signal {letter}"] == " · ".join(filter(None, (letter, said, profile)))
    query = links.query([jobs[0], *jobs[2:]], gradient_flow.DEFAULT)
    assert {path: said for path, said in player.parameters.items() if path[1:2] == "."} == {
        path: said for path, said in query.items() if path[1:2] == "."
    }
    rate = player.variant("C").get_by_role("slider", name="Learning rate")
    assert rate.get_attribute("aria-valuetext") == "0.2"
