"""The distance to where a surface is lowest: to the curve itself, not to samples of it."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from nnviz.engine.trajectories.nearest_minimum import RadiusSearch, distance_to_minimum, nearest_index
from nnviz.spec.optimizers import SGD
from nnviz.spec.surfaces import Formula, Himmelblau, Saddle
from tests.engine.trajectory_jobs import job, trajectories


def some(n: int = 400, seed: int = 0) -> Tensor:
    """Points (n, 2) within ±3."""
    return 6 * torch.rand(n, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) - 3


def test_the_distance_to_a_curve_is_that_of_geometry():
    at = some()
    x, y = at.unbind(1)
    circle = (torch.hypot(x, y) - 1).abs()
    for text, expected, error in (
        ("x**2", x.abs(), 1e-15),
        ("(x + 2*y)**2", (x + 2 * y).abs() / math.sqrt(5), 1e-14),
        ("(x**2 + y**2 - 1)**2", circle, 1e-8),
        ("((x**2 + y**2 - 1)**2)**2", circle, 1e-6),
        ("abs(sqrt(x**2 + y**2) - 1)", circle, 1e-6),
        ("abs(x)", x.abs(), 1e-15),
    ):
        found = distance_to_minimum(Formula(text=text), at)
        # Beyond the end of a curve its last point may be nearer.
        inside = torch.ones_like(x, dtype=torch.bool) if "+ 2*y" not in text else (2 * x - y).abs() < 4
        torch.testing.assert_close(found[inside], expected[inside], rtol=0, atol=error, msg=text)


def test_the_distance_to_a_hyperbola_is_that_to_its_nearest_point():
    t = torch.exp(torch.linspace(-1.2, 1.2, 40_001, dtype=torch.float64))
    branch = torch.stack([t, 1 / t], 1)
    both = torch.cat([branch, -branch])
    at = some(100)
    expected = torch.stack([(both - point).norm(dim=1).min() for point in at])
    found = distance_to_minimum(Formula(text="(x*y - 1)**2"), at)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_a_point_on_a_curve_has_the_distance_0_to_rounding():
    t = torch.linspace(0.4, 2.5, 50, dtype=torch.float64)
    off = 1e-9
    for text in ("(x*y - 1)**2", "abs(x*y - 1)"):
        on, beside = (
            distance_to_minimum(Formula(text=text), torch.stack([t, (1 + shift) / t], 1)) for shift in (0.0, off)
        )
        assert on.max() < 1e-14, text
        # The distance is |xy − 1| over the length of its gradient.
        assert beside == pytest.approx(off / torch.hypot(t, 1 / t), rel=1e-4), text


def test_the_distance_to_a_flat_region_is_that_to_its_edge():
    at = some()
    found = distance_to_minimum(Formula(text="(x + abs(x))**2"), at)
    assert found == pytest.approx(at[:, 0].clamp(min=0), abs=2e-3)
    assert (found[at[:, 0] <= 0] == 0).all()
    assert (distance_to_minimum(Formula(text="0*x"), at) == 0).all()


def test_the_distance_is_to_the_nearest_of_many_minima_and_nan_where_there_is_none():
    at = some()
    found = distance_to_minimum(Formula(text="sin(15*x)*sin(15*y)"), at)
    lattice = (torch.arange(-28, 28, dtype=torch.float64) + 0.5) * math.pi / 15
    places = torch.cartesian_prod(lattice, lattice)
    places = places[(torch.sin(15 * places).prod(1) < 0) & (places.abs() <= 3).all(1)]
    assert found == pytest.approx(torch.cdist(at, places).min(1).values, abs=1e-7)
    assert distance_to_minimum(Saddle(bounded=False), at).isnan().all()
    assert distance_to_minimum(
        Himmelblau(), torch.tensor([[torch.nan, 0.0], [3.0, 2.0]]).double()
    ).tolist() == pytest.approx([math.nan, 0], abs=1e-9, nan_ok=True)


def test_an_optimizer_at_the_bottom_of_a_curved_valley_has_no_distance_from_it():
    """Regression: f = 7e-15 at its end, with a distance of 0.0585 to the nearest of 56 samples of the curve."""
    surface = Formula(text="(x*y - 1)**2")
    arrays = trajectories(job(surface, [SGD(lr=0.01, momentum=0.9)], x=2.0, y=0.1, steps=400))
    assert arrays["values"][0, -1] < 1e-12
    assert arrays["distance"][0, -1] < 1e-6
    x, y = arrays["points"][0, -50:].T
    expected = np.sqrt(arrays["values"][0, -50:]) / np.hypot(x, y)  # |xy − 1| over the length of its gradient
    assert arrays["distance"][0, -50:] == pytest.approx(expected, rel=0.02, abs=1e-12)


def test_what_is_nearby_is_the_nearest_within_the_radius():
    at, radius = some(2000, 2), 0.1
    for count in (1, 30, 300):
        places = some(count, 1)
        owners = torch.arange(count) // 3
        found = RadiusSearch(places, owners, radius).find(at.reshape(4, 500, 2)).flatten()
        which = nearest_index(at, places)
        expected = torch.where((at - places[which]).norm(dim=1) <= radius, owners[which], -1)
        assert torch.equal(found, expected), count
    nowhere = torch.tensor([[torch.nan, 0.0], [1e300, 0.0], [-torch.inf, 1.0]]).double()
    assert RadiusSearch(places, owners, radius).find(nowhere).tolist() == [-1, -1, -1]
    assert RadiusSearch(places[:0], owners[:0], radius).find(at[:3]).tolist() == [-1, -1, -1]
