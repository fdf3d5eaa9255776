"""Measures of generated samples on samples whose answer is known."""

import math

import pytest
import torch

from nnviz.engine.data import distributions
from nnviz.engine.randomness import generator
from nnviz.engine.snapshots import sample_quality
from nnviz.spec.data.distributions import Crescents, Drawn, GaussianGrid, Ring, Segment, SpiralCurve


def planted(distribution: Ring | GaussianGrid, modes: int, good: int, bad: int) -> torch.Tensor:
    """So many good samples at each of the first modes, just within three σ, and so many just outside."""
    places = distributions.centers(distribution)[:modes]
    angle = torch.arange(good) * 2.4
    around = torch.stack([angle.cos(), angle.sin()], 1) * 2.99 * distribution.sigma
    inside = (places[:, None] + around).flatten(0, 1)
    outside = distributions.centers(distribution)[:1] + torch.tensor([3.05 * distribution.sigma, 0])
    return torch.cat([inside, outside.expand(bad, 2)])


def test_planted_samples_give_exactly_the_planted_modes_and_fraction_of_good_ones():
    for distribution in (Ring(), Ring(sigma=0.01), Ring(count=24, sigma=0.02), GaussianGrid(), GaussianGrid(side=7)):
        for modes in range(distribution.modes + 1):
            samples = planted(distribution, modes, 20, 2500 - 20 * modes)
            _, is_good, nearest, counts = sample_quality.judged(distribution, samples)
            assert counts.tolist() == [20] * modes + [0] * (distribution.modes - modes), distribution
            assert sample_quality.covered(counts, len(samples)) == modes
            assert int(is_good.sum()) == 20 * modes
            assert torch.equal(is_good, distributions.is_good(distribution, samples))
            assert nearest[: 20 * modes].tolist() == [i for i in range(modes) for _ in range(20)]


def test_a_mode_counts_from_20_of_2500_samples():
    ring = Ring()
    for many, expected in ((19, 0), (20, 8)):
        counts = sample_quality.judged(ring, planted(ring, 8, many, 2500 - 8 * many)).counts
        assert sample_quality.covered(counts, 2500) == expected


def test_the_mass_covered_is_that_of_the_cells_with_a_quarter_of_the_samples_that_belong_there():
    # Cells have side 0.375: the first two have 3/4 and 1/4 of the mass, so that 1,875 and 625 of 2,500 samples belong.
    places = torch.tensor([[0.1, 0.1], [0.5, 0.1], [-2.0, -2.0]])
    masses = sample_quality.masses(places[[0, 0, 0, 1]])
    for planted_counts, expected in (
        ((1875, 625, 0), 1),
        ((469, 157, 1874), 1),
        ((468, 157, 1875), 0.25),
        ((469, 156, 1875), 0.75),
        ((2500, 0, 0), 0.75),
        ((0, 0, 2500), 0),
    ):
        samples = places.repeat_interleave(torch.tensor(planted_counts), dim=0)
        assert sample_quality.mass_covered(masses, samples) == expected, planted_counts


def test_real_samples_cover_the_mass_of_their_curve_and_half_of_it_half():
    for data in (Crescents(), SpiralCurve(), SpiralCurve(turns=3), Segment(sigma=0.01), Drawn()):
        masses = sample_quality.masses(distributions.sample(data, 50_000, generator(0, "counted")))
        real = distributions.sample(data, 2500, generator(0, "test"))
        assert sample_quality.mass_covered(masses, real) > 0.98, data
        half = real[real[:, 0] > real[:, 0].median()]
        assert 0.4 < sample_quality.mass_covered(masses, half) < 0.7, data


def test_jensen_shannon_is_0_of_equal_1_of_disjoint_and_the_floor_of_two_real_sets():
    one = distributions.sample(Ring(), 2500, generator(0, "test"))
    assert sample_quality.jensen_shannon(one, one) == 0
    left, right = one - torch.tensor([10.0, 0]), torch.zeros(2500, 2)  # all outside, all in one bin
    assert sample_quality.jensen_shannon(left, right) == pytest.approx(1, abs=1e-12)
    assert sample_quality.jensen_shannon(left, left + 1) == 0
    half = torch.cat([right[:1250], left[:1250]])
    # m = (¾, ¼) of p = (1, 0) and q = (½, ½).
    expected = 0.5 * (math.log2(4 / 3) + 0.5 * math.log2(2 / 3) + 0.5 * math.log2(2))
    assert sample_quality.jensen_shannon(right, half) == pytest.approx(expected, rel=1e-9)
    floors = [
        sample_quality.jensen_shannon(*(distributions.sample(Ring(), 2500, generator(i, "test", s)) for s in (1, 2)))
        for i in range(10)
    ]
    assert 0.002 < sum(floors) / 10 < 0.008


