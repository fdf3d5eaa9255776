"""The same run from elsewhere and later: branch, link, second tab, restarted server."""

import pytest

from nnviz.spec.base import get_at
from nnviz.spec.wording import without_parent
from tests.browser.player import LOW, SCREEN, UNUSED_SEEDS, leave, playing

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LONG = {"steps": 1_000_000}


@pytest.fixture
def low_window(player) -> None:
    player.page.set_viewport_size(LOW)


def test_a_change_while_a_run_trains_leaves_it_and_goes_on_as_a_new_run_or_restarts(player):
    opacity = "Number(getComputedStyle(document.querySelector('.nnviz-plot')).opacity)"
    first = player.page.locator("[class*=st-key-transport-] button:visible").first
    player.open(**LONG)
    player.press("Run")
    player.until("+d.newest > 0")
    (parent,) = player.runs
    player.slider("Learning rate").press("ArrowRight")
    player.says("changed: learning rate 0.2")
    player.button("Restart with changes").wait_for()
    player.button("Continue with learning rate 0.2").wait_for()
    newest = int(player.board()["newest"])
    player.until(f"+d.newest > {newest} && d.stale === 'false'")
    assert player.runs == [parent]
    assert first.inner_text().endswith("Pause")
    assert player.page.evaluate(opacity) == 1
    player.press("Pause")
    step = player.paused()
    assert player.page.evaluate(opacity) == 1
    assert first.inner_text().endswith("Continue")

    player.press("Continue with learning rate 0.2")
    player.wait(lambda: player.runs != [parent], "for a branch")
    player.until(f"+d.newest > {step}")
    (run,) = player.runs
    job = player.store.open(run).job
    assert (job.parent.run, job.parent.step) == (parent, step)
    assert job.learner.optimizer.lr == 0.2
    assert player.store.open(parent).status().state == "stopped"
    assert player.store.open(parent).job.parent is None
    # The curve of what came before is the parent's, and the branch is marked on it.
    assert player.trace("loss", 0, "x")[0] == 1
    texts = "document.querySelector('[data-figure=loss]').textContent"
    player.page.wait_for_function(f"{texts}.includes('learning rate 0.2')")

    # Weights of one kind of data are not gone on with on another.
    player.choose("Data", "Spirals")
    player.says("changed: data Spirals")
    assert player.runs == [run]
    assert player.button("Continue with").count() == 0
    assert first.inner_text().endswith("Pause")
    player.press("Restart with changes")
    player.wait(lambda: player.runs != [run], "for a new run")
    player.until("+d.newest > 0")
    (anew,) = player.views()
    assert anew.job.parent is None
    assert (anew.job.learner.data.kind, anew.job.learner.optimizer.lr) == ("spirals", 0.2)
    assert player.store.open(run).status().state == "stopped"


@pytest.mark.usefixtures("low_window")
def test_a_shared_link_opens_the_same_experiment_in_another_browser(player, browser):
    player.open(learner__data__kind="circles", learner__optimizer__kind="adam", seed=7, **LONG)
    player.setting("Batch size").fill("64")
    player.setting("Batch size").press("Enter")
    player.wait(lambda: "batch_size=64" in player.page.url, "for the address")
    player.paused()  # an open menu would be closed if the page were drawn anew
    player.press("Share")
    link = player.page.get_by_test_id("stPopoverBody").get_by_test_id("stCode").first.inner_text().strip()
    assert "run=" not in link
    assert "default=" in link  # which settings those are that it does not name
    job = without_parent(player.views()[0].job)
    elsewhere = browser.new_context(**SCREEN)
    with playing(player.app_server, elsewhere) as other:
        other.go(link)
        assert without_parent(other.views()[0].job) == job
        assert other.runs != player.runs
        assert other.setting("Batch size").input_value() == "64"
        assert other.alerts() == []
    elsewhere.close()
    assert {path: get_at(job, path) for path in ("learner.batch_size", "seed", "steps")} == {
        "learner.batch_size": 64,
        "seed": 7,
        "steps": 1_000_000,
    }


@pytest.mark.usefixtures("low_window")
def test_two_tabs_on_a_run_show_the_same(player, context):
    player.open(**LONG)
    player.paused()
    with playing(player.app_server, context) as other:
        other.page.set_viewport_size(LOW)
        other.go(player.page.url)
        assert other.runs == player.runs
        player.press("Run")
        other.until("+d.newest > 0")
        other.press("Pause")
        step = other.paused()
        assert player.paused() == step
        player.press("Step")
        player.at(step + 1)
        other.at(step + 1)


def test_a_new_server_shows_any_page_first_and_a_run_of_the_server_before_is_there_and_goes_on(player, restart):
    page = player.page
    player.open(seed=next(UNUSED_SEEDS), **LONG)
    step = player.trained()
    run, address, losses = player.runs, page.url, player.trace("loss", 0, "y").tolist()
    player.store.open(run[0]).pin()  # else it would be ended by whoever leaves it
    leave(page)
    restart()
    player.store.open(run[0]).pin(False)

    player.open("/gradient_flow", seed=3)
    assert page.locator("h1").inner_text().startswith("Gradient flow")
    assert player.views()[0].job.seed == 3
    assert player.alerts() == []
    page.get_by_role("link", name="Playground").click()
    page.locator("h1", has_text="Playground").wait_for()
    player.until("d.drawn > 0")

    player.go(address)
    player.says(f"stopped step {step:,}")
    player.at(step)
    assert player.runs == run
    assert player.trace("loss", 0, "y").tolist() == losses
    player.press("Continue")
    player.until(f"+d.newest > {step}")
    assert player.runs == run
