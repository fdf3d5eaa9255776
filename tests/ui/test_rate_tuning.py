"""The search for learning rates on its page: it runs, its best rates are taken over, and it goes with its race."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from nnviz.presets import optimizers
from nnviz.runs import RunError, Store
from nnviz.spec.jobs import RateSearch, Trajectories
from nnviz.ui import runtime
from nnviz.ui.rate_tuning import PART, better
from tests.ui.pages import (
    at,
    button,
    entries,
    fine,
    head,
    jobs,
    opened,
    press,
    requested_jobs,
    shown,
    stop_all_runs,
    stored_page,
    temporary_store,
    wait_for,
)

LINK = {
    "surface__kind": "quadratic",
    "x": "-4",
    "y": "2",
    "steps": "20",
    "optimizers": '[{"method":{"kind":"sgd","lr":0.01}},{"method":{"kind":"genetic"}},'
    '{"method":{"kind":"adam","lr":1}}]',
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The store that the page uses, with a worker."""
    with temporary_store(tmp_path_factory.mktemp("home")) as store:
        yield store


@pytest.fixture
def tuned(store: Store) -> Iterator[Callable[[], AppTest]]:
    """`tuned(**more)` is the page after a search."""

    def make(**more: str) -> AppTest:
        app = press(opened("pages/optimizers.py", **LINK, **more), "Tune learning rates")
        for run in searches(app):
            wait_for(lambda run=run: not store.open(run).status().live)
        return fine(app.run())

    yield make
    stop_all_runs(store)


def labels(app: AppTest) -> set[str]:
    return {b.label for b in app.button}


def searches(app: AppTest) -> list[str]:
    """The searches that were made for the entries, shown or not."""
    return [own[PART] for own in stored_page(app).run_set_state.extras.values()]


def search(app: AppTest) -> str:
    (run,) = searches(app)
    return run


def trajectories(store: Store, app: AppTest) -> list[Trajectories]:
    """The races that are shown."""
    return [store.open(own[""]).job for own in stored_page(app).run_set_state.entries.values()]


def test_a_search_runs_the_trajectory_run_shown_and_offers_the_best(store, tuned):
    app = tuned()
    file = store.open(search(app))
    assert file.job == RateSearch(trajectories=trajectories(store, app)[0])
    assert file.status().state == "finished"
    assert "Use best rates" in labels(app)
    assert not button(app, "Tune learning rates").disabled


def test_the_best_rates_are_taken_over_and_the_search_stays(store, tuned):
    app = tuned()
    found = store.view(search(app)).snapshot("rate_search")
    before = trajectories(store, app)[0]
    press(app, "Use best rates")
    after = trajectories(store, app)[0]
    rates = [r.method.lr if hasattr(r.method, "lr") else None for r in after.optimizers]
    sgd, _, adam = (found["rates"][i] for i in found["best"])
    assert rates == [float(f"{sgd:.4g}"), None, float(f"{adam:.4g}")]
    assert after.optimizers[1] == before.optimizers[1]
    assert after.model_copy(update={"optimizers": before.optimizers}) == before
    assert "Use best rates" in labels(fine(app.run()))
    assert not app.error


def test_a_search_for_another_trajectory_run_is_not_shown_until_that_is_back(store, tuned):
    app = tuned()
    at(app.number_input, ":x").set_value(1.0)
    fine(app.run())
    assert "Use best rates" not in labels(app)
    assert trajectories(store, app)[0].x == 1
    at(app.number_input, ":x").set_value(-4.0)
    fine(app.run())
    assert "Use best rates" in labels(app)


def test_a_search_that_was_deleted_is_forgotten(store, tuned):
    app = tuned()
    store.delete(search(app))
    fine(app.run())
    assert not app.error
    assert "Use best rates" not in labels(app)
    assert shown(app)


def test_a_search_is_a_picture_of_its_trajectory_run_and_no_trajectory_run_of_its_own(store, tuned):
    app = tuned()
    assert len(entries(app)) == 1
    assert [job.kind for job in jobs(store, app)] == [optimizers.DEFAULT.kind, RateSearch().kind]
    assert trajectories(store, app) == requested_jobs(app)
    assert ["rates"] in head(app)["sections"][""]


def test_of_two_trajectory_runs_each_has_a_search_and_the_best_of_it(store, tuned):
    app = tuned(b__noise="0.5", b__surface__curvature="4.0")
    before = trajectories(store, app)
    assert [store.open(run).job for run in searches(app)] == [RateSearch(trajectories=job) for job in before]
    found = [store.view(run).snapshot("rate_search") for run in searches(app)]
    press(app, "Use best rates")
    after = trajectories(store, app)
    for job, best, was in zip(after, found, before, strict=True):
        rates = [float(f"{best['rates'][i]:.4g}") if i >= 0 else None for i in best["best"]]
        assert [getattr(optimizer.method, "lr", None) for optimizer in job.optimizers] == rates
        assert job.model_copy(update={"optimizers": was.optimizers}) == was
    assert after == requested_jobs(app)
    assert not app.error


def test_what_does_not_apply_to_a_trajectory_run_now_is_not_lost_with_its_rates(store, tuned):
    app = tuned(b__noise="0.5", b__surface__curvature="4.0")
    at(app.selectbox, ":surface.kind").set_value("beale")
    press(fine(app.run()), "Tune learning rates")
    for run in searches(app):
        wait_for(lambda run=run: not store.open(run).status().live)
    press(fine(app.run()), "Use best rates")
    (variant,) = stored_page(app).variants
    assert variant["differences"]["noise"] == 0.5
    assert variant["differences"]["surface.curvature"] == 4.0
    at(app.selectbox, ":surface.kind").set_value("quadratic")
    fine(app.run())
    assert trajectories(store, app)[1].surface.curvature == 4


def test_a_search_that_cannot_be_started_is_answered_with_one_line(store, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise RunError("the disk is full")

    app = opened("pages/optimizers.py", **LINK)
    monkeypatch.setattr(runtime.pool(), "submit", refuse)
    press(app, "Tune learning rates")
    assert [e.value for e in app.error] == ["the disk is full"]
    assert "Use best rates" not in labels(app)
    assert trajectories(store, app)


class PageView:
    """A race that is shown, with these last heights."""

    def __init__(self, job, heights: list[float], live: bool = False) -> None:
        self.job, self.status = job, SimpleNamespace(live=live)
        self.heights = np.array(heights)[:, None]

    def snapshot(self, _quantity: str) -> dict[str, np.ndarray]:
        return {"values": self.heights}


def test_a_optimizer_that_came_lower_with_the_rate_it_has_keeps_it():
    job = optimizers.DEFAULT
    final = np.array([[3.0, 1.0], [0.5, np.nan], [np.nan, np.nan]])
    rates = [0.1, 0.2, None]
    assert better(rates, final, job, PageView(job, [2.0, 0.4, 7.0])) == [0.1, None, None]
    # Without the same race over there is nothing to go by.
    for over in (None, PageView(job, [0.0] * 3, live=True), PageView(job.rated([1.0] * 4), [0.0] * 3)):
        assert better(rates, final, job, over) == rates