def test_missing_modes_raise_the_jensen_shannon_divergence_as_measured_beforehand():
    ring, real = Ring(), distributions.sample(Ring(), 2500, generator(0, "test"))
    modes = sample_quality.judged(ring, real).nearest
    for kept, expected in ((7, 0.072), (4, 0.32), (1, 0.72)):
        some = real[modes < kept]
        again = some[torch.randint(len(some), (2500,), generator=generator(0, "again"))]
        assert sample_quality.jensen_shannon(real, again) == pytest.approx(expected, abs=0.03), kept


def test_mmd_is_the_sum_over_all_pairs_and_about_0_of_two_real_sets():
    a = distributions.sample(Ring(), 60, generator(0, "test"))
    b = torch.randn(40, 2, generator=generator(1, "test"))

    def kernel(x: torch.Tensor, y: torch.Tensor) -> float:
        d2 = float((x.double() - y.double()).square().sum())
        return sum(math.exp(-d2 / (2 * s**2)) for s in (0.25, 0.5, 1, 2)) / 4

    within = [sum(kernel(x, y) for i, x in enumerate(s) for y in s[:i]) / (len(s) * (len(s) - 1) / 2) for s in (a, b)]
    between = sum(kernel(x, y) for x in a for y in b) / 2400
    assert sample_quality.Discrepancy(a).of(b) == pytest.approx(sum(within) - 2 * between, abs=2e-5)
    floors = [
        sample_quality.Discrepancy(distributions.sample(Ring(), 500, generator(i, "test", 1))).of(
            distributions.sample(Ring(), 500, generator(i, "test", 2))
        )
        for i in range(12)
    ]
    assert abs(sum(floors) / 12) < 0.001
    assert min(floors) < 0, "an unbiased estimate is not held above 0"
    assert max(map(abs, floors)) < 0.005


def test_the_estimated_density_is_the_sum_of_kernels_and_integrates_to_1():
    samples = distributions.sample(Ring(), 2000, generator(0, "test"))
    for bandwidth in (0.01, 0.03, 0.08, 0.3):
        estimate = sample_quality.KernelDensity(samples, bandwidth)
        at = torch.cat([samples[:200], torch.rand(200, 2, generator=generator(2, "test")) * 6 - 3])
        pairs = torch.cdist(at.double(), samples.double()).square()
        direct = torch.exp(-pairs / (2 * bandwidth**2)).mean(1) / (2 * math.pi * bandwidth**2)
        # Bins of 0.023, or of 0.012 for the narrowest kernel.
        bound = {0.01: 0.25, 0.03: 0.12, 0.08: 0.05, 0.3: 0.02}[bandwidth]
        assert float((estimate.at(at) - direct).norm() / direct.norm()) < bound, bandwidth
        along = (torch.arange(512) + 0.5) * (6 / 512) - 3
        fine = estimate.at(torch.cartesian_prod(along, along))
        assert float(fine.sum()) * (6 / 512) ** 2 == pytest.approx(1, abs=0.01), bandwidth
    cells = (torch.arange(64) + 0.5) * (6 / 64) - 3
    picture = sample_quality.KernelDensity(samples, 0.08).picture(64)
    places = torch.cartesian_prod(cells, cells).flip(1)
    pairs = torch.cdist(places.double(), samples.double()).square()
    direct = torch.exp(-pairs / (2 * 0.08**2)).mean(1) / (2 * math.pi * 0.08**2)
    assert float((picture.flatten() - direct).norm() / direct.norm()) < 0.05


def test_samples_far_outside_or_none_inside_leave_the_density_0():
    far = torch.tensor([[1e30, 0.0], [-50, 50]])
    estimate = sample_quality.KernelDensity(far, 0.05)
    assert float(estimate.picture(64).abs().sum()) == 0
    assert estimate.at(far).isnan().all()
