"""A run in the real app, from the first click on: run, pause, step, epoch, scrub, reload, stop, reset."""

import numpy as np
import pytest

from nnviz import figures
from tests.browser.player import visiting

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LONG = {"steps": 1_000_000}


@pytest.fixture(scope="module")
def rested(tab, app_server) -> str:
    """The address of a run that is paused after a few hundred steps, and kept."""
    with visiting(tab, app_server) as player:
        player.open(**LONG)
        player.trained(200)
        player.press("Keep running")
        player.wait(lambda: player.views()[0].status.pinned)
        return player.page.url


def surface(player, step: int) -> np.ndarray:
    """The decision surface that belongs to the step, from the run file."""
    view = player.views()[0].at(step)
    return np.array(figures.decision_surface(view.snapshot("decision_grid"), view.snapshot("data"))["data"][0]["z"])


def test_a_run_is_seen_untrained_moves_rests_is_stopped_and_continued_and_reset(player):
    player.open(**LONG)
    player.says("ready step 0 of 1,000,000")
    player.at(0)
    np.testing.assert_allclose(player.trace("outcome", 0, "z"), surface(player, 0))
    assert player.alerts() == []

    player.press("Run")
    player.until("+d.newest > 0")
    first = int(player.board()["newest"])
    player.says("running")
    player.until(f"+d.newest > {first}")
    player.press("Pause")
    step = player.paused()
    assert step > first
    assert player.trace("loss", 0, "x")[-1] == step
    assert player.step() == step

    run = player.runs
    player.press("Continue")
    player.until(f"+d.newest > {step}")
    assert player.runs == run

    player.press("Stop")
    player.says("stopped step")
    player.button("Run again").wait_for()
    player.press("Reset")
    player.wait(lambda: player.runs != run, "for another run")
    assert player.paused() == 0
    old = player.store.open(run[0]).status()
    assert old.state == "stopped"
    assert old.step > step


def test_a_step_is_one_mini_batch_with_its_pictures_and_an_epoch_goes_to_its_end(player, rested):
    player.go(rested)
    before = player.paused()
    player.button("Step").focus()
    for step in (before + 1, before + 2):
        # A click draws another button, which the focus has gone to.
        player.page.wait_for_function("document.activeElement.textContent.endsWith('Step')")
        player.page.keyboard.press("Enter")
        player.at(step)
        assert player.paused() == step
        assert player.trace("loss", 0, "x")[-1] == step
        np.testing.assert_allclose(player.trace("outcome", 0, "z"), surface(player, step))
    assert not np.array_equal(surface(player, before), surface(player, step))

    player.press("Epoch")
    player.wait(lambda: player.step() > step, "for an epoch")
    each = player.views()[0].status.info["steps_per_epoch"]
    assert player.paused() == (step // each + 1) * each


def test_the_time_slider_takes_every_picture_back_and_a_reload_brings_all_again(player, rested):
    player.go(rested)
    newest = player.paused()
    player.until("d.history === d.stepsKnown")
    steps = player.views()[0].steps
    slider = player.page.get_by_role("slider", name="Time")
    slider.focus()
    for press, step in {"ArrowLeft": steps[-2], "Home": 0, "ArrowRight": steps[1]}.items():
        slider.press(press)
        player.at(step)
        np.testing.assert_allclose(player.trace("outcome", 0, "z"), surface(player, step))
    slider.press("End")
    player.at(newest)
    assert player.board()["follows"] == "true"

    player.all_drawn()
    address, losses, titles, status = player.page.url, player.trace("loss", 0, "y"), player.titles(), player.status()
    player.reload()
    assert player.paused() == newest
    player.all_drawn()
    assert player.page.url == address
    assert player.titles() == titles
    assert player.status() == status
    np.testing.assert_array_equal(player.trace("loss", 0, "y"), losses)
    assert player.setting("Steps").is_visible()
