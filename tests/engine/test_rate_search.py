"""The search for learning rates: each optimizer with each rate as in a run of its own, optimizer by optimizer."""

import numpy as np
import pytest

from nnviz.engine.trajectories.rate_search import RateSearchRun
from nnviz.spec.base import SpecError
from nnviz.spec.clipping import ClipNorm
from nnviz.spec.gradient_free import Genetic
from nnviz.spec.optimizers import SGD, Adam, RMSprop
from nnviz.spec.point_optimizers import LBFGS, Newton
from nnviz.spec.schedules import Cosine
from nnviz.spec.surfaces import Formula, Himmelblau, MonkeySaddle, Quadratic, Ravine
from nnviz.spec.trajectories import RateSearch, Trajectories
from tests.engine.trajectory_jobs import all_records, job, last, trajectories


def found(search: RateSearch) -> dict[str, np.ndarray]:
    """What a whole search says last."""
    return last(all_records(RateSearchRun(search)), "rate_search")


def of(*methods, surface=None, rates: int = 7, steps: int = 25, **changes) -> RateSearch:
    return RateSearch(trajectories=job(surface or Himmelblau(), methods, steps=steps, **changes), rates=rates)


@pytest.mark.parametrize(
    "changes", [{}, {"noise": 2.0, "seed": 3}, {"clipping": ClipNorm()}, {"schedule": Cosine()}], ids=str
)
def test_each_rate_ends_where_a_run_with_it_ends(changes):
    search = of(SGD(), SGD(momentum=0.9), RMSprop(), Adam(), LBFGS(), Newton(), **changes)
    arrays = found(search)
    for k, rate in enumerate(arrays["rates"]):
        trajectory_arrays = trajectories(search.trajectories.rated([rate] * len(search.trajectories.optimizers)))
        values = np.where(trajectory_arrays["left_at"] >= 0, np.nan, trajectory_arrays["values"][:, -1])
        np.testing.assert_allclose(arrays["final"][:, k], values, rtol=1e-9, equal_nan=True)


def test_the_best_rate_of_gradient_descent_on_a_quadratic_is_the_one_of_theory():
    curvature, condition = 2.0, 10.0
    surface = Quadratic(curvature=curvature, condition=condition)
    search = RateSearch(trajectories=job(surface, [SGD()], x=1.0, y=1.0, steps=200), rates=200, low=0.01, high=1.0)
    arrays = found(search)
    best = arrays["rates"][arrays["best"][0]]
    assert best == pytest.approx(2 / (curvature + curvature / condition), rel=0.03)
    assert np.nanmax(arrays["rates"][arrays["final"][0] < arrays["final"][0, 0]]) < 2 / curvature


def test_rates_are_spread_evenly_by_factors_between_the_ends():
    rates = found(of(SGD()))["rates"]
    assert (rates[0], rates[-1]) == pytest.approx((1e-4, 10))
    assert rates[1:] / rates[:-1] == pytest.approx((10 / 1e-4) ** (1 / 6))


def test_a_method_without_a_rate_and_one_that_always_diverges_have_no_best():
    up = Formula(text="-x**4 - y**4")
    arrays = found(RateSearch(trajectories=job(up, [SGD(), Genetic()], steps=300), rates=3, low=1.0))
    assert arrays["best"].tolist() == [-1, -1]
    assert np.isnan(arrays["final"]).all()


def test_the_minimum_value_is_that_of_the_surface_and_empty_where_there_is_none():
    assert found(of(SGD(), steps=1))["minimum_value"] == pytest.approx([0])
    assert len(found(of(SGD(), surface=MonkeySaddle(bounded=False), steps=1))["minimum_value"]) == 0


def test_results_are_returned_optimizer_by_optimizer():
    search = RateSearchRun(of(SGD(), Adam(), RMSprop()))
    assert search.evaluate_now() == []
    for step in (1, 2, 3):
        (record,) = next(search)
        assert record.step == search.step == step
        assert np.isnan(record.arrays["final"]).all(axis=1).tolist() == [False] * step + [True] * (3 - step)
        assert search.evaluate_now() == []
    with pytest.raises(StopIteration):
        next(search)


def test_returned_snapshots_do_not_change_later():
    search = RateSearchRun(of(SGD(), Adam()))
    first = next(search)[0].arrays["final"].copy()
    held = search.final
    next(search)
    assert np.isnan(first[1]).all()
    assert not np.isnan(held[1]).all()


def test_the_rates_of_the_trajectories_job_do_not_matter():
    arrays = [found(of(SGD(lr=lr), surface=Ravine()))["final"] for lr in (0.1, 5.0)]
    np.testing.assert_array_equal(*arrays)


def test_a_job_of_twelve_with_basins_is_searched_without_them():
    twelve = job(Ravine(), [SGD()] * 12, steps=5, grid=60)
    assert found(RateSearch(trajectories=twelve, rates=2))["final"].shape == (12, 2)


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (2.0, 1.0)])
def test_rates_in_the_wrong_order_are_named(low, high):
    with pytest.raises(SpecError, match="high must be above low"):
        RateSearch.parse({"low": low, "high": high, "trajectories": Trajectories().model_dump()})
