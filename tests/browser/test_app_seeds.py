"""Runs over several seeds in the real app: chosen in the card, trained beside the run, there again after a reload."""

import numpy as np
import pytest

from nnviz import frames
from nnviz.spec.jobs import Ensemble

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_seeds_that_are_chosen_in_the_card_train_and_their_range_is_drawn_and_comes_back(player):
    player.finished(steps=60)
    own = player.runs
    card = player.page.locator('[data-figure="seeds"]')
    card.scroll_into_view_if_needed()
    card.get_by_role("radio", name="8", exact=True).click()
    card.locator("h3", has_text="Loss over 8 seeds").wait_for()
    player.wait(lambda: any(s.kind == "ensemble" and s.state == "finished" for s in player.store.list()), "for seeds")
    run = player.store.find(next(s.fingerprint for s in player.store.list() if s.kind == "ensemble"))
    player.page.wait_for_function(
        """() => document.querySelector('[data-figure="seeds"] .nnviz-plot').data?.[1]?.x?.at(-1) === 60"""
    )
    view = player.store.view(run)
    assert isinstance(view.job, Ensemble)
    bands = frames.over_members(view.scalars("loss"), "loss", "train")
    np.testing.assert_allclose(player.trace("seeds", 1, "y"), bands.mean, rtol=1e-5)
    area = np.concatenate([bands.high, bands.low[::-1]])
    np.testing.assert_allclose(player.trace("seeds", 0, "y"), area, rtol=1e-5)
    assert player.runs == own, "the address names the run alone"
    player.reload()
    card.scroll_into_view_if_needed()
    card.locator("h3", has_text="Loss over 8 seeds").wait_for()
    assert [s.id for s in player.store.list() if s.kind == "ensemble"] == [run]
