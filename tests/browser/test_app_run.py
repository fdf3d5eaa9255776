"""A run in the real app, from the first click on: run, pause, step, epoch, scrub, reload, stop, reset."""

import numpy as np
import pytest

from nnviz import figures
from tests.browser.player import visiting

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LONG = {"steps": 1_000_000}


@pytest.fixture(scope="module")
def rested(tab, house) -> str:
    """The address of a run that is paused after a few hundred steps, and kept."""
    with visiting(tab, house) as player:
        player.open(**LONG)
        player.trained(200)
        player.press("Keep")
        player.wait(lambda: player.views()[0].status.pinned)
        return player.page.url


def surface(player, step: int) -> np.ndarray:
    """The decision surface that belongs to the step, from the run file."""
    view = player.views()[0].at(step)
    return np.array(figures.decision_surface(view.snapshot("decision_grid"), view.snapshot("data"))["data"][0]["z"])


def test_before_the_first_step_the_data_and_the_untrained_network_are_seen(player):
    player.open()
    player.says("paused step 0 of 4,000")
    player.at(0)
    np.testing.assert_allclose(player.trace("outcome", 0, "z"), surface(player, 0))
    assert player.alerts() == []


def test_curves_move_from_run_to_pause_and_then_rest(player):
    player.open(**LONG)
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


def test_a_step_is_one_mini_batch_and_its_pictures_are_shown(player, rested):
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


def test_an_epoch_goes_to_the_end_of_the_epoch(player, rested):
    player.go(rested)
    before = player.paused()
    player.press("Epoch")
    player.wait(lambda: player.step() > before, "for an epoch")
    each = player.views()[0].status.info["steps_per_epoch"]
    assert player.paused() == (before // each + 1) * each


def test_the_time_slider_takes_every_picture_back(player, rested):
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


def test_a_reload_brings_everything_back(player, rested):
    player.go(rested)
    step = player.paused()
    player.all_drawn()
    address, losses, titles, status = player.page.url, player.trace("loss", 0, "y"), player.titles(), player.status()
    player.reload()
    assert player.paused() == step
    player.all_drawn()
    assert player.page.url == address
    assert player.titles() == titles
    assert player.status() == status
    np.testing.assert_array_equal(player.trace("loss", 0, "y"), losses)
    assert player.setting("Steps").is_visible()


def test_stop_ends_a_run_and_it_can_be_continued(player):
    player.open(**LONG)
    player.trained()
    player.press("Stop")
    player.says("stopped step")
    step = player.step()
    run = player.runs
    player.press("Continue")
    player.until(f"+d.newest > {step}")
    assert player.runs == run


def test_reset_makes_a_new_run_that_waits_at_step_0(player):
    player.open(**LONG)
    player.trained()
    old = player.runs
    player.press("Reset")
    player.wait(lambda: player.runs != old, "for another run")
    assert player.paused() == 0
    assert player.store.open(old[0]).status().state == "stopped"
    assert player.store.open(old[0]).status().step > 0
