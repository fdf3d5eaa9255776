"""Distributions in the plane: densities, samples, and which samples are good ones."""

import math

import pytest
import torch

from nnviz.engine.data import distributions
from nnviz.engine.randomness import generator
from nnviz.spec.base import options
from nnviz.spec.data import distributions as spec
from tests.each import each

CLASSES = options(spec.PlaneDistribution).values()
ALL = [cls() for cls in CLASSES]
SETTINGS = [
    *ALL,
    spec.Ring(count=1, radius=0.1, sigma=0.3),
    spec.Ring(count=24, sigma=0.02),
    spec.GaussianGrid(side=2, spacing=2, sigma=0.4),
    spec.SpiralCurve(turns=3, sigma=0.05),
    spec.SpiralCurve(turns=0.25, sigma=0.3),
    spec.Segment(sigma=0.05),
    spec.Drawn(density="0" * 500 + "9" + "1" * 523),
]


def grid(reach: float, side: int) -> tuple[torch.Tensor, float]:
    """Centers of side × side cells over [−reach, reach]², and the area of one."""
    along = (torch.arange(side, dtype=torch.float64) + 0.5) * (2 * reach / side) - reach
    return torch.cartesian_prod(along, along), (2 * reach / side) ** 2


@each("distribution", SETTINGS)
def test_densities_integrate_to_1_with_and_without_noise(distribution):
    is_drawn = isinstance(distribution, spec.Drawn)
    points, area = grid(3 if is_drawn else 3.6, 96 if is_drawn else min(360, math.ceil(6 / distribution.sigma)))
    assert float(distributions.density(distribution, points).sum() * area) == pytest.approx(1, abs=2e-3)
    points, area = grid(4.2, 48)
    assert float(distributions.density(distribution, points, 0.2).sum() * area) == pytest.approx(1, abs=2e-3)


@each("distribution", SETTINGS)
def test_samples_have_the_density(distribution):
    drawn = distributions.sample(distribution, 20_000, generator(0, "test"))
    for noise in (0.0, 0.3):
        points = drawn + noise * torch.randn(drawn.shape, generator=generator(1, "test"))
        cells = ((points + 3) / 0.75).floor().long()
        inside = ((cells >= 0) & (cells < 8)).all(1)
        counted = torch.bincount(cells[inside, 0] * 8 + cells[inside, 1], minlength=64).double() / len(points)
        side = 64 if noise else 128
        fine, area = grid(3, side)
        mass = (
            (distributions.density(distribution, fine, noise) * area)
            .reshape(8, side // 8, 8, side // 8)
            .sum((1, 3))
            .flatten()
        )
        # Of five standard deviations of a fraction of 20,000.
        assert float((counted - mass.flatten()).abs().max()) < 5 * (0.25 / 20_000) ** 0.5, noise
        assert float((counted - mass.flatten()).abs().sum()) < 0.07, noise


def test_a_spiral_is_equally_likely_along_its_length():
    for turns in (0.25, 1.5, 3):
        spiral = spec.SpiralCurve(turns=turns, sigma=0.01)
        anchors = distributions._anchors(spiral, 0.01)
        apart = (anchors[1:] - anchors[:-1]).norm(dim=1)
        assert float(apart.max() / apart.min()) < 1.02, turns
        assert float(apart.max()) <= 0.0101


@each("distribution", ALL)
def test_samples_are_within_the_pictures_and_nearly_all_are_good(distribution):
    drawn = distributions.sample(distribution, 5000, generator(0, "test"))
    assert float((drawn.abs() < 3).all(1).float().mean()) > 0.998
    # Of two dimensions 1 − e^(−9/2) = 0.989 lie within three σ; along a curve more.
    good = float(distributions.is_good(distribution, drawn).float().mean())
    assert good == (1 if isinstance(distribution, spec.Drawn) else pytest.approx(0.9925, abs=0.007))


def test_points_at_a_known_distance_are_told_good_from_others():
    ring = spec.Ring(count=4, radius=2, sigma=0.01)
    points = torch.tensor([[2.029, 0], [2.031, 0], [0, -2.0], [0, 0], [1.414, 1.414]])
    assert distributions.is_good(ring, points).tolist() == [True, False, True, False, False]
    line = spec.Segment(sigma=0.1)
    across = torch.tensor([-1.0, 2.0]) / 5**0.5
    points = torch.stack([d * across for d in (0.29, 0.31)] + [torch.tensor([2.2, 1.1])])
    assert distributions.is_good(line, points).tolist() == [True, False, True]
    missing = torch.tensor([[float("nan"), 0], [float("inf"), 0], [1e30, -1e30]])
    for distribution in ALL:
        assert not distributions.is_good(distribution, missing).any(), distribution.kind


def test_a_drawing_is_sampled_where_it_was_drawn_and_in_proportion():
    # Two cells: the top left corner with 1 part, the bottom right corner with 9.
    drawn = spec.Drawn(density="1" + "0" * 1022 + "9")
    found = distributions.sample(drawn, 10_000, generator(0, "test"))
    corner = found[:, 0] > 0
    assert float(corner.float().mean()) == pytest.approx(0.9, abs=0.015)
    size = 6 / 32
    assert bool(((found[corner] - torch.tensor([3 - size, -3])).abs() <= size).all())
    assert bool(((found[~corner] - torch.tensor([-3, 3 - size])).abs() <= size).all())
    at = torch.tensor([[-2.99, 2.99], [2.99, -2.99], [0, 0], [3.01, -2.99]])
    assert distributions.density(drawn, at).tolist() == pytest.approx([0.1 / size**2, 0.9 / size**2, 0, 0])


def test_the_same_stream_gives_the_same_samples():
    for distribution in ALL:
        one, two = (distributions.sample(distribution, 50, generator(3, "test", 7)) for _ in range(2))
        assert torch.equal(one, two), distribution.kind
        other = distributions.sample(distribution, 50, generator(3, "test", 8))
        assert not torch.equal(one, other), distribution.kind
