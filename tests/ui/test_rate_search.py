"""The search for learning rates on its page: it runs, its best rates are taken over, and it goes with its race."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from nnviz.presets import optimizers
from nnviz.runs import Store
from nnviz.spec.jobs import RateSearch
from nnviz.ui.rate_search import better
from tests.ui.paging import at, button, ended, fine, housed, jobs, kept, opened, press, shown, wait_for

LINK = {
    "surface__kind": "quadratic",
    "x": "-4",
    "y": "2",
    "steps": "20",
    "racers": '[{"method":{"kind":"sgd","lr":0.01}},{"method":{"kind":"genetic"}},{"method":{"kind":"adam","lr":1}}]',
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The store that the page uses, with a worker."""
    with housed(tmp_path_factory.mktemp("home")) as store:
        yield store


@pytest.fixture
def tuned(store: Store) -> Iterator[Callable[[], AppTest]]:
    """`tuned()` is the page after a search."""

    def make() -> AppTest:
        app = press(opened("pages/optimizers.py", **LINK), "Tune learning rates")
        wait_for(lambda: not store.open(kept(app, "search:optimizers")["run"]).status().live)
        return fine(app.run())

    yield make
    ended(store)


def labels(app: AppTest) -> set[str]:
    return {b.label for b in app.button}


def test_a_search_runs_the_race_shown_and_offers_the_best(store, tuned):
    app = tuned()
    file = store.open(kept(app, "search:optimizers")["run"])
    assert file.job == RateSearch(race=jobs(store, app)[0])
    assert file.status().state == "finished"
    assert "Use the best" in labels(app)
    assert not button(app, "Tune learning rates").disabled


def test_the_best_rates_are_taken_over_and_the_search_stays(store, tuned):
    app = tuned()
    found = store.view(kept(app, "search:optimizers")["run"]).snapshot("rate_search")
    before = jobs(store, app)[0]
    press(app, "Use the best")
    after = jobs(store, app)[0]
    rates = [r.method.lr if hasattr(r.method, "lr") else None for r in after.racers]
    sgd, _, adam = (found["rates"][i] for i in found["best"])
    assert rates == [float(f"{sgd:.4g}"), None, float(f"{adam:.4g}")]
    assert after.racers[1] == before.racers[1]
    assert after.model_copy(update={"racers": before.racers}) == before
    assert "Use the best" in labels(fine(app.run()))
    assert not app.error


def test_a_search_for_another_race_is_not_shown_until_that_is_back(store, tuned):
    app = tuned()
    at(app.number_input, ":x").set_value(1.0)
    fine(app.run())
    assert "Use the best" not in labels(app)
    assert jobs(store, app)[0].x == 1
    at(app.number_input, ":x").set_value(-4.0)
    fine(app.run())
    assert "Use the best" in labels(app)


def test_a_search_that_was_deleted_is_forgotten(store, tuned):
    app = tuned()
    store.delete(kept(app, "search:optimizers")["run"])
    fine(app.run())
    assert not app.error
    assert "Use the best" not in labels(app)
    assert shown(app)


def test_the_runs_shown_are_races_alone(store, tuned):
    app = tuned()
    assert [job.kind for job in jobs(store, app)] == [optimizers.DEFAULT.kind]


class Shown:
    """A race that is shown, with these last heights."""

    def __init__(self, job, heights: list[float], live: bool = False) -> None:
        self.job, self.status = job, SimpleNamespace(live=live)
        self.heights = np.array(heights)[:, None]

    def snapshot(self, _quantity: str) -> dict[str, np.ndarray]:
        return {"heights": self.heights}


def test_a_racer_that_came_lower_with_the_rate_it_has_keeps_it():
    job = optimizers.DEFAULT
    final = np.array([[3.0, 1.0], [0.5, np.nan], [np.nan, np.nan]])
    rates = [0.1, 0.2, None]
    assert better(rates, final, job, [Shown(job, [2.0, 0.4, 7.0])]) == [0.1, None, None]
    # Without the same race over there is nothing to go by.
    for over in ([], [Shown(job, [0.0] * 3, live=True)], [Shown(job.rated([1.0] * 4), [0.0] * 3)]):
        assert better(rates, final, job, over) == rates
