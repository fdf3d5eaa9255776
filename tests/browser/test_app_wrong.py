"""What goes wrong is said in one clear line in the browser, and nothing else is lost."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_diverging_run_says_what_was_the_first_to_be_not_finite(player):
    player.open("/gradient_flow", device="cpu")
    player.page.get_by_role("button", name="Exploding").click()
    player.says("A diverged step")
    message = player.alert("diverged at step").inner_text()
    assert "loss is nan" in message or "loss is inf" in message
    assert "first non-finite: " in message
    assert "model." in message
    a, b = player.views()
    assert a.status.state == "diverged"
    assert message.endswith(a.status.error)
    assert a.status.error.count("\n") == 0
    # The other one is not taken along, and the last good pictures stay.
    player.wait(lambda: b.id and player.views()[1].status.step > a.status.step, "for B to go on")
    assert player.page.get_by_test_id("stException").count() == 0
    # What to try is a button that makes the variant.
    player.page.get_by_role("button", name="Clip the gradient norm to 1").click()
    player.wait(lambda: "c.learner.clipping" in player.page.url, "for the address to have variant C")
    taken = player.page.get_by_role("button", name="Clip the gradient norm to 1")
    player.wait(lambda: not taken.count(), "for the button of what C has to go")


def test_a_bad_link_says_what_is_wrong_with_it_and_keeps_the_rest(player):
    player.open(learner__optimizer__lr=-3, learner__data__kind="circles", foo=1)
    player.alert("learner.optimizer.lr must be in (0, 10], got -3")
    player.alert("foo is not a field of Training")
    assert len(player.alerts()) == 2
    assert all("\n" not in text.strip() for text in player.alerts())
    job = player.views()[0].job
    assert (job.learner.data.kind, job.learner.optimizer.lr) == ("circles", 0.1)
    player.press("Run")
    player.until("+d.newest > 0")


def test_a_link_to_unknown_runs_says_so_of_each_and_starts_with_a_new_one(player):
    unknown = ["20261120-1551-ab12cd", "../../etc/passwd"]
    player.open(run=",".join(unknown), seed=3)
    for run in unknown:
        player.alert(run[-6:])
    assert len(player.alerts()) == 2
    player.wait(lambda: player.runs[0] not in unknown, "for a new run")
    assert len(player.runs) == 1
    assert player.paused() == 0
    assert player.views()[0].job.seed == 3


def test_a_setting_that_does_not_fit_the_others_is_said_over_pictures_of_the_run_which_stays(player):
    wrong = "learner.batch_size must be at least 2 with batch norm, got 1"
    opacity = "Number(getComputedStyle(document.querySelector('.nnviz-plot')).opacity)"
    line = player.page.locator(".nnviz-stale span").first
    player.open(steps=1_000_000, learner__model__norm="batch")
    step = player.trained()
    run = player.runs
    assert not line.is_visible()
    player.setting("Batch size").fill("1")
    player.setting("Batch size").press("Enter")
    player.alert(wrong)
    assert player.runs == run
    player.at(step)
    player.until("d.stale === 'true'")
    assert line.inner_text() == f"Showing the previous results: {wrong}"
    assert player.page.evaluate(opacity) < 0.5
    player.page.mouse.move(900, 700)
    player.page.mouse.wheel(0, 600)
    assert line.is_visible()
    # What is shown can go on; nothing can start with what is wrong.
    assert player.button("Continue").is_enabled()
    assert player.button("Reset").is_disabled()
    assert player.button("Restart").count() == 0
    player.setting("Batch size").fill("16")
    player.setting("Batch size").press("Enter")
    player.button("Continue with batch size 16").wait_for()
    player.wait(lambda: not player.alerts(), "for the message to go")
    player.until("d.stale === 'false'")
    assert player.page.evaluate(opacity) == 1
